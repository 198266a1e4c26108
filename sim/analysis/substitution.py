"""Measure displacement between channels, and what policies do together beyond the sum of their parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from sim.analysis import intervals
from sim.analysis.intervals import Interval
from sim.analysis.pairs import pairs


def displacement_index(runs: pd.DataFrame, baseline: str, scenario: str, targets: Sequence[str]) -> Interval | None:
    """Return DI = 1 - dK / dK_A with its 95 % interval, or None when dK_A is not clear (`intervals.clear`).

    K is the effective supply of all channels, K_A that of the targeted ones. 0: nothing displaced, 1: all of it, above 1:
    backfire, below 0: other channels shrink as well. The interval is Fieller's on paired data, which is bounded exactly when
    that of dK_A excludes 0.
    """
    row = displacement(runs, baseline, {scenario: targets}).iloc[0]
    if np.isnan(row["displacement_low"]):
        return None
    return Interval(float(row["displacement_index"]), float(row["displacement_low"]), float(row["displacement_high"]))


def displacement(runs: pd.DataFrame, baseline: str, targets: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Return one row a scenario that names target channels: the displacement index and the two differences that it is made of.

    Columns: scenario, targets, displacement_index, displacement_low, displacement_high, supply_difference, supply_low, supply_high,
    target_difference, target_low, target_high (account-days a day), replications. The index is NaN where it does not apply.
    """
    rows = []
    for scenario, channels in targets.items():
        if scenario == baseline or not channels:
            continue
        names = ["supply_account_days", *(f"supply_{channel}" for channel in channels)]
        _, before, after = pairs(runs, baseline, scenario, names)
        change = after - before
        whole, aimed = change[:, 0], change[:, 1:].sum(axis=1)
        total, target = intervals.t_intervals(whole), intervals.t_intervals(aimed)
        clear = intervals.clear(float(target.low[0]), float(target.high[0]), len(change))
        ratio = intervals.ratio_intervals(whole, aimed)
        index = (1.0 - ratio.value[0], 1.0 - ratio.high[0], 1.0 - ratio.low[0]) if clear else (np.nan, np.nan, np.nan)
        rows.append((scenario, " ".join(channels), *map(float, index), *(float(part[0]) for part in (*total, *target)), len(change)))
    names = ["scenario", "targets", "displacement_index", "displacement_low", "displacement_high", "supply_difference", "supply_low"]
    names += ["supply_high", "target_difference", "target_low", "target_high", "replications"]
    return pd.DataFrame(rows, columns=names)


def synergy(runs: pd.DataFrame, baseline: str, parts: Sequence[str], combined: str, outcomes: Sequence[str]) -> pd.DataFrame:
    """Compare a combined policy with the sum of its parts: outcome, combined, sum_of_parts, excess, excess_low, excess_high.

    The excess is the paired difference between the combined effect and the summed effects of `parts`, with its t interval.
    """
    names = list(outcomes)
    replications, before, after = pairs(runs, baseline, combined, names)
    whole = after - before
    added = np.zeros_like(whole)
    for part in parts:
        same, first, second = pairs(runs, baseline, part, names)
        if not np.array_equal(same, replications):
            raise ValueError(f"{part!r} and {combined!r} have finished different replications")
        added += second - first
    excess = intervals.t_intervals(whole - added)
    columns = {"combined": whole.mean(axis=0), "sum_of_parts": added.mean(axis=0)}
    ends = {"excess": excess.value, "excess_low": excess.low, "excess_high": excess.high}
    return pd.DataFrame({"outcome": names, **columns, **ends})
