"""How much of an outcome is luck: the variance of runs over points, over seeds, and of both together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]


@dataclass(frozen=True)
class Variance:
    """Variance components of one run at a point and a seed taken at random; NaN where one replication tells nothing.

    `of_points` is that of the expected outcome, `of_seeds` that of seeds alike at all points, `of_both` what a seed does at one point and
    not at another. `luck_share`, with the ends of its 95 % interval, is what seeds make of the whole. `seed_difference` is the mean
    absolute difference between two runs of one point, in the outcome's unit.
    """

    mean: float
    of_points: float
    of_seeds: float
    of_both: float
    luck_share: float
    luck_low: float
    luck_high: float
    seed_difference: float

    @property
    def total(self) -> float:
        """Return the variance of one run."""
        return self.of_points + self.of_seeds + self.of_both


def variance(values: Reals, together: int = 1) -> Variance:
    """Estimate the components from runs `(points, replications)`, all points on the same seeds.

    The seed is a factor of its own: a two-way crossed layout with random points and random seeds, no replication within a cell, and the
    estimators of the analysis of variance, floored at 0 (Searle, Casella & McCulloch 1992, *Variance Components*, chapter 4):
    of_both = MSR, of_points = (MSP - MSR) / n, of_seeds = (MSS - MSR) / m, for m points and n seeds. The luck's share is one less the
    intraclass correlation ICC(2,1) of Shrout & Fleiss (1979), and its interval that of McGraw & Wong (1996, table 7, case 2A),
    approximate as few seeds say little about seeds. Within a point alone the common seeds would be taken for independent ones.
    Points that lie `together`, such as those of one trajectory, count in the interval for as many independent ones as they are worth.
    """
    m, n = values.shape
    mean = float(values.mean())
    if n < 2 or m < 2:
        between = float(values.var(ddof=1)) if m > 1 else np.nan
        return Variance(mean, between, *(np.nan,) * 6)
    points, seeds = values.mean(axis=1), values.mean(axis=0)
    rest = values - points[:, None] - seeds[None, :] + mean
    msp, mss = n * float(points.var(ddof=1)), m * float(seeds.var(ddof=1))
    msr = float((rest**2).sum()) / ((m - 1) * (n - 1))
    rounding = (64.0 * np.finfo(np.float64).eps * float(np.abs(values).max())) ** 2
    msp, mss, msr = (0.0 if square <= rounding * max(m, n) else square for square in (msp, mss, msr))
    of_points, of_seeds = max((msp - msr) / n, 0.0), max((mss - msr) / m, 0.0)
    total = of_points + of_seeds + msr
    share = (of_seeds + msr) / total if total > 0.0 else np.nan
    low, high = _interval(msp, mss, msr, m, n, _free(points, together)) if total > 0.0 else (np.nan, np.nan)
    pairs = [np.abs(values[:, i] - values[:, j]).mean() for i in range(n) for j in range(i)]
    return Variance(mean, of_points, of_seeds, msr, share, min(low, share), max(high, share), float(np.mean(pairs)))


def _free(means: Reals, together: int) -> float:
    """Return the degrees of freedom of the variance over points, `(points,)`, of which so many in a row lie together.

    With correlations r_d at lag d within b points of one row, a mean square has those of (trace S)^2 / trace(S^2) independent points
    (Satterthwaite 1946): b / (b + 2 sum (b - d) r_d^2) of them, S being their correlations; no two points are taken for one.
    """
    rows = (means - means.mean()).reshape(-1, together)
    size = float((rows**2).mean())
    if size == 0.0:
        return float(len(means) - 1)
    lags = [(together - d) * (float((rows[:, :-d] * rows[:, d:]).mean()) / size) ** 2 for d in range(1, together)]
    return max(len(means) * together / (together + 2.0 * sum(lags)) - 1.0, 1.0)


def _interval(msp: float, mss: float, msr: float, m: int, n: int, free_points: float) -> tuple[float, float]:
    """Return the ends of the 95 % interval of the luck's share; no width where seeds make no difference at all."""
    from scipy import stats

    if mss == msr == 0.0:
        return 0.0, 0.0
    whole = msp + (n - 1) * msr + n * (mss - msr) / m
    icc = max((msp - msr) / whole, 0.0) if whole > 0.0 else 0.0
    if icc >= 1.0:
        return 0.0, 0.0
    a = n * icc / (m * (1.0 - icc))
    b = 1.0 + n * icc * (m - 1) / (m * (1.0 - icc))
    bottom = (a * mss) ** 2 / (n - 1) + (b * msr) ** 2 / ((m - 1) * (n - 1))
    free = max((a * mss + b * msr) ** 2 / bottom, 1e-3) if bottom > 0.0 else 1.0
    upper, lower = stats.f.isf(0.025, free_points, free), stats.f.isf(0.025, free, free_points)
    others = n * mss + (n * m - n - m) * msr
    least = m * (msp - upper * msr) / (upper * others + m * msp)
    most = m * (lower * msp - msr) / (others + m * lower * msp)
    return float(np.clip(1.0 - most, 0.0, 1.0)), float(np.clip(1.0 - least, 0.0, 1.0))
