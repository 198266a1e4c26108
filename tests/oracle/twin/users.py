"""Ordinary users: who they are, what they fear, what they agree to."""

from __future__ import annotations

import math
from typing import Any

import mesa

from sim.levers import SEGMENTS
from twin.accounts import Claim

FREE, RENTING, ROBBED, SOLD, BANNED, LOST = "free", "renting", "robbed", "sold", "banned", "lost"
NEVER = -(10**9)


def logistic(x: float) -> float:
    """Return 1 / (1 + exp(-x))."""
    return 1.0 / (1.0 + math.exp(-x))


class Community:
    """A group of users who know each other: renters now, and the risk that it remembers."""

    def __init__(self) -> None:
        self.members: list[User] = []
        self.renters = 0
        self.risk = 0.0
        self.risk_day = 0


class User(mesa.Agent):
    """One user of the platform."""

    def __init__(self, model: Any, community: Community, segment: int) -> None:
        super().__init__(model)
        people, draw = model.rules.population, model.random
        self.community = community
        self.segment = segment
        self.reservation = people.reservation_median_yuan * math.exp(people.reservation_sigma * draw.gauss(0, 1))
        self.contacts = people.contacts_median * math.exp(people.contacts_sigma * draw.gauss(0, 1))
        if draw.random() < people.young_account_share:
            self.age_days = draw.uniform(0, people.young_account_days)
        else:
            self.age_days = draw.uniform(people.young_account_days, people.oldest_account_days)
        self.verified = draw.random() < people.real_name_share
        self.payment = draw.random() < people.payment_share
        self.quantile = draw.random()
        self.status = FREE
        self.until = NEVER
        self.strikes = 0
        self.risk = 0.0
        self.risk_day = 0
        self.referrals = 0
        self.last_assist = NEVER
        self.previous_assist = NEVER
        self.helper_until = NEVER
        self.helper_strikes = 0
        self.account: Any = None
        self.rented_to: Any = None  # the dealer who may ask again when the sanction ends
        self.rental_adverts: list[Any] = []
        self.buying_adverts: list[Any] = []

    # What the user knows and fears

    @property
    def informed(self) -> bool:
        """Whether the campaigns have reached this user."""
        return self.quantile < self.model.awareness[self.segment]

    def knowledge(self) -> float:
        """Return the factor by which knowledge changes willingness."""
        return self.model.rules.awareness.informed_factor if self.informed else 1.0

    def perceived_risk(self) -> float:
        """Return own memory and the community's, both fading."""
        day, half_life = self.model.day, self.model.rules.awareness.risk_half_life_days
        risk = 0.0
        if self.risk:
            risk += self.risk * 0.5 ** ((day - self.risk_day) / half_life)
        if self.community.risk:
            risk += self.community.risk * 0.5 ** ((day - self.community.risk_day) / half_life)
        return risk

    def remember(self, amount: float) -> None:
        """Add to what the user fears."""
        day, half_life = self.model.day, self.model.rules.awareness.risk_half_life_days
        self.risk = self.risk * 0.5 ** ((day - self.risk_day) / half_life) + amount
        self.risk_day = day

    def community_remembers(self, amount: float) -> None:
        """Add to what the community fears."""
        place, day, half_life = self.community, self.model.day, self.model.rules.awareness.risk_half_life_days
        place.risk = place.risk * 0.5 ** ((day - place.risk_day) / half_life) + amount
        place.risk_day = day

    # What the user may do

    def is_free(self) -> bool:
        """Whether the account is in its owner's hands and under no sanction."""
        return self.status == FREE or (self.status == BANNED and self.until <= self.model.day)

    def may_help(self) -> bool:
        """Whether the platform lets this user confirm somebody else's request."""
        helping, day, strictness = self.model.rules.helping, self.model.day, self.model.levers["helper_cap"]
        if self.age_days < helping.cap_age_days * min(1.0, strictness / helping.cap_reference):
            return False
        if day - self.last_assist < max(1.0, helping.cap_window_days * strictness / helping.cap_reference):
            return False
        if self.helper_until > day:
            return False
        return self.is_free() or self.status == RENTING

    # What the user agrees to

    def agrees_to_rent(self, word: float = 0.0) -> float:
        """Return the probability of renting out when asked."""
        rules, g = self.model.rules.renting, self.segment
        x = (
            self.model.rent_logit[g]
            + rules.commission_weight * math.log(self.model.market.commission / self.reservation)
            - self.model.rules.awareness.risk_weight * self.perceived_risk()
            + rules.community_weight * math.log(1 + self.community.renters)
            + word
        )
        return self.knowledge() * logistic(x)

    def agrees_to_sell(self) -> float:
        """Return the probability of selling the account when an offer is seen."""
        rules, people, g = self.model.rules.renting, self.model.rules.population, self.segment
        x = (
            self.model.sell_logit[g]
            + rules.commission_weight * math.log(people.reservation_median_yuan / self.reservation)
            - self.model.rules.awareness.risk_weight * self.perceived_risk()
        )
        return self.knowledge() * logistic(x)

    def agrees_to_scan(self) -> float:
        """Return the probability that a passer-by who stopped scans."""
        helping = self.model.rules.helping
        p = 1 - helping.confirmable_share * helping.confirmation_effect * self.model.levers["scan_confirmation"]
        p *= math.exp(-self.perceived_risk())
        if self.informed:
            p *= self.model.rules.awareness.informed_factor / helping.impersonation_multiplier
        return p

    def agrees_to_task(self) -> float:
        """Return the probability that a member of a task platform takes the task."""
        helping = self.model.rules.helping
        x = helping.task_logit + helping.task_fee_weight * math.log(helping.task_fee_yuan / helping.task_fee_usual_yuan)
        return logistic(x - self.model.rules.awareness.risk_weight * self.perceived_risk()) * self.knowledge()

    def pays(self, yuan: float) -> None:
        """Pay for a scan out of the own pocket, which no outcome counts."""

    # A day

    def step(self) -> None:
        """Come back from a sanction, ask a friend, and answer the adverts of the day."""
        model = self.model
        if self.status == BANNED and self.until <= model.day:
            self.come_back()
        elif self.status == RENTING and model.random.random() < model.rules.renting.referral_per_day:
            ask_somebody(model, self.community, self.account.dealer, self)
        if self.rental_adverts or self.buying_adverts:
            self.answer_adverts()

    def come_back(self) -> None:
        """Be free again; the dealer of before may ask."""
        model = self.model
        self.status = FREE
        dealer, self.rented_to = self.rented_to, None
        asked = dealer is not None and dealer.in_business and model.random.random() < model.rules.renting.return_share
        if asked and model.random.random() < self.agrees_to_rent(model.rules.renting.referral_logit):
            model.claims.append(Claim("rented", dealer, self, how="return"))

    def answer_adverts(self) -> None:
        """Answer the adverts seen today."""
        model, cap = self.model, self.model.rules.renting.thinning_cap
        if self.is_free():
            for dealer in self.rental_adverts:
                if model.random.random() < min(cap, self.agrees_to_rent()):
                    model.claims.append(Claim("rented", dealer, self, how="advert"))
            for dealer in self.buying_adverts:
                if model.random.random() < min(cap, self.agrees_to_sell()):
                    model.claims.append(Claim("bought", dealer, self))
        self.rental_adverts, self.buying_adverts = [], []


