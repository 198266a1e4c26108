"""Recruiters, helpers, and the order in which reviewers take up cases."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.agents.enforcer import take_up
from sim.agents.recruiter import work
from sim.agents.user import helps, may_help
from sim.levers import LEVERS, Levers
from sim.luck import Luck
from sim.scenario import scenario_from
from sim.world.entry import dealer_keys, found
from sim.world.start import first_experience
from sim.world.world import World


def levers(**strengths):
    return Levers.of({**{name: lever.standing for name, lever in LEVERS.items()}, **strengths})


def world_with(dealers=1, users=1_000_000, **parameters):
    """Return a world whose dealers hold nothing and believe what the market does."""
    luck = Luck(7)
    scenario = scenario_from({"name": "hand", "population": {"users": users}}, "hand", Path()).model_copy(update={"parameters": parameters})
    world = World(scenario, luck)
    rows = world.dealers.open_rows(dealers)
    found(world, luck, rows, dealer_keys(luck, -1, np.arange(dealers)), -1)
    world.dealers.pool[rows] = 400
    first_experience(world)
    return world, rows


def test_recruiters_work_by_their_margin_and_only_when_open():
    """More at a higher price; none where nobody is or where policing has closed the place until later."""
    world, _ = world_with()
    recruiters = world.recruiters
    recruiters.open[: recruiters.size] = True
    shares = []
    for price in (2.0, 40.0, 200.0):
        world.market.helper_price = price
        shares.append(work(world, 5))
    assert (np.diff(shares, axis=0) > 0).all() or np.allclose(shares[1], 1)
    assert all(((share >= 0) & (share <= 1)).all() for share in shares)
    recruiters.open[0] = False
    recruiters.closed_until[1] = 6
    assert (work(world, 5)[:2] == 0).all()
    assert work(world, 6)[1] > 0


def allowed(world, strength, users, day):
    return may_help(world, levers(helper_cap=strength), users, world.users.registry.find(users), day)


@pytest.mark.parametrize("strength", [0.3, 0.6, 1.0])
def test_the_cap_has_its_window(strength):
    """A helper may help again after 30 u/.3 days, not a day before."""
    world, _ = world_with(helping={"cap_age_days": 0.0})
    window = round(world.parameters.helping.cap_window_days * strength / 0.3)
    users = np.arange(4)
    rows = world.users.rows(users[:3])
    world.users.touched.last_assist[rows] = [100 - window, 101 - window, 100]
    assert allowed(world, strength, users, 100).tolist() == [True, False, False, True]


def test_without_the_cap_a_helper_helps_once_a_day():
    world, _ = world_with()
    users = np.arange(3)
    rows = world.users.rows(users)
    world.users.touched.last_assist[rows] = [99, 100, 50]
    assert allowed(world, 0.0, users, 100).tolist() == [True, False, True]


def test_the_cap_asks_for_an_age_of_the_account():
    """From strength .3 six months, less below; the mix of ages does not drift with the day."""
    world, _ = world_with()
    users = np.arange(30_000)
    age = world.population.account_age(users)
    least = world.parameters.helping.cap_age_days
    for strength, wanted in ((0.0, 0.0), (0.15, least / 2), (0.3, least), (1.0, least)):
        for day in (0, 400):
            assert np.array_equal(allowed(world, strength, users, day), age >= wanted)


def test_sanctioned_helpers_wait():
    world, _ = world_with()
    users = np.arange(2)
    world.users.touched.helper_until[world.users.rows(users)] = [10, 11]
    assert allowed(world, 0.0, users, 10).tolist() == [True, False]


def test_passers_by_stop_when_they_know_or_are_told():
    """Who knows the denial helps less by the informed factor over the impersonation; the dialog stops its part of stall scans only."""
    world, _ = world_with()
    users = np.arange(5_000)
    world.informed[:] = 0.5
    knows = world.population.quantile(users) < 0.5
    p = world.parameters
    for stall in (True, False):
        at = np.full(users.size, stall)
        plain, told = (helps(world, levers(helper_cap=0.0, scan_confirmation=u), users, at, 3) for u in (0.0, 0.7))
        factor = p.awareness.informed_factor / (p.helping.impersonation_multiplier if stall else 1.0)
        assert np.allclose(plain[knows], factor * plain[~knows][0])
        stopped = p.helping.confirmable_share * p.helping.confirmation_effect * 0.7 if stall else 0.0
        assert np.allclose(told, plain * (1 - stopped))


def test_risk_keeps_helpers_away():
    world, _ = world_with()
    users = np.arange(100)
    for stall in (True, False):
        at = np.full(users.size, stall)
        before = helps(world, levers(helper_cap=0.0), users, at, 3)
        world.users.remember(users, 3, 0.5, 0.0)
        assert (helps(world, levers(helper_cap=0.0), users, at, 3) < before).all()


QUEUE = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4), st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=12)


def waiting(queue):
    """Return a world with reported accounts, mistaken reports and appeals of innocents and owners, by day."""
    world, _ = world_with()
    accounts = world.accounts
    for day, (reported, mistaken, innocents, owners) in enumerate(queue):
        rows = accounts.append(key=(np.arange(reported) + 100 * day).astype(np.uint64))
        accounts.case_day[rows] = day
        world.docket.mistaken[day], world.docket.innocents[day] = mistaken, innocents
        if owners:
            world.docket.owners[day] = np.arange(owners) + 1_000 * day
    accounts.append(key=np.arange(5_000, 5_003).astype(np.uint64))
    return world, np.array(queue).T


@given(queue=QUEUE, capacity=st.integers(0, 60), seed=st.integers(0, 9))
@settings(max_examples=150, derandomize=True, deadline=None)
def test_cases_are_taken_first_in_first_out_within_capacity(queue, capacity, seed):
    """Reports and appeals share reviewers: never more than capacity, never fewer while cases wait, no later day before an earlier one."""
    world, kinds = waiting(queue)
    today = len(queue) - 1
    order = Luck(seed).uniforms("order", 0, world.accounts.key[: world.accounts.size])
    session = take_up(world, capacity, order, today)
    days = world.accounts.case_day[session.accounts]
    taken = np.stack([np.bincount(days, minlength=today + 1), session.mistaken, session.innocents, session.owners])
    assert session.first == 0
    assert (taken <= kinds).all()
    assert (taken >= 0).all()
    assert taken.sum() == session.handled == min(capacity, kinds.sum())
    left = kinds.sum(axis=0) - taken.sum(axis=0)
    unfinished = np.flatnonzero(left)
    if unfinished.size:
        assert not taken[:, unfinished[0] + 1 :].any(), "a later day waits until an earlier one is done"
        boundary = unfinished[0]
        fair = kinds[:, boundary] * taken[:, boundary].sum() / kinds[:, boundary].sum()
        assert (np.abs(taken[:, boundary] - fair) < len(kinds)).all()
    assert np.unique(session.accounts).size == session.accounts.size
    if session.handled:
        assert session.mean_wait == pytest.approx((taken.sum(axis=0) * (today - np.arange(today + 1))).sum() / session.handled)


def test_reported_accounts_of_a_day_are_taken_in_the_order_given():
    world, _ = waiting([(3, 0, 0, 0), (3, 0, 0, 0)])
    session = take_up(world, 4, np.array([0.9, 0.1, 0.5, 0.9, 0.5, 0.1, 0.0, 0.0, 0.0]), 1)
    assert session.accounts.tolist() == [1, 2, 0, 5]


def test_appeals_take_reviewers_from_reports():
    """With appeals waiting, fewer reported accounts are reviewed that day."""
    alone, _ = waiting([(3, 0, 0, 0)] * 4)
    shared, _ = waiting([(3, 4, 3, 3)] * 4)
    order = np.zeros(alone.accounts.size)
    assert take_up(alone, 10, order, 3).accounts.size == 10
    assert take_up(shared, 10, order, 3).accounts.size < 5


def test_old_cases_are_not_taken():
    world, _ = waiting([(1, 1, 1, 0)] * 3)
    later = 2 + world.docket.life
    session = take_up(world, 100, np.zeros(world.accounts.size), later)
    assert session.handled == 0
    assert session.first == 3
