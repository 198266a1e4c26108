"""Shares, waits and ways of sanctions, appeals and the law."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from sim.agents.enforcer import Session
from sim.processes import sanctions, turnover
from sim.world.accounts import AUDITED, FRAUD, REGISTERED, RENTED, STOLEN, UNSEALED, VICE
from sim.world.users import BANNED, LOST

LIMIT = 3.3
N = 4000
DAY = 10


def fallen(tools, channel=RENTED, count=N, **parameters):
    """Return a world in which `count` accounts of a channel were detected today."""
    made, luck = tools.world(parameters=parameters)
    rows = tools.hold(made, luck, channel, count)
    made.accounts.fate[rows] = AUDITED
    return made, luck, rows


def within(count, n, share):
    """Say whether a count is binomial."""
    return abs(count - n * share) <= LIMIT * np.sqrt(n * share * (1 - share))


@pytest.mark.parametrize("channel", [REGISTERED, UNSEALED])
@pytest.mark.parametrize("severity", [0.0, 0.5, 1.0])
def test_dealer_made_accounts_are_sealed_and_some_come_back_to_the_pool(tools, channel, severity):
    """P(permanent) = .2 + .6u; the others wait in the dealer's pool, up to its cap."""
    made, luck, _ = fallen(tools, channel, unsealing={"pool_cap": 1e6})
    flows = sanctions.sanction(made, tools.levers(sanction_severity=severity), luck, DAY)
    p = made.parameters.sanction
    assert within(made.dealers.pool[0], N, 1 - p.permanent_base - p.permanent_span * severity)
    assert flows.detected[channel] == N == flows.detected.sum()
    assert not flows.owners.any()


def test_the_pool_has_a_cap(tools):
    made, luck, _ = fallen(tools, REGISTERED)
    sanctions.sanction(made, tools.levers(), luck, DAY)
    assert made.dealers.pool[0] == made.parameters.unsealing.pool_cap


def test_owners_climb_the_ladder(tools):
    """Status, end of ban and strikes follow the step; a second sanction is one step higher."""
    made, luck, rows = fallen(tools, sanction={"permanent_base": 0.0, "permanent_span": 0.0})
    p = made.parameters.sanction
    owner = made.accounts.owner[rows]
    at = made.users.rows(owner)
    touched = made.users.touched
    grave = np.isin(made.accounts.use[rows], (FRAUD, VICE))
    flows = sanctions.sanction(made, tools.levers(sanction_severity=0.0), luck, DAY)
    days = np.where(grave, p.short_ban_days, p.restriction_days)
    assert np.array_equal(touched.until[at] - DAY, days)
    assert (touched.status[at] == BANNED).all()
    assert (touched.strikes[at] == 1).all()
    assert flows.owners_repeat == flows.owners_lost == 0
    assert flows.ban_days == days.sum()
    flows = sanctions.sanction(made, tools.levers(sanction_severity=1.0), luck, DAY)
    lost = touched.status[at] == LOST
    assert np.array_equal(lost, grave), "grave, heavier and one strike make a permanent loss"
    assert (touched.until[at][~lost] == DAY + p.long_ban_days).all()
    assert flows.owners_repeat == N
    assert flows.owners_lost == lost.sum()
    assert np.array_equal(np.bincount(made.population.segment(owner), minlength=4), flows.owners)


def test_severity_makes_first_steps_heavier_and_losses_frequent(tools):
    shares = []
    for severity in (0.0, 0.5, 1.0):
        made, luck, rows = fallen(tools)
        sanctions.sanction(made, tools.levers(sanction_severity=severity), luck, DAY)
        p = made.parameters.sanction
        status = made.users.touched.status[made.users.rows(made.accounts.owner[rows])]
        assert within((status == LOST).sum(), N, (p.permanent_base + p.permanent_span * severity) * p.owner_permanent_ratio)
        shares.append((made.users.touched.until[made.users.rows(made.accounts.owner[rows])] - DAY).sum())
    assert shares[0] < shares[1] < shares[2]


def test_a_sanction_is_remembered_by_owner_and_community_and_fades(tools):
    made, luck, rows = fallen(tools, count=20)
    owner = made.accounts.owner[rows]
    neighbour = owner - owner % 50 + (owner + 1) % 50
    base = made.users.perceived_risk(owner, DAY)
    assert np.ptp(base) == 0
    sanctions.sanction(made, tools.levers(), luck, DAY)
    p = made.parameters.awareness
    near = made.users.perceived_risk(neighbour, DAY) - base
    own = made.users.perceived_risk(owner, DAY) - base
    assert (near >= p.community_ban_risk * 0.999).all()
    assert np.allclose(own - near, p.own_ban_risk, rtol=1e-5)
    later = DAY + int(p.risk_half_life_days)
    assert np.allclose(made.users.perceived_risk(owner, later) - base, own / 2, rtol=1e-5)
    assert np.allclose(made.users.perceived_risk(owner + 50 * 4001, DAY), base)


