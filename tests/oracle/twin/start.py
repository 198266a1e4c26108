"""Day 0: the state near the stationary point of the standing regime (MODEL.md, Initialization)."""

from __future__ import annotations

import math
from typing import Any

from sim.levers import CHANNELS, SEGMENTS
from twin.accounts import OWNED, Account, Claim
from twin.dealers import Dealer
from twin.users import RENTING, ROBBED, SOLD


def begin(model: Any) -> None:
    """Fill a model that has its users and its recruiters' places."""
    start = model.rules.start
    for _ in range(round(start.dealers_per_million * model.millions)):
        size = min(math.exp(model.random.gauss(start.size_log_mean, start.size_log_sigma)), model.rules.dealer.capacity_cap)
        dealer = Dealer(model, size, start.evasion)
        growth = start.growth_log_mean + start.growth_log_slope * (math.log(size) - start.size_log_mean)
        dealer.growth = growth
        dealer.keep_size()
    total = sum(dealer.capacity for dealer in model.dealers)
    for dealer in model.dealers:
        share = dealer.capacity / total
        dealer.pool = min(int(model.rules.unsealing.pool_cap), model.whole(start.pool_per_million * model.millions * share))
        dealer.profit = start.dealer_profit_yuan * share * len(model.dealers)
        for channel in CHANNELS:
            _stock(model, dealer, channel, share)
            _experience(model, dealer, channel)
    _pooled(model)
    _recruiters(model)
    for dealer in model.dealers:
        dealer.make_plan()


def _owner(model: Any, channel: str) -> Any:
    """Draw an owner whose account is free: segments by audience and willingness (robbed: by audience), users at random."""
    weights = list(model.audience)
    if channel != "stolen":
        weights = [a * math.exp(getattr(model.rules.renting, f"{name}_logit")) for a, name in zip(weights, SEGMENTS, strict=True)]
    while True:
        segment = model.random.choices(range(len(SEGMENTS)), weights)[0]
        user = model.random.choice(model.segment_users[segment])
        if user.is_free():
            return user


def _stock(model: Any, dealer: Any, channel: str, share: float) -> None:
    """Give a dealer its accounts of a channel, as of the morning."""
    start, draw = model.rules.start, model.random.random
    hazard = getattr(start, f"hazard_{channel}")
    at_clearing = getattr(start, f"stock_{channel}_per_million") * model.millions * share
    a_day = at_clearing * hazard
    size = getattr(model.rules.account, f"batch_{channel}")
    acquired = []
    for age in range(int(math.log(1e-6) / math.log(1 - hazard)), 0, -1):
        for _ in range(model.poisson(a_day)):
            if draw() < 2 / (size + 1):
                dealer.batches[channel] += 1
            if draw() < (1 - hazard) ** age:
                acquired.append((age, dealer.batches[channel]))
    for age, batch in acquired:
        user = _owner(model, channel) if channel in OWNED else None
        account = Account(model, Claim(channel, dealer, user), -age, batch)
        if draw() < start.case_share:
            account.report_day = 0
        model.accounts.append(account)
        if channel == "rented":
            user.status, user.account = RENTING, account
            user.community.renters += 1
        elif user is not None:
            user.status = SOLD if channel == "bought" else ROBBED


def _scattered(model: Any, mean: float) -> float:
    """Return a fading sum of Poisson counts with a given mean."""
    memory = model.rules.dealer.memory
    return model.poisson(mean * (1 + memory)) / (1 + memory)


def _experience(model: Any, dealer: Any, channel: str) -> None:
    """Give a dealer the experience that its holdings imply."""
    start, own, memory = model.rules.start, dealer.experience, model.rules.dealer.memory
    held = sum(account.dealer is dealer and account.channel == channel for account in model.accounts)
    own.days[channel] = held / (1 - memory)
    exits = own.days[channel] * getattr(start, f"hazard_{channel}")
    own.tries[channel] = exits / getattr(start, f"conversion_{channel}")
    own.exits[channel] = _scattered(model, exits)
    own.successes[channel] = _scattered(model, exits)


def _pooled(model: Any) -> None:
    """Give the market the experience that stocks, hazards and conversions imply."""
    start, pool, memory = model.rules.start, model.market.experience, model.rules.dealer.memory
    for channel in CHANNELS:
        hazard = getattr(start, f"hazard_{channel}")
        pool.days[channel] = getattr(start, f"stock_{channel}_per_million") * model.millions / (1 - memory)
        pool.exits[channel] = pool.successes[channel] = pool.days[channel] * hazard
        pool.tries[channel] = pool.exits[channel] / getattr(start, f"conversion_{channel}")
    for channel in ("registered", "unsealed"):
        pool.assists[channel] = pool.tries[channel] * getattr(start, f"assisted_{channel}")
    for g, name in enumerate(SEGMENTS):
        pool.exposures[g] = pool.tries["rented"] * model.audience[g]
        pool.recruits[g] = pool.successes["rented"] * model.audience[g] * math.exp(getattr(model.rules.renting, f"{name}_logit"))


def _recruiters(model: Any) -> None:
    """Open the first places of each kind, and give the people there a past."""
    start = model.rules.start
    for kind, share in (("stall", start.stalls_share), ("platform", start.platforms_share)):
        places = [place for place in model.recruiters if place.kind == kind]
        for number, place in enumerate(places):
            place.open = number + 0.5 < share * len(places)
            if place.open:
                _past_assists(model, place)


def _past_assists(model: Any, place: Any) -> None:
    """Give those who would help their last two assists, as an even flow of requests under the cap would have left them."""
    helping, start, draw = model.rules.helping, model.rules.start, model.random
    tightness = model.levers["helper_cap"] / helping.cap_reference
    willing = []
    for user in place.people:
        old = user.age_days >= helping.cap_age_days * min(1.0, tightness)
        if old and (not user.informed or draw.random() < model.rules.awareness.informed_factor):
            willing.append(user)
    a_day = start.assists_per_stall_day if place.kind == "stall" else start.assists_per_platform_day
    gap = len(willing) / a_day
    window = min(max(1.0, helping.cap_window_days * tightness), 0.95 * gap)
    for user in willing:
        since = draw.random() * gap
        if since >= window:
            since = window + draw.expovariate(1 / (gap - window))
        if since < helping.repeat_window_days:
            user.last_assist = -1 - int(since)
            user.previous_assist = user.last_assist - math.ceil(window + draw.expovariate(1 / (gap - window)))
