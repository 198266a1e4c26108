"""Tables by channel, use and segment, laid out once from the ledger."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.levers import CHANNELS, SEGMENTS, USES
from sim.parameters import Parameters

Reals = NDArray[np.float64]


class Traits:
    """Constants of accounts and segments as arrays: `(5,)` by channel, `(4,)` by use or segment."""

    def __init__(self, parameters: Parameters) -> None:
        account, detection, harm = parameters.account, parameters.detection, parameters.harm
        self.quality = np.array([getattr(account, f"quality_{c}") for c in CHANNELS])
        self.new_batch = np.array([2.0 / (getattr(account, f"batch_{c}") + 1.0) for c in CHANNELS])
        """Chance that an account begins a batch: the batch of an account then has `batch_<channel>` on average."""
        self.cover = np.array([getattr(detection, f"cover_{c}") for c in CHANNELS])
        self.use_cover = np.array([getattr(detection, f"use_{u}") for u in USES])
        self.segment_logit = np.array([getattr(parameters.renting, f"{s}_logit") for s in SEGMENTS])
        self.fraud_rate = np.array([getattr(harm, f"fraud_{c}") for c in CHANNELS])
        demand = np.array([getattr(account, f"demand_{u}") for u in USES])
        fit = np.ones((len(CHANNELS), len(USES)))
        fit[2:, :2] = account.trusted_fit
        fit[0, 2:] = account.fresh_fit
        weights = fit * demand
        self.use_cumulative: Reals = np.cumsum(weights / weights.sum(axis=1, keepdims=True), axis=1)
        """Running shares of the four uses by channel, `(5, 4)`."""
        self._age, self._name = account.age_premium, account.real_name_premium
        self._oldest = parameters.population.oldest_account_days
        self._mean = self._mean_premium(parameters)

        self.tries_per_effort = np.array(
            [
                parameters.registration.attempts_per_effort,
                parameters.unsealing.attempts_per_effort,
                parameters.renting.exposures_per_effort,
                parameters.trading.exposures_per_effort,
                parameters.trading.thefts_per_effort,
            ]
        )
        start = parameters.start
        self.start_stock = np.array([getattr(start, f"stock_{c}_per_million") for c in CHANNELS])
        self.start_hazard = np.array([getattr(start, f"hazard_{c}") for c in CHANNELS])
        self.start_conversion = np.array([getattr(start, f"conversion_{c}") for c in CHANNELS])
        self.start_assisted = np.array([start.assisted_registered, start.assisted_unsealed])

    def _mean_premium(self, parameters: Parameters) -> float:
        population = parameters.population
        young, named = population.young_account_share, population.real_name_share
        a, first = self._age, population.young_account_days / population.oldest_account_days
        by_age = (
            1.0 if a == 0 else young * np.expm1(a * first) / (a * first) + (1 - young) * (np.exp(a) - np.exp(a * first)) / (a * (1 - first))
        )
        return float(by_age * (1 + named * np.expm1(self._name)))

    def premium(self, age_days: Reals, real_name: NDArray[np.bool_]) -> Reals:
        """Return the factor on quality for age and a verified name; mean 1 over users."""
        return np.exp(self._age * np.minimum(age_days / self._oldest, 1.0) + self._name * real_name) / self._mean

    def aged_premium(self, u: Reals) -> Reals:
        """Return the factor on quality of an unsealed account of random age; mean 1."""
        a = self._age
        return np.ones_like(u) if a == 0 else np.exp(a * u) * a / np.expm1(a)
