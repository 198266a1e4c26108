"""Tables of committed results, as the documents show them: which file, which columns, under which headings."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Shown:
    """A CSV file of `results/reference` and its columns by heading.

    A heading stands for one column, shown as code where it begins with a backtick; or for three, a value and the ends of its interval.
    """

    file: str
    columns: Mapping[str, str | tuple[str, str, str]]


SHOWN = {
    "lever_effects": Shown(
        "lever_effects.csv",
        {
            "lever": "`lever",
            "mechanism": "mechanism",
            "outcome": "`outcome",
            "unit": "unit",
            "baseline": "baseline_mean",
            "effect": ("effect", "low", "high"),
            "levels that hold": "levels",
            "side effect on": "`side_effect_outcome",
            "side effect": ("side_effect", "side_low", "side_high"),
        },
    ),
    "calibration": Shown(
        "calibration.csv",
        {
            "target": "target",
            "kind": "kind",
            "source": "source",
            "range": "range",
            "simulated": ("simulated", "low", "high"),
            "inside": "inside",
        },
    ),
}
"""The tables by the name that a document's marker gives."""


def of_results(name: str, results: Path) -> str:
    """Return a table of `SHOWN` as Markdown; says so if there is no such file. Raises `ValueError` for a file without its columns."""
    shown = SHOWN[name]
    path = results / shown.file
    if not path.is_file():
        return f"*Not yet computed: `results/reference/{shown.file}` does not exist.*\n"
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        found = list(reader.fieldnames or [])
        rows = list(reader)
    needed = [part.lstrip("`") for column in shown.columns.values() for part in ((column,) if isinstance(column, str) else column)]
    if missing := [column for column in needed if column not in found]:
        raise ValueError(f"{path.name} has no column {', '.join(missing)}; it has {', '.join(found)}")
    return markdown(tuple(shown.columns), ([_cell(row, column) for column in shown.columns.values()] for row in rows))


def markdown(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def _cell(row: Mapping[str, str], column: str | tuple[str, str, str]) -> str:
    if isinstance(column, str):
        text = _text(row[column.lstrip("`")])
        return f"`{text}`" if column.startswith("`") and text else text
    value, low, high = (_text(row[part]) for part in column)
    return f"{value} ({low} to {high})" if low and high else value


def _text(value: str) -> str:
    """Return a number of a CSV file to four significant digits, yes or no for a truth; what is no number, as it is."""
    if value in ("True", "False"):
        return "yes" if value == "True" else "**no**"
    try:
        number = float(value)
    except ValueError:
        return value
    if number != number:  # noqa: PLR0124  # not a number
        return ""
    return f"{number:,.4g}" if abs(number) < 10_000 else f"{number:,.0f}"
