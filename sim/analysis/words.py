"""Say in plain sentences what each policy does: the answer on the screen."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from sim.analysis.rows import Row, rows
from sim.outcomes import OUTCOMES

_CALLED = {
    "stock_rented": "rented accounts",
    "supply_account_days": "total supply",
    "price_yuan": "the price",
    "expected_harm_yuan": "expected harm",
    "owners_banned": "owners banned",
    "innocents_sanctioned": "innocents sanctioned",
    "enforcement_cost_yuan": "enforcement cost",
}
_MANIFOLD = 2.0  # from +200 % on, 'to 3 times' reads better than per cent


def unit_of(outcome: str) -> str:
    """Return the unit of an outcome of the tables, lifetimes included."""
    if outcome.startswith("lifetime_days_"):
        return "days"
    return OUTCOMES[outcome].unit if outcome in OUTCOMES else ""


def name_of(outcome: str) -> str:
    """Return what to call an outcome in a sentence."""
    return _CALLED.get(outcome, outcome.removesuffix("_yuan").replace("_", " "))


def number(value: float) -> str:
    """Write a number with three significant digits or whole, thousands marked: 0.45, 12.3, 1,234, 1.23 million."""
    size = abs(value)
    if not np.isfinite(value):
        return "unknown"
    if size >= 999_950:
        scale, word = (1e9, "billion") if size >= 999.95e6 else (1e6, "million")
        return f"{value / scale:.3g} {word}"
    if size >= 99.95 or value == 0.0:
        return f"{value:,.0f}"
    return f"{value:.3g}" if size >= 0.001 else f"{value:.0e}"


def percent(share: float, signed: bool = True) -> str:
    """Write a share as per cent: +12.3, -3.4, 0, +1,240."""
    value = 100.0 * share
    digits = 0 if abs(value) >= 99.95 else 1
    text = f"{value:+,.{digits}f}" if signed else f"{value:,.{digits}f}"
    text = text.removesuffix(".0")
    return "0" if text in ("+0", "-0") else text


def change(row: Row) -> str:
    """Say one row of the comparison table: rises, falls, probably so, or no clear change, with its interval."""
    name = name_of(row.outcome)
    if not np.isfinite(row.low):
        known = np.isfinite(row.difference)
        return f"{name} {_by(row, row.difference)} (one replication: no interval)" if known else f"{name} unknown"
    if row.unchanged:
        return f"{name} exactly unchanged"
    if not row.clear:
        return f"{name}: no clear change ({_range(row)})"
    verb = "rise" if row.difference > 0.0 else "fall"
    singular = "" if name.split()[0].endswith("s") or name.endswith("s") else "s"
    probably = "probably " if row.wide_low <= 0.0 <= row.wide_high else ""
    return f"{name} {probably}{verb}{singular} {_by(row, abs(row.difference))} ({_range(row)})"


def _by(row: Row, difference: float) -> str:
    """Say how much: to a multiple, by per cent, or by an amount where the baseline has no clear mean."""
    if not np.isfinite(row.relative) or (np.isfinite(row.low) and not row.has_relative):
        return f"by {number(difference)} {unit_of(row.outcome)} from {number(row.baseline_mean)}"
    if row.relative >= _MANIFOLD:
        return f"to {number(1.0 + row.relative)} times"
    return f"by {percent(row.relative if difference < 0.0 else abs(row.relative), signed=False)} %"


def _range(row: Row) -> str:
    if not row.has_relative:
        return f"{number(row.low)} to {number(row.high)}"
    if row.relative >= _MANIFOLD and row.clear:
        return f"{number(1.0 + row.relative_low)} to {number(1.0 + row.relative_high)}"
    return f"{percent(row.relative_low)} to {percent(row.relative_high)} %"


def displaced(row: Mapping[Hashable, Any]) -> str | None:
    """Say the displacement index of one row of the displacement table; None where it does not apply."""
    index, low, high = (float(row[f"displacement_{end}"]) for end in ("index", "low", "high"))
    if not np.isfinite(low):
        return None
    loss = "lose" if float(row["target_difference"]) < 0.0 else "gain"
    *first, last = str(row["targets"]).split()
    aimed = f"{', '.join(first)} and {last}" if first else last
    ends = f"({percent(low, signed=False)} to {percent(high, signed=False)} %)"
    if low <= 0.0 <= high:
        return f"of the supply that {aimed} accounts {loss}, no clear part is made up for by other channels {ends}"
    if index < 0.0:
        return f"other channels move along with {aimed} accounts, by {percent(-index, signed=False)} % of what those {loss} {ends}"
    verb = "comes back through" if loss == "lose" else "is taken from"
    return f"of the supply that {aimed} accounts {loss}, {percent(index, signed=False)} % {ends} {verb} other channels"


def answer(
    table: pd.DataFrame,
    displacement: pd.DataFrame | None = None,
    titles: Mapping[str, str] | None = None,
    recovery: Mapping[str, int | None] | None = None,
    outcomes: Sequence[str] | None = None,
) -> list[str]:
    """Return sentences, at least one a scenario: what it does to each outcome, with intervals, and how much is displaced.

    `table` is a comparison, `displacement` the displacement table, `recovery` days by scenario; the last sentence says how to read them.
    """
    lines = []
    cells = rows(table if outcomes is None else table[table["outcome"].isin(list(outcomes))])
    for scenario in dict.fromkeys(name for _, name in cells):
        title = (titles or {}).get(scenario, scenario.replace("_", " "))
        lines.append(f"{title}: " + "; ".join(change(row) for (_, name), row in cells.items() if name == scenario) + ".")
        if displacement is not None:
            records = displacement[displacement["scenario"] == scenario].to_dict("records")
            lines.extend(f"{title}: {sentence}." for record in records if (sentence := displaced(record)))
        if recovery and scenario in recovery:
            days = recovery[scenario]
            ending = "has not recovered by the last day" if days is None else f"is back above 95 % of the baseline after {days} days"
            lines.append(f"{title}: supply {ending}.")
    counts = sorted({int(n) for n in table["replications"]})
    n = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]}-{counts[-1]}"
    lines.append(
        f"Brackets: 95 % intervals of differences from the baseline over {n} pairs of runs with the same luck. "
        "'Probably': the interval leaves out 0 by itself, but not when all of these statements are judged together."
    )
    return lines
