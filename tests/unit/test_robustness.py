"""Conclusions over parameters: chance and parameters told apart in tables of which the truth is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from robust_worlds import OUTCOME, SE, noisy, row_of, runs_of, worlds_of
from scipy import stats

from sim import analysis
from sim.analysis.intervals import ratio_intervals
from sim.analysis.uncertain import SHARE, decomposed, over_parameters, parameter_level, share_interval


def test_variance_components_are_recovered():
    """Standard errors of the two estimates of a balanced one-way layout (Searle et al. 1992): chi-squares of the two mean squares."""
    n, r, between, within = 300, 4, 0.10, 0.05
    rng = np.random.default_rng(20201)
    row = row_of(noisy(rng, between * rng.standard_normal(n), within, r))
    assert row["sd_monte_carlo"] == pytest.approx(within, abs=SE * within / np.sqrt(2.0 * (n + 1) * (r - 1)))
    of_mean = between**2 + within**2 / r
    error = np.sqrt(2.0 * of_mean**2 / (n - 1) + 2.0 * (within**2 / r) ** 2 / ((n + 1) * (r - 1)))
    assert row["sd_parameters"] ** 2 == pytest.approx(between**2, abs=SE * error)


@pytest.mark.parametrize("seed", range(5))
def test_where_members_differ_by_chance_alone_parameters_are_not_blamed(seed):
    """var(means) over its expectation is F distributed; what is left for parameters stays below its upper thousandth."""
    n, r, within = 100, 2, 0.2
    row = row_of(noisy(np.random.default_rng(seed), np.zeros(n), within, r))
    most = stats.f.isf(0.001, n - 1, (n + 1) * (r - 1)) - 1.0
    assert row["sd_parameters"] ** 2 <= most * row["sd_monte_carlo"] ** 2 / r
    assert row["parameter_high"] - row["parameter_low"] <= 5.0 * row["sd_parameters"] + 1e-12


def test_chance_does_not_widen_the_interval_over_parameters():
    n, r, between = 400, 2, 0.2
    rng = np.random.default_rng(7)
    members = between * rng.standard_normal(n)
    truth = np.subtract(*np.quantile(members, (0.975, 0.025), method="weibull"))
    quiet, loud = (row_of(noisy(np.random.default_rng(8), members, chance, r)) for chance in (1e-6, 0.4))
    assert quiet["parameter_high"] - quiet["parameter_low"] == pytest.approx(truth, rel=1e-3)
    widened = loud["parameter_high"] - loud["parameter_low"]
    # the error of two quantiles at .025 and .975 of n normals, apart by far enough to be independent
    density = stats.norm.pdf(stats.norm.ppf(0.025)) / between
    error = np.sqrt(2.0 * 0.025 * 0.975 / n) / density
    assert widened == pytest.approx(truth, abs=SE * error)
    raw = truth * np.sqrt(1.0 + 0.4**2 / r / between**2)  # what the plain means would span
    assert widened < raw - SE * error
    assert loud["mc_high"] - loud["mc_low"] > 1e4 * (quiet["mc_high"] - quiet["mc_low"])


def test_a_spread_of_parameters_does_not_widen_the_interval_of_chance():
    rng = np.random.default_rng(9)
    noise = 0.03 * rng.standard_normal((41, 2, 1))
    narrow, wide = (decomposed(spread * np.arange(-20, 21)[:, None, None] + noise) for spread in (0.0, 5.0))
    assert wide.half == pytest.approx(narrow.half)
    assert wide.sd_monte_carlo == pytest.approx(narrow.sd_monte_carlo)
    assert wide.sd_parameters > 50.0


def test_members_drawn_in_spread_exactly_by_what_is_left_to_parameters():
    rng = np.random.default_rng(10)
    parts = decomposed(0.3 * rng.standard_normal((31, 1, 4)) + 0.2 * rng.standard_normal((31, 3, 4)))
    drawn = over_parameters(parts)
    assert drawn.std(axis=0, ddof=1) == pytest.approx(parts.sd_parameters)
    assert drawn.mean(axis=0) == pytest.approx(parts.means[1:].mean(axis=0))
    assert np.array_equal(np.argsort(drawn, axis=0), np.argsort(parts.means[1:], axis=0))


def test_a_case_by_hand():
    """Ledger .10 +- .01; members .20 +- .01 and .40 +- .01 in two replications."""
    centres = np.array([0.10, 0.20, 0.40])
    row = row_of(centres[:, None, None] + np.array([-0.01, 0.01])[None, :, None])
    assert row["unit"] == SHARE
    assert (row["members"], row["replications"]) == (2, 2)
    assert row["central_effect"] == pytest.approx(0.10)
    assert row["sd_monte_carlo"] == pytest.approx(np.sqrt(2.0) * 0.01)  # (.01^2 + .01^2) / (2 - 1) in each world
    assert row["mc_high"] - row["central_effect"] == pytest.approx(stats.t.isf(0.025, 3) * 0.01)  # three worlds, one degree each
    assert row["sd_parameters"] == pytest.approx(np.sqrt(0.02 - 0.0002 / 2))
    half = row["sd_parameters"] / np.sqrt(2.0)
    assert [row["parameter_low"], row["parameter_high"]] == pytest.approx([0.30 - half, 0.30 + half])
    assert row["parameter_median"] == pytest.approx(0.30)
    assert row["parameter_level"] == pytest.approx(1 / 3)
    assert (row["sign_share"], row["sign_clear_share"], row["sign_against_share"]) == (1.0, 1.0, 0.0)


def test_interval_of_chance_covers_as_often_as_it_says():
    rng = np.random.default_rng(11)
    trials = 3000
    effects = rng.standard_normal((6, 2, trials)) + 10.0 * rng.standard_normal((6, 1, trials)) * (np.arange(6) > 0)[:, None, None]
    parts = decomposed(effects)
    held = np.abs(parts.means[0]) <= parts.half[0]
    assert held.mean() == pytest.approx(0.95, abs=SE * np.sqrt(0.95 * 0.05 / trials))


@pytest.mark.parametrize("n", [5, 20, 39, 60])
def test_one_more_member_falls_into_the_interval_as_often_as_it_says(n):
    rng = np.random.default_rng(n)
    trials = 4000
    members = rng.gumbel(size=(trials, n + 1))  # any law will do
    ends = np.quantile(members[:, :n], (0.025, 0.975), axis=1, method="weibull")
    held = (ends[0] <= members[:, n]) & (members[:, n] <= ends[1])
    level = parameter_level(n)
    assert held.mean() == pytest.approx(level, abs=SE * np.sqrt(level * (1.0 - level) / trials))
    if n <= 39:
        assert np.array_equal(ends, [members[:, :n].min(axis=1), members[:, :n].max(axis=1)])


def test_signs_are_counted_by_side_and_by_whether_chance_hides_them():
    """Noise of +-.01 in two replications of 11 worlds: half-widths of t(11) x .01, so .03 is clear and .02 is not."""
    centres = np.array([0.10, *[0.03] * 6, *[0.02] * 2, -0.02, -0.05])
    row = row_of(centres[:, None, None] + np.array([-0.01, 0.01])[None, :, None])
    assert stats.t.isf(0.025, 11) * 0.01 == pytest.approx(0.022, abs=0.001)
    assert (row["sign_share"], row["sign_clear_share"], row["sign_against_share"]) == pytest.approx((0.8, 0.6, 0.1))
    # Clopper & Pearson (1934) for 8 of 10
    assert (row["sign_share_low"], row["sign_share_high"]) == pytest.approx((0.4439, 0.9748), abs=1e-4)
    assert share_interval(20, 20)[1] == pytest.approx(0.025 ** (1 / 20))


def test_from_five_replications_a_world_has_an_interval_of_its_own():
    noise = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
    scales = np.array([0.01, 0.001, 0.02])
    parts = decomposed(0.5 + (scales[:, None] * noise)[:, :, None])
    assert parts.half[:, 0] == pytest.approx(stats.t.isf(0.025, 4) * scales * np.sqrt(10 / 4 / 5))


def test_effects_are_relative_to_each_world_and_noise_of_the_baseline_drops_out():
    rng = np.random.default_rng(12)
    bases = np.array([1.0, 100.0, 1e4])[:, None] * (1.0 + 0.1 * rng.random((3, 3)))
    row = row_of(np.full((3, 3, 1), -0.4), bases=bases)
    assert row["central_effect"] == pytest.approx(-0.4)
    assert row["sd_monte_carlo"] == pytest.approx(0.0, abs=1e-12)
    assert row["sd_parameters"] == pytest.approx(0.0, abs=1e-12)
    assert row["sign_clear_share"] == 1.0


def test_noise_of_an_effect_is_that_of_the_ratio_of_means():
    """With many pairs the interval of one world is Fieller's (1954)."""
    rng = np.random.default_rng(13)
    before = 100.0 + 5.0 * rng.standard_normal((3, 400))
    after = 0.7 * before + 4.0 * rng.standard_normal((3, 400))
    worlds = worlds_of(2)
    found = analysis.member_effects(runs_of(worlds, (after / before - 1.0)[:, :, None], before), worlds, [OUTCOME])
    for w in range(3):
        fieller = ratio_intervals(after[w] - before[w], before[w])
        assert found.loc[w, "effect"] == pytest.approx(float(fieller.value[0]))
        assert found.loc[w, "mc_low"] == pytest.approx(float(fieller.low[0]), rel=1e-3)
        assert found.loc[w, "mc_high"] == pytest.approx(float(fieller.high[0]), rel=1e-3)
    assert found["member"].tolist() == ["ledger", "m00", "m01"]


