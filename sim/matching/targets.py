"""Targets and uncertain parameters, read from a file: what is wanted, on which scale, with which tolerance and source."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.faults import Fault, ScenarioError, show, show_path, unknown
from sim.matching.quantities import QUANTITIES, value_of
from sim.parameters import LEDGER
from sim.scenario import Scenario
from sim.scenario_file import is_experiment, read_toml
from sim.store import MEANS

Reals = NDArray[np.float64]

HARD, SOFT = "hard", "soft"
SCALES = ("linear", "log", "share")
SIGMAS = 3.0
"""The ends of a range lie this many tolerances from its middle: 95 % of any distribution with one peak lies within (Pukelsheim 1994)."""

_TINY = 0.01
"""On the log scale what is below this part of the range's low end counts as it: a market that has gone is far off, not infinitely."""

_KEYS = ("name", "quantity", "kind", "low", "high", "scale", "source")
_LARGEST = 1e15


@dataclass(frozen=True)
class Target:
    """A quantity with the range that the evidence allows; `hard` ones must be inside, the others are reported."""

    name: str
    quantity: str
    low: float
    high: float
    hard: bool
    scale: str
    source: str

    @property
    def kind(self) -> str:
        """Say whether the target rules vectors out."""
        return HARD if self.hard else SOFT

    def scaled(self, values: Reals | float) -> Reals:
        """Return values on the target's scale, where tolerance is the same on both sides; NaN stays NaN."""
        x = np.asarray(values, dtype=np.float64)
        if self.scale == "log":
            return np.log(np.maximum(x, _TINY * self.low))
        if self.scale == "share":
            return np.arcsin(np.sqrt(np.clip(x, 0.0, 1.0)))
        return x.copy()

    @cached_property
    def middle(self) -> float:
        """Return the middle of the range on the scale."""
        return float(self.scaled(np.array([self.low, self.high])).mean())

    @cached_property
    def tolerance(self) -> float:
        """Return the standard deviation that evidence and model leave, on the scale: the half-range over `SIGMAS`."""
        low, high = self.scaled(np.array([self.low, self.high]))
        return float((high - low) / 2.0 / SIGMAS)

    def of(self, means: Mapping[str, float], scenario: Scenario) -> float:
        """Return the quantity in a run, given the means over its window."""
        return value_of(self.quantity, means, scenario)

    def inside(self, values: Reals | float) -> NDArray[np.bool_]:
        """Say which values lie in the range; NaN does not."""
        x = np.asarray(values, dtype=np.float64)
        return (self.low <= x) & (x <= self.high)


@dataclass(frozen=True)
class Problem:
    """What is to be matched: targets, and the uncertain parameters as `group.name`."""

    targets: tuple[Target, ...]
    parameters: tuple[str, ...]

    @property
    def hard(self) -> tuple[Target, ...]:
        """Return the targets that rule vectors out."""
        return tuple(target for target in self.targets if target.hard)


def read_problem(path: Path | str | None = None) -> Problem:
    """Read targets and uncertain parameters, from the shipped file if none is named; raises `ScenarioError` with every fault found."""
    if path is None:
        return _checked(tomllib.loads(files("sim").joinpath("targets.toml").read_text(encoding="utf-8")), "sim/targets.toml")
    data, where = read_toml(Path(path)), show_path(Path(path))
    if not data.keys() & {"target", "uncertain"}:
        if is_experiment(data):
            raise ScenarioError([Fault(where, "", "", f"is an experiment file, not a file of targets; use: abm compare {where}")])
        if data.keys() & {*Scenario.model_fields, "extends"}:
            raise ScenarioError([Fault(where, "", "", "is a scenario, not a file of targets; give it with --scenario")])
    return _checked(data, where)


