"""Carry an experiment with a design out: the scenario at every point, through the executor and the store, and a row a point."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from sim.burn_in import Simulate, not_shared
from sim.comparison import Kept
from sim.conduct import check_seeds, check_workers
from sim.exploring.design import ONE_AT_A_TIME
from sim.exploring.file import Exploration, load_exploration
from sim.exploring.given import Values
from sim.exploring.points import require_extra, settings, values_of
from sim.exploring.tables import points_table
from sim.faults import OVERRIDE, Fault, ScenarioError
from sim.figures import write_figures
from sim.jobs import Failure, Progress, run_jobs
from sim.plan import EXPERIMENT, Plan, standing
from sim.provenance import provenance
from sim.store import Memory, Parts, Results, Store, write_csv, write_table, writing
from sim.workers import Workers, count

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Tell = Callable[[Progress], None]

OWN = 0
"""Number of the point that is the scenario as it is, where the experiment has it."""

SENSITIVITY = ("sensitivity", "luck", "ranking")
INTERACTIONS = ("bundle", "shapley", "shapley_by_seed", "interactions")
DISCOVERY = ("worlds", "boxes", "peeling")
"""Tables that an analysis of the runs adds; they are out of date when runs are added."""

FIGURES = ("sensitivity_", "tornado_", "waterfall_", "heatmap_", "discovery_")
"""What the names of its figures begin with."""

_LONGEST_NAME = 64  # of a scenario


@dataclass(frozen=True)
class Point:
    """A scenario at a point: `name` is what runs call it, `of` the scenario that it was made of, `at` the values of its factors."""

    number: int
    name: str
    of: str
    at: Values


@dataclass(frozen=True)
class Layout:
    """Every point of an experiment with its scenarios, as a plan of runs."""

    asked: Exploration
    values: tuple[Values, ...]
    points: tuple[Point, ...]
    plan: Plan

    @property
    def about(self) -> dict[str, Any]:
        """Return what the manifest says of the design."""
        return settings(self.asked, self.values)


@dataclass(frozen=True)
class Explored:
    """Finished runs of an experiment with a design; `failures` are the runs that raised."""

    layout: Layout
    tables: Kept | Results
    failures: Sequence[Failure]

    @property
    def runs(self) -> pd.DataFrame:
        """One row a run: run_id, scenario, replication, seed, seconds, status, and each outcome's mean over the window."""
        return self.tables.runs

    @property
    def daily(self) -> pd.DataFrame:
        """One row a run and day; from a results directory only if the file asks for it."""
        return self.tables.daily

    @cached_property
    def points(self) -> pd.DataFrame:
        """One row a point (and scenario, where there are policies): values of factors, means of outcomes, standard errors, replications.

        Columns: point (0 is the scenario as it is), policy (only where there are some), scenario (as in `runs`), each factor by its dotted
        path, each outcome asked for with its Monte-Carlo `..._standard_error`, and replications, those that ended well.
        """
        asked = self.layout.asked
        return points_table(self.runs, self.layout.points, [factor.key for factor in asked.factors], asked.outcomes)


def experiment(
    file: str | Path,
    replications: int | None = None,
    seed: int | None = None,
    overrides: Mapping[str, object] | None = None,
    workers: Workers = 1,
    out: Path | str | None = None,
    progress: Tell | None = None,
    how: Simulate | None = None,
    retry_failed: bool = False,
) -> Explored:
    """Run the experiment with a design that a file describes; how often and from which seed is in the file unless given.

    `how` is a stand-in for the simulation: a function of scenario and seed that returns outcomes by day, their means and seconds.
    `retry_failed` makes runs again that failed when an earlier call or command with the same `out` made them; else they stay failed.
    With `workers` above 1 a script needs the guard `if __name__ == "__main__":`. Raises `ScenarioError` for bad input or a missing extra,
    `StoreError` for a directory that cannot be used, `WriteError` when the disk refuses. Runs that raise are listed in `failures`.
    """
    given = {"run.replications": replications, "run.seed": seed}
    asked = {**(overrides or {}), **{key: value for key, value in given.items() if value is not None}}
    return carry_out(lay_out(load_exploration(file, asked, OVERRIDE)), out, workers, progress, how, retry_failed)


