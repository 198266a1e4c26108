"""Detect accounts under dealer control: reports, audit, login checks, purges, amnesty, one generation of cluster sweep."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from sim.levers import Levers
from sim.luck import ONCE, Luck
from sim.world.accounts import (
    AUDITED,
    CHALLENGED,
    FRAUD,
    LIVE,
    NAMED,
    PURGED,
    RENTED,
    RESEALED,
    REVIEWED,
    SELF_REPORTED,
    STOLEN,
    SWEPT,
    UNSEALED,
)
from sim.world.registry import among, distinct
from sim.world.world import World


@dataclass(frozen=True)
class ReportFlows:
    """Reports of a day."""

    reports: int
    mistaken: int


@dataclass(frozen=True)
class ExaminationFlows:
    """What a day's examinations found, and innocents who suffered."""

    innocents_flagged: int
    travellers: int
    challenged: int
    purged: int
    purge_innocents: int
    self_reports: int
    resealed: int


def report(world: World, levers: Levers, luck: Luck, day: int, approaches: NDArray[np.float64]) -> ReportFlows:
    """File reports of accounts by those approached (`approaches` of each account) and bothered, and mistaken ones of innocents.

    Cases that have waited too long lapse first.
    An account is reported with 1 - exp(-(.1 + .4u) approaches) in fraud, else with .002 + .02u a day; further reports join an open case.
    """
    accounts, p = world.accounts, world.parameters.detection
    n = accounts.size
    world.docket.lapse(day)
    case_day = accounts.case_day[:n]
    case_day[(case_day >= 0) & (case_day < world.docket.first_day(day))] = -1
    willing = p.report_base + p.report_span * levers.user_reporting
    nuisance = (p.nuisance_base + p.nuisance_span * levers.user_reporting) * world.market.utilisation
    chance = np.where(accounts.use[:n] == FRAUD, -np.expm1(-willing * approaches), nuisance)
    reported = (luck.uniforms("report", day, accounts.key[:n]) < chance).nonzero()[0]
    fresh = reported[accounts.case_day[reported] < 0]
    accounts.case_day[fresh] = day
    rate = p.mistaken_per_million_day * world.population.millions * willing
    mistaken = luck.count("mistaken reports", day, rate)
    world.docket.mistaken[day] += mistaken
    return ReportFlows(reports=reported.size, mistaken=mistaken)


def examine(world: World, levers: Levers, luck: Luck, day: int) -> ExaminationFlows:
    """Examine live accounts in turn: late catches of unsealings, purge, amnesty, login check, audit.

    The audit catches with rate x Phi(d' + use - .6e - c), c = c0 - u, and flags users x rate x Phi(-c) innocents with the same threshold.
    One lot decides in which audit an account is caught: that by which the probability of having passed all so far has fallen to it.
    """
    accounts, dealers, p = world.accounts, world.dealers, world.parameters.detection
    n = accounts.size
    fate, key, channel = accounts.fate[:n], accounts.key[:n], accounts.channel[:n]
    evasion = dealers.evasion[accounts.dealer[:n]]
    shield = 1.0 - world.parameters.dealer.evasion_shield * evasion
    resealed = (accounts.reseal_day[:n] == day).nonzero()[0]
    fate[resealed] = RESEALED
    purged = 0
    if levers.purge > 0:
        purged = _fall(fate, PURGED, luck.uniforms("purge", day, key) < levers.purge * (1.0 - evasion))
    self_reports = _self_reports(world, levers, luck, day) if levers.owner_amnesty.any() else 0
    challenged = 0
    if levers.login_check > 0:
        hazard = np.where((channel == RENTED) | (channel == STOLEN), p.login_rate * levers.login_check * shield, 0.0)
        challenged = _fall(fate, CHALLENGED, luck.uniforms("login check", day, key) < hazard)
    threshold = p.threshold - levers.account_audit
    signal = world.traits.cover[channel] + world.traits.use_cover[accounts.use[:n]] - p.evasion_effect * evasion
    unsealing = world.parameters.unsealing
    watched = (channel == UNSEALED) & (day - accounts.acquired[:n] < unsealing.watch_days)
    signal = signal + unsealing.watch_sensitivity * watched
    passing = accounts.passing[:n]
    passing *= 1.0 - p.audit_rate * ndtr(signal - threshold)
    _fall(fate, AUDITED, passing <= luck.uniforms("audit", ONCE, key))
    users = world.population.users
    flagged = users * p.audit_rate * float(ndtr(-threshold))
    logins = users * world.parameters.population.logins_new_device_per_user_day
    return ExaminationFlows(
        innocents_flagged=luck.count("innocents flagged", day, flagged),
        travellers=luck.count("travellers", day, logins * p.traveller_share * levers.login_check),
        challenged=challenged,
        purged=purged,
        purge_innocents=luck.count("purge innocents", day, flagged * p.purge_innocents * levers.purge),
        self_reports=self_reports,
        resealed=resealed.size,
    )


