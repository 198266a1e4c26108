"""No lever is free: each has a cost over the whole range of the ledger, and somebody who has done nothing pays for it, or the public does.

Were one free, the best mix would have it at 1 and an optimisation would say nothing.
"""

from __future__ import annotations

import pytest

from sim.levers import LEVERS
from sim.model import AccountMarket
from sim.outcomes import OUTCOMES
from sim.parameters import LEDGER
from sim.scenario import scenario_from

PAID_FOR_ALONE = {"stall_policing", "task_platform_takedown", "review_capacity", "awareness_campaign"}
"""Levers whose only side effect is that somebody's time has to be paid."""


@pytest.mark.parametrize("lever", LEVERS.values(), ids=LEVERS)
def test_a_lever_has_a_cost_at_either_end_of_the_ledgers_ranges(lever):
    fixed, event = (LEDGER["cost"][f"{lever.name}_{kind}"] for kind in ("fixed", "event"))
    assert fixed.low > 0.0 or (event.low > 0.0 and lever.event != "none")
    assert f"cost_{lever.name}_yuan" in OUTCOMES


@pytest.mark.parametrize("lever", LEVERS.values(), ids=LEVERS)
def test_a_lever_has_a_side_effect_on_the_innocent_or_says_that_its_cost_is_all(lever):
    assert lever.side_effect
    assert OUTCOMES[lever.side_outcome].better == "lower"
    assert lever.side_effect.startswith("none;") == (lever.side_outcome == "enforcement_cost_yuan") == (lever.name in PAID_FOR_ALONE)


@pytest.mark.parametrize("lever", LEVERS.values(), ids=LEVERS)
def test_a_stronger_lever_costs_more(lever):
    costs = []
    for strength in (0.0, 1.0):
        table = {
            "name": "world",
            "run": {"days": 30, "burn_in_days": 10, "settle_days": 5},
            "population": {"users": 200_000},
            "policies": {lever.name: {"strength": strength}},
        }
        model = AccountMarket(scenario_from(table, "world"), seed=1)
        model.run()
        costs.append(float(model.daily[f"cost_{lever.name}_yuan"][10:].sum()))
    assert costs[0] < costs[1]
