"""In which worlds a policy fails: EMA's own example, worlds with a known box, what chance leaves open, faults, figures, command."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import sim
from sim import luck
from sim.cli import main
from sim.discovery import boxes
from sim.discovery.boxes import FEWEST, SIGNIFICANT, balance, find_boxes, found_again, quasi_p_values, significant, within
from sim.discovery.discovery import Discovery
from sim.discovery.verdicts import changes
from sim.exploring.carrying import experiment
from sim.exploring.file import load_exploration
from sim.exploring.rule import Condition, Rule
from sim.faults import ScenarioError
from sim.outcomes import OUTCOMES, window_means
from sim.plots.discovery import box_limits, peeling, scatter

if find_spec("ema_workbench") is None:
    pytest.skip("ema_workbench is not installed", allow_module_level=True)

ROOT = Path(__file__).parents[2]
BASE = 'name = "base"\ntitle = "Standing regime"\n[run]\ndays = 2\nburn_in_days = 0\nsettle_days = 0\nreplications = {}\n'
LEVERS = ("account_audit", "registration_audit", "unsealing_strictness", "ad_takedown")
RULE = '[fails]\n[[fails.conditions]]\noutcome = "expected_harm_yuan"\nat_least = -0.1\n'


def strengths(scenario, count=4):
    """Return the values of the first factors, `(count,)`: the strengths of levers, 0 to 1."""
    found = scenario.policies
    return np.array([found[name].strength if name in found else scenario.levers[name] for name in LEVERS[:count]])


def outcome(value, days=2):
    daily = dict.fromkeys(OUTCOMES, np.full(days, value))
    return daily, window_means(daily, 0, days), 0.0


def helps(scenario):
    return "friend_confirmation" in scenario.policies


def in_a_corner(scenario, seed):
    """The policy cuts everything by half but where the first lever is below .45 and the second above .4; a little luck hides nothing."""
    x = strengths(scenario)
    factor = (1.0 if x[0] < 0.45 and x[1] > 0.4 else 0.5) if helps(scenario) else 1.0
    own = float(luck.normals(seed, f"own {scenario.name}", (1,))[0])
    return outcome(100.0 * factor + 0.1 * own)


@pytest.fixture
def file(tmp_path, monkeypatch):
    """Write an experiment on some levers, with a policy and a rule, into an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "400")

    def write(rule: str = RULE, design: str = 'kind = "sobol"\npoints = 64', replications: int = 2, policies=("help",)) -> Path:
        Path("base.toml").write_text(BASE.format(replications))
        for name in policies:
            Path(f"{name}.toml").write_text(
                'extends = "base.toml"\ntitle = "Helping hand"\n[policies.friend_confirmation]\nstrength = 0.5\n'
            )
        factors = "".join(f'[[factors]]\nkey = "{name}"\nlow = 0.0\n' for name in LEVERS)
        names = ", ".join(f'"{name}.toml"' for name in policies)
        head = f'baseline = "base.toml"\nscenarios = [{names}]\noutcomes = ["stock_rented"]\n'
        Path("mine.toml").write_text(f"{head}[design]\n{design}\n{rule}{factors}")
        return Path("mine.toml")

    return write


@pytest.fixture(autouse=True)
def few_draws(monkeypatch):
    monkeypatch.setattr(boxes, "RESAMPLES", 4)


@pytest.fixture(scope="module")
def bryant():
    """The worlds of Bryant & Lempert (2010), which the EMA workbench ships and finds boxes in as its example of PRIM."""
    prim = boxes.ema()
    table = pd.read_csv(Path(prim.__file__).parents[1] / "examples" / "data" / "bryant et al 2010 data.csv", index_col=False)
    return table.iloc[:, 2:11], table.iloc[:, 15].to_numpy(dtype=bool)


