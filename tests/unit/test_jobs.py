"""Which runs are made, where, and what becomes of those that fail."""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from sim import conduct, luck
from sim import jobs as jobs_module
from sim.cli import main
from sim.comparison import Comparison, Runs
from sim.faults import ScenarioError
from sim.jobs import jobs_of, run_jobs
from sim.outcomes import OUTCOMES, window_means
from sim.plan import STRIDE, Plan, single, swept, varies_of
from sim.provenance import _imported_from, model_source, provenance, run_id
from sim.replaying import find_run, replay
from sim.scenario import Scenario, scenario_from
from sim.store import Memory, Results, Store, StoreError

STAND_IN = """
import os, signal, time
import numpy as np
from sim import luck
from sim.outcomes import OUTCOMES, window_means


def days_of(scenario, seed):
    level = scenario.levers["account_audit"]
    noise = luck.uniforms(seed, "stand-in", (scenario.run.days,))
    daily = {name: 100.0 + 10.0 * noise + level for name in OUTCOMES}
    return daily, window_means(daily, *scenario.run.window), 0.01


def fails_at_seed_12(scenario, seed):
    if seed == 12:
        raise ZeroDivisionError("no luck with seed 12")
    return days_of(scenario, seed)


def dies_at_seed_12(scenario, seed):
    if seed == 12:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.02)
    return days_of(scenario, seed)


def shows_its_threads(scenario, seed):
    assert os.environ["OMP_NUM_THREADS"] == "1"
    return days_of(scenario, seed)
"""


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory):
    """A model that takes no time, in a module that worker processes can import."""
    folder = tmp_path_factory.mktemp("stand_in")
    (folder / "stand_in_model.py").write_text(STAND_IN)
    sys.path.insert(0, str(folder))
    import stand_in_model

    yield stand_in_model
    sys.path.remove(str(folder))


def scenario(name: str = "base", **levers: float) -> Scenario:
    return scenario_from({"name": name, "run": {"days": 30, "burn_in_days": 10, "settle_days": 5}, "levers": levers}, name)


PAIR = {"base": scenario(), "policy": scenario("policy", account_audit=0.5)}


def test_replications_share_their_seed_across_scenarios():
    jobs = jobs_of(PAIR, 3, 11)
    assert [(job.scenario_name, job.replication, job.seed) for job in jobs] == [
        ("base", 0, 11), ("policy", 0, 11), ("base", 1, 12), ("policy", 1, 12), ("base", 2, 13), ("policy", 2, 13),
    ]  # fmt: skip
    assert len({job.run_id for job in jobs}) == 6


def test_a_run_id_depends_on_what_a_run_depends_on():
    (job,) = jobs_of({"base": scenario()}, 1, 11)
    same = scenario_from({"name": "other", "title": "Other", "run": {"days": 30, "burn_in_days": 10, "settle_days": 5, "seed": 9}}, "x")
    assert jobs_of({"other": same}, 5, 11)[0].run_id == job.run_id
    assert jobs_of({"base": scenario(account_audit=0.1)}, 1, 11)[0].run_id != job.run_id
    assert jobs_of({"base": scenario()}, 1, 12)[0].run_id != job.run_id


def test_a_run_id_depends_on_the_source_of_the_model(monkeypatch):
    before = run_id("{}", 1)
    monkeypatch.setattr("sim.provenance.model_source", lambda: "another source")
    assert run_id("{}", 1) != before


def test_the_source_of_the_model_is_what_the_model_imports():
    root = Path(jobs_module.__file__).parent
    names = {path.relative_to(root).as_posix() for path in _imported_from("sim.model")}
    assert {"model.py", "luck.py", "levers.py", "parameters.py", "outcomes.py", "policies.py", "world/accounts.py"} <= names
    assert not {"cli.py", "comparison.py", "jobs.py", "screen.py", "store/files.py", "plots/forest.py", "__init__.py"} & names
    assert len(model_source()) == 64


def test_provenance_names_versions_and_machine():
    about = provenance()
    assert set(about) == {"abm_version", "model_source", "git_commit", "git_dirty", "python", "platform", "libraries"}
    assert about["libraries"]["numpy"] == np.__version__


