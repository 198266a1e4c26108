"""End spells: owners quit, are robbed or take accounts back; accounts that left are taken off the table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.levers import CHANNELS
from sim.luck import Luck
from sim.world.accounts import EMPTIED, LIVE, QUIT, RECOVERED, RENTED, RESEALED, STOLEN
from sim.world.users import FREE
from sim.world.world import World

_LONG_DAYS = 21


@dataclass(frozen=True)
class ExitFlows:
    """Accounts that left in a day: by dealer and channel `(dealers, 5)`, days under control by channel `(5,)`, rentals over three weeks."""

    by_dealer: NDArray[np.float64]
    ages: NDArray[np.float64]
    long_rentals: int


def depart(world: World, luck: Luck, day: int) -> tuple[float, float]:
    """End rentals by the owner (.05 a day) or by theft (.02 a day), one uniform for both; robbed owners recover (.3 a day).

    Returns what dealers took from payment-enabled accounts, and its expectation given the rentals of the day, in yuan.
    """
    accounts, p = world.accounts, world.parameters
    n = accounts.size
    fate, channel, key = accounts.fate[:n], accounts.channel[:n], accounts.key[:n]
    rented = ((channel == RENTED) & (fate == LIVE)).nonzero()[0]
    u = luck.uniforms("departure", day, key[rented])
    emptied = rented[(u >= p.renting.quit_per_day) & (u < p.renting.quit_per_day + p.renting.theft_per_day)]
    fate[rented[u < p.renting.quit_per_day]] = QUIT
    fate[emptied] = EMPTIED
    stolen = ((channel == STOLEN) & (fate == LIVE)).nonzero()[0]
    fate[stolen[luck.uniforms("recovery", day, key[stolen]) < p.trading.recovery_per_day]] = RECOVERED
    robbed = emptied[accounts.payment[emptied]]
    world.market.transfer("owners", "dealers", world.dealers.per_dealer(accounts.dealer[robbed]) * p.harm.theft_loss_yuan)
    expected = float(accounts.payment[rented].sum()) * p.renting.theft_per_day * p.harm.theft_loss_yuan
    return robbed.size * p.harm.theft_loss_yuan, expected


def release(world: World, day: int) -> ExitFlows:
    """Take accounts that left off the table and give owners who were not sanctioned their account back."""
    accounts, users, dealers = world.accounts, world.users, world.dealers
    n = accounts.size
    fate = accounts.fate[:n]
    gone = (fate != LIVE).nonzero()[0]
    channel = accounts.channel[gone]
    back = gone[(fate[gone] > RESEALED) & ((channel == RENTED) | (channel == STOLEN))]
    if back.size:
        rows = users.rows(accounts.owner[back])
        users.touched.status[rows] = FREE
        users.count_renters(accounts.owner[back[accounts.channel[back] == RENTED]], -1)
    age = day - accounts.acquired[gone] + 1
    flows = ExitFlows(
        by_dealer=dealers.per_channel(accounts.dealer[gone], channel),
        ages=np.bincount(channel, weights=age.astype(np.float64), minlength=len(CHANNELS)).astype(np.float64),
        long_rentals=int(((channel == RENTED) & (age > _LONG_DAYS)).sum()),
    )
    if gone.size:
        accounts.keep((fate == LIVE).nonzero()[0])
    return flows
