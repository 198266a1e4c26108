"""Shapley shares and interactions of levers in every combination, exact for each seed."""

from __future__ import annotations

from itertools import combinations
from math import factorial
from typing import Any

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]
Whole = NDArray[Any]
"""Python's integers, which know no rounding."""


def pairs_of(k: int) -> list[tuple[int, int]]:
    """Return the pairs of `k` levers, in the order in which `interactions` gives them."""
    return list(combinations(range(k), 2))


def shares(values: Reals) -> Reals:
    """Return the Shapley share of each lever, `(k, n)`, from an outcome in every combination, `(2**k, n)`, a column a seed.

    Row T of `values` is the combination in which lever j is in force where bit j of T is 1. The share is what the lever adds to those
    before it, v(S + i) - v(S), as a mean over the k! orders in which levers may come (Shapley 1953): weight s! (k - s - 1)! / k! for
    the s levers of S. Shares add up to v(all) - v(none) without remainder: sums are made in whole numbers, and only each share itself
    is rounded, once, to the nearest number that the computer can write.
    """
    k = _levers(values)
    weights = np.zeros((k, 2**k), dtype=object)
    for i in range(k):
        for t in range(2**k):
            size = t.bit_count()
            has = t >> i & 1
            weights[i, t] = factorial(size - 1) * factorial(k - size) if has else -factorial(size) * factorial(k - size - 1)
    return _weighted(weights, factorial(k), values)


def interactions(values: Reals) -> Reals:
    """Return the Shapley interaction index of each pair, `(k (k - 1) / 2, n)`, from values as in `shares`; rounded once, too.

    By how much one lever's effect changes when the other is in force, v(S + ij) - v(S + i) - v(S + j) + v(S), as a mean over the sets S
    of other levers: weight s! (k - s - 2)! / (k - 1)! (Grabisch & Roubens 1999).
    """
    k = _levers(values)
    weights = np.zeros((k * (k - 1) // 2, 2**k), dtype=object)
    for row, (i, j) in enumerate(pairs_of(k)):
        for t in range(2**k):
            inside = (t >> i & 1) + (t >> j & 1)
            others = t.bit_count() - inside
            weights[row, t] = (-1) ** inside * factorial(others) * factorial(k - others - 2)
    return _weighted(weights, factorial(k - 1), values)


def alone(values: Reals) -> Reals:
    """Return the effect of each lever with no other in force, `(k, n)`."""
    return np.array([values[1 << j] - values[0] for j in range(_levers(values))])


def last(values: Reals) -> Reals:
    """Return the effect of each lever with all others in force, `(k, n)`."""
    return np.array([values[-1] - values[-1 - (1 << j)] for j in range(_levers(values))])


def excess(values: Reals) -> Reals:
    """Return by how much the effect of all exceeds the sum of the effects of each alone, `(n,)`."""
    k = _levers(values)
    weights = np.zeros((1, 2**k), dtype=object)
    weights[0, 0] = k - 1
    weights[0, [1 << j for j in range(k)]] = -1
    weights[0, -1] += 1
    return np.asarray(_weighted(weights, 1, values)[0])


def _levers(values: Reals) -> int:
    return len(values).bit_length() - 1


def _weighted(weights: Whole, over: int, values: Reals) -> Reals:
    """Return weights `(m, t)` times values `(t, n)` over a whole number, exact but for one rounding; values must be finite."""
    parts = [[value.as_integer_ratio() for value in row] for row in values.tolist()]
    common = max(bottom for row in parts for _, bottom in row)  # each is a power of two
    whole = np.array([[top * (common // bottom) for top, bottom in row] for row in parts], dtype=object)
    return np.asarray((weights @ whole) / (over * common), dtype=np.float64)
