"""A scenario as the text of a file that needs no other, and the file itself, never over one that is there."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sim.faults import Fault, ScenarioError, show, show_key
from sim.scenario import Scenario
from sim.scenario_tables import Head


def text_of(scenario: Scenario, name: str, title: str, origin: str) -> str:
    """Return the text of a scenario file under a name; raises `ScenarioError` for a name that a scenario cannot have.

    Every value is in it, so that it can be moved. `origin` says in a comment what it was made from.
    """
    try:
        Head(name=name, title=title)
    except ValueError:
        problem = "must be 1 to 64 of the characters a-z, 0-9 and _, and the title at most 200 characters"
        raise ScenarioError([Fault("", "name", show(name), problem)]) from None
    whole = {**scenario.model_dump(exclude_none=True), "name": name, "title": title}
    tables = {key: value for key, value in whole.items() if isinstance(value, dict)}
    lines = [f"# {line}" for line in origin.splitlines()]
    lines += [f"{key} = {_value(value)}" for key, value in whole.items() if key not in tables and value not in ("", [])]
    for key, table in tables.items():
        lines += _table((key,), table)
    return "\n".join(lines) + "\n"


def _table(key: tuple[str, ...], table: Mapping[str, Any]) -> Iterator[str]:
    """Write a table and those in it."""
    values = {name: value for name, value in table.items() if not isinstance(value, dict)}
    if values:
        yield f"\n[{show_key(key)}]"
        yield from (f"{name} = {_value(value)}" for name, value in values.items())
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _table((*key, name), value)


def _value(value: object) -> str:
    """Write a value as TOML has it, to the last digit."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(value)


def write(folder: Path, name: str, text: str) -> Path:
    """Write the file of a scenario into a folder and return its path; raises `ScenarioError` when there is one, or none can be written."""
    path = folder / f"{name}.toml"
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise ScenarioError([Fault("", path.name, "", "is there already; choose another name")]) from None
    except OSError as error:
        raise ScenarioError([Fault("", path.name, "", f"cannot be written: {error.strerror}")]) from None
    return path
