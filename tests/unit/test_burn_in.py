"""Which runs share their burn-in, when it is made, and what becomes of them when it fails."""

from __future__ import annotations

import gc
import weakref
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import branching_worlds as worlds
import numpy as np
import pytest

from sim import burn_in, conduct
from sim.burn_in import BurnIn, Schedule, Simulation, alike, not_shared, until_policies
from sim.comparison import Runs
from sim.jobs import OUT_OF_SIGHT, Progress, jobs_of, made, run_jobs
from sim.model import AccountMarket
from sim.plan import Plan
from sim.reporter import Reporter
from sim.scenario import Scenario, scenario_from
from sim.store import Memory, Store

DAYS, BURN_IN = 30, 12


def scenario(name: str = "base", policies: dict[str, object] | None = None, **tables: dict[str, object]) -> Scenario:
    """Build a small scenario; `tables` are added to its own."""
    run = {"days": DAYS, "burn_in_days": BURN_IN, "settle_days": 5, **tables.pop("run", {})}
    population = {"users": 200_000, **tables.pop("population", {})}
    return scenario_from({"name": name, "run": run, "population": population, "policies": policies or {}, **tables}, name)


BASE = scenario()
TRIO = {
    "base": BASE,
    "audit": scenario("audit", {"registration_audit": {"strength": 0.9}}),
    "ramped": scenario("ramped", {"ad_takedown": {"strength": 0.9, "start_day": 20, "ramp_days": 5}}),
}
EARLY = {"account_audit": {"strength": 0.6, "start_day": BURN_IN - 1}}


@pytest.mark.parametrize(
    "other",
    [
        scenario("late", {"purge": {"strength": 0.5, "days": [BURN_IN, 20]}}),
        scenario("short", {"ad_takedown": {"strength": 0.6, "segments": ["student"], "end_day": 20}}),
        scenario("frozen", dealers={"adaptive": False}),
        scenario("unsettled", run={"settle_days": 0}),
        scenario("asked_otherwise", run={"seed": 5, "replications": 3}, targets=["registered"], title="Another", description="Why not"),
    ],
    ids=lambda other: other.name,
)
def test_what_acts_after_burn_in_alone_shares_it(other):
    assert other.identity() != BASE.identity() or other.name == "asked_otherwise"
    assert alike({"a": (BASE, 1), "b": (other, 1)}) == [("a", "b")]


@pytest.mark.parametrize(
    "other",
    [
        scenario("early", EARLY),
        scenario("early_purge", {"purge": {"strength": 0.5, "days": [BURN_IN - 1, 20]}}),
        scenario("regime", levers={"account_audit": 0.41}),
        scenario("parameter", parameters={"renting": {"quit_per_day": 0.051}}),
        scenario("rule", dealers={"learning": "exp3"}),
        scenario("longer", run={"days": DAYS + 1}),
        scenario("burnt", run={"burn_in_days": BURN_IN + 1}),
        scenario("larger", population={"users": 200_001}),
        scenario("younger", population={"segments": {"student": {"share": 0.08}, "other": {"share": 0.73}}}),
    ],
    ids=lambda other: other.name,
)
def test_what_acts_before_shares_with_none_that_differs_in_it(other):
    assert alike({"a": (BASE, 1), "b": (other, 1)}) == [("a",), ("b",)]


def test_other_luck_is_another_burn_in():
    assert alike({"a": (BASE, 1), "b": (BASE, 2), "c": (TRIO["audit"], 1)}) == [("a", "c"), ("b",)]


def test_an_early_policy_is_part_of_the_burn_in():
    both = scenario("both", {**EARLY, "registration_audit": {"strength": 0.9}})
    assert until_policies(both).policies.keys() == EARLY.keys()
    assert alike({"a": (scenario("early", EARLY), 1), "b": (both, 1)}) == [("a", "b")]