def ask_somebody(model: Any, community: Community, dealer: Any, referrer: User | None) -> None:
    """Ask a random member of a community, another one than who asks, to rent out to a dealer."""
    rules = model.rules.renting
    friend = model.random.choice([member for member in community.members if member is not referrer])
    model.book.approached(friend.segment, 1)
    if friend.is_free() and model.random.random() < friend.agrees_to_rent(rules.referral_logit):
        loan = model.random.random() < rules.loan_share
        model.claims.append(Claim("rented", dealer, friend, how="referral", referrer=referrer, loan=loan))


def segment_logits(model: Any) -> None:
    """Note the terms of acceptance that all users of a segment share today."""
    rules, levers = model.rules.renting, model.levers
    model.rent_logit, model.sell_logit, model.law = [], [], []
    for g, name in enumerate(SEGMENTS):
        certainty = max(levers["legal_certainty"][g], rules.law_floor) / rules.law_reference
        severity = max(levers["legal_severity"][g], rules.law_floor) / rules.law_reference
        law = -rules.legal_weight * (math.log(certainty) + rules.severity_share * math.log(severity))
        shared = getattr(rules, f"{name}_logit") + law - model.rules.awareness.risk_weight * model.rules.awareness.news_risk * model.news[g]
        model.law.append(law)
        model.rent_logit.append(rules.acceptance_logit + shared + rules.amnesty_hazard_logit * levers["owner_amnesty"][g])
        model.sell_logit.append(model.rules.trading.selling_logit + shared)
