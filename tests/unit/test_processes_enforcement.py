"""What sanctions, law and policing do to accounts, owners, dealers and recruiters."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.agents.enforcer import take_up
from sim.levers import LEVERS, Levers
from sim.luck import Luck, join, words
from sim.processes import acquiring, departures, detection, sanctions, turnover
from sim.processes.sanctions import LONG_BAN, PERMANENT, RESTRICTION, SHORT_BAN, ladder
from sim.scenario import scenario_from
from sim.world.accounts import ABANDONED, AUDITED, LIVE, REGISTERED, RENTED, RESEALED, SEIZED, STOLEN, UNSEALED, Claims
from sim.world.entry import dealer_keys, found
from sim.world.users import BANNED, LOST
from sim.world.world import World

DAY = 5
LIMIT = 3.3
QUIET = {"exit_per_day": 0.0, "retire_per_day": 0.0, "entry_per_12_million_day": 0.0}


def levers(**strengths):
    return Levers.of({**{name: lever.standing for name, lever in LEVERS.items()}, **strengths})


def world_with(dealers=1, users=2_000_000, **parameters):
    luck = Luck(7)
    scenario = scenario_from({"name": "hand", "population": {"users": users}}, "hand", Path()).model_copy(
        update={"parameters": {"dealer": QUIET, **parameters}}
    )
    world = World(scenario, luck)
    rows = world.dealers.open_rows(dealers)
    found(world, luck, rows, dealer_keys(luck, -1, np.arange(dealers)), -1)
    return world, luck


def hold(world, luck, channel, owner=None, count=None, dealer=0):
    count = len(owner) if owner is not None else count
    first = world.accounts.size
    made = Claims.of(
        join(words(np.arange(count)), channel, first), channel, np.full(count, dealer), None if owner is None else np.asarray(owner)
    )
    acquiring.acquire(world, luck, 0, made)
    return np.arange(first, world.accounts.size)


# the ladder

STEPS = st.tuples(st.booleans(), st.booleans(), st.integers(0, 300))


def step_of(grave, heavier, strikes):
    return int(ladder(np.array([grave]), np.array([heavier]), np.array([strikes]))[0])


@settings(derandomize=True)
@given(STEPS)
def test_the_ladder_has_four_steps(case):
    assert RESTRICTION <= step_of(*case) <= PERMANENT


@settings(derandomize=True)
@given(STEPS, st.integers(1, 5))
def test_strikes_gravity_and_severity_never_make_a_step_lighter(case, more):
    grave, heavier, strikes = case
    here = step_of(*case)
    assert step_of(grave, heavier, strikes + more) >= here
    assert step_of(True, heavier, strikes) >= here
    assert step_of(grave, True, strikes) >= here


@settings(derandomize=True)
@given(STEPS)
def test_each_strike_is_one_step_until_the_last(case):
    grave, heavier, strikes = case
    here, after = step_of(*case), step_of(grave, heavier, strikes + 1)
    assert after == min(here + 1, PERMANENT)


def test_first_steps():
    """A light first case is a restriction, a grave one a short ban, a grave and heavier one a long ban."""
    assert [step_of(*case, 0) for case in ((False, False), (True, False), (False, True), (True, True))] == [
        RESTRICTION,
        SHORT_BAN,
        SHORT_BAN,
        LONG_BAN,
    ]


@settings(derandomize=True)
@given(st.lists(STEPS, min_size=1, max_size=30))
def test_owners_climb_each_on_their_own(cases):
    together = ladder(*(np.array(column) for column in zip(*cases, strict=True)))
    assert together.tolist() == [step_of(*case) for case in cases]


# what becomes of accounts and owners


def test_a_ban_ends_the_rental_and_the_owner_waits():
    world, luck = world_with(sanction={"owner_permanent_ratio": 0.0})
    rows = hold(world, luck, RENTED, [10, 20, 30])
    world.accounts.fate[rows[:2]] = AUDITED
    sanctions.sanction(world, levers(), luck, DAY)
    departures.release(world, DAY)
    assert world.accounts.owner[: world.accounts.size].tolist() == [30]
    at = world.users.registry.find(np.array([10, 20]))
    assert (world.users.touched.status[at] == BANNED).all()
    until = world.users.touched.until[at]
    for owner, end in zip((10, 20), until, strict=True):
        assert not world.users.free(np.array([owner]), end - 1)[0]
        assert world.users.free(np.array([owner]), end)[0]
    assert world.users.communities.renters.sum() == 1
    noted = {owner: day for day, entries in world.returning.entries.items() for entry in entries for owner in entry[0].tolist()}
    assert noted == dict(zip((10, 20), until.tolist(), strict=True))


def test_a_permanent_loss_is_for_good():
    world, luck = world_with(sanction={"permanent_base": 1.0, "owner_permanent_ratio": 1.0})
    rows = hold(world, luck, RENTED, [10])
    world.accounts.fate[rows] = AUDITED
    flows = sanctions.sanction(world, levers(), luck, DAY)
    assert flows.owners_lost == 1
    assert flows.ban_days == 0
    assert world.users.touched.status[world.users.registry.find(np.array([10]))] == LOST
    assert not world.users.free(np.array([10]), 100_000)[0]
    assert not world.returning.entries


def test_owners_who_left_unsanctioned_are_free():
    """Quitting, recovery, self-report, seizure and an abandoned business leave the owner free and without a strike."""
    world, luck = world_with()
    fates = list(range(RESEALED + 1, ABANDONED + 1))
    rows = hold(world, luck, RENTED, np.arange(len(fates)) * 100)
    world.accounts.fate[rows] = fates
    flows = sanctions.sanction(world, levers(), luck, DAY)
    departures.release(world, DAY)
    assert flows.owners.sum() == flows.detected.sum() == 0
    assert world.users.free(np.arange(len(fates)) * 100, DAY).all()
    assert not world.users.touched.strikes[: world.users.touched.size].any()
    assert not world.users.communities.renters.any()


@pytest.mark.parametrize("fate", range(AUDITED, RESEALED + 1))
def test_every_detection_is_sanctioned(fate):
    world, luck = world_with()
    rows = np.concatenate([hold(world, luck, RENTED, [100]), hold(world, luck, STOLEN, [500]), hold(world, luck, REGISTERED, count=1)])
    world.accounts.fate[rows] = fate
    flows = sanctions.sanction(world, levers(), luck, DAY)
    assert flows.detected.tolist() == [1, 0, 1, 0, 1]
    assert flows.owners.sum() == 2


def test_late_catches_fall_on_their_day():
    """An unsealing caught late is sealed again on the day noted, not before."""
    world, luck = world_with(detection={"threshold": 1e3})
    made = Claims.of(words(np.arange(6)), UNSEALED, np.zeros(6, dtype=np.int64), reseal_day=np.array([8, 8, 9, -1, -1, 8]))
    acquiring.acquire(world, luck, DAY, made)
    for day, fallen in ((7, 0), (8, 3), (9, 1), (10, 0)):
        flows = detection.examine(world, levers(), luck, day)
        assert flows.resealed == fallen
        departures.release(world, day)
    assert world.accounts.size == 2


def test_cases_of_accounts_lapse_with_the_docket():
    """A report that waited longer than the life of a case is dropped; the account goes on."""
    world, luck = world_with()
    rows = hold(world, luck, REGISTERED, count=3)
    life = world.docket.life
    today = 40
    world.accounts.case_day[rows] = [today - life, today - life + 1, -1]
    world.docket.owners = {today - life: np.array([7]), today - life + 1: np.array([8])}
    world.docket.mistaken[today - life] = world.docket.mistaken[today - life + 1] = 1
    detection.report(world, levers(), luck, today, np.zeros(3))
    assert world.accounts.case_day[rows[0]] in (-1, today)
    assert world.accounts.case_day[rows[1]] == today - life + 1
    assert list(world.docket.owners) == [today - life + 1]
    assert world.docket.mistaken[: today - life + 2].tolist()[-2:] == [0, 1]
    assert (world.accounts.fate[rows] == LIVE).all()


def test_a_lapsed_appeal_is_not_taken_up_as_one_of_today():
    """An appeal older than the life of a case waits in no column of the queue."""
    world, _ = world_with()
    today, life = 40, world.docket.life
    world.docket.owners = {today - life: np.array([7]), today: np.array([8, 9])}
    session = take_up(world, Luck(1), 10, today)
    assert session.owners.sum() == 2
    assert world.docket.remove(session.first, session.mistaken, session.innocents, session.owners)[0].tolist() == [8, 9]


# dealers


def test_an_arrest_seizes_the_accounts_and_the_money():
    """On the day a case ends the dealer is out, the accounts are seized, owners get theirs back, others' go on."""
    world, luck = world_with(2, sanction={"legal_dealer": 0.0})
    theirs = np.concatenate([hold(world, luck, RENTED, [10, 20]), hold(world, luck, REGISTERED, count=3)])
    others = hold(world, luck, RENTED, [5_000], dealer=1)
    world.dealers.arrest_day[0] = DAY
    assert turnover.turn_over_dealers(world, levers(), luck, DAY - 1).arrests == 0
    flows = turnover.turn_over_dealers(world, levers(), luck, DAY)
    assert flows.arrests == 1
    assert flows.left.tolist() == [0]
    assert (world.accounts.fate[theirs] == SEIZED).all()
    assert (world.accounts.fate[others] == LIVE).all()
    assert world.dealers.rows().tolist() == [1]
    assert world.dealers.cash[0] == 0
    assert world.market.balances["dealers"] == pytest.approx(world.dealers.cash[1])
    exits = departures.release(world, DAY)
    assert exits.by_dealer[0].sum() == 5
    assert world.users.free(np.array([10, 20]), DAY).all()
    assert not world.users.free(np.array([5_000]), DAY)[0]


