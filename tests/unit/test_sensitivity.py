"""What moves an outcome: known functions sent through the runner, luck as a factor, the order of policies, figures, command."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from sim import luck
from sim.analysis.uncertain import decomposed
from sim.cli import main
from sim.exploring import points
from sim.exploring.carrying import experiment
from sim.exploring.quantities import ORDER, cube, ranking
from sim.exploring.sensitivity import Sensitivity, sensitivity
from sim.exploring.sentences import _moved
from sim.exploring.variance import variance
from sim.faults import ScenarioError
from sim.outcomes import OUTCOMES, window_means
from sim.plots.sensitivity import bars, tornado

Ishigami = pytest.importorskip("SALib.test_functions.Ishigami")
Sobol_G = pytest.importorskip("SALib.test_functions.Sobol_G")
morris_analyze, sobol_analyze = (pytest.importorskip(f"SALib.analyze.{name}") for name in ("morris", "sobol"))
morris_sample, sobol_sample = (pytest.importorskip(f"SALib.sample.{name}") for name in ("morris", "sobol"))

BASE = 'name = "base"\ntitle = "Standing regime"\n[run]\ndays = 2\nburn_in_days = 0\nsettle_days = 0\nreplications = {}\n'
LEVERS = (
    "account_audit", "registration_audit", "unsealing_strictness", "ad_takedown", "login_check", "cluster_sweep", "user_reporting",
    "review_capacity",
)  # fmt: skip


def outcome(value, days=2):
    daily = dict.fromkeys(OUTCOMES, np.full(days, value))
    return daily, window_means(daily, 0, days), 0.0


def strengths(scenario, count):
    """Return the values of the first factors, `(count,)`: the strengths of levers, 0 to 1."""
    found = scenario.policies
    return np.array([found[name].strength if name in found else scenario.levers[name] for name in LEVERS[:count]])


def ishigami(scenario, _seed):
    return outcome(float(Ishigami.evaluate((np.pi * (2.0 * strengths(scenario, 3) - 1.0))[None, :])[0]))


def sobol_g(scenario, _seed):
    return outcome(float(Sobol_G.evaluate(strengths(scenario, 8)[None, :])[0]))


def lucky(scenario, seed):
    """A linear outcome, 4 x1 + 2 x2, with luck of two kinds: one that all points share, and one of each point."""
    x = strengths(scenario, 2)
    shared = float(luck.normals(seed, "shared", (1,))[0])
    own = float(luck.normals(seed, f"own {x.tolist()}", (1,))[0])
    return outcome(10.0 + 4.0 * x[0] + 2.0 * x[1] + 0.5 * shared + 0.8 * own)


def crossing(scenario, seed):
    """One policy is better where an audit is weak, the other where it is strong; nothing else matters but a little luck."""
    x = strengths(scenario, 2)[0]
    help_ = scenario.name.rpartition("_")[2]
    gain = {"first": 1.0, "second": 2.0 * x}.get(help_, 0.0)
    return outcome(10.0 - gain + 0.01 * float(luck.normals(seed, "luck", (1,))[0]))


@pytest.fixture
def file(tmp_path, monkeypatch):
    """Write an experiment on some levers into an empty folder."""
    monkeypatch.chdir(tmp_path)

    def write(design: str, count: int, replications: int = 1, head: str = "", low: float = 0.0) -> Path:
        Path("base.toml").write_text(BASE.format(replications))
        for name in ("first", "second"):
            Path(f"{name}.toml").write_text(
                f'extends = "base.toml"\n[policies.friend_confirmation]\nstrength = {0.5 if name == "first" else 0.6}\n'
            )
        factors = "".join(f'[[factors]]\nkey = "{name}"\nlow = {low}\n' for name in LEVERS[:count])
        text = f'baseline = "base.toml"\noutcomes = ["stock_rented"]\n{head}\n[design]\n{design}\n{factors}'
        Path("mine.toml").write_text(text)
        return Path("mine.toml")

    return write


def column(done: Sensitivity, name: str) -> np.ndarray:
    return done.indices[name].to_numpy(dtype=np.float64)


def inside(done: Sensitivity, name: str, values: np.ndarray) -> np.ndarray:
    """Say which published indices lie in their intervals, which must be narrow enough to say something."""
    low, high = column(done, f"{name}_low"), column(done, f"{name}_high")
    assert (high - low).max() < 0.4
    return (low <= values) & (values <= high)


def test_ishigami_through_the_runner_has_its_published_indices(file):
    """First 0.314, 0.442, 0; total 0.558, 0.442, 0.244 (Ishigami & Homma 1990, with a = 7, b = 0.1)."""
    done = sensitivity(experiment(file('kind = "saltelli"\npoints = 512', 3), how=ishigami))
    assert inside(done, "first", np.array([0.3139, 0.4424, 0.0])).all()
    assert inside(done, "total", np.array([0.5576, 0.4424, 0.2437])).all()
    assert done.luck["luck_share"].isna().all()


def test_sobol_g_through_the_runner_has_its_published_indices(file):
    """Of sixteen 95 % intervals at least 14 must hold: over 60 seeds SALib's own hold 98 %, all 16 in 27 seeds and never fewer than 14."""
    a = np.array([0.0, 1.0, 4.5, 9.0, 99.0, 99.0, 99.0, 99.0])
    done = sensitivity(experiment(file('kind = "saltelli"\npoints = 256', 8), how=sobol_g))
    held = [inside(done, "first", Sobol_G.sensitivity_index(a)), inside(done, "total", Sobol_G.total_sensitivity_index(a))]
    assert np.sum(held) >= 14, held


