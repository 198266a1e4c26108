"""A run that goes on from the burn-in of another is the run made whole, to the bit, whatever happens after it."""

from __future__ import annotations

import pytest

from sim.burn_in import Simulation, until_policies
from sim.levers import LEVERS
from sim.model import AccountMarket

BURN_IN = 20


def saved(scenario) -> bytes:
    """Return the state that a scenario shares."""
    return Simulation().burn_in(scenario, 1).state


@pytest.fixture(scope="module")
def state(tools) -> bytes:
    """The burn-in of the standing regime, under which dealers come and go."""
    return saved(tools.scenario(parameters=tools.stirred))


def agents(model: AccountMarket) -> list[tuple[str, int | None]]:
    return [(type(agent).__name__, getattr(agent, "row", None)) for agent in model.agents]


def assert_same(tools, scenario, state: bytes) -> AccountMarket:
    """Compare a branch with a whole run: outcomes of every day, all that the world holds, Mesa's agents; returns the branch."""
    branch, whole = AccountMarket(scenario, saved=state), AccountMarket(scenario, 1)
    while whole.day < BURN_IN:
        whole.step()
    assert tools.differing(branch.daily, whole.daily) == []
    for _ in range(2):
        assert (branch.day, branch.steps, branch.running) == (whole.day, whole.steps, whole.running)
        assert agents(branch) == agents(whole)
        branch.run()
        whole.run()
        assert tools.differing(branch.daily, whole.daily) == []
        assert tools.differing(tools.state(branch), tools.state(whole)) == []
    return branch


CASES = {
    "none": {},
    "from_the_first_day": {"policies": {"registration_audit": {"strength": 0.9}, "account_audit": {"strength": 0.9}}},
    "ramp": {"policies": {"unsealing_strictness": {"strength": 1.0, "start_day": 25, "ramp_days": 10, "end_day": 42}}},
    "purge": {"policies": {"purge": {"strength": 0.8, "days": [BURN_IN, 30]}}},
    "segments": {
        "policies": {
            "students": {"lever": "ad_takedown", "strength": 0.9, "segments": ["student"], "ramp_days": 5},
            "parents": {"lever": "ad_takedown", "strength": 0.8, "segments": ["stay_at_home_parent"], "start_day": 30},
        }
    },
    "frozen": {"adaptive": False},
    "frozen_under_policy": {"adaptive": False, "policies": {"login_check": {"strength": 0.9}}},
    "all_levers": {
        "policies": {
            name: {"strength": 0.9, **({"days": [25]} if lever.only_policy else {"start_day": BURN_IN})} for name, lever in LEVERS.items()
        }
    },
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_branch_is_the_whole_run(tools, state, case):
    scenario = tools.scenario(parameters=tools.stirred, **case)
    assert until_policies(scenario).identity() == until_policies(tools.scenario(parameters=tools.stirred)).identity()
    branch = assert_same(tools, scenario, state)
    rows = branch.world.dealers.rows()
    assert sorted(row for kind, row in agents(branch) if kind == "Dealer") == rows.tolist()
    assert branch.world.market._purses["dealers"] is branch.world.dealers, "parts of the world that hold each other still do"
    assert branch.world.population._luck is branch.luck


@pytest.mark.parametrize("learning", ["exp3", "replicator"])
def test_so_it_is_under_other_rules_and_a_busy_regime_with_an_early_policy(tools, learning):
    early = {"early": {"lever": "helper_cap", "strength": 1.0, "start_day": 3, "ramp_days": 4, "end_day": 35}}
    late = {**early, "audit": {"lever": "registration_audit", "strength": 0.9}}
    scenarios = [tools.scenario(policies, levers=tools.busy, parameters=tools.stirred) for policies in (early, late)]
    first, second = (one.model_copy(update={"dealers": one.dealers.model_copy(update={"learning": learning})}) for one in scenarios)
    assert_same(tools, second, saved(first))


def test_a_state_is_left_as_it_was_by_those_who_go_on_from_it(tools, state):
    scenario = tools.scenario(CASES["purge"]["policies"], parameters=tools.stirred)
    first, second = (AccountMarket(scenario, saved=state) for _ in range(2))
    first.run()
    second.run()
    assert tools.differing(first.daily, second.daily) == []


def test_saving_changes_nothing(tools, baseline):
    model = AccountMarket(tools.scenario(), 1)
    while model.running:
        model.saved()
        model.step()
    assert tools.differing(model.daily, baseline.daily) == []
    over = AccountMarket(tools.scenario(), saved=model.saved())
    assert not over.running
    with pytest.raises(RuntimeError, match="all are done"):
        over.step()
