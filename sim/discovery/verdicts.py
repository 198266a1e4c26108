"""In which worlds a policy fails, by the rule of the file, and of which of them chance leaves that open."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.analysis.uncertain import decomposed
from sim.exploring.carrying import Explored
from sim.exploring.quantities import cube
from sim.exploring.rule import Condition, Rule

Reals = NDArray[np.float64]

CHANGE = "_change"
"""What the column of an outcome's change ends in; its 95 % Monte-Carlo interval ends in `_change_low` and `_change_high`."""


def verdicts(done: Explored, rule: Rule) -> pd.DataFrame:
    """Return one row a world: world (0 is the one with the scenario's own values), factors, changes with intervals, failed, uncertain.

    A change is the policy's mean over seeds less that of the baseline in the same world and on the same seeds, as a share of the latter.
    A verdict is uncertain where it is another one at the ends of the 95 % intervals, each limit taken by itself, and NaN with one seed.
    """
    asked = done.layout.asked
    worlds = [point for point in done.layout.points if point.of == asked.baseline.name]
    made: dict[str, object] = {"world": [world.number for world in worlds]}
    values = pd.DataFrame([dict(world.at) for world in worlds])
    made.update({factor.key: values[factor.key].to_numpy() for factor in asked.factors})
    found = {}
    for outcome in rule.outcomes:
        runs = cube(done, outcome)
        found[outcome] = changes(runs[:, :, 0], runs[:, :, 1])
        made.update({f"{outcome}{CHANGE}{end}": part for end, part in zip(("", "_low", "_high"), found[outcome], strict=True)})
    made["failed"] = rule.fails(lambda one: found[one.outcome][0])
    made["uncertain"] = _uncertain(rule, found)
    return pd.DataFrame(made)


def changes(baseline: Reals, policy: Reals) -> tuple[Reals, Reals, Reals]:
    """Return relative changes with the ends of their 95 % intervals, `(worlds,)` each, from paired runs `(worlds, seeds)`.

    The change is r = d / |b|, the mean difference over the mean of the baseline; its interval takes the variance of (d_k - r b_k) / |b|
    over seeds (the delta method), pooled over worlds where there are few seeds (`decomposed`); NaN with one seed. Where the baseline is 0
    throughout, no change is 0 and any other is infinite, with nothing known of how large it is.
    """
    difference, mean = policy - baseline, baseline.mean(axis=1)
    size = np.where(mean == 0.0, np.nan, np.abs(mean))[:, None]
    ratio = difference.mean(axis=1, keepdims=True) / size
    by_run = ratio + (difference - ratio * np.sign(mean)[:, None] * baseline) / size
    parts = decomposed(by_run[:, :, None])
    change, half = parts.means[:, 0], parts.half[:, 0]
    gone, still = mean == 0.0, (difference == 0.0).all(axis=1)
    alone = np.select([difference.mean(axis=1) > 0.0, difference.mean(axis=1) < 0.0], [np.inf, -np.inf], 0.0)
    low = np.where(gone, np.where(still, 0.0, -np.inf), change - half)
    high = np.where(gone, np.where(still, 0.0, np.inf), change + half)
    return np.where(gone, alone, change), low, high


def _uncertain(rule: Rule, found: dict[str, tuple[Reals, Reals, Reals]]) -> NDArray[np.object_] | NDArray[np.bool_]:
    """Say where every change at the end nearer to failing, and every one at the other end, make two verdicts."""

    def end(worst: bool) -> NDArray[np.bool_]:
        def change(one: Condition) -> Reals:
            return found[one.outcome][2 if one.upwards == worst else 1]

        return rule.fails(change)

    known = np.all([~np.isnan(low) for _, low, _ in found.values()], axis=0)
    differs = end(worst=True) != end(worst=False)
    return differs if known.all() else np.where(known, differs, np.nan).astype(object)