@pytest.mark.parametrize("workers", [1, 2])
def test_runs_that_are_there_are_not_made_again(stand_in, workers):
    memory, seen = Memory(), []
    first = run_jobs(jobs_of(PAIR, 2, 11), memory, workers, how=stand_in.days_of)
    assert (len(first.done), len(first.skipped)) == (4, 0)
    more = run_jobs(jobs_of(PAIR, 3, 11), memory, workers, seen.append, stand_in.days_of)
    assert (len(more.done), len(more.skipped)) == (2, 4)
    assert (seen[0].total, seen[0].skipped, seen[-1].computed, seen[-1].left) == (6, 4, 2, 0)
    again = run_jobs(jobs_of(PAIR, 3, 11), memory, workers, how=stand_in.days_of)
    assert (len(again.done), len(again.skipped)) == (0, 6)


def test_scenarios_with_equal_contents_share_their_runs(stand_in):
    report = run_jobs(jobs_of({"one": scenario("one"), "two": scenario("two")}, 2, 11), Memory(), how=stand_in.days_of)
    assert len(report.done) == 2


def test_any_number_of_workers_gives_the_same_bits(stand_in, tmp_path):
    for workers in (1, 2):
        with Store(tmp_path / str(workers)) as store:
            jobs = jobs_of(PAIR, 3, 11)
            run_jobs(jobs, store, workers, how=stand_in.days_of)
            store.write_tables([job.row for job in jobs])
    for table in ("daily.parquet", "runs.parquet"):
        assert (tmp_path / "1" / table).read_bytes() == (tmp_path / "2" / table).read_bytes()


def test_workers_keep_to_one_thread_a_library(stand_in):
    report = run_jobs(jobs_of(PAIR, 1, 11), Memory(), 2, how=stand_in.shows_its_threads)
    assert len(report.done) == 2


@pytest.mark.parametrize("workers", [1, 2])
def test_a_run_that_raises_is_recorded_and_the_others_go_on(stand_in, workers, tmp_path):
    with Store(tmp_path / "r") as store:
        store.write_manifest({})
        report = run_jobs(jobs_of(PAIR, 3, 11), store, workers, how=stand_in.fails_at_seed_12)
    assert len(report.done) == 4
    assert {(failure.scenario, failure.replication, failure.seed) for failure in report.failed} == {("base", 1, 12), ("policy", 1, 12)}
    assert all("ZeroDivisionError: no luck with seed 12" in failure.traceback for failure in report.failed)
    assert len(list((tmp_path / "r" / "parts").glob("*.failed.json"))) == 2
    with Store(tmp_path / "r") as store:
        again = run_jobs(jobs_of(PAIR, 3, 11), store, workers, how=stand_in.days_of)
    assert (again.done, again.failed) == ([], report.failed)  # known to fail
    with Store(tmp_path / "r", retry_failed=True) as store:
        report = run_jobs(jobs_of(PAIR, 3, 11), store, workers, how=stand_in.days_of)
    assert (len(report.done), len(report.skipped)) == (2, 4)
    assert not list((tmp_path / "r" / "parts").glob("*.failed.json"))


@pytest.mark.slow
def test_a_run_that_kills_its_process_is_blamed_and_the_others_go_on(stand_in):
    report = run_jobs(jobs_of(PAIR, 4, 11), Memory(), 2, how=stand_in.dies_at_seed_12)
    assert len(report.done) == 6
    assert {failure.seed for failure in report.failed} == {12}
    assert all("process died" in failure.traceback for failure in report.failed)


@pytest.fixture
def drawing(stand_in, monkeypatch):
    """Let runs be those of the stand-in."""
    monkeypatch.setattr(jobs_module, "simulate", stand_in.days_of)
    return stand_in


@pytest.fixture
def quick(drawing, monkeypatch):
    """Let runs be those of the stand-in, and draw nothing."""
    monkeypatch.setattr(Runs, "write_figures", lambda *_: None)
    return drawing


def plan(**changes: object) -> Plan:
    about = {"command": "compare", "name": "pair", "scenarios": PAIR, "replications": 3, "seed": 11, "baseline": "base"}
    return Plan(**{**about, "outcomes": ("stock_rented", "price_yuan"), "headline": ("stock_rented",), **changes})


