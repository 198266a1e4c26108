"""Fill the world of day 0 near the stationary point of the standing regime."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.inversion import poisson, repeated
from sim.levers import CHANNELS, SEGMENTS, Levers
from sim.luck import ONCE, Keys, Luck, join
from sim.world.accounts import BOUGHT, RENTED, STOLEN, Claims, in_batches
from sim.world.entry import catchment_user, dealer_keys, found
from sim.world.users import NEVER
from sim.world.world import World

_CERTAIN = 0.999  # the largest share that leaves in a day of those held on day 0


def first_dealers(world: World, luck: Luck) -> NDArray[np.int64]:
    """Add the dealers of day 0, with capacities by keyed log-normals; returns their rows."""
    p, start = world.parameters.dealer, world.parameters.start
    count = round(start.dealers_per_million * world.population.millions)
    rows = world.dealers.open_rows(count)
    keys = dealer_keys(luck, -1, np.arange(count))
    found(world, luck, rows, keys, day=-1)
    dealers = world.dealers
    z = luck.normals("capacity", 0, keys)
    dealers.entry_capacity[rows] = np.minimum(np.exp(start.size_log_mean + start.size_log_sigma * z), p.capacity_cap)
    grown = start.growth_log_mean + start.growth_log_slope * start.size_log_sigma * z
    dealers.capacity[rows] = np.clip(dealers.entry_capacity[rows] * np.exp(grown), 1.0, p.capacity_cap)
    dealers.evasion[rows] = start.evasion
    total = dealers.capacity[rows].sum()
    dealers.profit[rows] = start.dealer_profit_yuan * dealers.capacity[rows] * count / max(total, 1e-9)
    pool = start.pool_per_million * world.population.millions
    if count:
        expected = pool * dealers.capacity[rows] / total
        dealers.pool[rows] = np.minimum(
            np.floor(expected + luck.uniforms("first pool", 0, keys)), world.parameters.unsealing.pool_cap
        ).astype(np.int64)
    return rows


def first_claims(world: World, luck: Luck, rows: NDArray[np.int64]) -> tuple[Claims, NDArray[np.int64]]:
    """Return the accounts that dealers hold when day 0 begins and the ages they have reached, geometric by channel.

    Stocks of the ledger are those deployed when the market clears, so what leaves in a day is missing yet.
    """
    start = world.parameters.start
    millions = world.population.millions
    dealers = world.dealers
    parts: list[Claims] = []
    ages: list[NDArray[np.int64]] = []
    if rows.size == 0:
        return Claims.of(np.zeros(0, dtype=np.uint64), 0, np.zeros(0, dtype=np.int64)), np.zeros(0, dtype=np.int64)
    capacity = dealers.capacity[rows] / dealers.capacity[rows].sum()
    hazards = world.market.hazards()
    for number, channel in enumerate(CHANNELS):
        stock = getattr(start, f"stock_{channel}_per_million") * millions * (1.0 - hazards[number])
        counts = poisson(luck.uniforms(f"first {channel}", 0, dealers.key[rows]), stock * capacity)
        dealer = np.repeat(rows, counts)
        ordinal = np.arange(dealer.size) - np.repeat(np.cumsum(counts) - counts, counts)
        key = join(dealers.key[dealer], number, ordinal, 0)
        owner = None
        if number in (RENTED, BOUGHT, STOLEN):
            segment = segments_at_start(world, luck, key, number)
            owner = world.population.pick(luck.uniforms("first owner", 0, key), segment)
        parts.append(Claims.of(key, number, dealer, owner))
        u = luck.uniforms("first age", 0, key)
        ages.append(np.floor(np.log(u) / np.log1p(-min(hazards[number], _CERTAIN))).astype(np.int64))
    claims = Claims.joined(parts)
    keep = claims.uncontested()
    return claims.select(keep), np.concatenate(ages)[keep]


def segments_at_start(world: World, luck: Luck, key: Keys, channel: int) -> NDArray[np.int64]:
    """Return segments of first owners: by audience and willingness for lures, by audience for theft."""
    weights = world.population.shares.copy()
    if channel != STOLEN:
        weights = weights * np.exp(world.traits.segment_logit)
    return np.searchsorted(np.cumsum(weights / weights.sum()), luck.uniforms("first segment", 0, key)).clip(max=len(SEGMENTS) - 1)


def first_experience(world: World) -> None:
    """Set what the market remembers in common to what the stocks, hazards and conversions of day 0 imply."""
    market, p, traits = world.market, world.parameters, world.traits
    market.at_risk += traits.start_stock * world.population.millions / (1.0 - p.dealer.memory) + p.dealer.prior_weight
    market.exits += market.at_risk * traits.start_hazard
    market.tries += market.exits / traits.start_conversion
    market.wins += market.tries * traits.start_conversion
    market.assisted += market.tries[:2] * traits.start_assisted
    market.recruits += market.wins[RENTED] * world.population.shares * np.exp(traits.segment_logit)
    market.shown += market.tries[RENTED] * world.population.shares


def own_experience(world: World, luck: Luck, rows: NDArray[np.int64], holdings: NDArray[np.float64]) -> None:
    """Give dealers the experience that their holdings imply, `(dealers, 5)`, with the scatter of a fading memory.

    A count remembered with weight m^k has mean x/(1 - m) and variance x/(1 - m^2), x its daily rate.
    """
    traits, dealers, keep = world.traits, world.dealers, world.parameters.dealer.memory
    scatter = np.sqrt((1.0 - keep) / (1.0 - keep**2))
    number = np.arange(len(CHANNELS))
    keys = join(np.repeat(dealers.key[rows], number.size), np.tile(number, rows.size)).reshape(rows.size, number.size)
    at_risk = holdings[rows] / (1.0 - keep)
    exits = at_risk * traits.start_hazard
    tries = exits / traits.start_conversion
    dealers.at_risk[rows] = at_risk
    dealers.exits[rows] = np.maximum(0.0, exits + scatter * np.sqrt(exits) * luck.normals("first exits", 0, keys))
    dealers.tries[rows] = tries
    dealers.wins[rows] = np.maximum(0.0, exits + scatter * np.sqrt(exits) * luck.normals("first wins", 0, keys))


def first_batches(world: World, luck: Luck, holdings: NDArray[np.float64]) -> None:
    """Set batches of the accounts of day 0 as if acquired at an even rate: they have lost the mates that fell before."""
    accounts, dealers, traits = world.accounts, world.dealers, world.traits
    cells = accounts.dealer[: accounts.size].astype(np.int64) * len(CHANNELS) + accounts.channel[: accounts.size]
    moment = -accounts.acquired[: accounts.size] - luck.uniforms("first moments", ONCE, accounts.key[: accounts.size])
    order = np.lexsort((-moment, cells))
    cell, ago, key, channel = cells[order], moment[order], accounts.key[order], accounts.channel[order]
    leaves = np.minimum(traits.start_hazard[channel], _CERTAIN)
    begins = traits.new_batch[channel]
    begun_a_day = holdings.reshape(-1)[cell] * leaves / (1.0 - leaves) * begins
    begun = begun_a_day * _days_of_the_fallen(ago, leaves)  # batches that accounts which fell have begun since, on average
    follows = np.append(False, cell[1:] == cell[:-1])[: cell.size]
    joins = follows * (1.0 - begins) * np.exp(np.minimum(begun - np.roll(begun, 1), 0.0))
    batches = dealers.batches.reshape(-1)
    batches[:] = 0
    accounts.cluster[order] = in_batches(cell, luck.uniforms("first batches", ONCE, key) >= joins, batches)
    last = ~np.append(follows[1:], False)[: cell.size]
    over = luck.uniforms("last of the first batches", ONCE, key[last]) >= np.exp(-begun[last])
    batches[cell[last][over]] += 1


def _days_of_the_fallen(ago: NDArray[np.float64], leaves: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the days since `ago`, each weighted by the share of what was acquired then that has left."""
    whole = np.floor(ago)
    kept = (1.0 - leaves) ** (whole + 1.0)
    return ago - (1.0 - leaves - kept) / leaves - (ago - whole) * kept


