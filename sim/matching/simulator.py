"""Simulating parameter vectors: runs that are kept and never made twice, and the quantities that targets ask for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sim.burn_in import Simulate
from sim.jobs import Failure, Job, Progress, run_jobs
from sim.matching.targets import Target
from sim.provenance import run_id
from sim.scenario import Scenario
from sim.store import DONE, FAILED, Parts
from sim.workers import Workers

Reals = NDArray[np.float64]
Tell = Callable[[Progress], None]


@dataclass(frozen=True)
class Vector:
    """A parameter vector to be simulated: its name, values by `group.name`, the seed of its first run, how many runs."""

    name: str
    values: Mapping[str, float]
    seed: int
    runs: int = 1


class Simulator(Protocol):
    """What yields quantities for parameter vectors: the market, or a stand-in."""

    def __call__(self, vectors: Sequence[Vector], stage: str) -> Reals:
        """Return each target's quantity as a mean over the runs of each vector, `(vectors, targets)`; NaN where a run failed."""


@dataclass
class Market:
    """The simulator: `scenario` with a vector's values in place of the ledger's, run by the executor, kept in `parts`."""

    scenario: Scenario
    targets: Sequence[Target]
    parts: Parts
    workers: Workers = 1
    progress: Tell | None = None
    how: Simulate | None = None
    jobs: dict[str, Job] = field(default_factory=dict)
    failures: dict[str, Failure] = field(default_factory=dict)
    tell_all: Callable[[], None] | None = None

    def __call__(self, vectors: Sequence[Vector], stage: str) -> Reals:
        """Make the runs that are missing; see `Simulator`."""
        plans = [[self._job(vector, k) for k in range(vector.runs)] for vector in vectors]
        self.jobs.update({job.run_id: job for jobs in plans for job in jobs})
        if self.tell_all:
            self.tell_all()
        if self.progress:
            self.progress(Progress(1, stage=f"{stage} ..."))
        report = run_jobs([job for jobs in plans for job in jobs], self.parts, self.workers, self.progress, self.how)
        self.failures.update({failure.run_id: failure for failure in report.failed})
        return np.array([self._quantities(jobs) for jobs in plans], dtype=np.float64).reshape(len(plans), len(self.targets))

    def _job(self, vector: Vector, k: int) -> Job:
        scenario = self.scenario.changed({f"parameters.{name}": value for name, value in vector.values.items()})
        scenario = scenario.model_copy(update={"name": vector.name, "title": vector.name.replace("_", " ")})
        return Job(scenario, vector.name, k, vector.seed + k, run_id(scenario.identity(), vector.seed + k))

    def _quantities(self, jobs: Sequence[Job]) -> list[float]:
        if not all(self.parts.has(job.run_id) for job in jobs):
            return [np.nan] * len(self.targets)
        means = [self.parts.summary(job.run_id)[1] for job in jobs]
        return [float(np.mean([target.of(row, jobs[0].scenario) for row in means])) for target in self.targets]

    def manifest(self, name: str, title: str, settings: Mapping[str, Any], finished: bool) -> dict[str, Any]:
        """Return what the manifest says of the runs asked for so far."""
        about = {"command": name, "name": name, "title": title, "question": "", "seed": self.scenario.run.seed, "settings": dict(settings)}
        return manifest_of(list(self.jobs.values()), self.parts, self.failures, about, finished)


def manifest_of(
    jobs: Sequence[Job], parts: Parts, failures: Mapping[str, Failure], about: Mapping[str, Any], finished: bool
) -> dict[str, Any]:
    """Return what the manifest says of runs that follow no plan, in the layout that `abm replay` reads; failures are by run id.

    `about` has command, name, title, question, seed and settings.
    """

    def status(job: Job) -> str:
        return DONE if parts.has(job.run_id) else FAILED if job.run_id in failures else "missing"

    return {
        "finished": finished,
        **about,
        "baseline": None,
        "outcomes": [],
        "headline": [],
        "precision": None,
        "widest": None,
        "replications": max((job.replication + 1 for job in jobs), default=1),
        "seeds": sorted({job.seed for job in jobs}),
        "axes": [],
        "levels": {},
        "scenarios": {
            job.scenario_name: {
                "title": job.scenario.title,
                "hash": hashlib.sha256(job.scenario.identity().encode()).hexdigest()[:16],
                "resolved": job.scenario.model_dump(mode="json"),
            }
            for job in {job.scenario_name: job for job in jobs}.values()
        },
        "runs": [{**asdict(job.row), "status": status(job)} for job in jobs],
        "failures": [asdict(failure) for failure in failures.values()],
    }