def test_without_burn_in_there_is_none_to_share():
    at_once = [scenario(name, run={"burn_in_days": 0}, dealers={"adaptive": adaptive}) for name, adaptive in (("a", True), ("b", False))]
    assert len(alike({one.name: (one, 1) for one in at_once})) == 2
    assert not_shared(at_once) == ""


def daily(memory: Memory, jobs) -> dict[str, bytes]:
    return {job.run_id: b"".join(column.tobytes() for column in memory.read(job.run_id).daily.values()) for job in jobs}


@pytest.fixture(scope="module")
def whole() -> dict[str, bytes]:
    """The days of the trio and of one that shares nothing, each run made whole."""
    jobs, memory = jobs_of({**TRIO, "early": scenario("early", EARLY)}, 2, 11), Memory()
    run_jobs(jobs, memory, share_burn_in=False)
    return daily(memory, jobs)


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_runs_that_share_have_the_days_of_whole_runs(whole, workers):
    jobs, memory = jobs_of({**TRIO, "early": scenario("early", EARLY)}, 2, 11), Memory()
    report = run_jobs(jobs, memory, workers)
    assert len(report.done) == 8
    assert daily(memory, jobs) == whole


@pytest.mark.parametrize(("share", "days"), [(True, 2 * (BURN_IN + 3 * (DAYS - BURN_IN) + DAYS)), (False, 2 * 4 * DAYS)])
def test_days_before_policies_are_simulated_once(monkeypatch, share, days):
    seen, step = [], AccountMarket.step
    monkeypatch.setattr(AccountMarket, "step", lambda model: (seen.append(model.day), step(model)))
    run_jobs(jobs_of({**TRIO, "early": scenario("early", EARLY)}, 2, 11), Memory(), share_burn_in=share)
    assert len(seen) == days


SHARED = worlds.SECONDS_OF_BRANCH + worlds.SECONDS_OF_BURN_IN / 3


@pytest.mark.parametrize("workers", [1, 2])
def test_seconds_of_runs_sum_to_the_time_spent(workers):
    jobs, memory = jobs_of({**TRIO, "early": scenario("early", EARLY)}, 3, 11), Memory()
    run_jobs(jobs, memory, workers, how=worlds.StandIn())
    assert {job.scenario_name: memory.summary(job.run_id)[0] for job in jobs} == {
        **dict.fromkeys(TRIO, SHARED),
        "early": worlds.SECONDS_OF_WHOLE,
    }


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("kept", ["memory", "directory"])
def test_progress_tells_the_seconds_of_runs_and_how_many_are_made_at_once(tmp_path, workers, kept):
    """Processes hand runs over or keep them themselves; those that were there before count for none."""
    jobs = jobs_of({**TRIO, "early": scenario("early", EARLY)}, 2, 11)
    states: list[Progress] = []
    with Store(tmp_path / "r") as store:
        parts = store if kept == "directory" else Memory()
        run_jobs(jobs[:4], parts, workers, how=worlds.StandIn())
        run_jobs(jobs, parts, workers, states.append, how=worlds.StandIn())
    assert (states[-1].skipped, states[-1].computed, states[-1].at_once) == (4, 4, workers)
    assert states[-1].seconds == pytest.approx(3 * SHARED + worlds.SECONDS_OF_WHOLE)


def test_a_function_that_stands_in_shares_nothing():
    jobs, memory = jobs_of(TRIO, 1, 11), Memory()
    run_jobs(jobs, memory, how=worlds.StandIn().__call__)
    assert {memory.summary(job.run_id)[0] for job in jobs} == {worlds.SECONDS_OF_WHOLE}