def lay_out(asked: Exploration) -> Layout:
    """Build the scenarios of every point; raises `ScenarioError` when one is not allowed, or an extra is missing.

    Where there are policies, or one factor is moved at a time, the first point is the scenario as it is.
    """
    require_extra(asked.design)
    values = values_of(asked)
    of = [scenario.name for scenario in asked.scenarios]
    faults: list[Fault] = []
    points: list[Point] = []
    scenarios = {}
    own: list[tuple[int, Values]] = [(OWN, {})] if len(of) > 1 or asked.design.kind == ONE_AT_A_TIME else []
    for number, given in [*own, *enumerate(values, start=1)]:
        names = [_named(number, k, name if len(of) > 1 else "") for k, name in enumerate(of)]
        titles = [f"{scenario.title}, {f'point {number}' if number else 'own values'}"[:200] for scenario in asked.scenarios]
        built = asked.at(given, names, titles, faults)
        scenarios.update({scenario.name: scenario for scenario in built})
        shown = {factor.key: given.get(factor.key, standing(asked.baseline, factor.key)) for factor in asked.factors}
        points += [Point(number, name, source, shown) for name, source in zip(names, of, strict=True)]
    if faults:
        raise ScenarioError(faults)
    plan = Plan(
        command=EXPERIMENT,
        name=asked.name,
        title=asked.title,
        question=asked.question,
        scenarios=scenarios,
        replications=asked.baseline.run.replications,
        seed=asked.baseline.run.seed,
        outcomes=asked.outcomes,
        daily=asked.daily,
    )
    return Layout(asked, tuple(values), tuple(points), plan)


def _named(number: int, k: int, of: str) -> str:
    name = f"point_{number}_{of}" if of else f"point_{number}"
    return name if len(name) <= _LONGEST_NAME else f"point_{number}_scenario_{k}"


def carry_out(
    layout: Layout,
    out: Path | str | None = None,
    workers: Workers = 1,
    progress: Tell | None = None,
    how: Simulate | None = None,
    retry_failed: bool = False,
) -> Explored:
    """Make the runs that are missing and, in a results directory, write tables and manifest; errors as in `experiment`.

    Runs are interleaved by replication: when they are cut off, every point has as many as any other, or one less.
    """
    check_workers(workers)
    plan = layout.plan
    check_seeds(plan)
    if out is None:
        memory = Memory(plan.daily)
        return Explored(layout, Kept(plan, memory), _make(plan, memory, workers, progress, how))
    start = time.perf_counter()
    with Store(Path(out), plan.daily, retry_failed) as store:
        for job in plan.jobs:  # a damaged part is found before anything is written
            store.has(job.run_id)
        about = {**provenance(), "workers": count(workers), "design": layout.about}
        manifest = plan.manifest(store, (), finished=False)
        if not store.goes_on_with(manifest) and progress:
            told = "had other settings: its tables are replaced, its finished runs are kept"
            progress(Progress(1, stage=f"{plan.name} in {out} {told}"))
        store.write_manifest({**manifest, **about})
        cleared(store.path)
        failures = _make(plan, store, workers, progress, how)
        if progress and not plan.daily and (store.path / "daily.parquet").is_file():
            progress(Progress(1, stage="the days that were there are taken away; daily = true in the file makes them again"))
        if progress:
            progress(Progress(1, stage="tables ..."))
        store.write_tables([job.row for job in plan.sorted_jobs], daily=plan.daily)
        done = Explored(layout, Results(store.path), failures)
        write_table(store.path / "points.parquet", done.points)
        write_csv(store.path / "points.csv", done.points)
        about["wall_seconds"] = round(time.perf_counter() - start, 3)
        store.write_manifest({**plan.manifest(store, failures, finished=True), **about})
    return done


def cleared(path: Path) -> None:
    """Take away what an earlier analysis left in a results directory."""
    with writing(path):
        for name in (*SENSITIVITY, *INTERACTIONS, *DISCOVERY):
            (path / f"{name}.csv").unlink(missing_ok=True)
        for old in (path / "figures").glob("*.*"):
            if old.suffix in {".png", ".svg"} and old.name.startswith(FIGURES):
                old.unlink()


def check_whole(done: Explored) -> None:
    """Raise `ScenarioError` when a run failed: an analysis needs every point."""
    if done.failures:
        wanted = "an analysis needs every point; make them again with --retry-failed (from Python: retry_failed=True)"
        raise ScenarioError([Fault(done.layout.asked.where, "", "", f"{len(done.failures)} runs failed, and {wanted}")])


def write_analysis(path: Path, tables: Mapping[str, pd.DataFrame], figures: Mapping[str, Callable[[], Figure]]) -> None:
    """Write the tables of an analysis that have a row, and its figures, into a results directory, in place of those of an earlier one."""
    with Store(path):
        cleared(path)
        for name, table in tables.items():
            if len(table):
                write_csv(path / f"{name}.csv", table)
        write_figures(path, figures)


def _make(plan: Plan, parts: Parts, workers: Workers, progress: Tell | None, how: Simulate | None) -> list[Failure]:
    if progress and how is None and (reason := not_shared(plan.scenarios.values())):
        progress(Progress(1, stage=reason))
    return run_jobs(plan.jobs, parts, workers, progress, how).failed
