"""Read rows of a comparison table by outcome and scenario."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd


class Row(NamedTuple):
    """One outcome of one scenario against the baseline; `wide_*` are the ends of the simultaneous interval."""

    outcome: str
    scenario: str
    baseline_mean: float
    mean: float
    difference: float
    low: float
    high: float
    wide_low: float
    wide_high: float
    relative: float
    relative_low: float
    relative_high: float

    @property
    def clear(self) -> bool:
        """Whether the pointwise interval leaves out 0."""
        return self.low > 0.0 or self.high < 0.0

    @property
    def unchanged(self) -> bool:
        """Whether the difference is exactly 0 in every replication."""
        return self.low == self.high == 0.0

    @property
    def has_relative(self) -> bool:
        """Whether the relative change has an interval."""
        return bool(np.isfinite(self.relative_low) and np.isfinite(self.relative_high))


_NUMBERS = (
    "baseline_mean", "mean", "difference", "difference_low", "difference_high", "simultaneous_low", "simultaneous_high",
    "relative", "relative_low", "relative_high",
)  # fmt: skip


def rows(table: pd.DataFrame) -> dict[tuple[str, str], Row]:
    """Return the rows of a comparison table by (outcome, scenario), in its order."""
    found = {}
    values = table[list(_NUMBERS)].to_numpy(dtype=np.float64)
    for outcome, scenario, numbers in zip(table["outcome"].tolist(), table["scenario"].tolist(), values.tolist(), strict=True):
        found[(str(outcome), str(scenario))] = Row(str(outcome), str(scenario), *numbers)
    return found