def first_assists(world: World, levers: Levers, luck: Luck) -> None:
    """Give members of the catchments at work the assists of the last 90 days, so that caps bind from the first day.

    Renewals: after an assist a member is refused for the window of helper_cap, then helps at an even rate; the mean distance of two
    assists is willing members over assists a day. The time since the last assist follows the equilibrium distribution of that renewal.
    Members whose account is too young, and most of the informed, never helped.
    """
    r, p, start = world.recruiters, world.parameters.helping, world.parameters.start
    slots = (r.open[: r.size]).nonzero()[0]
    if slots.size == 0:
        return
    slot, member = repeated(slots, r.catchment[slots].astype(np.int64))
    a_day = np.where(r.is_stall[slot], start.assists_per_stall_day, start.assists_per_platform_day)
    key = join(r.key[slot], member)
    user = catchment_user(world, luck, slot, member)
    old = world.population.account_age(user) >= p.cap_age_days * min(1.0, levers.helper_cap / p.cap_reference)
    knows = world.population.quantile(user) < world.informed[world.population.segment(user)]
    unmoved = luck.uniforms("first refusal", 0, key) < world.parameters.awareness.informed_factor
    willing = old & (~knows | unmoved)
    gap = float(willing.mean()) * r.catchment[slot] / np.maximum(a_day, 1e-6)
    window = np.minimum(max(1.0, p.cap_window_days * levers.helper_cap / p.cap_reference), 0.95 * gap)
    u = luck.uniforms("first assist", 0, key)
    since = np.where(
        u * gap < window, u * gap, window - (gap - window) * np.log1p(-np.clip((u * gap - window) / (gap - window), 0, 0.999999))
    )
    before = window - (gap - window) * np.log(luck.uniforms("assist before", 0, key))
    recent = willing & (since < p.repeat_window_days)
    user, first = np.unique(user[recent], return_index=True)
    last = -1 - np.floor(since[recent][first]).astype(np.int64)
    rows = world.users.rows(user)
    touched = world.users.touched
    touched.last_assist[rows] = last
    touched.previous_assist[rows] = np.maximum(last - np.ceil(before[recent][first]).astype(np.int64), NEVER)


def first_cases(world: World, luck: Luck) -> None:
    """Open cases of the accounts whose reports wait for review on day 0."""
    accounts = world.accounts
    n = accounts.size
    waiting = luck.uniforms("first case", 0, accounts.key[:n]) < world.parameters.start.case_share
    accounts.case_day[:n][waiting] = 0
