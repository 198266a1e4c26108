"""The design of an experiment: which kind, with which settings, and how many points it has."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, Field

from sim.exploring.factors import Factor
from sim.faults import MISSING, Fault, Key, show
from sim.scenario_file import Source
from sim.scenario_tables import Table, checked, known

GRID, FACTORIAL, HYPERCUBE, SOBOL = "grid", "factorial", "latin_hypercube", "sobol"
MORRIS, SALTELLI, ONE_AT_A_TIME, TABLE, PLAUSIBLE = "morris", "saltelli", "one_at_a_time", "table", "plausible"

SETTINGS: Mapping[str, tuple[str, ...]] = {
    GRID: ("levels",),
    FACTORIAL: (),
    HYPERCUBE: ("points", "seed"),
    SOBOL: ("points", "seed"),
    MORRIS: ("trajectories", "levels", "seed"),
    SALTELLI: ("points", "seed"),
    ONE_AT_A_TIME: ("levels",),
    TABLE: ("file",),
    PLAUSIBLE: (),
}
"""The kinds of design with the settings that go with each."""

GIVEN = (TABLE, PLAUSIBLE)
"""Designs whose points are given, and their factors with them."""

NEEDS_EXTRA = (MORRIS, SALTELLI)
"""Designs that SALib lays out."""

MOST_POINTS = 20_000
"""More than that many points, times the scenarios at each, are taken for a slip."""

_TRAJECTORIES, _MORRIS_LEVELS, _ENDS = 10, 4, 2


class DesignTable(Table):
    """A design as it stands in a file."""

    kind: Annotated[str, AfterValidator(known(SETTINGS)), Field(json_schema_extra={"enum": list(SETTINGS)})] = Field(
        description="where the factors are set"
    )
    points: int | None = Field(
        default=None, ge=2, le=MOST_POINTS, description="points of latin_hypercube and sobol; base points of saltelli"
    )
    trajectories: int | None = Field(default=None, ge=2, le=MOST_POINTS, description=f"ways through the box of morris; {_TRAJECTORIES}")
    levels: int | None = Field(default=None, ge=2, le=1_000, description="values of each factor in grid, one_at_a_time and morris")
    file: str | None = Field(default=None, min_length=1, description="CSV or Parquet file of a table, relative to this file")
    seed: int | None = Field(default=None, ge=1, le=2**31, description="seed of where the points lie; 1 if not given")


@dataclass(frozen=True)
class Design:
    """A checked design; settings that do not go with its kind have no meaning."""

    kind: str
    points: int = 0
    trajectories: int = _TRAJECTORIES
    levels: int = _MORRIS_LEVELS
    seed: int = 1
    file: str = ""

    def levels_of(self, factor: Factor) -> int:
        """Return how many values a factor takes in a grid or one at a time."""
        return factor.levels or self.levels

    def count(self, factors: Sequence[Factor]) -> int:
        """Return the number of points, the scenario's own values not among them; that of a table stands in its file."""
        k = len(factors)
        counts: dict[str, int] = {
            GRID: math.prod(self.levels_of(factor) for factor in factors),
            FACTORIAL: 2 ** min(k, 64),
            MORRIS: self.trajectories * (k + 1),
            SALTELLI: self.points * (k + 2),
            ONE_AT_A_TIME: sum(self.levels_of(factor) for factor in factors),
        }
        return counts.get(self.kind, self.points)

    @property
    def settings(self) -> dict[str, object]:
        """Return the kind and the settings that go with it."""
        return {"kind": self.kind, **{name: getattr(self, name) for name in SETTINGS[self.kind]}}


def read_design(source: Source, at: Key, factors: Sequence[Factor], faults: list[Fault]) -> Design | None:
    """Check the design that stands at a key of a source, for some factors; note every fault and return None if there is one."""
    found = checked(DesignTable, source, at, faults, source.table(at, faults))
    if found is None:
        return None
    before = len(faults)
    goes = SETTINGS[found.kind]

    def fault(name: str, problem: str) -> None:
        value = getattr(found, name)
        faults.append(source.fault((*at, name), MISSING if value is None else value, problem))

    for name in ("points", "trajectories", "levels", "file", "seed"):
        if getattr(found, name) is not None and name not in goes:
            fault(name, f"does not go with {found.kind}, which takes {', '.join(goes) or 'no setting'}")
    if "points" in goes and found.points is None:
        fault("points", "is missing; it must be how many points the design has")
    elif found.kind in (SOBOL, SALTELLI) and found.points and found.points.bit_count() != 1:
        power = 2 ** found.points.bit_length()
        fault("points", f"must be a power of 2, such as {power // 2} or {power}, or the sequence loses its balance")
    if found.kind == MORRIS and found.levels is not None and found.levels % 2:
        fault("levels", "must be even, or the levels are not met equally often")
    if found.kind == TABLE and found.file is None:
        fault("file", "is missing; it must be the path of a CSV or Parquet file with a column a factor and a row a point")
    if found.kind == GRID and found.levels is None and any(factor.levels is None for factor in factors):
        fault("levels", "is missing; a grid needs it here or in each factor")
    if found.kind not in (GRID, ONE_AT_A_TIME):
        odd = [factor.key for factor in factors if factor.levels is not None]
        if odd:
            problem = f"goes with {GRID} and {ONE_AT_A_TIME}, not with {found.kind}"
            faults.append(Fault(source.where, f"factors: {odd[0]}: levels", show(next(f.levels for f in factors if f.levels)), problem))
    if len(faults) > before:
        return None
    levels = found.levels or (_ENDS if found.kind == ONE_AT_A_TIME else _MORRIS_LEVELS)
    design = Design(
        found.kind,
        found.points or 0,
        found.trajectories or _TRAJECTORIES,
        levels,
        1 if found.seed is None else found.seed,
        found.file or "",
    )
    if found.kind in (GRID, ONE_AT_A_TIME):
        for factor in factors:
            if factor.whole and design.levels_of(factor) > factor.high - factor.low + 1:
                problem = f"must be at most {factor.high - factor.low + 1:g}, the whole numbers of {factor.key}"
                faults.append(source.fault((*at, "levels"), design.levels, problem))
    if found.kind == MORRIS:
        for factor in factors:
            values = [factor.value(level / (levels - 1)) for level in range(levels)]
            if any(first == second for first, second in zip(values, values[levels // 2 :], strict=False)):
                faults.append(
                    source.fault((*at, "levels"), levels, f"has a step over which {factor.key} stays where it is: widen its range")
                )
    return design if len(faults) == before else None


def too_many(design: Design, factors: Sequence[Factor], scenarios: int) -> str:
    """Say that a design has more points than are allowed, with some scenarios at each; nothing if it has not."""
    points = design.count(factors)
    if points * scenarios <= MOST_POINTS:
        return ""
    each = f" with {scenarios} scenarios each" if scenarios > 1 else ""
    return f"asks for {points:,} points{each}; at most {MOST_POINTS // scenarios:,} are allowed"
