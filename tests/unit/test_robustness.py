"""Conclusions over parameters: chance and parameters told apart in tables of which the truth is known, and one small comparison."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text
from scipy import stats

from sim import analysis, plots, robustness
from sim.analysis.intervals import ratio_intervals
from sim.analysis.uncertain import SHARE, Worlds, decomposed, over_parameters, parameter_level, share_interval
from sim.comparison import Robust
from sim.conduct import open_results, redraw
from sim.experiment_file import Experiment
from sim.faults import ScenarioError
from sim.plan import STRIDE, Plan, planned, single
from sim.plots.gallery import rendered
from sim.scenario import scenario_from
from sim.screen import print_robustness
from sim.store import Memory

OUTCOME = "stock_rented"
SE = 3.3  # standard errors that a statistical test allows: once in a thousand it is wrong


def worlds_of(members: int, policies: tuple[str, ...] = ("policy",)) -> Worlds:
    names = {f"{name}__m{k:02d}": (name, k) for k in range(members) for name in ("base", *policies)}
    return Worlds.of("base", names)


def runs_of(worlds: Worlds, effects: np.ndarray, bases: np.ndarray | float = 100.0, outcome: str = OUTCOME) -> pd.DataFrame:
    """Make runs in which policy p of world w in replication r changes the baseline by the share `effects[w, r, p]`."""
    bases = np.broadcast_to(bases, effects.shape[:2])
    rows = []
    for w, names in enumerate(worlds.names):
        for r in range(effects.shape[1]):
            shares = (0.0, *effects[w, r])
            rows += [
                {"scenario": name, "replication": r, "seed": 1 + r + 1000 * w, "status": "done", outcome: bases[w, r] * (1.0 + share)}
                for name, share in zip(names, shares, strict=True)
            ]
    return pd.DataFrame(rows)


def row_of(effects: np.ndarray, **options: object) -> pd.Series:
    worlds = worlds_of(len(effects) - 1)
    (row,) = analysis.robustness(runs_of(worlds, effects, **options), worlds, [OUTCOME]).to_dict("records")
    return row


def noisy(rng: np.random.Generator, members: np.ndarray, chance: float, replications: int) -> np.ndarray:
    """Return effects `(worlds, replications, 1)` around those of members, the ledger's world having their mean."""
    centres = np.append(members.mean(), members)[:, None, None]
    return centres + chance * rng.standard_normal((len(members) + 1, replications, 1))


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


THREE = ("first", "second", "third")


def ranked(centres: np.ndarray, noise: float = 0.001, outcome: str = OUTCOME) -> tuple[dict, pd.DataFrame]:
    """Rank three policies in worlds with effects `(worlds, 3)`, whose replications differ by noise that policies do not share."""
    worlds = worlds_of(len(centres) - 1, THREE)
    own = noise * np.array([[1.0, -1.0, 1.0], [-1.0, 1.0, -1.0]])
    runs = runs_of(worlds, centres[:, None, :] + own[None], outcome=outcome)
    (row,) = analysis.ranking(runs, worlds, [outcome]).to_dict("records")
    return row, analysis.ranking_pairs(runs, worlds, [outcome])


CENTRES = np.array(
    [
        [-0.3, -0.2, 0.1],  # the ledger's order
        [-0.6, -0.5, 0.0],  # the same
        [-0.2, -0.3, 0.1],  # first and second change places
        [0.3, 0.2, 0.1],  # turned round
        [-0.3, -0.29, 0.1],  # the same, but close
        [-0.5, 0.1, 0.0],  # second and third change places
    ]
)


