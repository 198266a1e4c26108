"""Trace where two runs with the same seed part: which draws each makes that the other does not, by process and day."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np

from sim.luck import Keys, Luck, Reals
from sim.model import AccountMarket
from sim.scenario import Scenario

_NOBODY: Keys = np.zeros(0, dtype=np.uint64)
_WORTH_TELLING = 100
"""Draws of a process below which what is shared is left to the table."""
TRAIT = "trait "
"""Begins the names of look-ups of traits, which decide nothing."""


class Noted(Luck):
    """Luck that notes for whom each process draws; the draws are those of `Luck`."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.drawn: dict[str, list[Keys]] = {}
        """Keys by process since the last `taken`, processes in the order of their first draw."""
        self.means: dict[str, float] = {}
        """Means of the counts of the whole population since the last `taken`, summed by process."""

    def uniforms(self, process: str, day: int, keys: Keys) -> Reals:
        """Draw as `Luck` does, and note the keys."""
        self.drawn.setdefault(process, []).append(keys.reshape(-1).copy())
        return super().uniforms(process, day, keys)

    def daily(self, process: str, day: int, keys: Keys) -> Reals:
        """Draw as `Luck` does, and note the keys."""
        return self.uniforms(process, day, keys)

    def each(self, processes: tuple[str, ...], day: int, keys: Keys) -> Reals:
        """Draw as `Luck` does, and note the keys for each process."""
        return np.array([self.uniforms(process, day, keys) for process in processes]).reshape(len(processes), keys.size)

    def count(self, process: str, day: int, mean: float) -> int:
        """Draw as `Luck` does, and note the mean: where a policy moves it, the count may differ, but it is drawn for nobody."""
        self.means[process] = self.means.get(process, 0.0) + mean
        return super().count(process, day, mean)

    def taken(self) -> tuple[dict[str, Keys], dict[str, float]]:
        """Return and forget for whom was drawn, and the means of counts."""
        drawn = {name: np.concatenate(keys) for name, keys in self.drawn.items() if not name.startswith(TRAIT)}
        means = self.means
        self.drawn, self.means = {}, {}
        return drawn, means


@dataclass
class Parting:
    """How far the draws of one process part: the first day (-1: never), and draws of both runs or of one alone since any parted."""

    process: str
    first_day: int = -1
    both: int = 0
    only_first: int = 0
    only_second: int = 0

    @property
    def draws(self) -> int:
        """Return how many different draws there are in all."""
        return self.both + self.only_first + self.only_second

    @property
    def shared(self) -> float:
        """Return the draws of both as a share of all; 1 where there are none."""
        return self.both / self.draws if self.draws else 1.0


@dataclass
class Trace:
    """What was found: processes that draw for somebody, in the order of a day, and those that part on the first day on which any does."""

    days: int
    partings: dict[str, Parting] = field(default_factory=dict)
    first_day: int = -1
    order: tuple[str, ...] = ()
    """The processes of `first_day` in order."""
    alone: tuple[int, int] = (0, 0)
    """Draws of the first process to part that day, of the first run alone and of the second."""
    policy_day: int = -1
    """The first day of a policy that only one of the runs has; -1 where there is none."""
    counts: dict[str, int] = field(default_factory=dict)
    """Counts of the whole population whose means differ, by the first day on which they do: they part nobody."""

    @property
    def event(self) -> Parting | None:
        """Return the first process of the first day that draws for others in one run than in the other; None if none ever does."""
        return next((self.partings[name] for name in self.order if self.partings[name].first_day == self.first_day), None)

    @property
    def before(self) -> str:
        """Return the last process before it that day, whose draws are still those of both."""
        event = self.event
        at = self.order.index(event.process) if event else 0
        return self.order[at - 1] if at > 0 else ""

    @property
    def sentences(self) -> list[str]:
        """Say in plain words where the runs part."""
        event = self.event
        if event is None:
            early = f": the first policy that only one of them has starts on day {self.policy_day}" if self.policy_day >= self.days else ""
            return [f"The runs make the same draws on all {self.days} days{early}.", *self._said_of_counts]
        said = [f"Before day {self.first_day} both runs make the same draws."] if self.first_day else []
        first, second = self.alone
        said.append(
            f"On day {self.first_day} the first to part is '{event.process}': {first} draws of the first run alone, {second} of the second."
        )
        said += self._said_of_counts
        if self.before:
            said.append(f"Up to '{self.before}' the draws of that day are the same: what sets the runs apart was decided there or before.")
        told = [parting for parting in self.partings.values() if parting.first_day >= 0 and parting.draws >= _WORTH_TELLING]
        apart = sorted(told, key=lambda parting: parting.shared)
        if apart:
            said.append("Least shared: " + ", ".join(f"'{parting.process}' {100 * parting.shared:.0f} %" for parting in apart[:5]) + ".")
        return said

    @property
    def _said_of_counts(self) -> list[str]:
        """Name the counts that have another mean by the day on which the runs part, or ever if they don't."""
        known = {name: day for name, day in self.counts.items() if self.first_day < 0 or day <= self.first_day}
        names = ", ".join(f"'{name}' from day {day}" for name, day in known.items())
        return [f"Counts of the whole population, which part nobody, have other means: {names}."] if known else []


