"""Dealers: what they believe, plan, try and learn."""

from __future__ import annotations

import math
from typing import Any

import mesa

from sim.levers import CHANNELS, SEGMENTS
from twin.accounts import Claim
from twin.users import ask_somebody

IDLE = "idle"


class Experience:
    """Fading counts, of one dealer or of the whole market."""

    def __init__(self) -> None:
        self.days = dict.fromkeys(CHANNELS, 0.0)
        self.exits = dict.fromkeys(CHANNELS, 0.0)
        self.tries = dict.fromkeys(CHANNELS, 0.0)
        self.successes = dict.fromkeys(CHANNELS, 0.0)
        self.assists = dict.fromkeys(CHANNELS, 0.0)
        self.exposures = [0.0] * len(SEGMENTS)
        self.recruits = [0.0] * len(SEGMENTS)

    def learn(self, today: Experience, memory: float) -> None:
        """Fade what is known and add the day."""
        for name in ("days", "exits", "tries", "successes", "assists"):
            old, new = getattr(self, name), getattr(today, name)
            for channel in CHANNELS:
                old[channel] = memory * old[channel] + new[channel]
        for name in ("exposures", "recruits"):
            old, new = getattr(self, name), getattr(today, name)
            for g in range(len(SEGMENTS)):
                old[g] = memory * old[g] + new[g]