@pytest.mark.parametrize("workers", [1, 2])
def test_a_burn_in_that_fails_leaves_whole_runs(workers):
    jobs, memory = jobs_of(TRIO, 3, 11), Memory()
    report = run_jobs(jobs, memory, workers, how=worlds.BurnInFails())
    assert (len(report.done), report.failed) == (9, [])
    assert {memory.summary(job.run_id)[0] for job in jobs if job.seed == 12} == {worlds.SECONDS_OF_WHOLE}
    assert {memory.summary(job.run_id)[0] for job in jobs if job.seed != 12} == {SHARED}


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_runs_that_cannot_be_made_have_each_its_own_traceback(workers):
    report = run_jobs(jobs_of(TRIO, 3, 11), Memory(), workers, how=worlds.DaysFail())
    assert len(report.done) == 6
    assert {(failure.scenario, failure.seed) for failure in report.failed} == {(name, 12) for name in TRIO}
    for failure in report.failed:
        assert f"ZeroDivisionError: no luck with {failure.scenario}" in failure.traceback


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_branch_that_fails_takes_no_other_with_it(workers):
    report = run_jobs(jobs_of(TRIO, 3, 11), Memory(), workers, how=worlds.BranchFails())
    assert len(report.done) == 6
    assert {failure.scenario for failure in report.failed} == {"ramped"}
    assert all("no luck on the ramp" in failure.traceback for failure in report.failed)


def test_a_machine_that_does_not_see_the_state_makes_the_whole_run():
    job = jobs_of(TRIO, 1, 11)[1]
    days, means, seconds = Simulation().branch(job.scenario, job.seed, BurnIn("/no/such/state", 1000.0))
    whole = Simulation()(job.scenario, job.seed)
    assert {name: column.tobytes() for name, column in days.items()} == {name: column.tobytes() for name, column in whole[0].items()}
    assert means == whole[1]
    assert seconds > 1000.0  # its part of the burn-in was spent as well


@pytest.mark.parametrize("sees", [True, False])
def test_machines_that_do_not_see_the_directory_hand_over_what_they_make(tmp_path, sees):
    """They cannot write runs there, nor share states, which are too large to be handed over: each run makes its own burn-in."""
    jobs, notes, memory = jobs_of(TRIO, 2, 11), [], Memory()
    with Store(tmp_path / "r") as store, ThreadPoolExecutor(2) as machines:
        store.write_manifest({})
        place = store.place
        if not sees:
            Path(place.folder, place.mark).unlink()
        report = run_jobs(jobs, store, machines, lambda state: notes.append(state.note), worlds.StandIn())
        seconds, days = {store.summary(job.run_id)[0] for job in jobs}, daily(store, jobs)
    run_jobs(jobs, memory, how=worlds.StandIn())
    assert days == daily(memory, jobs)
    assert (len(report.done), report.failed) == (6, [])
    assert seconds == ({SHARED} if sees else {worlds.SECONDS_OF_WHOLE})
    assert any(OUT_OF_SIGHT in note for note in notes) != sees


class FarRuns(ThreadPoolExecutor):
    """Two machines: burn-ins are made on one that sees the results directory, runs on one that does not."""

    def submit(self, function, ids, *arguments):
        place = function.args[0]
        return super().submit(made, place if len(ids) > 1 else replace(place, folder=f"{place.folder}/elsewhere"), ids, *arguments)


def test_a_run_on_a_machine_that_does_not_see_the_directory_is_told_once(tmp_path):
    jobs, notes = jobs_of(TRIO, 2, 11), []
    with Store(tmp_path / "r") as store, FarRuns(2) as machines:
        store.write_manifest({})
        report = run_jobs(jobs, store, machines, lambda state: notes.append(state.note), worlds.StandIn())
    assert len(report.done) == 6
    assert [note for note in notes if note] == [f"a run and its burn-in were made whole and handed over: {OUT_OF_SIGHT}"]


