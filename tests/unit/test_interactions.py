"""What a bundle's levers contribute: known functions sent through the runner, sentences, figures, command."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from scipy import stats

import sim
from sim import luck
from sim.analysis.intervals import ratio_intervals
from sim.cli import main
from sim.exploring.carrying import experiment
from sim.exploring.file import load_exploration
from sim.exploring.interactions import check_bundle, interactions
from sim.faults import ScenarioError
from sim.outcomes import OUTCOMES, window_means
from sim.plan import standing
from sim.plots.interactions import heatmap, waterfall
from sim.plots.style import BLUE, VERMILLION

BASE = (
    'name = "base"\ntitle = "Standing regime"\n[run]\ndays = 2\nburn_in_days = 0\nsettle_days = 0\nreplications = {}\n'
    "[levers]\naccount_audit = 0.2\nregistration_audit = 0.2\nad_takedown = 0.2\n"
)
LEVERS = (
    "account_audit", "registration_audit", "ad_takedown", "login_check", "cluster_sweep", "user_reporting", "review_capacity",
    "unsealing_strictness", "awareness_campaign",
)  # fmt: skip


def outcome(value, days=2, **others):
    daily = {name: np.full(days, others.get(name, value)) for name in OUTCOMES}
    return daily, window_means(daily, 0, days), 0.0


def in_force(scenario, count=3):
    """Return which of the first levers stand at the bundle's strength."""
    found = scenario.policies
    return np.array([name in found and found[name].strength > 0.5 for name in LEVERS[:count]], dtype=float)


def known(scenario, seed):
    """Two levers lower the outcome and get in each other's way, the third raises it; seeds differ in how strong the first is.

    Prices rise by what is not of this world: nothing but luck. Costs are 0 until the third lever is in force.
    """
    a, b, c = in_force(scenario)
    strong = 10.0 + seed
    value = 100.0 - strong * a - 20.0 * b + 6.0 * a * b + 8.0 * c
    price = 10.0 + float(luck.normals(seed, f"{a} {b} {c}", (1,))[0])
    return outcome(value, price_yuan=price, enforcement_cost_yuan=3.0 * c, arrests_dealer=1.0)


def deep(scenario, _seed):
    """An outcome that tells every combination of three levers apart."""
    return outcome(1.0 + 2.0 ** float(in_force(scenario) @ np.array([1.0, 2.0, 4.0])))


@pytest.fixture
def file(tmp_path, monkeypatch):
    """Write an experiment on some levers into an empty folder."""
    monkeypatch.chdir(tmp_path)

    def write(count: int = 3, replications: int = 5, head: str = "", design: str = 'kind = "factorial"', low: float = 0.2) -> Path:
        Path("base.toml").write_text(BASE.format(replications))
        Path("other.toml").write_text(
            'extends = "base.toml"\nname = "other"\ntitle = "Other"\n[policies.purge]\ndays = [1]\nstrength = 0.9\n'
        )
        factors = "".join(f'[[factors]]\nkey = "{name}"\nlow = {low}\nhigh = 0.9\n' for name in LEVERS[:count])
        outcomes = '["stock_rented", "price_yuan", "enforcement_cost_yuan", "arrests_dealer"]'
        Path("mine.toml").write_text(f'baseline = "base.toml"\noutcomes = {outcomes}\n{head}\n[design]\n{design}\n{factors}')
        return Path("mine.toml")

    return write


def of(table, name="stock_rented", key="outcome"):
    return table[table[key] == name].reset_index(drop=True)


def test_shares_of_a_known_function_are_found_seed_by_seed(file):
    done = sim.interactions(sim.experiment(file(), how=known))
    rented = of(done.by_seed)
    by_seed = rented.pivot_table(index="seed", columns="factor", values="share", sort=False)
    assert list(by_seed.columns) == [f"policies.{name}.strength" for name in LEVERS[:3]]
    assert by_seed.to_numpy() == pytest.approx(np.array([[-(10.0 + seed) + 3.0, -17.0, 8.0] for seed in range(1, 6)]), rel=1e-15)
    assert rented.groupby("seed")["share"].sum().to_numpy() == pytest.approx(rented.groupby("seed")["effect"].first().to_numpy(), rel=1e-15)
    assert rented["effect"].iloc[0] == -11.0 - 20.0 + 6.0 + 8.0


