"""Harm that deployed accounts do, and what enforcement costs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sim.levers import LEVERS, Levers
from sim.luck import Luck, join, words
from sim.model import AccountMarket
from sim.processes import acquiring
from sim.processes.abuse import abuse
from sim.scenario import scenario_from
from sim.world.accounts import FALSE_ADS, FRAUD, REGISTERED, RENTED, SPAM, STOLEN, VICE, Claims
from sim.world.entry import dealer_keys, found
from sim.world.world import World

DAY = 5
LIMIT = 3.3
N = 5_000


def levers(**strengths):
    return Levers.of({**{name: lever.standing for name, lever in LEVERS.items()}, **strengths})


def deployed(channel, use=None, utilisation=0.8, **parameters):
    """Return a world with accounts of a channel, all put to one use if given, and its luck."""
    luck = Luck(7)
    scenario = scenario_from({"name": "hand", "population": {"users": 2_000_000}}, "hand", Path()).model_copy(
        update={"parameters": parameters}
    )
    world = World(scenario, luck)
    rows = world.dealers.open_rows(1)
    found(world, luck, rows, dealer_keys(luck, -1, np.arange(1)), -1)
    owner = np.arange(N) * 300 if channel >= RENTED else None
    acquiring.acquire(world, luck, 0, Claims.of(join(words(np.arange(N)), channel), channel, np.zeros(N, dtype=np.int64), owner))
    if use is not None:
        world.accounts.use[:N] = use
    world.market.utilisation = utilisation
    return world, luck


def test_uses_follow_demand_and_suitability():
    """Trusted accounts go to fraud and vice, fresh ones to spam and false advertising, in the stated proportions."""
    for channel in (REGISTERED, RENTED):
        world, _ = deployed(channel)
        share = np.diff(world.traits.use_cumulative[channel], prepend=0.0)
        seen = np.bincount(world.accounts.use[:N], minlength=4) / N
        assert (np.abs(seen - share) < LIMIT * np.sqrt(share * (1 - share) / N)).all()
    trusted, fresh = (np.diff(world.traits.use_cumulative[channel], prepend=0.0) for channel in (RENTED, REGISTERED))
    assert (trusted[[FRAUD, VICE]] > fresh[[FRAUD, VICE]]).all()
    assert (trusted[[SPAM, FALSE_ADS]] < fresh[[SPAM, FALSE_ADS]]).all()


@pytest.mark.parametrize("channel", [REGISTERED, STOLEN])
def test_strangers_are_defrauded_by_rate_quality_and_utilisation(channel):
    """Incidents are binomial in rate x quality x utilisation; losses log-normal; the expectation is theirs."""
    world, luck = deployed(channel, FRAUD, harm={"friend_approaches": 0.0})
    p = world.parameters.harm
    rate = np.minimum(1.0, world.traits.fraud_rate[channel] * world.accounts.quality[:N] * 0.8)
    done = abuse(world, levers(), luck, DAY)
    assert abs(done.victims - rate.sum()) < LIMIT * np.sqrt((rate * (1 - rate)).sum())
    mean_loss = p.fraud_loss_median_yuan * np.exp(p.loss_sigma**2 / 2)
    assert done.expected == pytest.approx(rate.sum() * mean_loss)
    assert done.friend_fraud == done.false_ads == done.vice == done.spam == 0
    certain, luck = deployed(
        channel, FRAUD, harm={"friend_approaches": 0.0, "fraud_registered": 1e6, "fraud_stolen": 1e6, "loss_sigma": 0.5}
    )
    all_hit = abuse(certain, levers(), luck, DAY)
    assert all_hit.victims == N
    spread = np.sqrt(np.expm1(0.25))
    assert abs(all_hit.fraud / (N * p.fraud_loss_median_yuan * np.exp(0.125)) - 1) < LIMIT * spread / np.sqrt(N)


def test_friend_fraud_falls_with_confirmation_and_approaches_stay():
    """Success x (1 - .95u): the victims left are some of the victims before; approaches, which are reported, do not change."""
    world, luck = deployed(RENTED, FRAUD, harm={"fraud_rented": 0.0})
    p = world.parameters.harm
    fraction = []
    for u in (0.0, 0.5, 1.0):
        done = abuse(world, levers(friend_confirmation=u), luck, DAY)
        rate = np.minimum(1.0, p.friend_approaches * world.accounts.contacts[:N] * 0.8 * p.friend_success * (1 - p.confirmation_effect * u))
        assert abs(done.victims - rate.sum()) < LIMIT * np.sqrt(rate.sum())
        assert done.expected - done.harassment == pytest.approx(rate.sum() * p.friend_loss_median_yuan * np.exp(p.loss_sigma**2 / 2))
        fraction.append(done)
    assert fraction[0].friend_fraud > fraction[1].friend_fraud > fraction[2].friend_fraud
    assert all(np.array_equal(done.approaches, fraction[0].approaches) for done in fraction)
    assert all(done.harassment == fraction[0].harassment for done in fraction)


def test_fresh_accounts_have_no_friends_to_defraud():
    world, luck = deployed(REGISTERED, FRAUD)
    done = abuse(world, levers(friend_confirmation=0.0), luck, DAY)
    assert done.friend_fraud == done.harassment == 0
    assert np.allclose(done.approaches, world.parameters.harm.stranger_approaches * 0.8)


@pytest.mark.parametrize(("use", "name"), [(VICE, "vice"), (SPAM, "spam")])
def test_vice_and_spam_are_counted_at_a_shadow_price(use, name):
    world, luck = deployed(REGISTERED, use)
    p = world.parameters.harm
    done = abuse(world, levers(), luck, DAY)
    exposures = world.accounts.quality[:N].sum() * 0.8 * (p.vice_exposures if use == VICE else p.spam_messages)
    assert (done.vice_exposures if use == VICE else done.spam_messages) == pytest.approx(exposures)
    assert getattr(done, name) == pytest.approx(exposures * (p.vice_yuan if use == VICE else p.spam_yuan))
    assert done.expected == pytest.approx(getattr(done, name))
    assert done.victims == 0
    assert not done.approaches.any()


def test_false_adverts_deceive_by_rate():
    world, luck = deployed(REGISTERED, FALSE_ADS)
    p = world.parameters.harm
    done = abuse(world, levers(), luck, DAY)
    rate = p.false_ad_victims * world.accounts.quality[:N] * 0.8
    assert abs(done.victims - rate.sum()) < LIMIT * np.sqrt((rate * (1 - rate)).sum())
    assert done.false_ads == done.victims * p.false_ad_loss_yuan
    assert done.expected == pytest.approx(rate.sum() * p.false_ad_loss_yuan)


def test_idle_accounts_do_no_harm():
    for use in range(4):
        world, luck = deployed(RENTED, use, utilisation=0.0)
        done = abuse(world, levers(), luck, DAY)
        assert (done.expected, done.victims, done.fraud, done.friend_fraud, done.approaches.sum()) == (0, 0, 0, 0, 0)


@pytest.fixture(scope="module")
def enforcer():
    made = scenario_from({"name": "hand", "population": {"users": 100_000}}, "hand", Path())
    return AccountMarket(made, 1).enforcer


def test_each_lever_costs_its_strength_and_its_events(enforcer):
    """Fixed cost x strength x million users + unit cost x events; a lever by segment counts by the share of users it is aimed at."""
    shares = np.array([0.1, 0.2, 0.3, 0.4])
    aimed = levers(ad_takedown=np.array([1.0, 0.0, 0.5, 0.0]), account_audit=0.4)
    before = dict(enforcer.spent)
    events = {"account_audit": 7.0, "ad_takedown": 3.0}
    costs = enforcer.book(aimed, events, 12.0, shares)
    unit = enforcer.model.world.parameters.cost
    assert costs["account_audit"] == pytest.approx(unit.account_audit_fixed * 0.4 * 12 + unit.account_audit_event * 7)
    assert costs["ad_takedown"] == pytest.approx(unit.ad_takedown_fixed * 0.25 * 12 + unit.ad_takedown_event * 3)
    assert costs["friend_confirmation"] == pytest.approx(unit.friend_confirmation_fixed * LEVERS["friend_confirmation"].standing * 12)
    assert list(costs) == list(LEVERS)
    assert {name: enforcer.spent[name] - before[name] for name in LEVERS} == pytest.approx(costs)


def test_costs_follow_the_levers_of_the_day(enforcer):
    """What strength alone costs is worked out anew when levers change, not before."""
    shares, unit = np.full(4, 0.25), enforcer.model.world.parameters.cost
    weak, strong = levers(account_audit=0.2), levers(account_audit=0.8)
    booked = [enforcer.book(which, {}, millions, shares)["account_audit"] for which, millions in ((weak, 1.0), (strong, 1.0), (weak, 3.0))]
    assert booked == pytest.approx([unit.account_audit_fixed * x for x in (0.2, 0.8, 0.6)])


@pytest.mark.parametrize("lever", LEVERS)
def test_no_lever_is_free(enforcer, lever):
    """At full strength, with an event, each costs something."""
    costs = enforcer.book(levers(**{lever: 1.0}), {lever: 1.0}, 1.0, np.full(4, 0.25))
    assert costs[lever] > 0
