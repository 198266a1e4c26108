"""How accounts come into dealers' hands, what is paid for them, and how word of mouth spreads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sim.levers import LEVERS, Levers
from sim.luck import Luck, join, words
from sim.processes import acquiring, clearing, renting, turnover
from sim.scenario import scenario_from
from sim.world.accounts import ADVERT, BOUGHT, REFERRAL, RENTED, RETURN, STOLEN, Claims
from sim.world.dealers import IDLE
from sim.world.entry import dealer_keys, found
from sim.world.users import BANNED, FREE, LOST, RENTING, ROBBED, SOLD
from sim.world.world import World

DAY = 5
LIMIT = 3.3


def levers(**strengths):
    return Levers.of({**{name: lever.standing for name, lever in LEVERS.items()}, **strengths})


def world_with(dealers=1, channel=IDLE, capacity=1000.0, users=1_000_000, **parameters):
    """Return a world whose dealers put all effort into one channel, and its luck."""
    luck = Luck(7)
    scenario = scenario_from({"name": "hand", "population": {"users": users}}, "hand", Path()).model_copy(update={"parameters": parameters})
    world = World(scenario, luck)
    rows = world.dealers.open_rows(dealers)
    found(world, luck, rows, dealer_keys(luck, -1, np.arange(dealers)), -1)
    world.dealers.shares[rows] = np.eye(IDLE + 1)[channel]
    world.dealers.capacity[rows] = capacity
    world.dealers.evasion[rows] = 0.0
    return world, luck


def keys(count, salt=0):
    return join(words(np.arange(count)), 77, salt)


def claims(world, channel, owner=None, count=None, **columns):
    count = len(owner) if owner is not None else count
    owner = None if owner is None else np.asarray(owner)
    return Claims.of(keys(count, channel), channel, np.zeros(count, dtype=np.int64), owner, **columns)


def within(count, n, share):
    return abs(count - n * share) <= LIMIT * np.sqrt(n * share * (1 - share))


def test_owners_are_marked_and_their_accounts_described():
    world, luck = world_with()
    for channel, status in ((RENTED, RENTING), (BOUGHT, SOLD), (STOLEN, ROBBED)):
        owner = np.arange(10) * 501 + channel
        acquiring.acquire(world, luck, DAY, claims(world, channel, owner))
        assert (world.users.touched.status[world.users.registry.find(owner)] == status).all()
        rows = np.flatnonzero(world.accounts.channel[: world.accounts.size] == channel)
        assert np.array_equal(world.accounts.owner[rows], owner)
        assert np.array_equal(world.accounts.segment[rows], world.population.segment(owner))
        assert np.array_equal(world.accounts.payment[rows], world.population.payment(owner))
        assert (world.accounts.acquired[rows] == DAY).all()
    assert world.users.communities.renters.sum() == 10


def test_what_is_paid_for_accounts():
    """Sellers get the asked price, theft has its cost, renters' identity data are sold on."""
    world, luck = world_with()
    acquiring.acquire(
        world, luck, DAY, Claims.joined([claims(world, BOUGHT, [1, 2]), claims(world, STOLEN, [3]), claims(world, RENTED, [4])])
    )
    balances, p = world.market.balances, world.parameters
    assert balances["sellers"] == pytest.approx(2 * world.market.purchase_price)
    assert balances["suppliers"] == pytest.approx(p.trading.theft_cost_yuan)
    assert balances["abusers"] == pytest.approx(-p.renting.identity_resale_yuan)


def test_a_user_wanted_twice_becomes_one_account():
    world, luck = world_with()
    flows = acquiring.acquire(
        world, luck, DAY, Claims.joined([claims(world, RENTED, [9, 8]), claims(world, BOUGHT, [9]), claims(world, STOLEN, [9])])
    )
    assert flows.by_channel.sum() == world.accounts.size == 2
    assert np.sort(world.accounts.owner[:2]).tolist() == [8, 9]


def test_the_market_pays_dealers_and_dealers_pay_owners():
    """Revenue p q util, a commission a paid rental, upkeep of evasion 12 e^2 an effective account-day; unpaid loans cost nothing."""
    world, luck = world_with()
    world.dealers.evasion[0] = 0.5
    acquiring.acquire(world, luck, DAY, claims(world, RENTED, [1, 2, 900], unpaid=np.array([False, True, False])))
    before = dict(world.market.balances)
    flows = clearing.clear(world)
    quality = world.accounts.quality[:3].sum()
    paid = {party: world.market.balances[party] - before[party] for party in before}
    assert flows.supply[RENTED] == pytest.approx(quality)
    assert paid["owners"] == pytest.approx(2 * world.market.commission)
    assert paid["abusers"] == pytest.approx(-quality * world.market.price * flows.utilisation)
    assert paid["suppliers"] == pytest.approx(quality * world.parameters.dealer.evasion_cost_yuan * 0.25)
    assert flows.utilisation == min(1.0, flows.demand / quality)


@pytest.mark.parametrize("price", [6.0, 12.0, 24.0])
def test_demand_has_its_elasticity(price):
    world, luck = world_with()
    world.market.price = price
    acquiring.acquire(world, luck, DAY, claims(world, RENTED, np.arange(0, 500_000, 100)))
    flows = clearing.clear(world)
    m = world.parameters.market
    assert flows.demand == pytest.approx(m.demand_per_million * (price / m.reference_price_yuan) ** -m.demand_elasticity)
    assert flows.utilisation == pytest.approx(flows.demand / flows.supply.sum())


