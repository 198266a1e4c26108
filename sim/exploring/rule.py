"""When a policy fails in a world: limits on what it changes, as they stand in the file of an experiment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field

from sim.faults import MISSING, Fault, show
from sim.outcomes import OUTCOMES
from sim.scenario_file import Source
from sim.scenario_tables import Table, checked, known

FAILS = "fails"
"""The table of the file that says when a policy fails."""

CONDITIONS = "conditions"
ANY = "any"

Reals = NDArray[np.float64]
Flags = NDArray[np.bool_]
Share = Annotated[float, Field(ge=-1, le=1e6, allow_inf_nan=False)]  # nothing falls by more than all of it


class ConditionTable(Table):
    """A condition as it stands in a file."""

    outcome: Annotated[str, AfterValidator(known(OUTCOMES)), Field(json_schema_extra={"enum": list(OUTCOMES), "listed_by": "abm outcomes"})]
    at_least: Share | None = Field(default=None, description="it holds from this change on, a share of the same world's baseline")
    at_most: Share | None = Field(default=None, description="it holds up to this change, a share of the same world's baseline")


class FailsTable(Table):
    """The rule as it stands in a file, but for its conditions."""

    when: Literal["any", "all"] = Field(default="any", description="any: one condition is enough; all: it takes every one")


@dataclass(frozen=True)
class Condition:
    """A limit on the change of an outcome, a share of the same world's baseline: reached from below, or from above."""

    outcome: str
    limit: float
    upwards: bool

    def holds(self, change: Reals) -> Flags:
        """Say where a change has reached the limit."""
        return np.asarray(change >= self.limit if self.upwards else change <= self.limit)

    @property
    def in_words(self) -> str:
        """Say the condition without a verb: 'expected harm down by at most 10 % or up'."""
        from sim.analysis.words import percent
        from sim.names import name_of

        size = percent(abs(self.limit), signed=False)
        if self.limit == 0.0:
            return f"{name_of(self.outcome)} not {'down' if self.upwards else 'up'}"
        there, back = ("up", "down") if self.limit > 0.0 else ("down", "up")
        if (self.limit > 0.0) == self.upwards:
            return f"{name_of(self.outcome)} {there} by at least {size} %"
        return f"{name_of(self.outcome)} {there} by at most {size} % or {back}"


@dataclass(frozen=True)
class Rule:
    """A policy fails where any of the conditions holds, or all of them."""

    conditions: tuple[Condition, ...]
    when: str = ANY

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Return the outcomes that the rule looks at, each once."""
        return tuple(dict.fromkeys(one.outcome for one in self.conditions))

    def fails(self, change: Callable[[Condition], Reals]) -> Flags:
        """Say where a policy fails, from the change that each condition is to look at, `(worlds,)`."""
        held = np.array([one.holds(change(one)) for one in self.conditions])
        return np.asarray(held.any(axis=0) if self.when == ANY else held.all(axis=0))

    @property
    def in_words(self) -> str:
        """Say when a policy fails."""
        return f" {'or' if self.when == ANY else 'and'} ".join(one.in_words for one in self.conditions)


def read_rule(source: Source, faults: list[Fault]) -> Rule | None:
    """Check the rule of a file; note every fault and return None if there is one, or no rule."""
    table = source.data.get(FAILS, MISSING)
    if table is MISSING:
        return None
    if not isinstance(table, dict):
        faults.append(source.fault((FAILS,), table, f"must be a table with a list [[{FAILS}.{CONDITIONS}]]"))
        return None
    head = checked(
        FailsTable, source, (FAILS,), faults, {name: value for name, value in table.items() if name != CONDITIONS}, extra=(CONDITIONS,)
    )
    rows = table.get(CONDITIONS, MISSING)
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        problem = f'must be a list of tables, such as [[{FAILS}.{CONDITIONS}]] with: outcome = "expected_harm_yuan", at_least = -0.1'
        faults.append(source.fault((FAILS, CONDITIONS), rows, problem if rows is not MISSING else f"is missing; it {problem}"))
        return None
    found = [_condition(Source(f"{source.where} [[{FAILS}.{CONDITIONS}]] {k}"), row, faults) for k, row in enumerate(rows, start=1)]
    conditions = tuple(one for one in found if one is not None)
    return Rule(conditions, head.when) if head is not None and len(conditions) == len(found) else None


def _condition(source: Source, row: dict[str, Any], faults: list[Fault]) -> Condition | None:
    found = checked(ConditionTable, source, (), faults, row)
    if found is None:
        return None
    if (found.at_least is None) == (found.at_most is None):
        both = found.at_least is not None
        problem = f"{'does not go with at_most' if both else 'is missing, or at_most'}; a condition has one limit, such as at_least = -0.1"
        faults.append(Fault(source.where, "at_least", show(found.at_least) if both else "", problem))
        return None
    upwards = found.at_least is not None
    limit = found.at_least if found.at_least is not None else found.at_most
    assert limit is not None
    return Condition(found.outcome, limit, upwards)