def test_the_runner_changes_nothing_of_what_salib_finds(file):
    """What SALib says of a function that it calls itself, it says of one that went through files, runs and tables."""
    of_sobol = {"num_vars": 3, "names": list("abc"), "bounds": [[-np.pi, np.pi]] * 3}
    x = sobol_sample.sample(of_sobol, 64, calc_second_order=False, seed=5)
    direct = sobol_analyze.analyze(of_sobol, Ishigami.evaluate(x), calc_second_order=False, seed=1)
    done = sensitivity(experiment(file('kind = "saltelli"\npoints = 64\nseed = 5', 3), how=ishigami))
    assert column(done, "first") == pytest.approx(direct["S1"], abs=1e-4)  # values have six digits
    assert column(done, "total") == pytest.approx(direct["ST"], abs=1e-4)
    x = morris_sample.sample(of_sobol, 8, num_levels=4, seed=5)
    screened = morris_analyze.analyze(of_sobol, x, Ishigami.evaluate(x), num_levels=4, seed=1)
    done = sensitivity(experiment(file('kind = "morris"\ntrajectories = 8\nseed = 5', 3), how=ishigami))
    for name in ("mu_star", "sigma"):
        assert column(done, name) == pytest.approx(screened[name], abs=1e-3)
    assert column(done, "trend") == pytest.approx(screened["mu"], abs=1e-3)


def test_morris_of_a_known_function(file):
    """A linear factor has mu* of its slope and sigma 0; a product has a spread; what does nothing has neither."""

    def how(scenario, _seed):
        x = strengths(scenario, 4)
        return outcome(100.0 - 3.0 * x[0] + 2.0 * x[1] * x[2])

    done = sensitivity(experiment(file('kind = "morris"\ntrajectories = 12', 4), how=how))
    mu_star, sigma = column(done, "mu_star"), column(done, "sigma")
    assert mu_star[[0, 3]] == pytest.approx([3.0, 0.0], abs=1e-4)  # values have six digits
    assert sigma[[0, 3]] == pytest.approx([0.0, 0.0], abs=1e-4)
    assert (sigma[[1, 2]] > 0.3).all()
    assert column(done, "trend")[0] == pytest.approx(-3.0, abs=1e-4)
    for name in ("mu_star", "sigma", "trend"):
        assert (column(done, f"{name}_low") <= column(done, name) + 1e-12).all()
        assert (column(done, f"{name}_high") >= column(done, name) - 1e-12).all()
    assert "moved most by account audit (mu* 3, 3 to 3 accounts)" in done.answer[0]
    assert "hardly moved by ad takedown" in done.answer[0]


