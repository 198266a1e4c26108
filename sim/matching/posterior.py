"""What is known of a world's parameters once its targets are seen: points drawn by tempering a uniform prior towards the likelihood."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from sim.luck import uniforms
from sim.matching.region import Region, leap

Reals = NDArray[np.float64]

POINTS = 1_000
_MOVES = 6
_KEPT = 0.5
_MOST_LEVELS = 60


def posterior(likelihood: Callable[[Reals], Reals], prior: Reals, region: Region, seed: int, name: str) -> Reals:
    """Return points of the region drawn with density proportional to a likelihood, `(POINTS, d)`.

    `likelihood` gives logarithms at points, `prior` is a uniform sample of the region. Sequential Monte Carlo (Del Moral, Doucet & Jasra
    2006): the likelihood's power rises from 0 to 1 in steps that keep half of the effective points; after each step points are drawn
    anew by weight and moved by Metropolis with differences of points as proposals. The last of many steps takes all that is left; that few
    points are different tells when it was too much.
    """
    here = prior[(uniforms(seed, f"{name} prior", POINTS) * len(prior)).astype(np.int64)]
    level = likelihood(here)
    power = 0.0
    for step in range(_MOST_LEVELS):
        rise = 1.0 - power if step == _MOST_LEVELS - 1 else _rise(level, 1.0 - power)
        power += rise
        weight = np.exp(rise * (level - level.max()))
        places = (np.arange(POINTS) + uniforms(seed, f"{name} lot {step}", 1)) / POINTS
        drawn = np.minimum(np.searchsorted(np.cumsum(weight) / weight.sum(), places), POINTS - 1)
        here, level = here[drawn], level[drawn]
        among = here.copy()  # differences of points that stay put make proposals that are alike both ways
        for move in range(_MOVES):
            u = uniforms(seed, f"{name} move {step} {move}", (POINTS, 4))
            proposed = leap(here, among, u[:, :3])
            asked = np.flatnonzero(((proposed > 0.0) & (proposed < 1.0)).all(axis=1))
            found = np.full(POINTS, -np.inf)
            found[asked] = likelihood(proposed[asked])
            taken = np.flatnonzero(np.log(u[:, 3]) < power * (found - level))
            taken = taken[region.holds(proposed[taken])]
            here[taken], level[taken] = proposed[taken], found[taken]
        if power >= 1.0:
            break
    return here


def _rise(level: Reals, most: float) -> float:
    """Return the rise of power that leaves half of the points effective, at most `most`."""

    def effective(rise: float) -> float:
        weight = np.exp(rise * (level - level.max()))
        return float(weight.sum() ** 2 / (weight**2).sum())

    if effective(most) >= _KEPT * len(level):
        return most
    low, high = 0.0, most
    for _ in range(50):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if effective(middle) >= _KEPT * len(level) else (low, middle)
    return high
