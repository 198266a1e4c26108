"""Say what is wrong with an input, in words that help: where, which value, what is allowed, the nearest name."""

from __future__ import annotations

import difflib
import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path

Key = tuple[str, ...]
"""The path of a key in a file, a part for each table."""

OVERRIDE, SETTING = "overrides", "--set"
"""What faults and tables call the origin of an override given from Python, and from the command line."""

_FEW_NAMES = 12

MISSING = object()
"""Stands for the value of a key that has none."""


@dataclass(frozen=True)
class Fault:
    """One thing wrong with an input: in which file, at which key, with which value, and what is allowed."""

    where: str
    key: str
    value: str
    problem: str

    def __str__(self) -> str:
        """Join the parts that are there."""
        at = f"{self.key} = {self.value}" if self.key and self.value else self.key or self.value
        return ": ".join(part for part in (self.where, at, self.problem) if part)


class ScenarioError(ValueError):
    """Bad input. `str()` is the whole message: one line for one fault, a list for several."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(dict.fromkeys(faults))
        super().__init__(self.faults)

    def __str__(self) -> str:
        """List every fault, a line each."""
        if len(self.faults) == 1:
            return str(self.faults[0])
        return f"{len(self.faults)} faults:\n" + "\n".join(f"  {fault}" for fault in self.faults)


def show(value: object) -> str:
    """Write a value as TOML would have it, shortened, in characters that any terminal takes."""
    if isinstance(value, Mapping):
        return "a table" if value else "an empty table"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value) if abs(value) < 10**40 else "a number of more than 40 digits"
    if isinstance(value, list | tuple):
        items = ["[...]" if isinstance(item, list | tuple) else show(item) for item in value[:8]]
        return "[" + ", ".join([*items, "..."] if len(value) > 8 else items) + "]"
    if isinstance(value, str):
        text = json.dumps(value if len(value) <= 80 else value[:77] + "...", ensure_ascii=False)
        return text.encode("utf-8", "backslashreplace").decode()
    text = repr(value) if isinstance(value, float) or value is None else str(value)
    return text if len(text) <= 80 else text[:77] + "..."


def whole_number(where: str, key: str, value: object, low: int, high: int, faults: list[Fault]) -> int:
    """Return a whole number, of whatever library, as Python's own; one that is none, or out of range, is added to the faults."""
    if isinstance(value, bool) or not isinstance(value, Integral) or not low <= int(value) <= high:
        faults.append(Fault(where, key, show(value), f"must be a whole number from {low} to {high}"))
        return low
    return int(value)


def show_key(key: Key) -> str:
    """Write a key path with dots, quoting parts that TOML would quote."""
    return ".".join(part if re.fullmatch(r"[A-Za-z0-9_-]{1,60}", part) else show(part) for part in key)


def show_path(path: Path) -> str:
    """Write a path as a message shows it."""
    text = os.path.normpath(str(path))
    return text if text.isprintable() else show(text)


def nearest(word: object, names: Iterable[str]) -> str:
    """Suggest the nearest valid name, as `; did you mean "..."?` or nothing."""
    by_lower = {name.lower(): name for name in names}
    found = difflib.get_close_matches(str(word)[:80].lower().replace("-", "_"), by_lower, n=1, cutoff=0.6)
    return f'; did you mean "{by_lower[found[0]]}"?' if found else ""


def corrected(hint: str, problem: str) -> str:
    """Put the suggestion of `nearest`, if there is one, before what is allowed."""
    return f"{hint.removeprefix('; ')} {problem[0].upper()}{problem[1:]}" if hint else problem


def unknown(noun: str, name: str, names: Iterable[str], better: str = "") -> str:
    """Say that a name is not one of those allowed; `better` is a suggestion that beats the nearest name."""
    names = list(names)
    hint = f'; did you mean "{better}"?' if better else nearest(name, names)
    return f"no such {noun}{hint or ';'} Allowed: {', '.join(names)}".replace("; Allowed", "; allowed")


def one_of(names: Iterable[str], listed_by: str = "") -> str:
    """Say that one of some names is allowed; of many only the first where a command lists them."""
    names = list(names)
    if listed_by and len(names) > _FEW_NAMES:
        return f"one of {', '.join(names[:_FEW_NAMES])}, ...; `{listed_by}` lists all {len(names)}"
    return "one of " + ", ".join(names)
