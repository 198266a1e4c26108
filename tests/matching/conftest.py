"""Toy worlds of known form, for history matching: what is right is known to any precision."""

from __future__ import annotations

import numpy as np
import pytest

from sim.luck import normals
from sim.matching.design import Space
from sim.matching.targets import Target

NAMES = ("market.demand_elasticity", "account.quality_rented", "detection.threshold", "trading.supply_elasticity")
"""Four parameters of the ledger, all on linear scales; the toy reads them as numbers in [0, 1]."""

NOISE = 0.01


def quantities(u):
    """Return three quantities of points `(n, 4)`: bent enough that thirty runs leave an emulator in doubt."""
    a, b, c, d = u.T
    return np.stack(
        [np.sin(4.0 * a) + 0.5 * b + 0.3 * d**2, 4.0 * (b - 0.5) ** 2 + c + 0.5 * a * c, np.exp(c) * 0.5 + np.cos(3.0 * d)],
        axis=1,
    )


class Toy:
    """A simulator of the toy: its luck is keyed by the seed of each run."""

    def __init__(self) -> None:
        self.space = Space(NAMES)

    def __call__(self, vectors, stage):
        points = np.array([self.space.point(vector.values) for vector in vectors])
        luck = np.array([normals(vector.seed, "toy", (vector.runs, 3)).mean(axis=0) for vector in vectors])
        return quantities(points) + NOISE * luck


@pytest.fixture
def toy():
    return Toy()


@pytest.fixture
def exact():
    return quantities


@pytest.fixture
def noise():
    return NOISE


@pytest.fixture
def wanted():
    """Make targets around the toy's quantities at a point, with a half-range of three tolerances."""

    def make(point, tolerance):
        at = quantities(np.atleast_2d(point))[0]
        return tuple(
            Target(f"target {k}", "price_yuan", value - 3.0 * tolerance, value + 3.0 * tolerance, True, "linear", "toy")
            for k, value in enumerate(at)
        )

    return make
