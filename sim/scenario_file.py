"""Read scenario files as they stand: TOML, the `extends` chain, overrides, and where each value came from."""

from __future__ import annotations

import numbers
import os
import re
import stat
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sim.faults import MISSING, OVERRIDE, SETTING, Fault, Key, ScenarioError, nearest, show, show_key, show_path

_MAX_BYTES = 1_000_000
_MAX_DEPTH = 6
_OWN = ("name", "title", "description")  # what a scenario says of itself is not inherited


def read_toml(path: Path, asked_in: str = "", asked_as: str = "") -> dict[str, Any]:
    """Read a TOML file; raise `ScenarioError` for anything that is not one.

    `asked_in` and `asked_as` are the file and key that named it, for the message.
    """
    shown = show_path(path)

    def fail(problem: str) -> ScenarioError:
        return ScenarioError([Fault(asked_in, asked_as, shown, problem) if asked_in else Fault(shown, "", "", problem)])

    try:
        kind = path.stat()
        if stat.S_ISDIR(kind.st_mode):
            raise fail("is a directory; a TOML file is wanted")
        if not stat.S_ISREG(kind.st_mode):
            raise fail("is not a regular file; a TOML file is wanted")
        if kind.st_size > _MAX_BYTES:
            raise fail(f"has {kind.st_size} bytes; at most {_MAX_BYTES} are allowed: is it a TOML file?")
        raw = path.read_bytes()
    except FileNotFoundError:
        raise fail("no such file" + nearest(path.name, _neighbours(path, asked_in))) from None
    except OSError as error:
        raise fail(f"cannot be read: {error.strerror or error}") from None
    except ScenarioError:
        raise
    except ValueError as error:  # a NUL in the path
        raise fail(f"cannot be read: {error}") from None
    try:
        text = raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise fail(f"is not UTF-8 text (line {line}, byte {error.start}); save it as UTF-8") from None
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise fail(f"is not valid TOML: {error}{_quoted_line(text, str(error))}") from None
    except (ValueError, RecursionError):  # a number of thousands of digits, arrays nested without end
        raise fail("is not valid TOML: a number is too long or arrays are nested too deeply") from None
    if not data:
        raise fail("is empty; it needs at least one key (`abm new NAME` writes a starter)")
    return data


def _neighbours(path: Path, asked_in: str) -> list[str]:
    """List the TOML files beside a path but the one that names it, whose label may say of which of its tables it speaks."""
    try:
        found = [entry for entry in path.parent.iterdir() if entry.suffix == ".toml"]
        return sorted(entry.name for entry in found if not f"{asked_in} ".startswith(f"{show_path(entry)} "))
    except OSError:
        return []


def _quoted_line(text: str, message: str) -> str:
    """Quote the line that a TOML message points at."""
    found = re.search(r"at line (\d+)", message)
    lines = text.split("\n")
    line = lines[int(found[1]) - 1].strip() if found and int(found[1]) <= len(lines) else ""
    return f": {show(line)}" if line else ""


@dataclass
class Source:
    """The merged text of a scenario: `data`, the origin of each leaf, the name of the deepest file, and the origins in order."""

    where: str
    data: dict[str, Any] = field(default_factory=dict)
    origins: dict[Key, str] = field(default_factory=dict)
    layers: list[str] = field(default_factory=list)

    def origin(self, key: Key) -> str | None:
        """Return where the value at a key came from, None if no file and no override gave it."""
        if key in self.origins:
            return self.origins[key]
        return next((label for leaf, label in self.origins.items() if leaf[: len(key)] == key), None)

    def latest(self, *keys: Key) -> Key:
        """Return the key that the last layer set (file over base, override over file); of keys of one layer the first."""
        return max(keys, key=lambda key: self.layers.index(self.origins[key]) if key in self.origins else -1)

    def fault(self, key: Key, value: object, problem: str) -> Fault:
        """Build the fault of a key, in the file that set it (or the table around it); `MISSING` is no value."""
        places = (self.origin(key[:n]) for n in range(len(key), 0, -1))
        where = next((place for place in places if place is not None), self.where)
        return Fault(where, show_key(key), "" if value is MISSING else show(value), problem)

    def table(self, key: Key, faults: list[Fault]) -> dict[str, Any] | None:
        """Return the table at a key, empty if there is none; note a fault and return None if it is something else."""
        found: Any = self.data
        for part in key:
            found = found.get(part, {})
        if isinstance(found, dict):
            return found
        faults.append(self.fault(key, found, "must be a table"))
        return None

    def merge(self, layer: Mapping[str, Any], label: str, at: Key = ()) -> None:
        """Merge a layer over what is there: tables merge, other values replace."""
        if label not in self.layers:
            self.layers.append(label)
        target: dict[str, Any] = self.data
        for part in at:
            target = target[part]
        for name, value in layer.items():
            key = (*at, str(name))
            if len(key) > _MAX_DEPTH:
                raise ScenarioError([Fault(label, show_key(key), "", f"is nested too deeply: at most {_MAX_DEPTH} levels are allowed")])
            if isinstance(value, Mapping):
                if not isinstance(target.get(key[-1]), dict):
                    self.origins.pop(key, None)
                    target[key[-1]] = {}
                if not value:
                    self.origins.setdefault(key, label)
                self.merge(value, label, key)
            else:
                if isinstance(target.get(key[-1]), dict):
                    for stale in [leaf for leaf in self.origins if leaf[: len(key)] == key]:
                        del self.origins[stale]
                target[key[-1]] = _plain(value)
                self.origins[key] = label


