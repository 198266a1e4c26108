"""Calibration by history matching, from targets to the set that ships: what `abm calibrate` does."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.experiment import Failure, Simulate
from sim.faults import Fault, ScenarioError, show
from sim.matching import tables
from sim.matching.design import Space
from sim.matching.emulator import FEWEST, require_extra
from sim.matching.members import CHECKS, Found, find_members
from sim.matching.recovery import Recovery, recover, synthetic_worlds
from sim.matching.simulator import Market, Tell, Vector
from sim.matching.targets import Problem, read_problem
from sim.matching.waves import History, inside, run_waves
from sim.provenance import provenance
from sim.scenario import Scenario
from sim.store import Memory, Store, runs_table, write_csv, write_table

Reals = NDArray[np.float64]

NAME = "calibrate"

SMALL: dict[str, object] = {"population.users": 2_000_000, "run.days": 300, "run.burn_in_days": 120, "run.settle_days": 0}
"""The world of parameter recovery: its emulators are made in it, so it need be neither large nor settled."""

TABLES = ("feasible", "waves", "emulators", "plausible", "members", "ranges", "recovery", "recovery_emulators")
"""Files that a calibration writes; one that an earlier call left and this one does not make is taken away."""

_LEDGER_RUNS = 4
_WORLD_POINTS = 160


@dataclass(frozen=True)
class Asked:
    """What `calibrate` was asked for."""

    waves: int
    points: int
    replications: int
    members: int
    recovery: int
    recovery_points: int


@dataclass(frozen=True)
class Calibration:
    """What came of it: `tables` by the name of their files, and the runs that raised.

    `feasible` says whether the ledger's own vector is inside every hard range, `complete` whether as many members were found as asked for.
    """

    problem: Problem
    history: History
    found: Found | None
    recovered: Recovery | None
    tables: Mapping[str, pd.DataFrame]
    failures: tuple[Failure, ...]
    feasible: bool
    complete: bool

    @property
    def sentences(self) -> list[str]:
        """Say in plain words what was found."""
        said = ["The ledger's own vector is inside every hard range." if self.feasible else "The ledger's own vector misses a hard range."]
        for wave in self.history.waves:
            left = f"{100 * wave.share.value:.3g} % (standard error {100 * wave.share.error:.2g} %) of the box is left"
            said.append(
                f"Wave {wave.number}: {len(wave.points)} vectors, {wave.failed} failed, {wave.inside} inside every hard range; {left}."
            )
        said.append(f"The last wave, because: {self.history.waves[-1].last}.")
        if self.found is not None:
            said.append(f"The set has {len(self.found.points)} members; {self.found.passed} of {self.found.tried} candidates passed.")
        narrowed = self.tables["ranges"]
        open_ = narrowed.loc[~narrowed["narrowed"], "parameter"].tolist()
        said.append(f"Not narrowed by the targets: {', '.join(open_) if open_ else 'none'}.")
        if self.recovered is not None:
            said += [
                f"Recovery, {row['of']}: {100 * row['coverage']:.1f} % held the truth (standard error {100 * row['standard_error']:.1f} %)."
                for row in self.tables["recovery"].iloc[:2].to_dict("records")
            ]
        return said


def calibrate(
    targets: Path | str | None = None,
    scenario: Scenario | None = None,
    waves: int = 3,
    points: int = 160,
    replications: int = 1,
    members: int = 40,
    recovery: int = 0,
    recovery_points: int = _WORLD_POINTS,
    out: Path | str | None = None,
    workers: int = 1,
    progress: Tell | None = None,
    how: Simulate | None = None,
) -> Calibration:
    """Match the standing regime with its targets; return the waves, the set of `members` vectors, and recovery in synthetic worlds.

    `targets` is a file (the shipped one if not given), `scenario` what is simulated (`scenarios/baseline.toml`'s defaults if not given),
    with each vector in place of the ledger's values. `members` and `recovery` may be 0. Runs are kept in the results directory `out`, and
    none is made twice: the same call goes on where it was interrupted, and asking for members or recovery later makes only their runs.
    `how` is a stand-in for `simulate`. Raises `ScenarioError` for bad input or a missing extra, `StoreError` for a directory that cannot
    be used, `WriteError` when the disk refuses.
    """
    require_extra()
    problem = read_problem(targets)
    asked = Asked(waves, points, replications, members, recovery, recovery_points)
    base = scenario if scenario is not None else _standing()
    _check(asked, problem, base)
    if out is None:
        market = Market(base, problem.targets, Memory(), workers, progress, how)
        return _calibrate(problem, asked, market)
    start = time.perf_counter()
    with Store(Path(out)) as store:
        market = Market(base, problem.targets, store, workers, progress, how)
        about: dict[str, Any] = {**provenance(), "workers": workers}
        settings = {**asdict(asked), "parameters": list(problem.parameters), "targets": [asdict(target) for target in problem.targets]}

        def manifest(finished: bool) -> dict[str, Any]:
            return {**market.manifest(NAME, "Calibration by history matching", settings, finished), **about}

        store.goes_on_with(manifest(finished=False))  # refuses the directory of another command
        market.tell_all = lambda: store.write_manifest(manifest(finished=False))
        done = _calibrate(problem, asked, market)
        write_table(store.path / "runs.parquet", runs_table([job.row for job in market.jobs.values()], store))
        for name in set(TABLES) - set(done.tables):
            (store.path / f"{name}.csv").unlink(missing_ok=True)
        for name, table in done.tables.items():
            write_csv(store.path / f"{name}.csv", table)
        about["wall_seconds"] = round(time.perf_counter() - start, 3)
        store.write_manifest(manifest(finished=True))
    return done


def _calibrate(problem: Problem, asked: Asked, market: Market) -> Calibration:
    space, seed = Space(problem.parameters), market.scenario.run.seed
    hard = [k for k, target in enumerate(problem.targets) if target.hard]
    own = [Vector(f"ledger_{k + 1}", space.values(space.centre), seed + k) for k in range(_LEDGER_RUNS)]
    runs = market(own, "the ledger's own vector")
    ledger = runs.mean(axis=0)
    feasible = bool(inside(ledger[None, hard], problem.hard)[0])
    history = run_waves(problem, space, market, asked.waves, asked.points, asked.replications, seed)
    made = {"feasible": tables.feasible(problem, runs), "waves": tables.waves(history), "emulators": tables.emulators(history)}
    found = None
    if asked.members:
        found = find_members(
            problem, space, market, history.sample, asked.members, seed, ledger if feasible else None, max(CHECKS, asked.replications)
        )
        made |= {"plausible": tables.plausible(space, found), "members": tables.members(problem, space, found)}
    made["ranges"] = tables.ranges(space, history.sample, found)
    recovered = _recovered(problem, asked, market, space, history, hard) if asked.recovery else None
    if recovered is not None:
        made |= {"recovery": tables.recovery(recovered), "recovery_emulators": tables.recovery_fit(recovered, problem.hard)}
    return Calibration(
        problem=problem,
        history=history,
        found=found,
        recovered=recovered,
        tables=made,
        failures=tuple(market.failures.values()),
        feasible=feasible,
        complete=found is None or len(found.points) == asked.members,
    )


def _recovered(problem: Problem, asked: Asked, market: Market, space: Space, history: History, hard: list[int]) -> Recovery | None:
    """Simulate synthetic worlds in the small world; None when the waves left nothing to draw them from."""
    if len(history.sample) < asked.recovery:
        return None
    small = replace(market, scenario=market.scenario.changed(SMALL))  # shares the record of jobs and failures with `market`

    def simulate(vectors: Any, stage: str) -> Reals:
        return small(vectors, stage)[:, hard]

    seed = market.scenario.run.seed
    worlds = synthetic_worlds(space, problem.hard, simulate, history.sample, asked.recovery, asked.recovery_points, seed)
    return recover(space, worlds, history.region, history.sample, seed)


def _standing() -> Scenario:
    """Return the standing regime as it is without a file: every default of a scenario."""
    from sim.scenario import scenario_from

    return scenario_from({"name": "baseline"}, "baseline")


def _check(asked: Asked, problem: Problem, scenario: Scenario) -> None:
    """Raise `ScenarioError` for numbers that make no sense, and for a scenario that sets what is to be matched."""
    least = {
        "waves": 1,
        "points": max(FEWEST, len(problem.parameters)),
        "replications": 1,
        "members": 0,
        "recovery": 0,
        "recovery_points": FEWEST,
    }
    faults = [
        Fault("", name, show(value), f"must be a whole number, at least {least[name]}")
        for name, value in asdict(asked).items()
        if value < least[name]
    ]
    if asked.recovery == 1:
        faults.append(Fault("", "recovery", "1", "must be 0 for none, or at least 2: one world has no coverage"))
    faults += [
        Fault("", f"parameters.{name}", "", "is matched; a scenario that sets it leaves nothing to match")
        for name in problem.parameters
        if name.split(".")[1] in scenario.parameters.get(name.split(".")[0], {})
    ]
    if faults:
        raise ScenarioError(faults)
