"""Numbers of committed tables as README writes them, and what makes sure that they bear out what it says."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

Row = Mapping[str, str]


class Table:
    """A CSV file of committed results."""

    def __init__(self, path: Path) -> None:
        self._name = path.name
        with path.open(encoding="utf-8", newline="") as file:
            self.rows: list[dict[str, str]] = list(csv.DictReader(file))

    def one(self, **where: str) -> Row:
        """Return the one row that has some values; raises `ValueError` when there is not exactly one."""
        found = [row for row in self.rows if all(row[column] == value for column, value in where.items())]
        if len(found) != 1:
            raise ValueError(f"README wants a row of {self._name} with {where}, but there are {len(found)}")
        return found[0]


def ends(row: Row, name: str) -> tuple[float, float, float]:
    """Return a value with the ends of its interval."""
    value, low, high = (float(row[f"{name}{end}"] or "nan") for end in ("", "_low", "_high"))
    return value, low, high


def share(three: Sequence[float], side: int = 0) -> str:
    """Write a share with the ends of its interval in per cent, without a sign.

    `side` is -1 or 1 where README says on which side of 0 it is; raises `ValueError` where the interval is not.
    """
    value, low, high = three
    borne_out(not side or min(side * low, side * high) > 0.0, f"{value} ({low} to {high}) is {'above' if side > 0 else 'below'} 0")
    first, last = sorted((abs(low), abs(high)))
    return f"{per_cent(value)} % ({per_cent(first)} to {per_cent(last)})"


def per_cent(value: float) -> str:
    """Write the size of a share in per cent: whole from 10 on, with a decimal below, and no 0 before it."""
    size = 100.0 * abs(value)
    return f"{size:.0f}" if size >= 9.95 else f"{size:.1f}".removesuffix(".0").removeprefix("0") or "0"


def plain(value: float) -> str:
    """Write a strength or a limit without a 0 before the point."""
    return f"{value:.2g}".removeprefix("0")


def borne_out(holds: bool, said: str) -> None:
    """Raise `ValueError` unless what README says holds."""
    if not holds:
        raise ValueError(f"README says that {said}, which the tables do not bear out")