def test_luck_is_a_factor_beside_the_others(file):
    """Variances are 16/12 and 4/12 of factors, 0.25 of luck that all share and 0.64 of each point's own."""
    done = sensitivity(experiment(file('kind = "saltelli"\npoints = 128', 2, replications=12), how=lucky))
    row = done.luck.iloc[0]
    whole = 20.0 / 12.0 + 0.25 + 0.64
    assert row["variance_points"] == pytest.approx(20.0 / 12.0, rel=0.1)
    assert row["variance_both"] == pytest.approx(0.64, rel=0.1)
    assert row["luck_share_low"] < 0.89 / whole < row["luck_share_high"]
    of_run = column(done, "first_of_run").sum() + row["luck_share"]
    assert of_run == pytest.approx(1.0, abs=0.1)  # no interaction
    assert column(done, "total_of_run") == pytest.approx(np.array([16.0, 4.0]) / 12.0 / whole, abs=0.06)
    assert f"luck is {100 * row['luck_share']:.1f} %" in done.answer[0]


def test_components_of_variance_of_a_known_layout():
    m, n = 400, 60
    of_points, of_seeds = 2.0 * luck.normals(1, "points", (m,)), luck.normals(1, "seeds", (n,))
    values = of_points[:, None] + of_seeds[None, :] + 0.5 * luck.normals(1, "both", (m, n))
    found = variance(values)
    assert found.of_points == pytest.approx(4.0, rel=0.15)
    assert found.of_seeds == pytest.approx(1.0, rel=0.4)
    assert found.of_both == pytest.approx(0.25, rel=0.03)
    assert found.luck_low < 1.25 / 5.25 < found.luck_high


@pytest.mark.parametrize("kind", ["none", "points alone", "seeds alone"])
def test_components_of_variance_without_a_part(kind):
    values = np.full((6, 3), 0.1)
    if kind == "points alone":
        values += np.arange(6)[:, None] / 3.0
    if kind == "seeds alone":
        values += np.arange(3)[None, :] / 3.0
    found = variance(values)
    if kind == "none":
        assert found.total == 0.0
        assert np.isnan(found.luck_share)
    else:
        assert found.luck_share == pytest.approx(0.0 if kind == "points alone" else 1.0)
        assert found.luck_low <= found.luck_share <= found.luck_high


@pytest.mark.parametrize("slopes", [np.ones(12), 0.6 ** np.arange(12)])
def test_intervals_of_the_lucks_share_hold_it_on_trajectories_too(slopes):
    """Points of a trajectory are alike: taken for independent ones their intervals hold it in about 80 of 100 cases."""
    k, seeds = len(slopes), 4
    problem = {"num_vars": k, "names": list("abcdefghijkl"), "bounds": [[0.0, 1.0]] * k}
    of_points = float((slopes**2).sum()) * 5.0 / 36.0  # the variance of four levels from 0 to 1
    held = 0
    for trial in range(150):
        at_points = morris_sample.sample(problem, 10, num_levels=4, seed=trial) @ slopes
        own = luck.normals(trial, "own", (len(at_points), seeds)) * 0.7 * of_points**0.5
        found = variance(at_points[:, None] + own, together=k + 1)
        held += found.luck_low <= 0.49 / 1.49 <= found.luck_high
    assert held / 150 >= 0.90


def test_intervals_of_the_lucks_share_hold_it_as_often_as_they_say():
    held = 0
    for trial in range(200):
        parts = [luck.normals(trial, name, shape) for name, shape in (("p", (30, 1)), ("s", (1, 5)), ("b", (30, 5)))]
        found = variance(parts[0] + 0.5 * parts[1] + 0.7 * parts[2])
        held += found.luck_low <= (0.25 + 0.49) / (1.0 + 0.25 + 0.49) <= found.luck_high
    assert 0.90 <= held / 200 <= 0.99


def test_the_order_of_policies_is_a_quantity_too(file):
    done = sensitivity(
        experiment(file('kind = "morris"\ntrajectories = 10', 2, 2, 'scenarios = ["first.toml", "second.toml"]'), how=crossing)
    )
    rank = done.ranking.iloc[0]
    assert rank["ledger_order"] == "first > second"  # the ledger has no audit
    table = done.done.points
    strong = table[(table["policy"] == "base") & (table["point"] > 0)]["policies.account_audit.strength"] > 0.5
    assert rank["changed_share"] == pytest.approx(strong.mean())
    assert rank["changed_clear_share"] == pytest.approx(strong.mean())
    assert rank["best_share"] == pytest.approx(1.0 - strong.mean())
    of_order = done.indices[done.indices["subject"] == ORDER].set_index("factor")
    assert of_order.loc["policies.account_audit.strength", "mu_star"] > 0.5
    assert of_order.loc["policies.registration_audit.strength", "mu_star"] == 0.0
    effect = done.indices[(done.indices["subject"] == "second")].set_index("factor")
    assert effect.loc["policies.account_audit.strength", "trend"] == pytest.approx(-0.2, abs=0.01)  # of a baseline of 10
    said = "\n".join(done.answer)
    assert "By rented accounts, lowest first, the ledger's order is first > second; another one at" in said
    assert "What 'second' does to rented accounts: moved most by account audit" in said
    assert "luck cannot be told" not in said
    done = sensitivity(
        experiment(file('kind = "morris"\ntrajectories = 10', 2, 1, 'scenarios = ["first.toml", "second.toml"]'), how=crossing)
    )
    assert all(sentence.endswith("; with one replication a point, luck cannot be told.") for sentence in done.answer)


