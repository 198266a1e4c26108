"""Where mixes are tried: runs in every world with the luck that all of them share, made once and kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.burn_in import Simulate
from sim.jobs import Failure, Job, Progress, run_jobs
from sim.matching.simulator import manifest_of
from sim.optimising.file import Optimisation, settings
from sim.plan import OPTIMISE
from sim.provenance import run_id
from sim.robustness import in_member
from sim.scenario import Scenario
from sim.store import Parts
from sim.workers import Workers

Reals = NDArray[np.float64]
Tell = Callable[[Progress], None]


class SearchFailedError(RuntimeError):
    """Runs raised: a search needs every run. `failures` are those."""

    def __init__(self, failures: Sequence[Failure]) -> None:
        self.failures = tuple(failures)
        again = "make them again with --retry-failed (from Python: retry_failed=True)"
        super().__init__(f"{len(self.failures)} runs failed, and a search needs every run; {again}")


@dataclass
class Bench:
    """Makes the runs of an optimisation that `parts` does not have; `how` is a stand-in for the simulation."""

    asked: Optimisation
    parts: Parts
    workers: Workers = 1
    progress: Tell | None = None
    how: Simulate | None = None
    jobs: dict[tuple[str, int], Job] = field(default_factory=dict)
    failures: dict[str, Failure] = field(default_factory=dict)
    tell_all: Callable[[], None] | None = None

    def runs(self, policies: Sequence[Scenario], stage: str, fresh: bool = False) -> Reals:
        """Return the outcomes of some policies, `(policies, worlds, seeds, outcomes)`; raises `SearchFailedError` when a run does.

        Policies share their seeds in a world, worlds do not, and `fresh` seeds are none of the search's.
        """
        search, number = self.asked.search, len(self.asked.worlds)
        replications = range(search.seeds, search.seeds + search.fresh_seeds) if fresh else range(search.seeds)
        jobs = [[self._job(policy, world, k) for world in self.asked.worlds for k in replications] for policy in policies]
        # all policies of a seed stand together, so that they share their burn-in at once
        ordered = [job for column in zip(*jobs, strict=True) for job in column]
        self.jobs.update({(job.scenario_name, job.seed): job for job in ordered})
        if self.tell_all:
            self.tell_all()
        if self.progress:
            self.progress(Progress(1, stage=f"{stage} ..."))
        report = run_jobs(ordered, self.parts, self.workers, self.progress, self.how)
        if report.failed:
            self.failures.update({failure.run_id: failure for failure in report.failed})
            raise SearchFailedError(report.failed)
        found = [[self._outcomes(job) for job in row] for row in jobs]
        return np.array(found, dtype=np.float64).reshape(len(policies), number, len(replications), len(self.asked.outcomes))

    def _job(self, policy: Scenario, world: int, k: int) -> Job:
        values = self.asked.worlds[world]
        scenario = in_member(policy, values, f"__m{world:02d}", world) if values else policy
        seed = self.asked.seed_of(world, k)
        return Job(scenario, scenario.name, k, seed, run_id(scenario.identity(), seed))

    def _outcomes(self, job: Job) -> list[float]:
        means = self.parts.summary(job.run_id)[1]
        return [means[name] for name in self.asked.outcomes]

    def manifest(self, finished: bool) -> dict[str, Any]:
        """Return what the manifest says of the runs asked for so far."""
        asked = self.asked
        about = {
            "command": OPTIMISE,
            "name": asked.name,
            "title": asked.title,
            "question": asked.question,
            "seed": asked.baseline.run.seed,
            "settings": {**settings(asked), "trials": asked.search.trials, "fresh_seeds": asked.search.fresh_seeds},
        }
        return manifest_of(list(self.jobs.values()), self.parts, self.failures, about, finished)
