"""Tables of the documents: generated from the code and from committed results, put between markers.

A document says `<!-- table: NAME -->` where table NAME begins and `<!-- end -->` where it ends; what stands between is replaced.
`python -m sim.tables MODEL.md README.md` does it; results are looked for in `results/reference` beside the document.
"""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import get_type_hints

from sim.headlines import headlines
from sim.levers import LEVERS
from sim.outcomes import OUTCOMES
from sim.parameters import LEDGER, Parameters

_BLOCK = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_LEVER_EFFECTS = (
    "lever", "mechanism", "outcome", "effect", "low", "high", "unit", "side_effect_outcome", "side_effect", "side_low", "side_high",
)  # fmt: skip
_CALIBRATION = ("target", "kind", "source", "range", "simulated", "low", "high", "inside")


def refreshed(text: str, results: Path) -> str:
    """Return a document with every table between markers made anew; `results` is the directory of the committed CSV files.

    Raises `ValueError` for a marker that names no table, or that is never closed.
    """
    if text.count("<!-- table: ") != len(_BLOCK.findall(text)):
        raise ValueError("a table's marker is not closed by '<!-- end -->'")

    def table(block: re.Match[str]) -> str:
        begin, name, end = block.groups()
        if name not in _TABLES:
            raise ValueError(f"no table '{name}'; there are {', '.join(_TABLES)}")
        return f"{begin}{_TABLES[name](results)}{end}"

    return _BLOCK.sub(table, text)


def parameters() -> str:
    """Return the ledger as one table a group, with value, unit, range, source and note of each parameter."""
    kinds = get_type_hints(Parameters)
    parts = []
    for group, rows in LEDGER.items():
        heading = (kinds[group].__doc__ or group).strip()
        cells = (
            (f"`{name}`", _number(e.value), e.unit, f"{_number(e.low)} to {_number(e.high)}", e.source, e.note) for name, e in rows.items()
        )
        parts.append(f"**`{group}`** {heading}\n\n{_markdown(('parameter', 'value', 'unit', 'range', 'source', 'note'), cells)}")
    return "\n".join(parts)


def levers() -> str:
    """Return the lever table with unit costs: fixed at strength 1 a day per million users, and an event."""
    cost = LEDGER["cost"]
    cells = []
    for lever in LEVERS.values():
        fixed, event = cost[f"{lever.name}_fixed"].value, cost[f"{lever.name}_event"].value
        standing = "policy only" if lever.only_policy else _number(lever.standing)
        sign = "+" if lever.direction > 0 else "-"
        each = "" if lever.event == "none" else f"{_number(event)} per {lever.event}"
        cells.append(
            (
                f"`{lever.name}`" + (" (by segment)" if lever.by_segment else ""),
                lever.meaning,
                lever.equation,
                standing,
                f"`{lever.moves}` {sign}",
                f"{lever.side_effect} (`{lever.side_outcome}`)",
                _number(fixed),
                each,
            )
        )
    columns = (
        "lever",
        "what it is",
        "mechanism",
        "standing",
        "moves",
        "side effect",
        "cost, yuan/day per million",
        "cost of an event, yuan",
    )
    return _markdown(columns, cells)


def lever_effects(results: Path) -> str:
    """Return what each lever moves, from `lever_effects.csv`; says so if there is no such file. Raises `ValueError` for other columns."""
    rows = _read(results / "lever_effects.csv", _LEVER_EFFECTS)
    if rows is None:
        return _missing("lever_effects.csv")
    cells = (
        (
            f"`{row['lever']}`",
            row["mechanism"],
            f"`{row['outcome']}`",
            row["unit"],
            _text(row.get("baseline_mean", "")),
            _interval(row["effect"], row["low"], row["high"]),
            row.get("levels", ""),
            f"`{row['side_effect_outcome']}`" if row["side_effect_outcome"] else "",
            _interval(row["side_effect"], row["side_low"], row["side_high"]),
        )
        for row in rows
    )
    return _markdown(
        ("lever", "mechanism", "outcome", "unit", "baseline", "effect", "levels that hold", "side effect on", "side effect"), cells
    )