def test_losers_leave_and_abandon_their_accounts():
    """Debts beyond the limit end a business at once; a shortfall against the reserve ends it by and by; profit never does."""
    count = 6_000
    world, luck = world_with(count, dealer={**QUIET, "exit_per_day": 0.1})
    reserve = world.parameters.dealer.reserve_yuan
    third = count // 3
    world.dealers.profit[:count] = np.repeat([2 * reserve, 0.5 * reserve, 2 * reserve], third)
    debts = np.zeros(world.dealers.size)
    debts[2 * third : count] = world.parameters.dealer.bankrupt_yuan + world.parameters.dealer.start_cash_yuan + 100
    world.market.transfer("dealers", "outside", debts)
    rows = hold(world, luck, RENTED, [10], dealer=count - 1)
    left = turnover.turn_over_dealers(world, levers(legal_certainty=0.0), luck, DAY).left
    assert not (left < third).any()
    assert np.isin(np.arange(2 * third, count), left).all()
    share = ((left >= third) & (left < 2 * third)).sum()
    assert abs(share - 0.05 * third) < LIMIT * np.sqrt(third * 0.05 * 0.95)
    assert world.accounts.fate[rows] == ABANDONED


def test_newcomers_follow_the_profit_of_incumbents():
    """Poisson with rate x millions / 12 x clip((profit - 150)/150, 0, limit); none below the reserve."""
    world, luck = world_with(users=12_000_000, dealer={**QUIET, "entry_per_12_million_day": 2.0})
    reserve, limit = world.parameters.dealer.reserve_yuan, world.parameters.dealer.entry_limit
    world.dealers.profit[0] = 1e6
    for profit, mean in ((0.5 * reserve, 0.0), (reserve, 0.0), (1.5 * reserve, 1.0), (1e9, 2.0 * limit)):
        came = []
        for day in range(200):
            world.market.realised_profit = profit
            rows = turnover.turn_over_dealers(world, levers(), luck, day).came
            came.append(rows.size)
            assert (world.dealers.entered[rows] == day).all()
            assert (world.dealers.cash[rows] == world.parameters.dealer.start_cash_yuan).all()
            world.dealers.profit[rows] = 1e6
        assert abs(np.mean(came) - mean) <= LIMIT * np.sqrt(mean / 200)