def confirm(world: World, luck: Luck, rows: NDArray[np.int64]) -> None:
    """Decide reviewed accounts: confirmed with .6, else the case is closed; accounts that fell meanwhile need no decision.

    One lot decides at which review an account is confirmed, whenever it is reported and its turn comes.
    """
    accounts = world.accounts
    live = rows[accounts.fate[rows] == LIVE]
    accounts.cleared[live] *= 1.0 - world.parameters.detection.confirm_share
    confirmed = accounts.cleared[live] <= luck.uniforms("review", ONCE, accounts.key[live])
    accounts.fate[live[confirmed]] = REVIEWED
    accounts.case_day[live[~confirmed]] = -1


def sweep(world: World, levers: Levers, luck: Luck, day: int) -> tuple[int, int]:
    """Examine live batch-mates of accounts that audit or review caught today; returns accounts swept and innocents hit.

    Each falls with .5u(1 - e/2), by one lot for all sweeps that it meets; swept accounts do not sweep again that day.
    """
    accounts, p = world.accounts, world.parameters.detection
    n = accounts.size
    fate = accounts.fate[:n]
    caught = distinct(accounts.cluster[:n][(fate == AUDITED) | (fate == REVIEWED)])
    live = (fate == LIVE).nonzero()[0]
    if caught.size == 0 or live.size == 0:
        return 0, 0
    mates = live[among(accounts.cluster[live], caught)]
    shield = 1.0 - world.parameters.dealer.evasion_shield * world.dealers.evasion[accounts.dealer[mates]]
    accounts.spared[mates] *= 1.0 - p.sweep_rate * levers.cluster_sweep * shield
    fallen = mates[accounts.spared[mates] <= luck.uniforms("sweep", ONCE, accounts.key[mates])]
    fate[fallen] = SWEPT
    return fallen.size, luck.count("innocents swept", day, p.innocents_per_swept * fallen.size)


def _self_reports(world: World, levers: Levers, luck: Luck, day: int) -> int:
    """Let renting owners report themselves, .05u(informed + .2) a day; the named dealers' accounts are examined."""
    accounts, p = world.accounts, world.parameters.detection
    n = accounts.size
    fate = accounts.fate[:n]
    renting = ((accounts.channel[:n] == RENTED) & (fate == LIVE)).nonzero()[0]
    hazard = p.amnesty_rate * levers.owner_amnesty * (world.informed + p.amnesty_base)
    reporting = renting[luck.uniforms("self-report", day, accounts.key[renting]) < hazard[accounts.segment[renting]]]
    fate[reporting] = SELF_REPORTED
    named = np.zeros(world.dealers.size, dtype=np.bool_)
    named[accounts.dealer[reporting]] = True
    examined = named[accounts.dealer[:n]]
    _fall(fate, NAMED, examined & (luck.uniforms("named", day, accounts.key[:n]) < p.amnesty_examined))
    return int(reporting.size)


def _fall(fate: NDArray[np.int8], kind: int, falls: NDArray[np.bool_]) -> int:
    """Set the fate of live accounts that fall; returns how many."""
    rows = (falls & (fate == LIVE)).nonzero()[0]
    fate[rows] = kind
    return int(rows.size)