def test_means_have_the_intervals_of_a_t_test_and_of_fieller(file):
    done = interactions(experiment(file(), how=known))
    row = of(done.shapley).iloc[0]
    values = -7.0 - np.arange(1.0, 6.0)
    low, high = stats.t.interval(0.95, 4, loc=values.mean(), scale=stats.sem(values))
    assert (row["share"], row["share_low"], row["share_high"]) == pytest.approx((values.mean(), low, high))
    assert (row["relative"], row["relative_low"], row["relative_high"]) == pytest.approx((values.mean() / 100.0, low / 100.0, high / 100.0))
    assert row["of_bundle"] == pytest.approx(-10.0 / -19.0)
    assert row["of_bundle_low"] < 10.0 / 19.0 < row["of_bundle_high"] < 1.0
    assert (row["alone"], row["last"]) == pytest.approx((-13.0, -7.0))
    assert (row["label"], row["low"], row["high"]) == ("account audit", 0.2, 0.9)
    whole = of(done.bundle).iloc[0]
    assert whole[["baseline_mean", "bundle_mean", "effect", "sum_alone", "excess"]].tolist() == pytest.approx(
        [100.0, 81.0, -19.0, -25.0, 6.0]
    )
    pairs = of(done.pairs)
    assert pairs["interaction"].tolist() == pytest.approx([6.0, 0.0, 0.0], abs=1e-12)
    assert pairs[["first_label", "second_label"]].iloc[1].tolist() == ["account audit", "ad takedown"]
    assert pairs["relative"].tolist() == pytest.approx([0.06, 0.0, 0.0], abs=1e-12)


def test_every_combination_stands_in_its_place(file):
    """v = 1 + 2^(a + 2b + 4c): differences of neighbours are known, and no two combinations are alike."""
    done = interactions(experiment(file(replications=1), how=deep))
    rows = of(done.shapley)
    assert rows["alone"].tolist() == [2.0 - 1.0, 4.0 - 1.0, 16.0 - 1.0]
    assert rows["last"].tolist() == [128.0 - 64.0, 128.0 - 32.0, 128.0 - 8.0]
    third = np.array([1.0, 3.0, 15.0]) + np.array([64.0, 96.0, 120.0])
    middle = np.array([(8 - 4) + (32 - 16), (8 - 2) + (64 - 16), (32 - 2) + (64 - 4)])  # with one other lever in force
    assert rows["share"].tolist() == pytest.approx(((2.0 * third + middle) / 6.0).tolist())


def test_what_is_not_above_zero_has_no_share_of_the_baseline(file):
    done = interactions(experiment(file(), how=known))
    cost = of(done.shapley, "enforcement_cost_yuan")
    assert cost["relative"].isna().all()
    assert cost["share"].tolist() == [0.0, 0.0, 3.0]
    assert cost["of_bundle"].tolist() == [0.0, 0.0, 1.0]
    price = of(done.shapley, "price_yuan")
    assert price["of_bundle"].isna().all()  # what the bundle does may be nothing
    assert price["relative"].notna().all()


def test_a_loss_in_the_baseline_has_no_per_cent(file):
    done = interactions(experiment(file(), how=lambda scenario, _seed: outcome(-100.0 + 10.0 * in_force(scenario)[0])))
    assert of(done.bundle)["relative"].isna().all()
    assert done.answer[0].startswith(
        "Rented accounts rise by 10 accounts (10 to 10) with all 3. Shares: account audit 100 % (100 to 100) of the rise"
    )
    assert of(done.shapley)["of_bundle"].tolist() == [1.0, 0.0, 0.0]


