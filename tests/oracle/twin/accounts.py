"""Accounts under dealer control, and the claims that bring them there."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from sim.levers import USES

OWNED = ("rented", "bought", "stolen")


@dataclass
class Claim:
    """An account that a dealer would take over today."""

    channel: str
    dealer: Any
    user: Any = None
    helper: Any = None
    how: str = ""
    referrer: Any = None
    loan: bool = False
    late_catch: int | None = None


class Account:
    """One account in a dealer's hands."""

    def __init__(self, model: Any, claim: Claim, acquired: int, batch: Any) -> None:
        rules = model.rules.account
        self.model = model
        self.channel = claim.channel
        self.dealer = claim.dealer
        self.owner = claim.user
        self.helper = claim.helper
        self.loan = claim.loan
        self.late_catch = claim.late_catch
        self.acquired = acquired
        self.batch = batch
        self.report_day: int | None = None
        self.fate: str | None = None
        self.caught_by: str | None = None
        self.quality = getattr(rules, f"quality_{self.channel}") * self._premium()
        self.contacts = self.owner.contacts / model.rules.population.contacts_reference if self.owner else 0.0
        self.use = self._drawn_use()

    def _premium(self) -> float:
        """Return the premium for age and verified name, mean 1."""
        rules, model = self.model.rules.account, self.model
        if self.channel == "registered":
            return 1.0
        if self.channel == "unsealed":
            k = rules.age_premium
            mean = (math.exp(k) - 1) / k if k else 1.0
            return math.exp(k * model.random.random()) / mean
        return premium(model, self.owner) / model.mean_premium

    def _drawn_use(self) -> str:
        """Draw a use, by demand and suitability."""
        rules = self.model.rules.account
        weight = {use: getattr(rules, f"demand_{use}") for use in USES}
        if self.channel in OWNED:
            weight["fraud"] *= rules.trusted_fit
            weight["vice"] *= rules.trusted_fit
        elif self.channel == "registered":
            weight["spam"] *= rules.fresh_fit
            weight["false_ads"] *= rules.fresh_fit
        return self.model.random.choices(list(weight), list(weight.values()))[0]

    @property
    def live(self) -> bool:
        """Whether the account is still in the dealer's hands today."""
        return self.fate is None

    def falls(self, caught_by: str) -> None:
        """Be detected."""
        self.fate, self.caught_by = "detected", caught_by


def premium(model: Any, user: Any) -> float:
    """Return what age and a verified name add to the quality of a user's account, before scaling to mean 1."""
    rules = model.rules.account
    log = rules.age_premium * user.age_days / model.rules.population.oldest_account_days
    return math.exp(log + (rules.real_name_premium if user.verified else 0.0))
