"""Bring in dealers, and members of catchments: what day 0 and every later day do alike."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.luck import Keys, Luck, join, words
from sim.world.world import World


def dealer_keys(luck: Luck, day: int, ordinals: NDArray[np.int64]) -> Keys:
    """Return the keys of dealers who enter on a day, by their ordinal that day."""
    return join(words(ordinals), luck.stream("dealer", day))


def found(world: World, luck: Luck, rows: NDArray[np.int64], keys: Keys, day: int) -> None:
    """Open business for dealers in blank rows: key, capacity, own money, the market's beliefs."""
    p = world.parameters.dealer
    dealers = world.dealers
    dealers.active[rows] = True
    dealers.key[rows] = keys
    dealers.entered[rows] = day
    z = luck.normals("capacity", 0, keys)
    median = p.capacity_mean * np.exp(-(p.capacity_sigma**2) / 2)
    dealers.capacity[rows] = np.minimum(median * np.exp(p.capacity_sigma * z), p.capacity_cap)
    dealers.entry_capacity[rows] = dealers.capacity[rows]
    dealers.evasion[rows] = world.parameters.start.evasion
    dealers.profit[rows] = p.reserve_yuan
    own = np.zeros(dealers.size)
    own[rows] = p.start_cash_yuan
    world.market.transfer("outside", "dealers", own)


def catchment_user(world: World, luck: Luck, slot: NDArray[np.int64], member: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the user who is a member of a place's lasting catchment."""
    u = luck.uniforms("catchment", 0, join(world.recruiters.key[slot], member))
    return (u * world.population.users).astype(np.int64)