def test_a_baseline_that_is_hardly_known_gives_units_and_no_per_cent(file):
    """Two seeds leave the baseline anywhere above 0: a count would fall by several times itself."""

    def how(scenario, seed):
        return outcome({1: 100.0, 2: 112.0}[seed] - {1: 78.0, 2: 70.0}[seed] * in_force(scenario)[0])

    done = sim.interactions(sim.experiment(file(replications=2), how=how))
    whole = of(done.bundle).iloc[0]
    part = ratio_intervals(*(np.array(values) for values in ([-78.0, -70.0], [100.0, 112.0])))
    assert part.low[0] < -1.0
    assert np.isfinite(whole["effect_low"])
    assert np.isnan(whole[["relative", "relative_low", "relative_excess"]].to_numpy(dtype=float)).all()
    assert np.isnan(of(done.shapley)["relative"]).all()
    assert done.answer[0].startswith("Rented accounts fall by 74 accounts (23.2 to 125) with all 3.")


def test_sentences_say_who_makes_it_who_works_against_it_and_what_overlaps(file):
    done = interactions(experiment(file(), how=known))
    rented, price, cost, arrests, note = done.answer
    assert rented.startswith("Rented accounts fall by 19 % (17 to 21) with all 3. Shares: registration audit 89.5 % (")
    assert "and account audit 52.6 % (" in rented
    assert "of the fall; ad takedown -42.1 % (" in rented
    assert ") works against it. Alone, their effects add up to -25 %; together they differ from that by 6 % (6 to 6)." in rented
    assert rented.endswith("Pairs: account audit and registration audit overlap: 6 % (6 to 6).")
    assert price.startswith("The price: no clear change with all 3, ")
    assert cost.startswith(
        "Enforcement cost rises by 3 yuan/day (3 to 3) with all 3. Shares: ad takedown 100 % (100 to 100) of the rise; none"
    )
    assert arrests == "Dealers arrested: exactly unchanged by each of the 3 levers."
    assert "exact at each seed over all 8 combinations" in note
    assert "95 % intervals over 5 seeds" in note


def test_sentences_of_one_seed_and_of_levers_that_strengthen_each_other(file):
    done = interactions(experiment(file(replications=1), how=deep))
    assert done.answer[0].startswith("Rented accounts rise by 6,350 % with all 3. Shares: ad takedown ")
    assert "registration audit and ad takedown strengthen each other: 3,375 %" in done.answer[0]
    assert done.answer[-1].endswith("One seed: no intervals, so that any of this may be chance.")
    assert done.shapley["share_low"].isna().all()


def test_levers_that_cancel_out_are_told(file):
    def how(scenario, seed):
        a, b, _ = in_force(scenario)
        return outcome(50.0 + 5.0 * a - 5.0 * b + 2.0 * a * b + 0.2 * (seed - 3.0) * (a + b) - a * b * 2.0)

    said = interactions(experiment(file(), how=how)).answer[0]
    assert said.startswith("Rented accounts: no clear change with all 3, 0 % (")
    assert "Shares: account audit 10 % (9.2 to 10.8) raises it; registration audit -10 % (-10.8 to -9.2) lowers it; " in said
    assert said.endswith("none at all: ad takedown.")


def test_shares_are_no_parts_of_a_change_that_is_hardly_known(file):
    def how(scenario, seed):
        a, b, _ = in_force(scenario)
        return outcome(50.0 + (5.0 + 0.6 * (seed - 3.0)) * a - 3.0 * b)

    said = interactions(experiment(file(), how=how)).answer[0]
    assert said.startswith("Rented accounts rise by 4 % (1.6 to 6.4) with all 3. Shares: account audit 10 % (7.6 to 12.4) raises it; ")
    assert "registration audit -6 % (-6 to -6) lowers it" in said
    known_well = interactions(experiment(file(replications=1), how=how)).answer[0]  # a rise by 0.8 of what 3.8 and -3 leave
    assert "account audit 7.6 % raises it; registration audit -6 % lowers it; none at all: ad takedown." in known_well


