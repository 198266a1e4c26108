"""Case 2: accounts, users, money and sealed accounts balance at every tick."""

from __future__ import annotations

from typing import Any

import numpy as np
from known_rows import Row, exact, holds
from known_worlds import BUSY, STIRRED, ledger, merged, started

from sim.levers import CHANNELS
from sim.model import AccountMarket
from sim.world.accounts import BOUGHT, LIVE, RENTED, STOLEN
from sim.world.users import RENTING, ROBBED, SOLD


def case_2(seed: int = 202) -> list[Row]:
    """What comes in less what goes out is what is there, at every tick: accounts, users, money by party (1e-9 of the turnover)."""
    policies = {"purge": {"strength": 0.6, "days": [25]}, "review_capacity": {"strength": 1.0, "start_day": 40}}
    model = started(seed, days=55, levers={**BUSY, "review_capacity": 0.05}, policies=policies, parameters=STIRRED)
    held, faults = [_look(model)], 0
    while model.running:
        faults += sum(_users_faults(model))
        model.step()
        held.append(_look(model))
    daily = model.daily
    rows = []
    for number, name in enumerate(CHANNELS):
        stock, inflow, exits = (daily[f"{kind}_{name}"] for kind in ("stock", "inflow", "exits"))
        begun, ended = (np.array([day["stock"][number] for day in days]) for days in (held[:-1], held[1:]))
        rows.append(holds(f"accounts, {name}", begun + inflow != stock, stock - exits != ended, daily[f"detected_{name}"] > exits))
    rows.append(exact("users: status, communities, owners at odds", 0.0, float(faults + sum(_users_faults(model)))))
    made = max(abs(sum(day["balances"].values())) / max(1.0, sum(map(abs, day["balances"].values()))) for day in held)
    rows.append(exact("money made or lost / turnover", 0.0, made, 1e-9))
    purses = max(abs(day["purses"] - day["balances"]["dealers"]) / max(1.0, abs(day["purses"])) for day in held)
    rows.append(exact("purses less balance of dealers / turnover", 0.0, purses, 1e-9))
    handled = daily["cost_review_capacity_yuan"] / model.world.parameters.cost.review_capacity_event
    strength = np.where(np.arange(55) < 40, 0.05, 1.0)
    room = model.world.parameters.detection.cases_per_million_day * strength * model.world.population.millions
    rows.append(holds("cases handled above the capacity of the day", handled > np.floor(room) + 1))
    return rows


PLAIN_BOOKS = {
    "harm": {"ban_day_yuan": 0.0, "account_loss_yuan": 0.0, "harassment_yuan": 0.0},
    "sanction": {"legal_cost_yuan": 0.0},
    "renting": {"loan_share": 0.0, "theft_per_day": 0.1},
    "unsealing": {"self_bought_share": 0.0},
    "helping": {"contact_cost_yuan": 0.0, "task_offer_cost_yuan": 0.0, "stall_fixed_yuan": 0.0, "platform_fixed_yuan": 0.0},
    "dealer": {"evasion_drift": 0.0, "evasion_jump": 0.0},
}
"""Parameters under which every payment can be told from the outcomes of a day: no loans, owners' harm is theft, contacts are free."""


def case_2_books(seed: int = 202) -> list[Row]:
    """Compare what each party's balance moved by with what MODEL.md says it gets and gives, from the outcomes of the day alone."""
    model = started(seed, days=30, levers=BUSY, parameters=merged(STIRRED, PLAIN_BOOKS))
    p, u = model.world.parameters, BUSY["stall_policing"]
    moved: dict[str, list[float]] = {}
    while model.running:
        market = model.world.market
        before, (commission, assist, asked) = dict(market.balances), (market.commission, market.helper_price, market.purchase_price)
        model.step()
        today = {name: float(column[-1]) for name, column in model.daily.items()}
        audit = model.enforcer.levers.registration_audit
        sign_ups = (today["cost_registration_audit_yuan"] - p.cost.registration_audit_fixed * audit * model.world.population.millions) / (
            p.cost.registration_audit_event * audit
        ) - model.world.population.users * p.population.signups_per_user_day
        supply = today["supply_account_days"]
        assists = today["helpers_by_stall"] + today["helpers_by_task_platform"]
        fees = p.helping.gift_yuan * today["helpers_by_stall"] + p.helping.task_fee_yuan * today["helpers_by_task_platform"]
        fines = p.helping.stall_fine_yuan * today["stalls_closed"] * (u > 0)
        expected = {
            "abusers": -today["price_yuan"] * today["utilisation_share"] * supply - p.renting.identity_resale_yuan * today["inflow_rented"],
            "owners": commission * today["stock_rented"] - today["harm_owner_yuan"],
            "sellers": asked * today["inflow_bought"],
            "helpers": fees,
            "law": fines,
            "recruiters": assist * assists - fees - fines,
            "suppliers": p.registration.sim_cost_yuan * sign_ups
            + p.unsealing.attempt_cost_yuan * today["unseal_attempts"]
            + p.trading.theft_cost_yuan * today["inflow_stolen"]
            + p.dealer.evasion_cost_yuan * p.start.evasion**2 * supply,
            "escrow": 0.0,
        }
        for party, change in expected.items():
            gap = abs(market.balances[party] - before[party] - change)
            moved.setdefault(party, []).append(gap / max(1.0, abs(change), sum(map(abs, before.values())) * 1e-3))
    return [exact(f"money of {party}: largest gap / turnover", 0.0, max(gaps), 1e-9) for party, gaps in moved.items()]