def test_owners_appeal_and_few_are_upheld(tools):
    """A tenth of sanctioned owners appeal; of those reviewed, the stated share get the account back."""
    made, luck, _ = fallen(tools)
    flows = sanctions.sanction(made, tools.levers(), luck, DAY)
    p = made.parameters.sanction
    assert within(flows.owner_appeals, N, p.appeal_owner)
    appeals = made.docket.owners[DAY].copy()
    assert appeals.size == flows.owner_appeals
    made.docket.innocents[DAY] = 300
    made.docket.mistaken[DAY] = 200
    span = DAY + 1
    at_day = np.eye(span, dtype=np.int64)[DAY]
    session = Session(np.zeros(0, dtype=np.int64), 0, 150 * at_day, 100 * at_day, (appeals.size - 20) * at_day, 0, 0.0)
    decided = sanctions.decide_cases(made, luck, DAY, session)
    free = made.users.free(appeals, DAY + 1)
    assert not free[-20:].any()
    assert within(free[:-20].sum(), appeals.size - 20, p.upheld_owner)
    assert np.array_equal(np.sort(made.returning.take(DAY + 1, 1)[0]), np.sort(appeals[free]))  # asked again the day after
    assert abs(decided.upheld - free.sum() - 100 * p.upheld_innocent) < 1
    assert (made.docket.mistaken[DAY], made.docket.innocents[DAY], made.docket.owners[DAY].size) == (50, 200, 20)
    assert 0 <= decided.innocents_sanctioned <= 150


def test_innocents_appeal_by_the_stated_share(tools):
    made, luck = tools.world()
    filed = [sanctions.appeal(made, luck, day, 7) for day in range(60)]
    assert abs(np.mean(filed) - 7 * made.parameters.sanction.appeal_innocent) < LIMIT * 0.5 / np.sqrt(60)
    assert made.docket.innocents[:60].tolist() == filed


def test_owners_cases_take_sixty_to_a_hundred_and_eighty_days(tools):
    """With certainty 1 and a case for every spell: every rented owner is tried, robbed ones are not; durations are uniform."""
    made, luck, _ = fallen(tools, sanction={"legal_owner": 1.0})
    robbed = tools.hold(made, luck, STOLEN, 100)
    made.accounts.fate[robbed] = AUDITED
    sanctions.sanction(made, tools.levers(legal_certainty=1.0), luck, DAY)
    p = made.parameters.sanction
    waits = np.concatenate([np.full(entry[0].size, day - DAY) for day, entries in made.legal_cases.entries.items() for entry in entries])
    assert waits.size == N
    assert waits.min() >= p.case_days_low
    assert waits.max() < p.case_days_high
    assert stats.kstest((waits + 0.5 - p.case_days_low) / (p.case_days_high - p.case_days_low), "uniform").pvalue > 1e-3
    ended = [sanctions.verdicts(made, day)[0].sum() for day in range(DAY, DAY + 200)]
    assert sum(ended) == N
    assert not any(ended[: int(p.case_days_low)])
    assert not made.legal_cases.entries


def test_certainty_sets_the_share_of_cases(tools):
    made, luck, _ = fallen(tools, sanction={"legal_owner": 0.4})
    sanctions.sanction(made, tools.levers(legal_certainty=0.5), luck, DAY)
    cases = sum(entry[0].size for entries in made.legal_cases.entries.values() for entry in entries)
    assert within(cases, N, 0.2)


def test_dealers_cases_open_by_certainty_and_end_in_time(tools):
    """Each dealer's case opens with .001u a day and ends 60 to 180 days later; a dealer has one case at a time."""
    made, luck = tools.world(dealers=N, parameters={"dealer": tools.nobody_leaves, "sanction": {"legal_dealer": 0.3}})
    made.dealers.profit[:N] = 1e6
    turnover.turn_over_dealers(made, tools.levers(legal_certainty=0.5), luck, DAY)
    first = made.dealers.arrest_day[:N].copy()
    assert within((first >= 0).sum(), N, 0.15)
    p = made.parameters.sanction
    waits = first[first >= 0] - DAY
    assert waits.min() >= p.case_days_low
    assert waits.max() < p.case_days_high
    turnover.turn_over_dealers(made, tools.levers(legal_certainty=1.0), luck, DAY + 1)
    assert np.array_equal(made.dealers.arrest_day[:N][first >= 0], first[first >= 0])


def test_repeat_helpers_are_sanctioned_by_share_and_step_by_step(tools):
    """Two assists in the window and a link to a fallen account: .5u; restriction, short, long ban; single helpers never."""
    made, luck, rows = fallen(tools, REGISTERED, count=3000, helping={"honest_link_share": 0.0})
    helper = np.arange(3000) * 7
    made.accounts.helper[rows] = helper
    at = made.users.rows(helper)
    touched = made.users.touched
    touched.last_assist[at] = DAY
    touched.previous_assist[at[:2000]] = DAY - int(made.parameters.helping.repeat_window_days)
    touched.previous_assist[at[2000:2500]] = DAY - int(made.parameters.helping.repeat_window_days) - 1
    p = made.parameters.sanction
    strikes = np.zeros(3000, dtype=int)
    for day, length in enumerate((p.restriction_days, p.short_ban_days, p.long_ban_days, p.long_ban_days), start=DAY):
        touched.helper_strikes[at] = strikes = np.full(3000, min(day - DAY, sanctions.LONG_BAN))
        touched.previous_assist[at] += day > DAY
        flows = sanctions.trace_helpers(made, tools.levers(helper_sanctions=0.8), luck, day, 0.0)
        hit = touched.helper_until[at] == day + length
        assert flows.sanctioned == hit.sum()
        assert within(hit[:2000].sum(), 2000, made.parameters.helping.sanction_rate * 0.8)
        assert not hit[2000:].any()
        assert np.array_equal(touched.helper_strikes[at], np.minimum(strikes + hit, sanctions.LONG_BAN))


def test_helpers_of_live_accounts_are_not_traced(tools):
    made, luck = tools.world()
    rows = tools.hold(made, luck, REGISTERED, 50)
    made.accounts.helper[rows] = np.arange(50)
    at = made.users.rows(np.arange(50))
    made.users.touched.previous_assist[at] = DAY - 1
    assert sanctions.trace_helpers(made, tools.levers(helper_sanctions=1.0), luck, DAY, 0.0).sanctioned == 0
