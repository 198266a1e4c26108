"""Luck of what happens once does not hang on the day, which policies move; lots for a life keep the distribution of lots a day.

Verdicts, appeals, returns and careers in used rows are parts of cases 4 and 19.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from sim.processes import acquiring, detection, sanctions, turnover, unsealing
from sim.world.accounts import AUDITED, REGISTERED, RENTED, Claims
from sim.world.users import BANNED

N = 3000
LEAST_P = 1e-3
DAYS = (40, 47)


@pytest.fixture
def held(tools):
    """Worlds with the same accounts, one a day of `DAYS`."""

    def make(channel, count=N):
        worlds = []
        for day in DAYS:
            made, luck = tools.world()
            worlds.append((made, luck, tools.hold(made, luck, channel, count), day))
        return worlds

    return make


def test_an_account_more_moves_only_the_batch_that_it_falls_into(tools):
    """Two accounts beside it are mates in both worlds or in neither, and so are all that a policy does not bring or take."""
    made, luck = tools.world()
    rows = tools.hold(made, luck, REGISTERED, 400)
    key, whole = made.accounts.key[rows].copy(), made.accounts.cluster[rows].copy()
    for gone in (0, 57, 200, 399):
        less, its_luck = tools.world()
        stay = np.delete(np.arange(400), gone)
        acquiring.acquire(less, its_luck, 0, Claims.of(key[stay], REGISTERED, np.zeros(399, dtype=np.int64)), acquired=np.zeros(399))
        mates = np.diff(less.accounts.cluster[:399]) == 0
        expected = np.diff(whole[stay]) == 0
        assert (mates != expected).sum() <= 1
        assert np.flatnonzero(mates != expected).tolist() in ([], [gone - 1])


def test_a_detected_owner_meets_the_same_sanction_whenever(tools, held):
    """Step, appeal, case of law; and dealer-made accounts are sealed for good or not."""
    found, appeals = [], []
    for made, luck, rows, day in held(RENTED):
        made.accounts.fate[rows] = AUDITED
        flows = sanctions.sanction(made, tools.levers(), luck, day)
        at = made.users.registry.find(made.accounts.owner[rows])
        cases = sorted(
            (end - day, owner) for end, entries in made.legal_cases.entries.items() for owners, _ in entries for owner in owners.tolist()
        )
        appeals.append(made.docket.owners[day].tolist())
        found.append(
            (made.users.touched.status[at], made.users.touched.until[at] - day * (made.users.touched.status[at] == BANNED), flows, cases)
        )
    (status, until, flows, cases), (other_status, other_until, other_flows, other_cases) = found
    assert np.array_equal(status, other_status)
    assert np.array_equal(until[status == BANNED], other_until[status == BANNED])
    assert flows.owner_appeals == other_flows.owner_appeals > 0
    assert appeals[0] == appeals[1]
    assert cases == other_cases
    assert len(cases) > 0
    pools = []
    for made, luck, rows, day in held(REGISTERED, 300):
        made.accounts.fate[rows] = AUDITED
        sanctions.sanction(made, tools.levers(), luck, day)
        pools.append(made.dealers.pool.tolist())
    assert pools[0] == pools[1]


def test_helpers_tried_twice_have_cases_of_their_own_length(tools):
    lengths = []
    for day in DAYS:
        made, luck = tools.world(parameters={"sanction": {"legal_helper": 1.0}})
        rows = tools.hold(made, luck, REGISTERED, N)
        helpers = made.users.rows(np.arange(N))
        made.accounts.helper[rows] = np.arange(N)
        made.accounts.fate[rows] = AUDITED
        made.users.touched.previous_assist[helpers] = day - 5
        sanctions.trace_helpers(made, tools.levers(legal_certainty=1.0), luck, day, 0.0)
        ends = {helper: end - day for end, entries in made.helper_cases.entries.items() for (who,) in entries for helper in who.tolist()}
        lengths.append([ends[helper] for helper in range(N)])
    assert np.mean(np.array(lengths[0]) == np.array(lengths[1])) < 0.1


def test_own_requests_do_not_hang_on_the_day(tools, held):
    found = []
    for made, luck, rows, day in held(RENTED):
        made.accounts.fate[rows] = AUDITED
        sanctions.sanction(made, tools.levers(), luck, day)
        own = unsealing.request_own(made, luck)
        unsealing.complete_own(made, tools.levers(unsealing_strictness=1.0), luck, day + 1, own, own.user[own.buys])
        freed = made.users.touched.until[made.users.registry.find(own.user)] == day + 1
        assert 0 < freed.sum() < freed.size
        found.append((own.user.tolist(), own.key.tolist(), own.buys.tolist(), freed.tolist()))
    assert found[0] == found[1]
    assert len(found[0][0]) > 0


def test_lives_under_audit_are_geometric_and_a_higher_hazard_ends_each_no_later(tools):
    """One lot an account: under a hazard a tenth higher every account is caught on the same day or before."""
    caught = []
    for audit in (0.0, 0.1):
        made, luck = tools.world()
        rows = tools.hold(made, luck, REGISTERED, N)
        made.accounts.use[rows] = 0
        made.dealers.evasion[:] = 0.0
        day_of = np.full(rows.size, -1)
        for day in range(400):
            detection.examine(made, tools.levers(account_audit=audit), luck, day)
            new = (made.accounts.fate[rows] == AUDITED) & (day_of < 0)
            day_of[new] = day
        assert (day_of >= 0).mean() > 0.95
        caught.append(day_of)
        p = made.parameters.detection
        signal = made.traits.cover[REGISTERED] + made.traits.use_cover[0]
        hazard = float(p.audit_rate * stats.norm.cdf(signal - p.threshold + audit))
        within = day_of[(day_of >= 0) & (day_of < 40)]
        seen = np.bincount(within // 4, minlength=10)
        edges = 1.0 - (1.0 - hazard) ** np.arange(0, 41, 4)
        share = np.diff(edges)
        chi = stats.chisquare(np.append(seen, N - seen.sum()), np.append(share, 1 - share.sum()) * N)
        assert chi.pvalue > LEAST_P
    standing, stricter = (np.where(days < 0, 10_000, days) for days in caught)
    assert (stricter <= standing).all()
    assert (stricter < standing).mean() > 0


def test_careers_of_dealers_are_geometric_and_shift_a_little_with_the_hazard(tools):
    """A dealer at the reserve retires with the daily hazard; a hazard a tenth higher ends each career a tenth earlier."""
    ends = []
    for retire in (0.02, 0.022):
        made, luck = tools.world(dealers=2000, parameters={"dealer": {"retire_per_day": retire, "entry_per_12_million_day": 0.0}})
        rows = made.dealers.rows()
        made.dealers.profit[rows] = made.parameters.dealer.reserve_yuan * 2
        made.dealers.cash[rows] = 1e9
        last = np.full(rows.size, 600)
        for day in range(600):
            flows = turnover.turn_over_dealers(made, tools.levers(legal_certainty=0.0), luck, day)
            last[np.searchsorted(rows, flows.left)] = day
        ends.append(last)
        seen = np.bincount(np.minimum(last // 20, 10), minlength=11)
        edges = 1.0 - (1.0 - retire) ** np.arange(0, 201, 20)
        share = np.append(np.diff(edges), 1.0 - edges[-1])
        assert stats.chisquare(seen, share * rows.size).pvalue > LEAST_P
    longer, shorter = ends
    both = longer < 600
    assert (shorter <= longer).all()
    assert np.abs(shorter[both] - longer[both] / 1.1).max() <= 1.5
