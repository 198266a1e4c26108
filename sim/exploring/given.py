"""A design given as a table: a column a factor, a row a point, in a CSV or Parquet file."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sim.exploring.design import MOST_POINTS
from sim.exploring.factors import Factor, full_key, is_whole, no_factor, outside, span
from sim.faults import Fault, nearest, show, show_path

Values = Mapping[str, float]
"""Values of factors by dotted path."""

_MOST_FAULTS = 20  # of one table; a longer list helps nobody


def read_given(path: Path, asked_in: str, asked_as: str, faults: list[Fault]) -> tuple[tuple[Factor, ...], tuple[Values, ...]]:
    """Read factors and points of a table; `asked_in` and `asked_as` are the file and key that named it. Note every fault."""
    where = show_path(path)
    if not path.is_file():
        near = [entry.name for entry in path.parent.iterdir() if entry.suffix in {".csv", ".parquet"}] if path.parent.is_dir() else []
        faults.append(Fault(asked_in, asked_as, where, "no such file" + nearest(path.name, near)))
        return (), ()
    try:
        columns, rows = _rows(path)
    except (ValueError, OSError, csv.Error) as error:
        faults.append(Fault(asked_in, asked_as, where, f"cannot be read as a table: {' '.join(str(error).split())[:200]}"))
        return (), ()
    keys = [full_key(column.strip()) for column in columns]
    before = len(faults)
    for column, key in zip(columns, keys, strict=True):
        if problem := no_factor(key):
            faults.append(Fault(where, "column", show(column), problem))
        elif keys.count(key) > 1:
            faults.append(Fault(where, "column", show(column), "stands twice"))
    if not rows or len(rows) > MOST_POINTS:
        problem = f"has {len(rows):,} rows; at most {MOST_POINTS:,} are allowed" if rows else "has no row; it needs a row a point"
        faults.append(Fault(where, "", "", problem))
    if len(faults) > before:
        return (), ()
    points = [_point(where, number, keys, row, faults) for number, row in enumerate(rows, start=1) if len(faults) < before + _MOST_FAULTS]
    first: dict[tuple[float, ...], int] = {}
    for number, point in enumerate(points, start=1):
        before_it = first.setdefault(tuple(point.get(key, math.nan) for key in keys), number)
        if before_it != number and len(faults) < before + _MOST_FAULTS:
            faults.append(Fault(where, f"row {number}", "", f"is the point of row {before_it}, with the same runs: leave it out"))
    if len(faults) > before:
        return (), ()
    ends = [(key, [point[key] for point in points]) for key in keys]
    return tuple(Factor(key, min(values), max(values), whole=is_whole(key)) for key, values in ends), tuple(points)


def read_plausible() -> tuple[tuple[Factor, ...], tuple[Values, ...]]:
    """Return the members of the shipped set of parameter vectors, beside the ledger's own, as points; factors have the ledger's ranges."""
    from sim.matching.plausible import beside_ledger

    points = tuple(
        {f"parameters.{group}.{name}": value for group, row in member.items() for name, value in row.items()}
        for member in beside_ledger().values()
    )
    return tuple(Factor(key, *span(key)[:2]) for key in points[0]), points


def _rows(path: Path) -> tuple[list[str], list[list[Any]]]:
    """Return the names of the columns and the rows, cells as they stand; raises `ValueError` or `OSError` for what is no table."""
    if path.suffix == ".parquet":
        from sim.store import read_table

        table = read_table(path)
        if any(name is not None for name in table.index.names):  # a factor too
            table = table.reset_index()
        return [str(name) for name in table.columns], table.to_numpy().tolist()
    if path.suffix != ".csv":
        raise ValueError("its name must end in .csv or .parquet")
    with path.open(newline="", encoding="utf-8-sig") as file:
        lines = [row for row in csv.reader(file) if row]
    if not lines:
        raise ValueError("it is empty")
    return lines[0], lines[1:]


def _point(where: str, number: int, keys: Sequence[str], row: Sequence[Any], faults: list[Fault]) -> dict[str, float]:
    point: dict[str, float] = {}
    if len(row) != len(keys):
        faults.append(Fault(where, f"row {number}", "", f"has {len(row)} cells, but there are {len(keys)} columns"))
        return point
    for key, cell in zip(keys, row, strict=True):
        try:
            value = float(cell)
        except (TypeError, ValueError):
            value = math.nan
        if problem := "must be a number" if not math.isfinite(value) else outside(key, value):
            faults.append(Fault(where, f"row {number}: {key}", show(cell), problem))
        point[key] = int(value) if is_whole(key) and math.isfinite(value) else value
    return point
