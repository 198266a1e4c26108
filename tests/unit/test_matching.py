"""History matching: formulas by hand, designs in range, runs kept, the set as promised. A stand-in replaces the simulation."""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sim.cli import main
from sim.faults import ScenarioError
from sim.jobs import MOST_SEED
from sim.matching import RunsFailedError, TooFewError, calibrate, load_plausible, posterior, tables
from sim.matching.design import Space, hypercube, spread
from sim.matching.emulator import FEWEST, Emulators, Prediction, implausibility
from sim.matching.recovery import Recovery
from sim.matching.region import Region, Share
from sim.matching.targets import Target, read_problem
from sim.matching.waves import STRIDE, inside, scaled
from sim.outcomes import OUTCOMES
from sim.parameters import LEDGER
from sim.scenario import scenario_from
from sim.store import MEANS, Results, Store, StoreError

PROBLEM = read_problem()
SPACE = Space(PROBLEM.parameters)

BASELINE = Path(__file__).parents[2] / "scenarios" / "baseline.toml"
TOY = (Path(__file__).parents[1] / "matching" / "toy.toml").read_text(encoding="utf-8")


class Toy:
    """A stand-in for the simulation: smooth functions of three parameters plus a little luck; counts its calls, fails when told to."""

    def __init__(self, fails=lambda _seed: False, stops_after: int | None = None) -> None:
        self.calls: list[int] = []
        self.fails, self.stops_after = fails, stops_after

    def __call__(self, scenario, seed):
        if self.stops_after is not None and len(self.calls) >= self.stops_after:
            raise KeyboardInterrupt
        self.calls.append(seed)
        if self.fails(seed):
            raise ArithmeticError("no market")
        given = {f"{group}.{name}": value for group, table in scenario.parameters.items() for name, value in table.items()}
        u = Space(("market.demand_elasticity", "dealer.choice_weight", "account.quality_rented")).point(given)
        luck = 0.01 * math.sin(12.9898 * seed)
        means = dict.fromkeys(MEANS, 0.0)
        means["price_yuan"] = 1.0 + 2.0 * u[0] + 0.5 * u[1] ** 2 + luck
        means["commission_yuan"] = math.exp(1.5 * u[1] + 0.2 * u[0] + luck)
        means["utilisation_share"] = u[2]
        return {name: np.zeros(2) for name in OUTCOMES}, means, 0.0


@pytest.fixture
def toy_file(tmp_path):
    path = tmp_path / "toy.toml"
    path.write_text(TOY)
    return path


SMALL = {"waves": 2, "points": 16, "members": 6}
SCENARIO = scenario_from({"name": "small", "population": {"users": 1_000_000}}, "small")


def target(low, high, scale="linear", hard=True, quantity="price_yuan"):
    return Target("t", quantity, low, high, hard, scale, "test")


@pytest.mark.parametrize(
    ("scale", "low", "high", "middle", "tolerance"),
    [
        ("linear", 4.0, 10.0, 7.0, 1.0),
        ("log", 10.0, 40.0, math.log(20.0), math.log(2.0) / 3.0),
        ("share", 0.0, 1.0, math.pi / 4.0, math.pi / 12.0),
    ],
)
def test_the_ends_of_a_range_are_three_tolerances_from_its_middle(scale, low, high, middle, tolerance):
    made = target(low, high, scale)
    assert made.middle == pytest.approx(middle)
    assert made.tolerance == pytest.approx(tolerance)
    assert np.abs(made.scaled(np.array([low, high])) - made.middle) / made.tolerance == pytest.approx([3.0, 3.0])
    assert made.inside(np.array([low, high, math.nan, 2 * high])).tolist() == [True, True, False, False]


def test_a_market_that_has_gone_is_far_off_and_not_infinitely():
    assert target(10.0, 40.0, "log").scaled(0.0) == pytest.approx(math.log(0.1))
    assert np.isnan(scaled(np.array([[math.nan], [math.inf]]), [target(10.0, 40.0, "log")])).all()


def test_implausibility_is_distance_over_all_that_is_not_known():
    said = Prediction(np.array([[7.0, 1.0]]), np.array([[9.0, 0.0]]), np.array([[4.0, 0.25]]))
    found = implausibility(said, np.array([21.0, 2.0]), np.array([6.0, 0.0]))
    assert found == pytest.approx(np.array([[14.0 / math.sqrt(9.0 + 4.0 + 36.0), 2.0]]))


