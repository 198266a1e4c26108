"""How dealers learn where to put their effort: logit, exponential weights, imitation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sim.agents.dealer import attraction, expected_profit, plan, remembered_profit
from sim.levers import LEARNING
from sim.luck import Luck
from sim.model import AccountMarket
from sim.scenario import ScenarioError, scenario_from
from sim.world.dealers import IDLE
from sim.world.entry import dealer_keys, found
from sim.world.start import first_experience
from sim.world.world import World

PAYOFF = np.array([5.0, 20.0, -3.0, 11.0, 0.0])


def scenario(rule, users=1_000_000, days=540, policies=None, **parameters):
    table = {
        "name": "hand",
        "run": {"days": days, "burn_in_days": 180 if days > 180 else 1, "settle_days": 0},
        "population": {"users": users},
        "policies": policies or {},
        "dealers": {"learning": rule},
    }
    return scenario_from(table, "hand", Path()).model_copy(update={"parameters": parameters})


def world_with(rule, dealers=2, **parameters):
    """Return a world of dealers who hold nothing, where effort in each channel has brought `PAYOFF` yuan a unit."""
    luck = Luck(7)
    world = World(scenario(rule, **parameters), luck)
    rows = world.dealers.open_rows(dealers)
    found(world, luck, rows, dealer_keys(luck, -1, np.arange(dealers)), -1)
    first_experience(world)
    world.market.effort[:] = 1e6
    world.market.earned[:] = 1e6 * PAYOFF
    return world, rows


def reviewed(world, rows, times):
    for _ in range(times):
        world.dealers.attraction[rows] = attraction(world, rows)
    return world.dealers.attraction[rows]


@pytest.mark.parametrize("rule", LEARNING)
def test_a_first_plan_is_the_logits(rule):
    world, rows = world_with(rule)
    by_logit, _ = world_with("logit")
    assert np.array_equal(plan(world, rows).attraction, plan(by_logit, rows).attraction)
    profit = np.column_stack([expected_profit(world, rows), np.full(2, world.parameters.dealer.outside_yuan)])
    assert np.allclose(
        np.log(plan(world, rows).attraction[:, 0] / plan(world, rows).attraction[:, IDLE]), 0.06 * (profit[:, 0] - profit[:, IDLE])
    )


def test_the_logit_forgets_its_last_plan_and_the_others_go_on_from_it():
    for rule, remembers in zip(LEARNING, (False, True, True), strict=True):
        world, rows = world_with(rule)
        world.dealers.attraction[rows] = [[0.9, 0.1, 0, 0, 0, 0], [0, 0, 0, 0, 0.1, 0.9]]
        after = attraction(world, rows)
        assert np.allclose(after[0], after[1]) != remembers
        assert np.allclose(after.sum(axis=1), 1)


def test_imitation_without_mutation_multiplies_odds_by_the_payoff():
    """Replicator in discrete time: each review adds rate x (difference in payoff) to the log odds."""
    world, rows = world_with("replicator", dealer={"replicator_mutation": 0.0, "replicator_rate": 0.01})
    first = reviewed(world, rows, 1)
    later = reviewed(world, rows, 10)
    gained = np.log(later / later[:, :1]) - np.log(first / first[:, :1])
    payoff = np.append(PAYOFF, world.parameters.dealer.outside_yuan)
    assert np.allclose(gained, 10 * 0.01 * (payoff - payoff[0]))


@pytest.mark.parametrize("rule", ["exp3", "replicator"])
def test_learning_settles_where_growth_and_spreading_balance(rule):
    """At rest x_k = (s/6) / (1 - (1 - s) exp(rate r_k) / sum x exp(rate r)): the best channel leads, none dies out."""
    world, rows = world_with(rule, dealer={f"{rule}_rate": 0.02})
    p = world.parameters.dealer
    spread = p.exp3_share if rule == "exp3" else p.replicator_mutation
    shares = reviewed(world, rows, 3000)[0]
    growth = np.exp(0.02 * np.append(PAYOFF, p.outside_yuan))
    assert np.allclose(shares, spread / 6 / (1 - (1 - spread) * growth / (shares @ growth)))
    assert np.argmax(shares) == np.argmax(PAYOFF)
    assert shares.min() > spread / 6


def test_exponential_weights_follow_own_payoff_and_imitation_that_of_all():
    own = {}
    for rule in ("exp3", "replicator"):
        world, rows = world_with(rule)
        world.dealers.effort[rows] = 1e5
        world.dealers.earned[rows] = 1e5 * np.array([PAYOFF, PAYOFF[::-1]])
        own[rule] = reviewed(world, rows, 20)
    assert not np.allclose(own["exp3"][0], own["exp3"][1])
    assert np.allclose(own["replicator"][0], own["replicator"][1])


def test_own_payoff_is_shrunk_to_that_of_all():
    world, rows = world_with("exp3")
    weight = world.parameters.dealer.prior_effort
    world.dealers.effort[rows] = [[weight] * 5, [0.0] * 5]
    world.dealers.earned[rows] = [[weight * 30.0] * 5, [0.0] * 5]
    assert np.allclose(remembered_profit(world, rows), [(30.0 + PAYOFF) / 2, PAYOFF])


def test_remembered_earnings_are_the_money_that_dealers_made():
    """Summed over channels and fading alike, earnings are what the ledger of money gives, but for quality off the mean."""
    model = AccountMarket(scenario("exp3", users=12_000_000, days=60), 3)
    world, keep = model.world, model.world.parameters.dealer.memory
    money = 0.0
    for _ in range(60):
        before = world.market.balances["dealers"] + world.market.balances["outside"]
        model.step()
        money = keep * money + world.market.balances["dealers"] + world.market.balances["outside"] - before
    assert world.market.earned.sum() == pytest.approx(money, rel=0.05)


def test_a_rule_that_is_none_is_refused_with_the_nearest():
    with pytest.raises(ScenarioError, match=r"learning.*exp4.*exp3"):
        scenario("exp4")


@pytest.mark.slow
@pytest.mark.parametrize("rule", LEARNING)
def test_a_supply_squeeze_moves_dealers_to_renting_however_they_learn(rule):
    squeeze = {name: {"lever": name, "strength": 0.9} for name in ("registration_audit", "assisted_verification", "unsealing_strictness")}
    changes = []
    for seed in (1,):
        runs = []
        for policies in ({}, squeeze):
            model = AccountMarket(scenario(rule, users=12_000_000, days=420, policies=policies), seed)
            model.run()
            runs.append({name: series[300:].mean() for name, series in model.daily.items()})
        changes.append({name: runs[1][name] / runs[0][name] - 1 for name in ("stock_registered", "stock_rented", "commission_yuan")})
    assert all(change["stock_registered"] < -0.5 < 0.3 < change["stock_rented"] for change in changes)
    assert all(change["commission_yuan"] > 0 for change in changes)
