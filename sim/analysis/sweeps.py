"""Arrange runs over levels of one lever or two: dose-response and interaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from sim.analysis.differences import HEADLINE, comparison, comparison_of_baseline


def dose_response(
    runs: pd.DataFrame, baseline: str, levels: Mapping[str, float], baseline_level: float, outcomes: Sequence[str] = HEADLINE
) -> pd.DataFrame:
    """Return the comparison with a `level` a scenario, sorted by it, and the baseline itself as rows of zero difference."""
    table = comparison(runs, baseline, outcomes, list(levels))
    table["level"] = table["scenario"].map({name: float(level) for name, level in levels.items()})
    own = comparison_of_baseline(runs, baseline, outcomes).assign(level=baseline_level)
    whole = pd.concat([table, own], ignore_index=True)
    order = {outcome: k for k, outcome in enumerate(outcomes)}
    whole["order"] = whole["outcome"].map(order)
    return whole.sort_values(["order", "level"], kind="stable").drop(columns="order").reset_index(drop=True)


def rising_ranges(dose: pd.DataFrame, outcome: str = "stock_rented") -> list[tuple[float, float]]:
    """Return the ranges of levels where `outcome` is above the baseline: where the lower end of the ribbon is above 0.

    `dose` is what `dose_response` returns; between levels the ribbon is a straight line, as it is drawn.
    """
    rows = dose[dose["outcome"] == outcome].drop_duplicates("level").sort_values("level")
    levels, lower = rows["level"].to_numpy(dtype=np.float64), rows["difference_low"].to_numpy(dtype=np.float64)
    ranges: list[tuple[float, float]] = []
    for k in range(len(levels) - 1):
        left, right = lower[k], lower[k + 1]
        if not (left > 0.0 or right > 0.0):
            continue
        crossing = levels[k] + (levels[k + 1] - levels[k]) * left / (left - right) if left != right else levels[k]
        first, last = (levels[k] if left > 0.0 else crossing), (levels[k + 1] if right > 0.0 else crossing)
        if ranges and ranges[-1][1] == first:
            ranges[-1] = (ranges[-1][0], float(last))
        else:
            ranges.append((float(first), float(last)))
    return ranges


def interaction(
    runs: pd.DataFrame, baseline: str, levels: Mapping[str, tuple[float, float]], outcomes: Sequence[str] = HEADLINE
) -> pd.DataFrame:
    """Return the comparison with the two levels of each scenario as columns `x` and `y`."""
    table = comparison(runs, baseline, outcomes, list(levels))
    table["x"] = table["scenario"].map({name: float(pair[0]) for name, pair in levels.items()})
    table["y"] = table["scenario"].map({name: float(pair[1]) for name, pair in levels.items()})
    return table