def calibration(results: Path) -> str:
    """Return targets and what the baseline gives, from `calibration.csv`; says so if there is none. Raises `ValueError` as above."""
    rows = _read(results / "calibration.csv", _CALIBRATION)
    if rows is None:
        return _missing("calibration.csv")
    cells = (
        (
            row["target"],
            row["kind"],
            row["source"],
            row["range"],
            _interval(row["simulated"], row["low"], row["high"]),
            {"True": "yes", "False": "**no**"}.get(row["inside"], row["inside"]),
        )
        for row in rows
    )
    return _markdown(("target", "kind", "source", "range", "simulated", "inside"), cells)


def sizes() -> str:
    """Return one line that counts what the code has."""
    entries = sum(len(rows) for rows in LEDGER.values())
    return f"{len(LEVERS)} levers, {entries} parameters in {len(LEDGER)} groups, {len(OUTCOMES)} outcomes a day.\n"


def scenarios(results: Path) -> str:
    """Return the shipped scenarios and experiments with what each asks."""
    folder = results.parent.parent / "scenarios"
    rows = []
    for path in [*sorted(folder.glob("*.toml")), *sorted((folder / "experiments").glob("*.toml"))]:
        text = path.read_text(encoding="utf-8")
        title = re.search(r'^title = "(.*)"$', text, re.MULTILINE)
        about = " ".join(line.removeprefix("#").strip() for line in text.splitlines() if line.startswith("#"))
        name = path.relative_to(results.parent.parent).as_posix()
        rows.append((f"[`{path.stem}`]({name})", title.group(1) if title else "", about))
    return _markdown(("file", "title", "what it asks"), rows)


_TABLES: dict[str, Callable[[Path], str]] = {
    "parameters": lambda _results: parameters(),
    "levers": lambda _results: levers(),
    "lever_effects": lever_effects,
    "calibration": calibration,
    "scenarios": scenarios,
    "headlines": headlines,
    "sizes": lambda _results: sizes(),
}


def _read(path: Path, columns: Sequence[str]) -> list[dict[str, str]] | None:
    if not path.is_file():
        return None
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        found = list(reader.fieldnames or [])
        if missing := [column for column in columns if column not in found]:
            raise ValueError(f"{path.name} has no column {', '.join(missing)}; it has {', '.join(found)}")
        return list(reader)


def _missing(name: str) -> str:
    return f"*Not yet computed: `results/reference/{name}` does not exist.*\n"


def _interval(value: str, low: str, high: str) -> str:
    middle = _text(value)
    return f"{middle} ({_text(low)} to {_text(high)})" if low and high else middle


def _text(value: str) -> str:
    """Return a number of a CSV file to four significant digits; what is no number, as it is."""
    try:
        return f"{float(value):,.4g}" if abs(float(value)) < 10_000 else f"{float(value):,.0f}"
    except ValueError:
        return value


def _number(value: float) -> str:
    """Return a number of the ledger in full, without an exponent where it can be read without."""
    return f"{value:,.0f}" if value == int(value) else f"{value:.10g}"


def _markdown(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def main(arguments: Sequence[str]) -> int:
    """Make the tables of the documents anew; with `--check` first, only say which are out of date. Returns the exit code."""
    check = "--check" in arguments
    stale = []
    for name in (argument for argument in arguments if argument != "--check"):
        path = Path(name)
        old = path.read_text(encoding="utf-8")
        new = refreshed(old, path.parent / "results" / "reference")
        if new != old:
            stale.append(name)
            if not check:
                path.write_text(new, encoding="utf-8")
    if stale:
        sys.stdout.write(f"{'out of date' if check else 'written'}: {', '.join(stale)}\n")
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
