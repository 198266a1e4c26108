"""Who decides: dealers, recruiters, helpers and reviewers; and the prices that answer to what dealers do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sim.agents.dealer import advert_weights, beliefs, due, expected_profit, plan
from sim.agents.enforcer import take_up
from sim.agents.recruiter import work
from sim.agents.user import helps, may_help
from sim.levers import LEVERS, Levers
from sim.luck import Luck
from sim.processes import learning
from sim.scenario import scenario_from
from sim.world.accounts import REGISTERED, RENTED, UNSEALED
from sim.world.dealers import IDLE
from sim.world.entry import dealer_keys, found
from sim.world.start import first_experience
from sim.world.world import World


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


def test_plans_are_a_logit_on_expected_profit_with_idleness():
    """Log odds of two channels are beta times the difference in expected profit, but for the tremble."""
    world, rows = world_with(4, dealer={"tremble": 0.0, "choice_weight": 0.01}, unsealing={"attempts_per_month": 1e9})
    world.dealers.evasion[rows] = [0.0, 0.3, 0.6, 1.0]
    shares = plan(world, rows).shares
    profit = np.column_stack([expected_profit(world, rows), np.full(4, world.parameters.dealer.outside_yuan)])
    assert np.allclose(np.log(shares[:, 1:] / shares[:, :1]), 0.01 * (profit[:, 1:] - profit[:, :1]))
    assert np.allclose(shares.sum(axis=1), 1)


def test_without_weight_on_profit_all_channels_are_equal():
    world, rows = world_with(dealer={"choice_weight": 0.0}, unsealing={"attempts_per_month": 1e9})
    assert np.allclose(plan(world, rows).shares, 1 / (IDLE + 1))


def test_tremble_keeps_every_channel_tried():
    world, rows = world_with(dealer={"choice_weight": 1e3, "tremble": 0.06}, unsealing={"attempts_per_month": 1e9})
    shares = plan(world, rows).shares[0]
    assert np.allclose(np.sort(shares)[:-1], 0.01)
    assert shares[np.argmax(expected_profit(world, rows)[0])] == pytest.approx(0.95)


def test_unsealing_is_bounded_by_the_pool_and_the_rest_goes_to_others():
    world, rows = world_with(2, dealer={"choice_weight": 0.0})
    p = world.parameters.unsealing
    world.dealers.capacity[rows] = 30.0
    world.dealers.pool[rows] = [0, 24]
    shares = plan(world, rows).shares
    assert shares[0, UNSEALED] == 0
    assert shares[1, UNSEALED] == pytest.approx(24 * p.attempts_per_month / 30 / (30 * p.attempts_per_effort))
    assert np.allclose(shares.sum(axis=1), 1)
    others = np.delete(shares, UNSEALED, axis=1)
    assert np.allclose(others, others[:, :1])


def test_profit_falls_with_hazard_and_rises_with_conversion_and_price():
    world, rows = world_with()
    before = expected_profit(world, rows)[0]
    world.market.price *= 1.2
    assert (expected_profit(world, rows)[0] > before).all()
    world.market.price /= 1.2
    world.dealers.exits[rows], world.dealers.at_risk[rows] = 500.0, 500.0
    assert (expected_profit(world, rows)[0] < before).all()
    world.dealers.exits[rows] = world.dealers.at_risk[rows] = 0.0
    world.dealers.tries[rows] = 1e6
    assert (beliefs(world, rows)[1] < 1e-2).all()
    world.dealers.tries[rows] = 0.0
    assert np.allclose(expected_profit(world, rows)[0], before)
    world.market.commission *= 2
    after = expected_profit(world, rows)[0]
    assert after[RENTED] < before[RENTED]
    assert np.allclose(np.delete(after, RENTED), np.delete(before, RENTED))
    world.market.commission /= 2
    world.market.helper_price *= 2
    after = expected_profit(world, rows)[0]
    assert (after[:RENTED] < before[:RENTED]).all()
    assert np.allclose(after[RENTED:], before[RENTED:])


def test_beliefs_are_own_experience_shrunk_to_the_markets():
    """With no experience the market's hazard; with much the dealer's own; the prior weighs 33 account-days."""
    world, rows = world_with(3)
    weight, pooled = world.parameters.dealer.prior_weight, world.market.hazards()[REGISTERED]
    world.dealers.at_risk[rows, REGISTERED] = [0.0, weight, 1e9]
    world.dealers.exits[rows, REGISTERED] = [0.0, weight * 0.5, 0.5e9]
    hazard = beliefs(world, rows)[0][:, REGISTERED]
    assert np.allclose(hazard, [pooled, (pooled + 0.5) / 2, 0.5])


def test_adverts_follow_whom_the_message_has_not_reached():
    """Shares go to audience x conversion seen, and exploration keeps every segment in view."""
    world, rows = world_with()
    start = advert_weights(world, rows)[0]
    assert start.sum() == pytest.approx(1)
    world.dealers.shown[rows] = 1e6
    world.dealers.recruits[rows] = [[1e3, 1e3, 1e3, 0.0]]
    weights = advert_weights(world, rows)[0]
    shares = world.population.shares
    assert weights[3] < 1.05 * world.parameters.renting.exploration * shares[3] + 0.01
    assert np.allclose(weights[:3] / shares[:3], (weights[:3] / shares[:3])[0], rtol=1e-2)


def test_each_dealer_reviews_once_a_week():
    world, rows = world_with(200)
    reviews = [set(due(world, day).tolist()) for day in range(7)]
    assert set().union(*reviews) == set(rows.tolist())
    assert sum(map(len, reviews)) == 200
    assert min(map(len, reviews)) > 10
    assert set(due(world, 7).tolist()) == reviews[0]


def test_evasion_drifts_to_its_target_and_jumps_after_a_shock():
    """One step of the drift a day towards clip(3 x hazard); losses above twice the believed hazard add a jump; frozen dealers keep it."""
    world, rows = world_with(3)
    p = world.parameters.dealer
    dealers = world.dealers
    nothing, segments = np.zeros((dealers.size, 5)), np.zeros((dealers.size, 4))
    held = nothing.copy()
    held[rows, REGISTERED] = 300
    quiet, lost = (learning.Experience(held, exits, nothing, nothing, segments, segments, np.zeros(2)) for exits in (nothing, held))
    target = min(1.0, p.evasion_target * world.market.hazards()[REGISTERED])
    dealers.evasion[rows] = [0.0, target, 1.0]
    learning.adapt(world, quiet, frozen=False)
    assert np.allclose(dealers.evasion[rows], [min(target, p.evasion_drift), target, 1.0 - p.evasion_drift])
    before = dealers.evasion[rows].copy()
    learning.adapt(world, lost, frozen=True)
    assert np.array_equal(dealers.evasion[rows], before)
    learning.adapt(world, lost, frozen=False)
    jumped = dealers.evasion[rows] - before
    assert (jumped[:2] > p.evasion_drift).all()
    assert (dealers.evasion[rows] <= 1).all()


def test_experience_fades_and_adds_up_for_dealer_and_market():
    world, rows = world_with(2)
    dealers, market, keep = world.dealers, world.market, world.parameters.dealer.memory
    before = market.exits.copy()
    table, segments = np.arange(10.0).reshape(2, 5), np.arange(8.0).reshape(2, 4)
    for _ in range(2):
        learning.remember(world, learning.Experience(table * 2, table, table, table * 3, segments, segments * 9, np.array([4.0, 5.0])))
    assert np.allclose(dealers.exits[rows], table * (1 + keep))
    assert np.allclose(dealers.at_risk[rows], 2 * table * (1 + keep))
    assert np.allclose(dealers.tries[rows], 3 * table * (1 + keep))
    assert np.allclose(dealers.shown[rows], 9 * segments * (1 + keep))
    assert np.allclose(market.exits, before * keep**2 + table.sum(axis=0) * (1 + keep))


@pytest.mark.parametrize(("wanted", "offered"), [(10.0, 5.0), (5.0, 10.0), (7.0, 7.0), (0.0, 0.0)])
def test_the_price_of_an_assist_moves_with_excess_demand(wanted, offered):
    world, _ = world_with()
    before = world.market.helper_price
    learning.reprice(world, 0.0, wanted, offered)
    assert np.sign(world.market.helper_price - before) == np.sign(wanted - offered)


def test_prices_stop_at_their_clips():
    world, _ = world_with()
    market, p = world.market, world.parameters
    for demand, supply, price, assists in (
        (1.0, 0.0, p.market.price_ceiling_yuan, p.helping.price_ceiling_yuan),
        (0.0, 1.0, p.market.price_floor_yuan, p.helping.price_floor_yuan),
    ):
        market.demand, market.supply, market.utilisation = demand, supply, demand
        for _ in range(500):
            learning.reprice(world, 0.0, demand, supply)
        assert (market.price, market.helper_price) == (price, assists)
        value = p.renting.psi * price * demand * world.traits.quality[RENTED]
        assert market.commission == pytest.approx(np.clip(value, p.renting.commission_floor_yuan, p.renting.commission_ceiling_yuan))


def test_the_asked_price_rises_with_volume():
    """No infinitely elastic way out: 280 (B/B0)^(1/eta), B a moving mean."""
    world, _ = world_with()
    t = world.parameters.trading
    asked = []
    for volume in (1.0, 2.0, 4.0):
        for _ in range(400):
            learning.reprice(world, volume * t.reference_per_million_day, 0.0, 0.0)
        asked.append(world.market.purchase_price)
    assert np.allclose(asked, t.asked_yuan * np.array([1.0, 2.0, 4.0]) ** (1 / t.supply_elasticity))


def test_who_closed_teaches_nobody():
    """Seized and abandoned accounts are no detections: neither dealer nor market remembers that day of theirs."""
    world, rows = world_with(2)
    world.dealers.active[rows[0]] = False
    before, keep = world.market.exits.copy(), world.parameters.dealer.memory
    table, segments = np.full((2, 5), 9.0), np.zeros((2, 4))
    learning.remember(world, learning.Experience(table, table, table, table, segments, segments, np.zeros(2)))
    assert not world.dealers.exits[rows[0]].any()
    assert (world.dealers.exits[rows[1]] == 9.0).all()
    assert np.allclose(world.market.exits, before * keep + 9.0)


def levers(**strengths):
    return Levers.of({**{name: lever.standing for name, lever in LEVERS.items()}, **strengths})


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
    session = take_up(world, Luck(seed), capacity, today)
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
        assert (np.abs(taken[:, boundary] - fair) < 1).all()
    assert np.unique(session.accounts).size == session.accounts.size
    if session.handled:
        assert session.mean_wait == pytest.approx((taken.sum(axis=0) * (today - np.arange(today + 1))).sum() / session.handled)


def test_reported_accounts_of_a_day_are_taken_in_any_order():
    world, _ = waiting([(3, 0, 0, 0), (3, 0, 0, 0)])
    last = []
    for seed in range(300):
        taken = take_up(world, Luck(seed), 4, 1).accounts.tolist()
        assert sorted(taken[:3]) == [0, 1, 2]
        last.append(taken[3])
    assert stats.chisquare(np.bincount(last, minlength=6)[3:]).pvalue > 1e-3


def test_appeals_take_reviewers_from_reports():
    """With appeals waiting, fewer reported accounts are reviewed that day."""
    alone, _ = waiting([(3, 0, 0, 0)] * 4)
    shared, _ = waiting([(3, 4, 3, 3)] * 4)
    assert take_up(alone, Luck(1), 10, 3).accounts.size == 10
    assert take_up(shared, Luck(1), 10, 3).accounts.size < 5


def test_old_cases_are_not_taken():
    world, _ = waiting([(1, 1, 1, 0)] * 3)
    later = 2 + world.docket.life
    session = take_up(world, Luck(1), 100, later)
    assert session.handled == 0
    assert session.first == 3
