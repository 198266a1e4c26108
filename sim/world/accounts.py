"""Accounts under dealer control: one row each, kept dense, in order of acquisition.

| column | dtype | unit | zero means | written by |
|---|---|---|---|---|
| key | uint64 | word | - | acquire |
| channel, use | int8 | index in CHANNELS, USES | registered, fraud | acquire |
| dealer | int32 | row of the dealer | first row | acquire |
| owner, helper | int64 | user id | user 0 (-1: none) | acquire |
| segment | int8 | owner's index in SEGMENTS | student | acquire |
| acquired | int32 | day | day 0 | acquire |
| cluster | int64 | dealer, channel and batch as one number | - | acquire |
| quality | float64 | effective account-days a day | - | acquire |
| contacts | float64 | owner's contacts over the reference number | no owner | acquire |
| payment, unpaid | bool | - | no payment; paid | acquire |
| case_day | int32 | day of the open report (-1: none) | - | detection |
| reseal_day | int32 | day of a late catch (-1: none) | - | acquire |
| fate | int8 | how it left today (0: live) | live | detection, departures, turnover |
| passing, spared, cleared | float64 | probability of having come through all audits, sweeps, reviews | caught for certain | detection |
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from sim.world.columns import Columns
from sim.world.registry import winners

REGISTERED, UNSEALED, RENTED, BOUGHT, STOLEN = range(5)
FRAUD, VICE, SPAM, FALSE_ADS = range(4)
ADVERT, REFERRAL, RETURN, NO_LURE = range(4)

(LIVE, AUDITED, REVIEWED, SWEPT, CHALLENGED, PURGED, NAMED, RESEALED, QUIT, RECOVERED, EMPTIED, SELF_REPORTED, SEIZED, ABANDONED) = range(
    14
)
"""Fates: fates from AUDITED to RESEALED are detections; the rest are other ways out."""

_BATCH_SHIFT = 32


def in_batches(cell: NDArray[np.int64], begins: NDArray[np.bool_], batches: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return cell and batch as one number, shape `(n,)`, of accounts in the order of their acquisition.

    `cell` is dealer and channel in one number; an account that `begins` a batch is the first of it, any other joins the batch that is
    the last of its cell; `batches`, shape `(cells,)`, counts those begun so far and counts on.
    """
    order = np.argsort(cell, kind="stable")
    ordered, first = cell[order], np.ones(cell.size, dtype=np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    begun = np.cumsum(begins[order])
    elsewhere = np.maximum.accumulate(np.where(first, begun - begins[order], 0))
    number = np.empty(cell.size, dtype=np.int64)
    number[order] = (ordered << _BATCH_SHIFT) + batches[ordered] + begun - elsewhere
    batches += np.bincount(cell[begins], minlength=batches.size)
    return number


@dataclass
class Claims:
    """Accounts that dealers are about to acquire; arrays of shape `(n,)`."""

    key: NDArray[np.uint64]
    channel: NDArray[np.int8]
    dealer: NDArray[np.int32]
    owner: NDArray[np.int64]
    helper: NDArray[np.int64]
    lure: NDArray[np.int8]
    unpaid: NDArray[np.bool_]
    reseal_day: NDArray[np.int32]
    referrer: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        key: NDArray[np.uint64],
        channel: int,
        dealer: NDArray[np.int64],
        owner: NDArray[np.int64] | None = None,
        helper: NDArray[np.int64] | None = None,
        lure: int = NO_LURE,
        unpaid: NDArray[np.bool_] | None = None,
        reseal_day: NDArray[np.int64] | None = None,
        referrer: NDArray[np.int64] | None = None,
    ) -> Claims:
        """Build claims on one channel; what is left out is 'none'."""
        n = key.size
        nobody = np.full(n, -1, dtype=np.int64)
        return cls(
            key=key,
            channel=np.full(n, channel, dtype=np.int8),
            dealer=dealer.astype(np.int32),
            owner=nobody if owner is None else owner,
            helper=nobody if helper is None else helper,
            lure=np.full(n, lure, dtype=np.int8),
            unpaid=np.zeros(n, dtype=np.bool_) if unpaid is None else unpaid,
            reseal_day=np.full(n, -1, dtype=np.int32) if reseal_day is None else reseal_day.astype(np.int32),
            referrer=nobody if referrer is None else referrer,
        )

    @classmethod
    def none(cls) -> Claims:
        """Return no claims."""
        return _NO_CLAIMS

    @classmethod
    def joined(cls, parts: list[Claims]) -> Claims:
        """Put claims one after the other."""
        parts = [part for part in parts if part.key.size] or parts[:1]
        if len(parts) == 1:
            return parts[0]
        return cls(**{f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(cls)})

    def select(self, index: NDArray[np.bool_] | NDArray[np.int64]) -> Claims:
        """Return a part of the claims."""
        return Claims(**{f.name: getattr(self, f.name)[index] for f in fields(self)})

    def uncontested(self) -> NDArray[np.bool_]:
        """Say which claims stand: not those on a user whom a claim with a lower key wants on the same day."""
        keep = np.ones(self.key.size, dtype=np.bool_)
        owned = (self.owner >= 0).nonzero()[0]
        keep[owned] = winners(self.owner[owned], self.key[owned])
        return keep

    def one_per_owner(self) -> Claims:
        """Drop claims on a user whom a claim with a lower key wants on the same day."""
        keep = self.uncontested()
        return self if keep.all() else self.select(keep)


