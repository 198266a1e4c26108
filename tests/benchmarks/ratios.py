"""The benchmark table: what is measured against what, the spread of the ratio, and the verdict on it.

Every ratio is written so that its aim is read at once: how many times as fast (aim: at least), or how many times as dear (aim: at most).
Ratios are taken pair by pair, of measurements that stood next to each other in time; given are their median, least and largest.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from statistics import median
from typing import Literal

REACHED, AT_LEAST, MISSED, NONE, UNJUDGED = "reached", "at least", "missed", "no aim", "quick: not judged"
NOT_MEASURED = "not measured"


@dataclass(frozen=True)
class Aim:
    """What a ratio should be: at least `aim` (`"above"`) or at most (`"below"`); `at_least` is what it must be, `aim` if not given."""

    aim: float
    at_least: float | None = None
    side: Literal["above", "below"] = "above"

    def __post_init__(self) -> None:
        if self.at_least is not None and (self.at_least > self.aim) == (self.side == "above") and self.at_least != self.aim:
            raise ValueError(f"what is asked for at least, {self.at_least:g}, is more than the aim, {self.aim:g} ({self.side})")

    def verdict(self, ratio: float) -> str:
        """Hold a ratio against the aim; NaN misses it."""
        least = self.aim if self.at_least is None else self.at_least
        if self.side == "above":
            return REACHED if ratio >= self.aim else AT_LEAST if ratio >= least else MISSED
        return REACHED if ratio <= self.aim else AT_LEAST if ratio <= least else MISSED

    @property
    def texts(self) -> tuple[str, str]:
        """The two bounds as the table writes them."""
        sign = ">=" if self.side == "above" else "<="
        return f"{sign} {self.aim:g}", f"{sign} {self.aim if self.at_least is None else self.at_least:g}"


@dataclass(frozen=True)
class Rates:
    """Speed in every unit, so that none stands alone: user-days, events and keyed draws a second (None: not known)."""

    user_days: float | None = None
    events: float | None = None
    draws: float | None = None


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    section: str
    what: str
    ours: float | str
    ours_unit: str
    peer: str
    peer_value: float | str
    ratio: float | str
    ratio_low: float | str
    ratio_high: float | str
    runs: int | str
    aim: str
    at_least: str
    verdict: str
    user_days_per_s: float | str = ""
    events_per_s: float | str = ""
    draws_per_s: float | str = ""
    peer_user_days_per_s: float | str = ""
    peer_events_per_s: float | str = ""
    sizes: str = ""
    engine: str = ""
    note: str = ""


COLUMNS = tuple(field.name for field in fields(Row))
SHOWN = (
    "section",
    "what",
    "ours",
    "ours_unit",
    "peer",
    "peer_value",
    "ratio",
    "ratio_low",
    "ratio_high",
    "runs",
    "aim",
    "at_least",
    "verdict",
)
"""Columns on the screen; speeds stand on a line of their own below."""


def pairs(ours: Sequence[float], theirs: Sequence[float], over: Literal["ours/peer", "peer/ours"]) -> list[float]:
    """Return the ratio of each pair; a side measured once is held against every measurement of the other.

    Raises `ValueError` when both were measured several times, but not equally often.
    """
    if not ours or not theirs or (len(ours) != len(theirs) and 1 not in {len(ours), len(theirs)}):
        raise ValueError(f"{len(ours)} measurements cannot be paired with {len(theirs)}")
    count = max(len(ours), len(theirs))
    first, second = ([*side] * (count if len(side) == 1 else 1) for side in (ours, theirs))
    if over == "peer/ours":
        first, second = second, first
    return [a / b if b else float("nan") for a, b in zip(first, second, strict=True)]


def compared(
    section: str,
    what: str,
    unit: str,
    ours: Sequence[float],
    peer: str,
    theirs: Sequence[float],
    over: Literal["ours/peer", "peer/ours"],
    aim: Aim | None = None,
    rates: Rates | None = None,
    peer_rates: Rates | None = None,
    note: str = "",
) -> Row:
    """Make the row of measurements of the same thing on both sides, in the same unit."""
    ratios = pairs(ours, theirs, over)
    middle = median(ratios)
    texts = aim.texts if aim else ("", "")
    own, other = rates or Rates(), peer_rates or Rates()
    return Row(
        section=section,
        what=what,
        ours=median(ours),
        ours_unit=unit,
        peer=peer,
        peer_value=median(theirs),
        ratio=middle,
        ratio_low=min(ratios),
        ratio_high=max(ratios),
        runs=len(ratios),
        aim=texts[0],
        at_least=texts[1],
        verdict=aim.verdict(middle) if aim else NONE,
        user_days_per_s=_or_blank(own.user_days),
        events_per_s=_or_blank(own.events),
        draws_per_s=_or_blank(own.draws),
        peer_user_days_per_s=_or_blank(other.user_days),
        peer_events_per_s=_or_blank(other.events),
        note=note,
    )


def missing(section: str, what: str, why: str) -> Row:
    """Make the row of what could not be measured, so that the table does not keep silent about it."""
    return Row(section, what, "", "", "", "", "", "", "", 0, "", "", NOT_MEASURED, note=why)


def fact(what: str, value: float | str) -> Row:
    """Make the row of a fact of the machine."""
    return Row("machine", what, value, "", "", "", "", "", "", "", "", "", "")


def _or_blank(value: float | None) -> float | str:
    return "" if value is None else value


def written(value: float | str) -> str:
    """Write a number with four digits, large ones with thousands."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) or abs(value) >= 1000:
        return f"{value:,.0f}" if abs(value) < 1e7 else f"{value:.3e}"
    return f"{value:.4g}"


