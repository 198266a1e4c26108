"""Tables of the documents: generated from the code and from committed results, put between markers.

A document says `<!-- table: NAME -->` where table NAME begins and `<!-- end -->` where it ends; what stands between is replaced.
`python -m sim.tables MODEL.md README.md` does it; results are looked for in `results/reference` beside the document.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import get_type_hints

from sim.exhibits import gallery, watched
from sim.exhibits.speed import speed
from sim.headlines import headlines
from sim.levers import LEVERS
from sim.outcomes import OUTCOMES
from sim.parameters import KINDS, LEDGER, Parameters
from sim.reference import SHOWN, known_answers, markdown, mean_field, mean_field_steps, of_results, page
from sim.robustness import markdown as conclusions

_TITLE = re.compile(r'^title = "(.*)"$', re.MULTILINE)
_BLOCK = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


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
        parts.append(f"**`{group}`** {heading}\n\n{markdown(('parameter', 'value', 'unit', 'range', 'source', 'note'), cells)}")
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
    return markdown(columns, cells)


def sizes() -> str:
    """Return one line that counts what the code has."""
    entries = sum(len(rows) for rows in LEDGER.values())
    return f"{len(LEVERS)} levers, {entries} parameters in {len(LEDGER)} groups, {len(OUTCOMES)} outcomes a day.\n"


def assumptions() -> str:
    """Return how many values of the ledger rest on what, by group."""
    rows = [(f"`{group}`", [e.kind for e in entries.values()]) for group, entries in LEDGER.items()]
    rows.append(("all", [kind for _, kinds in rows for kind in kinds]))
    return markdown(("group", *KINDS), ((name, *(str(kinds.count(kind)) for kind in KINDS)) for name, kinds in rows))


def robustness(results: Path) -> str:
    """Return which conclusions of the shipped comparison hold over the set of parameter vectors, for what README speaks of most."""
    folder = results.parent.parent / "scenarios"
    titles = {path.stem: found[1] for path in folder.glob("*.toml") if (found := _TITLE.search(path.read_text(encoding="utf-8")))}
    return conclusions(
        results / "policy_comparison_over_uncertainty", titles, ("stock_rented", "supply_account_days", "expected_harm_yuan")
    )


def scenarios(results: Path) -> str:
    """Return the shipped scenarios and experiments with what each asks."""
    folder = results.parent.parent / "scenarios"
    rows = []
    for path in [*sorted(folder.glob("*.toml")), *sorted((folder / "experiments").glob("*.toml"))]:
        text = path.read_text(encoding="utf-8")
        title = _TITLE.search(text)
        about = " ".join(line.removeprefix("#").strip() for line in text.splitlines() if line.startswith("#"))
        name = path.relative_to(results.parent.parent).as_posix()
        rows.append((f"[`{path.stem}`]({name})", title.group(1) if title else "", about))
    return markdown(("file", "title", "what it asks"), rows)


_TABLES: dict[str, Callable[[Path], str]] = {
    "parameters": lambda _results: parameters(),
    "levers": lambda _results: levers(),
    **{name: partial(of_results, name) for name in SHOWN},
    "known_answers": known_answers,
    "mean_field": mean_field,
    "mean_field_steps": mean_field_steps,
    "scorecard": partial(page, "validation/scorecard.md"),
    "robustness": robustness,
    "scenarios": scenarios,
    "headlines": headlines,
    "gallery": gallery,
    "watched": watched,
    "speed": speed,
    "assumptions": lambda _results: assumptions(),
    "sizes": lambda _results: sizes(),
}


def _number(value: float) -> str:
    """Return a number of the ledger in full, without an exponent where it can be read without."""
    return f"{value:,.0f}" if value == int(value) else f"{value:.10g}"


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