# recruiters


def test_policing_closes_scan_teams_for_a_week_at_a_loss():
    """Each team at work with .03u a day, out for 7 days, fined; platforms are not concerned."""
    world, luck = world_with(users=200_000_000)
    recruiters = world.recruiters
    n, stalls = recruiters.size, recruiters.stalls
    recruiters.open[:n] = True
    flows = turnover.turn_over_recruiters(world, levers(stall_policing=1.0, task_platform_takedown=0.0), luck, DAY)
    p = world.parameters.helping
    closed = recruiters.closed_until[:n] > DAY
    assert flows.stalls_closed == closed.sum()
    assert flows.platforms_closed == 0
    assert not closed[stalls:].any()
    assert abs(closed.sum() - stalls * p.stall_closure_per_day) < LIMIT * np.sqrt(stalls * p.stall_closure_per_day)
    assert (recruiters.closed_until[:n][closed] == DAY + 1 + p.stall_closed_days).all()
    assert np.allclose(recruiters.cash[:n][closed], -p.stall_fine_yuan)
    assert world.market.balances["law"] == pytest.approx(closed.sum() * p.stall_fine_yuan)


def test_takedown_loses_the_member_list_which_grows_back():
    world, luck = world_with(users=400_000_000, helping={"entry_per_day": 0.0, "exit_per_day": 0.0})
    recruiters = world.recruiters
    n = recruiters.size
    recruiters.open[:n] = True
    keys = recruiters.key[:n].copy()
    flows = turnover.turn_over_recruiters(world, levers(stall_policing=0.0, task_platform_takedown=1.0), luck, DAY)
    p = world.parameters.helping
    down = recruiters.key[:n] != keys
    assert flows.platforms_closed == down.sum() > 0
    assert not down[: recruiters.stalls].any()
    assert abs(down.sum() - recruiters.platforms * p.platform_closure_per_day) < LIMIT * np.sqrt(
        recruiters.platforms * p.platform_closure_per_day
    )
    assert (recruiters.catchment[:n][down] == 0).all()
    for day in range(1, 200):
        turnover.turn_over_recruiters(world, levers(stall_policing=0.0, task_platform_takedown=0.0), luck, DAY + day)
        if day == 10:
            assert np.allclose(recruiters.catchment[:n][down], 10 * p.platform_rebuild_per_day * p.platform_members)
    assert (recruiters.catchment[:n][down] == p.platform_members).all()