def _plain(value: object) -> object:
    """Turn tuples and the numbers of other libraries into plain Python, as a file would have them."""
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value] if len(value) < 100_000 else list(value)
    if isinstance(value, bool | int | float | str):
        return float(value) if isinstance(value, float) else value
    if isinstance(value, numbers.Integral):
        return int(value)
    return float(value) if isinstance(value, numbers.Real) else value


def is_experiment(table: Mapping[str, Any]) -> bool:
    """Say whether a table read from a file is an experiment's, which names a baseline, and no scenario's."""
    return isinstance(table.get("baseline"), str)


def read_chain(layer: Mapping[str, Any], where: str, folder: Path, path: Path | None) -> Source:
    """Merge a table with all that it extends, base first; `path` is its file, if it has one to itself."""
    layers = [(layer, where)]
    seen = {os.path.realpath(path): where} if path is not None else {}
    if path is not None:
        _refuse_experiment(layer, where)
    while (extends := layers[-1][0].get("extends")) is not None:
        child = layers[-1][1]
        if not isinstance(extends, str) or not extends:
            raise ScenarioError([Fault(child, "extends", show(extends), "must be the path of a scenario file, as text")])
        base = folder / extends
        label = show_path(base)
        try:
            real = os.path.realpath(base)
        except (OSError, ValueError):
            real = str(base)
        if real in seen:
            names = [name for _, name in layers] + [label]
            raise ScenarioError([Fault(child, "extends", show(extends), "extends in a cycle: " + " -> ".join(names))])
        seen[real] = label
        layers.append((read_toml(base, child, "extends"), label))
        _refuse_experiment(layers[-1][0], label)
        folder = base.parent
    source = Source(where)
    for table, label in reversed(layers):
        hidden = {"extends"} if table is layer else {"extends", *_OWN}
        source.merge({name: value for name, value in table.items() if name not in hidden}, label)
    return source


def _refuse_experiment(table: Mapping[str, Any], where: str) -> None:
    if is_experiment(table):
        raise ScenarioError([Fault(where, "", "", f"is an experiment file, not a scenario; use: abm compare {where}")])


def apply_overrides(source: Source, overrides: Mapping[str, object] | None, label: str = OVERRIDE) -> None:
    """Lay dotted overrides (`{"run.days": 300}`) over a source; nested tables are taken too. `label` is their origin."""
    faults: list[Fault] = []
    for dotted, value in (overrides or {}).items():
        parts = tuple(str(dotted).split("."))
        if parts[0] == "extends" or not all(parts):
            problem = "cannot be overridden" if parts[0] == "extends" else "is not a dotted path such as run.days"
            faults.append(Fault(label, show_key(parts), show(value), problem))
            continue
        layer: Any = value
        for part in reversed(parts):
            layer = {part: layer}
        source.merge(layer, label)
    if faults:
        raise ScenarioError(faults)


def parse_setting(text: str) -> tuple[str, object]:
    """Split `KEY=VALUE` of a `--set`; the value is read as TOML and, where that fails, is text.

    Raises `ScenarioError` where there is no `=` or no key before it.
    """
    key, equals, value = text.partition("=")
    key, value = key.strip(), value.strip()
    if not equals or not key:
        raise ScenarioError([Fault(SETTING, "", show(text), "must be KEY=VALUE, for example population.users=1_000_000")])
    try:
        parsed = tomllib.loads(f"value = {value}")
    except (ValueError, RecursionError):
        return key, value
    return key, parsed["value"] if parsed.keys() == {"value"} else value


def parse_settings(texts: Sequence[str]) -> dict[str, object]:
    """Read all `--set` of a command line; the last of equal keys counts."""
    faults: list[Fault] = []
    settings: dict[str, object] = {}
    for text in texts:
        try:
            key, value = parse_setting(text)
        except ScenarioError as error:
            faults.extend(error.faults)
        else:
            settings.pop(key, None)
            settings[key] = value
    if faults:
        raise ScenarioError(faults)
    return settings
