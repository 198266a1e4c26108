"""Enter and leave business: dealers by profit and arrest, recruiters by profit and policing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.levers import Levers
from sim.luck import ONCE, Luck, join
from sim.world.accounts import ABANDONED, LIVE, SEIZED
from sim.world.entry import dealer_keys, found
from sim.world.world import World


@dataclass(frozen=True)
class DealerFlows:
    """Dealers who left (rows) and came (rows) in a day; arrests among those who left."""

    left: NDArray[np.int64]
    came: NDArray[np.int64]
    arrests: int


@dataclass(frozen=True)
class RecruiterFlows:
    """Scan teams and task platforms closed in a day."""

    stalls_closed: int
    platforms_closed: int


def turn_over_dealers(world: World, levers: Levers, luck: Luck, day: int) -> DealerFlows:
    """Arrest dealers whose case ends, open new cases, let losers go and newcomers come.

    One lot decides about a whole career: a dealer leaves on the day on which the probability of being in business still falls to it.
    A policy that changes the hazard a little then moves that day a little; a lot a day would move few dealers by years, and pairs of
    runs apart.
    """
    dealers, p = world.dealers, world.parameters
    rows = dealers.rows()
    caught = dealers.arrest_day[rows] == day
    arrested, rows = rows[caught], rows[~caught]
    key = dealers.key[rows]
    certainty = float(np.dot(levers.legal_certainty, world.population.shares))
    opened = (dealers.arrest_day[rows] < 0) & (luck.daily("dealer's case", day, key) < p.sanction.legal_dealer * certainty)
    span = p.sanction.case_days_high - p.sanction.case_days_low
    duration = p.sanction.case_days_low + span * luck.uniforms("dealer's case days", day, key[opened])
    dealers.arrest_day[rows[opened]] = day + duration.astype(np.int32)
    shortfall = np.clip((p.dealer.reserve_yuan - dealers.profit[rows]) / p.dealer.reserve_yuan, 0.0, 2.0)
    dealers.staying[rows] *= np.maximum(0.0, 1.0 - p.dealer.exit_per_day * shortfall) * (1.0 - p.dealer.retire_per_day)
    leaves = dealers.staying[rows] <= luck.daily("dealer leaves", ONCE, key)
    leaves |= dealers.cash[rows] < -p.dealer.bankrupt_yuan
    leaving = rows[leaves]
    came = _enter(world, luck, day)  # before rows are given up, so that nobody inherits a predecessor's last day
    _close(world, arrested, SEIZED)
    _close(world, leaving, ABANDONED)
    return DealerFlows(left=np.concatenate([arrested, leaving]), came=came, arrests=arrested.size)


def _close(world: World, rows: NDArray[np.int64], fate: int) -> None:
    """End the business of dealers: accounts get the fate given, money leaves the market."""
    if rows.size == 0:
        return
    dealers, accounts = world.dealers, world.accounts
    dealers.active[rows] = False
    dealers.shares[rows] = 0.0
    closing = np.zeros(dealers.size, dtype=np.bool_)
    closing[rows] = True
    n = accounts.size
    theirs = closing[accounts.dealer[:n]] & (accounts.fate[:n] == LIVE)
    accounts.fate[:n][theirs] = fate
    world.market.transfer("dealers", "outside", np.where(closing, dealers.cash[: dealers.size], 0.0))


def _enter(world: World, luck: Luck, day: int) -> NDArray[np.int64]:
    """Let newcomers enter on the realised profit of incumbents, and renters turned dealers start small; returns their rows."""
    dealers, market, p = world.dealers, world.market, world.parameters
    incentive = min(max((market.realised_profit - p.dealer.reserve_yuan) / p.dealer.reserve_yuan, 0.0), p.dealer.entry_limit)
    mean = p.dealer.entry_per_12_million_day * world.population.millions / 12.0 * incentive
    newcomers = luck.count("dealers enter", day, mean)
    renters, world.new_dealers = world.new_dealers, np.zeros(0, dtype=np.int64)
    count = newcomers + renters.size
    if count == 0:
        return np.zeros(0, dtype=np.int64)
    active = dealers.rows()
    evasion = float(dealers.evasion[active].mean()) if active.size else p.start.evasion
    rows = dealers.open_rows(count)
    keys = dealer_keys(luck, day, np.arange(newcomers))
    keys = np.concatenate([keys, join(renters.astype(np.uint64), luck.stream("renter dealer", day))])
    found(world, luck, rows, keys, day)
    dealers.evasion[rows] = evasion
    own = rows[newcomers:]
    dealers.home[own] = world.population.community(renters)
    dealers.capacity[own] = dealers.entry_capacity[own] = p.renting.dealer_capacity
    return rows


def turn_over_recruiters(world: World, levers: Levers, luck: Luck, day: int) -> RecruiterFlows:
    """Police scan teams, take platforms down, let recruiters come and go by profit, let lost member lists grow back."""
    r, p = world.recruiters, world.parameters.helping
    n = r.size
    policing, takedown, turnover = (luck.daily(what, day, r.place) for what in ("policing", "takedown", "recruiter turnover"))
    at_work = r.open[:n] & (r.closed_until[:n] <= day)
    policed = (at_work & r.is_stall & (policing < p.stall_closure_per_day * levers.stall_policing)).nonzero()[0]
    if policed.size:
        r.closed_until[policed] = day + 1 + int(p.stall_closed_days)
        fine = np.zeros(n)
        fine[policed] = p.stall_fine_yuan
        world.market.transfer("recruiters", "law", fine)
    hazard = p.platform_closure_per_day * levers.task_platform_takedown
    downed = (at_work & ~r.is_stall & (takedown < hazard)).nonzero()[0]
    platforms = ~r.is_stall
    grown = r.catchment[:n][platforms] + p.platform_rebuild_per_day * p.platform_members
    r.catchment[:n][platforms] = np.minimum(grown, p.platform_members)
    if downed.size:
        r.catchment[downed] = 0.0
        r.key[downed] = join(r.key[downed], day + 1)
    r.profit[:n] += np.where(r.open[:n], (r.today[:n] - r.profit[:n]) / p.profit_memory_days, 0.0)
    r.today[:n] = 0.0
    for kind in (r.is_stall, platforms):
        working = r.open[:n] & kind
        hope = float(r.profit[:n][working].mean()) if working.any() else p.reserve_yuan
        enters = kind & ~r.open[:n] & (turnover < p.entry_per_day * max(0.0, hope / p.reserve_yuan))
        leaves = working & (turnover < p.exit_per_day * np.maximum(0.0, -r.profit[:n] / p.reserve_yuan))
        moves = enters | leaves
        if moves.any():
            r.open[:n] = (r.open[:n] & ~leaves) | enters
            r.profit[:n][moves] = 0.0
            r.closed_until[:n][enters] = 0
    return RecruiterFlows(stalls_closed=policed.size, platforms_closed=downed.size)
