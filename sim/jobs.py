"""Runs x scenarios x replications: which are missing, in which processes they run, what happens when one fails."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from sim.burn_in import BurnIn, Ids, Schedule, Simulate, Simulation
from sim.provenance import run_ids
from sim.scenario import Scenario
from sim.starting import interrupts_held
from sim.store import Parts, Place, Row, RunResult, WriteError
from sim.workers import Crash, Workers, at_most, count, in_processes

simulate: Simulate = Simulation()
"""What makes runs."""

MOST_SEED = 2**53
"""Above it tables and JSON would not tell a seed from the next."""


@dataclass(frozen=True)
class Job:
    """One run to be made: a scenario under one seed."""

    scenario: Scenario
    scenario_name: str
    replication: int
    seed: int
    run_id: str

    @property
    def row(self) -> Row:
        """Return what the tables say of the run."""
        return Row(self.run_id, self.scenario_name, self.replication, self.seed)


@dataclass(frozen=True)
class Failure:
    """A run that raised: which it was, and the traceback as text."""

    run_id: str
    scenario: str
    replication: int
    seed: int
    traceback: str


@dataclass(frozen=True)
class Progress:
    """How far the runs are: `skipped` were there before, `computed` and `failed` were made now, of `total`.

    Those computed took `seconds`, each its equal part of a burn-in that it shared; `at_once` may be under way together.
    """

    total: int
    skipped: int = 0
    computed: int = 0
    failed: int = 0
    stage: str = "runs"
    note: str = ""
    """What is to be said once, beside the numbers."""
    seconds: float = 0.0
    at_once: int = 1

    @property
    def left(self) -> int:
        """Return how many runs are still to be made."""
        return self.total - self.skipped - self.computed - self.failed


@dataclass
class RunReport:
    """What `run_jobs` did, by run id; `failed` holds the records of the failed runs."""

    done: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)


def jobs_of(scenarios: Mapping[str, Scenario], replications: int, seed: int, later: Mapping[str, int] | None = None) -> list[Job]:
    """List the runs of every scenario, interleaved by replication.

    Replication k of each has the seed `seed` + k, and those named in `later` so much more.
    """
    ids = {name: run_ids(scenario.identity()) for name, scenario in scenarios.items()}
    firsts = {name: seed + (later or {}).get(name, 0) for name in scenarios}
    return [
        Job(scenario, name, k, firsts[name] + k, ids[name](firsts[name] + k))
        for k in range(replications)
        for name, scenario in scenarios.items()
    ]


def too_late(first: int, last: int) -> str:
    """Say what is allowed in place of a first seed with which the last run has the seed `last`; nothing where that can be."""
    over = last - MOST_SEED
    return f"must be at most {first - over} here, so that the last run has a seed of at most {MOST_SEED}" if over > 0 else ""


def attempt(function: Callable[..., Any], *arguments: Any) -> RunResult | BurnIn | str:
    """Make a run or a burn-in without raising: the text of the traceback stands in for one that fails."""
    try:
        made = function(*arguments)
        return made if isinstance(made, BurnIn) else RunResult(*made)
    except Exception:  # noqa: BLE001  # whatever a run raises is recorded, and the other runs go on
        return traceback.format_exc()


@dataclass(frozen=True)
class Written:
    """What stands in for the result of a run that the process which made it has kept; it took `seconds`, if they are known."""

    seconds: float = 0.0


OUT_OF_SIGHT = "a process does not see the results directory"


def made(place: Place | None, ids: Ids, function: Callable[..., Any], *arguments: Any) -> RunResult | BurnIn | Written | str:
    """Make a run or, for several `ids`, the burn-in that they share, and keep it at `place` if this process sees that.

    Raises `WriteError` when the disk refuses a run.
    """
    if place is None or (len(ids) == 1 and not place.in_sight):
        return attempt(function, *arguments)
    if not place.in_sight:  # states are too large to be handed from machine to machine
        return OUT_OF_SIGHT
    if len(ids) == 1 and place.has(ids[0]):  # an executor that lost the word of it has it made again
        return Written()
    result = attempt(function, *arguments)
    if isinstance(result, RunResult):
        place.write(ids[0], result)
        return Written(result.seconds)
    if isinstance(result, BurnIn) and isinstance(result.state, bytes):
        with suppress(WriteError):  # a disk with room for runs may have none for states, which then are handed over
            return replace(result, state=place.put(result.state))
    return result


def run_jobs(
    jobs: Sequence[Job],
    store: Parts,
    workers: Workers = 1,
    progress: Callable[[Progress], None] | None = None,
    how: Simulate | None = None,
    share_burn_in: bool = True,
) -> RunReport:
    """Make the runs that `store` does not have.

    Each is kept as soon as it is finished; one that raises is recorded and the others go on. With one worker the runs are made in
    this process, else in others or by an executor; runs that are alike until policies start share their burn-in if `share_burn_in`;
    results depend on none of these. A run of which the store has the record that it failed is not made again: it has failed.
    `KeyboardInterrupt` passes through, with what was finished kept. `how` is a stand-in for `simulate`.
    """
    report = RunReport()
    pending = _missing(jobs, store, report)
    total, at_once = len(pending) + len(report.skipped) + len(report.failed), min(count(workers), max(len(pending), 1))
    state = Progress(total, len(report.skipped), failed=len(report.failed), at_once=at_once)
    tell = progress or (lambda _: None)
    tell(state)
    told: set[str] = set()

    def keep(job: Job, result: RunResult | BurnIn | Written | str | Crash) -> None:
        nonlocal state
        with interrupts_held():
            if isinstance(result, RunResult | Written):
                if isinstance(result, RunResult):
                    store.write(job.run_id, result)
                else:
                    store.written(job.run_id)
                report.done.append(job.run_id)
                state = replace(state, seconds=state.seconds + result.seconds)
            else:
                text = f"{result}\n" if isinstance(result, Crash) else str(result)
                failure = Failure(job.run_id, job.scenario_name, job.replication, job.seed, text)
                store.fail(vars(failure))
                report.failed.append(failure)
            state = replace(state, computed=len(report.done), failed=len(report.failed))
            tell(state)

    def finished(ids: Ids, result: RunResult | BurnIn | Written | str | Crash) -> None:
        if len(ids) == 1:
            keep(pending[ids[0]], result)
            if workers != 1 and store.place is not None and isinstance(result, RunResult):
                once(OUT_OF_SIGHT, f"a run and its burn-in were made whole and handed over: {OUT_OF_SIGHT}")
        elif not isinstance(result, BurnIn):
            why = str(result).strip().splitlines()[-1]
            once(why, f"burn-in of seed {pending[ids[0]].seed} cannot be shared, {len(ids)} runs make their own: {why}")
        schedule.over(ids, result)

    def once(why: str, note: str) -> None:
        if why not in told:
            told.add(why)
            tell(replace(state, note=note))

    schedule = Schedule({key: (job.scenario, job.seed) for key, job in pending.items()}, how or simulate, count(workers), share_burn_in)
    if workers == 1:
        while schedule.calls:
            ids, call = schedule.calls.popleft()
            finished(ids, attempt(*call))
    else:
        in_processes(partial(made, store.place), schedule.calls, at_most(workers, len(pending)), finished)
    order = {job.run_id: k for k, job in enumerate(jobs)}
    report.failed.sort(key=lambda failure: order[failure.run_id])  # not as they happened to end
    return report


def _missing(jobs: Sequence[Job], store: Parts, report: RunReport) -> dict[str, Job]:
    """Return by id the runs that are to be made; note in the report those that are there and those that are known to fail."""
    pending: dict[str, Job] = {}
    seen: set[str] = set()
    for job in jobs:
        if job.run_id in seen:
            continue
        seen.add(job.run_id)
        if store.has(job.run_id):
            report.skipped.append(job.run_id)
        elif record := store.failure(job.run_id):
            report.failed.append(Failure(job.run_id, job.scenario_name, job.replication, job.seed, str(record.get("traceback", ""))))
        else:
            pending[job.run_id] = job
    return pending