@pytest.mark.slow
def test_a_burn_in_that_kills_its_process_leaves_whole_runs():
    jobs, memory = jobs_of(TRIO, 3, 11), Memory()
    report = run_jobs(jobs, memory, 2, how=worlds.BurnInDies())
    assert (len(report.done), report.failed) == (9, [])
    assert {memory.summary(job.run_id)[0] for job in jobs if job.seed == 12} == {worlds.SECONDS_OF_WHOLE}


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
@pytest.mark.parametrize("after", [1, 2, 4])
def test_what_an_interruption_leaves_is_made_later(workers, after):
    """A run that is left alone has nobody to share with and is made whole."""

    def stop(state):
        if state.computed == after:
            raise KeyboardInterrupt

    jobs, memory, in_one_go = jobs_of(TRIO, 2, 11), Memory(), Memory()
    with pytest.raises(KeyboardInterrupt):
        run_jobs(jobs, memory, workers, stop, worlds.StandIn())
    kept = {job.run_id for job in jobs if memory.has(job.run_id)}
    assert len(kept) == after
    report = run_jobs(jobs, memory, workers, how=worlds.StandIn())
    assert set(report.skipped) == kept
    run_jobs(jobs, in_one_go, how=worlds.StandIn(), share_burn_in=False)
    assert daily(memory, jobs) == daily(in_one_go, jobs)
    left = {seed: [job for job in jobs if job.seed == seed and job.run_id not in kept] for seed in (11, 12)}
    for alone in (group[0] for group in left.values() if len(group) == 1):
        assert memory.summary(alone.run_id)[0] == worlds.SECONDS_OF_WHOLE


@pytest.mark.parametrize("most", [1, 2, 5])
def test_few_states_wait_and_no_process_does(most):
    """Calls are made in turn by `most` processes; while groups are left each has one, and no more burn-ins are open than processes."""
    runs = {f"{k}_{name}": (one, k) for k in range(12) for name, one in {**TRIO, "early": scenario("early", EARLY)}.items()}
    schedule = Schedule(runs, worlds.StandIn(), most)
    flying: deque[tuple[tuple[str, ...], tuple[object, ...]]] = deque()
    done: list[str] = []
    burnt = 0
    while schedule.calls or flying:
        while schedule.calls and len(flying) < most:
            flying.append(schedule.calls.popleft())
        if len(done) < len(runs) - 4 * most:
            assert len(flying) == most
        ids, (function, *arguments) = flying.popleft()
        result = function(*arguments)
        if isinstance(result, BurnIn):
            burnt += 1
        else:
            done += ids
        states = {id(call[2].state) for _, call in (*schedule.calls, *flying) if len(call) > 2 and isinstance(call[2], BurnIn)}
        assert len(states) <= most
        schedule.over(ids, result)
    assert sorted(done) == sorted(runs)
    assert burnt == 12


@pytest.fixture
def small_memory(monkeypatch):
    """Let no state be small enough to be shared, and nothing be drawn."""
    monkeypatch.setattr(burn_in, "MOST_BYTES", 1000)
    monkeypatch.setattr("sim.jobs.simulate", worlds.StandIn())
    monkeypatch.setattr(Runs, "write_figures", lambda *_: None)


def plan(**changes: object) -> Plan:
    about = Plan("compare", "trio", TRIO, 2, 11, baseline="base", outcomes=("stock_rented",), headline=("stock_rented",))
    return replace(about, **changes)


def test_states_that_are_too_large_are_not_shared_and_it_is_said(small_memory, tmp_path, capsys):
    done = conduct.carry_out(plan(), tmp_path, progress=Reporter())
    assert set(done.runs["seconds"]) == {worlds.SECONDS_OF_WHOLE}
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "each run makes its own burn-in: the state of 200,000 users takes about 0 MB, and at most 0 are shared"
    assert len([line for line in said if "burn-in" in line]) == 1
    conduct.carry_out(plan(), tmp_path, progress=Reporter())
    assert "burn-in" not in capsys.readouterr().err, "there was nothing left to make"


