"""Where to simulate: the box of uncertain parameters, Latin hypercubes and space-filling choices in it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sim.parameters import LEDGER, Entry

Reals = NDArray[np.float64]

LOG_FACTOR = 4.0
"""A range that spans more than this factor is searched on a log scale."""

DIGITS = 6
"""Significant digits of parameter values: what is simulated is what tables say."""


@dataclass(frozen=True)
class Space:
    """The box of uncertain parameters, `group.name` each, with the ledger's ranges; a point is a row of numbers in [0, 1]."""

    names: tuple[str, ...]

    @property
    def size(self) -> int:
        """Return the number of parameters."""
        return len(self.names)

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """Return the ledger's rows."""
        return tuple(LEDGER[group][name] for group, name in (full.split(".") for full in self.names))

    @cached_property
    def logs(self) -> tuple[bool, ...]:
        """Say which parameters are searched on a log scale."""
        return tuple(entry.low > 0 and entry.high / entry.low > LOG_FACTOR for entry in self.entries)

    def values(self, point: Sequence[float] | Reals) -> dict[str, float]:
        """Return the values of a point, rounded to `DIGITS` significant digits and kept in range."""
        made = {}
        for name, entry, log, u in zip(self.names, self.entries, self.logs, point, strict=True):
            low, high = (math.log(entry.low), math.log(entry.high)) if log else (entry.low, entry.high)
            value = low + float(u) * (high - low)
            made[name] = min(max(rounded(math.exp(value) if log else value), entry.low), entry.high)
        return made

    def point(self, values: Mapping[str, float]) -> Reals:
        """Return the point of values; the ledger's value stands in for a name that is missing."""
        made = np.empty(self.size)
        for k, (name, entry, log) in enumerate(zip(self.names, self.entries, self.logs, strict=True)):
            value = values.get(name, entry.value)
            made[k] = (
                math.log(value / entry.low) / math.log(entry.high / entry.low) if log else (value - entry.low) / (entry.high - entry.low)
            )
        return made

    @cached_property
    def centre(self) -> Reals:
        """Return the point of the ledger's own values."""
        return self.point({})

    def settled(self, points: Reals) -> Reals:
        """Return points as they are after rounding, `(n, size)`: what is emulated is what was simulated."""
        return np.array([self.point(self.values(point)) for point in points]).reshape(-1, self.size)

    def distance(self, points: Reals) -> Reals:
        """Return the root mean square distance of points to the ledger's values, in parts of the ranges on their scales."""
        return np.asarray(np.sqrt(((np.atleast_2d(points) - self.centre) ** 2).mean(axis=1)), dtype=np.float64)


def rounded(value: float) -> float:
    """Round to `DIGITS` significant digits."""
    return float(f"{value:.{DIGITS}g}")


def hypercube(size: int, count: int, seed: int) -> Reals:
    """Return a Latin hypercube of points in [0, 1], `(count, size)`."""
    from scipy.stats import qmc

    return np.asarray(qmc.LatinHypercube(d=size, rng=seed).random(count), dtype=np.float64)


def spread(cloud: Reals, count: int, taken: Reals | None = None) -> NDArray[np.int64]:
    """Choose rows of a cloud, each the one farthest from those chosen and from the points `taken` (greedy maximin).

    The first is the row nearest the cloud's mean when nothing is taken. Returns at most `count` indices, in the order of choice.
    """
    count = min(count, len(cloud))
    chosen = np.empty(count, dtype=np.int64)
    if count == 0:
        return chosen
    gap = np.full(len(cloud), np.inf)
    for point in np.empty((0, cloud.shape[1])) if taken is None else taken:
        np.minimum(gap, ((cloud - point) ** 2).sum(axis=1), out=gap)
    for k in range(count):
        first = k == 0 and (taken is None or len(taken) == 0)
        chosen[k] = np.argmin(((cloud - cloud.mean(axis=0)) ** 2).sum(axis=1)) if first else np.argmax(gap)
        np.minimum(gap, ((cloud - cloud[chosen[k]]) ** 2).sum(axis=1), out=gap)
        gap[chosen[k]] = -1.0
    return chosen