_NO_CLAIMS = Claims.of(np.zeros(0, dtype=np.uint64), REGISTERED, np.zeros(0, dtype=np.int64))


class Accounts(Columns):
    """The table of accounts under dealer control."""

    key: NDArray[np.uint64]
    channel: NDArray[np.int8]
    use: NDArray[np.int8]
    dealer: NDArray[np.int32]
    owner: NDArray[np.int64]
    helper: NDArray[np.int64]
    segment: NDArray[np.int8]
    acquired: NDArray[np.int32]
    cluster: NDArray[np.int64]
    quality: NDArray[np.float64]
    contacts: NDArray[np.float64]
    payment: NDArray[np.bool_]
    unpaid: NDArray[np.bool_]
    case_day: NDArray[np.int32]
    reseal_day: NDArray[np.int32]
    fate: NDArray[np.int8]
    passing: NDArray[np.float64]
    spared: NDArray[np.float64]
    cleared: NDArray[np.float64]

    def __init__(self, room: int) -> None:
        super().__init__(
            {
                "key": (np.uint64, 0),
                "channel": (np.int8, 0),
                "use": (np.int8, 0),
                "dealer": (np.int32, 0),
                "owner": (np.int64, -1),
                "helper": (np.int64, -1),
                "segment": (np.int8, -1),
                "acquired": (np.int32, 0),
                "cluster": (np.int64, 0),
                "quality": (np.float64, 0),
                "contacts": (np.float64, 0),
                "payment": (np.bool_, False),
                "unpaid": (np.bool_, False),
                "case_day": (np.int32, -1),
                "reseal_day": (np.int32, -1),
                "fate": (np.int8, LIVE),
                "passing": (np.float64, 1),
                "spared": (np.float64, 1),
                "cleared": (np.float64, 1),
            },
            room,
        )

    def live(self) -> NDArray[np.int64]:
        """Return the rows still under dealer control."""
        return np.asarray((self.fate[: self.size] == LIVE).nonzero()[0])

    def append(self, **columns: NDArray[np.generic]) -> NDArray[np.int64]:
        """Append rows; columns not given keep their blank. Returns the new rows."""
        count = columns["key"].size
        first = self.size
        self.ensure(first + count)
        self.size = first + count
        for name, values in columns.items():
            getattr(self, name)[first : self.size] = values
        return np.arange(first, self.size)
