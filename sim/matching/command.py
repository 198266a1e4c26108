"""Calibration by history matching, from targets to the set that ships: what `abm calibrate` does."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.burn_in import Simulate
from sim.jobs import Failure, Progress
from sim.matching import tables
from sim.matching.asked import Asked, changes, check, settings_of
from sim.matching.defaults import MEMBERS, POINTS, REPLICATIONS, SMALL, WAVES, WORLD_POINTS
from sim.matching.design import Space
from sim.matching.emulator import FEWEST, TooFewError, require_extra
from sim.matching.members import CHECKS, Found, find_members
from sim.matching.recovery import Recovery, recover, synthetic_worlds
from sim.matching.simulator import Market, Tell, Vector
from sim.matching.targets import Problem, read_problem
from sim.matching.waves import History, inside, run_waves
from sim.plan import CALIBRATE
from sim.provenance import provenance
from sim.scenario import Scenario
from sim.store import Memory, Store, runs_table, write_csv, write_table
from sim.workers import Workers, count

Reals = NDArray[np.float64]

TABLES = ("feasible", "waves", "emulators", "plausible", "members", "ranges", "recovery", "recovery_emulators")
"""Files that a calibration writes; one that an earlier call left and this one does not make is taken away."""

_LEDGER_RUNS = 4


class RunsFailedError(RuntimeError):
    """So many runs raised that nothing can be learnt of the rest; `failures` are those, of `total` runs."""

    def __init__(self, failures: tuple[Failure, ...], total: int) -> None:
        self.failures, self.total = failures, total
        super().__init__(f"{len(failures)} of {total} runs failed; what is left is too little to learn from")


@dataclass(frozen=True)
class Calibration:
    """What came of it: `tables` by the name of their files, and the runs that raised.

    `feasible` says whether the ledger's own vector is inside every hard range, `complete` whether as many members were found as asked for,
    and recovery was done if it was; `unrecovered`, why it was not.
    """

    problem: Problem
    history: History
    found: Found | None
    recovered: Recovery | None
    tables: Mapping[str, pd.DataFrame]
    failures: tuple[Failure, ...]
    feasible: bool
    complete: bool
    unrecovered: str = ""

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
        if self.unrecovered:
            said.append(f"Recovery was not done: {self.unrecovered}.")
        if self.recovered is not None:
            worlds = len(self.recovered.joint)
            if self.recovered.failed:
                said.append(f"Recovery: {self.recovered.failed} of {self.recovered.failed + worlds} synthetic worlds failed.")
            said += [
                f"Recovery, {row['of']}: {100 * row['coverage']:.1f} % held the truth (standard error {100 * row['standard_error']:.1f} %)."
                for row in self.tables["recovery"].iloc[:3].to_dict("records")
            ]
        return said


def calibrate(
    targets: Path | str | Problem | None = None,
    scenario: Scenario | None = None,
    waves: int = WAVES,
    points: int = POINTS,
    replications: int = REPLICATIONS,
    members: int = MEMBERS,
    recovery: int = 0,
    recovery_points: int = WORLD_POINTS,
    out: Path | str | None = None,
    workers: Workers = 1,
    progress: Tell | None = None,
    how: Simulate | None = None,
    retry_failed: bool = False,
) -> Calibration:
    """Match the standing regime with its targets; return the waves, the set of `members` vectors, and recovery in synthetic worlds.

    `targets` is a file or what was read from one (the shipped one if not given), `scenario` what is simulated (`scenarios/baseline.toml`'s
    defaults if not given), with each vector in place of the ledger's values. `members` and `recovery` may be 0. Runs are kept in the
    results directory `out`, and none is made twice: the same call goes on where it was interrupted, and asking for members or recovery
    later makes only their runs. A run that failed stays failed, unless `retry_failed`. `how` is a stand-in for `simulate`.

    Raises `ScenarioError` for bad input or a missing extra, `StoreError` for a directory that cannot be used, `WriteError` when the disk
    refuses, `RunsFailedError` when too few runs end well, `TooFewError` when too few have a value of a target.
    """
    require_extra()
    problem = targets if isinstance(targets, Problem) else read_problem(targets)
    asked = Asked(waves, points, replications, members, recovery, recovery_points)
    base = scenario if scenario is not None else _standing()
    check(asked, problem, base)
    if out is None:
        market = Market(base, problem.targets, Memory(), workers, progress, how)
        return _calibrate(problem, asked, market)
    start = time.perf_counter()
    with Store(Path(out), retry_failed=retry_failed) as store:
        market = Market(base, problem.targets, store, workers, progress, how)
        about: dict[str, Any] = {**provenance(), "workers": count(workers)}
        settings = settings_of(asked, problem, base)

        def manifest(finished: bool) -> dict[str, Any]:
            return {**market.manifest(CALIBRATE, "Calibration by history matching", settings, finished), **about}

        store.goes_on_with(manifest(finished=False))  # refuses the directory of another command
        if progress and (changed := changes((store.held or {}).get("settings"), settings)):
            told = f"had other settings: {changed}; its tables are replaced, its finished runs are kept"
            progress(Progress(1, stage=f"{CALIBRATE} in {out} {told}"))
        market.tell_all = lambda: store.write_manifest(manifest(finished=False))
        try:
            done = _calibrate(problem, asked, market)
        except (RunsFailedError, TooFewError):
            market.tell_all()
            raise
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
    history = _waves(problem, space, market, asked)
    made = {"feasible": tables.feasible(problem, runs), "waves": tables.waves(history), "emulators": tables.emulators(history)}
    found = None
    if asked.members:
        found = find_members(
            problem, space, market, history.sample, asked.members, seed, ledger if feasible else None, max(CHECKS, asked.replications)
        )
        made |= {"plausible": tables.plausible(space, found), "members": tables.members(problem, space, found)}
    made["ranges"] = tables.ranges(space, history.sample, found)
    recovered, unrecovered = _recovered(problem, asked, market, space, history, hard) if asked.recovery else (None, "")
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
        complete=(found is None or len(found.points) == asked.members) and not unrecovered,
        unrecovered=unrecovered,
    )


def _waves(problem: Problem, space: Space, market: Market, asked: Asked) -> History:
    """Run the waves; raises `RunsFailedError` when the last one cannot be learnt from because its runs raised, else `TooFewError`."""
    alive = asked.points

    def simulate(vectors: Sequence[Vector], stage: str) -> Reals:
        nonlocal alive
        found = market(vectors, stage)
        failed = {failure.scenario for failure in market.failures.values()}
        alive = sum(vector.name not in failed for vector in vectors)
        return found

    try:
        return run_waves(problem, space, simulate, asked.waves, asked.points, asked.replications, market.scenario.run.seed)
    except TooFewError as error:
        if market.failures and alive < FEWEST:
            raise RunsFailedError(tuple(market.failures.values()), len(market.jobs)) from error
        users = f"among {market.scenario.population.users:,} users what it is about may not happen in a run"
        raise TooFewError(f"{error}; {users}: give more --users, or else more --points") from error


def _recovered(
    problem: Problem, asked: Asked, market: Market, space: Space, history: History, hard: list[int]
) -> tuple[Recovery | None, str]:
    """Simulate synthetic worlds in the small world; without a result, say why."""
    if len(history.sample) < asked.recovery + FEWEST:
        wanted = f"{asked.recovery} worlds and at least {FEWEST} vectors to emulate have to be drawn from them"
        return None, f"the waves left a sample of {len(history.sample)} vectors; {wanted}"
    small = replace(market, scenario=market.scenario.changed(SMALL))  # shares the record of jobs and failures with `market`

    def simulate(vectors: Any, stage: str) -> Reals:
        return small(vectors, stage)[:, hard]

    seed = market.scenario.run.seed
    try:
        worlds = synthetic_worlds(space, problem.hard, simulate, history.sample, asked.recovery, asked.recovery_points, seed)
    except TooFewError as error:  # the waves' tables are worth keeping
        return None, str(error)
    result = recover(space, worlds, history.region, history.sample, seed)
    return result, "" if result is not None else f"{worlds.failed} of {asked.recovery} synthetic worlds failed"


def _standing() -> Scenario:
    """Return the standing regime as it is without a file: every default of a scenario."""
    from sim.scenario import scenario_from

    return scenario_from({"name": "baseline"}, "baseline")
