"""What no other policy beats beyond chance: arithmetic on runs of shape `(policies, worlds, seeds, outcomes)`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Reals = NDArray[np.float64]
Flags = NDArray[np.bool_]

_ERRORS = 2.0  # standard errors of a difference that chance is given
_ROUNDING = 1e-12  # of a value: what differs by less does not vary


class Mean(NamedTuple):
    """A mean over worlds with its Monte-Carlo standard error and the ends of its interval."""

    value: float
    error: float
    low: float
    high: float


def means(runs: Reals) -> Reals:
    """Return means over seeds and worlds, `(policies, outcomes)`."""
    return np.asarray(runs.mean(axis=2).mean(axis=1))


def errors(runs: Reals) -> Reals:
    """Return Monte-Carlo standard errors of `means`: seeds are luck, the worlds are what they are."""
    _, worlds, seeds, _ = runs.shape
    spread = runs.std(axis=2, ddof=1)
    spread = np.where(spread > _ROUNDING * np.abs(runs).max(axis=2), spread, 0.0)
    return np.asarray(np.sqrt((spread**2 / seeds).sum(axis=1)) / worlds)


def interval(values: Reals, *more: Reals, level: float = 0.95) -> Mean:
    """Return the mean over worlds of `(worlds, seeds)` values, plus those of `more`, with a t interval over the luck in each world.

    Degrees of freedom are Welch's and Satterthwaite's.
    """
    parts = [values, *more]
    value = float(sum(part.mean(axis=1).mean() for part in parts))
    pieces = [(part.var(axis=1, ddof=1) / part.shape[1] / part.shape[0] ** 2, part.shape[1] - 1) for part in parts]
    variance = float(sum(piece.sum() for piece, _ in pieces))
    if not variance > 0.0:
        return Mean(value, 0.0, value, value)
    degrees = variance**2 / float(sum((piece**2 / free).sum() for piece, free in pieces))
    half = float(stats.t.ppf(0.5 + level / 2.0, degrees)) * float(np.sqrt(variance))
    return Mean(value, float(np.sqrt(variance)), value - half, value + half)


def epsilon(runs: Reals) -> Reals:
    """Return for each outcome what a difference between two policies' means must exceed to be more than chance, `(outcomes,)`.

    It is two Monte-Carlo standard errors of a difference: sqrt(2 s^2 / (worlds x seeds)), where s^2 is the variance of a run around its
    policy's mean in its world, less what a seed moves in all policies alike, pooled over policies and worlds.
    """
    count, worlds, seeds, outcomes = runs.shape
    if count < 2:
        return np.zeros(outcomes)
    rest = runs - runs.mean(axis=2, keepdims=True)
    rest = rest - rest.mean(axis=0, keepdims=True)
    variance = (rest**2).sum(axis=(0, 1, 2)) / (worlds * (count - 1) * (seeds - 1))
    return np.asarray(_ERRORS * np.sqrt(2.0 * variance / (worlds * seeds)))


def efficient(values: Reals, margin: Reals, keeps: Flags) -> Flags:
    """Say which rows of `values` `(policies, objectives)`, all to be small, are efficient within chance, `(policies,)`.

    A policy is that if it keeps the guardrails and no other one that keeps them is better in all objectives, in each by more than `margin`.
    """
    beaten = (values[None, :, :] + margin < values[:, None, :]).all(axis=2)  # row: by which it is beaten
    return np.asarray(keeps & ~(beaten & keeps[None, :]).any(axis=1))


def pareto(values: Reals, keeps: Flags) -> Flags:
    """Say which rows are efficient by their values alone: none that keeps the guardrails is as good in all objectives, better in one."""
    as_good = (values[None, :, :] <= values[:, None, :]).all(axis=2)
    better = (values[None, :, :] < values[:, None, :]).any(axis=2)
    return np.asarray(keeps & ~(as_good & better & keeps[None, :]).any(axis=1))


def knee(values: Reals, among: Flags) -> int | None:
    """Return the row nearest to the best of all objectives at once, each from 0 to 1 over the rows `among` which it is sought."""
    rows = np.flatnonzero(among)
    if not len(rows):
        return None
    part = values[rows]
    low, width = part.min(axis=0), np.ptp(part, axis=0)
    scaled = (part - low) / np.where(width > 0.0, width, 1.0)
    return int(rows[np.argmin((scaled**2).sum(axis=1))])


def regrets(by_world: Reals, keeps: Flags) -> Reals:
    """Return how much worse each policy is in each world than the best of those that keep the guardrails, of all where none does.

    `by_world` are means `(policies, worlds, outcomes)` to be small, `keeps` is `(policies,)`.
    """
    among = by_world[keeps] if keeps.any() else by_world
    return np.asarray(by_world - among.min(axis=0, keepdims=True))
