"""Worlds made by hand, in which one process can be watched alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim.levers import LEVERS, Levers
from sim.luck import Luck, join, words
from sim.model import AccountMarket
from sim.processes.acquiring import acquire
from sim.scenario import Scenario, scenario_from
from sim.world.accounts import RENTED, Claims
from sim.world.entry import dealer_keys, found
from sim.world.world import World

NO_DEALERS = {"start": {"dealers_per_million": 0.0}, "dealer": {"entry_per_12_million_day": 0.0}}
NOBODY_LEAVES = {"exit_per_day": 0.0, "retire_per_day": 0.0, "bankrupt_yuan": 1e15, "entry_per_12_million_day": 0.0}


def scenario(
    users: int = 2_000_000, days: int = 60, levers: dict[str, float] | None = None, parameters: dict[str, Any] | None = None
) -> Scenario:
    """Build a scenario; `parameters` may leave the ledger's ranges."""
    made = scenario_from(
        {
            "name": "known",
            "run": {"days": days, "burn_in_days": 1, "settle_days": 1},
            "population": {"users": users},
            "levers": levers or {},
        },
        "known",
        Path(),
    )
    return made.model_copy(update={"parameters": parameters or {}})


def ran(seed: int = 1, **settings: Any) -> dict[str, Any]:
    """Run a scenario to its end; returns its series."""
    model = AccountMarket(scenario(**settings), seed)
    model.run()
    return model.daily


def levers(**strengths: float) -> Levers:
    """Return the standing levers with some changed."""
    return Levers.of({**{name: lever.standing for name, lever in LEVERS.items()}, **strengths})


def world(
    dealers: int = 1, evasion: float = 0.0, users: int = 2_000_000, parameters: dict[str, Any] | None = None, seed: int = 7
) -> tuple[World, Luck]:
    """Return a world with some dealers who hold nothing, and its luck."""
    luck = Luck(seed)
    made = World(scenario(users=users, parameters=parameters), luck)
    rows = made.dealers.open_rows(dealers)
    found(made, luck, rows, dealer_keys(luck, -1, np.arange(dealers)), -1)
    made.dealers.evasion[rows] = evasion
    return made, luck


def hold(made: World, luck: Luck, channel: int, count: int, dealer: int = 0, day: int = 0) -> np.ndarray:
    """Put accounts of a channel into a dealer's hands, each with an owner of its own; returns their rows."""
    first = made.accounts.size
    key = join(words(np.arange(count)), channel, dealer, day, first)
    owner = (first + np.arange(count)) * 53 % made.population.users if channel >= RENTED else None
    claims = Claims.of(key, channel, np.full(count, dealer), owner)
    acquire(made, luck, day, claims, acquired=np.full(count, day))
    return np.arange(first, made.accounts.size)


@pytest.fixture(scope="session")
def tools() -> Any:
    """The functions of this file, for the tests beside it."""

    class Tools:
        no_dealers, nobody_leaves = NO_DEALERS, NOBODY_LEAVES

    for function in (scenario, ran, levers, world, hold):
        setattr(Tools, function.__name__, staticmethod(function))
    return Tools