def test_the_box_of_emas_example_is_emas(bryant):
    """Trajectory, limits, quasi-p values, coverage and density are those of `sd_prim_bryant_and_lempert.py`, called directly.

    What is no accident is left of the limits of a step; EMA drops the others, here that on cellulosic cost, to the same box.
    """
    worlds, failed = bryant
    with boxes._calm():
        direct = boxes.ema().Prim(worlds, failed.astype(int), threshold=0.8, peel_alpha=0.1).find_box()
    ours = find_boxes(worlds, failed, peel=0.1)[0]
    for name, of in (("coverage", "coverage"), ("density", "density"), ("mass", "mass"), ("restricted", "res_dim")):
        assert ours.path[name].tolist() == direct.peeling_trajectory[of].tolist()
    assert 20 <= ours.step <= 23  # the example looks at 21
    dropped = [name for name in direct.qp[ours.step] if name not in ours.limits]
    assert dropped == ["Cellulosic cost"]
    assert max(direct.qp[ours.step]["Cellulosic cost"]) > SIGNIFICANT
    with boxes._calm():
        direct.drop_restriction("Cellulosic cost", ours.step)
    assert (ours.coverage, ours.density) == tuple(direct.peeling_trajectory.iloc[-1][["coverage", "density"]])
    assert ours.quasi_p.keys() == direct.qp[-1].keys() == {"Total biomass", "Demand elasticity", "Biomass backstop price"}
    for name, ps in direct.qp[-1].items():
        for k, p in enumerate(ps):
            assert ours.quasi_p[name][k] == p if p >= 0.0 else np.isnan(ours.quasi_p[name][k])
            assert ours.limits[name][k] == direct.box_lims[-1].loc[k, name] if p >= 0.0 else np.isinf(ours.limits[name][k])


def test_coverage_density_and_quasi_p_are_what_they_are_said_to_be(bryant):
    """Counted from the limits alone, without EMA."""
    from scipy.stats import binomtest

    worlds, failed = bryant
    box = find_boxes(worlds, failed, peel=0.1)[0]
    inside = within(worlds, box.limits)
    assert inside.tolist() == box.inside.tolist()
    hit, n = int((inside & failed).sum()), int(inside.sum())
    assert (box.coverage, box.density, box.mass) == pytest.approx((hit / failed.sum(), hit / n, n / len(worlds)))
    for name, ps in box.quasi_p.items():
        k = int(np.isnan(ps[0]))
        ends = [*box.limits[name]]
        ends[k] = (-np.inf, np.inf)[k]
        loose = within(worlds, {**box.limits, name: (ends[0], ends[1])})
        assert ps[k] == pytest.approx(binomtest(hit, n, float(failed[loose].mean()), alternative="greater").pvalue)


def test_a_known_box_is_found_and_nothing_else(file, monkeypatch):
    monkeypatch.setattr(boxes, "RESAMPLES", 20)
    done = sim.discover(experiment(file(design='kind = "sobol"\npoints = 128'), how=in_a_corner))
    part = done.boxes[done.boxes["restricted"]].set_index("factor")
    assert list(part.index) == ["policies.account_audit.strength", "policies.registration_audit.strength"]
    assert part["high"].iloc[0] == pytest.approx(0.45, abs=0.03)
    assert part["low"].iloc[1] == pytest.approx(0.4, abs=0.03)
    assert (part["low"].iloc[0], part["high"].iloc[1]) == (0.0, 1.0)
    assert (part[["coverage", "density"]] > 0.95).all(axis=None)
    assert part["unseen_density"].iloc[0] > 0.85
    assert (part["reproduced"] > 0.95).all()
    rest = done.boxes[~done.boxes["restricted"]]
    assert (rest["reproduced"] < 0.5).all()
    worlds = done.worlds[done.worlds["world"] > 0]
    corner = (worlds["policies.account_audit.strength"] < 0.45) & (worlds["policies.registration_audit.strength"] > 0.4)
    assert worlds["failed"].tolist() == corner.tolist()
    assert len(worlds) == 128
    assert not done.worlds["uncertain"].any()
    said = "\n".join(done.answer)
    share = f"{100 * corner.mean():.0f} %"
    assert f"'Helping hand' fails in {share}" in said
    assert "(expected harm down by at most 10 % or up); in the ledger's own world it does not." in said
    assert "The 95 % interval of no world reaches a limit of the rule." in said
    assert "% of the failing worlds have account audit below 0.4" in said
    assert "and registration audit above 0.4" in said or "and registration audit above 0.3" in said


def test_two_corners_make_two_boxes():
    points = luck.uniforms(3, "worlds", (400, 4))
    worlds = pd.DataFrame(points, columns=list("abcd"))
    failed = ((points[:, 0] < 0.4) & (points[:, 1] < 0.4)) | ((points[:, 0] > 0.7) & (points[:, 2] > 0.6))
    found = find_boxes(worlds, failed)
    assert [set(box.limits) for box in found] in ([{"a", "b"}, {"a", "c"}], [{"a", "c"}, {"a", "b"}])
    assert not (found[0].inside & found[1].inside).any()
    assert sum(box.coverage for box in found) > 0.85
    assert all(box.density > 0.85 for box in found)