def test_a_state_that_turns_out_too_large_is_not_shared_and_it_is_said(monkeypatch, capsys):
    """Users alone do not say how dense a market is."""
    monkeypatch.setattr(burn_in, "MOST_BYTES", 100_000)
    monkeypatch.setattr(burn_in, "BYTES_A_USER", 0.1)
    scenarios = {"base": BASE, "audit": TRIO["audit"]}
    store = Memory()
    report = run_jobs(jobs_of(scenarios, 1, 4), store, progress=Reporter())
    assert len(report.done) == 2
    assert not report.failed
    (said,) = [line for line in capsys.readouterr().err.splitlines() if "burn-in" in line]
    assert said.startswith("burn-in of seed 4 cannot be shared, 2 runs make their own: sim.burn_in.TooLargeError: the state takes")


def test_a_burn_in_that_fails_is_told_once(capsys):
    run_jobs(jobs_of(TRIO, 2, 11), Memory(), progress=Reporter(), how=worlds.BurnInFails())
    (said,) = [line for line in capsys.readouterr().err.splitlines() if "burn-in" in line]
    assert said == "burn-in of seed 12 cannot be shared, 3 runs make their own: MemoryError: no room for the state"


def test_a_state_belongs_to_its_scenario():
    state = Simulation().burn_in(BASE, 3).state
    for other in (
        scenario(population={"users": 300_000}),
        scenario(run={"days": 31}),
        scenario(parameters={"renting": {"quit_per_day": 0.06}}),
    ):
        with pytest.raises(ValueError, match="other users, days or parameters"):
            AccountMarket(other, saved=state)
    with pytest.raises(ValueError, match="give no seed"):
        AccountMarket(BASE, 3, saved=state)


@pytest.mark.parametrize(
    ("scenarios", "reporter", "share"),
    [
        (TRIO, Reporter(quiet=True), True),
        (TRIO, Reporter(), False),
        ({"base": BASE, "early": scenario("early", EARLY)}, Reporter(), True),
    ],
    ids=["quiet", "not asked to share", "nothing in common"],
)
def test_nothing_is_said_to_those_who_miss_nothing(small_memory, capsys, scenarios, reporter, share):
    conduct.carry_out(plan(scenarios=scenarios), None, 1, reporter, share)
    assert "burn-in" not in capsys.readouterr().err


def test_runs_of_a_precision_are_counted_once(small_memory):
    reporter = Reporter(quiet=True)
    done = conduct.carry_out(plan(precision=0.001), None, 1, reporter)
    assert done.plan.replications > 2
    assert reporter.done == 3 * done.plan.replications


def test_the_platform_is_too_large_and_the_default_is_not():
    platform, default = (scenario(population={"users": users}) for users in (1_200_000_000, 12_000_000))
    assert not_shared([platform, platform]).startswith(
        "each run makes its own burn-in: the state of 1,200,000,000 users takes about 720 MB"
    )
    assert not_shared([default, default]) == not_shared([platform]) == not_shared([]) == ""


def test_a_state_takes_what_is_said_a_user():
    """Halfway up to the next doubling of its tables the true figure is off by a third at most."""
    users = 12_000_000
    state = Simulation().burn_in(scenario(run={"days": 181, "burn_in_days": 180, "settle_days": 0}, population={"users": users}), 1).state
    assert np.isclose(len(state) / users, burn_in.BYTES_A_USER, rtol=1 / 3)


def test_a_finished_run_leaves_no_model_behind(monkeypatch):
    """A thousand runs in one process must not need the memory of a thousand markets."""
    made: list[weakref.ref[AccountMarket]] = []
    before = AccountMarket.__init__

    def noted(model, *arguments, **keywords):
        before(model, *arguments, **keywords)
        made.append(weakref.ref(model))

    monkeypatch.setattr(AccountMarket, "__init__", noted)
    runs = Simulation()
    runs(BASE, 1)
    runs.branch(TRIO["audit"], 1, runs.burn_in(BASE, 1))
    gc.collect()
    assert len(made) == 3
    assert [one() for one in made] == [None, None, None]
