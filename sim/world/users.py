"""Ordinary users: traits as functions of the id, state of those touched.

| column | dtype | unit | zero means | written by |
|---|---|---|---|---|
| status | uint8 | code | free | acquiring, sanctions (ban, appeal), departures (back to free) |
| until | int32 | day | no sanction yet | sanctions (ban, appeal), unsealing (owners' own) |
| strikes | uint8 | count | never sanctioned | sanctions |
| asker, asker_entered | int32 | dealer's row, its day of entry | (-1: nobody) | sanctions |
| risk, risk_day | float32, int32 | risk, day | nothing remembered | sanctions |
| referrals | uint8 | count | none | acquiring |
| last_assist, previous_assist | int32 | day | (-10000: never) | verification |
| helper_until, helper_strikes | int32, uint8 | day, count | never | sanctions |

Communities are columns of their own: renters (count), risk and its day.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.levers import SEGMENTS
from sim.luck import Luck, Reals, words
from sim.parameters import Parameters
from sim.world.columns import Columns
from sim.world.registry import Ids, Registry, Rows

FREE, RENTING, ROBBED, SOLD, BANNED, LOST = range(6)
"""Status of a user: owner of a free, rented, stolen, sold, sanctioned or permanently lost account."""

NEVER = -10_000


class Population:
    """Traits of ordinary users as functions of their id: no memory a user.

    Segments are runs of whole communities: ids [0, bounds[1]) are students, and so on; nothing else depends on the order of ids.
    """

    def __init__(self, users: int, shares: list[float], parameters: Parameters, luck: Luck) -> None:
        self.users = users
        self.millions = users / 1e6
        self._p = parameters.population
        self._luck = luck
        self.community_size: int = int(self._p.community_size)
        communities = -(-users // self.community_size)
        edges = np.rint(np.concatenate([[0.0], np.cumsum(shares)]) * communities).astype(np.int64)
        self.bounds = np.minimum(edges * self.community_size, users)
        self.bounds[-1] = users
        self.sizes = np.diff(self.bounds)
        self.shares = self.sizes / users

    def community(self, ids: Ids) -> Ids:
        """Return the community of each user."""
        return np.asarray(ids // self.community_size)

    def segment(self, ids: Ids) -> NDArray[np.int64]:
        """Return the index in `SEGMENTS` of each user."""
        return np.minimum(np.searchsorted(self.bounds, ids, side="right") - 1, len(SEGMENTS) - 1)

    def pick(self, u: Reals, segments: NDArray[np.int64]) -> Ids:
        """Return a user of each segment, chosen by the uniform `u`."""
        return np.asarray(self.bounds[segments] + (u * self.sizes[segments]).astype(np.int64))

    def neighbour(self, u: Reals, communities: Ids, but: Ids) -> Ids:
        """Return a member of each community, chosen by the uniform `u`; never the one in `but` (-1: nobody), if there is another."""
        first = communities * self.community_size
        size = np.minimum(self.community_size, self.users - first)
        others = np.where((but >= 0) & (size > 1), size - 1, size)
        member = first + (u * others).astype(np.int64)
        return member + ((others < size) & (member >= but))

    def reservation(self, ids: Ids) -> Reals:
        """Return reservation commissions in yuan a day, log-normal."""
        z = self._luck.normals("trait reservation", 0, words(ids))
        return np.asarray(self._p.reservation_median_yuan * np.exp(self._p.reservation_sigma * z))

    def contacts(self, ids: Ids) -> Reals:
        """Return numbers of contacts, log-normal."""
        z = self._luck.normals("trait contacts", 0, words(ids))
        return np.asarray(self._p.contacts_median * np.exp(self._p.contacts_sigma * z))

    def quantile(self, ids: Ids) -> Reals:
        """Return awareness quantiles: a user is informed while it is below the informed share."""
        return self._luck.uniforms("trait awareness", 0, words(ids))

    def account(self, ids: Ids) -> tuple[Reals, NDArray[np.bool_], NDArray[np.bool_]]:
        """Return the ages of the users' own accounts in days, whose has a verified name, and whose has payment enabled."""
        age, name, payment = self._luck.each(("trait age", "trait real name", "trait payment"), 0, words(ids))
        return self._aged(age), name < self._p.real_name_share, payment < self._p.payment_share

    def account_age(self, ids: Ids) -> Reals:
        """Return ages of the users' own accounts in days: a share is young (under 180), the others uniform up to the oldest (8 years).

        Ages stand still: users come and go, so that the mix of ages stays what it is.
        """
        return self._aged(self._luck.uniforms("trait age", 0, words(ids)))

    def _aged(self, u: Reals) -> Reals:
        young, first, oldest = self._p.young_account_share, self._p.young_account_days, self._p.oldest_account_days
        return np.where(u < young, first * u / young, first + (u - young) / (1 - young) * (oldest - first))

    def younger_than(self, days: float) -> float:
        """Return the share of users whose account is younger than that many days, up to the age that counts as young."""
        return self._p.young_account_share * min(days / self._p.young_account_days, 1.0)


