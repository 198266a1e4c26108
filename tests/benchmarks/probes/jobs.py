"""A process that makes many runs through `sim.jobs`, as the command does."""

from __future__ import annotations

import inspect
import sys
import time
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))

from answering import serve
from worlds import ROOT, consequential

from sim.experiment_file import load_experiment
from sim.jobs import Job, jobs_of, run_jobs
from sim.outcomes import OUTCOMES
from sim.scenario import load_scenario
from sim.store import Memory

SHARING = "share_burn_in"
"""The option of `run_jobs` that computes a burn-in once a seed."""

Days = dict[str, dict[str, bytes]]
KEPT: dict[bool, Days] = {}
"""Outcomes of the last comparison with a shared burn-in and without, by run id, to the bit."""


def _done(jobs: list[Job], workers: int, **options: Any) -> tuple[dict[str, float], Days]:
    store = Memory()
    start = time.perf_counter()
    report = run_jobs(jobs, store, workers, **options)
    seconds = time.perf_counter() - start
    if report.failed:
        raise RuntimeError(report.failed[0].traceback)
    runs = {job.run_id: store.read(job.run_id).daily for job in jobs}
    events = sum(float(run[outcome].sum()) for run in runs.values() for outcome in OUTCOMES if consequential(outcome))
    days = {key: {outcome: run[outcome].tobytes() for outcome in OUTCOMES} for key, run in runs.items()}
    return {"seconds": seconds, "events": events, "runs": len(jobs)}, days


def many(workers: int, runs: int, users: int, days: int) -> dict[str, float]:
    """Make runs of the standing regime under as many seeds."""
    sizes = {"population.users": users, "run.days": days, "run.burn_in_days": days // 2, "run.settle_days": 0}
    scenario = load_scenario(ROOT / "scenarios" / "baseline.toml", sizes)
    return _done(jobs_of({"baseline": scenario}, runs, 1), workers)[0]


def can_share() -> bool:
    """Say whether `run_jobs` has the option."""
    return SHARING in inspect.signature(run_jobs).parameters


def comparison(share: bool, experiment: str, users: int | None, replications: int) -> dict[str, float]:
    """Make the runs of an experiment file, with a burn-in for each run or one a seed."""
    asked = load_experiment(ROOT / experiment, {} if users is None else {"population.users": users})
    scenarios = {scenario.name: scenario for scenario in (asked.baseline, *asked.scenarios)}
    done, KEPT[share] = _done(jobs_of(scenarios, replications, asked.seed), 1, **{SHARING: share})
    run = asked.baseline.run
    return done | {"users": asked.baseline.population.users, "days": run.days, "burn_in_days": run.burn_in_days}


def differing() -> list[str]:
    """Return the run ids and outcomes in which the two ways differ in any bit; raises `ValueError` when their runs are not the same."""
    shared, apart = KEPT[True], KEPT[False]
    if shared.keys() != apart.keys():
        raise ValueError("the two ways did not make the same runs")
    return [f"{run} {outcome}" for run in apart for outcome in OUTCOMES if shared[run][outcome] != apart[run][outcome]]


if __name__ == "__main__":
    serve({f.__name__: f for f in (many, can_share, comparison, differing)})
