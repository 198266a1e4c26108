"""Dealers: one row each, stable while in business, used again after.

| column | dtype | unit | zero means | written by |
|---|---|---|---|---|
| active | bool | - | out of business | turnover |
| key, entered | uint64, int32 | word, day | - | turnover |
| capacity | float64 | effort a day | - | turnover, learning (growth) |
| entry_capacity | float64 | effort a day at entry | - | turnover |
| home | int64 | community of a renter turned dealer (-1: none) | - | turnover |
| arrest_day | int32 | day (-1: no case) | - | turnover |
| pool | int64 | sealed accounts held | none | unsealing, sanctions |
| batches | int64 (5) | batches begun by channel | none | acquire |
| shares | float64 (6) | effort by channel, the last idle | - | the model, when a plan is reviewed |
| attraction | float64 (6) | the same before tremble and pool | no plan yet | the same |
| weights | float64 (4) | adverts by segment | - | the same |
| evasion | float64 | share | none | learning |
| exits, at_risk | float64 (5) | remembered exits and account-days by channel | nothing yet | learning |
| wins, tries | float64 (5) | remembered successes and tries by channel | nothing yet | learning |
| recruits, shown | float64 (4) | remembered recruits and exposures by segment | nothing yet | learning |
| earned, effort | float64 (5) | remembered yuan earned and effort by channel | nothing yet | learning |
| profit | float64 | yuan a day, moving mean | - | learning |
| today | float64 | yuan earned today | - | `transfer` |
| cash | float64 | yuan | - | `transfer` |
| staying | float64 | probability of being in business still, from 1 at entry on | gone for certain | turnover |
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.world.columns import Columns

Reals = NDArray[np.float64]
IDLE = 5


class Dealers(Columns):
    """The table of dealers."""

    active: NDArray[np.bool_]
    key: NDArray[np.uint64]
    entered: NDArray[np.int32]
    capacity: Reals
    entry_capacity: Reals
    home: NDArray[np.int64]
    arrest_day: NDArray[np.int32]
    pool: NDArray[np.int64]
    batches: NDArray[np.int64]
    shares: Reals
    attraction: Reals
    weights: Reals
    evasion: Reals
    exits: Reals
    at_risk: Reals
    wins: Reals
    tries: Reals
    recruits: Reals
    shown: Reals
    earned: Reals
    effort: Reals
    profit: Reals
    today: Reals
    cash: Reals
    staying: Reals

    def __init__(self, room: int) -> None:
        five, six, four = (np.float64, (5,)), (np.float64, (6,)), (np.float64, (4,))
        super().__init__(
            {
                "active": (np.bool_, False),
                "key": (np.uint64, 0),
                "entered": (np.int32, 0),
                "capacity": (np.float64, 0),
                "entry_capacity": (np.float64, 1),
                "home": (np.int64, -1),
                "arrest_day": (np.int32, -1),
                "pool": (np.int64, 0),
                "batches": (np.dtype((np.int64, (5,))), 0),
                "shares": (np.dtype(six), 0),
                "attraction": (np.dtype(six), 0),
                "weights": (np.dtype(four), 0.25),
                "evasion": (np.float64, 0),
                "exits": (np.dtype(five), 0),
                "at_risk": (np.dtype(five), 0),
                "wins": (np.dtype(five), 0),
                "tries": (np.dtype(five), 0),
                "recruits": (np.dtype(four), 0),
                "shown": (np.dtype(four), 0),
                "earned": (np.dtype(five), 0),
                "effort": (np.dtype(five), 0),
                "profit": (np.float64, 0),
                "today": (np.float64, 0),
                "cash": (np.float64, 0),
                "staying": (np.float64, 1),
            },
            room,
        )

    def rows(self) -> NDArray[np.int64]:
        """Return the rows of dealers in business, ascending."""
        return (self.active[: self.size]).nonzero()[0]

    def open_rows(self, count: int) -> NDArray[np.int64]:
        """Return `count` blank rows for entrants: rows given up first, lowest first."""
        unused = (~self.active[: self.size]).nonzero()[0][:count]
        extra = count - unused.size
        first = self.size
        self.ensure(first + extra)
        self.size = first + extra
        rows = np.concatenate([unused, np.arange(first, self.size)])
        for name, (_, blank) in self._spec.items():
            getattr(self, name)[rows] = blank
        return rows

    def per_dealer(self, dealer: NDArray[np.int32] | NDArray[np.int64], amounts: Reals | None = None) -> Reals:
        """Sum amounts (or count) by dealer row; shape `(size,)`."""
        return np.bincount(dealer, weights=amounts, minlength=self.size).astype(np.float64)

    def padded(self, by_dealer: Reals) -> Reals:
        """Return an array by dealer row with zero rows for dealers who came since it was made."""
        missing = self.size - by_dealer.shape[0]
        return by_dealer if missing == 0 else np.concatenate([by_dealer, np.zeros((missing, *by_dealer.shape[1:]))])

    def per_channel(self, dealer: NDArray[np.int32], channel: NDArray[np.int8]) -> Reals:
        """Count accounts by dealer row and channel; shape `(size, 5)`."""
        cell = dealer.astype(np.int64) * 5 + channel
        return np.bincount(cell, minlength=self.size * 5).astype(np.float64).reshape(self.size, 5)
