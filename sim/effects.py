"""What each lever does when it is strengthened step by step from its standing value, measured."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sim.analysis.intervals import t_intervals
from sim.analysis.pairs import pairs
from sim.comparison import Runs
from sim.faults import Fault, ScenarioError, show
from sim.levers import LEVERS, Lever
from sim.outcomes import OUTCOMES
from sim.parameters import resolve
from sim.plan import Plan
from sim.scenario import Scenario

LEVELS = 5
"""Levels of each lever, the standing one included."""

SHORTER: dict[str, object] = {"run.days": 330, "run.burn_in_days": 90, "run.settle_days": 0}
"""Less than the default duration: the first days after a change count too, as a pulse acts then."""

COLUMNS = (
    *("lever", "mechanism", "outcome", "unit", "baseline_mean", "effect", "low", "high", "stated", "holds", "levels"),
    *("side_effect_outcome", "side_effect", "side_low", "side_high"),
)


def plan(baseline: Scenario, replications: int) -> Plan:
    """Return the plan: the baseline, and each lever as a policy at each level above its standing strength.

    Raises `ScenarioError` when runs are shorter than the longest case in law, or too few for an interval.
    """
    faults = []
    first, last = baseline.run.window
    longest = resolve(baseline.parameters).sanction.case_days_high
    if last - first < longest:
        problem = f"leaves {last - first} days to average over; at least {longest:g} are needed, as long as the longest case in law"
        faults.append(Fault("", "run.days", show(baseline.run.days), problem))
    if replications < 2:
        faults.append(Fault("", "replications", show(replications), "must be at least 2, or there is no interval"))
    if faults:
        raise ScenarioError(faults)
    scenarios = {baseline.name: baseline}
    for lever in LEVERS.values():
        for level in _levels(baseline, lever)[1:]:
            name = _name(lever, float(level))
            changed = baseline.changed({f"policies.{lever.name}.strength": float(level)})
            scenarios[name] = changed.model_copy(update={"name": name})
    return Plan(
        command="levers --effects",
        name="lever_effects",
        scenarios=scenarios,
        replications=replications,
        seed=baseline.run.seed,
        title="Each lever from its standing strength to 1",
        baseline=baseline.name,
        outcomes=tuple(dict.fromkeys(lever.moves for lever in LEVERS.values())),
    )


def table(done: Runs) -> pd.DataFrame:
    """Return one row a lever (`COLUMNS`): the effect of full strength on the outcome that its mechanism names.

    `stated` is the direction in the lever table, `holds` whether the 95 % interval lies on that side of 0, `levels` at how many of the
    levels above the standing one it does. Paired differences on common seeds.
    """
    baseline = next(iter(done.plan.scenarios.values()))
    return pd.DataFrame([_row(done.runs, baseline, lever) for lever in LEVERS.values()], columns=list(COLUMNS))


def _levels(baseline: Scenario, lever: Lever) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.round(np.linspace(baseline.levers.get(lever.name, lever.standing), 1.0, LEVELS), 6)


def _name(lever: Lever, level: float) -> str:
    return f"{lever.name}_{round(level * 1000):04d}"


def _row(runs: pd.DataFrame, baseline: Scenario, lever: Lever) -> tuple[object, ...]:
    holds = []
    for level in _levels(baseline, lever)[1:]:
        sides = pairs(runs, baseline.name, _name(lever, float(level)), (lever.moves, lever.side_outcome))
        effect = t_intervals(sides.after - sides.before)
        low, high = float(effect.low[0]), float(effect.high[0])
        holds.append(low > 0 if lever.direction > 0 else high < 0)
    unit = OUTCOMES[lever.moves].unit if lever.moves in OUTCOMES else "days"
    return (
        *(lever.name, lever.equation, lever.moves, unit, float(sides.before[:, 0].mean())),
        *(float(effect.value[0]), low, high, lever.direction, holds[-1], f"{sum(holds)} of {len(holds)}"),
        *(lever.side_outcome, float(effect.value[1]), float(effect.low[1]), float(effect.high[1])),
    )