def sized(rows: Sequence[Row], quick: bool, engine: str = "") -> list[Row]:
    """Note on every row whose source was measured, and whether at full size or a quick one, of which nothing is asked."""
    if not quick:
        return [replace(row, sizes="full", engine=engine) for row in rows]
    judged = {REACHED, AT_LEAST, MISSED}
    return [replace(row, sizes="quick", engine=engine, verdict=UNJUDGED if row.verdict in judged else row.verdict) for row in rows]


def lines(rows: Sequence[Row]) -> list[str]:
    """Lay rows out as text, with the speeds of each below it."""
    cells = [[written(getattr(row, name)) for name in SHOWN] for row in rows]
    widths = [max(len(line[k]) for line in [list(SHOWN), *cells]) for k in range(len(SHOWN))]
    out = ["  ".join(name.ljust(width) for name, width in zip(SHOWN, widths, strict=True)).rstrip()]
    for row, line in zip(rows, cells, strict=True):
        out.append("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
        speeds = {
            "user-days/s": row.user_days_per_s,
            "events/s": row.events_per_s,
            "draws/s": row.draws_per_s,
            "peer's user-days/s": row.peer_user_days_per_s,
            "peer's events/s": row.peer_events_per_s,
        }
        told = "; ".join(f"{name} {written(value)}" for name, value in speeds.items() if value != "")
        out.extend(f"    {text}" for text in (told, row.note) if text)
    return out


def read(path: Path) -> list[Row]:
    """Read a table that `write` wrote; an absent or another file gives no rows."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            return []
        return [Row(**line) for line in reader]


def merged(before: Sequence[Row], now: Sequence[Row], order: Sequence[str]) -> list[Row]:
    """Put newly measured sections in the place of old ones; what another machine measured is dropped."""
    facts = {row.what: str(row.ours) for row in now if row.section == "machine"}
    same = {row.what: str(row.ours) for row in before if row.section == "machine"} == facts
    fresh = {row.section for row in now}
    kept = [row for row in before if same and row.section not in fresh]
    places = {name: place for place, name in enumerate(("machine", *order))}
    return sorted([*kept, *now], key=lambda row: places.get(row.section, len(places)))


def write(rows: Sequence[Row], path: Path) -> None:
    """Write the table, numbers with six digits."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        for row in rows:
            writer.writerow({name: f"{value:.6g}" if isinstance(value, float) else value for name, value in asdict(row).items()})
