"""Read rows of a comparison table by outcome and scenario."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from sim.analysis.intervals import FEW, clear


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
    replications: int

    @property
    def clear(self) -> bool:
        """Whether the pointwise interval leaves out 0, not by a few differences that happen to be equal."""
        return clear(self.low, self.high, self.replications)

    @property
    def same(self) -> bool:
        """Whether to say only that the difference is the same in every replication: too few, or no relative interval."""
        return self.low == self.high != 0.0 and not (self.replications >= FEW and self.has_relative)

    @property
    def unchanged(self) -> bool:
        """Whether the difference is exactly 0 in every replication."""
        return self.low == self.high == 0.0

    @property
    def has_relative(self) -> bool:
        """Whether the relative change has an interval: none where only that has no width, as with a mean of 0."""
        tells = self.relative_low < self.relative_high or (self.relative_low == self.relative_high and self.low == self.high)
        return bool(np.isfinite(self.relative_low) and np.isfinite(self.relative_high) and tells)

    @property
    def in_units(self) -> bool:
        """Whether to say the change in units, since the relative one, or its interval, says nothing."""
        return self.same or not np.isfinite(self.relative) or bool(np.isfinite(self.low) and not self.has_relative)


_NUMBERS = (
    "baseline_mean", "mean", "difference", "difference_low", "difference_high", "simultaneous_low", "simultaneous_high",
    "relative", "relative_low", "relative_high",
)  # fmt: skip


def rows(table: pd.DataFrame) -> dict[tuple[str, str], Row]:
    """Return the rows of a comparison table by (outcome, scenario), in its order."""
    found = {}
    values = table[list(_NUMBERS)].to_numpy(dtype=np.float64)
    names = [table[name].tolist() for name in ("outcome", "scenario", "replications")]
    for outcome, scenario, n, numbers in zip(*names, values.tolist(), strict=True):
        found[(str(outcome), str(scenario))] = Row._make((str(outcome), str(scenario), *numbers, int(n)))
    return found


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table by column."""
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]
