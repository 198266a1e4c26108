"""The shipped set of parameter vectors, read back: a row a member, a column `group.name` for each uncertain parameter."""

from __future__ import annotations

import csv
import math
from importlib.resources import files

from sim.faults import Fault, ScenarioError, show
from sim.parameters import LEDGER

SHIPPED = "plausible.csv"

Member = dict[str, dict[str, float]]
"""Values of a member by group and name, as `Scenario.parameters` has them."""


def load_plausible(text: str | None = None) -> list[Member]:
    """Return the members of the shipped set, or of a table given as text, in their order; member 0 is the ledger's own vector.

    Raises `ScenarioError` when a column is no parameter, or a value is no number in the ledger's range.
    """
    if text is None:
        text = files("sim").joinpath(SHIPPED).read_text(encoding="utf-8")
    members: list[Member] = []
    for row in csv.DictReader(text.splitlines()):
        member: Member = {}
        for column, cell in row.items():
            if column == "member":
                continue
            group, _, name = str(column).partition(".")
            entry = LEDGER.get(group, {}).get(name)
            if entry is None:
                raise ScenarioError([Fault(SHIPPED, str(column), "", "is no parameter of the ledger")])
            try:
                value = float(cell)
            except (TypeError, ValueError):
                value = float("nan")
            if not entry.low <= value <= entry.high:
                problem = f"of member {len(members)} must be a number from {entry.low:g} to {entry.high:g}"
                raise ScenarioError([Fault(SHIPPED, str(column), show(cell), problem)])
            member.setdefault(group, {})[name] = value
        members.append(member)
    return members


def beside_ledger(text: str | None = None) -> dict[int, Member]:
    """Return the members of the set beside the ledger's own vector, by their numbers; arguments and errors as in `load_plausible`."""
    members = enumerate(load_plausible(text))
    return {number: values for number, values in members if not _is_ledger(values)}


def _is_ledger(values: Member) -> bool:
    return all(math.isclose(value, LEDGER[group][name].value) for group, table in values.items() for name, value in table.items())
