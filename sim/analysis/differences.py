"""Compare scenarios with the baseline on paired replications."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.analysis import intervals
from sim.analysis.intervals import Interval
from sim.analysis.pairs import others, pairs
from sim.outcomes import OUTCOMES

Reals = NDArray[np.float64]

HEADLINE: tuple[str, ...] = (
    "stock_rented",
    "supply_account_days",
    "price_yuan",
    "expected_harm_yuan",
    "owners_banned",
    "innocents_sanctioned",
    "enforcement_cost_yuan",
)
"""Outcomes of the forest plot and of the answer on the screen."""

COLUMNS: tuple[str, ...] = (
    "outcome", "scenario", "baseline", "baseline_mean", "mean", "difference", "difference_low", "difference_high",
    "simultaneous_low", "simultaneous_high", "relative", "relative_low", "relative_high", "replications", "variance_ratio",
    "variance_ratio_low", "variance_ratio_high",
)  # fmt: skip
"""Columns of the comparison table."""

_WIDER = 10.0  # times by which a baseline may widen a relative interval

Sample = tuple[tuple[int, ...], Reals]
"""The replications of a row of the table, and their paired differences."""


def comparison(
    runs: pd.DataFrame,
    baseline: str,
    outcomes: Iterable[str] | None = None,
    scenarios: Iterable[str] | None = None,
) -> pd.DataFrame:
    """Compare every scenario with the baseline: one row an outcome and scenario, columns `COLUMNS`.

    `difference` is the mean paired difference with its pointwise 95 % t interval; `simultaneous_*` covers all rows of the table together
    (`intervals.max_t_critical`); `relative` is the difference over the baseline's mean with its Fieller interval (shares, not per cent),
    which is NaN where it says nothing (`relative_change`);
    `variance_ratio` is the variance of the difference between independent runs over that between paired ones, with its 95 % interval.
    Differences that don't vary
    have intervals of no width. A pair with a missing value on either side is left out of its row.
    """
    columns = list(outcomes) if outcomes is not None else [c for c in runs.columns if c in OUTCOMES or c.startswith("lifetime_days_")]
    rows: list[dict[str, object]] = []
    samples: list[Sample] = []
    for scenario in others(runs, baseline, scenarios):
        replications, before, after = pairs(runs, baseline, scenario, columns)
        for k, outcome in enumerate(columns):
            whole = ~(np.isnan(before[:, k]) | np.isnan(after[:, k]))
            a, b = after[whole, k], before[whole, k]
            rows.append({"outcome": outcome, "scenario": scenario, "baseline": baseline, **_row(a, b)})
            samples.append((tuple(replications[whole].tolist()), a - b))
    table = pd.DataFrame(rows, columns=[c for c in COLUMNS if not c.startswith("simultaneous")])
    low, high = _simultaneous(samples)
    table.insert(COLUMNS.index("simultaneous_low"), "simultaneous_low", low)
    table.insert(COLUMNS.index("simultaneous_high"), "simultaneous_high", high)
    order = {outcome: k for k, outcome in enumerate(columns)}
    return table.sort_values("outcome", key=lambda names: names.map(order), kind="stable").reset_index(drop=True)


def relative_change(after: Reals, before: Reals) -> Interval:
    """Return the change of paired values `(replications,)` as a part of the baseline's mean; its ends are NaN where they say nothing.

    They do not when they have falls of more than all of what is never negative, nor when an unclear baseline has made the interval wider
    than the change itself and `_WIDER` times as wide as the difference's interval over the baseline's mean.
    """
    value, low, high = (float(end[0]) for end in intervals.ratio_intervals(after - before, before))
    nothing = Interval(value, np.nan, np.nan)
    if not np.isfinite(low) or (low < -1.0 and min(before.min(), after.min()) >= 0.0):
        return nothing
    if high - low <= abs(value):
        return Interval(value, low, high)
    change = intervals.t_intervals(after - before)
    half = float(change.high[0] - change.value[0])
    return Interval(value, low, high) if high - low <= _WIDER * 2.0 * half / abs(float(before.mean())) else nothing


def _row(after: Reals, before: Reals) -> dict[str, float | int]:
    if len(after) == 0:
        keys = COLUMNS[3:8] + COLUMNS[10:13] + COLUMNS[14:]
        return {**dict.fromkeys(keys, float("nan")), "replications": 0}
    change = intervals.t_intervals(after - before)
    relative = relative_change(after, before)
    saved = intervals.variance_ratio(after, before)
    return {
        "baseline_mean": float(before.mean()),
        "mean": float(after.mean()),
        "difference": float(change.value[0]),
        "difference_low": float(change.low[0]),
        "difference_high": float(change.high[0]),
        "relative": relative.value,
        "relative_low": relative.low,
        "relative_high": relative.high,
        "replications": len(after),
        "variance_ratio": saved.value,
        "variance_ratio_low": saved.low,
        "variance_ratio_high": saved.high,
    }


def _simultaneous(samples: Sequence[Sample]) -> tuple[list[float], list[float]]:
    """Return the ends of simultaneous intervals: max |t| for rows on the commonest set of pairs, Bonferroni for the few on others."""
    sets = [which for which, _ in samples]
    common = max(set(sets), key=lambda which: (sets.count(which), which), default=())
    block = [values for which, values in samples if which == common and len(which) > 1]
    level = 1.0 - 0.05 * len(block) / max(len(samples), 1)
    critical = intervals.max_t_critical(np.column_stack(block), level) if block else float("nan")
    low, high = [], []
    for which, values in samples:
        factor = critical if which == common else intervals.t_critical(len(values), 0.95, len(samples))
        ends = intervals.t_intervals(values, critical=factor) if len(values) else None
        low.append(float(ends.low[0]) if ends else float("nan"))
        high.append(float(ends.high[0]) if ends else float("nan"))
    return low, high


def comparison_of_baseline(runs: pd.DataFrame, baseline: str, outcomes: Sequence[str]) -> pd.DataFrame:
    """Return the rows of the comparison table for the baseline against itself: its means, and differences of 0."""
    _, before, _ = pairs(runs, baseline, baseline, outcomes)
    table = pd.DataFrame(0.0, index=range(len(outcomes)), columns=list(COLUMNS))
    fixed = {"outcome": list(outcomes), "scenario": baseline, "baseline": baseline, "replications": len(before)}
    fixed |= dict.fromkeys(("variance_ratio", "variance_ratio_low", "variance_ratio_high"), np.nan)
    means = pd.DataFrame(before).mean().to_numpy(dtype=np.float64)  # missing values left out
    return table.assign(**fixed, baseline_mean=means, mean=means)  # type: ignore[arg-type]  # a list, strings and numbers are all columns


def precision(runs: pd.DataFrame, baseline: str, headline: Sequence[str]) -> pd.DataFrame:
    """Return how precise each headline effect is: outcome, scenario, replications, half_width_share.

    The share is the half-width of the pointwise 95 % interval over the baseline's mean: 0 without variance, infinite when the mean is 0
    and where fewer than `intervals.FEW` differences happen to be equal.
    """
    rows = []
    for scenario in others(runs, baseline):
        _, before, after = pairs(runs, baseline, scenario, headline)
        change = intervals.t_intervals(after - before)
        half, mean = change.high - change.value, np.abs(before.mean(axis=0))
        for k, outcome in enumerate(headline):
            chance = half[k] == 0.0 and change.value[k] != 0.0 and len(before) < intervals.FEW
            share = np.inf if chance else 0.0 if half[k] == 0.0 else half[k] / mean[k] if mean[k] > 0.0 else np.inf
            rows.append((outcome, scenario, len(before), float(share)))
    return pd.DataFrame(rows, columns=["outcome", "scenario", "replications", "half_width_share"])


def next_replications(n: int, width: float, target: float, most: int) -> int:
    """Return how many replications to make after `n` whose interval has half-width `width`, to come near `target` from below.

    With the deviation so far, m replications have the half-width width t(m) / t(n) sqrt(n / m). The least m for which that is below the
    target is known to about sqrt(2 (m - n) m / n), as the deviations of the n and of the m - n to come vary by chance: so many fewer are
    made, at least 2 more, at most twice as many, and at most `most` in all.
    """
    counts = np.arange(n + 1, most + 1)
    scale = np.array([intervals.t_critical(m) for m in counts.tolist()]) / intervals.t_critical(n) * np.sqrt(n / counts)
    enough = counts[width * scale < target]
    if enough.size == 0:  # `most` are too few, or the width is infinite or not a number
        return min(most, max(n + 2, 2 * n))
    m = int(enough[0])
    return min(most, max(n + 2, min(2 * n, math.ceil(m - math.sqrt(2.0 * (m - n) * m / n)))))


def precision_reached(runs: pd.DataFrame, baseline: str, headline: Sequence[str], share: float) -> bool:
    """Say whether every headline effect has a half-width below `share` of the baseline's mean."""
    widths = precision(runs, baseline, headline)["half_width_share"].to_numpy()
    return bool(np.all(widths < share))
