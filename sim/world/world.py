"""The world: all state of a run."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sim.levers import SEGMENTS
from sim.luck import Luck
from sim.parameters import Parameters, resolve
from sim.scenario import Scenario
from sim.world.accounts import Accounts
from sim.world.dealers import Dealers
from sim.world.docket import Docket
from sim.world.market import Market
from sim.world.recruiters import Recruiters
from sim.world.traits import Traits
from sim.world.users import Population, Users


@dataclass
class Calendar:
    """What is to happen on a later day: lists of arrays by day."""

    entries: dict[int, list[tuple[NDArray[np.int64], ...]]] = field(default_factory=dict)

    def put(self, day: int, *arrays: NDArray[np.int64]) -> None:
        """Note arrays of equal length for a day."""
        self.entries.setdefault(day, []).append(arrays)

    def put_each(self, days: NDArray[np.int64], *arrays: NDArray[np.int64]) -> None:
        """Note each element for its own day."""
        for day in np.unique(days).tolist():
            chosen = days == day
            self.put(day, *(array[chosen] for array in arrays))

    def take(self, day: int, width: int) -> tuple[NDArray[np.int64], ...]:
        """Return and forget what was noted for a day: `width` arrays, empty if nothing was."""
        entries = self.entries.pop(day, [])
        if not entries:
            return tuple(np.zeros(0, dtype=np.int64) for _ in range(width))
        return tuple(np.concatenate([entry[k] for entry in entries]) for k in range(width))


class World:
    """All state of a run but its levers."""

    def __init__(self, scenario: Scenario, luck: Luck) -> None:
        self.parameters: Parameters = resolve(scenario.parameters)
        self.learning = scenario.dealers.learning
        """The rule by which dealers learn where to put their effort."""
        p = self.parameters
        self.population = Population(scenario.population.users, [scenario.population.segments[s].share for s in SEGMENTS], p, luck)
        self.users = Users(self.population, p)
        millions = self.population.millions
        self.dealers = Dealers(64)
        self.recruiters = Recruiters(millions, p, luck)
        self.market = Market(p, self.dealers, self.recruiters, millions)
        self.accounts = Accounts(1024)
        self.docket = Docket(scenario.run.days, int(p.detection.case_life_days))
        self.traits = Traits(p)
        self.informed = np.zeros(len(SEGMENTS))
        """Informed share by segment."""
        self.returning = Calendar()
        """Owners whose sanction may end on a day: it does if it has not ended before."""
        self.self_unsealing: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        """Owners banned yesterday who may try to unseal."""
        self.legal_cases = Calendar()
        """Owners' segments whose case ends on a day."""
        self.helper_cases = Calendar()
        """Helpers whose case ends on a day."""
        self.new_dealers: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        """Renters who become dealers today."""
