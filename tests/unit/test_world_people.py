"""Users as functions of their id, money, cases, and the state of day 0."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.luck import Luck
from sim.model import AccountMarket
from sim.parameters import resolve
from sim.scenario import scenario_from
from sim.world.dealers import Dealers
from sim.world.docket import Docket
from sim.world.market import PARTIES, Market
from sim.world.recruiters import Recruiters
from sim.world.users import BANNED, FREE, LOST, RENTING, ROBBED, SOLD, Population, Users

PARAMETERS = resolve({})


def population(users=100_000, shares=(0.07, 0.03, 0.16, 0.74), seed=1):
    return Population(users, list(shares), PARAMETERS, Luck(seed))


@given(
    users=st.integers(1_000, 3_000_000),
    weights=st.lists(st.floats(0, 1), min_size=4, max_size=4).filter(lambda w: sum(w) > 0.1),
    seed=st.integers(0, 99),
)
@settings(max_examples=60, derandomize=True)
def test_every_user_has_one_segment_and_one_community(users, weights, seed):
    """Segments are runs of whole communities, of about their share; whoever is picked from a segment or a community belongs to it."""
    people = population(users, [weight / sum(weights) for weight in weights], seed)
    ids = np.unique(np.concatenate([np.arange(min(users, 2_000)), people.bounds[:-1].clip(max=users - 1), [users - 1]]))
    segments = people.segment(ids)
    assert ((ids >= people.bounds[segments]) & (ids < people.bounds[segments + 1])).all()
    assert people.sizes.sum() == users
    assert people.shares.sum() == pytest.approx(1)
    assert np.abs(people.shares - np.array(weights) / sum(weights)).max() <= 2 * people.community_size / users
    first = people.community(ids) * people.community_size
    assert np.array_equal(people.segment(first), segments)
    u = Luck(seed).uniforms("u", 0, ids.astype(np.uint64))
    members = people.neighbour(u, people.community(ids), np.full(ids.size, -1))
    assert np.array_equal(people.community(members), people.community(ids))
    assert (members < users).all()
    filled = np.flatnonzero(people.sizes > 0)
    picked = people.pick(u, filled[ids % filled.size])
    assert np.array_equal(people.segment(picked), filled[ids % filled.size])


def test_picks_reach_the_whole_segment():
    people = population(20_000)
    u = (np.arange(40_000) + 0.5) / 40_000
    for segment in range(4):
        picked = np.unique(people.pick(u, np.full(u.size, segment)))
        assert picked.size == people.sizes[segment]


def test_traits_are_the_users_own():
    """A trait depends on seed and id alone: not on company, order or the size of the platform."""
    small, large = population(10_000), population(1_000_000)
    ids = np.array([9, 4000, 77, 9])
    for trait in ("reservation", "contacts", "quantile", "account_age", "account"):
        values = np.atleast_2d(getattr(small, trait)(ids))
        assert np.array_equal(values[:, 0], values[:, 3])
        assert np.array_equal(values[:, ::-1], np.atleast_2d(getattr(small, trait)(ids[::-1])))
        assert np.array_equal(values, np.atleast_2d(getattr(large, trait)(ids)))
    assert not np.array_equal(small.reservation(ids), population(10_000, seed=2).reservation(ids))


def test_who_is_free():
    """Free, or a sanction that is over; not in dealers' hands, sold or lost. Who was never touched is free."""
    users = Users(population(), PARAMETERS)
    ids = np.arange(8)
    rows = users.rows(ids[:7])
    users.touched.status[rows] = [FREE, RENTING, ROBBED, SOLD, BANNED, BANNED, LOST]
    users.touched.until[rows] = [0, 0, 0, 0, 10, 11, 0]
    assert users.free(ids, 10).tolist() == [True, False, False, False, True, False, False, True]


def test_risk_is_remembered_added_to_and_fades():
    """Own and community risk halve in the half-life, also between two additions; counts of a day add up in the community."""
    users = Users(population(), PARAMETERS)
    p = PARAMETERS.awareness
    half = int(p.risk_half_life_days)
    seen = np.array([1, 2, 3, 60, 200])
    base = users.perceived_risk(seen, 5)
    users.remember(np.array([1, 2, 60]), 5, 0.5, 0.05)
    users.remember(np.array([1]), 5 + half, 0.5, 0.05)
    day = 5 + half
    near = 0.1 / 2 + 0.05
    assert np.allclose(users.perceived_risk(seen, day) - base, [0.25 + 0.5 + near, 0.25 + near, near, 0.25 + 0.025, 0.0], rtol=1e-5)


def test_renters_are_counted_by_community():
    users = Users(population(), PARAMETERS)
    users.count_renters(np.array([1, 2, 2, 49, 50]), 1)
    users.count_renters(np.array([2]), -1)
    assert users.renters_nearby(np.array([0, 60, 100])).tolist() == [3.0, 1.0, 0.0]


def purses():
    dealers, recruiters = Dealers(16), Recruiters(1.0, PARAMETERS, Luck(1))
    dealers.open_rows(3)
    return Market(PARAMETERS, dealers, recruiters, 1.0), dealers, recruiters