def _look(model: AccountMarket) -> dict[str, Any]:
    """Return what must balance, after a day."""
    world = model.world
    return {
        "stock": np.bincount(world.accounts.channel[: world.accounts.size], minlength=5),
        "balances": dict(world.market.balances),
        "purses": float(world.dealers.cash[: world.dealers.size].sum()),
    }


def _users_faults(model: AccountMarket) -> list[bool]:
    """Say where the users' state and the accounts in dealers' hands contradict each other."""
    accounts, users = model.world.accounts, model.world.users
    n = accounts.size
    owner, channel = accounts.owner[:n], accounts.channel[:n]
    ids = users.registry.ids[: users.registry.size]
    status = users.touched.status[: ids.size]
    owned = owner[owner >= 0]
    places = owner[channel == RENTED] // users.population.community_size
    renters = users.registry.find(owner[channel == RENTED])
    return [
        bool((users.touched.until[renters] > np.maximum(accounts.acquired[:n][channel == RENTED], 0)).any()),
        bool((accounts.fate[:n] != LIVE).any()),
        np.unique(owned).size != owned.size,
        not np.array_equal(np.sort(ids[status == RENTING]), np.sort(owner[channel == RENTED])),
        not np.array_equal(np.sort(ids[status == ROBBED]), np.sort(owner[channel == STOLEN])),
        not np.isin(owner[channel == BOUGHT], ids[status == SOLD]).all(),
        not np.array_equal(users.communities.renters, np.bincount(places, minlength=users.communities.renters.size)),
        not model.world.dealers.active[accounts.dealer[:n]].all(),
    ]


def case_2_dense(seed: int = 212) -> list[Row]:
    """Keep each user to one account where many want the same ones: about twenty users for an account."""
    crowd: dict[str, Any] = {"start": {"dealers_per_million": 600.0, "stock_rented_per_million": 30_000.0}}
    crowd |= {"helping": {"stall_catchment_users": 200.0, "stall_slots_per_million": 60.0}, "market": {"demand_per_million": 3e5}}
    faults, gap, model = 0, 0.0, started(seed, users=100_000, days=20, levers={"helper_cap": 0.0}, parameters=merged(STIRRED, crowd))
    forgotten = 0
    while model.running:
        touched = model.world.users.touched
        before = touched.last_assist[: touched.size].copy()
        model.step()
        faults += sum(_users_faults(model))
        daily, today = model.daily, touched.last_assist[: touched.size] == model.day - 1
        gap += abs(daily["helpers_by_stall"][-1] + daily["helpers_by_task_platform"][-1] - float(today.sum()))
        again = np.flatnonzero(today[: before.size] & (before >= 0))
        forgotten += int((touched.previous_assist[again] != before[again]).sum())
    rows = [exact("helpers whose last assist but one is forgotten", 0.0, float(forgotten))]
    rows += [exact("users: status, communities, owners at odds, a crowd", 0.0, float(faults))]
    lively = daily["stock_rented"].min() > 500, daily["rented_by_referral"].sum() > 500, daily["helpers_by_stall"].sum() > 50
    return [*rows, exact("second helps of a day, a crowd", 0.0, gap), holds("there was no crowd", *(not enough for enough in lively))]


def case_2_pool(seed: int = 222) -> list[Row]:
    """Sealed accounts held = those before - unsealed + dealer-made accounts detected, where none is given up, caught or sealed for good."""
    parameters = {
        "unsealing": {"pool_decay_per_day": 0.0, "pool_cap": 1e9, "catch_third_party": 0.0},
        "sanction": {"permanent_base": 0.0, "permanent_span": 0.0, "legal_dealer": 0.0},
        "dealer": {"exit_per_day": 0.0, "retire_per_day": 0.0, "bankrupt_yuan": 1e15},
    }
    model = started(seed, days=40, parameters=parameters, levers={"unsealing_strictness": 0.0})
    dealers, monthly = model.world.dealers, ledger().unsealing.attempts_per_month
    held, most = [float(dealers.pool.sum())], []
    while model.running:
        most.append(held[-1] * monthly / 30 + dealers.rows().size)
        model.step()
        held.append(float(dealers.pool.sum()))
    daily = model.daily
    sealed = sum(daily[f"detected_{name}"] for name in ("registered", "unsealed", "bought"))
    rows = [exact("sealed accounts: largest gap", 0.0, float(np.abs(np.diff(held) - sealed + daily["inflow_unsealed"]).max()))]
    rows.append(holds("attempts above five a month for each", daily["unseal_attempts"] > np.array(most)))
    return [*rows, holds("nothing was unsealed", daily["inflow_unsealed"].sum() == 0)]