def test_points_have_values_in_the_ledgers_ranges_rounded():
    cloud = hypercube(SPACE.size, 64, 3)
    ends = np.array([np.zeros(SPACE.size), np.ones(SPACE.size)])
    for point in np.concatenate([cloud, ends]):
        for name, value in SPACE.values(point).items():
            entry = LEDGER[name.split(".")[0]][name.split(".")[1]]
            assert entry.low <= value <= entry.high
            assert value == float(f"{value:.6g}")
    assert np.abs(SPACE.settled(cloud) - cloud).max() < 1e-5
    assert SPACE.values(SPACE.centre) == {name: LEDGER[name.split(".")[0]][name.split(".")[1]].value for name in SPACE.names}
    assert SPACE.distance(SPACE.centre) == pytest.approx([0.0])


def test_a_wide_range_is_searched_on_a_log_scale():
    space = Space(("registration.sim_cost_yuan", "market.demand_elasticity"))
    assert space.logs == (True, False)
    assert space.values(np.array([0.5, 0.5])) == pytest.approx(
        {"registration.sim_cost_yuan": math.sqrt(0.6 * 12.0), "market.demand_elasticity": 0.95}, rel=1e-5
    )


def test_a_hypercube_has_one_point_in_each_layer_and_is_always_the_same():
    cube = hypercube(5, 20, 7)
    assert (np.sort((cube * 20).astype(int), axis=0) == np.arange(20)[:, None]).all()
    assert np.array_equal(cube, hypercube(5, 20, 7))
    assert not np.array_equal(cube, hypercube(5, 20, 8))


def test_chosen_points_are_far_from_each_other_and_from_those_taken():
    line = np.linspace(0.0, 1.0, 101)[:, None]
    assert line[spread(line, 3), 0].tolist() == pytest.approx([0.5, 0.0, 1.0])
    assert line[spread(line, 2, np.array([[0.0]])), 0].tolist() == pytest.approx([1.0, 0.5])
    assert len(spread(line[:2], 5)) == 2
    assert sorted(spread(line, 101)) == list(range(101))


def test_the_region_is_where_the_worst_target_is_at_most_three_off():
    targets = (target(0.4, 0.6), target(0.4, 0.6, quantity="commission_yuan"))
    points = hypercube(2, 40, 1)
    region = Region(2, targets, [Emulators(points, scaled(points, targets), targets)])
    cloud = np.random.default_rng(2).random((500, 2))
    assert np.array_equal(region.holds(cloud), region.worst(cloud) <= 3.0)
    sample, share = region.sample(200, 100_000, 1, "cloud")
    assert (share.kept, len(sample)) == (len(sample), share.kept)
    assert region.holds(sample).all()
    # emulators of two straight lines leave little doubt: the square [.4, .6]^2 and a narrow rim, by Monte Carlo
    assert 0.04 - 3.3 * share.error < share.value < 0.05
    walked = region.walk(sample, 3, 1)
    assert len(walked) == 4 * len(sample)
    assert region.holds(walked).all()
    assert np.array_equal(walked[: len(sample)], sample)
    assert len(np.unique(walked, axis=0)) > 1.5 * len(sample)


def test_a_share_has_its_binomial_error():
    assert Share(20, 100).value == pytest.approx(0.2)
    assert Share(20, 100).error == pytest.approx(0.04)


def test_members_are_inside_every_hard_range_and_begin_with_the_ledger(toy_file):
    toy = Toy()
    done = calibrate(toy_file, SCENARIO, how=toy, **SMALL)
    table = done.tables["plausible"]
    assert done.feasible
    assert done.complete
    assert list(table.columns) == ["member", "market.demand_elasticity", "dealer.choice_weight", "account.quality_rented"]
    assert table["member"].tolist() == list(range(6))
    assert table.iloc[0, 1:].tolist() == [0.9, 0.06, 7.0]
    assert inside(done.found.quantities[:, :2], done.problem.hard).all()
    for values in load_plausible(table.to_csv(index=False)):
        again = Toy()(SCENARIO.changed({"parameters": values}), 1)[1]
        assert 1.85 < again["price_yuan"] < 2.55
        assert 1.45 < again["commission_yuan"] < 2.85
    shares = done.tables["waves"]["share_left"]
    assert (shares > 0).all()
    assert shares.is_monotonic_decreasing
    about = done.tables["members"]
    assert about["hard_inside"].all()
    assert about["distance_to_ledger"].tolist()[0] == 0.0
    assert about["soft_met"].tolist() == [int(0.2 <= value <= 0.5) for value in about["utilisation"]]
    narrowed = done.tables["ranges"].set_index("parameter")["part_of_range"]
    assert narrowed["account.quality_rented"] > 0.9  # no hard target sees it
    assert narrowed["market.demand_elasticity"] < 0.8