def test_two_policies_that_are_equal_everywhere_but_at_the_ledger_are_reversed_nowhere_beyond_chance(file):
    """Of 128 points with 95 % intervals, each by itself, some are always wrong."""

    def how(scenario, seed):
        own = float(luck.normals(seed, f"own {scenario.name}", (1,))[0])
        return outcome(10.0 + own - 20.0 * (scenario.name == "point_0_first"))

    path = file('kind = "sobol"\npoints = 128', 2, 8, 'scenarios = ["first.toml", "second.toml"]')
    done = experiment(path, how=how)
    rank = ranking(done, ["stock_rented"]).iloc[0]
    assert rank["changed_share"] == pytest.approx(0.5, abs=0.15)
    assert rank["changed_clear_share"] == 0.0
    values = cube(done, "stock_rented")
    alone = decomposed((values[:, :, 2] - values[:, :, 1])[:, :, None]).sides()[:, 0]
    assert alone[0] == 1
    assert (alone[1:] == -1).any()


def moved(*factors: tuple[str, float, float, float], beyond: float = np.nan) -> str:
    """Say what moves rented accounts, of factors with mu* and its interval, and the low end of what is beyond luck."""
    part = pd.DataFrame([(*factor, beyond, "stock_rented") for factor in factors])
    names = ["label", "mu_star", "mu_star_low", "mu_star_high", "mu_star_beyond_low", "outcome"]
    return _moved(part.set_axis(names, axis=1), "accounts")


def test_factors_that_do_nothing_are_not_said_to_move_it(file):
    """Luck that is left in means gives them a mu* and a total index whose intervals do not reach 0."""

    def how(scenario, seed):
        x = strengths(scenario, 3)
        return outcome(10.0 + x[0] + 0.45 * float(luck.normals(seed, f"own {x.tolist()}", (1,))[0]))

    names = ("registration audit", "unsealing strictness")
    done = sensitivity(experiment(file('kind = "saltelli"\npoints = 128', 3, 4), how=how))
    assert (column(done, "total_low") > 0.0).all()
    assert (column(done, "total_of_run_low")[1:] <= 0.0).all()
    said = done.answer[0].partition("; hardly moved by ")
    assert "moved most by account audit (total index" in said[0]
    assert not any(name in said[0] for name in names)
    done = sensitivity(experiment(file('kind = "morris"\ntrajectories = 12', 3, 4), how=how))
    assert (column(done, "mu_star_low") > 0.0).all()
    assert column(done, "mu_star_luck") == pytest.approx(np.full(3, 0.45 * (2.0 / 4.0 * 2.0 / np.pi) ** 0.5 * 1.5), rel=0.3)
    assert (column(done, "mu_star_beyond_low") > 0.0).tolist() == [True, False, False]
    said = done.answer[0].partition("; perhaps moved by ")
    assert "moved most by account audit (mu*" in said[0]
    assert not any(name in said[0] for name in names)
    assert said[2].startswith("registration audit (mu*")
    assert "), which may be luck alone" in said[2]


def test_luck_that_two_points_share_is_not_taken_off_their_difference(file):
    """Luck hangs on the first factor only, so that the second one's total index and mu* have none of it."""

    def how(scenario, seed):
        x = strengths(scenario, 2)
        return outcome(10.0 + 2.0 * x[1] + float(luck.normals(seed, f"own {x[0]}", (1,))[0]))

    done = sensitivity(experiment(file('kind = "saltelli"\npoints = 128', 2, 2), how=how))
    whole = 4.0 / 12.0 + 1.0
    assert column(done, "total_of_run") == pytest.approx(np.array([0.0, 4.0 / 12.0 / whole]), abs=0.1)
    assert column(done, "total_of_run_low")[0] < 0.0 < column(done, "total_of_run_low")[1]
    done = sensitivity(experiment(file('kind = "morris"', 2, 2), how=how))
    assert column(done, "mu_star_luck")[1] == pytest.approx(0.0, abs=1e-9)
    assert column(done, "mu_star_beyond_low")[1] == pytest.approx(2.0)


