"""Small runs, and all that a run holds as numbers to compare."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim.model import AccountMarket
from sim.scenario import Scenario, scenario_from

USERS = 2_000_000
BUSY = {
    "login_check": 0.3,
    "owner_amnesty": 0.5,
    "scan_confirmation": 0.3,
    "helper_sanctions": 0.8,
    "sanction_severity": 0.6,
    "legal_certainty": 1.0,
    "stall_policing": 1.0,
    "task_platform_takedown": 1.0,
    "cluster_sweep": 0.7,
}
"""Levers under which every process has something to do."""

STIRRED = {
    "dealer": {"retire_per_day": 0.01, "entry_per_12_million_day": 6.0},
    "sanction": {"legal_dealer": 0.02, "case_days_low": 5.0, "case_days_high": 20.0, "appeal_owner": 0.5, "upheld_owner": 0.5},
    "renting": {"referral_per_day": 0.3, "dealer_after_referrals": 2.0, "dealer_share": 1.0},
    "start": {"stock_rented_per_million": 60.0},
}
"""Parameters under which dealers come, go and are arrested, and owners rent out again, within a short run."""


def scenario(
    policies: dict[str, Any] | None = None,
    *,
    days: int = 50,
    burn_in: int = 20,
    users: int = USERS,
    levers: dict[str, float] | None = None,
    parameters: dict[str, dict[str, float]] | None = None,
    adaptive: bool = True,
) -> Scenario:
    """Build a small scenario; `parameters` may leave the ledger's ranges."""
    made = scenario_from(
        {
            "name": "small",
            "run": {"days": days, "burn_in_days": burn_in, "settle_days": 5},
            "population": {"users": users},
            "levers": levers or {},
            "policies": policies or {},
            "dealers": {"adaptive": adaptive},
        },
        "small",
        Path(),
    )
    return made.model_copy(update={"parameters": parameters}) if parameters else made


def ran(*arguments: Any, seed: int = 1, **settings: Any) -> AccountMarket:
    """Run a small scenario to its end."""
    model = AccountMarket(scenario(*arguments, **settings), seed)
    model.run()
    return model


def state(model: AccountMarket) -> dict[str, Any]:
    """Return everything that a world holds, as arrays and numbers."""
    world = model.world
    held: dict[str, Any] = {}
    for name in ("accounts", "dealers", "recruiters"):
        table = getattr(world, name)
        for column in table._spec:
            held[f"{name}.{column}"] = getattr(table, column)[: table.size].copy()
    touched = world.users.touched
    for column in touched._spec:
        held[f"users.{column}"] = getattr(touched, column)[: touched.size].copy()
    held["users.ids"] = world.users.registry.ids[: world.users.registry.size].copy()
    for column in ("renters", "risk", "risk_day"):
        held[f"communities.{column}"] = getattr(world.users.communities, column).copy()
    for name, value in vars(world.market).items():
        if isinstance(value, float | np.ndarray):
            held[f"market.{name}"] = np.copy(value)
    held["market.balances"] = np.array(list(world.market.balances.values()))
    held["docket"] = np.concatenate([world.docket.mistaken, world.docket.innocents, *world.docket.owners.values()])
    held["informed"] = world.informed.copy()
    held["spent"] = np.array(list(model.enforcer.spent.values()))
    return held


def differing(a: dict[str, Any], b: dict[str, Any], days: slice = slice(None)) -> list[str]:
    """Return the names of series or columns that are not the same to the bit."""
    assert a.keys() == b.keys()
    whole = days == slice(None)
    return [name for name in a if not np.array_equal(a[name] if whole else a[name][days], b[name] if whole else b[name][days])]


@pytest.fixture(scope="session")
def baseline() -> AccountMarket:
    """The standing regime, 50 days."""
    return ran()


@pytest.fixture(scope="session")
def tools() -> Any:
    """The functions of this file, for the tests beside it."""

    class Tools:
        busy, stirred, users = BUSY, STIRRED, USERS

    for function in (scenario, ran, state, differing):
        setattr(Tools, function.__name__, staticmethod(function))
    return Tools
