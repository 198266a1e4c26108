"""Prices, and what the market as a whole remembers."""

from __future__ import annotations

import math
from typing import Any

from sim.levers import CHANNELS, LEVERS, SEGMENTS
from twin.dealers import Experience


def clipped(x: float, low: float, high: float) -> float:
    """Return x within floor and ceiling."""
    return min(high, max(low, x))


class Market:
    """The market for account-days, owners' days, assists and used accounts."""

    def __init__(self, model: Any) -> None:
        self.model = model
        start = model.rules.start
        self.price = start.price_yuan
        self.commission = start.commission_yuan
        self.helper_price = start.helper_price_yuan
        self.utilisation = start.utilisation_share
        self.per_candidate = start.per_candidate
        self.profit = start.dealer_profit_yuan
        self.purchases = start.purchases_per_million * model.millions
        self.experience = Experience()
        self.first_hazard = {c: getattr(start, f"hazard_{c}") for c in CHANNELS}
        self.ease = 1.0
        self.ask_price()
        self.supply = self.demand = 0.0
        self.wanted_helpers = self.offered_helpers = 0.0

    # Pooled beliefs

    def hazard(self, channel: str) -> float:
        """Return the pooled hazard, with a little weight on that of day 0."""
        n, pool = self.model.rules.dealer.prior_weight, self.experience
        return (pool.exits[channel] + n * self.first_hazard[channel]) / (pool.days[channel] + n)

    def conversion(self, channel: str) -> float:
        """Return pooled accounts per try."""
        pool = self.experience
        return pool.successes[channel] / max(pool.tries[channel], 1e-9)

    def segment_conversion(self, g: int) -> float:
        """Return pooled recruits per advert view in a segment."""
        return (self.experience.recruits[g] + 1e-4) / (self.experience.exposures[g] + 1.0)

    def assists_per_try(self, channel: str) -> float:
        """Return pooled assists bought per try."""
        return self.experience.assists[channel] / max(self.experience.tries[channel], 1e-9)

    # The day

    def ask_price(self) -> None:
        """Set the price asked by selling users."""
        trading, model = self.model.rules.trading, self.model
        volume = self.purchases / (trading.reference_per_million_day * model.millions * self.ease)
        self.asked_price = trading.asked_yuan * max(volume, trading.volume_floor) ** (1 / trading.supply_elasticity)

    def note_ease(self) -> None:
        """Note how many would sell today, relative to the standing regime."""
        standing = {name: [lever.standing] * len(SEGMENTS) for name, lever in LEVERS.items()}
        now = self._ease(self.model.levers, self.model.awareness)
        self.ease = now / self._ease(standing, self.model.standing_awareness)

    def _ease(self, levers: Any, awareness: list[float]) -> float:
        """Return how many would sell: adverts seen x knowledge x law, averaged over segments by audience and willingness."""
        rules, total, weights = self.model.rules, 0.0, 0.0
        reporting = levers["user_reporting"]
        reporting = reporting[0] if isinstance(reporting, list) else reporting
        report = rules.detection.report_base + rules.detection.report_span * reporting
        for g, share in enumerate(self.model.audience):
            seen = (1 - rules.renting.takedown_effect * levers["ad_takedown"][g]) * (1 - rules.renting.advert_report_weight * report)
            knowledge = 1 - awareness[g] * (1 - rules.awareness.informed_factor)
            certainty = max(levers["legal_certainty"][g], rules.renting.law_floor) / rules.renting.law_reference
            severity = max(levers["legal_severity"][g], rules.renting.law_floor) / rules.renting.law_reference
            law = certainty**-rules.renting.legal_weight * severity ** (-rules.renting.legal_weight * rules.renting.severity_share)
            weight = share * math.exp(getattr(rules.renting, f"{SEGMENTS[g]}_logit"))
            weights += weight
            total += weight * seen * knowledge * law
        return total / weights

    def clear(self) -> None:
        """Match supply and demand of account-days; dealers earn, owners are paid."""
        model, rules = self.model, self.model.rules
        market = rules.market
        self.supply = sum(account.quality for account in model.accounts)
        self.demand = market.demand_per_million * model.millions * (self.price / market.reference_price_yuan) ** -market.demand_elasticity
        self.utilisation = min(1.0, self.demand / self.supply) if self.supply > 0 else 1.0
        for account in model.accounts:
            dealer = account.dealer
            dealer.today.days[account.channel] += 1
            value = self.price * self.utilisation - rules.dealer.evasion_cost_yuan * dealer.evasion**2
            dealer.pays(-account.quality * value)
            if account.channel == "rented" and not account.loan:
                dealer.pays(self.commission)

    def learn_helping(self, wanted: int, offered: float, asked: int, found: int) -> None:
        """Note the day's requests and the assists that recruiters could give, for the price of an assist."""
        self.wanted_helpers, self.offered_helpers = wanted, offered
        if asked:
            self.per_candidate += self.model.rules.helping.memory * (found / asked - self.per_candidate)

    def learn(self, today: Experience, purchases: int, dealers: list[Any]) -> None:
        """Take in the day, then move the prices."""
        rules, model = self.model.rules, self.model
        self.experience.learn(today, rules.dealer.memory)
        if dealers:
            self.profit = sum(d.profit for d in dealers) / len(dealers)
        else:
            self.profit = (1 + rules.dealer.entry_limit) * rules.dealer.reserve_yuan
        fade = 0.5 ** (1 / rules.trading.volume_half_life_days)
        self.purchases = fade * self.purchases + (1 - fade) * purchases
        self.ask_price()
        used = self.price * self.utilisation
        largest = max(self.demand, self.supply)
        log_price = math.log(self.price) + (rules.market.price_speed * (self.demand - self.supply) / largest if largest > 0 else 0.0)
        self.price = clipped(math.exp(log_price), rules.market.price_floor_yuan, rules.market.price_ceiling_yuan)
        renting = rules.renting
        worth = max(renting.psi * used * rules.account.quality_rented, 1e-9)
        log_commission = math.log(self.commission) + renting.commission_speed * math.log(worth / self.commission)
        self.commission = clipped(math.exp(log_commission), renting.commission_floor_yuan, renting.commission_ceiling_yuan)
        largest = max(self.wanted_helpers, self.offered_helpers)
        if largest > 0:
            gap = rules.helping.price_speed * (self.wanted_helpers - self.offered_helpers) / largest
            self.helper_price = clipped(self.helper_price * math.exp(gap), rules.helping.price_floor_yuan, rules.helping.price_ceiling_yuan)
        for g in range(len(SEGMENTS)):
            fade = 0.5 ** (1 / rules.awareness.news_half_life_days)
            a_day = model.book.count[f"owners_banned_{SEGMENTS[g]}"] / model.millions
            model.news[g] = fade * model.news[g] + (1 - fade) * a_day