def test_rankings_are_compared_with_the_ledgers():
    row, pairs = ranked(CENTRES)
    assert (row["best_is"], row["central_order"], row["best"], row["members"]) == ("lowest", "first > second > third", "first", 5)
    assert (row["changed_share"], row["changed_clear_share"], row["best_share"], row["best_beaten_share"]) == (0.6, 0.6, 0.6, 0.4)
    distances = [(1.0 - stats.kendalltau(CENTRES[0], member).statistic) / 2.0 for member in CENTRES[1:]]
    assert row["kendall_mean"] == pytest.approx(np.mean(distances))
    assert row["kendall_most"] == pytest.approx(max(distances)) == pytest.approx(1.0)
    assert list(zip(pairs["first"], pairs["second"], strict=True)) == list(combinations(THREE, 2))
    assert pairs["sign_share"].tolist() == [0.6, 0.8, 0.6]
    assert pairs["central_effect"].tolist() == pytest.approx([-0.1, -0.4, -0.3])


def test_a_reversal_within_chance_is_not_counted_as_clear():
    """Differences have a half-width of t(5) x 2 x .1 = .51, more than any distance but those to the third."""
    row, pairs = ranked(
        np.array([[-2.0, -1.9, 1.0], [-1.9, -2.0, 1.0], [-2.0, -1.9, 1.0], [-1.9, -2.0, -5.0], [-2.0, -1.9, 1.0]]), noise=0.1
    )
    assert (row["changed_share"], row["changed_clear_share"]) == (0.5, 0.25)
    assert (row["best_share"], row["best_beaten_share"]) == (0.5, 0.25)
    assert pairs["sign_clear_share"].tolist() == [0.0, 0.75, 0.75]


def test_a_higher_price_is_better():
    row, _ = ranked(-CENTRES, outcome="price_yuan")
    assert (row["best_is"], row["best"], row["best_share"]) == ("highest", "first", 0.6)


def test_equal_policies_are_ordered_neither_way():
    row, _ = ranked(np.zeros((4, 3)), noise=0.0)
    assert (row["changed_share"], row["kendall_most"], row["best_share"]) == (0.0, 0.0, 1.0)


def test_one_policy_has_no_ranking():
    worlds = worlds_of(2)
    runs = runs_of(worlds, np.ones((3, 2, 1)))
    assert analysis.ranking(runs, worlds, [OUTCOME]).empty
    assert analysis.ranking_pairs(runs, worlds, [OUTCOME]).empty


def verdicts() -> pd.DataFrame:
    """Return five policies with 20 members: one that holds, one that leans, one that depends, one open, one that does nothing."""
    names = ("holds", "leans", "depends", "open", "nothing")
    centres = np.zeros((21, 5))
    centres[:, 0] = -0.5
    centres[1, 0] = 0.5  # 19 of 20 are enough
    centres[:, 1] = np.append(0.5, np.linspace(0.001, 0.2, 20))
    centres[:, 2] = np.append(0.5, [*[0.4] * 15, *[-0.4] * 5])
    centres[:, 3] = np.append(0.001, [*[0.4] * 10, *[-0.4] * 10])
    noise = 0.01 * np.array([[1.0, -1.0, 1.0, -1.0, 0.0], [-1.0, 1.0, -1.0, 1.0, 0.0]])
    worlds = worlds_of(20, names)
    return analysis.robustness(runs_of(worlds, centres[:, None, :] + noise[None]), worlds, [OUTCOME])


def test_conclusions_say_what_holds_and_what_does_not():
    """The noise of .01 has a half-width of t(21) x .01 = .0208; drawing members in by it moves the largest from .50 to .499."""
    found = {c.policy: c for c in analysis.conclusions(verdicts())}
    assert {name: c.verdict for name, c in found.items()} == {
        "holds": "holds", "leans": "leans", "depends": "depends", "open": "open", "nothing": "holds",
    }  # fmt: skip
    assert found["holds"].text.startswith("rented accounts fall by 50 % (chance -52.1 to -47.9 %; parameters -50 to +49.9 %) in 19 of 20")
    assert found["leans"].text.endswith("in all 20, beyond chance in 18")
    assert found["depends"].text.endswith("beyond chance so in 15 of 20, opposite in 5, unclear in 0")
    assert found["open"].text == "rented accounts up in 10, down in 10 of 20 beyond chance"
    assert found["nothing"].text == "rented accounts exactly unchanged in all 20"
    lines = analysis.robust_answer(verdicts(), pd.DataFrame(), {"holds": "Held policy"})
    assert lines[0] == "Holds, beyond chance, in at least 95 % of the 20 parameter vectors:"
    assert lines[1].startswith("  Held policy: rented accounts fall")
    assert sum(line.endswith(":") for line in lines) == 4
    assert "at least 83.2 % of the set" in lines[-1]  # .025 ** (1 / 20)