def test_worlds_that_fail_by_accident_have_no_box_that_holds_elsewhere():
    """What is fitted to noise is not found again, and in worlds that were not drawn it is about as dense as all worlds."""
    for seed in range(3):
        worlds = pd.DataFrame(luck.uniforms(seed, "worlds", (200, 6)), columns=list("abcdef"))
        failed = luck.uniforms(seed, "failed", (200,)) < 0.25
        again = found_again(worlds, failed, 1)
        assert again.found < 0.7
        assert max(again.factors.values()) <= again.found
        assert again.unseen_coverage <= 1.5 * again.found, "a draw without a box catches nothing, not all worlds"
        assert not again.unseen_density > failed.mean() + 0.15


def test_draws_are_the_same_each_time_and_search_as_the_box_was_found(bryant):
    worlds, failed = bryant
    few = worlds[::3].reset_index(drop=True), failed[::3]
    found = [found_again(*few, seed, peel=0.1) for seed in (1, 1, 2)]
    assert found[0] == found[1] != found[2]
    order = sorted(found[0].factors, key=lambda name: -found[0].factors[name])
    assert set(order[: len(find_boxes(*few, peel=0.1)[0].limits)]) >= {"Total biomass", "Demand elasticity"}
    assert found[0].found == 1.0


def test_a_draw_in_which_too_few_worlds_fail_has_no_box(monkeypatch):
    """Each draw is searched as its worlds would be by themselves, so that the share of draws with a box is that of `find_boxes`."""
    monkeypatch.setattr(boxes, "RESAMPLES", 20)
    points = luck.uniforms(5, "worlds", (200, 3))
    worlds, failed = pd.DataFrame(points, columns=list("abc")), points[:, 0] < np.sort(points[:, 0])[10]
    assert failed.sum() == FEWEST
    drawn = (luck.uniforms(1, "bootstrap of worlds", (20, 200)) * 200).astype(int)
    same = [bool(find_boxes(worlds.iloc[rows].reset_index(drop=True), failed[rows])) for rows in drawn]
    again = found_again(worlds, failed, 1)
    assert again.found == again.factors["a"] == np.mean(same) < 0.8


def test_a_second_box_is_found_again_as_it_was_looked_for():
    """It must be as dense as all worlds, not as those that are left, and as large a part of all."""
    points = luck.uniforms(5, "worlds", (200, 3))
    worlds, failed = pd.DataFrame(points, columns=list("abc")), points[:, 0] < 0.15
    assert found_again(worlds, failed, 1).found == 1.0
    denser, larger = np.append(failed, np.ones(10 * len(failed), dtype=bool)), np.append(failed, np.zeros(20 * len(failed), dtype=bool))
    assert found_again(worlds, luck.uniforms(5, "failed", (200,)) < 0.3, 1, among=denser).found == 0.0
    assert found_again(worlds, failed, 1, among=larger).found == 0.0


def test_limits_that_may_be_accidents_are_dropped_and_balance_weighs_coverage_and_density():
    points = np.array([[k / 40.0, (k * 7 % 40) / 40.0] for k in range(40)])
    failed = points[:, 0] < 0.3
    whole = np.array([[0.0, 0.0], [1.0, 1.0]])
    limits = np.array([[0.0, 0.05], [0.29, 1.0]])
    p = quasi_p_values(points, failed, limits, whole)
    assert p[1, 0] < 1e-4
    assert p[0, 1] == pytest.approx(1.0)
    assert np.isnan(p[0, 0])
    assert significant(points, failed, limits, whole).tolist() == [[0.0, 0.0], [0.29, 1.0]]
    assert balance(points, failed, np.array([[0.0, 0.0], [0.29, 1.0]])) == 1.0
    assert balance(points, failed, whole) == pytest.approx(2.0 * 0.3 / 1.3)  # coverage 1, density .3


def test_changes_are_shares_of_the_baseline_with_intervals():
    base = np.array([[10.0, 12.0], [10.0, 10.0], [0.0, 0.0], [0.0, 0.0], [-4.0, -4.0]])
    policy = np.array([[5.0, 6.0], [12.0, 14.0], [0.0, 0.0], [0.0, 2.0], [-2.0, -2.0]])
    change, low, high = changes(base, policy)
    assert change.tolist() == [-0.5, pytest.approx(0.3), 0.0, np.inf, 0.5]
    assert low[0] <= -0.5 <= high[0]
    assert high[1] - low[1] == pytest.approx(2.0 * 3.182446 * (0.02 / 3.0 / 2.0) ** 0.5)  # variances .02, 0 and 0, pooled
    assert (low[2], high[2], low[3], high[3]) == (0.0, 0.0, -np.inf, np.inf)
    assert np.isnan(changes(base[:, :1], policy[:, :1])[1][0])


