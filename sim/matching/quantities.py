"""Quantities that targets are about, made of the means of a run over its window."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from sim.levers import CHANNELS
from sim.measures import YEAR, at_least_once_a_year, lured_users, worth
from sim.parameters import resolve
from sim.scenario import Scenario

HALF_YEAR = 182.0
PER_USERS = 1.2e9
"""Users of the platform in the year that the targets are about (evidence A1)."""


class Means:
    """Means of one run over its window, with counts scaled to 1.2 billion users."""

    def __init__(self, row: Mapping[str, float], scenario: Scenario) -> None:
        self._row = row
        self._scenario = scenario

    def __getitem__(self, outcome: str) -> float:
        """Return the mean of an outcome a day; a numpy float, so that a division by zero is no error but infinite or NaN."""
        return np.float64(self._row[outcome])

    def full(self, outcome: str) -> float:
        """Return a count a day at 1.2 billion users."""
        return self[outcome] * PER_USERS / self._scenario.population.users

    def worth(self, channel: str) -> float:
        """Return p q E[L], what an account earns in its life, in yuan."""
        earned = (self["price_yuan"], self["utilisation_share"], self[f"supply_{channel}"])
        return worth(*earned, self[f"stock_{channel}"], self[f"lifetime_days_{channel}"])

    def sanctioned(self) -> float:
        """Return the share of sanctions that fall on malicious accounts."""
        malicious = sum(self[f"detected_{channel}"] for channel in CHANNELS)
        return malicious / (malicious + self["innocents_sanctioned"])

    def referral(self) -> float:
        """Return the share of recruits who came by a friend."""
        return self["rented_by_referral"] / (self["rented_by_advert"] + self["rented_by_referral"])

    def approached(self) -> float:
        """Return the share of users in the lured segments approached at least once a year."""
        people = self._scenario.population
        lured = lured_users(people.users, {name: segment.share for name, segment in people.segments.items()})
        return float(at_least_once_a_year(self["at_risk_approached"], lured))

    def unsealing(self) -> float:
        """Return what a successful unsealing costs: assists and work of all attempts over successes, in yuan."""
        work = resolve(self._scenario.parameters).unsealing.attempt_cost_yuan
        return self["unseal_attempts"] * (self["helper_price_yuan"] + work) / self["inflow_unsealed"]


QUANTITIES: dict[str, Callable[[Means], float]] = {
    "registered_detected_a_year": lambda m: YEAR * m.full("detected_registered"),
    "owner_appeals_in_half_a_year": lambda m: HALF_YEAR * m.full("appeals_owner"),
    "long_rentals_share": lambda m: m["exits_rented_long"] / m["exits_rented"],
    "referral_share": Means.referral,
    "malicious_share_of_sanctions": Means.sanctioned,
    "worth_registered_yuan": lambda m: m.worth("registered"),
    "worth_unsealed_yuan": lambda m: m.worth("unsealed"),
    "worth_bought_yuan": lambda m: m.worth("bought"),
    "worth_rented_yuan": lambda m: m.worth("rented"),
    "unsealing_cost_yuan": Means.unsealing,
    "lured_approached_in_a_year_share": Means.approached,
}
"""What a target may be about, besides the outcomes of a run."""


def value_of(quantity: str, means: Mapping[str, float], scenario: Scenario) -> float:
    """Return a quantity of a run; NaN or infinite where a market that has gone leaves it undefined."""
    row = Means(means, scenario)
    with np.errstate(all="ignore"):
        return float(QUANTITIES[quantity](row) if quantity in QUANTITIES else row[quantity])
