"""Cases 1 and 3 to 7: no market, stocks, lives, ways out, certain detection, no lure."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from cases_conservation import PLAIN_BOOKS
from known_rows import Row, binomial, exact, fits, holds, of_square, poisson, within
from known_worlds import (
    NO_DEALERS,
    advert_survival_share,
    audit_hazard,
    law_logit,
    ledger,
    mean_acceptance,
    merged,
    only,
    ran,
    segment_logits,
    started,
    steady,
)
from scipy import stats

from sim.levers import CHANNELS
from sim.model import AccountMarket
from sim.outcomes import OUTCOMES
from sim.world.accounts import BOUGHT, REGISTERED, RENTED, STOLEN

_OF_DEALERS = ("stock_", "inflow_", "detected_", "exits_", "exit_age_", "supply_", "harm_", "owners_", "dealers_", "rented_", "sanctions_")
_OF_DEALERS += ("helpers_by", "swept", "victims", "expected_harm", "vice_", "spam_", "arrests", "assists_wanted", "dealer_pool")


def case_1(seed: int = 101) -> list[Row]:
    """No dealers, no entry: all that dealers bring about is exactly 0; innocents are flagged Poisson(users rate Phi(-(c0 - u)))."""
    rows = []
    users, silent = 12_000_000, {"detection": {"mistaken_per_million_day": 0.0}}
    for audit in (0.0, 0.5):
        daily = ran(seed, users=users, days=250, levers={"account_audit": audit}, parameters=merged(NO_DEALERS, silent))
        if audit == 0.0:
            nothing = [name for name in OUTCOMES if name.startswith(_OF_DEALERS)]
            rows.append(exact("all that dealers bring about", 0.0, sum(float(np.abs(daily[name]).sum()) for name in nothing)))
        p = ledger().detection
        mean = users * p.audit_rate * float(stats.norm.sf(p.threshold - audit))
        rows += poisson(f"innocents flagged, audit {audit}", mean, daily["innocents_sanctioned"])
    reported = ran(seed, users=users, days=250, parameters=NO_DEALERS, levers={"user_reporting": 0.8, "review_capacity": 1.0})
    p = ledger().detection
    rate = users / 1e6 * p.mistaken_per_million_day * (p.report_base + 0.8 * p.report_span)
    rows += poisson("mistaken reports", rate, reported["reports_mistaken"])
    flagged = users * p.audit_rate * float(stats.norm.sf(p.threshold))
    mean = flagged + rate * p.confirm_innocent_share  # all reports are reviewed on their day
    rows += poisson("innocents flagged or confirmed", mean, reported["innocents_sanctioned"])
    return rows


def buying(capacity: float, per_million: float, users: int, evasion: float = 0.0, **start: float) -> dict[str, Any]:
    """Return the settings of a run in which dealers all alike do nothing but buy."""
    parameters = merged(steady(capacity, per_million, evasion), only(BOUGHT), {"start": start})
    return {"users": users, "parameters": parameters, "levers": _STRICT, "adaptive": False, "burn_in": 0}


_STRICT = {"cluster_sweep": 0.0, "awareness_campaign": 0.0, "ad_takedown": 0.4, "legal_certainty": 0.7, "legal_severity": 0.5}


def inflow_bought(settings: dict[str, Any], model: AccountMarket) -> float:
    """Return the accounts that a dealer buys a day: offers x adverts that survive x mean acceptance under the cap."""
    p = ledger(settings["parameters"])
    shares = model.world.population.shares.tolist()
    logit = p.trading.selling_logit + law_logit(p, _STRICT["legal_certainty"], _STRICT["legal_severity"])
    sold = mean_acceptance(p, logit, segment_logits(p), shares, p.renting.thinning_cap)
    return p.dealer.capacity_mean * p.trading.exposures_per_effort * advert_survival_share(p, _STRICT["ad_takedown"], 0.3) * sold


def case_3(seed: int = 303) -> list[Row]:
    """Poisson inflow L (thinned offers to buy), hazard h (audit): stock at clearing Poisson((L/h)(1 - (1-h)^(t+1))), dealer by dealer."""
    settings = buying(20.0, 5.0, 100_000_000)
    model = started(seed, days=41, **settings)
    inflow, hazard = inflow_bought(settings, model), audit_hazard(ledger(settings["parameters"]), "bought", 0.0)
    rows = []
    for day in range(41):
        model.step()
        if day in (0, 2, 6, 40):
            stock = model.world.dealers.at_risk[: model.world.dealers.size, BOUGHT]
            mean = inflow / hazard * (1 - (1 - hazard) ** (day + 1))
            rows += poisson(f"stock of a dealer on day {day}", mean, stock)
    rows.append(exact("stock of all dealers is the outcome", float(model.daily["stock_bought"][-1]), float(stock.sum())))
    held = ran(seed, days=3, **buying(20.0, 5.0, 100_000_000, stock_bought_per_million=60.0))["stock_bought"][0]
    p = ledger(settings["parameters"])
    first = 60.0 * 100 * (1 - p.start.hazard_bought) + 500 * inflow
    rows.append(within("stock on day 0 of a stationary start", first, held, float(np.sqrt(first))))
    return rows


@lru_cache(maxsize=2)
def spread_evenly(seed: int) -> dict[str, Any]:
    """Run a market in which effort is spread evenly over channels and each channel has one constant hazard; notes ages at exit.

    Returns settings, series, start ages by channel and, for each channel, accounts at risk and exits by age, `(60,)` each.
    """
    evasion, days, oldest = 0.4, 60, 60
    parameters = merged(
        steady(40.0, 8.0, evasion),
        {"dealer": {"choice_weight": 0.0}, "start": {"pool_per_million": 300.0, "stock_rented_per_million": 60.0}},
        {"start": {"stock_registered_per_million": 60.0}, "renting": {"acceptance_logit": -6.0}},
    )
    settings = {"users": 12_000_000, "parameters": parameters, "levers": {"cluster_sweep": 0.0, "account_audit": 0.2}}
    model = started(seed, days=days, **settings)
    accounts, table = model.world.accounts, np.zeros((2, 5, oldest))
    first = [-1 - accounts.acquired[: accounts.size][accounts.channel[: accounts.size] == number] for number in range(5)]
    ages = _ages(model, -1, oldest)
    for day in range(days):
        model.step()
        today = ages.copy()
        today[:, 1:] = ages[:, :-1]
        today[:, 0] = [model.daily[f"inflow_{channel}"][day] for channel in CHANNELS]
        ages = _ages(model, day, oldest)
        table[0] += today
        table[1] += today - ages
    return {"settings": settings, "daily": model.daily, "first": first, "table": table, "evasion": evasion}


def _ages(model: AccountMarket, day: int, oldest: int) -> np.ndarray:
    """Count accounts by channel and days under control so far, `(5, oldest)`."""
    accounts = model.world.accounts
    n = accounts.size
    age = day - accounts.acquired[:n]
    young = age < oldest
    cell = accounts.channel[:n][young].astype(np.int64) * oldest + age[young]
    return np.bincount(cell, minlength=5 * oldest).reshape(5, oldest).astype(float)


def case_4(seed: int = 404) -> list[Row]:
    """A constant hazard h makes lives geometric: of those that reached an age, h leave, at every age and for every channel."""
    run = spread_evenly(seed)
    p, rows = ledger(run["settings"]["parameters"]), []
    for number, name in enumerate(CHANNELS):
        audit = audit_hazard(p, name, run["evasion"], 0.2)
        rest = {RENTED: p.renting.quit_per_day + p.renting.theft_per_day, STOLEN: p.trading.recovery_per_day}.get(number, 0.0)
        hazard = audit + (1 - audit) * rest
        risk, left = run["table"][:, number]
        rows.append(binomial(f"hazard, {name}", float(left.sum()), float(risk.sum()), hazard))
        spread = risk * hazard * (1 - hazard)
        old = spread > 5
        square = float(((left - risk * hazard)[old] ** 2 / spread[old]).sum())
        rows.append(of_square(f"hazard by age, {name}", square, int(old.sum())))
    for number in (REGISTERED, RENTED):
        ages, hazard = run["first"][number], getattr(p.start, f"hazard_{CHANNELS[number]}")
        classes = np.bincount(np.minimum(ages, 15), minlength=16)
        share = hazard * (1 - hazard) ** np.arange(16)
        share[-1] = (1 - hazard) ** 15
        rows.append(fits(f"ages on day 0, {CHANNELS[number]}", classes, share * ages.size))
    return rows


def case_5(seed: int = 505) -> list[Row]:
    """Audit a, then quitting q or theft w: of all rental-days a, (1-a)q, (1-a)w end so, jointly multinomial."""
    fast = {"quit_per_day": 0.25, "theft_per_day": 0.2, "acceptance_logit": -5.0}
    parameters = merged(steady(20.0, 8.0), only(RENTED), PLAIN_BOOKS, {"renting": fast, "population": {"payment_share": 1.0}})
    parameters = merged(parameters, {"sanction": {"legal_owner": 0.0}, "harm": {"theft_loss_yuan": 1.0}})
    levers = {"cluster_sweep": 0.0, "account_audit": 0.8}
    daily = ran(seed, users=12_000_000, days=30, parameters=parameters, levers=levers, adaptive=False, burn_in=0)
    p = ledger(parameters)
    audit = audit_hazard(p, "rented", 0.0, 0.8)
    days, caught, robbed = (float(daily[name].sum()) for name in ("stock_rented", "detected_rented", "harm_owner_yuan"))
    quit_ = float(daily["exits_rented"].sum()) - caught - robbed
    chances = np.array([audit, (1 - audit) * p.renting.quit_per_day, (1 - audit) * p.renting.theft_per_day])
    chances = np.append(chances, 1 - chances.sum())
    seen = np.array([caught, quit_, robbed, days - caught - quit_ - robbed])
    rows = [fits("ways out of a rental and staying", seen, chances * days)]
    return rows + [
        binomial(f"rental-days that end by {way}", seen[k], days, chances[k]) for k, way in enumerate(("audit", "quitting", "theft"))
    ]


def case_6(seed: int = 606) -> list[Row]:
    """A detector that misses nothing takes every account on its first day, after one day of harm and one day's pay."""
    daily = ran(seed, days=25, parameters={"detection": {"threshold": -1e3}, "market": {"demand_per_million": 30.0}})
    rows = []
    for name in CHANNELS:
        stock, inflow, left, age = (daily[f"{kind}_{name}"] for kind in ("stock", "inflow", "exits", "exit_age"))
        wrong = (left != stock, daily[f"detected_{name}"] != stock, stock[1:] != inflow[1:], age[1:] != left[1:])
        rows.append(holds(f"{name} accounts that live another number of days than one", *wrong))
    rows.append(holds("no accounts came", daily["stock_registered"][1:].sum() + daily["stock_rented"][1:].sum() == 0))
    rows.append(holds("all that was deployed found a buyer", daily["utilisation_share"].mean() > 0.99))
    harm = ledger().harm
    used = daily["supply_vice"] * daily["utilisation_share"]
    gap = np.abs(daily["vice_exposures"] - harm.vice_exposures * used).max() / used.max()
    rows.append(exact("vice exposures: gap to 20 q util of all accounts deployed", 0.0, float(gap), 1e-9))
    used = daily["supply_spam"] * daily["utilisation_share"]
    gap = np.abs(daily["spam_messages"] - harm.spam_messages * used).max() / used.max()
    rows.append(exact("spam: gap to 100 q util of all accounts deployed", 0.0, float(gap), 1e-9))
    return rows