def test_without_the_ledgers_vector_the_nearest_member_is_first(toy_file):
    toy_file.write_text(TOY.replace("low = 1.9\nhigh = 2.5", "low = 2.6\nhigh = 3.2"))
    done = calibrate(toy_file, SCENARIO, how=Toy(), **SMALL)
    assert not done.feasible
    distance = done.tables["members"]["distance_to_ledger"]
    assert distance.iloc[0] == distance.min() > 0
    assert "misses a hard range" in done.sentences[0]


def test_the_same_command_makes_no_run_again_and_says_the_same(toy_file, tmp_path, monkeypatch):
    first, second, third = Toy(), Toy(), Toy()
    one = calibrate(toy_file, SCENARIO, out=tmp_path / "r", how=first, **SMALL)
    files = {path.name: path.read_bytes() for path in (tmp_path / "r").glob("*.csv")}
    two = calibrate(toy_file, SCENARIO, out=tmp_path / "r", how=second, **SMALL)
    again = len(first.calls) - len([seed for seed in first.calls if seed < 100 * STRIDE or seed % 2])  # a candidate's first seed is odd
    assert one.found.passed <= again <= one.found.tried
    assert len(first.calls) == len(set(first.calls)) == 4 + 16 * len(one.history.waves) + one.found.tried + again
    assert second.calls == []
    assert files == {path.name: path.read_bytes() for path in (tmp_path / "r").glob("*.csv")}
    assert set(files) == {f"{name}.csv" for name in ("feasible", "waves", "emulators", "plausible", "members", "ranges")}
    assert one.sentences == two.sentences
    monkeypatch.setattr(posterior, "POINTS", 60)
    calibrate(toy_file, SCENARIO, out=tmp_path / "r", how=third, **SMALL, recovery=3, recovery_points=14)
    assert len(third.calls) == 17
    manifest = Results(tmp_path / "r").manifest
    assert manifest["finished"]
    assert {entry["status"] for entry in manifest["runs"]} == {"done"}


def test_an_interrupted_match_goes_on_where_it_was(toy_file, tmp_path):
    whole = Toy()
    expected = calibrate(toy_file, SCENARIO, how=whole, **SMALL).tables["plausible"]
    cut, rest = Toy(stops_after=25), Toy()
    with pytest.raises(KeyboardInterrupt):
        calibrate(toy_file, SCENARIO, out=tmp_path / "r", how=cut, **SMALL)
    assert not Results(tmp_path / "r").manifest["finished"]
    done = calibrate(toy_file, SCENARIO, out=tmp_path / "r", how=rest, **SMALL)
    assert sorted(cut.calls + rest.calls) == sorted(whole.calls)
    assert done.tables["plausible"].equals(expected)


def test_runs_that_fail_are_recorded_and_count_as_implausible(toy_file, tmp_path):
    toy = Toy(fails=lambda seed: seed > 1000 and seed % 4 == 0)
    done = calibrate(toy_file, SCENARIO, out=tmp_path / "r", how=toy, **SMALL)
    assert done.complete
    assert 0 < done.tables["waves"]["failed"].sum() < 16
    assert len(done.failures) == len({failure.run_id for failure in done.failures}) > 0
    assert "no market" in done.failures[0].traceback
    assert {entry["run_id"] for entry in Results(tmp_path / "r").manifest["failures"]} == {f.run_id for f in done.failures}
    assert np.isfinite(done.found.quantities).all()


def test_targets_that_nothing_meets_leave_nothing(toy_file):
    toy_file.write_text(TOY.replace("low = 1.9\nhigh = 2.5", "low = 12.0\nhigh = 12.6"))
    done = calibrate(toy_file, SCENARIO, how=Toy(), **SMALL, recovery=3)
    assert done.tables["waves"]["share_left"].iloc[-1] == 0.0
    assert done.tables["waves"]["last_because"].iloc[-1] == "nothing is left"
    assert not done.complete
    assert len(done.tables["plausible"]) == 0
    assert done.recovered is None
    assert "Recovery was not done: the waves left a sample of 0 vectors" in " ".join(done.sentences)


