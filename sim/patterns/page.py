"""The scorecard as a page that opens offline, and as a table for documents."""

from __future__ import annotations

import math
from collections.abc import Callable
from html import escape
from typing import Any

import pandas as pd

from sim.analysis.rows import records
from sim.analysis.words import number
from sim.pattern_titles import PATTERN_TITLES
from sim.patterns.scoring import FAIL, NOT_TESTABLE, PASS

BOUNDS = (
    "Bound: `evidence` where the source gives what is asked for, rounded or as an order of magnitude, or is about a direction alone; "
    "`ours` where it gives a direction or another number, and the size asked for is our choice."
)
"""What the column `bound` means."""

_STYLE = """
body { font: 15px/1.45 sans-serif; max-width: 76rem; margin: 2rem auto; padding: 0 1rem; color: #111; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1.5rem; }
th, td { border-bottom: 1px solid #ccc; padding: .35rem .5rem; text-align: left; vertical-align: top; font-size: 13.5px; }
th { border-bottom: 2px solid #555; } td.n { white-space: nowrap; } small { color: #555; } img, svg { max-width: 100%; height: auto; }
.pass { color: #00664b; font-weight: bold; } .fail { color: #b03a00; font-weight: bold; } .open { color: #555; }
"""
_CLASSES = {PASS: "pass", FAIL: "fail", NOT_TESTABLE: "open"}


def interval(row: dict[str, Any]) -> str:
    """Write what the model gives with its 95 % interval, in the unit of the criterion; `row` is a row of the scorecard."""
    value, low, high = (float(row[name]) for name in ("model", "low", "high"))
    if math.isnan(value):
        return "-"
    write = _WRITERS.get(row["unit"], _plain)
    return (
        f"{write(value)} ({write(low)} to {write(high)})" if math.isfinite(low) and math.isfinite(high) else f"{write(value)} (unbounded)"
    )


def summary(table: pd.DataFrame) -> str:
    """Say in a sentence how many criteria hold, and which patterns hold whole."""
    counts = {verdict: int((table["verdict"] == verdict).sum()) for verdict in (PASS, FAIL, NOT_TESTABLE)}
    parts = {str(pattern): set(part["verdict"]) for pattern, part in table.groupby("pattern", sort=False)}
    whole = [pattern for pattern, verdicts in parts.items() if PASS in verdicts and FAIL not in verdicts]
    text = f"{counts[PASS]} of {counts[PASS] + counts[FAIL]} criteria hold, {counts[FAIL]} fail, {counts[NOT_TESTABLE]} cannot be tested."
    return f"{text} Patterns without a failure: {', '.join(whole) if whole else 'none'}."


def tallies(table: pd.DataFrame) -> dict[str, str]:
    """Return a few words for each pattern: how many of its criteria hold, fail or cannot be tested."""
    words = {}
    for pattern, part in table.groupby("pattern", sort=False):
        counts = {verdict: int((part["verdict"] == verdict).sum()) for verdict in (PASS, FAIL, NOT_TESTABLE)}
        words[str(pattern)] = ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)
    return words


def markdown(table: pd.DataFrame) -> str:
    """Return the scorecard as a Markdown table, and below it what each failure would take."""
    lines = ["| | observed | asked of the model | bound | model | verdict |", "| --- | --- | --- | --- | --- | --- |"]
    for row in records(table):
        verdict = f"**{row['verdict']}**" if row["verdict"] == FAIL else row["verdict"]
        cells = (row["criterion"], f"{row['observed']} ({row['source']})", row["test"], row["bound"] or "-", interval(row), verdict)
        lines.append(f"| {' | '.join(str(cell).replace('|', '/') for cell in cells)} |")
    said = {
        FAIL: "What the failures would take:",
        NOT_TESTABLE: "What cannot be tested:",
        PASS: "What is built in or fitted, though it holds:",
    }
    for verdict, heading in said.items():
        told = [row for row in records(table) if row["verdict"] == verdict and row["why"]]
        if told:
            lines += ["", heading, "", *(f"- {row['criterion']}: {row['why']}{_in_brackets(row['detail'])}" for row in told)]
    return "\n".join([*lines, "", summary(table), "", BOUNDS, ""])


def page(table: pd.DataFrame, figure_svg: str = "") -> str:
    """Return the scorecard as one HTML page without anything from elsewhere; `figure_svg` is the text of its figure."""
    rule = "A criterion holds when the whole 95 % interval over replications is where it asks; its bounds were stated before the runs."
    parts = [f"<h1>The patterns that the model must reproduce</h1><p>{escape(summary(table))} {rule} {escape(BOUNDS.replace('`', ''))}</p>"]
    if figure_svg:
        parts.append(f"<figure>{figure_svg[figure_svg.index('<svg') :]}</figure>")
    for pattern, part in table.groupby("pattern", sort=False):
        body = "".join(map(_html_row, records(part)))
        names = ("", "observed", "asked of the model", "bound", "model (95 % interval)", "verdict")
        head = f"<tr>{''.join(f'<th>{name}</th>' for name in names)}</tr>"
        parts.append(f"<h2>{pattern} {escape(PATTERN_TITLES[str(pattern)])}</h2><table>{head}{body}</table>")
    head = f'<meta charset="utf-8"><title>Patterns</title><style>{_STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(parts)}</body></html>\n'


def _html_row(row: dict[str, Any]) -> str:
    detail = f"<br><small>{escape(row['detail'])}</small>" if row["detail"] else ""
    why = f"<br><small>{escape(row['why'])}</small>" if row["why"] else ""
    cells = (
        escape(row["criterion"]),
        f"{escape(row['observed'])}<br><small>{escape(row['source'])}</small>",
        escape(row["test"]),
        row["bound"],
        f"{escape(interval(row))}{detail}",
        f'<span class="{_CLASSES[row["verdict"]]}">{row["verdict"]}</span>{why}',
    )
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _in_brackets(detail: str) -> str:
    return f" ({detail}.)" if detail else ""


def _percent(value: float) -> str:
    return f"{100.0 * value:.3g} %"


def _signed(value: float) -> str:
    return f"{100.0 * value:+.3g} %"


def _plain(value: float) -> str:
    size = f"{abs(value):.2f}" if 0.1 <= abs(value) < 9.995 else number(abs(value))
    return f"-{size}" if value < 0.0 else size


_WRITERS: dict[str, Callable[[float], str]] = {"share": _percent, "relative change": _signed}
