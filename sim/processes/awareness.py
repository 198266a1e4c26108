"""Spread and forget what campaigns say."""

from __future__ import annotations

import numpy as np

from sim.levers import Levers
from sim.world.world import World


def settle(world: World, levers: Levers) -> None:
    """Set informed shares to their fixed point under the levers of day 0: A* = r f / (1 - f + r f), f the daily memory."""
    p = world.parameters.awareness
    reach = levers.awareness_campaign * p.reach_per_day * p.remember_share
    keep = 0.5 ** (1.0 / p.half_life_days)
    world.informed[:] = reach * keep / (1.0 - keep + reach * keep)


def spread(world: World, levers: Levers) -> float:
    """Move informed shares by a day, A <- (A + (1 - A) r) 2^(-1/HL); returns the share over all users."""
    p = world.parameters.awareness
    reach = levers.awareness_campaign * p.reach_per_day * p.remember_share
    world.informed += (1.0 - world.informed) * reach
    world.informed *= 0.5 ** (1.0 / p.half_life_days)
    return float(np.dot(world.informed, world.population.shares))
