"""Burn-in made once for all runs that are alike until policies start: which those are, and what is called when."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim.outcomes import window_means
from sim.scenario import Scenario

if TYPE_CHECKING:
    from sim.model import AccountMarket

Days = Mapping[str, NDArray[np.float64]]
Made = tuple[Days, Mapping[str, float], float]
Simulate = Callable[[Scenario, int], Made]
Ids = tuple[str, ...]
Call = tuple[Ids, tuple[Any, ...]]

MOST_BYTES = 64_000_000
"""A larger state is not shared: one a process waits in memory, which should not need more than the process itself (150 MB when idle)."""

BYTES_A_USER = 0.6
"""What a state takes, measured on 12 million users after 180 days: 0.16 for communities, the rest for users to whom something happened.

A burn-in that would be too large by this is not begun; one that turns out to be is not shared."""


@dataclass(frozen=True)
class BurnIn:
    """A `state` of the market on the day from which policies may act, and the `seconds` it took, or a run's part of them.

    The state is as it was saved, or the path of a file that holds it.
    """

    state: bytes | str
    seconds: float

    @property
    def saved(self) -> bytes:
        """Return the state."""
        return self.state if isinstance(self.state, bytes) else Path(self.state).read_bytes()

    def discard(self) -> None:
        """Take away the file that holds the state."""
        if isinstance(self.state, str):
            Path(self.state).unlink(missing_ok=True)


class TooLargeError(RuntimeError):
    """The state of a burn-in is too large to be handed on."""


class Simulation:
    """The market as what makes runs: whole, or as a branch of a burn-in that others share; both give the same bits.

    A run is its outcomes by day, shape `(days,)` each, their means over the window, and the seconds it took. A branch counts its own
    and an equal part of those that the burn-in took, so that the seconds of all runs sum to the time spent.
    """

    def __call__(self, scenario: Scenario, seed: int) -> Made:
        """Make a whole run of one scenario under one seed."""
        from sim.model import AccountMarket

        start = time.perf_counter()
        return _made(AccountMarket(scenario, seed), start)

    def burn_in(self, scenario: Scenario, seed: int) -> BurnIn:
        """Make the days before those on which policies may start, of all scenarios that are like this one until then."""
        from sim.model import AccountMarket

        start = time.perf_counter()
        model = AccountMarket(until_policies(scenario), seed)
        while model.day < scenario.run.burn_in_days:
            model.step()
        saved = model.saved()
        model.close()
        if len(saved) > MOST_BYTES:  # users alone do not say how dense a market is
            raise TooLargeError(f"the state takes {len(saved) / 1e6:.0f} MB, and at most {MOST_BYTES / 1e6:.0f} are shared")
        return BurnIn(saved, time.perf_counter() - start)

    def branch(self, scenario: Scenario, seed: int, burn_in: BurnIn) -> Made:
        """Make the days that are left of a run, or the whole of it where the file that holds the state is not to be seen."""
        from sim.model import AccountMarket

        start = time.perf_counter()
        try:
            saved = burn_in.saved
        except FileNotFoundError:  # of a cluster's machines some share the disk of the others and some don't
            days, means, seconds = self(scenario, seed)
            return days, means, seconds + burn_in.seconds
        return _made(AccountMarket(scenario, saved=saved), start - burn_in.seconds)


def _made(model: AccountMarket, start: float) -> Made:
    model.run()
    daily = model.daily
    return daily, window_means(daily, *model.scenario.run.window), time.perf_counter() - start


def until_policies(scenario: Scenario) -> Scenario:
    """Return the scenario without what cannot act before `run.burn_in_days`: those with equal identities are alike until then.

    Left out are the policies that start no earlier, whether plans are frozen then, and which days are averaged over. All else stays.
    """
    first = scenario.run.burn_in_days
    left_out = {
        "policies": {name: policy for name, policy in scenario.policies.items() if policy.first_day < first},
        "dealers": scenario.dealers.model_copy(update={"adaptive": True}),
        "run": scenario.run.model_copy(update={"settle_days": 0}),
    }
    return scenario.model_copy(update=left_out)


def alike(runs: Mapping[str, tuple[Scenario, int]]) -> list[Ids]:
    """Group runs, given as scenario and seed by run id, by what they can share a burn-in with; in order of their first."""
    scenarios = {id(scenario): scenario for scenario, _ in runs.values()}
    sharing = {number: one for number, one in scenarios.items() if _has_any(one) and not _too_large(one)}
    keys = {number: until_policies(one).identity() for number, one in sharing.items()}
    groups: dict[tuple[str, int] | str, list[str]] = {}
    for run_id, (scenario, seed) in runs.items():
        key = keys.get(id(scenario))
        groups.setdefault(run_id if key is None else (key, seed), []).append(run_id)
    return [tuple(group) for group in groups.values()]


def not_shared(scenarios: Iterable[Scenario]) -> str:
    """Say in words why scenarios that are alike until policies start do not share their burn-in; nothing when they do, or none are."""
    large = [scenario for scenario in scenarios if _has_any(scenario) and _too_large(scenario)]
    if len({until_policies(scenario).identity() for scenario in large}) == len(large):
        return ""
    users = max(scenario.population.users for scenario in large)
    size = f"the state of {users:,} users takes about {users * BYTES_A_USER / 1e6:.0f} MB"
    return f"each run makes its own burn-in: {size}, and at most {MOST_BYTES / 1e6:.0f} are shared"


def _has_any(scenario: Scenario) -> bool:
    return scenario.run.burn_in_days > 0


def _too_large(scenario: Scenario) -> bool:
    return scenario.population.users * BYTES_A_USER > MOST_BYTES


class Schedule:
    """The calls that make some runs, given as scenario and seed by run id; `calls` are those that can be made now.

    A call is the ids of the runs that wait for it, and a function with its arguments. A burn-in that several runs share is one call, and
    theirs come when it is over. So that few states wait in memory, at most `most` burn-ins are open: begun, with runs that are not over.
    Each has a call that is under way or could be, so with one a process none is idle. `how` shares nothing unless it is a `Simulation`.
    """

    def __init__(self, runs: Mapping[str, tuple[Scenario, int]], how: Simulate, most: int, share: bool = True) -> None:
        self.calls: deque[Call] = deque()
        self._runs, self._how, self._most = runs, how, most
        self._groups: deque[Ids] = deque(alike(runs) if share and isinstance(how, Simulation) else ((run_id,) for run_id in runs))
        self._open: list[set[str]] = []
        self._states: dict[str, BurnIn] = {}
        self._begin()

    def over(self, ids: Ids, result: object) -> None:
        """Note that a call is over, and put into `calls` those that waited for it."""
        if len(ids) == 1:
            state = self._states.pop(ids[0], None)
            if state is not None and state not in self._states.values():
                state.discard()
            for group in self._open:
                group.discard(ids[0])
            self._open = [group for group in self._open if group]
            self._begin()
        elif isinstance(result, BurnIn) and isinstance(self._how, Simulation):
            part = replace(result, seconds=result.seconds / len(ids))
            self._states.update(dict.fromkeys(ids, part))
            self.calls.extend(((run_id,), (self._how.branch, *self._runs[run_id], part)) for run_id in ids)
        else:  # the burn-in failed: whole runs, so that each has its own chance and its own traceback
            self.calls.extend(map(self._whole, ids))

    def _begin(self) -> None:
        """Put the next groups into `calls`, as many as may be open; a burn-in goes first, as others wait for it."""
        while self._groups and (len(self._groups[0]) == 1 or len(self._open) < self._most):
            ids = self._groups.popleft()
            if len(ids) > 1 and isinstance(self._how, Simulation):
                self._open.append(set(ids))
                self.calls.appendleft((ids, (self._how.burn_in, *self._runs[ids[0]])))
            else:
                self.calls.append(self._whole(ids[0]))

    def _whole(self, run_id: str) -> Call:
        return (run_id,), (self._how, *self._runs[run_id])
