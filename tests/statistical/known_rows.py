"""Rows of the table of known answers: what is compared, and the verdict."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

LIMIT = 3.3
"""Standard errors beyond which a difference is no luck: two-sided probability 9.7e-4."""
FALSE_ALARM = float(2 * stats.norm.sf(LIMIT))
_NONE = math.nan


@dataclass(frozen=True)
class Row:
    """One comparison: closed form and simulation, the verdict and how it was reached.

    `kind` is z (|z| < 3.3), fit (chi-square as a normal deviate, < 3.3), TOST (equal within `margin`, both one-sided tests at 5 %),
    trend (deviate above 3.3 in the stated direction) or exact (equal; `margin` is what rounding may leave).
    """

    what: str
    closed_form: float
    simulated: float
    standard_error: float
    z: float
    margin: float
    kind: str
    passed: bool


def within(what: str, closed_form: float, simulated: float, standard_error: float, degrees: int | None = None) -> Row:
    """Compare a mean or a count with its expectation, in standard errors.

    A standard error estimated with few `degrees` of freedom makes it a t value, given as the normal deviate of the same probability.
    """
    z = (simulated - closed_form) / standard_error if standard_error > 0 else math.copysign(math.inf, simulated - closed_form)
    if degrees is not None and math.isfinite(z):
        z = math.copysign(float(stats.norm.isf(stats.t.sf(abs(z), degrees))), z)
    return Row(what, closed_form, simulated, standard_error, z, _NONE, "z", bool(abs(z) < LIMIT))


def poisson(what: str, mean: float, counts: ArrayLike) -> list[Row]:
    """Compare independent counts with a Poisson law of a common mean: their mean and their dispersion."""
    counts = np.asarray(counts, dtype=float)
    n = counts.size
    rows = [within(f"{what}: mean", mean, float(counts.mean()), math.sqrt(mean / n))]
    spread = float(((counts - mean) ** 2).sum() / (n * mean))
    rows.append(within(f"{what}: variance / mean", 1.0, spread, math.sqrt((2 + 1 / mean) / n)))
    return rows


def binomial(what: str, hits: float, trials: float, chance: float) -> Row:
    """Compare hits among independent trials with a probability."""
    return within(what, chance, hits / trials, math.sqrt(chance * (1 - chance) / trials))


def fits(what: str, seen: ArrayLike, expected: ArrayLike, lost: int = 1) -> Row:
    """Compare counts by class with their expectations: chi-square, `lost` degrees fewer than classes, as a normal deviate."""
    seen, expected = np.asarray(seen, dtype=float), np.asarray(expected, dtype=float)
    square = float(((seen - expected) ** 2 / expected).sum())
    return of_square(what, square, seen.size - lost)


def of_square(what: str, square: float, degrees: int) -> Row:
    """Give a chi-square as a normal deviate of its upper tail."""
    z = float(-stats.norm.ppf(max(stats.chi2.sf(square, degrees), 1e-300)))
    return Row(what, float(degrees), square, math.sqrt(2 * degrees), z, _NONE, "fit", z < LIMIT)


def equal(what: str, closed_form: float, simulated: ArrayLike, margin: float, standard_error: float | None = None) -> Row:
    """Test that a mean over replications equals its closed form within `margin` (a share of it): two one-sided t tests at 5 %."""
    values = np.atleast_1d(np.asarray(simulated, dtype=float))
    mean = float(values.mean())
    error = float(values.std(ddof=1) / math.sqrt(values.size)) if standard_error is None else standard_error
    return tost(what, closed_form, mean, error, margin, values.size - 1 if standard_error is None else 1e6)


def tost(what: str, closed_form: float, simulated: float, standard_error: float, margin: float, degrees: float) -> Row:
    """Test that two numbers are equal within `margin` (a share of the closed form)."""
    room = abs(closed_form) * margin
    reach = abs(simulated - closed_form) + float(stats.t.ppf(0.95, degrees)) * standard_error
    z = (simulated - closed_form) / standard_error if standard_error > 0 else 0.0
    return Row(what, closed_form, simulated, standard_error, z, margin, "TOST", bool(reach < room))


def exact(what: str, closed_form: float, simulated: float, margin: float = 0.0) -> Row:
    """Compare what has no chance in it; `margin` is an absolute tolerance for rounding."""
    same = bool(abs(simulated - closed_form) <= margin)
    return Row(what, float(closed_form), float(simulated), 0.0, 0.0 if same else math.inf, margin, "exact", same)


def holds(what: str, *faults: object) -> Row:
    """Say that nothing contradicts a statement; the counts of exceptions must all be nothing."""
    return exact(what, 0.0, float(sum(bool(np.any(fault)) for fault in faults)))


def trend(what: str, by_seed: ArrayLike, sign: int) -> Row:
    """Test that an outcome moves one way with the dose: Page's L over seeds (rows) and doses (columns), as a normal deviate."""
    values = np.asarray(by_seed, dtype=float) * sign
    blocks, doses = values.shape
    ranks = stats.rankdata(values, axis=1)
    length = float((ranks * np.arange(1, doses + 1)).sum())
    mean = blocks * doses * (doses + 1) ** 2 / 4
    spread = math.sqrt(blocks * doses**2 * (doses + 1) * (doses**2 - 1) / 144)
    z = (length - mean) / spread
    return Row(what, mean, length, spread, z, _NONE, "trend", z > LIMIT)
