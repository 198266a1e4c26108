"""Say in plain sentences what each policy does: the answer on the screen."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from sim.analysis.rows import Row, rows
from sim.names import is_plural, name_of
from sim.outcomes import OUTCOMES

_MANIFOLD = 2.0  # from +200 % on, 'to 3 times' reads better than per cent
_TINY = 0.95e-6  # below this, zeros are harder to count than an exponent is to read


def unit_of(outcome: str) -> str:
    """Return the unit of an outcome of the tables, lifetimes included."""
    if outcome.startswith("lifetime_days_"):
        return "days"
    return OUTCOMES[outcome].unit if outcome in OUTCOMES else ""


def number(value: float) -> str:
    """Write a number with three significant digits or whole, thousands marked, below .001 with one: 0.0008, 0.45, 1,234, 1.23 million."""
    size = abs(value)
    if not np.isfinite(value):
        return "unknown"
    if size >= 999_950:
        scale, word = (1e9, "billion") if size >= 999.95e6 else (1e6, "million")
        return f"{value / scale:.3g} {word}"
    if size >= 99.95 or value == 0.0:
        return f"{value:,.0f}"
    if size >= 0.001:
        return f"{value:.3g}"
    rounded = float(f"{value:.0e}")
    return np.format_float_positional(rounded) if size >= _TINY else f"{value:.0e}"


def listed(names: Sequence[str]) -> str:
    """Write names as a sentence has them: one, two and three."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def percent(share: float, signed: bool = True) -> str:
    """Write a share as per cent: +12.3, -3.4, -0.02, 0, +1,240."""
    value = 100.0 * share
    digits = 0 if abs(value) >= 99.95 else 1 if abs(value) >= 0.05 else 2  # what is not 0 looks it only below .005
    text = f"{value:+,.{digits}f}" if signed else f"{value:,.{digits}f}"
    text = text.removesuffix(".0")
    return "0" if text in ("+0.00", "-0.00", "0.00") else text


def change(row: Row) -> str:
    """Say one row of the comparison table: rises, falls, probably so, or no clear change, with its interval."""
    name = name_of(row.outcome)
    if not np.isfinite(row.difference):
        return f"{name} unknown"
    if row.unchanged:
        return f"{name} exactly unchanged"
    if not np.isfinite(row.low):
        return f"{_moves(row)} {amount(row)}" if row.difference != 0.0 else f"{name} unchanged"
    if row.same:
        return f"{_moves(row)} {amount(row)}, {in_all_pairs(row)}"
    if not row.clear:
        return f"{name}: no clear change ({interval(row)})"
    return f"{_moves(row, probably=is_probable(row))} {amount(row)} ({interval(row)})"


def in_all_pairs(row: Row) -> str:
    """Say of a difference that is the same in all pairs that it is, and whether that tells anything."""
    text = f"the same in all {row.replications} pairs"
    return text if row.clear else f"{text}, too few to tell it from chance"


def is_probable(row: Row) -> bool:
    """Say whether a change is clear by itself but not together with the others."""
    return row.clear and not row.same and row.wide_low <= 0.0 <= row.wide_high


def _moves(row: Row, probably: bool = False) -> str:
    verb = ("rise" if row.difference > 0.0 else "fall") + ("" if is_plural(row.outcome) else "s")
    return f"{name_of(row.outcome)} {'probably ' if probably else ''}{verb}"


def amount(row: Row) -> str:
    """Say how much a change is: to a multiple, by per cent, or by an amount where the baseline has no clear mean."""
    if row.in_units:
        if row.mean == 0.0:
            return f"from {number(row.baseline_mean)} to 0 {unit_of(row.outcome)}"
        return f"by {number(abs(row.difference))} {unit_of(row.outcome)} from {number(row.baseline_mean)}"
    if row.relative >= _MANIFOLD:
        return f"to {number(1.0 + row.relative)} times"
    return f"by {percent(abs(row.relative), signed=False)} %"


