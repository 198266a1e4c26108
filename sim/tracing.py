"""Trace where two runs with the same seed part: which draws each makes that the other does not, by process and day."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from sim.luck import Keys, Luck, Reals
from sim.model import AccountMarket
from sim.scenario import Scenario

TRAIT = "trait "
"""Begins the names of look-ups of traits, which decide nothing."""


class Noted(Luck):
    """Luck that notes for whom each process draws; the draws are those of `Luck`."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.drawn: dict[str, list[Keys]] = {}
        """Keys by process since the last `taken`, processes in the order of their first draw."""

    def uniforms(self, process: str, day: int, keys: Keys) -> Reals:
        """Draw as `Luck` does, and note the keys."""
        self.drawn.setdefault(process, []).append(keys.reshape(-1).copy())
        return super().uniforms(process, day, keys)

    def each(self, processes: Sequence[str], day: int, keys: Keys) -> Reals:
        """Draw as `Luck` does, and note the keys for each process."""
        return np.array([self.uniforms(process, day, keys) for process in processes]).reshape(len(processes), keys.size)

    def taken(self) -> dict[str, Keys]:
        """Return and forget what was drawn."""
        drawn = {name: np.concatenate(keys) for name, keys in self.drawn.items() if not name.startswith(TRAIT)}
        self.drawn = {}
        return drawn


@dataclass
class Parting:
    """How far the draws of one process part: the first day (-1: never), and draws of both runs or of one alone since policies began."""

    process: str
    first_day: int = -1
    both: int = 0
    only_first: int = 0
    only_second: int = 0

    @property
    def shared(self) -> float:
        """Return the draws of both as a share of all; 1 where there are none."""
        every = self.both + self.only_first + self.only_second
        return self.both / every if every else 1.0


@dataclass
class Trace:
    """What was found: processes in the order of a day, and those that part on the first day on which any does."""

    days: int
    partings: dict[str, Parting] = field(default_factory=dict)
    first_day: int = -1
    order: tuple[str, ...] = ()
    """The processes of `first_day` in order."""

    @property
    def event(self) -> Parting | None:
        """Return the first process of the first day that draws for others in one run than in the other; None if none ever does."""
        return next((self.partings[name] for name in self.order if self.partings[name].first_day == self.first_day), None)

    @property
    def before(self) -> str:
        """Return the last process before it that day: it or an earlier one made the same draws but decided otherwise."""
        event = self.event
        at = self.order.index(event.process) if event else 0
        return self.order[at - 1] if at > 0 else ""

    @property
    def sentences(self) -> list[str]:
        """Say in plain words where the runs part."""
        event = self.event
        if event is None:
            return [f"The runs make the same draws on all {self.days} days."]
        said = [f"Until day {self.first_day} both runs make the same draws."]
        said.append(
            f"On day {self.first_day} the first to part is '{event.process}'"
            + (f"; up to '{self.before}' all draws of that day are alike, so one of those was decided otherwise." if self.before else ".")
        )
        apart = sorted((parting for parting in self.partings.values() if parting.first_day >= 0), key=lambda parting: parting.shared)
        said.append("Least shared: " + ", ".join(f"'{parting.process}' {100 * parting.shared:.0f} %" for parting in apart[:5]) + ".")
        return said


def trace(first: Scenario, second: Scenario, seed: int, days: int | None = None, tell: Callable[[int, int], None] | None = None) -> Trace:
    """Run two scenarios day by day with the same seed and compare for whom each process draws.

    `days` from the start of the runs, all if not given; `tell` hears of days done and all. Draws are counted from the first's burn-in on.
    Single draws of the whole population (`Luck.count`, `Luck.uniform`) are the same in both by their nature and are not compared.
    """
    lucks = Noted(seed), Noted(seed)
    models = [AccountMarket(scenario, seed, luck=luck) for scenario, luck in zip((first, second), lucks, strict=True)]
    for luck in lucks:
        luck.taken()
    last = min(scenario.run.days for scenario in (first, second))
    found = Trace(last if days is None else min(days, last))
    for day in range(found.days):
        for model in models:
            model.step()
        ours, theirs = (luck.taken() for luck in lucks)
        for name in dict.fromkeys((*ours, *theirs)):
            parting = found.partings.setdefault(name, Parting(name))
            a, b = (np.unique(drawn.get(name, np.zeros(0, dtype=np.uint64))) for drawn in (ours, theirs))
            both = np.intersect1d(a, b, assume_unique=True).size
            if day >= first.run.burn_in_days:
                parting.both += both
                parting.only_first += a.size - both
                parting.only_second += b.size - both
            if parting.first_day < 0 and not both == a.size == b.size:
                parting.first_day = day
                if found.first_day < 0:
                    found.first_day = day
        if found.first_day == day:
            found.order = tuple(dict.fromkeys((*ours, *theirs)))
        if tell:
            tell(day + 1, found.days)
    for model in models:
        model.close()
    return found
