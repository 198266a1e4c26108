"""One threshold for hits and for false positives; sweeps; reports; login checks; purges."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy import stats

from sim.levers import CHANNELS
from sim.processes import detection
from sim.world.accounts import (
    AUDITED,
    CHALLENGED,
    FRAUD,
    LIVE,
    NAMED,
    PURGED,
    REGISTERED,
    RENTED,
    REVIEWED,
    SELF_REPORTED,
    STOLEN,
    SWEPT,
    UNSEALED,
)
from sim.world.start import first_batches

LIMIT = 3.3
N = 6000


def z(hits, chance):
    """Return standard errors between hits and the sum of their chances."""
    chance = np.asarray(chance, dtype=float)
    return (np.sum(hits) - chance.sum()) / np.sqrt((chance * (1 - chance)).sum())


@pytest.mark.parametrize("number", range(len(CHANNELS)), ids=CHANNELS)
@pytest.mark.parametrize(("audit", "evasion"), [(0.0, 0.0), (0.6, 0.0), (0.6, 0.9)])
def test_hits_are_binomial(tools, number, audit, evasion):
    """Each account is caught with rate x Phi(d' + use - .6e - (c0 - u)), independently."""
    made, luck = tools.world(evasion=evasion, parameters={"unsealing": {"watch_sensitivity": 0.0}})
    rows = tools.hold(made, luck, number, N)
    p = made.parameters.detection
    signal = made.traits.cover[number] + made.traits.use_cover[made.accounts.use[rows]] - p.evasion_effect * evasion
    chance = p.audit_rate * stats.norm.cdf(signal - p.threshold + audit)
    detection.examine(made, tools.levers(account_audit=audit), luck, 4)
    hits = made.accounts.fate[rows] == AUDITED
    assert abs(z(hits, chance)) < LIMIT
    by_hundred = (hits - chance).reshape(60, -1).sum(axis=1) / np.sqrt((chance * (1 - chance)).reshape(60, -1).sum(axis=1))
    assert abs((by_hundred**2).sum() - 60) / np.sqrt(120) < LIMIT


def test_both_rates_rise_with_the_lever(tools):
    """A lower threshold catches every account that a higher one does, and flags more innocents."""
    caught, flagged = [], []
    for audit in (0.0, 0.25, 0.5, 0.75, 1.0):
        made, luck = tools.world(evasion=0.5)
        rows = np.concatenate([tools.hold(made, luck, number, 500) for number in range(5)])
        flows = detection.examine(made, tools.levers(account_audit=audit), luck, 4)
        caught.append(made.accounts.fate[rows] == AUDITED)
        flagged.append(flows.innocents_flagged)
    assert all((more >= fewer).all() and more.sum() > fewer.sum() for fewer, more in pairwise(caught))
    assert flagged == sorted(flagged)
    assert flagged[-1] > flagged[0]


def test_fresh_unsealed_accounts_are_watched(tools):
    made, luck = tools.world(parameters={"unsealing": {"watch_sensitivity": 1.0}})
    rows = tools.hold(made, luck, UNSEALED, N)
    after = int(made.parameters.unsealing.watch_days)
    hits = []
    for day in (after - 1, after):
        made.accounts.fate[rows] = LIVE
        made.accounts.passing[rows] = 1.0
        detection.examine(made, tools.levers(), luck, day)
        hits.append((made.accounts.fate[rows] == AUDITED).sum())
    assert hits[0] > 1.5 * hits[1]


def test_sweeps_have_one_generation_and_start_from_audit_and_review(tools):
    """Swept, challenged and purged accounts sweep nobody; a second sweep of the day finds no new batch."""
    made, luck = tools.world()
    rows = tools.hold(made, luck, RENTED, 250).reshape(50, 5)
    made.accounts.cluster[rows] = np.arange(50)[:, None]
    for fate in (SWEPT, CHALLENGED, PURGED, SELF_REPORTED):
        made.accounts.fate[rows[:, 0]] = fate
        assert detection.sweep(made, tools.levers(cluster_sweep=1.0), luck, 4) == (0, 0)
    made.accounts.fate[rows[0, 0]] = AUDITED
    detection.sweep(made, tools.levers(cluster_sweep=1.0), luck, 4)
    assert (made.accounts.fate[rows[1:, 1:]] == LIVE).all()


@pytest.mark.parametrize("number", [REGISTERED, UNSEALED, RENTED])
def test_batches_are_runs_of_a_dealers_own_accounts(tools, number):
    """Accounts of a dealer in a channel join the last batch or begin the next, whatever others acquire meanwhile; B of 1 has no mates."""
    made, luck = tools.world(dealers=2)
    held = {(dealer, channel): [] for dealer in (0, 1) for channel in (number, STOLEN)}
    for day, count in enumerate((7, 46, 1, 90)):
        for (dealer, channel), rows in held.items():
            rows.append(tools.hold(made, luck, channel, count, dealer=dealer, day=day))
    seen = [made.accounts.cluster[np.concatenate(rows)] for rows in held.values()]
    for of_one in seen:
        assert np.isin(np.diff(of_one), (0, 1)).all()
    assert np.unique(np.concatenate(seen)).size == sum(np.unique(of_one).size for of_one in seen)
    alone = np.unique(seen[0]).size == seen[0].size
    assert alone == (made.traits.new_batch[number] == 1.0)


def test_accounts_of_day_0_have_the_batches_of_accounts_acquired_before(tools):
    """Live mates are as many as if dealers had acquired at an even rate for long, and those who fell had been in batches too."""
    hazard, cells, settings = 0.1, 1000, {"start": {"hazard_registered": 0.1}, "account": {"batch_registered": 20.0}}
    made, luck = tools.world(dealers=cells, parameters=settings)
    draw = np.random.default_rng(5)
    simulated, on_day_0 = [], []
    for dealer in range(cells):
        ages = -np.sort(-draw.integers(1, 101, draw.poisson(4.0 / (1.0 - hazard) * 100.0)))  # days on day 0, the oldest first
        lives = draw.random(ages.size) < (1.0 - hazard) ** ages
        batch = np.cumsum(draw.random(ages.size) < 2.0 / 21.0)[lives]
        simulated.append((np.bincount(batch).astype(float) ** 2).sum() / 40.0 if batch.size else 0.0)
        rows = tools.hold(made, luck, REGISTERED, draw.poisson(40.0), dealer=dealer)
        made.accounts.acquired[rows] = -draw.geometric(hazard, rows.size)
    holdings = np.zeros((made.dealers.size, len(CHANNELS)))
    holdings[:, REGISTERED] = 40.0
    first_batches(made, luck, holdings)
    clusters = made.accounts.cluster[: made.accounts.size]
    for dealer in range(cells):
        mine = np.unique(clusters[made.accounts.dealer[: clusters.size] == dealer], return_counts=True)[1]
        on_day_0.append((mine.astype(float) ** 2).sum() / 40.0)
    error = np.sqrt((np.var(simulated) + np.var(on_day_0)) / cells)
    assert abs(np.mean(simulated) - np.mean(on_day_0)) < LIMIT * error
    assert np.mean(simulated) > 2.0


@pytest.mark.parametrize("evasion", [0.0, 0.8])
def test_login_check_challenges_rented_and_stolen_accounts(tools, evasion):
    """Each with .15u(1 - e/2) a day, nobody else."""
    made, luck = tools.world(evasion=evasion, parameters={"detection": {"threshold": 1e3}})
    rows = [tools.hold(made, luck, number, 2000) for number in range(5)]
    flows = detection.examine(made, tools.levers(login_check=0.7), luck, 4)
    p = made.parameters
    chance = p.detection.login_rate * 0.7 * (1 - p.dealer.evasion_shield * evasion)
    for number in range(5):
        challenged = made.accounts.fate[rows[number]] == CHALLENGED
        if number in (RENTED, STOLEN):
            assert abs(z(challenged, np.full(2000, chance))) < LIMIT
        else:
            assert not challenged.any()
    assert flows.challenged == (made.accounts.fate[: made.accounts.size] == CHALLENGED).sum()


def test_a_purge_hits_every_channel_and_evasion_shields(tools):
    shares = {}
    for evasion in (0.0, 0.5):
        made, luck = tools.world(evasion=evasion, parameters={"detection": {"threshold": 1e3}})
        rows = [tools.hold(made, luck, number, 1000) for number in range(5)]
        flows = detection.examine(made, tools.levers(purge=0.6), luck, 4)
        fell = np.array([(made.accounts.fate[part] == PURGED).mean() for part in rows])
        assert flows.purged == round(fell.sum() * 1000)
        shares[evasion] = fell
    assert (np.abs(shares[0.0] - 0.6) < LIMIT * np.sqrt(0.24 / 1000)).all()
    assert shares[0.5].mean() < shares[0.0].mean() - 0.1


def test_reports_come_from_those_approached(tools):
    """An account in fraud is reported with 1 - exp(-(.1 + .4u) approaches), another with its nuisance; a case is opened once."""
    made, luck = tools.world()
    rows = tools.hold(made, luck, REGISTERED, N)
    made.market.utilisation = 0.8
    levers = tools.levers(user_reporting=0.6)
    approaches = np.where(made.accounts.use[rows] == FRAUD, 0.7, 0.0)
    p = made.parameters.detection
    chance = np.where(
        approaches > 0,
        1 - np.exp(-(p.report_base + 0.6 * p.report_span) * approaches),
        (p.nuisance_base + 0.6 * p.nuisance_span) * 0.8,
    )
    flows = detection.report(made, levers, luck, 4, approaches)
    opened = made.accounts.case_day[rows] == 4
    assert flows.reports == opened.sum()
    for part in (approaches > 0, approaches == 0):
        assert abs(z(opened[part], chance[part])) < LIMIT
    again = detection.report(made, levers, luck, 5, approaches)
    assert (made.accounts.case_day[rows][opened] == 4).all(), "further reports join the open case"
    assert again.reports > (made.accounts.case_day[rows] == 5).sum() > 0


def test_reviewers_confirm_a_share_and_close_the_rest(tools):
    made, luck = tools.world()
    rows = tools.hold(made, luck, REGISTERED, N)
    made.accounts.case_day[rows] = 2
    made.accounts.fate[rows[:10]] = AUDITED
    detection.confirm(made, luck, rows[:4000])
    fate, case = made.accounts.fate[rows], made.accounts.case_day[rows]
    assert (fate[:10] == AUDITED).all()
    assert abs(z(fate[10:4000] == REVIEWED, np.full(3990, made.parameters.detection.confirm_share))) < LIMIT
    assert (case[10:4000][fate[10:4000] == LIVE] == -1).all()
    assert (case[4000:] == 2).all()
    assert (fate[4000:] == LIVE).all()


def test_amnesty_examines_the_named_dealers_accounts(tools):
    """Self-reports come from renting owners with .05u(informed + .2); accounts of the named dealers fall at their share."""
    made, luck = tools.world(dealers=2, parameters={"detection": {"threshold": 1e3}})
    rented = tools.hold(made, luck, RENTED, 4000, dealer=0)
    named = tools.hold(made, luck, REGISTERED, 4000, dealer=0)
    unnamed = tools.hold(made, luck, REGISTERED, 4000, dealer=1)
    made.informed[:] = [0.1, 0.2, 0.3, 0.4]
    flows = detection.examine(made, tools.levers(owner_amnesty=0.9), luck, 4)
    p, accounts = made.parameters.detection, made.accounts
    chance = p.amnesty_rate * 0.9 * (made.informed + p.amnesty_base)[accounts.segment[rented]]
    assert abs(z(accounts.fate[rented] == SELF_REPORTED, chance)) < LIMIT
    assert flows.self_reports == (accounts.fate[rented] == SELF_REPORTED).sum()
    assert abs(z(accounts.fate[named] == NAMED, np.full(4000, p.amnesty_examined))) < LIMIT
    assert (accounts.fate[unnamed] == LIVE).all()


def test_unwatched_world_finds_nothing(tools):
    """No audit, no lever on: nobody falls."""
    made, luck = tools.world(parameters={"detection": {"threshold": 1e3}})
    for number in range(5):
        tools.hold(made, luck, number, 200)
    flows = detection.examine(made, tools.levers(login_check=0.0, owner_amnesty=0.0), luck, 4)
    assert (made.accounts.fate[: made.accounts.size] == LIVE).all()
    assert flows == detection.ExaminationFlows(0, 0, 0, 0, 0, 0, 0)
