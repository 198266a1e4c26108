"""The scenarios that are timed: shipped ones at any size, the dense laboratory, and markets with other totals of events."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2] / "oracle"))
sys.path.insert(0, str(Path(__file__).parents[3]))

import laboratory

from sim.parameters import LEDGER
from sim.scenario import Scenario, load_scenario

ROOT = Path(__file__).parents[3]

PER_USER = tuple(
    (group, name)
    for group, rows in LEDGER.items()
    for name in rows
    if name.endswith(("_per_user_day", "_per_million", "_per_million_day", "_per_12_million_day"))
)
"""What the ledger states by the user or the million users: times k, a market has k times the events on the same users."""

EVENTS = ("inflow_", "exits_registered", "exits_unsealed", "exits_rented", "exits_bought", "exits_stolen", "helpers_by_")
SANCTIONS = ("owners_banned", "helpers_sanctioned", "helpers_sanctioned_honest")
NOT_EVENTS = ("exits_rented_long",)


def world(scenario: str, users: int | None = None, days: int | None = None, density: float = 1.0) -> Scenario:
    """Return a scenario by its file, or the `laboratory`; `density` multiplies all events at the same users."""
    if scenario == "laboratory":
        sizes = {key: value for key, value in (("users", users), ("days", days)) if value is not None}
        return laboratory.scenario(**sizes)
    overrides: dict[str, Any] = {} if users is None else {"population.users": users}
    if days is not None:
        overrides |= {"run.days": days, "run.burn_in_days": 1, "run.settle_days": 0}
    made = load_scenario(ROOT / scenario, overrides)
    return made if density == 1.0 else thinned(made, density)


def thinned(scenario: Scenario, density: float) -> Scenario:
    """Return the scenario with `density` times as much of all that is stated by the user; ranges of the ledger are passed over."""
    values = {group: dict(rows) for group, rows in scenario.parameters.items()}
    for group, name in PER_USER:
        standing = values.get(group, {}).get(name, LEDGER[group][name].value)
        values.setdefault(group, {})[name] = standing * density
    return scenario.model_copy(update={"parameters": values})


def consequential(name: str) -> bool:
    """Say whether an outcome counts events that change somebody's state: acquisitions, exits, assists, sanctions on people."""
    return (name.startswith(EVENTS) and name not in NOT_EVENTS) or name in SANCTIONS
