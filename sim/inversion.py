"""Turn uniforms into counts and choices, by inversion."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

Reals = NDArray[np.float64]

_LARGE_MEAN = 30.0
_LARGEST_SMALL = 200
_STRIP, _CHUNK, _ONE_BY_ONE = 10, 512, 16
_COUNTS = np.arange(1.0, _LARGEST_SMALL + 1.0)[:, None]


def counted(u: float, mean: float) -> int:
    """Invert the Poisson distribution function at `u` for one mean above 0, as `poisson` does."""
    if mean >= _LARGE_MEAN:
        z = float(ndtri(u))
        return max(0, math.floor(mean + math.sqrt(mean) * z + (z * z - 1.0) / 6.0 + 0.5))
    return _counted(u, mean, math.exp(-mean))


def rounded(expected: NDArray[np.floating[Any]], u: Reals) -> NDArray[np.int64]:
    """Round expected counts to integers whose mean is `expected`, by comparing the fraction with a uniform."""
    return np.asarray(np.floor(expected + u), dtype=np.int64)


def _counted(u: float, mean: float, none: float) -> int:
    """Invert the Poisson distribution function for one small mean, searching from 0 upwards; `none` is exp(-mean)."""
    count, term, below = 0, none, none
    while u > below and count < _LARGEST_SMALL:
        count += 1
        term *= mean / count
        below += term
    return count


def poisson(u: Reals, mean: Reals) -> NDArray[np.int64]:
    """Invert the Poisson distribution function at `u`, elementwise; shapes broadcast.

    Exact for means below 30 (sequential search); above, the Cornish-Fisher expansion to second order, whose error in
    any quantile is below one count.
    """
    u, mean = np.broadcast_arrays(np.asarray(u, dtype=np.float64), np.asarray(mean, dtype=np.float64))
    counts = np.zeros(u.shape, dtype=np.int64)
    big = mean >= _LARGE_MEAN
    if big.any():
        z = ndtri(u[big])
        m = mean[big]
        counts[big] = np.maximum(0, np.floor(m + np.sqrt(m) * z + (z * z - 1.0) / 6.0 + 0.5)).astype(np.int64)
    small = (~big).nonzero()[0]
    if small.size <= _ONE_BY_ONE:
        some = mean[small]
        found = map(_counted, u[small].tolist(), some.tolist(), np.exp(-some).tolist())
        counts[small] = np.fromiter(found, np.int64, small.size)
        return counts
    for first in range(0, small.size, _CHUNK):
        part = small[first : first + _CHUNK]
        counts[part] = _searched(u[part], mean[part])
    return counts


def _searched(u: Reals, mean: Reals) -> NDArray[np.int64]:
    """Invert the Poisson distribution function for small means `(n,)`, searching from 0 upwards, `_STRIP` counts at a time."""
    found = np.zeros(u.size, dtype=np.int64)
    going = np.arange(u.size)
    term, below = np.exp(-mean), np.zeros(u.size)
    for first in range(0, _LARGEST_SMALL, _STRIP):
        terms, sums = np.empty((_STRIP + 1, u.size)), np.empty((_STRIP + 1, u.size))
        terms[0], sums[0] = term, below
        np.divide(mean, _COUNTS[first : first + _STRIP], out=terms[1:])
        np.multiply.accumulate(terms, out=terms)
        sums[1:] = terms[:-1]
        np.add.accumulate(sums, out=sums)
        passed = (u > sums[1:]).sum(axis=0)
        found[going] += passed
        left = (passed == _STRIP).nonzero()[0]
        if left.size == 0:
            break
        going, u, mean, term, below = going[left], u[left], mean[left], terms[-1, left], sums[-1, left]
    return found


def repeated(rows: NDArray[np.int64], counts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Repeat each row `counts` times and number the repeats of a row from 0; returns rows and ordinals."""
    ends = counts.cumsum()
    total = int(ends[-1]) if ends.size else 0
    return rows.repeat(counts), np.arange(total) - (ends - counts).repeat(counts)


def weighted(u: Reals, cumulative: Reals) -> NDArray[np.int64]:
    """Choose an index by weights: `cumulative` is their running sum, shape `(k,)`; returns ints in [0, k), shape of `u`."""
    total = float(cumulative[-1])
    return np.minimum(np.searchsorted(cumulative, u * total, side="right"), len(cumulative) - 1).astype(np.int64)


def chosen(u: Reals, cumulative: Reals, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Choose an index by the weights of a row for each `u`: `cumulative` `(rows, k)` has their running sums, which end in 1."""
    index = np.zeros(u.shape, dtype=np.int64)
    for edge in cumulative.T[:-1]:
        index += u > edge[rows]
    return index


class Wheel:
    """Chooses an index by weights that stay, as `weighted` does; `cumulative` is their running sum, shape `(k,)`.

    A guide table leads to the index or just before it (Chen & Asau 1974), where a search by halves would miss the cache at every step.
    """

    def __init__(self, cumulative: Reals) -> None:
        self.cumulative = cumulative
        self._parts = 4 * cumulative.size
        edges = np.arange(self._parts) * (float(cumulative[-1]) * (1.0 - 1e-12) / self._parts)
        self._guide = np.searchsorted(cumulative, edges, side="right")

    def __call__(self, u: Reals) -> NDArray[np.int64]:
        """Return an index in [0, k) for each uniform; shape of `u`, which is `(n,)`."""
        at = self._guide[(u * self._parts).astype(np.int64)]
        last, aim = self.cumulative.size - 1, u * float(self.cumulative[-1])
        short = (self.cumulative[at] <= aim).nonzero()[0]
        while short.size:
            at[short] += 1
            short = short[(at[short] < last) & (self.cumulative[at[short]] <= aim[short])]
        return np.minimum(at, last)