def test_each_scenario_has_a_bundle_of_its_own(file):
    def how(scenario, seed):
        return outcome(100.0 - 10.0 * in_force(scenario)[0] * (2.0 if "purge" in scenario.policies else 1.0))

    done = interactions(experiment(file(head='scenarios = ["other.toml"]'), how=how))
    shares = of(done.shapley, "policies.account_audit.strength", "factor")
    assert of(shares).set_index("scenario")["share"].to_dict() == {"base": -10.0, "other": -20.0}
    assert set(done.figures()) == {"waterfall_base", "heatmap_base", "waterfall_other", "heatmap_other"}
    assert done.answer[0].startswith("Standing regime: Rented accounts fall by 10 %")


def test_an_outcome_that_some_run_does_not_have_is_left_out_and_told(file):
    def how(scenario, seed):
        return outcome(np.nan if in_force(scenario)[0] and seed == 2 else 1.0, price_yuan=1.0)

    done = interactions(experiment(file(), how=how))
    assert done.bundle["outcome"].tolist() == ["price_yuan"]
    assert "Rented accounts: not known in every combination at every seed, so that there are no shares." in done.answer
    nothing = interactions(experiment(file(), how=lambda scenario, seed: outcome(np.nan)))
    assert not len(nothing.bundle)
    assert not nothing.figures()
    assert len(nothing.answer) == 4


def test_a_waterfall_leads_from_the_baseline_to_the_bundle(file):
    done = interactions(experiment(file(), how=known))
    ax = Figure().subplots()
    assert waterfall(ax, of(done.bundle).iloc[0].to_dict(), of(done.shapley), "Standing regime") is ax
    *levers, whole = ax.patches
    starts = [bar.get_x() for bar in levers]
    ends = [bar.get_x() + bar.get_width() for bar in levers]
    assert starts == pytest.approx([0.0, *ends[:-1]])
    assert (whole.get_x(), whole.get_width()) == pytest.approx((0.0, ends[-1]))
    assert ends[-1] == pytest.approx(-19.0)
    assert [to_hex(bar.get_facecolor()).upper() for bar in levers] == [BLUE, BLUE, VERMILLION]
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names == ["Standing regime", "account audit", "registration audit", "ad takedown", "all together"]
    assert ax.get_xlabel() == "change, % of baseline"
    numbers = [text.get_text() for text in ax.texts if text.get_position()[0] == 1.02]
    assert [float(number.replace("\N{MINUS SIGN}", "-")) for number in numbers] == pytest.approx(
        [*(bar.get_width() for bar in levers), ends[-1]], abs=0.06
    )
    waterfall(
        ax := Figure().subplots(),
        of(done.bundle, "enforcement_cost_yuan").iloc[0].to_dict(),
        of(done.shapley, "enforcement_cost_yuan"),
        "x",
    )
    assert ax.get_xlabel() == "change, yuan/day"


def test_a_heatmap_has_each_pair_once_and_brackets_what_is_not_clear(file):
    done = interactions(experiment(file(), how=known))
    labels = [name.replace("_", " ") for name in LEVERS[:3]]
    ax = Figure().subplots()
    assert heatmap(ax, of(done.bundle).iloc[0].to_dict(), of(done.pairs), labels) is ax
    cells = {text.get_position(): text.get_text() for text in ax.texts}
    assert cells == {(0, 0): "+6", (0, 1): "0", (1, 1): "0"}
    assert np.ma.getmaskarray(np.ma.masked_invalid(ax.images[0].get_array())).tolist() == [[False, True], [False, False]]
    heatmap(ax := Figure().subplots(), of(done.bundle, "price_yuan").iloc[0].to_dict(), of(done.pairs, "price_yuan"), labels)
    assert {text.get_style() for text in ax.texts if text.get_text().startswith("(")} == {"italic"}


def test_figures_say_what_they_start_from(file):
    def first_label(done):
        return done.figures()["waterfall_base"]().axes[0].get_yticklabels()[0].get_text()

    assert first_label(interactions(experiment(file(), how=known))) == "Standing regime"
    assert first_label(interactions(experiment(file(low=0.0), how=known))) == "All at their low ends"


