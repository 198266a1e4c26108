"""Luck of what happens once does not hang on the day, which policies move; lots for a career keep the distribution of lots a day."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from sim.agents.enforcer import Session
from sim.processes import departures, detection, renting, sanctions, turnover, unsealing
from sim.world.accounts import AUDITED, REGISTERED, RENTED, REVIEWED
from sim.world.users import BANNED, LOST

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


def test_a_case_has_the_same_verdict_on_whatever_day_it_is_reviewed(held):
    verdicts = []
    for made, luck, rows, _ in held(REGISTERED):
        made.accounts.case_day[rows] = 30
        detection.confirm(made, luck, rows)
        verdicts.append(made.accounts.fate[rows] == REVIEWED)
    assert np.array_equal(*verdicts)
    made, luck, rows, _ = held(REGISTERED)[0]
    made.accounts.case_day[rows] = 31
    detection.confirm(made, luck, rows)
    assert not np.array_equal(made.accounts.fate[rows] == REVIEWED, verdicts[0]), "another report is another case"


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


def test_an_owner_asked_again_later_is_the_same_rental(tools, held):
    keys = []
    for made, luck, rows, day in held(RENTED):
        owners = made.accounts.owner[rows].copy()
        made.accounts.fate[rows] = AUDITED
        sanctions.sanction(made, tools.levers(), luck, day)
        again = renting.return_owners(made, tools.levers(), luck, day + 14)
        assert np.isin(again.owner, owners).all()
        keys.append(again.key.tolist())
    assert keys[0] == keys[1]
    assert len(keys[0]) > 0


def test_another_sanction_of_an_owner_is_another_event(tools):
    """Nobody who is caught, asked again and caught anew meets the luck of the first time."""
    made, luck = tools.world()
    keys, requests, owners = [], [], []
    for day in (40, 60):
        rows = tools.hold(made, luck, RENTED, N, day=day)
        owners.append(made.accounts.owner[rows].tolist())
        made.accounts.fate[rows] = AUDITED
        sanctions.sanction(made, tools.levers(), luck, day)
        requests.append(unsealing.request_own(made, luck).key)
        ended = renting.return_owners(made, tools.levers(), luck, day + 14)
        keys.append(ended.key)
        departures.release(made, day)
    assert owners[0] == owners[1]
    assert min(len(keys[0]), len(keys[1]), len(requests[0]), len(requests[1])) > 0
    assert not np.isin(keys[1], keys[0]).any()
    assert not np.isin(requests[1], requests[0]).any()


def test_an_appeal_is_decided_alike_on_any_day_and_anew_when_it_is_another(tools):
    upheld = []
    for filed, decided in ((40, 41), (40, 55), (43, 55)):
        made, luck = tools.world(parameters={"sanction": {"upheld_owner": 0.5}})
        made.docket.owners[filed] = np.arange(N)
        rows = made.users.rows(np.arange(N))
        made.users.touched.status[rows] = LOST
        spans = np.zeros(decided - filed + 1, dtype=np.int64)
        session = Session(np.zeros(0, dtype=np.int64), filed, spans, spans.copy(), spans.copy(), N, 0.0)
        session.owners[0] = N
        sanctions.decide_cases(made, luck, decided, session)
        upheld.append(made.users.touched.status[rows] == BANNED)
    assert np.array_equal(upheld[0], upheld[1])
    assert 0.4 < (upheld[1] == upheld[2]).mean() < 0.6


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


def test_dealers_who_take_over_rows_have_careers_of_their_own(tools):
    """Rows are used again; a successor's luck is not its predecessor's, who left early."""
    made, luck = tools.world(dealers=1000, parameters={"dealer": {"retire_per_day": 0.05, "entry_per_12_million_day": 300.0}})
    began = np.zeros(5000, dtype=np.int64)
    careers = []
    for day in range(160):
        rows = made.dealers.rows()
        made.dealers.profit[rows] = made.parameters.dealer.reserve_yuan * 2
        made.dealers.cash[rows] = 1e9
        made.market.realised_profit = made.parameters.dealer.reserve_yuan * 2
        flows = turnover.turn_over_dealers(made, tools.levers(legal_certainty=0.0), luck, day)
        careers += [day - began[row] for row in flows.left if 0 < began[row] <= 60]
        began[flows.left] = 0
        began[flows.came] = day + 1
    lengths = np.array(careers)
    assert lengths.size > 1500
    assert abs((lengths < 14).mean() - (1 - 0.95**14)) < 3.3 * np.sqrt(0.25 / lengths.size)