class Vague:
    """An emulator that is made at once: it knows the mean of the runs and nothing else, so nothing is ruled out."""

    noise = r2 = coverage = 0.5
    inflation = 1.0

    def __init__(self, points, values, label):
        if np.isfinite(values).sum() < FEWEST:
            raise TooFewError(f"{label}: too few runs have a finite value")
        self.label, self.points, self.values = label, points, values
        self.left_out = np.zeros(len(points)), np.ones(len(points))

    def __call__(self, points):
        return np.full(len(points), np.nanmean(self.values)), np.ones(len(points))


FEW = {"waves": 1, "points": 16, "members": 0}


@pytest.fixture
def vague(monkeypatch):
    """Let emulators be made at once."""
    monkeypatch.setattr("sim.matching.emulator.Emulator", Vague)


@pytest.mark.usefixtures("vague")
def test_recovery_of_more_worlds_than_the_sample_has_is_told(toy_file):
    done = calibrate(toy_file, SCENARIO, how=Toy(), **FEW, recovery=900_000)
    assert not done.complete
    assert done.sentences[-1].startswith("Recovery was not done: the waves left a sample of ")
    assert "900000 worlds and at least 12 vectors to emulate" in done.sentences[-1]


@pytest.mark.usefixtures("vague")
def test_recovery_without_worlds_is_told(toy_file):
    toy = Toy(fails=lambda seed: seed > 300 * STRIDE)
    done = calibrate(toy_file, SCENARIO, how=toy, **FEW, recovery=3, recovery_points=14)
    assert not done.complete
    assert done.sentences[-1] == "Recovery was not done: 3 of 3 synthetic worlds failed."


@pytest.mark.usefixtures("vague")
def test_recovery_without_emulators_is_told_and_the_waves_are_kept(toy_file):
    toy = Toy(fails=lambda seed: seed > 200 * STRIDE)
    done = calibrate(toy_file, SCENARIO, how=toy, **FEW, recovery=3, recovery_points=14)
    assert not done.complete
    assert done.sentences[-1] == "Recovery was not done: price: too few runs have a finite value."
    assert "recovery" not in done.tables
    assert len(done.tables["waves"]) == 1


@pytest.mark.usefixtures("vague")
def test_worlds_that_fail_are_counted(toy_file):
    done = calibrate(toy_file, SCENARIO, how=Toy(), **FEW)
    assert done.complete
    held = np.ones((2, 3), dtype=bool)
    found = Recovery(done.problem.parameters, 1, held[:, 0], held[:, 0], held, held / 2, np.array([9, 9]), done.history.region.waves[0])
    told = {**done.tables, "recovery": tables.recovery(found)}
    assert "Recovery: 1 of 3 synthetic worlds failed." in replace(done, recovered=found, tables=told).sentences


def test_when_too_many_runs_fail_that_is_told_and_kept(toy_file, tmp_path):
    with pytest.raises(RunsFailedError, match=r"16 of 20 runs failed; what is left is too little") as raised:
        calibrate(toy_file, SCENARIO, out=tmp_path / "r", how=Toy(fails=lambda seed: seed > STRIDE), **FEW)
    told = Results(tmp_path / "r").manifest
    assert {entry["run_id"] for entry in told["failures"]} == {failure.run_id for failure in raised.value.failures}
    assert len(told["runs"]) == raised.value.total
    assert not told["finished"]


def test_a_target_without_values_is_not_blamed_on_a_run_that_failed(toy_file):
    toy = Toy(fails=lambda seed: seed == STRIDE + SCENARIO.run.seed)

    def without_price(scenario, seed):
        days, means, seconds = toy(scenario, seed)
        return days, {**means, "price_yuan": math.nan}, seconds

    with pytest.raises(TooFewError, match=r"price: only 0 of 16 runs have a finite value, and an emulator needs 12; among 1,000,000 users"):
        calibrate(toy_file, SCENARIO, how=without_price, **FEW)