def test_a_rule_takes_any_condition_or_all():
    down, up = Condition("expected_harm_yuan", -0.1, upwards=True), Condition("stock_rented", 0.5, upwards=False)
    change = {"expected_harm_yuan": np.array([-0.2, -0.1, 0.3]), "stock_rented": np.array([0.6, 0.6, 0.5])}
    for when, fails in (("any", [False, True, True]), ("all", [False, False, True])):
        assert Rule((down, up), when).fails(lambda one: change[one.outcome]).tolist() == fails
    assert Rule((down, up)).in_words == "expected harm down by at most 10 % or up or rented accounts up by at most 50 % or down"
    assert Condition("stock_rented", 0.0, upwards=True).in_words == "rented accounts not down"
    assert Condition("stock_rented", 1.0, upwards=True).in_words == "rented accounts up by at least 100 %"
    assert Condition("stock_rented", -0.2, upwards=False).in_words == "rented accounts down by at least 20 %"


def test_verdicts_that_chance_leaves_open_are_told(file):
    """A change that luck takes to either side of the limit is open, one far off is not; with one seed nobody knows."""

    def how(scenario, seed):
        x = strengths(scenario)[0]
        own = float(luck.normals(seed, f"own {scenario.name}", (1,))[0])
        return outcome(100.0 * (1.0 - x * helps(scenario)) + 2.0 * own)

    done = sim.discover(experiment(file(replications=3), how=how))
    worlds = done.worlds[done.worlds["world"] > 0]
    near = (worlds["policies.account_audit.strength"] - 0.1).abs()
    assert worlds["uncertain"][near > 0.1].sum() == 0
    assert worlds["uncertain"][near < 0.02].all()
    assert f"Chance leaves the verdict open in {100 * worlds['uncertain'].mean():.0f} %" in done.answer[0]
    alone = sim.discover(experiment(file(replications=1), how=how))
    assert alone.worlds["uncertain"].isna().all()
    assert "With one seed a world it is not known" in alone.answer[0]


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        (0.0, "fails in none of the 32 worlds tried"),
        (-0.999, "fails in all of the 32 worlds tried"),
        (-0.1, f"too few to say what they have in common (it takes {FEWEST} of each)"),
    ],
)
def test_where_there_is_nothing_to_describe_it_is_told_plainly(file, limit, words):
    def how(scenario, _seed):
        return outcome(100.0 * (1.0 - (0.01 + 0.98 * strengths(scenario)[0]) * helps(scenario)))

    done = sim.discover(experiment(file(RULE.replace("-0.1", str(limit)), 'kind = "sobol"\npoints = 32'), how=how))
    assert words in "\n".join(done.answer)
    assert done.boxes.empty
    assert not done.figures()


@pytest.mark.parametrize(("limit", "share"), [(0.0, "none"), (-0.999, "all"), (-0.1, "12 %")])
def test_worlds_that_somebody_picked_stand_for_no_others(file, limit, share):
    """No interval and no confidence, which belong to samples."""

    def how(scenario, _seed):
        return outcome(100.0 * (1.0 - (0.01 + 0.98 * strengths(scenario)[0]) * helps(scenario)))

    path = file(RULE.replace("-0.1", str(limit)), 'kind = "table"\nfile = "mine.csv"')
    Path("mine.csv").write_text("account_audit\n" + "".join(f"{0.02 + 0.03 * k}\n" for k in range(25)))
    path.write_text(path.read_text().partition("[[factors]]")[0])
    said = "\n".join(sim.discover(experiment(path, how=how)).answer)
    assert f"'Helping hand' fails in {share} of the 25 worlds tried (expected harm" in said
    assert "confidence" not in said
    assert ("how the policy does in others is not known" in said) == (share in {"none", "all"})


def test_members_of_the_set_of_parameter_vectors_are_worlds(file):
    def how(scenario, _seed):
        return outcome(100.0 * (scenario.parameters.get("market", {}).get("demand_elasticity", 0.9) if helps(scenario) else 1.0))

    path = file(design='kind = "plausible"')
    path.write_text(path.read_text().partition("[[factors]]")[0])
    done = sim.discover(experiment(path, how=how))
    worlds = done.worlds[done.worlds["world"] > 0]
    assert len(worlds) == 20
    assert worlds["failed"].tolist() == (worlds["parameters.market.demand_elasticity"] >= 0.9).tolist()


