"""Recruiters of helpers: a Mesa agent each, deciding how much of the day to work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import mesa
import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from sim.world.world import World

if TYPE_CHECKING:
    from mesa import Model


class Recruiter(mesa.Agent):  # type: ignore[misc]  # Mesa is not typed
    """A pitch of scan teams or a task platform: an agent whose state is a row of `world.recruiters`."""

    def __init__(self, model: Model, world: World, row: int) -> None:
        super().__init__(model)
        self._recruiters = world.recruiters
        self.row = row
        self.kind = "scan team" if self._recruiters.is_stall[row] else "task platform"

    @property
    def open(self) -> bool:
        """Whether somebody works there."""
        return bool(self._recruiters.open[self.row])

    @property
    def cash(self) -> float:
        """Money in yuan."""
        return float(self._recruiters.cash[self.row])


def work(world: World, day: int) -> NDArray[np.float64]:
    """Return the part of the day that each recruiter works, `(slots,)`: logistic in the margin of a street contact or an offer.

    Zero where nobody is or where policing has closed the place.
    """
    recruiters, p = world.recruiters, world.parameters.helping
    per_assist = world.market.helper_price - recruiters.fee
    margin = per_assist * recruiters.acceptance[: recruiters.size] - recruiters.contact_cost
    share = expit(margin / (recruiters.contacts_per_candidate * p.work_scale_yuan))
    there = recruiters.open[: recruiters.size] & (recruiters.closed_until[: recruiters.size] <= day)
    return np.where(there, share, 0.0)
