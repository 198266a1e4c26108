"""Take accounts over: one owner to one dealer, the row in the table, the price paid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.inversion import chosen
from sim.levers import CHANNELS, SEGMENTS
from sim.luck import ONCE, Luck
from sim.world.accounts import ADVERT, BOUGHT, NO_LURE, RENTED, STOLEN, UNSEALED, Claims, in_batches
from sim.world.registry import distinct
from sim.world.users import RENTING, ROBBED, SOLD
from sim.world.world import World

_STATUS = np.zeros(len(CHANNELS), dtype=np.uint8)
_STATUS[[RENTED, BOUGHT, STOLEN]] = RENTING, SOLD, ROBBED
"""What becomes of owners, by channel."""


@dataclass(frozen=True)
class AcquisitionFlows:
    """Accounts acquired in a day, `by_dealer` and channel `(dealers, 5)`, and those that tries brought (`wins`: for rentals, by adverts).

    Rentals by segment and lure; leaks of private data.
    """

    by_dealer: NDArray[np.float64]
    wins: NDArray[np.float64]
    by_channel: NDArray[np.int64]
    rented_by_segment: NDArray[np.int64]
    advert_recruits: NDArray[np.float64]
    by_lure: NDArray[np.int64]
    leaks: int
    harm_privacy: float


def acquire(world: World, luck: Luck, day: int, claims: Claims, acquired: NDArray[np.int64] | None = None) -> AcquisitionFlows:
    """Add claimed accounts, one claim a user; the claim with the lowest key wins.

    `acquired` gives the days of acquisition of the accounts held on day 0 (nothing is paid for those); default: today.
    """
    if acquired is None:
        claims = claims.one_per_owner()
    users, traits, accounts, dealers = world.users, world.traits, world.accounts, world.dealers
    key, channel, dealer = claims.key, claims.channel.astype(np.int64), claims.dealer.astype(np.int64)
    use = chosen(luck.uniforms("use", 0, key), traits.use_cumulative, channel)
    owned = claims.owner >= 0
    owner = claims.owner[owned]
    segment = np.full(key.size, -1)
    segment[owned] = users.population.segment(owner)
    quality = traits.quality[channel].copy()
    population = users.population
    age, real_name, pays = population.account(owner)
    quality[owned] *= traits.premium(age, real_name)
    aged = channel == UNSEALED
    quality[aged] *= traits.aged_premium(luck.uniforms("unsealed age", 0, key[aged]))
    contacts = np.zeros(key.size)
    contacts[owned] = population.contacts(owner) / world.parameters.population.contacts_reference
    payment = np.zeros(key.size, dtype=np.bool_)
    payment[owned] = pays
    accounts.append(
        key=key,
        channel=channel.astype(np.int8),
        use=use.astype(np.int8),
        dealer=claims.dealer,
        owner=claims.owner,
        helper=claims.helper,
        segment=segment.astype(np.int8),
        acquired=np.full(key.size, day, dtype=np.int32) if acquired is None else acquired.astype(np.int32),
        cluster=_clusters(world, luck, claims),
        quality=quality,
        contacts=contacts,
        payment=payment,
        unpaid=claims.unpaid,
        reseal_day=claims.reseal_day,
    )
    _mark_owners(world, claims)
    by_dealer = dealers.per_channel(claims.dealer, claims.channel)
    rented = channel == RENTED
    leaks = 0
    if acquired is None:
        _pay(world, by_dealer)
        leaks = int((luck.uniforms("leak", day, key[rented]) < world.parameters.harm.leak_share).sum())
        _count_referrals(world, luck, claims)
    by_advert = (claims.lure == ADVERT).nonzero()[0]
    cells = dealer[by_advert] * len(SEGMENTS) + segment[by_advert]
    recruits = np.bincount(cells, minlength=dealers.size * len(SEGMENTS)).reshape(dealers.size, len(SEGMENTS)).astype(np.float64)
    wins = by_dealer.copy()
    wins[:, RENTED] = recruits.sum(axis=1)
    return AcquisitionFlows(
        by_dealer=by_dealer,
        wins=wins,
        by_channel=np.bincount(channel, minlength=len(CHANNELS)),
        rented_by_segment=np.bincount(segment[rented], minlength=len(SEGMENTS)),
        advert_recruits=recruits,
        by_lure=np.bincount(claims.lure, minlength=NO_LURE + 1)[:NO_LURE],
        leaks=leaks,
        harm_privacy=leaks * world.parameters.harm.leak_yuan,
    )


def _clusters(world: World, luck: Luck, claims: Claims) -> NDArray[np.int64]:
    """Return dealer, channel and batch as one number; each account begins a batch or joins the one before it of its dealer and channel."""
    channel = claims.channel.astype(np.int64)
    begins = luck.uniforms("batch", ONCE, claims.key) < world.traits.new_batch[channel]
    return in_batches(claims.dealer.astype(np.int64) * len(CHANNELS) + channel, begins, world.dealers.batches.reshape(-1))


def _mark_owners(world: World, claims: Claims) -> None:
    """Set the status of the owners and count renters in their communities."""
    owned = claims.owner >= 0
    owners, channel = claims.owner[owned], claims.channel[owned]
    if owners.size == 0:
        return
    rows = world.users.rows(owners)
    world.users.touched.status[rows] = _STATUS[channel]
    world.users.count_renters(owners[channel == RENTED], 1)


def _pay(world: World, by_dealer: NDArray[np.float64]) -> None:
    """Pay sellers and thieves' costs; sell on renters' identity data."""
    market, p = world.market, world.parameters
    market.transfer("dealers", "sellers", by_dealer[:, BOUGHT] * market.purchase_price)
    market.transfer("dealers", "suppliers", by_dealer[:, STOLEN] * p.trading.theft_cost_yuan)
    market.transfer("abusers", "dealers", by_dealer[:, RENTED] * p.renting.identity_resale_yuan)


def _count_referrals(world: World, luck: Luck, claims: Claims) -> None:
    """Credit referrers; a renter who has brought in three may go into business in the own community."""
    referrers = distinct(claims.referrer[claims.referrer >= 0])
    if referrers.size == 0:
        return
    p = world.parameters.renting
    rows = world.users.rows(referrers)
    referrals = world.users.touched.referrals
    referrals[rows] = np.minimum(referrals[rows] + 1, 255)
    ready = referrers[referrals[rows] == int(p.dealer_after_referrals)]
    starts = ready[luck.uniforms("renter turns dealer", 0, ready.astype(np.uint64)) < p.dealer_share]
    world.new_dealers = starts