def test_a_results_directory_is_opened_again_as_it_was(quick, tmp_path):
    done = conduct.carry_out(plan(), tmp_path / "r")
    again = conduct.open_results(tmp_path / "r")
    assert isinstance(again, Comparison)
    assert again.plan == done.plan
    assert again.table.equals(done.table)
    assert again.answer == done.answer


@pytest.mark.slow
def test_work_in_memory_and_on_disk_give_the_same_files(drawing, tmp_path):
    kept, disk = conduct.carry_out(plan()), conduct.carry_out(plan(), tmp_path / "r")
    assert kept.runs.equals(disk.runs)
    assert kept.daily.equals(disk.daily)
    saved = kept.save(tmp_path / "saved")
    for name in ("daily.parquet", "runs.parquet", "comparison.csv", "comparison.parquet", "summary.csv", "figures/forest.svg"):
        assert (saved / name).read_bytes() == (tmp_path / "r" / name).read_bytes()
    copied = disk.save(tmp_path / "copied")
    assert (copied / "comparison.csv").read_bytes() == (saved / "comparison.csv").read_bytes()


def test_without_days_a_comparison_has_its_table_and_a_run_is_confirmed_by_its_means(quick, tmp_path, monkeypatch):
    whole = conduct.carry_out(plan(), tmp_path / "whole")
    conduct.carry_out(plan(daily=False), tmp_path / "r")
    done = conduct.open_results(tmp_path / "r")
    assert done.table.equals(whole.table)
    assert set(whole.plot.all()) - set(done.plot.all()) == {"supply_by_channel", "difference_over_time"}
    assert not (tmp_path / "r" / "daily.parquet").exists()
    with pytest.raises(StoreError, match="holds no days"):
        _ = done.daily
    wanted = done.runs["run_id"][0]
    again = replay(wanted, tmp_path / "r")
    assert (again.identical, again.by_days) == (True, False)

    def other(one, seed):
        daily, means, seconds = quick.days_of(one, seed)
        return daily, {**means, "price_yuan": means["price_yuan"] + 1e-12}, seconds

    monkeypatch.setattr(jobs_module, "simulate", other)
    assert replay(wanted, tmp_path / "r").differs == {"price_yuan": 0}


def test_the_manifest_says_what_was_done(quick, tmp_path):
    conduct.carry_out(plan(), tmp_path / "r")
    manifest = Results(tmp_path / "r").manifest
    for key in (
        "format",
        "scenarios",
        "seeds",
        "abm_version",
        "libraries",
        "git_commit",
        "git_dirty",
        "python",
        "platform",
        "wall_seconds",
    ):
        assert key in manifest
    assert manifest["seeds"] == [11, 12, 13]
    assert manifest["scenarios"]["policy"]["resolved"]["levers"]["account_audit"] == 0.5
    assert len(manifest["runs"]) == 6


def test_a_command_of_fewer_replications_shows_fewer_and_forgets_none(quick, tmp_path):
    conduct.carry_out(plan(replications=4), tmp_path / "r")
    conduct.carry_out(plan(replications=2), tmp_path / "r")
    assert len(Results(tmp_path / "r").runs) == 4
    states = []
    conduct.carry_out(plan(replications=4), tmp_path / "r", progress=states.append)
    assert states[0].skipped == 8


def test_tables_and_figures_of_an_earlier_command_do_not_stay(drawing, tmp_path):
    asked = replace(single(PAIR["base"]), replications=2)
    with Store(tmp_path) as store:
        store.write_manifest(asked.manifest(store, (), finished=False))
    (tmp_path / "figures").mkdir()
    for old in ("figures/forest.png", "figures/forest.svg", "comparison.csv"):
        (tmp_path / old).write_text("old")
    conduct.carry_out(asked, tmp_path)
    assert {path.name for path in (tmp_path / "figures").iterdir()} == {"supply_by_channel.png", "supply_by_channel.svg"}
    assert not (tmp_path / "comparison.csv").exists()


