"""Parts of cases 4 and 19: one lot for a career, and what happens once whatever the day."""

from __future__ import annotations

import numpy as np
from known_rows import Row, binomial, exact, fits, holds
from known_worlds import hold, ledger, levers, world

from sim.agents.enforcer import Session, take_up
from sim.processes import departures, detection, renting, sanctions, turnover, unsealing
from sim.world.accounts import AUDITED, REGISTERED, RENTED, REVIEWED, SWEPT
from sim.world.users import BANNED, LOST

N = 2000


def case_4_careers(seed: int = 414) -> list[Row]:
    """Dealers above the reserve retire with r a day: careers are geometric, those of successors in used rows too."""
    retire = 0.05
    made, luck = world(dealers=1000, parameters={"dealer": {"retire_per_day": retire, "entry_per_12_million_day": 300.0}}, seed=seed)
    began, careers = np.zeros(20_000, dtype=np.int64), []
    for day in range(160):
        rows = made.dealers.rows()
        made.dealers.profit[rows] = made.parameters.dealer.reserve_yuan * 2
        made.dealers.cash[rows] = 1e9
        made.market.realised_profit = made.parameters.dealer.reserve_yuan * 2
        flows = turnover.turn_over_dealers(made, levers(legal_certainty=0.0), luck, day)
        careers += [day - began[row] for row in flows.left.tolist() if 0 < began[row] <= 60]
        began[flows.left], began[flows.came] = 0, day + 1
    lengths = np.minimum(np.array(careers) // 5, 12)
    share = np.diff(1.0 - (1.0 - retire) ** np.append(np.arange(13) * 5, np.inf))
    return [fits("careers of successors", np.bincount(lengths, minlength=13), share * lengths.size)]


def case_19_once(seed: int = 1929) -> list[Row]:
    """What happens once draws without its day: verdict, sweep and return are the same on another day, others for another strike."""
    (verdicts, again), (verdicts_2, _) = (_reviewed(seed, case_day) for case_day in (30, 31))
    swept = [_swept(seed, day, by) for day, by in ((30, 0), (37, 0), (37, 1))]
    orders = [_order(seed, day, case_day) for day, case_day in ((30, 30), (31, 30), (31, 31))]
    upheld = [_upheld(seed, filed, decided) for filed, decided in ((40, 41), (40, 55), (43, 55))]
    (returns, requests, later, anew), (returns_2, requests_2, *_) = _sanctioned(seed, 40), _sanctioned(seed, 47)
    return [
        exact("verdicts that differ between reports of two days", 0.0, float((verdicts != verdicts_2).sum())),
        binomial("confirmed at the second report", again.sum(), again.size, ledger().detection.confirm_share),
        exact("sweeps that differ between days", 0.0, float((swept[0] != swept[1]).sum())),
        exact("sweeps that differ between mates caught", 0.0, float((swept[1] != swept[2]).sum())),
        exact("reports that are reviewed in another order on another day", 0.0, float((orders[0] != orders[1]).sum())),
        holds("reports of another day are reviewed in the same order", (orders[1] != orders[2]).mean() < 0.3),
        exact("appeals that differ between days of decision", 0.0, float((upheld[0] != upheld[1]).sum())),
        holds("another appeal has the same decision", (upheld[1] != upheld[2]).mean() < 0.3),
        exact("owners asked again under another key on another day", 0.0, float(np.setxor1d(returns, returns_2).size)),
        exact("own requests under another key on another day", 0.0, float(np.setxor1d(requests, requests_2).size)),
        exact("owners asked again under the key of an earlier sanction", 0.0, float(np.isin(later, returns).sum())),
        exact("own requests under the key of an earlier sanction", 0.0, float(np.isin(anew, requests).sum())),
        holds("nobody is asked again or requests", min(map(len, (returns, requests, later, anew))) == 0),
    ]


def _reviewed(seed: int, case_day: int) -> tuple[np.ndarray, np.ndarray]:
    """Say which accounts with a report of a day are confirmed, and which of the others at their second report."""
    made, luck = world(seed=seed)
    rows = hold(made, luck, REGISTERED, N)
    made.accounts.case_day[rows] = case_day
    detection.confirm(made, luck, rows)
    confirmed = made.accounts.fate[rows] == REVIEWED
    detection.confirm(made, luck, rows[~confirmed])
    return confirmed, made.accounts.fate[rows[~confirmed]] == REVIEWED


def _swept(seed: int, day: int, by: int) -> np.ndarray:
    """Say which mates of one batch fall when one of two accounts is caught on a day."""
    made, luck = world(seed=seed)
    rows = hold(made, luck, REGISTERED, N)
    made.accounts.cluster[rows] = 1
    made.accounts.fate[rows[by]] = AUDITED
    detection.sweep(made, levers(cluster_sweep=1.0), luck, day)
    return made.accounts.fate[rows[2:]] == SWEPT


def _order(seed: int, day: int, case_day: int) -> np.ndarray:
    """Return the accounts reported on a day in the order in which reviewers take them up."""
    made, luck = world(seed=seed)
    rows = hold(made, luck, REGISTERED, N)
    made.accounts.case_day[rows] = case_day
    return take_up(made, luck, N, day).accounts


def _upheld(seed: int, filed: int, decided: int) -> np.ndarray:
    """Say which owners' appeals of a day are upheld on another."""
    made, luck = world(parameters={"sanction": {"upheld_owner": 0.5}}, seed=seed)
    made.docket.owners[filed] = np.arange(N)
    rows = made.users.rows(np.arange(N))
    made.users.touched.status[rows] = LOST
    none = np.zeros(decided - filed + 1, dtype=np.int64)
    every = none.copy()
    every[0] = N
    sanctions.decide_cases(made, luck, decided, Session(none[:0], filed, none, none, every, N, 0.0))
    return made.users.touched.status[rows] == BANNED


def _sanctioned(seed: int, day: int) -> list[np.ndarray]:
    """Return the keys of returns and of own requests after a first sanction of owners on a day, and after a second, three weeks later."""
    made, luck = world(seed=seed)
    keys = []
    for turn, today in enumerate((day, day + 21)):
        rows = hold(made, luck, RENTED, N, day=turn)
        made.accounts.fate[rows] = AUDITED
        sanctions.sanction(made, levers(), luck, today)
        own = unsealing.request_own(made, luck).key
        returns = [renting.return_owners(made, levers(), luck, today + after).key for after in ((3, 14), (3, 14, 90))[turn]]
        keys += [np.concatenate(returns), own]
        departures.release(made, today)
    return keys
