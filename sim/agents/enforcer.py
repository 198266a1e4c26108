"""The enforcer: one Mesa agent that knows the levers in force, orders the review queue and keeps the ledger of costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import mesa
import numpy as np
from numpy.typing import NDArray

from sim.levers import LEVERS, Levers
from sim.luck import ONCE, Luck, join
from sim.parameters import Parameters
from sim.world.world import World

if TYPE_CHECKING:
    from mesa import Model

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Session:
    """Cases that reviewers take up in a day, first in first out.

    `accounts` are rows of reported accounts; `mistaken`, `innocents`, `owners` count cases by day of arrival from day `first`;
    `mean_wait` in days.
    """

    accounts: Ints
    first: int
    mistaken: Ints
    innocents: Ints
    owners: Ints
    handled: int
    mean_wait: float


class Enforcer(mesa.Agent):  # type: ignore[misc]  # Mesa is not typed
    """The platform's enforcement: levers in force and what they have cost so far, in yuan by lever."""

    def __init__(self, model: Model, parameters: Parameters) -> None:
        super().__init__(model)
        self.levers: Levers | None = None
        self.spent = dict.fromkeys(LEVERS, 0.0)
        self._fixed: tuple[Levers, float, dict[str, float]] | None = None
        """The levers last booked, for how many million users, and what they cost a day by their strength alone."""
        self._unit = {name: (getattr(parameters.cost, f"{name}_fixed"), getattr(parameters.cost, f"{name}_event")) for name in LEVERS}

    def book(self, levers: Levers, events: dict[str, float], millions: float, shares: NDArray[np.float64]) -> dict[str, float]:
        """Return the cost of each lever today: fixed x strength x million users + unit cost x events; adds it to `spent`.

        `events` counts by lever the events named in the lever table; review capacity is paid by the case, whoever uses it.
        """
        if self._fixed is None or self._fixed[0] is not levers or self._fixed[1] != millions:
            fixed = {name: unit * _level(levers, name, shares) * millions for name, (unit, _) in self._unit.items()}
            self._fixed = levers, millions, fixed
        costs = {name: fixed + self._unit[name][1] * events.get(name, 0.0) for name, fixed in self._fixed[2].items()}
        for name, cost in costs.items():
            self.spent[name] += cost
        return costs


def _level(levers: Levers, name: str, shares: NDArray[np.float64]) -> float:
    """Return the strength of a lever, over all users where it differs by segment."""
    strength = getattr(levers, name)
    return float(np.dot(strength, shares)) if isinstance(strength, np.ndarray) else strength


def take_up(world: World, luck: Luck, capacity: int, day: int) -> Session:
    """Choose the cases reviewed today: oldest day first; of the day that does not fit whole, each case with the same chance."""
    accounts, docket = world.accounts, world.docket
    first = docket.first_day(day)
    span = day - first + 1
    reported = (accounts.case_day[: accounts.size] >= first).nonzero()[0]
    age = accounts.case_day[reported] - first
    kinds = np.zeros((4, span), dtype=np.int64)
    kinds[0] = np.bincount(age, minlength=span)
    kinds[1] = docket.mistaken[first : day + 1]
    kinds[2] = docket.innocents[first : day + 1]
    for filed, users in docket.owners.items():
        if filed >= first:
            kinds[3, filed - first] = users.size
    totals = kinds.sum(axis=0)
    reached = np.cumsum(totals)
    whole = int(np.searchsorted(reached, capacity, side="right"))
    taken = kinds.copy()
    taken[:, whole:] = 0
    if whole < span:
        taken[:, whole] = _split(kinds[:, whole], capacity - (int(reached[whole - 1]) if whole else 0), luck.uniform("kinds of cases", day))
    handled = int(taken.sum())
    waits = np.arange(span)[::-1]
    order = luck.uniforms("docket", ONCE, join(accounts.key[reported], accounts.case_day[reported]))
    rank = np.lexsort((order, age))
    return Session(
        accounts=reported[rank[: int(taken[0].sum())]],
        first=first,
        mistaken=taken[1],
        innocents=taken[2],
        owners=taken[3],
        handled=handled,
        mean_wait=float((taken.sum(axis=0) * waits).sum() / handled) if handled else float((totals * waits).sum() / max(1, totals.sum())),
    )


def _split(waiting: Ints, room: int, lot: float) -> Ints:
    """Split fewer places than cases over kinds: of each kind its share is taken on average, rounded down or up by one lot."""
    upto = np.floor(waiting.cumsum() * room / waiting.sum() + lot).astype(np.int64)
    upto[1:] -= upto[:-1].copy()
    return np.asarray(upto)
