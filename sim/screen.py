"""What the commands print: progress, tables and messages."""

from __future__ import annotations

import math
import os
import sys
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    import pandas as pd

    from sim.store import Standing


_PIPE_WIDTH = 400
_FIRST_POINTS = 20
_SENTENCE = 20  # a column of text is not made narrower


RUN_SHOWN = (
    "stock_registered", "stock_unsealed", "stock_rented", "stock_bought", "stock_stolen", "supply_account_days", "utilisation_share",
    "price_yuan", "commission_yuan", "dealers_active", "lifetime_days_rented", "expected_harm_yuan", "victims", "owners_banned",
    "innocents_sanctioned", "enforcement_cost_yuan", "informed_share",
)  # fmt: skip
"""Outcomes that `abm run` prints; the table `summary` has all."""


def console() -> Console:
    """Return a console for standard output; where that is no terminal, it is as wide as COLUMNS says, or as any table."""
    out = Console(highlight=False, markup=False, emoji=False)
    if out.is_terminal or os.environ.get("COLUMNS", "").isdigit():
        return out
    return Console(highlight=False, markup=False, emoji=False, width=_PIPE_WIDTH)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], title: str = "", right: Sequence[str] = ()) -> None:
    """Print a table, or a block an entry where it is too wide for the screen; columns named in `right` are aligned to the right."""
    rows, out = list(rows), console()
    widths = _widths(columns, rows, out.width)
    if widths is None:
        show("\n".join([*([title] if title else []), *(_block(columns, row, out.width) for row in rows)]))
        return
    table = Table(box=box.SIMPLE_HEAD, title=title or None, title_justify="left", title_style="bold", pad_edge=False)
    for column, width in zip(columns, widths, strict=True):
        table.add_column(column, justify="right" if column in right else "left", width=width)
    for row in rows:
        table.add_row(*row)
    with out.capture() as printed:
        out.print(table)
    show(printed.get().removesuffix("\n"))


