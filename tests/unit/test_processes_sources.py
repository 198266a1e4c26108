"""How accounts come into dealers' hands by each channel, what is paid for them, and how word of mouth spreads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.levers import LEVERS, Levers
from sim.luck import Luck, join, words
from sim.processes import acquiring, clearing, registration, renting, turnover, unsealing, verification
from sim.scenario import scenario_from
from sim.world.accounts import ADVERT, BOUGHT, REFERRAL, REGISTERED, RENTED, RETURN, STOLEN, UNSEALED, Claims
from sim.world.dealers import IDLE
from sim.world.entry import catchment_user, dealer_keys, found
from sim.world.registry import winners
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


# registering


@pytest.mark.parametrize(("audit", "evasion"), [(0.0, 0.0), (0.5, 0.0), (0.5, 1.0)])
def test_sign_ups_pass_the_audit_and_need_a_helper_by_the_levers(audit, evasion):
    """Attempts follow effort; one passes with exp(-2u(1 - e/2)); .3 + .7u need a helper; each costs a number."""
    world, luck = world_with(channel=REGISTERED, capacity=6000.0)
    world.dealers.evasion[0] = evasion
    p = world.parameters.registration
    before = world.dealers.cash[0]
    done = registration.sign_up(world, levers(registration_audit=audit, assisted_verification=0.4), luck, DAY)
    n = done.key.size
    assert n == 6000 * p.attempts_per_effort
    assert np.unique(done.key).size == n
    assert within(done.passes.sum(), n, np.exp(-p.audit_strength * audit * (1 - world.parameters.dealer.evasion_shield * evasion)))
    assert within(done.needs.sum(), n, p.verified_base + p.verified_span * 0.4)
    assert before - world.dealers.cash[0] == pytest.approx(n * p.sim_cost_yuan)


def test_a_sign_up_that_needs_a_helper_waits_for_one():
    """It becomes an account if it passes and needs none, or found one; the helper is remembered."""
    attempts = registration.SignUps(
        keys(4), np.array([0, 0, 1, 1]), np.array([True, True, True, False]), np.array([False, True, True, True])
    )
    made = registration.complete(attempts, np.array([42, -1]))
    assert made.key.tolist() == attempts.key[:2].tolist()
    assert made.helper.tolist() == [-1, 42]
    assert (made.channel == REGISTERED).all()


def test_more_sign_ups_are_the_same_ones_and_others():
    """The first attempts keep their luck when the dealer makes more."""
    world, luck = world_with(channel=REGISTERED, capacity=20.0)
    few = registration.sign_up(world, levers(), luck, DAY)
    world.dealers.capacity[0] = 50.0
    many = registration.sign_up(world, levers(), luck, DAY)
    assert many.key[: few.key.size].tolist() == few.key.tolist()
    assert many.passes[: few.key.size].tolist() == few.passes.tolist()


# helpers


def served(world, luck, count, capacity_share=1.0, **strengths):
    """Ask for assists; returns what came of it and the helper of each request."""
    work = np.where(world.recruiters.open[: world.recruiters.size], capacity_share, 0.0)
    done = verification.assist(world, levers(**strengths), luck, DAY, work, [(keys(count), np.zeros(count, dtype=np.int64))])
    return done, done.helpers[0]


def test_helpers_come_from_lasting_catchments_and_help_once_a_day():
    world, luck = world_with()
    done, helper = served(world, luck, 60)
    helpers = helper[helper >= 0]
    assert helpers.size > 10
    assert np.unique(helpers).size == helpers.size
    assert done.by_stall + done.by_task_platform == helpers.size
    touched, rows = world.users.touched, world.users.registry.find(helpers)
    assert (touched.last_assist[rows] == DAY).all()
    sizes = world.recruiters.catchment[: world.recruiters.size].astype(int)
    slots = np.repeat(np.arange(sizes.size), sizes)
    members = np.concatenate([np.arange(size) for size in sizes])
    assert np.isin(helpers, catchment_user(world, luck, slots, members)).all()


@given(data=st.data(), turns=st.integers(1, 4), requests=st.integers(1, 12))
@settings(max_examples=200, derandomize=True)
def test_asking_in_one_step_is_asking_turn_by_turn(data, turns, requests):
    """In each turn the open requests ask one each; whoever agrees helps the lowest key that asks, and nobody else that day."""
    cells = st.lists(st.integers(0, 5), min_size=requests, max_size=requests)
    user = np.array([data.draw(cells) for _ in range(turns)])
    agrees = np.array([data.draw(st.lists(st.booleans(), min_size=requests, max_size=requests)) for _ in range(turns)])
    order = np.array(data.draw(st.permutations(range(requests))))
    expected, helping = np.full(requests, turns), set()
    for turn in range(turns):
        ready = [r for r in np.argsort(order) if expected[r] == turns and agrees[turn, r]]
        for r in ready:
            if user[turn, r] not in helping:
                expected[r] = turn
                helping.add(user[turn, r])
    lots = np.sort(keys(requests))[order]
    assert verification._taken(user, agrees, lots).tolist() == expected.tolist()


def test_steps_of_any_width_serve_the_same_requests(monkeypatch):
    """Many turns in one step, or one after the other: the same places, helpers and counts."""
    found = []
    for width in (0, 10**9):
        monkeypatch.setattr(verification, "_AT_ONCE", width)
        world, luck = world_with(users=12_000_000, helping={"stall_catchment_users": 40.0, "platform_members": 40.0})
        world.recruiters.capacity[:] = 1e6
        done, helper = served(world, luck, 400, helper_cap=0.0)
        found.append((helper.tolist(), done.by_stall, done.wanted, world.market.per_candidate, world.users.touched.last_assist.tolist()))
    assert found[0][:4] == found[1][:4]
    assert sorted(found[0][4]) == sorted(found[1][4])
    assert len({user for user in found[0][0] if user >= 0}) > 50


def test_a_helper_asked_twice_at_once_helps_the_lowest_key():
    """Where few pass by, the same one is asked for many requests: nobody gives two assists on a day."""
    world, luck = world_with(users=12_000_000, helping={"stall_catchment_users": 4.0, "platform_members": 4.0})
    world.recruiters.capacity[:] = 1e6
    _, helper = served(world, luck, 400, helper_cap=0.0)
    found = helper >= 0
    assert np.unique(helper[found]).size == found.sum() > 10
    users, order = np.array([5, 9, 5, 5]), keys(4)
    kept = winners(users, order)
    assert sorted(users[kept]) == [5, 9]
    assert order[kept][users[kept] == 5] == order[users == 5].min()


def test_nobody_at_work_is_no_assist():
    world, luck = world_with()
    done, helper = served(world, luck, 60, capacity_share=0.0)
    assert (helper == -1).all()
    assert (done.wanted, done.offered) == (60, 0.0)
    assert world.market.balances["helpers"] == 0


def test_assists_are_paid_for():
    """The dealer pays the price of each, the recruiter the gift or fee; nothing stays in escrow."""
    world, luck = world_with()
    cash = world.dealers.cash[0]
    done, helper = served(world, luck, 60)
    count = (helper >= 0).sum()
    assert cash - world.dealers.cash[0] == pytest.approx(count * world.market.helper_price)
    p = world.parameters.helping
    assert world.market.balances["helpers"] == pytest.approx(done.by_stall * p.gift_yuan + done.by_task_platform * p.task_fee_yuan)
    assert abs(world.market.balances["escrow"]) < 1e-9


def test_two_assists_make_a_repeat_helper():
    world, _ = world_with()
    users = np.array([3, 4])
    verification._remember(world, users, DAY)
    verification._remember(world, users[:1], DAY + 40)
    rows = world.users.registry.find(users)
    assert world.users.touched.last_assist[rows].tolist() == [DAY + 40, DAY]
    assert world.users.touched.previous_assist[rows][0] == DAY
    assert world.users.touched.previous_assist[rows][1] < -1000


def test_closing_a_pitch_moves_only_its_own_requests():
    """Requests that would go elsewhere go there in every world."""
    world, luck = world_with(users=12_000_000)
    size = world.recruiters.size
    everywhere = np.ones(size)
    all_served = np.ones(500, dtype=bool)
    before = verification._places(luck, DAY, keys(500), world.recruiters.wheel, everywhere, all_served)
    closed = before[0]
    after = verification._places(luck, DAY, keys(500), world.recruiters.wheel, np.where(np.arange(size) == closed, 0.0, 1.0), all_served)
    moved = before != after
    assert np.array_equal(moved, before == closed)
    assert (after[moved] >= 0).all()


# unsealing

ABUSES = ("batch", "scripted", "false_data", "fake_friend", "third_party")


def unsealed(abuse, strictness, count=1000):
    """Let a dealer try to unseal by one abuse alone; returns the world, claims and how many left the pool."""
    prevalence = {f"prevalence_{name}": float(name == abuse) for name in ABUSES[:-1]}
    caught = {f"catch_{name}": float(name == abuse) for name in ABUSES}
    world, luck = world_with(
        channel=UNSEALED, capacity=1e9, unsealing={**prevalence, **caught, "attempts_per_month": 30.0, "pool_decay_per_day": 0.0}
    )
    world.dealers.pool[0] = count
    requests = unsealing.request(world, luck, DAY)
    assert requests.key.size == count
    cash = world.dealers.cash[0]
    made = unsealing.complete(world, levers(unsealing_strictness=strictness), luck, DAY, requests, np.arange(count))
    assert cash - world.dealers.cash[0] == pytest.approx(count * world.parameters.unsealing.attempt_cost_yuan)
    return world, made, count - world.dealers.pool[0]


@pytest.mark.parametrize("abuse", ["batch", "scripted"])
def test_batches_and_scripts_end_in_a_permanent_seal(abuse):
    """Caught: no account, and the sealed ones leave the pool for good."""
    _, made, gone = unsealed(abuse, 1.0)
    assert made.key.size == 0
    assert gone == 1000


@pytest.mark.parametrize("abuse", ["false_data", "fake_friend"])
def test_false_data_and_fake_friends_are_refused(abuse):
    """Caught: no account, and the sealed ones stay in the pool for another attempt."""
    _, made, gone = unsealed(abuse, 1.0)
    assert made.key.size == 0
    assert gone == 0


def test_third_party_platforms_are_sealed_again_days_later():
    """Caught: unsealed with the usual success, sealed again after a few days."""
    world, made, gone = unsealed("third_party", 1.0)
    p = world.parameters.unsealing
    assert within(made.key.size, 1000, p.success_share)
    assert gone == made.key.size
    assert (made.reseal_day == DAY + p.reseal_days).all()
    assert (made.channel == UNSEALED).all()


@pytest.mark.parametrize("abuse", ABUSES)
def test_without_strictness_every_abuse_has_its_usual_success(abuse):
    world, made, gone = unsealed(abuse, 0.0)
    assert within(made.key.size, 1000, world.parameters.unsealing.success_share)
    assert gone == made.key.size
    assert (made.reseal_day == -1).all()


@pytest.mark.parametrize("abuse", ABUSES)
def test_half_the_strictness_catches_half(abuse):
    world, made, gone = unsealed(abuse, 0.5)
    success = world.parameters.unsealing.success_share
    if abuse == "third_party":
        assert within((made.reseal_day > 0).sum(), made.key.size, 0.5)
    else:
        assert within(made.key.size, 1000, 0.5 * success)
        assert within(gone, 1000, 0.5 * success + (0.5 if abuse in ("batch", "scripted") else 0.0))


def test_attempts_need_a_helper_and_a_sealed_account():
    """Without a helper nothing happens and nothing is paid; attempts are bounded by the pool, five a month an account."""
    world, luck = world_with(channel=UNSEALED, capacity=1e6, unsealing={"pool_decay_per_day": 0.0})
    world.dealers.pool[0] = 300
    requests = unsealing.request(world, luck, DAY)
    assert abs(requests.key.size - 300 * world.parameters.unsealing.attempts_per_month / 30) <= 1
    cash = world.dealers.cash[0]
    made = unsealing.complete(world, levers(), luck, DAY, requests, np.full(requests.key.size, -1))
    assert made.key.size == 0
    assert (world.dealers.cash[0], world.dealers.pool[0]) == (cash, 300)
    world.dealers.pool[0] = 0
    assert unsealing.request(world, luck, DAY).key.size == 0


def test_part_of_the_pool_is_given_up():
    world, luck = world_with(200)
    world.dealers.pool[:200] = 100
    unsealing.request(world, luck, DAY)
    share = world.parameters.unsealing.pool_decay_per_day
    assert abs(world.dealers.pool[:200].sum() - 20_000 * (1 - share)) <= LIMIT * np.sqrt(200 / 4) + 1


def test_banned_owners_unseal_themselves():
    """Some try; a friend or a bought scan helps; strictness refuses its share; those helped are free at once."""
    world, luck = world_with(unsealing={"self_attempt_share": 1.0, "self_bought_share": 0.5})
    owners = np.arange(0, 40_000, 10)
    rows = world.users.rows(owners)
    world.users.touched.status[rows], world.users.touched.until[rows] = BANNED, DAY + 14
    world.self_unsealing = owners
    own = unsealing.request_own(world, luck)
    assert np.array_equal(own.user, owners)
    assert world.self_unsealing.size == 0
    helper = np.where(np.arange(own.buys.sum()) % 2, 7, -1)
    flows = unsealing.complete_own(world, levers(unsealing_strictness=0.5), luck, DAY, own, helper)
    free = world.users.free(owners, DAY)
    refused = world.parameters.unsealing.legitimate_refused_share * 0.5
    without = np.flatnonzero(own.buys)[helper < 0]
    assert not free[without].any()
    helped = np.delete(np.arange(owners.size), without)
    assert within(free[helped].sum(), helped.size, 1 - refused)
    assert flows.days_saved == 14 * free.sum()
    assert np.array_equal(np.sort(world.returning.take(DAY, 1)[0]), owners[free])  # their dealers ask them again today


def test_owners_are_marked_and_their_accounts_described():
    world, luck = world_with()
    for channel, status in ((RENTED, RENTING), (BOUGHT, SOLD), (STOLEN, ROBBED)):
        owner = np.arange(10) * 501 + channel
        acquiring.acquire(world, luck, DAY, claims(world, channel, owner))
        assert (world.users.touched.status[world.users.registry.find(owner)] == status).all()
        rows = np.flatnonzero(world.accounts.channel[: world.accounts.size] == channel)
        assert np.array_equal(world.accounts.owner[rows], owner)
        assert np.array_equal(world.accounts.segment[rows], world.population.segment(owner))
        assert np.array_equal(world.accounts.payment[rows], world.population.account(owner)[2])
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
    world.returning.put(DAY, owner)
    world.returning.put(DAY, owner[:2])
    rows = world.users.rows(owner)
    touched = world.users.touched
    touched.status[rows] = BANNED
    touched.status[rows[3]] = LOST
    touched.until[rows] = DAY
    touched.until[rows[0]] = DAY - 3  # freed before and asked then
    touched.asker[rows] = owner % 3
    touched.asker[rows[6]] = -1  # robbed, not lured
    back = renting.return_owners(world, levers(), luck, DAY)
    assert back.owner.tolist() == [9]
    world.returning.put(DAY, owner)
    touched.until[rows[0]], touched.asker[rows[6]] = DAY, 0
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