def test_faults_of_a_rule_are_told_at_once(file):
    rule = (
        '[fails]\nwhen = "some"\n[[fails.conditions]]\noutcome = "expected_harm"\nat_least = 0.1\n'
        '[[fails.conditions]]\noutcome = "stock_rented"\n'
        '[[fails.conditions]]\noutcome = "stock_rented"\nat_least = 0.1\nat_most = 0.2\n'
        '[[fails.conditions]]\noutcome = "stock_rented"\nat_most = -2.0\n'
    )
    with pytest.raises(ScenarioError) as told:
        load_exploration(file(rule))
    message = str(told.value)
    for words in (
        'fails.when = "some": must be one of any, all',
        '[[fails.conditions]] 1: outcome = "expected_harm": did you mean "expected_harm_yuan"?',
        "[[fails.conditions]] 2: at_least: is missing, or at_most; a condition has one limit",
        "[[fails.conditions]] 3: at_least = 0.1: does not go with at_most",
        "[[fails.conditions]] 4: at_most = -2.0: must be a number from -1",
    ):
        assert words in message, message
    for empty in ("[fails]\n", "[fails]\nconditions = []\n", "fails = 1\n"):
        with pytest.raises(ScenarioError, match="must be a"):
            load_exploration(file(empty) if empty != "fails = 1\n" else _first(file(""), empty))


def _first(path, line):
    path.write_text(line + path.read_text())
    return path


def test_command_refuses_what_it_cannot_answer_and_writes_nothing(file, capsys, monkeypatch):
    assert main(["discover", str(file("", 'kind = "factorial"', policies=()))]) == 2
    message = capsys.readouterr().err
    for words in ("fails: is missing", "scenarios = []: must be one policy", 'design.kind = "factorial": does not spread worlds'):
        assert words in message

    def missing(_name):
        raise ImportError

    monkeypatch.setattr(boxes, "import_module", missing)
    assert main(["discover", str(file())]) == 2
    message = capsys.readouterr().err
    assert "pip install 'abm[analysis]'" in message
    assert len(message.splitlines()) == 1
    assert not Path("results").exists()


def test_a_failed_run_makes_exit_code_1_and_no_verdict(file, monkeypatch, capsys):
    def fails(scenario, seed):
        raise ZeroDivisionError("no luck")

    path = file(design='kind = "latin_hypercube"\npoints = 4')
    monkeypatch.setattr("sim.jobs.simulate", fails)
    assert main(["discover", str(path), "--workers", "1"]) == 1
    assert "an analysis needs every point" in capsys.readouterr().err
    assert not (Path("results") / "mine" / "worlds.csv").exists()
    with pytest.raises(ScenarioError, match="runs failed, and an analysis needs every point"):
        sim.discover(experiment(path, how=fails))


def test_command_writes_tables_and_figures_and_another_command_takes_them_away(file, monkeypatch, capsys):
    monkeypatch.setattr("sim.jobs.simulate", in_a_corner)
    path = file()
    assert main(["discover", str(path), "--workers", "1"]) == 0
    out = Path("results") / "mine"
    assert "'Helping hand' fails in" in capsys.readouterr().out
    assert {file.name for file in out.glob("*.csv")} == {"points.csv", "worlds.csv", "boxes.csv", "peeling.csv"}
    assert {file.name for file in (out / "figures").iterdir()} == {"discovery_box_1.png", "discovery_box_1.svg"}
    table = pd.read_csv(out / "worlds.csv")
    assert len(table) == 65
    assert {"failed", "uncertain", "box", "expected_harm_yuan_change", "expected_harm_yuan_change_low"} <= set(table)
    assert main(["experiment", str(path), "--workers", "1", "-q"]) == 0
    assert {file.name for file in out.glob("*.csv")} == {"points.csv"}
    assert not list((out / "figures").iterdir())


def test_figures_draw_on_given_axes_and_in_new_figures(file):
    done = sim.discover(experiment(file(), how=in_a_corner))
    assert isinstance(done, Discovery)
    figure = done.figures()["discovery_box_1"]()
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["Limits of the box", "Worlds tried", "Peeling, and what it is worth"]
    ax = Figure().subplots()
    assert box_limits(ax, done.boxes) is ax
    assert [text.get_text() for text in ax.get_yticklabels()][:2] == ["account audit (strength)", "registration audit\n(strength)"]
    ax = Figure().subplots()
    assert scatter(ax, done.worlds[done.worlds["world"] > 0], done.boxes) is ax
    assert sum(len(line.get_xdata()) for line in ax.lines) == 64
    ax = Figure().subplots()
    assert peeling(ax, done.peeling, done.boxes) is ax


@pytest.mark.parametrize("name", ["combined_discovery"])
def test_shipped_files_can_be_asked(name):
    from sim.discovery.discovery import check_rule

    asked = load_exploration(ROOT / "scenarios" / "experiments" / f"{name}.toml")
    assert check_rule(asked).outcomes == ("expected_harm_yuan",)