def test_a_target_that_too_few_users_give_a_value_is_a_result_and_told(toy_file, tmp_path, monkeypatch, capsys):
    def without_price(scenario, seed):
        days, means, seconds = Toy()(scenario, seed)
        return days, {**means, "price_yuan": math.nan if seed % 2 else means["price_yuan"]}, seconds

    monkeypatch.setattr("sim.jobs.simulate", without_price)
    arguments = ["--points", "16", "--members", "0", "--users", "10000", "--workers", "1", "--out", str(tmp_path / "r")]
    assert main(["calibrate", str(toy_file), "--scenario", str(BASELINE), *arguments]) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("abm: price: only 8 of 16 runs have a finite value, and an emulator needs 12; among 10,000 users")
    assert last.endswith(f"give more --users, or else more --points; the runs are kept in {tmp_path / 'r'}")
    assert {run["status"] for run in Results(tmp_path / "r").manifest["runs"]} == {"done"}


def test_a_directory_of_other_settings_says_which(toy_file, tmp_path):
    heard: list[str] = []

    def match(scenario=SCENARIO, **more):
        heard.clear()
        failing = Toy(fails=lambda _seed: True)
        with pytest.raises(RunsFailedError):
            calibrate(toy_file, scenario, out=tmp_path / "r", how=failing, progress=lambda s: heard.append(s.stage), **{**FEW, **more})
        return [stage for stage in heard if "other settings" in stage]

    assert match() == []
    assert match() == []
    (told,) = match(SCENARIO.changed({"population.users": 2_000_000}), points=20)
    assert "had other settings: points (16, now 20), population.users (1000000, now 2000000); its tables are replaced" in told
    toy_file.write_text(TOY.replace("high = 2.8", "high = 2.9"))
    (told,) = match()
    assert "target commission" in told
    assert "target price" not in told


def test_a_missing_extra_is_one_line_before_anything_is_simulated(toy_file, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.gaussian_process", None)
    toy = Toy()
    with pytest.raises(ScenarioError) as raised:
        calibrate(toy_file, SCENARIO, how=toy, **SMALL)
    assert str(raised.value).splitlines() == [
        "scikit-learn is not installed, which calibration by history matching needs: pip install 'abm[analysis]'"
    ]
    assert toy.calls == []


def test_numbers_that_make_no_sense_are_refused_together(toy_file):
    fixed = SCENARIO.changed({"parameters.market.demand_elasticity": 1.0})
    toy = Toy()
    with pytest.raises(ScenarioError) as raised:
        calibrate(toy_file, fixed, waves=0, points=3, members=-1, how=toy)
    told = str(raised.value)
    for words in (
        "--waves = 0",
        "--points = 3: must be a whole number, at least 12",
        "members = -1",
        "parameters.market.demand_elasticity: is matched",
    ):
        assert words in told
    assert toy.calls == []


def test_stages_have_seeds_of_their_own(toy_file):
    toy = Toy()
    for asked, words in (
        ({"points": 1_001, "replications": 1_000}, "--points = 1001: asks for up to 1001000 runs with --replications = 1000"),
        ({"members": 101, "replications": 1_000}, "--members = 101: asks for up to 1010000 runs"),
        ({"recovery": STRIDE + 1}, "--recovery = 1000001"),
        ({"recovery": 3, "recovery_points": STRIDE + 1}, "recovery_points = 1000001"),
        ({"waves": 100}, "--waves = 100: must be at most 90"),
        ({"recovery": 1}, "--recovery = 1: must be 0 for none, or at least 2"),
    ):
        with pytest.raises(ScenarioError) as raised:
            calibrate(toy_file, SCENARIO, how=toy, **asked)
        assert words in str(raised.value)
        assert len(raised.value.faults) == 1
    assert toy.calls == []


def test_no_run_of_a_calibration_has_a_seed_above_the_greatest(toy_file):
    toy, greatest = Toy(), MOST_SEED - 301 * STRIDE + 1
    with pytest.raises(ScenarioError, match=f"seed = {greatest + 1}: must be at most {greatest} here"):
        calibrate(toy_file, SCENARIO.changed({"run.seed": greatest + 1}), how=toy, **SMALL)
    assert toy.calls == []
    calibrate(toy_file, SCENARIO.changed({"run.seed": greatest}), how=toy, **SMALL)


def test_a_directory_of_another_command_is_left_alone(toy_file, tmp_path):
    with Store(tmp_path / "r") as store:
        store.write_manifest({"finished": True, "command": "run", "name": "baseline", "scenarios": {}, "seed": 1})
    toy = Toy()
    with pytest.raises(StoreError, match="holds the results of"):
        calibrate(toy_file, SCENARIO, out=tmp_path / "r", how=toy, **SMALL)
    assert toy.calls == []