def test_failures_stand_in_the_manifest_and_the_rest_is_compared(quick, tmp_path, monkeypatch):
    monkeypatch.setattr(jobs_module, "simulate", quick.fails_at_seed_12)
    done = conduct.carry_out(plan(), tmp_path / "r")
    assert [failure.seed for failure in done.failures] == [12, 12]
    assert done.runs["status"].tolist() == ["done", "failed", "done"] * 2
    assert done.table["replications"].unique().tolist() == [2]
    failures = Results(tmp_path / "r").manifest["failures"]
    assert failures[0]["seed"] == 12
    assert "ZeroDivisionError" in failures[0]["traceback"]


def test_a_plan_of_which_every_run_fails_still_ends_with_tables(quick, tmp_path, monkeypatch):
    monkeypatch.setattr(jobs_module, "simulate", quick.fails_at_seed_12)
    done = conduct.carry_out(plan(replications=1, seed=12), tmp_path / "r")
    assert not done.comparable
    assert done.runs["status"].tolist() == ["failed", "failed"]
    assert not (tmp_path / "r" / "comparison.csv").exists()


def test_precision_adds_replications_until_effects_are_known(quick):
    same = conduct.carry_out(plan(replications=2, precision=0.01, scenarios={"base": PAIR["base"], "policy": scenario("policy")}))
    assert (same.plan.replications, same.plan.widest) == (2, 0.0)
    equal = conduct.carry_out(plan(replications=2, precision=0.01))  # a few equal differences are not taken for an exact effect
    assert (equal.plan.replications, equal.plan.widest) == (8, 0.0)


def _known_noise(scenario, seed):
    """Days of a market whose paired differences are normal with deviation 10, beside a baseline of 100."""
    of_policy = 10.0 * luck.normals(seed, "known noise", (1,))[0] if scenario.name == "policy" else 0.0
    daily = {name: np.full(scenario.run.days, 100.0 + of_policy) for name in OUTCOMES}
    return daily, window_means(daily, *scenario.run.window), 0.01


def _least(seed: int, first: int, target: float) -> int:
    """Return the least number of replications from `first` on whose interval is narrow enough, by trying each."""
    differences = np.array([luck.normals(seed + k, "known noise", (1,))[0] for k in range(conduct.MOST_REPLICATIONS)]) / 10.0
    widths = {n: stats.t.isf(0.025, n - 1) * differences[:n].std(ddof=1) / n**0.5 for n in range(first, len(differences))}
    return next(n for n, width in widths.items() if width < target)


@pytest.mark.parametrize("target", [0.05, 0.03])
def test_precision_ends_near_the_least_number_that_is_enough(quick, monkeypatch, target):
    """Of five first seeds each: never short of the target, and a pair or so above the least number; whole guesses end 3 or 4 above."""
    monkeypatch.setattr(jobs_module, "simulate", _known_noise)
    over = []
    for seed in range(1000, 6000, 1000):
        done = conduct.carry_out(plan(replications=3, precision=target, seed=seed), share_burn_in=False)
        assert done.plan.widest < target
        assert done.table["replications"].max() == done.plan.replications
        over.append(done.plan.replications - _least(seed, 3, target))
    assert min(over) >= 0
    assert np.mean(over) <= 1.5
    assert max(over) <= 3


@pytest.mark.parametrize("workers", [2, 5])
def test_precision_takes_as_many_runs_with_any_number_of_workers(quick, monkeypatch, workers):
    monkeypatch.setattr(jobs_module, "simulate", _known_noise)
    with ThreadPoolExecutor(workers) as threads:
        done = [conduct.carry_out(plan(replications=3, precision=0.03), None, one, share_burn_in=False) for one in (1, threads)]
    assert done[0].plan == done[1].plan
    assert done[0].plan.widest < 0.03


def test_precision_stops_at_its_cap(quick, monkeypatch):
    monkeypatch.setattr(conduct, "MOST_REPLICATIONS", 9)
    unequal = {"base": scenario(), "policy": scenario("policy", account_audit=0.5)}
    monkeypatch.setattr(jobs_module, "simulate", _with_luck_of_its_own(quick))
    done = conduct.carry_out(plan(scenarios=unequal, replications=3, precision=1e-6))
    assert done.plan.replications == 9
    assert done.plan.widest > 1e-6


