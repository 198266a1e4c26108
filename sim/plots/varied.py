"""What a sweep varies, in words for its axes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sim.levers import LEVERS
from sim.parameters import LEDGER
from sim.scenario import Scenario

_UNITS = {"users": "users", "share": "share", "day": "day", "days": "days"}


class Varied(NamedTuple):
    """One key varied: its name for a title, the label of its axis, and what to call its value in the baseline."""

    name: str
    label: str
    standing: str = "its own value"

    @classmethod
    def lever(cls, name: str) -> Varied:
        """Describe the strength of a lever."""
        words = name.replace("_", " ")
        return cls(words, f"strength of {words} (0 to 1)", "standing strength")

    @classmethod
    def of(cls, key: str, scenarios: Iterable[Scenario]) -> Varied:
        """Describe a dotted key of a scenario file; `scenarios` are those of the sweep, whose policies say on which lever they are."""
        group, *rest = key.split(".")
        last = rest[-1] if rest else group
        words = " ".join(rest or [group]).replace("_", " ")
        if group == "levers" and last in LEVERS:
            return cls.lever(last)
        if group == "policies" and len(rest) == 2:
            named = [scenario.policies[rest[0]].lever for scenario in scenarios if rest[0] in scenario.policies]
            lever = named[0] if named else rest[0]
            if last == "strength":
                return cls.lever(lever)
            words = f"{last} of {lever}".replace("_", " ")
        if group == "parameters" and len(rest) == 2:
            name = last.replace("_", " ")
            return cls(name, f"{rest[0].replace('_', ' ')}: {name} ({LEDGER[rest[0]][last].unit})")
        unit = _UNITS.get(last.rpartition("_")[2])
        return cls(words, f"{words} ({unit})" if unit and unit != words else words)