def _checked(data: Mapping[str, Any], where: str) -> Problem:
    faults: list[Fault] = []
    rows, uncertain = data.get("target", []), data.get("uncertain", {})
    targets: list[Target] = []
    if not isinstance(rows, list) or not rows:
        faults.append(Fault(where, "target", show(rows), "must be a list of tables [[target]]"))
    else:
        targets = [target for k, row in enumerate(rows) if (target := _target(row, f"target[{k}]", where, faults)) is not None]
    names = [target.name for target in targets]
    faults += [
        Fault(where, "target.name", show(name), "is the name of two targets") for name in sorted({n for n in names if names.count(n) > 1})
    ]
    if targets and len(targets) == len(rows) and not any(target.hard for target in targets):
        faults.append(
            Fault(where, "target.kind", show(SOFT), "is that of every target; at least one must be hard, or nothing is ruled out")
        )
    parameters = _parameters(uncertain, where, faults)
    faults += [
        Fault(where, key, show(data[key]), unknown("table", key, ("target", "uncertain")))
        for key in data
        if key not in {"target", "uncertain"}
    ]
    if faults:
        raise ScenarioError(faults)
    return Problem(tuple(targets), tuple(parameters))


def _parameters(uncertain: object, where: str, faults: list[Fault]) -> list[str]:
    """Read the names of the uncertain parameters; notes what is wrong with them."""
    if not isinstance(uncertain, Mapping):
        faults.append(Fault(where, "uncertain", show(uncertain), "must be a table"))
        return []
    faults += [
        Fault(where, f"uncertain.{key}", show(uncertain[key]), unknown("key", key, ("parameters",)))
        for key in uncertain
        if key != "parameters"
    ]
    names, key = uncertain.get("parameters", []), "uncertain.parameters"
    if not isinstance(names, list) or not names:
        faults.append(Fault(where, key, show(names), 'must be a list of "group.name"'))
        return []
    known = {f"{group}.{name}": entry for group, entries in LEDGER.items() for name, entry in entries.items()}
    for name in names:
        if not isinstance(name, str):
            faults.append(Fault(where, key, show(name), 'must be a list of "group.name"; this is no text'))
        elif name not in known:
            faults.append(Fault(where, key, show(name), unknown("parameter", name, known)))
        elif not known[name].low < known[name].high:
            faults.append(Fault(where, key, show(name), "has no range in the ledger"))
        elif names.count(name) > 1:
            faults.append(Fault(where, key, show(name), "is named twice"))
    return names


def _target(row: object, key: str, where: str, faults: list[Fault]) -> Target | None:
    """Read one target; notes what is wrong with it."""
    if not isinstance(row, Mapping):
        faults.append(Fault(where, key, show(row), "must be a table"))
        return None
    before = len(faults)
    faults += [Fault(where, f"{key}.{name}", "", "is missing") for name in _KEYS if name not in row]
    faults += [Fault(where, f"{key}.{name}", show(row[name]), unknown("key", name, _KEYS)) for name in row if name not in _KEYS]
    if len(faults) > before:
        return None
    allowed = {"kind": (HARD, SOFT), "scale": SCALES, "quantity": (*QUANTITIES, *MEANS)}
    faults += [
        Fault(where, f"{key}.{name}", show(row[name]), unknown(name, str(row[name]), words))
        for name, words in allowed.items()
        if row[name] not in words
    ]
    faults += [
        Fault(where, f"{key}.{name}", show(row[name]), "must be words")
        for name in ("name", "source")
        if not (isinstance(row[name], str) and row[name])
    ]
    ends = row["low"], row["high"]
    numbers = [isinstance(end, int | float) and not isinstance(end, bool) and abs(end) <= _LARGEST for end in ends]
    faults += [
        Fault(where, f"{key}.{name}", show(row[name]), f"must be a number from {-_LARGEST:g} to {_LARGEST:g}")
        for name, fine in zip(("low", "high"), numbers, strict=True)
        if not fine
    ]
    if all(numbers):
        if not ends[0] < ends[1]:
            faults.append(Fault(where, f"{key}.high", show(ends[1]), f"must be above low = {show(ends[0])}"))
        if row["scale"] == "log" and ends[0] <= 0:
            faults.append(Fault(where, f"{key}.low", show(ends[0]), "must be above 0 on the log scale"))
        if row["scale"] == "share" and not 0 <= ends[0] < ends[1] <= 1:
            faults.append(Fault(where, f"{key}.high", show(ends[1]), "must be, with low, from 0 to 1 on the share scale"))
    if len(faults) > before:
        return None
    return Target(row["name"], row["quantity"], float(ends[0]), float(ends[1]), row["kind"] == HARD, row["scale"], row["source"])