def test_rankings_in_words():
    row, _ = ranked(CENTRES)
    lines = analysis.robust_answer(verdicts(), pd.DataFrame([row]))
    assert (
        "  by rented accounts, lowest first: the order changes in 3 of 5, beyond chance in 3, 33.3 % of the 3 pairs reversed on average;"
        " first stays first in 3 of 5, beaten beyond chance in 2." in lines
    )
    row, _ = ranked(np.repeat(CENTRES[:1], 4, axis=0))
    lines = analysis.robust_answer(verdicts(), pd.DataFrame([row]))
    assert "  by rented accounts, lowest first: the same order in every vector; first stays first in all 3." in lines


def test_the_screen_shows_chance_and_parameters_apart(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    print_robustness(verdicts(), {"depends": "It depends"})
    out = capsys.readouterr().out
    assert "It depends" in out
    cells = next(line for line in out.split("It depends")[1].splitlines() if OUTCOME in line).split()
    assert cells[:3] == [OUTCOME, "+50", "%"]
    assert " ".join(cells[-9:]) == "15 of 20 15 of 20 5 of 20"


def test_the_figure_draws_two_bars_and_cuts_nothing():
    table = verdicts()
    worlds = worlds_of(20, tuple(table["policy"]))
    centres = np.zeros((21, 2, 5)) + table["central_effect"].to_numpy()
    members = analysis.member_effects(runs_of(worlds, centres), worlds, [OUTCOME])
    study = plots.Study("base", {"holds": "A policy with a long title $x$ " * 3}, 1_000_000, [1, 2], (30, 60))
    figure = plots.robust(table, members, study)
    figure.draw_without_rendering()
    ax = figure.axes[0]
    page = figure.bbox.padded(1.0)
    ticks = {label for axis in (ax.xaxis, ax.yaxis) for tick in axis.majorTicks for label in (tick.label1, tick.label2)}
    for text in set(figure.findobj(Text)) - ticks:
        if text.get_text() and text.get_visible():
            box = text.get_window_extent()
            assert page.x0 <= box.x0 <= box.x1 <= page.x1, text
            assert page.y0 <= box.y0 <= box.y1 <= page.y1, text
    spans = {(round(line.get_linewidth(), 1), tuple(line.get_xdata())) for line in ax.lines if len(line.get_xdata()) == 2}
    for row in table.to_dict("records"):
        assert (5.0, (100.0 * row["mc_low"], 100.0 * row["mc_high"])) in spans
        assert (1.1, (100.0 * row["parameter_low"], 100.0 * row["parameter_high"])) in spans
    heights = {width: {line.get_ydata()[0] % 1.0 for line in ax.lines if line.get_linewidth() == width} for width in (5.0, 1.1)}
    assert not heights[5.0] & heights[1.1]
    assert [text.get_text() for text in ax.texts] == ["19/20", "18/20", "15/20", "10/20", "20/20"]
    assert "chance taken out" in figure.get_supxlabel().replace("\n", " ")
    rendered(figure, "png")
    given = plots.robust(table, members, study, axes=[figure.axes[0]])
    assert given is figure


# The command: which runs are made.

TINY = {"run": {"days": 30, "burn_in_days": 10, "settle_days": 5, "seed": 5}, "population": {"users": 20_000}}
MEMBERS = {
    0: {"renting": {"quit_per_day": 0.02}, "registration": {"audit_strength": 1.5}},
    7: {"renting": {"quit_per_day": 0.07}, "registration": {"audit_strength": 3.0}},
}


def tiny(name: str, **extra: object):
    return scenario_from({"name": name, **TINY, **extra}, name)


def comparison(**extra: object) -> Plan:
    policy = tiny("squeeze", policies={"registration_audit": {"strength": 0.9}}, **extra)
    outcomes = (OUTCOME, "supply_account_days", "enforcement_cost_yuan")
    return planned(Experiment("tiny", "Tiny", "", tiny("base"), (policy,), outcomes, outcomes[:2]))


def test_every_scenario_runs_in_every_member_on_common_seeds():
    asked = robustness.plan(comparison(), MEMBERS)
    assert list(asked.scenarios) == ["base", "squeeze", "base__m00", "squeeze__m00", "base__m07", "squeeze__m07"]
    assert asked.members["squeeze__m07"] == ("squeeze", 7)
    assert (asked.command, asked.name, asked.replications) == ("compare --over-uncertainty", "tiny_over_uncertainty", 2)
    for number, first in ((-1, 5), (0, 5 + STRIDE), (7, 5 + 8 * STRIDE)):
        seeds = {(job.replication, job.seed) for job in asked.jobs if asked.members.get(job.scenario_name, ("", -1))[1] == number}
        assert seeds == {(0, first), (1, first + 1)}
    assert len({job.run_id for job in asked.jobs}) == 12
    changed = asked.scenarios["squeeze__m07"]
    assert changed.parameters["renting"]["quit_per_day"] == 0.07
    assert changed.policies == asked.scenarios["squeeze"].policies
    assert asked.scenarios["squeeze"].parameters == {}


def test_what_a_scenario_sets_itself_stays():
    own = comparison(parameters={"renting": {"quit_per_day": 0.05}})
    asked = robustness.plan(own, MEMBERS)
    assert {asked.scenarios[name].parameters["renting"]["quit_per_day"] for name in ("squeeze__m00", "squeeze__m07")} == {0.05}
    assert asked.scenarios["squeeze__m07"].parameters["registration"]["audit_strength"] == 3.0
    assert asked.scenarios["base__m07"].parameters["renting"]["quit_per_day"] == 0.07
    assert robustness.fixed(own, MEMBERS) == {"renting.quit_per_day": ["squeeze"]}
    assert robustness.fixed(comparison(), MEMBERS) == {}


def test_names_stay_within_what_a_scenario_may_be_called():
    long = "x" * 64
    asked = planned(Experiment("tiny", "", "", tiny("base"), (tiny(long),)))
    assert f"{'x' * 59}__m07" in robustness.plan(asked, MEMBERS).scenarios
    twins = planned(Experiment("tiny", "", "", tiny("base"), (tiny(long), tiny("x" * 63 + "y"))))
    with pytest.raises(ScenarioError, match="is also the name of"):
        robustness.plan(twins, MEMBERS)


@pytest.mark.parametrize(
    ("asked", "members", "replications", "told"),
    [
        (comparison(), MEMBERS, 1, "--replications = 1: must be at least 2"),
        (comparison(), {0: MEMBERS[0]}, 2, "--over-uncertainty = 1: must be at least 2"),
        (replace(comparison(), precision=0.1), MEMBERS, 2, "--precision = 0.1: does not go with --over-uncertainty"),
        (single(tiny("base")), MEMBERS, 2, "compares policies with a baseline"),
        (comparison(), {**MEMBERS, 8: {"renting": {"quit_per_day": 0.05}}}, 2, "--over-uncertainty: member 8 changes nothing"),
        (comparison(), {**MEMBERS, 8: {"renting": {"quit_per_day": 5.0}}}, 2, "quit_per_day = 5.0: must be a number from"),
    ],
)
def test_what_makes_no_sense_is_told_in_a_line(asked, members, replications, told):
    with pytest.raises(ScenarioError) as error:
        robustness.plan(asked, members, replications)
    assert told in str(error.value)
    assert "\n" not in str(error.value)


LEDGER_ROW = [robustness.LEDGER["renting"]["quit_per_day"].value, robustness.LEDGER["registration"]["audit_strength"].value]
SET = f"member,renting.quit_per_day,registration.audit_strength\n0,{LEDGER_ROW[0]},{LEDGER_ROW[1]}\n1,0.02,1.5\n2,0.07,3.0\n3,0.05,2.5\n"


def test_the_first_members_of_the_set_are_taken_beside_the_ledgers_own():
    assert robustness.shipped(2, SET) == {1: MEMBERS[0], 2: MEMBERS[7]}
    assert list(robustness.shipped(3, SET)) == [1, 2, 3]
    without = SET.replace(f"0,{LEDGER_ROW[0]}", "0,0.03")
    assert list(robustness.shipped(2, without)) == [0, 1]


def test_the_set_that_ships_can_be_used():
    members = robustness.shipped(2)
    assert list(robustness.plan(comparison(), members).members.values())[-1] == ("squeeze", list(members)[-1])


@pytest.mark.parametrize("count", [-1, 0, 1, 4])
def test_more_members_than_there_are_is_told_in_a_line(count):
    with pytest.raises(ScenarioError) as error:
        robustness.shipped(count, SET)
    problem = "must be a whole number from 2 to 3, the members of the set beside the ledger's own vector"
    assert str(error.value) == f"--over-uncertainty = {count}: {problem}"


def test_the_manifest_keeps_members():
    asked = robustness.plan(comparison(), MEMBERS)
    manifest = json.loads(json.dumps(asked.manifest(Memory(), (), finished=False)))
    assert Plan.of(manifest, "x").members == asked.members
    del manifest["members"]  # as before there were any
    assert Plan.of(manifest, "x").members == {}


def test_a_small_comparison_from_runs_to_tables_and_figure(tmp_path):
    told = []
    done = robustness.over_members(comparison(), MEMBERS, out=tmp_path / "out", progress=told.append)
    assert not done.failures
    assert max(state.computed for state in told) == 12
    for name in ("robustness", "ranking_pairs", "ranking", "member_effects", "summary"):
        assert (tmp_path / "out" / f"{name}.csv").is_file() == (not name.startswith("ranking")), name  # one policy has no ranking
    assert {path.name for path in (tmp_path / "out" / "figures").iterdir()} == {"robustness.png", "robustness.svg"}
    table = pd.read_csv(tmp_path / "out" / "robustness.csv")
    assert list(table["outcome"]) == list(comparison().outcomes)
    assert (table["members"] == 2).all()
    assert (table["replications"] == 2).all()
    row = table.set_index("outcome").loc["enforcement_cost_yuan"]
    means = done.runs.groupby("scenario")["enforcement_cost_yuan"].mean()
    assert row["central_effect"] == pytest.approx(means["squeeze"] / means["base"] - 1.0)
    assert row["central_effect"] > 0.0
    members = done.member_effects.set_index(["outcome", "member"])["effect"]["enforcement_cost_yuan"]
    assert members["m07"] == pytest.approx(means["squeeze__m07"] / means["base__m07"] - 1.0)
    assert "parameter vectors" in " ".join(done.answer)
    whole, part = (robustness.markdown(tmp_path / "out", done.plan.titles, only) for only in (None, ["enforcement_cost_yuan"]))
    assert "\n* squeeze: " in whole
    assert "\n* squeeze: enforcement cost" in part
    assert "total supply" in whole
    assert "total supply" not in part
    assert "Not yet computed" in robustness.markdown(tmp_path)

    (tmp_path / "out" / "figures" / "robustness.png").unlink()
    again = redraw(tmp_path / "out")
    assert isinstance(again, Robust)
    assert (tmp_path / "out" / "figures" / "robustness.png").is_file()
    pd.testing.assert_frame_equal(again.robustness, done.robustness)

    more = {**MEMBERS, 8: {"renting": {"quit_per_day": 0.04}}}
    told.clear()
    robustness.over_members(comparison(), more, out=tmp_path / "out", progress=told.append)
    runs = [state for state in told if state.stage == "runs"]
    assert (runs[-1].skipped, runs[-1].computed) == (12, 4)
    assert (open_results(tmp_path / "out").robustness["members"] == 3).all()
