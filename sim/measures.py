"""Quantities that both the targets of the calibration and the patterns are about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from sim.levers import AT_RISK, SEGMENTS

Number = TypeVar("Number", float, NDArray[np.float64])

YEAR = 365.0
LURED = SEGMENTS[:AT_RISK]
"""Segments that adverts are aimed at."""


def worth(price: Number, utilisation: Number, supply: Number, stock: Number, lifetime: Number) -> Number:
    """Return p q E[L], what an account earns in its life, in yuan.

    From the price of an account-day, the share of supply that is used, effective account-days a day, accounts and their lifetime in days.
    """
    return price * utilisation * supply / stock * lifetime


def lured_users(users: int, shares: Mapping[str, float]) -> float:
    """Return the number of users in the lured segments, from the shares of segments."""
    return users * sum(shares[segment] for segment in LURED)


def at_least_once_a_year(times_a_day: Number, people: float) -> NDArray[np.float64]:
    """Return the share of people to whom something happens at least once a year, 1 - exp(-rate), when it happens to them blindly."""
    return np.asarray(-np.expm1(-YEAR * times_a_day / people))