def test_where_a_baseline_is_0_effects_are_in_units():
    worlds = worlds_of(2)
    runs = runs_of(worlds, np.zeros((3, 2, 1)), np.array([0.0, 1.0, 2.0])[:, None])
    runs.loc[runs["scenario"].str.startswith("policy"), OUTCOME] += 5.0
    (row,) = analysis.robustness(runs, worlds, [OUTCOME]).to_dict("records")
    assert (row["unit"], row["central_effect"], row["parameter_median"]) == ("accounts", 5.0, 5.0)
    assert analysis.conclusions(analysis.robustness(runs, worlds, [OUTCOME]))[0].text.startswith("rented accounts rise by 5 accounts")


def test_what_is_exactly_unchanged_everywhere_holds():
    effects = np.zeros((5, 2, 1))
    row = row_of(effects)
    assert (row["central_effect"], row["sd_parameters"], row["sign_share"], row["sign_clear_share"]) == (0.0, 0.0, 1.0, 1.0)
    effects[2, 1] = 0.1
    row = row_of(effects)
    assert (row["sign_share"], row["sign_clear_share"]) == (0.75, 0.75)


def test_failed_runs_leave_out_their_pairs_and_members():
    effects = np.full((4, 2, 1), 0.2) + np.array([0.0, 0.1, 0.2, 0.3])[:, None, None] + np.array([-0.01, 0.01])[None, :, None]
    worlds = worlds_of(3)
    runs = runs_of(worlds, effects)
    runs.loc[runs["scenario"] == "base__m01", "status"] = "failed"
    runs.loc[(runs["scenario"] == "policy__m02") & (runs["replication"] == 0), ["status", OUTCOME]] = ["failed", np.nan]
    (row,) = analysis.robustness(runs, worlds, [OUTCOME]).to_dict("records")
    assert (row["members"], row["replications"]) == (2, 1)
    found = analysis.member_effects(runs, worlds, [OUTCOME]).set_index("member")
    assert np.isnan(found.loc["m01", "effect"])
    assert found.loc["m02", "effect"] == pytest.approx(0.51)
    assert found["replications"].tolist() == [2, 2, 0, 1]
    runs["status"] = "failed"
    (row,) = analysis.robustness(runs, worlds, [OUTCOME]).to_dict("records")
    assert np.isnan(row["central_effect"])
    assert analysis.robust_answer(pd.DataFrame([row]), pd.DataFrame()) == []


def test_runs_that_are_not_paired_are_refused():
    worlds = worlds_of(2)
    runs = runs_of(worlds, np.zeros((3, 2, 1)))
    with pytest.raises(ValueError, match="twice"):
        analysis.robustness(pd.concat([runs, runs]), worlds, [OUTCOME])
    runs.loc[0, "seed"] = 99
    with pytest.raises(ValueError, match="several seeds"):
        analysis.robustness(runs, worlds, [OUTCOME])
    with pytest.raises(ValueError, match="not apart"):
        analysis.robustness(runs_of(worlds, np.zeros((3, 2, 1))).assign(seed=lambda table: 1 + table["replication"]), worlds, [OUTCOME])