def _with_luck_of_its_own(quick):
    return lambda one, seed: quick.days_of(one, seed if one.name == "base" else seed + 1000)


def test_replay_finds_a_run_by_the_beginning_of_its_id(quick, tmp_path):
    conduct.carry_out(plan(), tmp_path / "deep" / "r")
    wanted = Results(tmp_path / "deep" / "r").runs["run_id"][4]
    again = replay(wanted[:10], tmp_path)
    assert (again.run_id, again.identical, again.source_changed) == (wanted, True, False)


def test_replay_says_what_differs(quick, tmp_path, monkeypatch):
    conduct.carry_out(plan(), tmp_path)
    wanted = Results(tmp_path).runs["run_id"][0]

    def other(one, seed):
        daily, means, seconds = quick.days_of(one, seed)
        daily["price_yuan"][7] += 1e-12
        return daily, means, seconds

    monkeypatch.setattr(jobs_module, "simulate", other)
    again = replay(wanted, tmp_path)
    assert not again.identical
    assert again.differs == {"price_yuan": 7}


def test_replay_tells_a_run_that_raises_now(quick, tmp_path, monkeypatch):
    conduct.carry_out(plan(), tmp_path)
    monkeypatch.setattr(jobs_module, "simulate", quick.fails_at_seed_12)
    again = replay(Results(tmp_path).runs["run_id"][1], tmp_path)
    assert not again.identical
    assert "ZeroDivisionError" in again.failure


def test_replay_of_an_interrupted_command_reads_the_parts(quick, tmp_path):
    conduct.carry_out(plan(), tmp_path)
    wanted = Results(tmp_path).runs["run_id"][0]
    (tmp_path / "daily.parquet").unlink()
    assert replay(wanted, tmp_path).identical


def test_unknown_and_ambiguous_ids_are_refused(quick, tmp_path):
    conduct.carry_out(plan(), tmp_path)
    with pytest.raises(StoreError, match="no run zz among the 6 runs"):
        find_run("zz", tmp_path)
    with pytest.raises(StoreError, match="no such results directory"):
        find_run("zz", tmp_path / "nowhere")
    path = tmp_path / "manifest.json"
    manifest = json.loads(path.read_text())
    for k, entry in enumerate(manifest["runs"]):
        entry["run_id"] = f"abc{k}"
    path.write_text(json.dumps(manifest))
    with pytest.raises(StoreError, match="abc is the beginning of 6 run ids"):
        find_run("abc", tmp_path)


def test_an_unfinished_directory_is_not_plotted(quick, tmp_path):
    with Store(tmp_path / "r") as store:
        store.write_manifest({**plan().manifest(store, (), finished=False), **provenance()})
    with pytest.raises(StoreError, match="has not finished"):
        conduct.redraw(tmp_path / "r")


BASELINE = Path(__file__).parents[2] / "scenarios" / "baseline.toml"


def test_a_sweep_takes_the_name_of_a_lever_for_a_policy_on_it():
    plan = swept(BASELINE, varies_of(["registration_audit=0:1:5"]), {"run.replications": 2})
    assert plan.title == "Standing regime by registration audit"
    assert [vary.key for vary in plan.axes] == ["policies.registration_audit.strength"]
    assert [levels[0] for levels in plan.levels.values()] == [0.3, 0.0, 0.25, 0.5, 0.75, 1.0]
    assert list(plan.levels) == list(plan.scenarios)
    assert (plan.baseline, plan.replications) == ("baseline", 2)
    strongest = list(plan.scenarios.values())[-1]
    assert strongest.policies["registration_audit"].strength == 1.0
    assert strongest.policies["registration_audit"].start_day == strongest.run.burn_in_days


def test_a_sweep_of_two_keys_has_every_combination():
    plan = swept(BASELINE, varies_of(["levers.login_check=0:1:2", "parameters.renting.quit_per_day=0.03:0.07:3"]))
    assert len(plan.scenarios) == 7
    assert plan.levels["baseline"] == (0.0, 0.05)
    assert sorted(plan.levels.values())[0] == (0.0, 0.03)