def _widths(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[int] | None:
    """Share a width among columns so that no word is broken and sentences have room; None where that cannot be."""
    cells = [[column, *(row[k] for row in rows)] for k, column in enumerate(columns)]
    most = [max(map(len, column)) for column in cells]
    words = [max((len(word) for cell in column for word in cell.split()), default=0) for column in cells]
    widths = [max(word, min(longest, _SENTENCE)) for word, longest in zip(words, most, strict=True)]
    left = width - (3 * len(columns) - 1) - sum(widths)
    if left < 0:
        return None
    while left and widths != most:
        short = min((k for k in range(len(widths)) if widths[k] < most[k]), key=lambda k: widths[k] / most[k])
        widths[short] += 1
        left -= 1
    return widths


def _block(columns: Sequence[str], row: Sequence[str], width: int) -> str:
    """Write a row as its first cell, with the others below, a line or more each."""
    cells = [f"{column.strip()}: {cell}" for column, cell in zip(columns[1:], row[1:], strict=True) if cell]
    lines = textwrap.TextWrapper(
        max(width, 20), initial_indent="  ", subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
    )
    return "\n".join([row[0], *map(lines.fill, cells)])


def say(text: str) -> None:
    """Print a line to standard error."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def show(text: str) -> None:
    """Print a line to standard output."""
    sys.stdout.write(f"{text}\n")


def duration(seconds: float) -> str:
    """Write a time: 45 s, 3 min 20 s, 2 h 5 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    return f"{whole // 60} min {whole % 60} s" if whole < 3600 else f"{whole // 3600} h {whole % 3600 // 60} min"


def print_standings(standings: Sequence[Standing], most: int) -> None:
    """Print how far the runs of each scenario are, of some if there are more than `most`, and those of all."""
    shown = [*standings[:-1][:most], standings[-1]] if len(standings) != 2 else standings[:1]
    columns = ("runs", "done", "failed", "missing", "days")
    rows = [(one.scenario, *(f"{getattr(one, column):,}" for column in columns)) for one in shown]
    if (hidden := len(standings) - 1 - most) > 0:
        rows.insert(-1, (f"... and {hidden:,} more", *("" for _ in columns)))
    print_table(("scenario", *columns), rows, "", right=columns)


def print_answer(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print what a question in SQL brought."""

    def cell(value: object) -> str:
        return "-" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)

    rows = list(rows)
    numbers = [name for k, name in enumerate(columns) if rows and isinstance(rows[0][k], int | float)]
    print_table(columns, [tuple(map(cell, row)) for row in rows], "", right=numbers)


def print_comparison(table: pd.DataFrame, titles: Mapping[str, str], baseline: str) -> None:
    """Print the rows of a comparison: a table a scenario, an outcome a line, with intervals."""
    from sim.analysis.words import number, percent

    def ends(low: float, high: float, write: Callable[[float], str]) -> str:
        return f"{write(low)} to {write(high)}" if math.isfinite(low) and math.isfinite(high) else "-"

    narrow = ["outcome", titles.get(baseline, baseline)[:20].lower(), "with it", "change, %", "95 % interval"]
    columns = [*narrow, "in units", "variance ratio"]
    for scenario in table["scenario"].unique():
        rows = []
        for row in table[table["scenario"] == scenario].to_dict("records"):
            change = percent(row["relative"]) if math.isfinite(row["relative"]) else "-"
            cells = [row["outcome"], number(row["baseline_mean"]), number(row["mean"]), change]
            cells.append(ends(row["relative_low"], row["relative_high"], percent))
            ratio = number(row["variance_ratio"]) if math.isfinite(row["variance_ratio_low"]) else "-"  # of few pairs it says nothing
            rows.append([*cells, ends(row["difference_low"], row["difference_high"], number), ratio])
        if _widths(columns, rows, console().width):
            print_table(columns, rows, titles.get(scenario, scenario), columns[1:])
        else:  # without the last two columns, an interval that is none in per cent is in units
            short = [[*row[:4], f"{row[5]} (units)" if row[4] == "-" != row[5] else row[4]] for row in rows]
            print_table(narrow, short, titles.get(scenario, scenario), narrow[1:])


def print_points(table: pd.DataFrame, outcomes: Sequence[str], labels: Mapping[str, str]) -> None:
    """Print the first points of a design: values of factors, which `labels` name, and each outcome with its standard error."""
    from sim.analysis.words import number

    def with_error(mean: float, error: float) -> str:
        return f"{number(mean)} +- {number(error)}" if math.isfinite(error) else number(mean)

    keys = [*(name for name in ("point", "policy") if name in table), *labels]
    rows = [
        [
            *(str(row[key]) if key in {"point", "policy"} else f"{row[key]:g}" for key in keys),
            *(with_error(row[name], row[f"{name}_standard_error"]) for name in outcomes),
            str(row["replications"]),
        ]
        for row in table.head(_FIRST_POINTS).to_dict("records")
    ]
    shown = f"the first {_FIRST_POINTS} of {len(table)} rows" if len(table) > _FIRST_POINTS else "every point"
    columns = [*(labels.get(key, key) for key in keys), *outcomes, "replications"]
    print_table(columns, rows, f"Means over replications +- Monte-Carlo standard error: {shown}", [c for c in columns if c != "policy"])


def print_robustness(table: pd.DataFrame, titles: Mapping[str, str]) -> None:
    """Print effects with what chance and what parameters make of them: a table a policy, an outcome a line."""
    from sim.analysis.robust_words import cells

    columns = ("outcome", "change", "chance, 95 %", "parameters, median", "parameters, range", "same sign", "beyond chance", "opposite")
    for policy in table["policy"].unique():
        rows = [cells(row) for row in table[table["policy"] == policy].to_dict("records")]
        print_table(columns, rows, titles.get(policy, policy), columns[1:])


def print_structure(table: pd.DataFrame, titles: Mapping[str, str], names: Sequence[str]) -> None:
    """Print effects under several structures side by side: a table a policy, an outcome a line."""
    from sim.analysis.uncertain import SHARE
    from sim.analysis.words import number, percent

    for policy in table["policy"].unique():
        rows = []
        for row in table[table["policy"] == policy].to_dict("records"):
            write, unit = (percent, " %") if row["unit"] == SHARE else (number, f" {row['unit']}")
            cells = [f"{write(row[name])}{unit} ({write(row[f'{name}_low'])} to {write(row[f'{name}_high'])})" for name in names]
            rows.append([row["outcome"], *cells, row["verdict"]])
        columns = ["outcome", *(f"{name} (95 %)" for name in names), "sign"]
        print_table(columns, rows, titles.get(policy, policy), columns[1:-1])


def print_summary(table: pd.DataFrame, outcomes: Sequence[str] = RUN_SHOWN) -> None:
    """Print means over replications with intervals."""
    from sim.analysis.words import number

    rows = []
    for row in table[table["outcome"].isin(outcomes)].to_dict("records"):
        interval = f"{number(row['low'])} to {number(row['high'])}" if math.isfinite(row["low"]) else "-"
        rows.append((row["outcome"], number(row["mean"]), interval, row["unit"], str(row["replications"])))
    print_table(("outcome", "mean", "95 % interval", "unit", "replications"), rows, "", ("mean", "95 % interval", "replications"))


def print_levers() -> None:
    """Print the lever table."""
    from sim.levers import LEVERS
    from sim.parameters import LEDGER

    costs, rows = LEDGER["cost"], []
    for name, lever in LEVERS.items():
        event = "" if lever.event == "none" else f" + {costs[f'{name}_event'].value:g} per {lever.event}"
        cost = f"{costs[f'{name}_fixed'].value:g}{event}"
        standing = "policy only" if lever.only_policy else f"{lever.standing:g}"
        segments = "yes" if lever.by_segment else "no"
        rows.append((name, lever.meaning, lever.equation, "0 to 1", standing, segments, cost, lever.side_effect))
    columns = ("lever", "meaning", "mechanism at strength u", "range", "standing", "by segment")
    print_table((*columns, "cost, yuan a day per million users", "innocent side effect"), rows)


def print_outcomes() -> None:
    """Print the outcome table."""
    from sim.outcomes import OUTCOMES

    columns = ("outcome", "unit", "meaning", "better", "kind")
    print_table(columns, [(o.name, o.unit, o.meaning, o.better, o.kind) for o in OUTCOMES.values()])


def print_parameters() -> None:
    """Print the ledger."""
    from sim.parameters import LEDGER

    rows = [
        (f"{group}.{name}", f"{e.value:g}", e.unit, f"{e.low:g} to {e.high:g}", e.source, e.note)
        for group, entries in LEDGER.items()
        for name, e in entries.items()
    ]
    print_table(("parameter", "value", "unit", "range", "source", "note"), rows, right=("value",))


def print_assumptions() -> None:
    """Print how many values of the ledger rest on what, by group, and those that are assumed wholly or in part."""
    from sim.parameters import KINDS, LEDGER

    rows = [(group, *(str(sum(e.kind == kind for e in entries.values())) for kind in KINDS)) for group, entries in LEDGER.items()]
    total = ("all", *(str(sum(int(row[k]) for row in rows)) for k in range(1, len(KINDS) + 1)))
    print_table(("group", *KINDS), [*rows, total], "What values rest on: how many", KINDS)
    assumed = [
        (f"{group}.{name}", f"{e.value:g}", e.unit, f"{e.low:g} to {e.high:g}", e.source, e.note)
        for group, entries in LEDGER.items()
        for name, e in entries.items()
        if "assumption" in e.kind
    ]
    print_table(("parameter", "value", "unit", "range", "source", "note"), assumed, "Assumed", right=("value",))


def print_effects(table: pd.DataFrame) -> None:
    """Print what each lever does at full strength, with the side effect on innocents."""
    rows: list[Sequence[str]] = []
    for row in table.to_dict("records"):
        stated = "rise" if row["stated"] > 0 else "fall"
        effect = (f"{row['baseline_mean']:.4g}", f"{row['effect']:+.4g}", f"{row['low']:+.4g} to {row['high']:+.4g}")
        side = (f"{row['side_effect']:+.4g}", f"{row['side_low']:+.4g} to {row['side_high']:+.4g}")
        rows.append((row["lever"], row["outcome"], *effect, stated, row["levels"], row["side_effect_outcome"], *side))
    columns = (
        "lever",
        "outcome",
        "baseline",
        "effect",
        "95 % interval",
        "stated",
        "levels clear",
        "side effect on",
        "effect ",
        "95 % interval ",
    )
    print_table(columns, rows, "Each lever at strength 1 against its standing strength", right=("baseline", "effect", "effect "))


def print_targets(table: pd.DataFrame) -> None:
    """Print the baseline against its targets."""
    rows: list[Sequence[str]] = []
    for row in table.to_dict("records"):
        simulated = (f"{row['simulated']:.4g}", f"{row['low']:.4g} to {row['high']:.4g}", "yes" if row["inside"] else "NO")
        rows.append((row["target"], row["kind"], row["source"], row["range"], *simulated))
    print_table(("target", "kind", "source", "range", "simulated", "interval", "inside"), rows, right=("simulated",))