def _compared(first: Keys, second: Keys) -> tuple[int, int, int]:
    """Count the keys in both, in the first alone and in the second alone."""
    a, b = np.unique(first), np.unique(second)
    both = np.intersect1d(a, b, assume_unique=True).size
    return both, a.size - both, b.size - both


def merged(first: Iterable[str], second: Iterable[str]) -> tuple[str, ...]:
    """Return all names in order; those of the second alone stand after the one they follow there."""
    order, at = list(first), 0
    known = set(order)
    for name in second:
        if name in known:
            at = order.index(name) + 1
        else:
            order.insert(at, name)
            at += 1
    return tuple(order)


def _policy_day(first: Scenario, second: Scenario) -> int:
    """Return the first day of a policy that only one of two scenarios has; -1 where there is none."""
    pairs = ((first.policies, second.policies), (second.policies, first.policies))
    return min((policy.first_day for ours, theirs in pairs for policy in ours.values() if policy not in theirs.values()), default=-1)


def trace(first: Scenario, second: Scenario, seed: int, days: int | None = None, tell: Callable[[int, int], None] | None = None) -> Trace:
    """Run two scenarios day by day with the same seed and compare for whom each process draws.

    `days` from the start of the runs, all if not given; `tell` hears of days done and all. Draws are counted from the day on which the
    first process parts. A count of the whole population (`Luck.count`) is drawn for nobody: of it the mean is compared, apart from the
    others. Single uniforms are the same in both.
    """
    lucks = Noted(seed), Noted(seed)
    models = [AccountMarket(scenario, seed, luck=luck) for scenario, luck in zip((first, second), lucks, strict=True)]
    for luck in lucks:
        luck.taken()
    last = min(scenario.run.days for scenario in (first, second))
    found = Trace(last if days is None else min(days, last), policy_day=_policy_day(first, second))
    for day in range(found.days):
        for model in models:
            model.step()
        (ours, our_means), (theirs, their_means) = (luck.taken() for luck in lucks)
        for name in dict.fromkeys((*our_means, *their_means)):
            if our_means.get(name, 0.0) != their_means.get(name, 0.0):
                found.counts.setdefault(name, day)
        today: list[tuple[Parting, int, int, int]] = []
        for name in dict.fromkeys((*ours, *theirs)):
            parting = found.partings.setdefault(name, Parting(name))
            both, one, other = _compared(ours.get(name, _NOBODY), theirs.get(name, _NOBODY))
            if parting.first_day < 0 and (one or other):
                parting.first_day = day
            today.append((parting, both, one, other))
        if found.first_day < 0 and any(parting.first_day == day for parting, *_ in today):
            found.first_day = day
            found.order = merged(ours, theirs)
            if found.event is not None:
                name = found.event.process
                _, *alone = _compared(ours.get(name, _NOBODY), theirs.get(name, _NOBODY))
                found.alone = alone[0], alone[1]
        if found.first_day >= 0:
            for parting, both, one, other in today:
                parting.both += both
                parting.only_first += one
                parting.only_second += other
        if tell:
            tell(day + 1, found.days)
    for model in models:
        model.close()
    return found