def case_7(seed: int = 707) -> list[Row]:
    """Nobody who accepts, no rental: inflow exactly 0, what was rented runs out; likewise for selling, and for scans at closed pitches."""
    refuse = {"renting": {"acceptance_logit": -1e4}, "start": {"stock_rented_per_million": 50.0}, "trading": {"selling_logit": -1e4}}
    daily = ran(seed, days=150, parameters=refuse)
    rows = [exact(f"{name}, nobody accepts", 0.0, float(daily[name].sum())) for name in ("inflow_rented", "inflow_bought")]
    rows.append(exact("rented accounts left after 150 days", 0.0, float(daily["stock_rented"][-1])))
    rows.append(
        holds(
            "nothing was rented on day 0, or nothing registered since", daily["stock_rented"][0] == 0, daily["inflow_registered"].sum() == 0
        )
    )
    closed = {"helping": {"stall_closure_per_day": 1.0, "stall_closed_days": 100.0, "entry_per_day": 0.0}}
    daily = ran(seed, days=20, parameters=closed, levers={"stall_policing": 1.0})
    rows.append(exact("assists at pitches that are all closed", 0.0, float(daily["helpers_by_stall"][1:].sum())))
    rows.append(holds("nobody helped before they were closed", daily["helpers_by_stall"][0] == 0))
    return rows
