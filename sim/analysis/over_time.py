"""Follow outcomes over days: replication means, paired differences with bands, recovery after a pulse."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.analysis import intervals
from sim.analysis.pairs import others

Reals = NDArray[np.float64]


def mean_daily(daily: pd.DataFrame, outcomes: Sequence[str], scenarios: Iterable[str] | None = None) -> pd.DataFrame:
    """Return the mean over replications: scenario, day, outcomes, replications."""
    rows = daily if scenarios is None else daily[daily["scenario"].isin(list(scenarios))]
    groups = rows.groupby(["scenario", "day"], sort=False, observed=True)
    table = groups[list(outcomes)].mean()
    table["replications"] = groups.size()
    return table.reset_index()


def _cube(daily: pd.DataFrame, scenario: str, outcomes: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64], Reals]:
    """Return replications `(n,)`, days `(d,)` and values `(n, d, k)` of one scenario."""
    rows = daily[daily["scenario"] == scenario].sort_values(["replication", "day"], kind="stable")
    replications = np.unique(rows["replication"].to_numpy(dtype=np.int64))
    days = np.unique(rows["day"].to_numpy(dtype=np.int64))
    values = rows[list(outcomes)].to_numpy(dtype=np.float64)
    if len(values) != len(replications) * len(days):
        raise ValueError(f"scenario {scenario!r} lacks days in some replication, or has some twice")
    return replications, days, values.reshape(len(replications), len(days), len(outcomes))


def _paired_cubes(daily: pd.DataFrame, baseline: str, scenario: str, outcomes: Sequence[str]) -> tuple[NDArray[np.int64], Reals, Reals]:
    first, days, before = _cube(daily, baseline, outcomes)
    second, same_days, after = _cube(daily, scenario, outcomes)
    common = np.intersect1d(first, second)
    if len(common) == 0 or not np.array_equal(days, same_days):
        raise ValueError(f"{scenario!r} and {baseline!r} have no common replications over the same days")
    return days, before[np.isin(first, common)], after[np.isin(second, common)]


def _trailing_means(values: Reals, days: int) -> Reals:
    """Average `(n, d, k)` over the last `days` days up to each; the first days average what there is."""
    sums = np.cumsum(values, axis=1)
    sums[:, days:] = sums[:, days:] - sums[:, :-days]
    counts = np.minimum(np.arange(1, values.shape[1] + 1), days)
    return np.asarray(sums / counts[None, :, None], dtype=np.float64)


def daily_differences(
    daily: pd.DataFrame,
    baseline: str,
    outcomes: Sequence[str],
    scenarios: Iterable[str] | None = None,
    smooth_days: int = 7,
) -> pd.DataFrame:
    """Return paired differences day by day with pointwise 95 % bands, of trailing means over `smooth_days` days.

    Columns: scenario, outcome, day, baseline_mean, mean, difference, difference_low, difference_high, relative, relative_low,
    relative_high, replications. A trailing mean looks back only, so days before a policy keep differences of exactly 0.
    """
    parts = []
    for scenario in others(daily, baseline, scenarios):
        days, before, after = _paired_cubes(daily, baseline, scenario, outcomes)
        base = _trailing_means(before, smooth_days)
        change = _trailing_means(after - before, smooth_days)
        change[:, ~np.logical_or.accumulate((after != before).any(axis=0), axis=0)] = 0.0
        for k, outcome in enumerate(outcomes):
            difference = intervals.t_intervals(change[:, :, k])
            relative = intervals.ratio_intervals(change[:, :, k], base[:, :, k])
            means = base[:, :, k].mean(axis=0)
            columns = {"scenario": scenario, "outcome": outcome, "day": days, "baseline_mean": means, "mean": means + difference.value}
            ends = {f"{name}{end}": values for name, three in (("difference", difference), ("relative", relative))
                    for end, values in zip(("", "_low", "_high"), three, strict=True)}  # fmt: skip
            parts.append(pd.DataFrame({**columns, **ends, "replications": len(base)}))
    return pd.concat(parts, ignore_index=True)


def recovery_days(
    daily: pd.DataFrame,
    baseline: str,
    scenario: str,
    pulse_day: int,
    outcome: str = "supply_account_days",
    share: float = 0.95,
    hold_days: int = 7,
) -> int | None:
    """Return how many days after the pulse the replication mean begins to stay above `share` of the paired baseline for `hold_days`.

    0 when it stays above from the day of the pulse on; None when it has not recovered by the last day.
    """
    days, before, after = _paired_cubes(daily, baseline, scenario, [outcome])
    mean, base = after.mean(axis=0)[:, 0], before.mean(axis=0)[:, 0]
    above = (mean > share * base) | (mean >= base)
    if above[days >= pulse_day].all():
        return 0
    run = 0
    for day, is_above in zip(days.tolist(), above.tolist(), strict=True):
        if day < pulse_day:
            continue
        run = run + 1 if is_above else 0
        if run == hold_days:
            return int(day) - hold_days + 1 - pulse_day
    return None