# word of mouth


def test_three_referrals_make_a_small_dealer_in_the_own_community():
    """A renter credited with the third referral enters with the small capacity and asks in the own community."""
    share = {"dealer_share": 1.0, "home_approach_per_day": 1.0, "referral_logit": 1e3, "acceptance_logit": 0.0, "loan_share": 0.0}
    world, luck = world_with(renting=share, dealer={"entry_per_12_million_day": 0.0, "exit_per_day": 0.0, "retire_per_day": 0.0})
    wanted = int(world.parameters.renting.dealer_after_referrals)
    referrer = 12_345
    acquiring.acquire(world, luck, DAY, claims(world, RENTED, [referrer]))
    for count in range(wanted):
        assert world.new_dealers.size == 0
        new = Claims.of(
            keys(1, 100 + count),
            RENTED,
            np.zeros(1, dtype=np.int64),
            np.array([12_300 + count]),
            lure=REFERRAL,
            referrer=np.array([referrer]),
        )
        flows = acquiring.acquire(world, luck, DAY, new)
        assert flows.by_lure.tolist() == [0, 1, 0]
    assert world.new_dealers.tolist() == [referrer]
    came = turnover.turn_over_dealers(world, levers(), luck, DAY).came
    assert came.size == 1
    assert world.dealers.home[came].tolist() == [referrer // world.population.community_size]
    assert world.dealers.capacity[came] == world.parameters.renting.dealer_capacity
    assert world.new_dealers.size == 0
    world.accounts.keep(np.zeros(0, dtype=np.int64))
    referred, asked, *_ = renting.refer(world, levers(), luck, DAY + 1)
    assert asked == 1
    assert (referred.dealer == came[0]).all()
    assert (world.population.community(referred.owner) == referrer // world.population.community_size).all()


def test_renters_of_one_community_become_different_dealers():
    """Two who enter on one day have luck of their own."""
    world, luck = world_with(dealer={"entry_per_12_million_day": 0.0})
    world.new_dealers = np.array([5, 6])
    came = turnover.turn_over_dealers(world, levers(), luck, DAY).came
    assert world.dealers.home[came].tolist() == [0, 0]
    assert np.unique(world.dealers.key[: world.dealers.size]).size == 3


def test_renters_ask_their_own_community():
    """Each renter asks with .1 a day; whoever agrees rents to the same dealer and is credited to the renter; a few lend unpaid."""
    world, luck = world_with(renting={"referral_logit": 1e3, "referral_per_day": 0.4})
    owner = np.arange(0, 200_000, 50)
    acquiring.acquire(world, luck, DAY, claims(world, RENTED, owner))
    referred, asked, *_ = renting.refer(world, levers(), luck, DAY + 1)
    assert within(asked, owner.size, 0.4)
    assert np.array_equal(world.population.community(referred.owner), world.population.community(referred.referrer))
    assert (referred.owner != referred.referrer).all()
    assert within(referred.unpaid.sum(), referred.key.size, world.parameters.renting.loan_share)
    assert (referred.lure == REFERRAL).all()
    awareness = 1 - world.informed.mean() * (1 - world.parameters.awareness.informed_factor)
    assert referred.key.size <= asked
    assert referred.key.size > 0.9 * asked * awareness


def test_owners_are_asked_again_when_the_ban_ends_if_the_dealer_is_there():
    """Those whose dealer left, or whose dealer's row has a new dealer, are not asked."""
    world, luck = world_with(3, renting={"return_share": 1.0, "referral_logit": 1e3})
    owner = np.arange(12)
    world.dealers.entered[:3] = [0, 0, 4]
    world.dealers.active[1] = False
    world.returning.put(DAY, owner, owner % 3, np.zeros(12, dtype=np.int64))
    rows = world.users.rows(owner[:4])
    world.users.touched.status[rows] = [BANNED, BANNED, BANNED, LOST]
    world.users.touched.until[rows] = DAY
    back = renting.return_owners(world, levers(), luck, DAY)
    assert np.isin(back.owner, [0, 6, 9]).all()
    assert back.key.size >= 2
    assert (back.lure == RETURN).all()
    assert renting.return_owners(world, levers(), luck, DAY).key.size == 0


def test_recruits_of_adverts_are_counted_by_dealer_and_segment():
    world, luck = world_with(2)
    owner = np.array([1, 999_999, 999_000])
    flows = acquiring.acquire(world, luck, DAY, Claims.of(keys(3), RENTED, np.array([0, 1, 1]), owner, lure=ADVERT))
    assert flows.advert_recruits.tolist() == [[1, 0, 0, 0], [0, 0, 0, 2]]
    assert flows.rented_by_segment.tolist() == [1, 0, 0, 2]
    assert flows.by_lure.tolist() == [3, 0, 0]


def test_an_owner_who_got_the_account_back_is_free():
    world, luck = world_with()
    acquiring.acquire(world, luck, DAY, claims(world, RENTED, [3]))
    assert not world.users.free(np.array([3]), DAY)[0]
    world.users.touched.status[world.users.rows(np.array([3]))] = FREE
    assert world.users.free(np.array([3]), DAY)[0]
