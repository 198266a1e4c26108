"""The numbers of the page: means over the window in both arms and their difference, of one pair of runs or of many."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from sim.levers import CHANNELS
from sim.names import title_of
from sim.outcomes import OUTCOMES, Column, window_means
from sim.scenario_tables import Run

if TYPE_CHECKING:
    import pandas as pd

NUMBERS = (
    *(f"stock_{channel}" for channel in CHANNELS),
    *("supply_account_days", "price_yuan", "commission_yuan", "expected_harm_yuan", "victims"),
    *("owners_banned", "innocents_sanctioned", "enforcement_cost_yuan"),
)
"""Outcomes in the table of the page."""


class Number(NamedTuple):
    """One line of the table; `low` and `high` are the ends of the 95 % interval of the difference, NaN for one pair of runs."""

    outcome: str
    baseline: float
    policy: float
    difference: float
    low: float
    high: float

    @property
    def title(self) -> str:
        """Return what the outcome is called."""
        return title_of(self.outcome)

    @property
    def unit(self) -> str:
        """Return the unit of the outcome."""
        return OUTCOMES[self.outcome].unit

    @property
    def cells(self) -> tuple[str, str, str, str]:
        """Return baseline, policy, difference with its interval and relative change as text."""
        from sim.analysis.words import number, percent

        if not math.isfinite(self.baseline):
            return "", "", "", ""
        change = "0" if self.difference == 0.0 else f"{'+' if self.difference > 0.0 else ''}{number(self.difference)}"
        if math.isfinite(self.low) and not self.low == self.high == 0.0:
            change += f" ({number(self.low)} to {number(self.high)})"
        share = percent(self.difference / self.baseline) + " %" if self.baseline else "0 %" if self.difference == 0.0 else ""
        return number(self.baseline), number(self.policy), change, share


def of_a_pair(baseline: Mapping[str, Column], policy: Mapping[str, Column], run: Run) -> tuple[str, list[Number]]:
    """Return which days are averaged, in words, and the numbers of a pair of runs so far.

    Before the window begins they are those of the last day. `baseline` and `policy` are outcomes of the days done.
    """
    done = len(policy["victims"])
    first, last = run.window
    if not done:
        return "No day is done yet.", [Number(outcome, *[math.nan] * 5) for outcome in NUMBERS]
    if done <= first:
        start, end, words = done - 1, done, f"Values of day {done - 1}; means are taken from day {first} on."
    else:
        start, end = first, done
        words = f"Means of days {first} to {done - 1}" + ("." if done == last else f"; the window ends with day {last - 1}.")
    before, after = window_means(baseline, start, end), window_means(policy, start, end)
    return words, [Number(name, before[name], after[name], after[name] - before[name], math.nan, math.nan) for name in NUMBERS]


def of_many(table: pd.DataFrame) -> list[Number]:
    """Return the numbers of many pairs of runs: the rows of a comparison for one policy."""
    rows = table.set_index("outcome")
    columns = ["baseline_mean", "mean", "difference", "difference_low", "difference_high"]
    return [Number(name, *map(float, rows.loc[name, columns])) for name in NUMBERS]
