"""A factor of a design: a key of the scenario, its range, and what a number from 0 to 1 means on it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from sim.experiment_file import Number, unvaried
from sim.faults import MISSING, Fault, Key, show, unknown
from sim.levers import LEVERS
from sim.parameters import LEDGER
from sim.scenario_file import Source
from sim.scenario_tables import Run, Table, checked

_DIGITS = 6  # significant digits of a value: what is simulated is what tables say
_MOST_LEVELS = 1_000
_MOST_DAYS: int = Run.model_json_schema()["properties"]["days"]["maximum"]


class FactorTable(Table):
    """A factor as it stands in a file."""

    key: str = Field(min_length=1, max_length=200, description="a lever's name, or a dotted path of the scenario")
    low: Number | None = Field(default=None, description="lowest value; the ledger's, or 0 for a lever, if not given")
    high: Number | None = Field(default=None, description="highest value; the ledger's, or 1 for a lever, if not given")
    levels: int | None = Field(default=None, ge=2, le=_MOST_LEVELS, description="values in the designs grid and one_at_a_time")
    log: bool = Field(default=False, description="equal steps are equal ratios")


@dataclass(frozen=True)
class Factor:
    """A key of the scenario with its range; `whole` ones take whole numbers, equal steps of `log` ones are equal ratios."""

    key: str
    low: float
    high: float
    levels: int | None = None
    log: bool = False
    whole: bool = False

    def value(self, part: float) -> float:
        """Return the value at a part of the range from 0 to 1, with 6 significant digits; a whole factor's nearest whole number."""
        value = float(self.low * (self.high / self.low) ** part if self.log else self.low + part * (self.high - self.low))
        if self.whole:
            return math.floor(value + 0.5)
        return min(max(float(f"{value:.{_DIGITS}g}"), self.low), self.high)

    def part(self, value: float) -> float:
        """Return at what part of the range a value is: that of what was simulated, which is a little off the part that was asked for."""
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    @property
    def label(self) -> str:
        """Return the factor's name in words: the lever, the parameter, or the day of a policy."""
        table, name, *rest = self.key.split(".")
        last = (rest[-1] if rest else name).removesuffix("_yuan")  # which the unit says
        words = {
            "policies": name if last == "strength" else f"{name}: {last}",
            "parameters": f"{name}: {last}",
            "levers": f"{name} (standing)",
        }
        return words.get(table, f"{name}: {last}").replace("_", " ")

    @property
    def unit(self) -> str:
        """Return the unit of the factor."""
        table, name, *rest = self.key.split(".")
        if table == "parameters":
            return LEDGER[name][rest[0]].unit
        return "days" if rest == ["ramp_days"] else "day" if self.whole else "share" if table == "population" else "strength"


def full_key(key: str) -> str:
    """Return the dotted path of a key: the name of a lever stands for the strength of a policy on it from the end of burn-in."""
    return f"policies.{key}.strength" if key in LEVERS else key


def read_factor(source: Source, at: Key, table: dict[str, Any], faults: list[Fault]) -> Factor | None:
    """Check one factor that stands at a key of a source; note every fault and return None if there is one."""
    found = checked(FactorTable, source, at, faults, table)
    if found is None:
        return None
    key = full_key(found.key.strip())
    if problem := no_factor(key):
        faults.append(source.fault((*at, "key"), found.key, problem))
        return None
    before = len(faults)
    least, most, ranged = span(key)

    def fault(name: str, value: object, problem: str) -> None:
        faults.append(source.fault((*at, name), value, f"{problem} ({found.key})"))

    ends = {}
    for name, given, default in (("low", found.low, least), ("high", found.high, most)):
        if given is None and not ranged:
            fault(name, MISSING, f"is missing; it must be {_allowed(key)}")
        elif given is not None and (not least <= given <= most or (is_whole(key) and given != int(given))):
            fault(name, given, f"must be {_allowed(key)}")
        ends[name] = default if given is None else given
    if len(faults) > before:
        return None
    factor = Factor(key, ends["low"], ends["high"], found.levels, found.log, is_whole(key))
    if factor.low >= factor.high:
        fault("low", factor.low, f"must be below the highest value, {factor.high:g}")
    elif factor.log and factor.low <= 0:
        fault("low" if found.low is not None else "log", factor.low if found.low is not None else True, "must be above 0 where log = true")
    elif factor.whole and factor.levels is not None and factor.levels > factor.high - factor.low + 1:
        fault("levels", factor.levels, f"must be at most {factor.high - factor.low + 1:g}, the whole numbers from low to high")
    return factor if len(faults) == before else None


def no_factor(key: str) -> str:
    """Say why a dotted path is no factor; nothing if it is one, as far as can be said without its scenario."""
    if problem := unvaried(key):
        return problem.replace("varied", "a factor")
    table, name, *rest = key.split(".")
    if table == "levers" and (name not in LEVERS or LEVERS[name].only_policy):
        return unknown("lever with a standing strength", name, [row.name for row in LEVERS.values() if not row.only_policy])
    if table == "parameters" and name not in LEDGER:
        return unknown("group of parameters", name, LEDGER)
    if table == "parameters" and rest[0] not in LEDGER[name]:
        return unknown(f"parameter of {name}", rest[0], LEDGER[name])
    return ""


def span(key: str) -> tuple[float, float, bool]:
    """Return the least and the greatest value that a key may have, and whether they are its range where a file gives none."""
    table, name, *rest = key.split(".")
    if table == "parameters":
        entry = LEDGER[name][rest[0]]
        return entry.low, entry.high, True
    if is_whole(key):
        return 0, _MOST_DAYS, False
    return 0.0, 1.0, table != "population"


def is_whole(key: str) -> bool:
    """Say whether a key counts days."""
    return key.startswith("policies.") and not key.endswith(".strength")


def outside(key: str, value: float) -> str:
    """Say what a value of a key must be; nothing if it is that."""
    least, most, _ = span(key)
    return "" if least <= value <= most and not (is_whole(key) and value != int(value)) else f"must be {_allowed(key)}"


def _allowed(key: str) -> str:
    least, most, _ = span(key)
    of = ", the range of the ledger" if key.startswith("parameters.") else ""
    return f"a {'whole number' if is_whole(key) else 'number'} from {show(least)} to {show(most)}{of}"