@given(
    moves=st.lists(
        st.tuples(st.sampled_from(PARTIES), st.sampled_from(PARTIES), st.lists(st.floats(0, 1e9), min_size=3, max_size=3)), max_size=30
    )
)
@settings(max_examples=60, derandomize=True)
def test_transfers_keep_the_sum_of_money(moves):
    """What one party pays the other gets; purses of dealers add up to their balance; own money brought in is no earning."""
    market, dealers, _ = purses()
    turned = 1.0
    earned = np.zeros(3)
    for payer, payee, amounts in moves:
        if payer == payee or "recruiters" in (payer, payee):
            continue
        own = "dealers" in (payer, payee)
        total = market.transfer(payer, payee, np.array(amounts) if own else amounts[0])
        assert total == pytest.approx(sum(amounts) if own else amounts[0])
        turned += total
        if own and "outside" not in (payer, payee):
            earned += np.array(amounts) * (1 if payee == "dealers" else -1)
    assert abs(sum(market.balances.values())) <= 1e-9 * turned
    assert abs(dealers.cash[:3].sum() - market.balances["dealers"]) <= 1e-9 * turned
    assert np.allclose(dealers.today[:3], earned, atol=1e-9 * turned)


def test_money_moves_between_known_parties_only():
    market, _, _ = purses()
    with pytest.raises(KeyError, match="bank"):
        market.transfer("owners", "bank", 1.0)


def test_pooled_hazard_is_exits_over_days_at_risk():
    market, _, _ = purses()
    nothing_yet = market.hazards()
    assert ((nothing_yet > 0) & (nothing_yet < 1)).all()
    market.exits += [1e9, 0.0, 8e9, 1e9, 0.0]
    market.at_risk += [1e10, 5e9, 4e9, 2e9, 0.0]
    assert market.hazards() == pytest.approx([0.1, 0.005, 1.0, 0.5, nothing_yet[4]])


def test_cases_lapse_when_they_are_old():
    docket = Docket(days=60, life=14)
    for day in range(30):
        docket.mistaken[day], docket.innocents[day] = 2, 1
        docket.owners[day] = np.arange(day, day + 3)
        docket.lapse(day)
        assert docket.waiting(day) == 6 * min(day + 1, 14)
        assert docket.first_day(day) == max(0, day - 13)
    assert docket.mistaken[:16].sum() == docket.innocents[:16].sum() == 0
    assert min(docket.owners) == 16


@pytest.fixture(scope="module")
def first_day():
    """A market before its first day."""
    made = scenario_from({"name": "start", "population": {"users": 6_000_000}}, "start", Path())
    return AccountMarket(made, 2)


def test_day_0_has_the_ledgers_dealers_prices_and_stocks(first_day):
    """Dealers, price and commission as the ledger says; stocks Poisson around what is left after a day's exits."""
    world, start = first_day.world, PARAMETERS.start
    assert world.dealers.rows().size == round(start.dealers_per_million * 6)
    assert (world.market.price, world.market.commission) == (start.price_yuan, start.commission_yuan)
    channel = world.accounts.channel[: world.accounts.size]
    for number, name in enumerate(("registered", "unsealed", "rented", "bought", "stolen")):
        mean = 6 * getattr(start, f"stock_{name}_per_million") * (1 - getattr(start, f"hazard_{name}"))
        assert abs((channel == number).sum() - mean) < 3.3 * np.sqrt(mean) + 1, name
    assert (world.accounts.acquired[: world.accounts.size] < 0).all()
    assert np.allclose(world.informed, world.informed[0])
    assert world.informed[0] > 0


def test_every_dealer_of_day_0_has_a_plan(first_day):
    dealers = first_day.world.dealers
    assert np.allclose(dealers.shares[dealers.rows()].sum(axis=1), 1)


def test_pitches_and_platforms_do_not_depend_on_the_regime():
    """Places exist by population alone, so that a request finds the same place in every world."""
    few, many = (
        AccountMarket(scenario_from({"name": "s", "levers": {"stall_policing": u}}, "s", Path()), 3).world.recruiters for u in (0.0, 1.0)
    )
    assert np.array_equal(few.key[: few.size], many.key[: many.size])
    assert np.array_equal(few.wheel.cumulative, many.wheel.cumulative)
    assert few.is_stall.sum() == few.stalls
    assert few.size == few.stalls + few.platforms


def test_another_member_of_a_community_is_any_but_oneself_alike():
    people = population(1_010)
    u = (np.arange(4900) + 0.5) / 4900
    for own in (50, 73, 99):
        members = people.neighbour(u, np.full(u.size, 1), np.full(u.size, own))
        found, counts = np.unique(members, return_counts=True)
        assert found.tolist() == [user for user in range(50, 100) if user != own]
        assert (counts == 100).all()
    assert set(people.neighbour(u, np.full(u.size, 20), np.full(u.size, 1_004)).tolist()) == {*range(1_000, 1_010)} - {1_004}
