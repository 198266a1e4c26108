"""The model as a plain function, for libraries that call one: by name, as the EMA workbench does, or on rows of an array, as SALib does."""

from __future__ import annotations

import keyword
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim.burn_in import Simulate
from sim.conduct import MOST_RUNS, check_workers
from sim.exploring.factors import full_key, is_whole, no_factor, outside, span
from sim.faults import Fault, ScenarioError, corrected, nearest, one_of, show, whole_number
from sim.jobs import MOST_SEED, jobs_of, run_jobs, too_late
from sim.scenario import Scenario
from sim.store import MEANS, Memory
from sim.workers import Workers

Reals = NDArray[np.float64]

_CALL = "as_function"


@dataclass(frozen=True)
class MarketFunction:
    """A scenario as a function of some of its numbers; made by `as_function`.

    `factors` gives each argument's name and the dotted path that it sets; `outcomes` are means over the window and over `replications` runs
    with the seeds `seed`, `seed` + 1, ..., the same ones at every call, so that equal arguments give equal values, to the bit. It
    can be pickled; `how` is a stand-in for the simulation.
    """

    scenario: Scenario
    factors: Mapping[str, str]
    outcomes: tuple[str, ...]
    replications: int
    seed: int
    how: Simulate | None = None

    @cached_property
    def ranges(self) -> dict[str, tuple[float, float]]:
        """Return the least and the greatest value of each argument: the ledger's range, or 0 to 1; days from 0 to the last one."""
        last = self.scenario.run.days - 1
        return {name: (0, last) if is_whole(key) else span(key)[:2] for name, key in self.factors.items()}

    @property
    def problem(self) -> dict[str, Any]:
        """Return what SALib calls the problem: names, bounds and outputs; bounds may be narrowed before it is sampled."""
        return {
            "num_vars": len(self.factors),
            "names": list(self.factors),
            "bounds": [list(ends) for ends in self.ranges.values()],
            "outputs": list(self.outcomes),
        }

    def __call__(self, **values: float) -> dict[str, float]:
        """Return the outcomes by name, from values by the names of arguments; what is left out is as the scenario has it.

        Raises `ScenarioError` for a name or a value that is not allowed, and `RuntimeError` when a run raises.
        """
        faults = [
            Fault(_CALL, name, show(values[name]), corrected(nearest(name, self.factors), f"it must be {one_of(self.factors)}"))
            for name in values
            if name not in self.factors
        ]
        if faults:
            raise ScenarioError(faults)
        return dict(zip(self.outcomes, map(float, self._values([values], 1)[0]), strict=True))

    def evaluate(self, points: ArrayLike, workers: Workers = 1) -> Reals:
        """Return the outcomes at each point: `(points,)` for one outcome, else `(points, outcomes)`.

        `points` has the shape `(points, factors)`, columns in the order of `factors`. The number of processes changes nothing. With
        `workers` above 1 a script needs the guard `if __name__ == "__main__":`. Errors as in a call.
        """
        rows = np.asarray(points, dtype=np.float64)
        if rows.ndim != 2 or rows.shape[1] != len(self.factors):
            wanted = f"must have the shape (points, {len(self.factors)}), a column for each of {', '.join(self.factors)}"
            raise ScenarioError([Fault(_CALL, "points", f"of shape {rows.shape}", wanted)])
        found = self._values([dict(zip(self.factors, map(float, row), strict=True)) for row in rows], workers)
        return found[:, 0] if len(self.outcomes) == 1 else found

    def _values(self, points: Sequence[Mapping[str, float]], workers: Workers) -> Reals:
        """Return outcomes, `(points, outcomes)`."""
        check_workers(workers)
        scenarios = {f"point_{k}": self._at(values) for k, values in enumerate(points, start=1)}
        jobs = jobs_of(scenarios, self.replications, self.seed)
        kept = Memory(days=False)
        failed = run_jobs(jobs, kept, workers, how=self.how).failed
        if failed:
            first = failed[0]
            where = ", ".join(f"{name} = {value:g}" for name, value in points[int(first.scenario.removeprefix("point_")) - 1].items())
            raise RuntimeError(f"{len(failed)} of {len(jobs)} runs failed, the first at {where} (seed {first.seed}):\n{first.traceback}")
        by_run = np.array([[kept.summary(job.run_id)[1][name] for name in self.outcomes] for job in jobs], dtype=np.float64)
        return np.asarray(by_run.reshape(self.replications, len(points), len(self.outcomes)).mean(axis=0))

    def _at(self, values: Mapping[str, float]) -> Scenario:
        """Return the scenario with values of arguments in place of its own."""
        faults, asked = [], {}
        for name, value in values.items():
            key = self.factors[name]
            number = float(value) if isinstance(value, int | float | np.number) and not isinstance(value, bool) else math.nan
            if problem := outside(key, number):
                faults.append(Fault(_CALL, name, show(value), problem))
            asked[key] = int(number) if is_whole(key) and math.isfinite(number) else number
        if faults:
            raise ScenarioError(faults)
        return self.scenario.changed(asked)


def as_function(
    scenario: Scenario,
    factors: Sequence[str],
    outcomes: Sequence[str],
    replications: int | None = None,
    seed: int | None = None,
    how: Simulate | None = None,
) -> MarketFunction:
    """Return a scenario as a function of some of its numbers.

    A factor is a lever's name (the strength of a policy on it) or a dotted path such as `parameters.market.demand_elasticity`, as in an
    experiment file. Its argument is called by the path without `parameters.`, `policies.` and `.strength`, dots as underscores:
    `market_demand_elasticity`. How often and from which seed is in the scenario unless given. Raises `ScenarioError` for what is no factor
    or no outcome.
    """
    keys = [full_key(factor.strip()) for factor in factors]
    names = [_argument(key) for key in keys]
    faults = [
        Fault(_CALL, "factors", show(given), problem) for given, key in zip(factors, keys, strict=True) if (problem := no_factor(key))
    ]
    faults += [Fault(_CALL, "factors", show(factors[k]), "stands twice") for k, name in enumerate(names) if name in names[:k]]
    faults += [
        Fault(_CALL, "outcomes", show(name), corrected(nearest(name, MEANS), f"it must be {one_of(MEANS, 'abm outcomes')}"))
        for name in outcomes
        if name not in MEANS
    ]
    faults += [
        Fault(_CALL, what, "[]", "must hold at least one") for what, some in (("factors", factors), ("outcomes", outcomes)) if not some
    ]
    runs = whole_number(_CALL, "replications", scenario.run.replications if replications is None else replications, 1, MOST_RUNS, faults)
    first = whole_number(_CALL, "seed", scenario.run.seed if seed is None else seed, 0, MOST_SEED, faults)
    if not faults and (problem := too_late(first, first + runs - 1)):
        faults.append(Fault(_CALL, "seed", show(first), problem))
    if faults:
        raise ScenarioError(faults)
    return MarketFunction(scenario, dict(zip(names, keys, strict=True)), tuple(dict.fromkeys(outcomes)), runs, first, how)


def _argument(key: str) -> str:
    """Return what the argument for a key is called."""
    short = re.sub(r"\W", "_", re.sub(r"^(parameters|policies)\.", "", key).removesuffix(".strength"))
    return f"{short}_" if keyword.iskeyword(short) or not short.isidentifier() else short