def test_sweeps_are_tabled_by_level(quick):
    done = conduct.sweep(BASELINE, ["login_check=0:1:2", "helper_cap=0:1:2"], 2, overrides={"run.days": 250})
    assert set(zip(done.levels_table["x"], done.levels_table["y"], strict=True)) == {(0, 0), (0, 1), (1, 0), (1, 1)}
    assert set(done.tables) == {"summary", "comparison", "best", "displacement", "recovery", "interaction"}
    single_key = conduct.sweep(BASELINE, ["levers.account_audit=0:0.5:3"], 2, overrides={"run.days": 250})
    price = single_key.levels_table.query("outcome == 'price_yuan'")
    assert price["level"].tolist() == [0.0, 0.0, 0.25, 0.5]
    assert price["difference"].iloc[-1] == pytest.approx(0.5)


def test_pairs_are_of_the_same_days():
    longer = scenario_from({"name": "longer", "run": {"days": 40, "burn_in_days": 10, "settle_days": 5}}, "longer")
    with pytest.raises(ScenarioError, match=r"run\.days"):
        conduct.compare(scenario(), [longer])


def test_another_command_does_not_take_the_tables_of_a_comparison(quick, tmp_path):
    conduct.carry_out(plan(), tmp_path / "r")
    before = {path: path.read_bytes() for path in (tmp_path / "r").rglob("*") if path.is_file()}
    for other in (single(PAIR["base"]), plan(name="other")):
        with pytest.raises(StoreError, match="holds the results of `abm compare` pair"):
            conduct.carry_out(other, tmp_path / "r")
        with pytest.raises(StoreError, match="holds the results of `abm compare` pair"):
            conduct.carry_out(other).save(tmp_path / "r")
    assert {path: path.read_bytes() for path in (tmp_path / "r").rglob("*") if path.is_file()} == before


def test_the_same_command_with_other_settings_says_what_it_replaces(quick, tmp_path):
    states = []
    conduct.carry_out(plan(), tmp_path / "r", progress=states.append)
    conduct.carry_out(plan(replications=4), tmp_path / "r", progress=states.append)
    assert not [state.stage for state in states if "replaced" in state.stage]
    conduct.carry_out(plan(seed=12), tmp_path / "r", progress=states.append)
    assert len([state.stage for state in states if "its tables and figures are replaced" in state.stage]) == 1


def test_what_python_asks_for_is_checked():
    for name, given in (("replications", 0), ("replications", 2.5), ("seed", -1), ("workers", 0)):
        with pytest.raises(ValueError, match=f"{name} = {given}: must be a whole number from"):
            conduct.run(scenario(), **{name: given})
    with pytest.raises(ValueError, match="at least one scenario to compare"):
        conduct.compare(scenario(), [])
    with pytest.raises(ValueError, match='did you mean "price_yuan"'):
        conduct.compare(scenario(), [PAIR["policy"]], outcomes=["price_yen"])


def test_whole_numbers_are_taken_from_numpy(quick, tmp_path):
    done = conduct.run(scenario(), np.int64(2), np.int64(3), out=tmp_path / "r")
    assert done.runs["run_id"].tolist() == conduct.run(scenario(), 2, 3).runs["run_id"].tolist()


def test_days_that_are_taken_away_are_told_and_made_again_without_a_run(drawing, tmp_path, monkeypatch, capsys):
    file, out = tmp_path / "base.toml", tmp_path / "r"
    file.write_text('name = "base"\n[run]\ndays = 30\nburn_in_days = 10\nsettle_days = 5\nreplications = 2\n')
    command = ["run", str(file), "--workers", "1", "--out", str(out)]

    def told(*arguments: str) -> list[str]:
        assert main(list(arguments)) == 0
        return capsys.readouterr().err.splitlines()

    assert told(*command)[-1] == f"tables and figures are in {out}"
    days, figures = (out / "daily.parquet").read_bytes(), sorted(path.name for path in (out / "figures").iterdir())
    monkeypatch.setattr(jobs_module, "simulate", None)  # no run is made from here on
    lines = told(*command, "--no-daily")
    assert sum("the days that were there are taken away, with the figures over days" in line for line in lines) == 1
    assert lines[-1] == f"there are no figures, as no days of runs are kept (--no-daily); tables are in {out}"
    assert not [line for line in told(*command, "--no-daily") if "taken away" in line]
    assert told("plot", str(out)) == [f"there is no figure to draw in {out}: no days of runs are kept (--no-daily)"]
    assert told(*command)[-1] == f"tables and figures are in {out}"
    assert told("plot", str(out)) == [f"figures are in {out / 'figures'}"]
    assert (out / "daily.parquet").read_bytes() == days
    assert sorted(path.name for path in (out / "figures").iterdir()) == figures