class Dealer(mesa.Agent):
    """One dealer in accounts."""

    def __init__(self, model: Any, capacity: float, evasion: float, home: Any = None) -> None:
        super().__init__(model)
        self.entry_capacity = capacity
        self.growth = 0.0
        self.evasion = evasion
        self.home = home
        self.in_business = True
        self.pool = 0
        self.cash = model.rules.dealer.start_cash_yuan
        self.profit = model.rules.dealer.reserve_yuan
        self.earned = 0.0
        self.review_phase = model.random.randrange(int(model.rules.dealer.review_days))
        self.arrest_day: int | None = None
        self.batches = dict.fromkeys(CHANNELS, 0)
        self.experience = Experience()
        self.today = Experience()
        self.plan = {**dict.fromkeys(CHANNELS, 0.0), IDLE: 1.0}
        self.planned = False
        self.advert_shares = list(model.audience)
        self.accounts: list[Any] = []

    @property
    def capacity(self) -> float:
        """Effort a day."""
        return self.entry_capacity * math.exp(self.growth)

    def keep_size(self) -> None:
        """Keep capacity between one unit of effort and the cap."""
        size = min(self.model.rules.dealer.capacity_cap, max(1.0, self.capacity))
        self.growth = math.log(size / self.entry_capacity)

    def pays(self, yuan: float) -> None:
        """Pay, or earn if negative."""
        self.cash -= yuan
        self.earned -= yuan

    # Beliefs

    def hazard(self, channel: str) -> float:
        """Return the believed daily hazard of an account."""
        n, own = self.model.rules.dealer.prior_weight, self.experience
        return (own.exits[channel] + n * self.model.market.hazard(channel)) / (own.days[channel] + n)

    def conversion(self, channel: str) -> float:
        """Return the believed accounts per try."""
        n = self.model.rules.dealer.prior_effort * tries_per_effort(self.model.rules, channel)
        own = self.experience
        return (own.successes[channel] + n * self.model.market.conversion(channel)) / (own.tries[channel] + n)

    def segment_conversion(self, g: int) -> float:
        """Return the believed recruits per advert view in a segment."""
        n = self.model.rules.dealer.prior_effort * tries_per_effort(self.model.rules, "rented")
        own = self.experience
        return (own.recruits[g] + n * self.model.market.segment_conversion(g)) / (own.exposures[g] + n)

    # Plan

    def step(self) -> None:
        """Review the plan on the days of review."""
        rules, model = self.model.rules.dealer, self.model
        if not model.scenario.dealers.adaptive and model.day >= model.scenario.run.burn_in_days and self.planned:
            return
        if model.day == 0 or (model.day + self.review_phase) % int(rules.review_days) == 0:
            self.make_plan()

    def expected_profit(self, channel: str) -> float:
        """Return what a unit of effort in a channel is expected to earn."""
        rules, market, model = self.model.rules, self.model.market, self.model
        quality = getattr(rules.account, f"quality_{channel}")
        daily = quality * (market.price * market.utilisation - rules.dealer.evasion_cost_yuan * self.evasion**2)
        if channel == "rented":
            theft = rules.renting.theft_per_day * rules.population.payment_share * rules.harm.theft_loss_yuan
            daily -= market.commission - theft
        account = {
            "bought": market.asked_price,
            "stolen": rules.trading.theft_cost_yuan,
            "rented": -rules.renting.identity_resale_yuan,
        }.get(channel, 0.0)
        a_try = 0.0
        if channel == "registered":
            a_try = rules.registration.sim_cost_yuan + model.market.helper_price * market.assists_per_try(channel)
        elif channel == "unsealed":
            a_try = (model.market.helper_price + rules.unsealing.attempt_cost_yuan) * market.assists_per_try(channel)
        worth = self.conversion(channel) * (daily / self.hazard(channel) - account) - a_try
        return tries_per_effort(rules, channel) * worth

    def make_plan(self) -> None:
        """Spread effort by a logit, and adverts by the conversion seen."""
        rules = self.model.rules
        worth = {channel: self.expected_profit(channel) for channel in CHANNELS}
        worth[IDLE] = rules.dealer.outside_yuan
        best = max(worth.values())
        weight = {k: math.exp(rules.dealer.choice_weight * (x - best)) for k, x in worth.items()}
        total = sum(weight.values())
        tremble = rules.dealer.tremble
        plan = {k: (1 - tremble) * x / total + tremble / len(weight) for k, x in weight.items()}
        room = self.pool * rules.unsealing.attempts_per_month / 30 / (rules.unsealing.attempts_per_effort * self.capacity)
        if plan["unsealed"] > room:
            others = 1 - plan["unsealed"]
            plan = {k: (room if k == "unsealed" else x * (1 - room) / others) for k, x in plan.items()}
        self.plan, self.planned = plan, True
        audience = self.model.audience
        seen = [share * self.segment_conversion(g) for g, share in enumerate(audience)]
        explore = rules.renting.exploration
        self.advert_shares = [(1 - explore) * s / sum(seen) + explore * a for s, a in zip(seen, audience, strict=True)]

    def effort(self, channel: str) -> float:
        """Return today's effort in a channel."""
        return self.capacity * self.plan[channel]

    # The day's work

    def register(self) -> None:
        """Attempt sign-ups; those that need a helper wait for one."""
        model, rules = self.model, self.model.rules.registration
        attempts = model.whole(self.effort("registered") * rules.attempts_per_effort)
        self.today.tries["registered"] += attempts
        self.pays(attempts * rules.sim_cost_yuan)
        model.book.attempts += attempts
        shield = 1 - model.rules.dealer.evasion_shield * self.evasion
        passes = math.exp(-rules.audit_strength * model.levers["registration_audit"] * shield)
        needs = rules.verified_base + rules.verified_span * model.levers["assisted_verification"]
        for _ in range(attempts):
            if model.random.random() < passes:
                if model.random.random() < needs:
                    model.requests.append(("registered", self))
                else:
                    model.claims.append(Claim("registered", self))

    def unseal(self) -> None:
        """Ask for the unsealing of accounts in the pool."""
        rules = self.model.rules.unsealing
        self.pool -= self.model.whole(self.pool * rules.pool_decay_per_day)
        wanted = min(self.effort("unsealed") * rules.attempts_per_effort, self.pool * rules.attempts_per_month / 30)
        attempts = min(self.model.whole(wanted), self.pool)
        self.today.tries["unsealed"] += attempts
        self.model.requests.extend([("unsealed", self)] * attempts)

    def advertise(self) -> None:
        """Buy views of rental adverts and of offers to buy; those that survive takedown reach users."""
        model, rules = self.model, self.model.rules
        rent_views = self.effort("rented") * rules.renting.exposures_per_effort
        buy_views = self.effort("bought") * rules.trading.exposures_per_effort
        for g, audience in enumerate(model.audience):
            views = model.whole(rent_views * self.advert_shares[g])
            self.today.tries["rented"] += views
            self.today.exposures[g] += views
            shown = model.survivors(views, g)
            model.book.approached(g, shown * rules.renting.noticed_share)
            for _ in range(shown):
                model.random.choice(model.segment_users[g]).rental_adverts.append(self)
            views = model.whole(buy_views * audience)
            self.today.tries["bought"] += views
            for _ in range(model.survivors(views, g)):
                model.random.choice(model.segment_users[g]).buying_adverts.append(self)

    def steal(self) -> None:
        """Try to take accounts over by phishing or malware."""
        model, rules = self.model, self.model.rules.trading
        tries = model.whole(self.effort("stolen") * rules.thefts_per_effort)
        self.today.tries["stolen"] += tries
        for _ in range(tries):
            user = model.random.choice(model.users)
            if user.is_free() and model.random.random() < user.knowledge():
                model.claims.append(Claim("stolen", self, user))

    def approach_home(self) -> None:
        """A renter turned dealer asks somebody of the own community."""
        if self.home is not None and self.model.random.random() < self.model.rules.renting.home_approach_per_day:
            ask_somebody(self.model, self.home, self, None)

    # Evening

    def learn(self) -> None:
        """Take in the day: experience, evasion, profit, size."""
        rules, model = self.model.rules.dealer, self.model
        held = {c: self.today.days[c] for c in CHANNELS}
        lost = sum(self.today.exits.values())
        self.experience.learn(self.today, rules.memory)
        holdings = sum(held.values())
        frozen = not model.scenario.dealers.adaptive and model.day >= model.scenario.run.burn_in_days
        if not frozen:
            weight = held if holdings else dict.fromkeys(CHANNELS, 1)
            mean = sum(weight[c] * self.hazard(c) for c in CHANNELS) / sum(weight.values())
            target = min(1.0, max(0.0, rules.evasion_target * mean))
            self.evasion += min(rules.evasion_drift, max(-rules.evasion_drift, target - self.evasion))
            shock = max(0.0, lost / max(holdings, 1) - rules.shock_multiple * mean)
            self.evasion += holdings / (holdings + rules.prior_weight) * rules.evasion_jump * shock * (1 - self.evasion)
        self.profit += (self.earned - self.profit) / rules.profit_memory_days
        relative = self.profit / self.capacity / (rules.reserve_yuan / rules.capacity_mean) - 1
        self.growth += rules.growth_per_day * (min(1.0, max(-1.0, relative)) - self.growth)
        self.keep_size()
        self.today, self.earned = Experience(), 0.0


def tries_per_effort(rules: Any, channel: str) -> float:
    """Return how many tries a unit of effort makes in a channel."""
    return {
        "registered": rules.registration.attempts_per_effort,
        "unsealed": rules.unsealing.attempts_per_effort,
        "rented": rules.renting.exposures_per_effort,
        "bought": rules.trading.exposures_per_effort,
        "stolen": rules.trading.thefts_per_effort,
    }[channel]
