"""What a report is made of: a results directory, and others that answer what it leaves open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePath

import pandas as pd

from sim.analysis import Row, rows
from sim.comparison import Comparison, Robust, Runs
from sim.conduct import open_results
from sim.given import DIR
from sim.plan import Plan
from sim.scenario import Scenario
from sim.store import Results, StoreError

_LEAD = "expected_harm_yuan"


@dataclass(frozen=True)
class Material:
    """Finished runs, and what was read beside them: runs over parameters, and sweeps of one key or two."""

    done: Runs
    robust: Robust | None = None
    sweeps: tuple[Comparison, ...] = ()

    @property
    def plan(self) -> Plan:
        """What was asked for."""
        return self.done.plan

    @property
    def comparison(self) -> Comparison | None:
        """The comparison, if these are runs that are compared."""
        return self.done if isinstance(self.done, Comparison) and self.done.comparable else None

    @property
    def first(self) -> Scenario:
        """The baseline, or the scenario that was run."""
        return self.plan.scenarios[self.plan.baseline or next(iter(self.plan.scenarios))]

    @property
    def users(self) -> int:
        """Users of a run."""
        return self.first.population.users

    @property
    def days(self) -> int:
        """Days that means are taken of, in each run."""
        first, last = self.first.run.window
        return last - first

    def beside(self, ending: str, otherwise: str) -> str:
        """Return where a command shall put other results: next to these, or in results/ as `otherwise` where these have no name."""
        own = self.plan.given.out
        return f"{own}{ending}" if Path(own).name not in {"", ".."} else f"results/{otherwise}{ending}"

    @cached_property
    def cells(self) -> dict[tuple[str, str], Row]:
        """The rows of the comparison table by outcome and scenario."""
        return {} if self.comparison is None else rows(self.comparison.table)

    @cached_property
    def policies(self) -> list[str]:
        """The scenarios compared with the baseline that have a finished pair, in the order asked for."""
        present = {scenario for _, scenario in self.cells}
        return [name for name in self.plan.scenarios if name in present]

    @property
    def headline(self) -> tuple[str, ...]:
        """The outcomes that policies are ranked by."""
        return self.plan.headline or self.plan.outcomes

    @property
    def lead(self) -> str:
        """The outcome that says which policy is best: expected harm where it is among the headline outcomes, else the first of them."""
        return _LEAD if _LEAD in self.headline else self.headline[0]

    @cached_property
    def best(self) -> pd.DataFrame:
        """Which scenario is best by each headline outcome; empty without a comparison."""
        return pd.DataFrame(columns=["outcome"]) if self.comparison is None else self.comparison.best

    def title(self, scenario: str) -> str:
        """Return what sentences call a scenario: its title, or its name in words where it has none or shares it, as heirs of a file may."""
        return self.titles.get(scenario, scenario.replace("_", " "))

    @cached_property
    def titles(self) -> dict[str, str]:
        """What sentences call the scenarios that have a title of their own."""
        titles = self.plan.titles
        counts = Counter(titles.values())
        first = titles[self.first.name]
        return {name: title for name, title in titles.items() if counts[title] == 1 or (title == first and name == self.first.name)}


def read(directory: Path, beside: Sequence[Path] = ()) -> Material:
    """Read a results directory, and `beside` it others with the same baseline: over parameters, or sweeps.

    Raises `StoreError` when one is damaged, unfinished, or has another baseline or other policies.
    """
    return gathered(open_results(directory), beside)


def gathered(done: Runs, beside: Sequence[Path] = ()) -> Material:
    """Return finished runs with what is read beside them; errors as in `read`."""
    robust = done if isinstance(done, Robust) else None
    sweeps = []
    for path in beside:
        other = open_results(path)
        if problem := _unlike(done, other):
            raise StoreError(f"{path} {problem}")
        if isinstance(other, Robust):
            if robust is not None:
                raise StoreError(f"{path} holds a comparison over parameters, of which there is one already")
            robust = other
        elif isinstance(other, Comparison):
            sweeps.append(other)
    return Material(done, robust, tuple(sweeps))


def _unlike(done: Runs, other: Runs) -> str:
    """Say why another results directory does not belong to this one; nothing if it does."""
    swept = isinstance(other, Comparison) and bool(other.plan.axes) and other.comparable
    if not (isinstance(other, Robust) or swept):
        return "holds neither a comparison over parameters (`abm compare ... --over-uncertainty N`) nor a sweep (`abm sweep`)"
    own, asked = done.plan, other.plan
    names = [asked.baseline or ""]
    if isinstance(other, Robust):
        names += [name for name in own.scenarios if name != own.baseline]
    for name in names:
        here = own.scenarios.get(name) if name != asked.baseline else own.scenarios[own.baseline or next(iter(own.scenarios))]
        there = asked.scenarios.get(name)
        if there is None:
            return f"was made without {name}, which this report compares"
        if here is None or here.identity() != there.identity():
            return f"was made with another {name} than this report: their values differ (abm diff tells in what)"
    return ""


def place_of(done: Runs) -> str:
    """Return what commands call the results directory of finished runs: as it was named for them, or its last name if that is not known."""
    named = done.plan.place
    if done.directory is None or (done.plan.given.files and PurePath(named).name == done.directory.resolve().name):
        return named
    return f"{DIR}/{done.directory.resolve().name}"


def manifest_of(done: Runs) -> dict[str, object]:
    """Return what the manifest says of versions, machine and commit; nothing for runs in memory."""
    return Results(done.directory).manifest if done.directory is not None else {}