def test_recruiters_come_by_profit_and_leave_by_loss():
    world, luck = world_with(users=400_000_000)
    recruiters = world.recruiters
    n, p = recruiters.size, world.parameters.helping
    recruiters.open[:n] = np.arange(n) % 2 == 0
    still = levers(stall_policing=0.0, task_platform_takedown=0.0)
    recruiters.profit[:n] = 2 * p.reserve_yuan
    recruiters.today[:n] = 2 * p.reserve_yuan
    before = recruiters.open[:n].copy()
    turnover.turn_over_recruiters(world, still, luck, DAY)
    assert (recruiters.open[:n] >= before).all()
    came = (recruiters.open[:n] & ~before)[: recruiters.stalls].sum()
    free = (~before)[: recruiters.stalls].sum()
    assert abs(came - 2 * p.entry_per_day * free) < LIMIT * np.sqrt(2 * p.entry_per_day * free)
    recruiters.profit[:n] = recruiters.today[:n] = -p.reserve_yuan
    before = recruiters.open[:n].copy()
    turnover.turn_over_recruiters(world, still, luck, DAY + 1)
    assert (recruiters.open[:n] <= before).all()
    gone = (before & ~recruiters.open[:n]).sum()
    assert abs(gone - p.exit_per_day * before.sum()) < LIMIT * np.sqrt(p.exit_per_day * before.sum())