class Touched(Columns):
    """State of users to whom something happened."""

    status: NDArray[np.uint8]
    until: NDArray[np.int32]
    strikes: NDArray[np.uint8]
    asker: NDArray[np.int32]
    asker_entered: NDArray[np.int32]
    risk: NDArray[np.float32]
    risk_day: NDArray[np.int32]
    referrals: NDArray[np.uint8]
    last_assist: NDArray[np.int32]
    previous_assist: NDArray[np.int32]
    helper_until: NDArray[np.int32]
    helper_strikes: NDArray[np.uint8]

    def __init__(self, room: int) -> None:
        super().__init__(
            {
                "status": (np.uint8, FREE),
                "until": (np.int32, 0),
                "strikes": (np.uint8, 0),
                "asker": (np.int32, -1),
                "asker_entered": (np.int32, 0),
                "risk": (np.float32, 0),
                "risk_day": (np.int32, 0),
                "referrals": (np.uint8, 0),
                "last_assist": (np.int32, NEVER),
                "previous_assist": (np.int32, NEVER),
                "helper_until": (np.int32, NEVER),
                "helper_strikes": (np.uint8, 0),
            },
            room,
        )


class Communities:
    """State of every community: 8 bytes each, a fiftieth of that a user."""

    def __init__(self, count: int) -> None:
        self.renters: NDArray[np.int16] = np.zeros(count, dtype=np.int16)
        self.risk: NDArray[np.float32] = np.zeros(count, dtype=np.float32)
        self.risk_day: NDArray[np.int16] = np.zeros(count, dtype=np.int16)


class Users:
    """The population, the touched users and their communities."""

    def __init__(self, population: Population, parameters: Parameters) -> None:
        self.population = population
        self.registry = Registry()
        self.touched = Touched(1024)
        self.communities = Communities(-(-population.users // population.community_size))
        self._decay = 0.5 ** (1.0 / parameters.awareness.risk_half_life_days)

    def rows(self, ids: Ids) -> Rows:
        """Return rows in `touched`, making them where needed."""
        rows = self.registry.claim(ids)
        self.touched.ensure(self.registry.size)
        self.touched.size = self.registry.size
        return rows

    def free(self, ids: Ids, day: int, rows: Rows | None = None) -> NDArray[np.bool_]:
        """Say whose account can be rented, sold or stolen: not in dealers' hands, not under a sanction; `rows` as for `perceived_risk`."""
        rows = self.registry.find(ids) if rows is None else rows
        known = rows >= 0
        if not known.any():
            return np.ones(ids.shape, dtype=np.bool_)
        at = np.where(known, rows, 0)
        status, until = self.touched.status[at], self.touched.until[at]
        return np.asarray(~known | (status == FREE) | ((status == BANNED) & (until <= day)))

    def perceived_risk(self, ids: Ids, day: int, rows: Rows | None = None) -> Reals:
        """Return perceived risk above that of others: what is left of own sanctions and of those in the community.

        `rows` are the ids' rows in `touched`, if they are known already.
        """
        near, place = self.communities, self.population.community(ids)
        risk = near.risk[place].astype(np.float64)
        feared = risk.nonzero()[0]
        if feared.size:
            risk[feared] *= self._decay ** (day - near.risk_day[place[feared]].astype(np.float64))
        rows = self.registry.find(ids) if rows is None else rows
        known = (rows >= 0).nonzero()[0]
        if known.size:
            at = rows[known]
            risk[known] += self.touched.risk[at] * self._decay ** (day - self.touched.risk_day[at])
        return np.asarray(risk)

    def renters_nearby(self, ids: Ids) -> Reals:
        """Return the number of renters in each user's community."""
        return self.communities.renters[self.population.community(ids)].astype(np.float64)

    def remember(self, ids: Ids, day: int, own: float, community: float) -> None:
        """Add to the perceived risk of distinct users and of their communities."""
        if ids.size == 0:
            return
        rows = self.rows(ids)
        touched = self.touched
        touched.risk[rows] = touched.risk[rows] * self._decay ** (day - touched.risk_day[rows]) + own
        touched.risk_day[rows] = day
        if community:
            places, counts = np.unique(self.population.community(ids), return_counts=True)
            near = self.communities
            faded = near.risk[places] * self._decay ** (day - near.risk_day[places].astype(np.float64))
            near.risk[places] = faded + community * counts
            near.risk_day[places] = day

    def count_renters(self, ids: Ids, change: int) -> None:
        """Add `change` to the renters of each user's community."""
        if ids.size == 0:
            return
        np.add.at(self.communities.renters, self.population.community(ids), change)
