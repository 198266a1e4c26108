"""Which factor moves an outcome how much: Morris screening, Sobol indices, and the trend over a factor's range, with intervals."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim import luck
from sim.exploring.points import salib
from sim.exploring.variance import Variance

Reals = NDArray[np.float64]
Columns = dict[str, Reals]

_RESAMPLES = 1000
_Z = 1.959963984540054  # half a 95 % interval of the normal distribution
_SEED = 20203  # of resampling: intervals are the same every time


def morris(points: Reals, runs: Reals) -> Columns:
    """Return mu*, sigma and the trend of each factor, `(factors,)` each, with the ends of 95 % intervals, from `(points, replications)`.

    An elementary effect is the change of the outcome's mean from one step of one factor over the step as a part of the factor's range, so
    all are in the outcome's unit a whole range. `mu_star` is their mean size and `sigma` their standard deviation: 0 where the factor acts
    alike and in a straight line wherever the others are (Morris 1991; Campolongo, Cariboni & Saltelli 2007). Steps are those that were
    simulated. Intervals come from trajectories drawn again.

    `mu_star_luck` is the mu* of a factor that does nothing: with the variance v over replications of what a step changes, the mean size of
    a normal difference of variance v / n is sqrt(2 v / (pi n)). `mu_star_beyond_low` is the low end of the 95 % interval of mu* less that,
    in which v is known as r (n - 1) squares of r trajectories tell it. NaN with one replication.
    """
    k, n = points.shape[1], runs.shape[1]
    steps = np.diff(points.reshape(-1, k + 1, k), axis=1)
    moved = np.abs(steps).argmax(axis=2)
    dx = np.take_along_axis(steps, moved[:, :, None], axis=2)[:, :, 0]
    order = np.argsort(moved, axis=1)
    by_run = np.take_along_axis(np.diff(runs.reshape(-1, k + 1, n), axis=1), order[:, :, None], axis=1)
    dx, dy = np.take_along_axis(dx, order, axis=1), by_run.mean(axis=2)
    effects, r = dy / dx, len(dy)
    mu_star, sigma = np.abs(effects).mean(axis=0), effects.std(axis=0, ddof=1)
    times = _drawn_again(r)
    half = _Z * (times @ np.abs(effects) / r).std(axis=0, ddof=1)
    centred = effects - effects.mean(axis=0)  # or the difference of squares loses its digits
    again = np.sqrt(np.maximum((times @ centred**2 - (times @ centred) ** 2 / r) / (r - 1), 0.0))
    spread = _Z * again.std(axis=0, ddof=1)
    floor, beyond = np.full(k, np.nan), np.full(k, np.nan)
    if n > 1:
        floor = np.sqrt(2.0 / np.pi * (by_run.var(axis=2, ddof=1) / dx**2).mean(axis=0) / n)
        beyond = mu_star - floor - np.hypot(half, _Z * floor / np.sqrt(2.0 * r * (n - 1)))
    return {
        "mu_star": mu_star,
        "mu_star_low": np.maximum(mu_star - half, 0.0),
        "mu_star_high": mu_star + half,
        "mu_star_luck": floor,
        "mu_star_beyond_low": beyond,
        "sigma": sigma,
        "sigma_low": np.maximum(sigma - spread, 0.0),
        "sigma_high": sigma + spread,
        **_trend(dx, dy, times),
    }


def sobol(problem: dict[str, Any], points: Reals, runs: Reals, parts: Variance) -> Columns:
    """Return first and total indices and the trend of each factor, `(factors,)` each, with the ends of 95 % intervals, as `morris` does.

    `first` and `total` are shares of the variance of the means over replications, by `SALib.analyze.sobol` (Saltelli et al. 2010, Jansen
    1999), whose intervals come from base points drawn again. `first_of_run` and `total_of_run` are shares of the variance of one run,
    the seed being a factor beside the others, so that first shares, interactions and the luck's share sum to 1: luck that is left in the
    means adds to every total index and to nothing in the first ones. What it adds is half the variance of the difference that the index
    is made of, known from the replications; it is taken off, and the interval has its uncertainty too. NaN where the outcome does not
    vary, and of a run where there is one replication only.
    """
    k = points.shape[1]
    n, means = runs.shape[1], runs.mean(axis=1)
    blocks, rows = points.reshape(-1, k + 2, k), means.reshape(-1, k + 2)
    names = ("first", "total", "first_of_run", "total_of_run")
    made = {f"{name}{end}": np.full(k, np.nan) for name in names for end in ("", "_low", "_high")}
    if np.ptp(means) > 0.0:
        found = salib("analyze.sobol").analyze(problem, means, calc_second_order=False, num_resamples=_RESAMPLES, seed=_SEED)
        own = np.concatenate([rows[:, 0], rows[:, -1]]).var()
        scale = own / parts.total if parts.total > 0.0 else np.nan
        left = _left(runs.reshape(-1, k + 2, n)) / own if own > 0.0 and n > 1 else np.full((len(rows), k), np.nan)
        added, unsure = left.mean(axis=0), _Z * left.std(axis=0, ddof=1) / np.sqrt(len(left))
        for name, of, off, more in (("first", "S1", 0.0, 0.0), ("total", "ST", added, unsure)):
            value, half = (np.asarray(found[key], dtype=np.float64) for key in (of, f"{of}_conf"))
            for end, sign in (("", 0.0), ("_low", -1.0), ("_high", 1.0)):
                made[name + end] = value + sign * half
                made[f"{name}_of_run{end}"] = (value + sign * np.hypot(half, more) - off) * scale
    columns = np.arange(k)
    dx = blocks[:, 1 + columns, columns] - blocks[:, 0, :]
    return {**made, **_trend(dx, rows[:, 1:-1] - rows[:, :1], _drawn_again(len(rows)))}


def _left(blocks: Reals) -> Reals:
    """Return what luck that is left in means adds to the total effect of each factor, `(base points, factors)`.

    `blocks` `(base points, factors + 2, replications)` are runs at A, at each AB, and at B; luck that A and AB share adds nothing.
    """
    n = blocks.shape[2]
    return np.asarray((blocks[:, 1:-1] - blocks[:, :1]).var(axis=2, ddof=1) / (2.0 * n), dtype=np.float64)


def independent(points: Reals, values: Reals) -> Reals:
    """Return the runs of a Saltelli design at its two independent samples A and B, `(2 base points, replications)`."""
    blocks = values.reshape(-1, points.shape[1] + 2, values.shape[1])
    return np.concatenate([blocks[:, 0], blocks[:, -1]])


def _trend(dx: Reals, dy: Reals, times: Reals) -> Columns:
    """Return the least-squares slope through pairs of points that differ in one factor, `(pairs, factors)`, with its percentile interval.

    It is the change of the outcome from the low to the high end of the factor, as a straight line has it, wherever the others are; 0 where
    no pair differs, as few points on whole days may not.
    """
    low, high = np.quantile(_ratio(times @ (dx * dy), times @ dx**2), (0.025, 0.975), axis=0)
    return {"trend": _ratio((dx * dy).sum(axis=0), (dx**2).sum(axis=0)), "trend_low": low, "trend_high": high}


def _ratio(above: Reals, below: Reals) -> Reals:
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0.0)


def _drawn_again(count: int) -> Reals:
    """Return how often each of some blocks is drawn when as many are drawn again with replacement, `(resamples, count)`."""
    rows = np.minimum((luck.uniforms(_SEED, "resample", (_RESAMPLES, count)) * count).astype(np.int64), count - 1)
    flat = (rows + np.arange(_RESAMPLES)[:, None] * count).ravel()
    return np.bincount(flat, minlength=_RESAMPLES * count).reshape(_RESAMPLES, count).astype(np.float64)