@pytest.mark.parametrize("high", [11, 12, 14])
def test_whole_days_are_analysed_where_they_were_simulated(file, high):
    """The day that a policy starts on moves an outcome that is that day by the days from one end of its range to the other."""

    def how(scenario, _seed):
        return outcome(float(scenario.policies["account_audit"].start_day))

    for kind in ('kind = "morris"', 'kind = "saltelli"\npoints = 32'):
        path = file(kind, 1)
        Path("base.toml").write_text(BASE.replace("days = 2", "days = 20", 1).format(1) + "[policies.account_audit]\nstrength = 0.5\n")
        days = f'key = "policies.account_audit.start_day"\nlow = 10\nhigh = {high}\n'
        path.write_text(path.read_text().replace('key = "account_audit"\nlow = 0.0\n', days))
        done = sensitivity(experiment(path, how=how))
        assert column(done, "trend") == pytest.approx(high - 10.0)
        if "morris" in kind:
            assert column(done, "mu_star") == pytest.approx(high - 10.0)
            assert column(done, "sigma") == pytest.approx(0.0, abs=1e-9)


def test_steps_over_which_a_factor_stays_where_it_is_are_refused(file):
    path = file('kind = "morris"\nlevels = 100', 1)
    Path("base.toml").write_text(BASE.format(1) + "[policies.account_audit]\nstrength = 0.5\n")
    days = 'key = "policies.account_audit.start_day"\nlow = 10\nhigh = 11\nlog = true\n'
    path.write_text(path.read_text().replace('key = "account_audit"\nlow = 0.0\n', days))
    with pytest.raises(ScenarioError, match=r"has a step over which policies\.account_audit\.start_day stays where it is: widen its range"):
        experiment(path, how=lucky)


def test_factors_whose_intervals_reach_0_are_not_said_to_move_it():
    found = moved(("x", 10.0, 0.0, 27.1), ("y", 10.0, 0.0, 28.2), ("z", 10.0, 0.0, 27.4), ("w", 10.0, 0.0, 25.0), ("v", 0.0, 0.0, 0.0))
    each = "x (mu* 10, 0 to 27.1 accounts), y (mu* 10, 0 to 28.2 accounts), z (mu* 10, 0 to 27.4 accounts) and 1 more"
    assert found == f"no factor is known to move it; perhaps moved by {each}, whose intervals reach 0; hardly moved by v"
    assert moved(("x", 9.0, 0.0, 20.0), ("y", 5.0, 4.0, 6.0)) == (
        "moved beyond chance by y (mu* 5, 4 to 6 accounts); perhaps moved by x (mu* 9, 0 to 20 accounts), whose interval reaches 0"
    )


def test_factors_that_luck_may_move_alone_are_told_so():
    found = moved(("x", 10.0, 7.0, 13.0), beyond=-1.0)
    assert found == "no factor is known to move it; perhaps moved by x (mu* 10, 7 to 13 accounts), which may be luck alone"
    assert moved(("x", 10.0, 7.0, 13.0), beyond=1.0) == "moved most by x (mu* 10, 7 to 13 accounts)"


def test_an_order_of_factors_that_is_not_known_is_not_told():
    assert moved(("x", 9.0, 8.0, 10.0), ("y", 5.0, 4.0, 6.0)) == "moved most by x (mu* 9, 8 to 10 accounts) and y (mu* 5, 4 to 6 accounts)"
    assert moved(("x", 6.0, 4.0, 8.0), ("y", 5.0, 4.0, 6.0)).endswith("y (mu* 5, 4 to 6 accounts), in what order chance leaves open")
    wide = moved(("x", 9.0, 8.0, 10.0), ("y", 7.5, 4.0, 11.0))
    assert wide.endswith("in what order chance leaves open"), "the second one's interval counts too"
    third = moved(("x", 9.0, 8.0, 10.0), ("y", 5.0, 4.0, 6.0), ("z", 4.9, 0.1, 9.7))
    assert third.endswith("in what order chance leaves open")
    tied = moved(*((name, 3.0, 2.0, 4.0) for name in "abcd"))
    assert tied.endswith("c (mu* 3, 2 to 4 accounts) and 1 more, in equal measure")


