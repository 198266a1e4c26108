"""What the baseline must look like: targets with their sources, and what the simulation gives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.analysis.intervals import t_intervals
from sim.analysis.rows import records
from sim.comparison import Runs
from sim.faults import Fault, ScenarioError, show
from sim.levers import CHANNELS
from sim.matching.targets import read_problem
from sim.plan import Plan, single
from sim.scenario import Scenario

Reals = NDArray[np.float64]

DRIFT = 0.03
_EARLY, _LATE = (90, 180), (240, 540)
_DRIFTING = (*(f"stock_{channel}" for channel in CHANNELS), "price_yuan", "commission_yuan", "dealers_active")

COLUMNS = ("target", "kind", "source", "range", "simulated", "low", "high", "inside")


TARGETS = read_problem().targets
"""The targets of the shipped file, `sim/targets.toml`."""


def plan(scenario: Scenario, replications: int) -> Plan:
    """Return the plan: runs of the scenario as it is.

    Raises `ScenarioError` when runs are too short to see a drift, or too few for an interval.
    """
    faults = []
    if scenario.run.days < _LATE[1]:
        problem = f"must be at least {_LATE[1]}: the drift is that of days {_LATE[0]}-{_LATE[1]} against days {_EARLY[0]}-{_EARLY[1]}"
        faults.append(Fault("", "run.days", show(scenario.run.days), problem))
    if replications < 2:
        faults.append(Fault("", "replications", show(replications), "must be at least 2, or there is no interval"))
    if faults:
        raise ScenarioError(faults)
    return replace(single(scenario), command="calibration", name="calibration", replications=replications)


def table(done: Runs) -> pd.DataFrame:
    """Return one row a target (`COLUMNS`): what is simulated with its 95 % interval, and whether that is inside.

    Drift: the mean of days 90-180 over that of days 240-540, less 1, by replication; inside when the 90 % interval lies within 3 %, which
    is the test of equivalence (TOST) at 5 %.
    """
    scenario = next(iter(done.plan.scenarios.values()))
    means = records(done.runs)
    rows = [_row(t.name, t.source, t.hard, np.array([t.of(m, scenario) for m in means]), t.low, t.high, 0.95) for t in TARGETS]
    rows += [
        _row(f"drift of {outcome}", "no policy, no drift (TOST)", True, _drift(done.days_of([outcome]), outcome), -DRIFT, DRIFT, 0.90)
        for outcome in _DRIFTING
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _drift(daily: pd.DataFrame, outcome: str) -> Reals:
    by_run = daily.groupby("replication")
    early = by_run.apply(lambda run: run.loc[run["day"].between(_EARLY[0], _EARLY[1] - 1), outcome].mean())
    late = by_run.apply(lambda run: run.loc[run["day"].between(_LATE[0], _LATE[1] - 1), outcome].mean())
    return np.asarray(early / late - 1.0, dtype=np.float64)


def _row(name: str, source: str, hard: bool, values: Reals, low: float, high: float, level: float) -> tuple[object, ...]:
    interval = t_intervals(values, level=level)
    ends = float(interval.value[0]), float(interval.low[0]), float(interval.high[0])
    inside = low <= ends[1] and ends[2] <= high
    return name, "hard" if hard else "soft", source, f"{low:g} to {high:g}", *ends, inside
