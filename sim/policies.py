"""Which strength each lever has on which day: the only place that knows what a policy does."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from sim.levers import LEVERS, SEGMENTS, Levers, Strengths
from sim.scenario import Policy, Scenario


def levers_in_force(scenario: Scenario, day: int) -> Levers:
    """Return the strengths in force on a day; the same object as long as no strength changes."""
    strengths = dict(scenario.levers)
    aimed: dict[str, list[float]] = {}
    for policy in scenario.policies.values():
        standing = scenario.levers.get(policy.lever, 0.0)
        strength = strength_on(policy, standing, day)
        if policy.segments is None:
            if strength is not None:
                strengths[policy.lever] = strength
        elif strength is not None:
            segments = aimed.setdefault(policy.lever, [standing] * len(SEGMENTS))
            for name in policy.segments:
                segments[SEGMENTS.index(name)] = strength
    return _levers(tuple(tuple(aimed[name]) if name in aimed else strengths.get(name, 0.0) for name in LEVERS))


def strength_on(policy: Policy, standing: float, day: int) -> float | None:
    """Return the strength of a policy on a day, None when it is not in force.

    Between `start_day` (still at `standing`) and `start_day + ramp_days` (at `strength`) the change is linear.
    """
    if policy.days is not None:
        return policy.strength if day in policy.days else None
    elapsed = day - policy.first_day
    if elapsed < 0 or (policy.end_day is not None and day >= policy.end_day):
        return None
    if elapsed >= policy.ramp_days:
        return policy.strength
    return standing + (policy.strength - standing) * (elapsed / policy.ramp_days)


@lru_cache(maxsize=1024)
def _levers(strengths: tuple[float | tuple[float, ...], ...]) -> Levers:
    """Build levers from one strength a lever, in the order of `LEVERS`; arrays are read-only, as days share them."""
    given: dict[str, float | Strengths] = {
        name: strength if isinstance(strength, float) else np.asarray(strength, dtype=np.float64)
        for name, strength in zip(LEVERS, strengths, strict=True)
    }
    levers = Levers.of(given)
    for name, lever in LEVERS.items():
        if lever.by_segment:
            getattr(levers, name).setflags(write=False)
    return levers