def test_what_never_changes_has_no_index_and_is_told(file):
    done = sensitivity(experiment(file('kind = "saltelli"\npoints = 8', 2, 2), how=lambda _scenario, _seed: outcome(3.0)))
    assert done.indices["first"].isna().all()
    assert "no factor moves it; it does not vary" in done.answer[0]
    for draw in done.figures().values():
        assert isinstance(draw(), Figure)


def test_figures_draw_on_given_axes_and_in_new_figures(file):
    done = sensitivity(
        experiment(file('kind = "morris"\ntrajectories = 6', 2, 2, 'scenarios = ["first.toml", "second.toml"]'), how=crossing)
    )
    figures = {name: draw() for name, draw in done.figures().items()}
    assert set(figures) == {"sensitivity_stock_rented", "tornado_stock_rented"}
    titles = [ax.get_title(loc="left") for ax in figures["tornado_stock_rented"].axes]
    assert titles[:4] == ["Standing regime", "Effect of: First", "Effect of: Second", "Order of policies"]
    part, row = done.indices[done.indices["subject"] == "base"], done.luck.iloc[0].to_dict()
    ax = Figure().subplots()
    assert bars(ax, part, row) is ax
    assert [label.get_text() for label in ax.get_yticklabels()] == ["account audit", "registration audit", "another seed"]
    ax = Figure().subplots()
    assert tornado(ax, part, row) is ax
    assert ax.get_xlabel() == "accounts"


def test_another_design_and_failed_runs_are_refused(file):
    with pytest.raises(ScenarioError, match="it must be morris"):
        sensitivity(experiment(file('kind = "factorial"', 2), how=lucky))

    def fails(scenario, seed):
        raise ZeroDivisionError

    with pytest.raises(ScenarioError, match=r"\d runs failed, and an analysis needs every point"):
        sensitivity(experiment(file('kind = "morris"\ntrajectories = 3', 2), how=fails))


def test_command_writes_tables_and_figures_and_goes_on(file, monkeypatch, capsys):
    monkeypatch.setattr("sim.jobs.simulate", lucky)
    path = file('kind = "morris"\ntrajectories = 3', 2, replications=2)
    assert main(["sensitivity", str(path), "--workers", "1"]) == 0
    out = Path("results") / "mine"
    assert "Rented accounts under 'Standing regime': moved most by" in capsys.readouterr().out
    assert {file.name for file in out.glob("*.csv")} == {"points.csv", "sensitivity.csv", "luck.csv"}
    assert len(pd.read_csv(out / "sensitivity.csv")) == 2
    assert {file.name for file in (out / "figures").glob("*.png")} == {"sensitivity_stock_rented.png", "tornado_stock_rented.png"}
    assert main(["experiment", str(path), "--workers", "1", "--replications", "3", "-q"]) == 0
    assert {file.name for file in out.glob("*.csv")} == {"points.csv"}  # the analysis is out of date
    assert not list((out / "figures").iterdir())


def test_command_refuses_another_design_and_a_missing_extra(file, monkeypatch, capsys):
    assert main(["sensitivity", str(file('kind = "factorial"', 2))]) == 2
    assert 'design.kind = "factorial": is no design for `abm sensitivity`; it must be morris' in capsys.readouterr().err

    def missing(_name):
        raise ImportError

    monkeypatch.setattr(points, "import_module", missing)
    assert main(["sensitivity", str(file('kind = "morris"', 2))]) == 2
    message = capsys.readouterr().err
    assert "pip install 'abm[analysis]'" in message
    assert len(message.splitlines()) == 1
    assert not Path("results").exists()


def test_a_failed_run_makes_exit_code_1_and_no_analysis(file, monkeypatch, capsys):
    def fails(scenario, seed):
        raise ZeroDivisionError("no luck")

    monkeypatch.setattr("sim.jobs.simulate", fails)
    assert main(["sensitivity", str(file('kind = "morris"\ntrajectories = 3', 2)), "--workers", "1"]) == 1
    assert "an analysis needs every point" in capsys.readouterr().err
    assert not (Path("results") / "mine" / "sensitivity.csv").exists()