def test_other_designs_too_many_levers_and_failed_runs_are_refused(file):
    with pytest.raises(ScenarioError, match=r'design.kind = "grid": is no design for `abm interactions`; it must be factorial'):
        interactions(experiment(file(design='kind = "grid"\nlevels = 2'), how=known))
    for count, words in ((9, "holds 9 factors; `abm interactions` takes 2 to 8"), (1, "holds 1 factor;")):
        with pytest.raises(ScenarioError, match=words) as told:
            interactions(experiment(file(count=count, replications=1), how=deep if count > 2 else lambda *_: outcome(1.0)))
        assert len(str(told.value).splitlines()) == 1

    def fails(scenario, seed):
        raise ZeroDivisionError

    with pytest.raises(ScenarioError, match=r"\d runs failed, and an analysis needs every point"):
        interactions(experiment(file(), how=fails))


def test_command_takes_up_the_runs_of_an_experiment_and_writes_tables_and_figures(file, monkeypatch, capsys):
    monkeypatch.setattr("sim.jobs.simulate", known)
    path = file()
    assert main(["experiment", str(path), "--workers", "1", "-q"]) == 0

    def again(scenario, seed):
        raise AssertionError("a run is made twice")

    monkeypatch.setattr("sim.jobs.simulate", again)
    assert main(["interactions", str(path), "--workers", "1"]) == 0
    out = Path("results") / "mine"
    assert "Rented accounts fall by 19 % (17 to 21) with all 3." in capsys.readouterr().out
    assert {table.name for table in out.glob("*.csv")} == {
        "points.csv",
        "bundle.csv",
        "shapley.csv",
        "shapley_by_seed.csv",
        "interactions.csv",
    }
    by_seed = pd.read_csv(out / "shapley_by_seed.csv")
    sums = by_seed.groupby(["scenario", "outcome", "seed"]).agg({"share": "sum", "effect": "first"})
    assert sums["share"].to_numpy() == pytest.approx(sums["effect"].to_numpy(), rel=1e-14, abs=1e-13)
    assert {figure.name for figure in (out / "figures").iterdir()} == {
        f"{name}_base.{kind}" for name in ("waterfall", "heatmap") for kind in ("png", "svg")
    }
    monkeypatch.setattr("sim.jobs.simulate", known)
    assert main(["experiment", str(path), "--workers", "1", "--replications", "6", "-q"]) == 0
    assert {table.name for table in out.glob("*.csv")} == {"points.csv"}  # the analysis is out of date
    assert not list((out / "figures").iterdir())


def test_command_refuses_in_one_line_and_writes_nothing(file, capsys):
    assert main(["interactions", str(file(count=9))]) == 2
    message = capsys.readouterr().err
    assert "takes 2 to 8, as it runs every combination" in message
    assert len(message.splitlines()) == 1
    assert main(["interactions", str(file(design='kind = "morris"\ntrajectories = 3'))]) == 2
    assert "must be factorial" in capsys.readouterr().err
    assert not Path("results").exists()


def test_a_failed_run_makes_exit_code_1_and_no_analysis(file, monkeypatch, capsys):
    def fails(scenario, seed):
        raise ZeroDivisionError("no luck")

    monkeypatch.setattr("sim.jobs.simulate", fails)
    assert main(["interactions", str(file()), "--workers", "1"]) == 1
    assert "an analysis needs every point" in capsys.readouterr().err
    assert not (Path("results") / "mine" / "shapley.csv").exists()


@pytest.mark.slow
def test_shares_of_the_market_do_not_depend_on_workers(file):
    path = file(count=2, replications=2)
    small = {"population.users": 50_000, "run.days": 20, "run.burn_in_days": 5, "run.settle_days": 5}
    one, two = (interactions(experiment(path, overrides=small, workers=workers)) for workers in (1, 2))
    pd.testing.assert_frame_equal(one.by_seed, two.by_seed, check_exact=True)
    pd.testing.assert_frame_equal(one.pairs, two.pairs, check_exact=True)
    assert of(one.by_seed, "enforcement_cost_yuan")["share"].abs().max() > 0.0


def test_the_shipped_package_starts_from_the_standing_regime():
    asked = load_exploration(Path(__file__).parents[2] / "scenarios" / "experiments" / "package_shares.toml")
    check_bundle(asked)
    assert all(factor.low == standing(asked.baseline, factor.key) for factor in asked.factors)
