"""Recruiters of helpers: pitches where scan teams stand, and task platforms.

The number of pitches and of possible platforms is fixed by the population, so that a request which would go to a certain pitch goes
there in every world in which a team stands there. Slots [0, stalls) are pitches, the rest platforms.

| column | dtype | unit | zero means | written by |
|---|---|---|---|---|
| open | bool | - | nobody works there | turnover |
| key | uint64 | word of the catchment | - | turnover (a platform's changes when its member list is lost) |
| catchment | float64 | users met or enrolled | - | turnover |
| closed_until | int32 | day | not closed | turnover |
| acceptance | float64 | helpers per serious contact, moving mean | - | verification |
| profit | float64 | yuan a day, moving mean | - | turnover |
| today, cash | float64 | yuan | - | `transfer` |
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.inversion import Wheel
from sim.luck import Keys, Luck, join, words
from sim.parameters import Parameters
from sim.world.columns import Columns

Reals = NDArray[np.float64]


class Recruiters(Columns):
    """The table of recruiters."""

    open: NDArray[np.bool_]
    key: Keys
    catchment: Reals
    closed_until: NDArray[np.int32]
    acceptance: Reals
    profit: Reals
    today: Reals
    cash: Reals

    def __init__(self, millions: float, parameters: Parameters, luck: Luck) -> None:
        p, start = parameters.helping, parameters.start
        self.stalls = max(2, round(p.stall_slots_per_million * millions))
        self.platforms = max(2, round(p.platform_slots_per_million * millions))
        slots = self.stalls + self.platforms
        super().__init__(
            {
                "open": (np.bool_, False),
                "key": (np.uint64, 0),
                "catchment": (np.float64, 0),
                "closed_until": (np.int32, 0),
                "acceptance": (np.float64, 0.5),
                "profit": (np.float64, 0),
                "today": (np.float64, 0),
                "cash": (np.float64, 0),
            },
            slots,
        )
        self.size = slots
        numbers = np.arange(slots)
        self.is_stall = numbers < self.stalls
        self.place = join(words(numbers), luck.stream("recruiter"))
        """Key of the place, which stays."""
        self.key[:slots] = self.place
        self.full_catchment = np.minimum(np.where(self.is_stall, p.stall_catchment_users, p.platform_members), millions * 1e6)
        self.catchment[:slots] = self.full_catchment
        self.acceptance[:slots] = np.where(self.is_stall, start.acceptance_stall, start.acceptance_platform)
        at_work = np.where(self.is_stall, start.stalls_share, start.platforms_share)
        self.open[:slots] = (numbers + 0.5 - np.where(self.is_stall, 0, self.stalls)) < at_work * np.where(
            self.is_stall, self.stalls, self.platforms
        )
        per_candidate = p.stall_acceptance * p.gift_multiplier * p.impersonation_multiplier
        self.contacts_per_candidate = np.where(self.is_stall, 1.0 / per_candidate, 1.0)
        """Street contacts behind one serious contact; a platform's offer counts as one."""
        ideal = millions * np.where(self.is_stall, p.stall_slots_per_million, p.platform_slots_per_million)
        rounding = ideal / np.where(self.is_stall, self.stalls, self.platforms)
        full = np.where(self.is_stall, p.stall_contacts_per_day * per_candidate, p.platform_members * p.task_offers_per_member_day)
        self.capacity = full * rounding
        """Serious contacts a day when it works all day; whole numbers of places are made up for, so that small populations have no more."""
        self.contact_cost = np.where(self.is_stall, p.contact_cost_yuan / per_candidate, p.task_offer_cost_yuan)
        self.fee = np.where(self.is_stall, p.gift_yuan, p.task_fee_yuan)
        self.fixed_cost = np.where(self.is_stall, p.stall_fixed_yuan, p.platform_fixed_yuan) * rounding
        self.wheel = Wheel(np.cumsum(self.capacity))
        """Chooses the slot of a request by capacity."""
