"""Cases 8 and 9: the zero-profit price with entry and exit, pass-through and how prices move."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from known_rows import Row, binomial, equal, exact, within
from known_worlds import audit_hazard, ledger, merged, only, ran, started, steady

from sim.world.accounts import REGISTERED

USERS = 70_000_000
CAPACITY, RESERVE, ASSIST, EVASION = 150.0, 2250.0, 40.0, 0.4
DAYS, LAST = 140, 60
"""Days of a run, and those at its end over which the price at rest is averaged."""


def registering(sim_cost: float, start: float) -> dict[str, Any]:
    """Return the settings of a market that only registers, with free entry and exit, from a number of dealers `start` times that at rest.

    Dealers are alike, work at a fixed capacity, all the time, with a fixed evasion; none retires; the price of an assist is pinned, helpers
    are there for all who ask, nothing sweeps. Quick prices and a short memory of profit, or entry would overshoot for years.
    """
    free = {"entry_per_12_million_day": 0.24, "exit_per_day": 0.01, "retire_per_day": 0.0, "bankrupt_yuan": 1e15, "memory": 0.97}
    free |= {"profit_memory_days": 3.0, "reserve_yuan": RESERVE}
    pinned = {"price_floor_yuan": ASSIST, "price_ceiling_yuan": ASSIST, "stall_slots_per_million": 1.0, "platform_slots_per_million": 0.0}
    parameters = merged(
        steady(CAPACITY, 1.0, EVASION),
        only(REGISTERED),
        {"dealer": free, "helping": pinned, "market": {"price_speed": 0.5}, "registration": {"sim_cost_yuan": sim_cost}},
        {"start": {"stalls_share": 1.0, "helper_price_yuan": ASSIST, "dealer_profit_yuan": RESERVE, "per_candidate": 1.0}},
    )
    p = ledger(parameters)
    undecided = p.detection.threshold + p.detection.evasion_effect * EVASION  # half of all accounts fall each day
    parameters = merged(parameters, {"detection": {"cover_registered": undecided}, "start": {"hazard_registered": 0.5}})
    price = zero_profit_price(parameters)
    p = ledger(parameters)
    wanted = p.market.demand_per_million * USERS / 1e6 * (price / p.market.reference_price_yuan) ** -p.market.demand_elasticity
    dealers = wanted / (CAPACITY * p.registration.attempts_per_effort * passing(parameters) / audit_hazard(p, "registered", EVASION))
    begun = {"dealers_per_million": start * dealers / (USERS / 1e6), "stock_registered_per_million": start * wanted / (USERS / 1e6)}
    parameters = merged(parameters, {"start": {**begun, "price_yuan": price}})
    off = {"cluster_sweep": 0.0, "assisted_verification": 0.0, "helper_cap": 0.0, "awareness_campaign": 0.0, "stall_policing": 0.0}
    return {"users": USERS, "parameters": parameters, "levers": {**off, "legal_certainty": 0.0}}


def passing(parameters: dict[str, Any]) -> float:
    """Return the share of sign-ups that pass the standing audit, exp(-2u(1 - e/2)); all find a helper who need one."""
    p = ledger(parameters)
    return float(np.exp(-p.registration.audit_strength * 0.3 * (1 - p.dealer.evasion_shield * EVASION)))


def zero_profit_price(parameters: dict[str, Any]) -> float:
    """Return p* util = k e^2 + h (c_SIM + v n s + reserve / attempts a day) / (s q)."""
    p = ledger(parameters)
    s, q = passing(parameters), p.account.quality_registered
    attempt = p.registration.sim_cost_yuan + ASSIST * p.registration.verified_base * s
    attempt += RESERVE / (CAPACITY * p.registration.attempts_per_effort)
    return float(p.dealer.evasion_cost_yuan * EVASION**2 + audit_hazard(p, "registered", EVASION) * attempt / (s * q))


@lru_cache(maxsize=16)
def _at_rest(sim_cost: float, start: float, seed: int) -> tuple[float, float]:
    """Return price x utilisation and revenue a day, means over the last days."""
    daily = ran(seed, days=DAYS, **registering(sim_cost, start))
    paid = (daily["price_yuan"] * daily["utilisation_share"] * daily["supply_account_days"])[-LAST:]
    return float(paid.sum() / daily["supply_account_days"][-LAST:].sum()), float(paid.mean())


def case_8(seed: int = 808) -> list[Row]:
    """Registration only, free entry at the reserve: p* util = k e^2 + h (c_SIM + v n s + reserve / attempts) / (s q).

    Nobody idles or retires here, so the marginal dealer earns the reserve; upkeep k e^2 of evasion comes on top of the cost of an account.
    Margin 2 %: with about 72 dealers one more or less moves the price by 1.5 %. A bias within it is known: exit answers to each dealer's
    own profit, not to the mean, which keeps the price a little above.
    """
    cost = ledger().registration.sim_cost_yuan
    closed = zero_profit_price(registering(cost, 1.0)["parameters"])
    above, below = (np.array([_at_rest(cost, start, seed + k)[0] for k in range(3)]) for start in (0.85, 1.15))
    ratio = above / below
    error = float(ratio.std(ddof=1) / np.sqrt(ratio.size))
    rows = [equal("price at rest", closed, (above + below) / 2, 0.02)]
    return [*rows, within("price coming from above over that from below", 1.0, float(ratio.mean()), error, ratio.size - 1)]


def case_9(seed: int = 808) -> list[Row]:
    """Pass-through dp/dc = h / (s q) of the cost of a number, c; revenue ratio = (price ratio)^(1 - eps), as D falls with p^-eps.

    Margins: 5 % of the change in price, which is 2 % of either price; 1 % of the ratio of revenues, a seventh of its distance from 1.
    """
    costs = ledger().registration.sim_cost_yuan * np.array([1.0, 4.0])
    low, high = (np.array([_at_rest(float(cost), 0.85, seed + k) for k in range(3)]) for cost in costs)
    parameters = registering(float(costs[0]), 0.85)["parameters"]
    p = ledger(parameters)
    through = audit_hazard(p, "registered", EVASION) / (passing(parameters) * p.account.quality_registered)
    rows = [equal("change in price", through * float(costs[1] - costs[0]), high[:, 0] - low[:, 0], 0.05)]
    ratio = float(high[:, 0].mean() / low[:, 0].mean()) ** (1 - p.market.demand_elasticity)
    return [*rows, equal("ratio of revenues", ratio, high[:, 1] / low[:, 1], 0.01)]


def case_8_sign_ups(seed: int = 818) -> list[Row]:
    """Sign-ups a day = effort; s = exp(-2u(1 - e/2)) pass; all become accounts where helpers are plenty, 1 - n of them where nobody is."""
    rows = []
    for helpers, slots in (("plenty", 1.0), ("nobody", 0.0)):
        settings = registering(ledger().registration.sim_cost_yuan, 0.3)
        one = {"capacity_mean": 15.3, "retire_per_day": 0.0, "exit_per_day": 0.0, "entry_per_12_million_day": 0.0}
        start = {"size_log_mean": float(np.log(15.3)), "stalls_share": slots}
        parameters = merged(settings["parameters"], {"dealer": one, "start": start, "helping": {"stall_slots_per_million": slots}})
        model = started(seed, days=30, **{**settings, "parameters": parameters}, adaptive=False, burn_in=0)
        model.run()
        daily, p, s = model.daily, ledger(parameters), passing(parameters)
        bill = daily["cost_registration_audit_yuan"] - p.cost.registration_audit_fixed * 0.3 * USERS / 1e6
        tried = bill / (p.cost.registration_audit_event * 0.3) - USERS * p.population.signups_per_user_day
        dealers = float(daily["dealers_active"][0])
        spread = float(np.sqrt(dealers * 30 * 0.3 * 0.7))
        rows.append(within(f"sign-ups, helpers: {helpers}", 15.3 * dealers * 30, float(tried.sum()), spread))
        chance = s * (1.0 if slots else 1 - p.registration.verified_base)
        rows.append(
            binomial(f"sign-ups that become accounts, helpers: {helpers}", float(daily["inflow_registered"].sum()), tried.sum(), chance)
        )
    return rows


def case_8_entry(seed: int = 828) -> list[Row]:
    """Entry Poisson(rate x clip((profit - reserve)/reserve, 0, 5)), exit .02 clip((reserve - profit)/reserve, 0, 2): none, limit, none."""
    users, days = 24_000_000, 25
    rows = []
    for reserve, leaving in ((1e6, 0.02), (1e-3, 0.0)):
        dealer = {"retire_per_day": 0.0, "bankrupt_yuan": 1e15, "exit_per_day": leaving, "entry_per_12_million_day": 2.0}
        parameters = {"dealer": {**dealer, "reserve_yuan": reserve}, "sanction": {"legal_dealer": 0.0}, "renting": {"dealer_share": 0.0}}
        daily, p = ran(seed, users=users, days=days, parameters=parameters), ledger(parameters).dealer
        begun = round(ledger().start.dealers_per_million * users / 1e6)
        gained = float(daily["dealers_active"][-1]) - begun
        if leaving:
            left = (1 - p.exit_per_day) ** days  # shortfall of nearly the whole reserve, 1
            spread = float(np.sqrt(begun * left * (1 - left)))
            rows.append(within("dealers gained at a shortfall of 1, nobody entering", begun * (left - 1), gained, spread))
        else:
            mean = days * p.entry_per_12_million_day * users / 12e6 * p.entry_limit
            rows.append(within("dealers gained at the limit of entry, nobody leaving", mean, gained, float(np.sqrt(mean))))
    return rows


def case_9_prices(seed: int = 919) -> list[Row]:
    """Prices move as stated: p by .05 (D-K)/max in logs, w by .05 towards psi p q util, asked price volume^(1/eta); D = d(p/12)^-eps."""
    model = started(seed, days=40)
    market, p = model.world.market, model.world.parameters
    purchases, gaps = market.purchases, np.zeros(4)
    while model.running:
        price, wage = market.price, market.commission
        model.step()
        today = {name: float(column[-1]) for name, column in model.daily.items()}
        demand, supply = today["demand_account_days"], today["supply_account_days"]
        wanted = p.market.demand_per_million * 2.0 * (price / p.market.reference_price_yuan) ** -p.market.demand_elasticity
        next_price = price * np.exp(p.market.price_speed * (demand - supply) / max(demand, supply))
        worth = p.renting.psi * next_price * min(1.0, demand / supply) * p.account.quality_rented
        next_wage = wage * (worth / wage) ** p.renting.commission_speed
        purchases += (1 - 0.5 ** (1 / p.trading.volume_half_life_days)) * (today["inflow_bought"] - purchases)
        volume = max(purchases / (p.trading.reference_per_million_day * 2.0), p.trading.volume_floor)
        asked = p.trading.asked_yuan * volume ** (1 / p.trading.supply_elasticity)
        now = np.array([demand / wanted, market.price / next_price, market.commission / next_wage, market.purchase_price / asked])
        gaps = np.maximum(gaps, np.abs(now - 1))
    names = ("demand", "price", "commission", "price asked by sellers")
    return [exact(f"{name}: largest relative gap", 0.0, float(gap), 1e-9) for name, gap in zip(names, gaps, strict=True)]