def test_no_run_has_a_seed_above_the_greatest(quick, tmp_path):
    greatest = conduct.MOST_SEED - 2
    assert conduct.run(scenario(), replications=3, seed=greatest).runs["seed"].max() == conduct.MOST_SEED
    for seed in (greatest + 1, conduct.MOST_SEED):
        with pytest.raises(ScenarioError, match=f"seed = {seed}: must be at most {greatest} here"):
            conduct.run(scenario(), replications=3, seed=seed, out=tmp_path / "r")
    assert not list(tmp_path.iterdir())
    members = {"base__m00": ("base", 0)}
    assert replace(plan(replications=3), members=members).last_seed == plan().seed + STRIDE + 2


def test_one_lever_is_not_varied_twice():
    audit = BASELINE.with_name("registration_crackdown.toml")
    for first, second in (
        ("registration_audit", "levers.registration_audit"),
        ("policies.audit.strength", "levers.registration_audit"),
    ):
        with pytest.raises(ScenarioError, match="registration_audit: is varied twice"):
            swept(audit, varies_of([f"{first}=0:1:2", f"{second}=0:1:2"]))
    assert len(swept(audit, varies_of(["policies.audit.strength=0:1:2", "policies.audit.start_day=180:200:2"])).scenarios) == 5


EDITS = {
    "no_command": (lambda manifest: manifest.pop("command"), "no command"),
    "day_as_text": (lambda manifest: manifest["scenarios"]["base"]["resolved"]["run"].update(days="many"), 'run.days = "many"'),
    "other_baseline": (lambda manifest: manifest.update(baseline="nobody"), 'no scenario or outcome "nobody"'),
    "other_outcome": (lambda manifest: manifest.update(outcomes=["prise"]), 'no scenario or outcome "prise"'),
    "scenarios_as_list": (lambda manifest: manifest.update(scenarios=[]), "of the wrong kind"),
    "failures_as_text": (lambda manifest: manifest.update(failures=["x"]), "failures are not"),
}


@pytest.mark.parametrize(("edit", "words"), EDITS.values(), ids=EDITS.keys())
def test_an_edited_manifest_is_damaged_in_words(quick, tmp_path, edit, words):
    conduct.carry_out(plan(), tmp_path / "r")
    path = tmp_path / "r" / "manifest.json"
    manifest = json.loads(path.read_text())
    edit(manifest)
    path.write_text(json.dumps(manifest))
    with pytest.raises(StoreError) as caught:
        conduct.open_results(tmp_path / "r")
    text = str(caught.value)
    assert f"{path} is damaged" in text
    assert words in text
    assert "\n" not in text
    assert "pydantic" not in text


def test_replay_of_an_edited_manifest_is_refused_in_a_line(quick, tmp_path):
    conduct.carry_out(plan(), tmp_path / "r")
    path, wanted = tmp_path / "r" / "manifest.json", Results(tmp_path / "r").runs["run_id"][0]
    whole = path.read_text()
    for edit, words in (
        (lambda manifest: manifest.update(runs=[{}]), "no list of runs"),
        (lambda manifest: manifest["scenarios"].clear(), "no scenario and seed"),
        (lambda manifest: manifest["scenarios"]["base"]["resolved"]["levers"].update(account_audit=7), "levers.account_audit = 7"),
    ):
        manifest = json.loads(whole)
        edit(manifest)
        path.write_text(json.dumps(manifest))
        with pytest.raises(StoreError, match=words) as caught:
            replay(wanted, tmp_path / "r")
        assert "\n" not in str(caught.value)
    path.write_text("{")
    with pytest.raises(StoreError, match=r"no run .*manifest\.json is damaged") as caught:
        replay(wanted, tmp_path)
    assert "\n" not in str(caught.value)
