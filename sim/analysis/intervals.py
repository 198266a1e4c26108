"""Intervals and tests for paired replications: arrays in, numbers out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from sim import luck

Reals = NDArray[np.float64]

DRAW_SEED = 20201
"""Seed of the simulated max-|t| distribution: intervals are the same every time."""

FEW = 5
"""With fewer replications correlations cannot be estimated, and differences that happen to be equal prove nothing."""


class Interval(NamedTuple):
    """An estimate and the ends of its interval."""

    value: float
    low: float
    high: float


class Intervals(NamedTuple):
    """Estimates and the ends of their intervals, each of shape `(k,)`."""

    value: Reals
    low: Reals
    high: Reals


def clear(low: float, high: float, n: int) -> bool:
    """Say whether an interval from `n` replications leaves out 0: one of no width counts from `FEW` replications on."""
    return bool(low > 0.0 or high < 0.0) and (n >= FEW or low != high)


class Equivalence(NamedTuple):
    """Result of two one-sided tests: ratio of means with its 90 % interval, the margin, the larger p value, the verdict."""

    ratio: float
    low: float
    high: float
    margin: float
    p_value: float
    equivalent: bool


def _matrix(values: ArrayLike) -> Reals:
    array = np.asarray(values, dtype=np.float64)
    return array[:, None] if array.ndim == 1 else array


def spread(values: ArrayLike) -> Reals:
    """Return standard deviations of the columns of `(n, k)`; a column whose values differ by rounding only has exactly 0."""
    x = _matrix(values)
    if len(x) < 2:
        return np.full(x.shape[1], np.nan)
    flat = np.ptp(x, axis=0) <= 64.0 * np.finfo(np.float64).eps * np.abs(x).max(axis=0)
    return np.where(flat, 0.0, x.std(axis=0, ddof=1))


def t_critical(n: int, level: float = 0.95, family: float = 1.0) -> float:
    """Return the two-sided Student quantile for `n` replications, shared by Bonferroni among `family` statements."""
    return float(stats.t.isf((1.0 - level) / (2.0 * family), n - 1)) if n > 1 else float("nan")


def t_intervals(values: ArrayLike, critical: float | None = None, level: float = 0.95) -> Intervals:
    """Return mean and t interval of each column of `(n, k)`: mean +- critical s / sqrt(n).

    A column without variance has an interval of no width; with one replication the ends are NaN.
    """
    x = _matrix(values)
    n = len(x)
    deviation = spread(x)
    mean = np.where(deviation == 0.0, x[0], x.mean(axis=0))
    factor = t_critical(n, level) if critical is None else critical
    half = np.where(deviation == 0.0, 0.0, factor * deviation / np.sqrt(n))
    return Intervals(mean, mean - half, mean + half)


def ratio_intervals(numerator: ArrayLike, denominator: ArrayLike, level: float = 0.95) -> Intervals:
    """Return ratios of means of paired columns `(n, k)` with their intervals by Fieller (1954).

    The ends solve (a - r b)^2 = t^2 var(a - r b) / n. They are NaN where the interval of the denominator's mean includes 0, since
    the set is unbounded there, unless the numerator is exactly 0; otherwise 0 is outside exactly when the numerator's t interval
    excludes 0.
    """
    a, b = _matrix(numerator), _matrix(denominator)
    n = len(a)
    top, bottom = a.mean(axis=0), b.mean(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(bottom == 0.0, np.nan, top / bottom)
        if n < 2:
            return Intervals(value, np.full_like(value, np.nan), np.full_like(value, np.nan))
        scale = t_critical(n, level) ** 2 / n
        s_a, s_b = spread(a), spread(b)
        covariance = ((a - top) * (b - bottom)).sum(axis=0) / (n - 1)
        covariance = np.where((s_a == 0.0) | (s_b == 0.0), 0.0, covariance)
        square = bottom**2 - scale * s_b**2
        cross = top * bottom - scale * covariance
        constant = top**2 - scale * s_a**2
        root = np.sqrt(np.maximum(cross**2 - square * constant, 0.0))
        low, high = (cross - root) / square, (cross + root) / square
    fixed = (s_a == 0.0) & (s_b == 0.0)
    unbounded = (square <= 0.0) | (bottom == 0.0)
    none = (s_a == 0.0) & (top == 0.0) & (bottom != 0.0)
    unbounded &= ~none
    fixed |= none
    low = np.where(unbounded, np.nan, np.where(fixed, value, low))
    high = np.where(unbounded, np.nan, np.where(fixed, value, high))
    return Intervals(value, low, high)


def shrinkage(residuals: Reals) -> float:
    """Return the weight in [0, 1] by which to pull a correlation matrix towards the identity (Schaefer & Strimmer 2005).

    `residuals` has shape `(n, m)`, columns of mean 0 and sum of squares 1. The weight is the summed variance of the estimated
    correlations over the sum of their squares.
    """
    n, m = residuals.shape
    if m < 2:
        return 0.0
    scaled = residuals * np.sqrt(n - 1.0)
    squares = scaled**2
    means = scaled.T @ scaled / n
    noise = squares.T @ squares - n * means**2
    correlations = residuals.T @ residuals
    total = float((correlations**2).sum() - (np.diag(correlations) ** 2).sum())
    error = float(noise.sum() - np.diag(noise).sum()) * n / (n - 1.0) ** 3
    return float(np.clip(error / total, 0.0, 1.0)) if total > 0.0 else 1.0


def max_t_critical(differences: ArrayLike, level: float = 0.95, draws: int | None = None, seed: int = DRAW_SEED) -> float:
    """Return c such that mean +- c s / sqrt(n) covers all columns of `(n, m)` together with probability `level`.

    c is the quantile of max |t| over data sets of `n` rows drawn from the normal law with the estimated correlation, so each t
    has its own variance and n - 1 degrees of freedom (as in Hasler & Hothorn 2008), and max |t| is that of the single-step procedure
    of Westfall & Young (1993). With n <= m the estimated correlation Z'Z of the standardised residuals Z is singular: rows are
    drawn as g Z, g being n standard normals (or, the same in law, as g S V' of the decomposition Z = U S V'). Few replications
    overstate correlations, so they are shrunk towards independence (`shrinkage`). By simulation coverage is .93-.98 at n = 5-20 and
    m = 7-56, where a multivariate t with one common variance and the raw correlation falls to .60. Never above the Bonferroni
    value, and equal to it below `FEW` replications, of which nothing can be learnt about correlations. Columns without variance
    don't count; below `FEW` replications only those that are 0 throughout don't.
    """
    x = _matrix(differences)
    n = len(x)
    if n < 2:
        return float("nan")
    deviation = spread(x)
    moving = deviation > 0.0
    m = int(moving.sum()) if n >= FEW else int((x != 0.0).any(axis=0).sum())
    if m <= 1:
        return t_critical(n, level)
    if n < FEW:
        return t_critical(n, level, m)
    residuals = (x[:, moving] - x[:, moving].mean(axis=0)) / (deviation[moving] * np.sqrt(n - 1.0))
    weight = shrinkage(residuals)
    _, scales, directions = np.linalg.svd(residuals, full_matrices=False)
    factor = scales[:, None] * directions
    draws = int(np.clip(4e6 / (n * m), 1000, 8000)) if draws is None else draws
    block = max(1, int(2e6 / (n * m)))
    largest: list[Reals] = []
    for first in range(0, draws, block):
        size = min(block, draws - first)
        shared = luck.normals(seed, f"max t, shared, {first}", (size, n, len(factor))) @ factor
        own = luck.normals(seed, f"max t, own, {first}", (size, n, m))
        rows = np.sqrt(1.0 - weight) * shared + np.sqrt(weight) * own
        largest.append((np.abs(rows.mean(axis=1)) * np.sqrt(n) / rows.std(axis=1, ddof=1)).max(axis=1))
    simulated = float(np.quantile(np.concatenate(largest), level))
    return float(np.clip(simulated, t_critical(n, level), t_critical(n, level, m)))


def variance_ratio(first: ArrayLike, second: ArrayLike, level: float = 0.95) -> Interval:
    """Return (var a + var b) / var(a - b) of two paired samples `(n,)`: how many times pairing cuts the variance of the difference.

    With s = a + b and d = a - b the ratio is (1 + var s / var d) / 2; var s / var d of correlated normals has an exact interval
    (Pitman 1939, Morgan 1939). Infinite when the differences have no variance, NaN when nothing varies. The interval is NaN where
    the sample says nothing of its width: fewer than `FEW` pairs, or pairs on a line, as counts of few values may happen to be.
    """
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    n = len(a)
    if n < 2:
        return Interval(np.nan, np.nan, np.nan)
    paired = float(spread(a - b)[0]) ** 2
    independent = float(spread(a)[0]) ** 2 + float(spread(b)[0]) ** 2
    if paired == 0.0:
        value = np.inf if independent > 0.0 else np.nan
        return Interval(value, *([np.nan] * 2 if n < FEW else [value] * 2))
    value = independent / paired
    total = float(spread(a + b)[0]) ** 2
    if n < FEW or total == 0.0:
        return Interval(value, np.nan, np.nan)
    r = float(np.corrcoef(a + b, a - b)[0, 1])
    if r * r > 1.0 - 1e-9:
        return Interval(value, np.nan, np.nan)
    t = float(stats.t.isf((1.0 - level) / 2.0, n - 2))
    k = 1.0 + 2.0 * t * t * (1.0 - min(r * r, 1.0)) / (n - 2)
    root = float(np.sqrt(k * k - 1.0))
    ratio = total / paired
    return Interval(value, (1.0 + ratio * (k - root)) / 2.0, (1.0 + ratio * (k + root)) / 2.0)


def tost(a: ArrayLike, b: ArrayLike, margin: float, level: float = 0.95) -> Equivalence:
    """Test whether the means of two paired samples `(n,)` are equal within `margin` (a share of b's mean, which is positive).

    Two one-sided t tests (Schuirmann 1987) of a - (1 - margin) b and a - (1 + margin) b; equivalent when both reject.
    """
    x, y = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    ratio = ratio_intervals(x, y, level=2.0 * level - 1.0)
    p_values = []
    for sign in (-1.0, 1.0):
        gap = -sign * (x - (1.0 + sign * margin) * y)
        deviation, mean = float(spread(gap)[0]), float(gap.mean())
        if deviation == 0.0:
            p_values.append(0.0 if mean > 0.0 else 1.0)
        else:
            p_values.append(float(stats.t.sf(mean / deviation * np.sqrt(len(gap)), len(gap) - 1)))
    p_value = float(np.max(p_values))
    return Equivalence(float(ratio.value[0]), float(ratio.low[0]), float(ratio.high[0]), margin, p_value, bool(p_value < 1.0 - level))
