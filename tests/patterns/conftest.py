"""Small experiments of the patterns, made once for the tests beside this file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sim.conduct import carry_out
from sim.patterns import SHORTER, Evidence, plan
from sim.patterns.experiments import WATCHES, scenario_of
from sim.patterns.watching import watch_all
from sim.scenario import Scenario, load_scenario

ROOT = Path(__file__).parents[2]
USERS, DAYS, REPLICATIONS = 8_000_000, 260, 4
SCENARIOS = ("baseline", "squeeze_90", "purge", "without_sign_up", "without_unsealing", "without_owners", "without_all")
WATCHED = ("census", "campaign")


def evidence(
    scenarios: tuple[str, ...] = SCENARIOS,
    watched: tuple[str, ...] = WATCHED,
    parameters: dict[str, dict[str, float]] | None = None,
    replications: int = REPLICATIONS,
) -> Evidence:
    """Run some of the scenarios and watches of the patterns, with fewer users and days.

    `parameters` may leave the ledger's ranges, to cut a mechanism.
    """
    shipped = load_scenario(ROOT / "scenarios" / "baseline.toml", {**SHORTER, "population.users": USERS})
    whole = plan(shipped, replications)

    def world_of(name: str) -> Scenario:
        one = scenario_of(whole.scenarios["baseline"], name).changed({"run.days": DAYS})
        return one.model_copy(update={"parameters": {**one.parameters, **(parameters or {})}})

    world = {name: world_of(name) for name in {*scenarios, *(WATCHES[name].scenario for name in watched)}}
    done = carry_out(replace(whole, scenarios={name: world[name] for name in scenarios}))
    assert not done.failures
    base = world["baseline"]
    return Evidence(
        daily=done.daily,
        window=base.run.window,
        burn_in_days=base.run.burn_in_days,
        users=base.population.users,
        shares={name: segment.share for name, segment in base.population.segments.items()},
        seen=watch_all({name: WATCHES[name] for name in watched}, world, range(1, 1 + replications)),
    )


@pytest.fixture(scope="session")
def shipped() -> Evidence:
    """Return what the model gives with the parameters that ship."""
    return evidence()


@pytest.fixture(scope="session")
def cut() -> Any:
    """Return the function that runs a world in which a mechanism is cut."""

    def run(parameters: dict[str, dict[str, float]], watched: str) -> Evidence:
        return evidence(("baseline",), (watched,), parameters, replications=3)

    return run