def interval(row: Row) -> str:
    """Write the interval of a change, in per cent, in multiples or in units as `amount` does."""
    if row.in_units:
        unit = "" if row.clear else f" {unit_of(row.outcome)}"
        return f"{number(row.low)} to {number(row.high)}{unit}"
    if row.relative >= _MANIFOLD and row.clear:
        return f"{number(1.0 + row.relative_low)} to {number(1.0 + row.relative_high)}"
    return f"{percent(row.relative_low)} to {percent(row.relative_high)} %"


def displaced(row: Mapping[Hashable, Any]) -> str | None:
    """Say the displacement index of one row of the displacement table; None without intervals."""
    index, low, high, least, most = (
        float(row[name]) for name in ("displacement_index", "displacement_low", "displacement_high", "target_low", "target_high")
    )
    aimed = listed(str(row["targets"]).split())
    if not np.isfinite(least):
        return None
    if least == most == 0.0:
        return f"the supply of {aimed} accounts is exactly unchanged, so none is displaced"
    if not np.isfinite(low):
        ends = f"({number(least)} to {number(most)} account-days/day)"
        return f"the supply of {aimed} accounts does not clearly change {ends}, so what part is displaced cannot be said"
    if float(row["target_difference"]) < 0.0:
        lost = f"of the supply that {aimed} accounts lose"
        if low <= 0.0 <= high:
            return f"{lost}, no clear part comes back through other channels ({_span(low, high, signed=True)})"
        if index > 0.0:
            return f"{lost}, {percent(index, signed=False)} % ({_span(low, high)}) comes back through other channels"
        part = f"{percent(-index, signed=False)} % ({_span(-high, -low)})"
        return f"other channels shrink too, by {part} of the supply that {aimed} accounts lose"
    if low <= 0.0 <= high:
        return f"{aimed} accounts gain supply; other channels do not clearly change ({_span(-high, -low, signed=True)} of that gain)"
    verb, size, span = ("shrink", index, (low, high)) if index > 0.0 else ("grow too", -index, (-high, -low))
    return f"{aimed} accounts gain supply; other channels {verb}, by {percent(size, signed=False)} % ({_span(*span)}) of that gain"


def _span(low: float, high: float, signed: bool = False) -> str:
    return f"{percent(low, signed)} to {percent(high, signed)} %"


def recovered(days: int | None) -> str:
    """Say when supply is back after a pulse."""
    if days is None:
        return "has not recovered by the last day"
    if days == 0:
        return "never fell below 95 % of the baseline in the week after the pulse"
    return f"is back above 95 % of the baseline after {days} day{'s' if days > 1 else ''}"


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
            lines.append(f"{title}: supply {recovered(recovery[scenario])}.")
    return [*lines, _note(list(cells.values()))]


def _note(cells: Sequence[Row]) -> str:
    """Say how to read the sentences about these rows."""
    counts = sorted({row.replications for row in cells})
    if counts[-1] <= 1:
        return "One pair of runs with the same luck: no intervals, so a difference may be chance."
    n = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]}-{counts[-1]}"
    notes = []
    if any(np.isfinite(row.low) and not row.unchanged and not row.same for row in cells):
        notes.append(f"Brackets: 95 % intervals of differences from the baseline over {n} pairs of runs with the same luck.")
    else:
        notes.append(f"Differences from the baseline over {n} pairs of runs with the same luck.")
    if counts[0] == 1:
        notes.append("A change without brackets was seen in one pair only.")
    if any(is_probable(row) for row in cells):
        notes.append("'Probably': the interval leaves out 0 by itself, but not when all of these statements are judged together.")
    if any(row.in_units and not row.same for row in cells):
        notes.append("Amounts in units ('-' in the table) where the baseline's mean is 0 or too uncertain for per cent.")
    return " ".join(notes)
