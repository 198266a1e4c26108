"""The dense laboratory: few users, many live accounts, every lever at work, so that engine and twin can be compared in seconds.

A market of 1.6 million users at the ledger's values is pressed into 30,000 users: what the ledger states per million users is multiplied
by 53, dealers are twice as many and half as large, pitches and platforms are more and smaller, so that what an account costs and earns
stays what it is in the baseline. Standing levers differ from the ledger's so that every mechanism acts; cases of law are short.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sim.parameters import LEDGER
from sim.scenario import Scenario, scenario_from

USERS = 30_000
DENSITY = 1.6e6 / USERS
DAYS = 130
WINDOW = (30, 130)

LEVERS = {
    "registration_audit": 0.25,
    "helper_sanctions": 0.5,
    "scan_confirmation": 0.4,
    "stall_policing": 0.5,
    "task_platform_takedown": 0.3,
    "account_audit": 0.05,
    "login_check": 0.2,
    "sanction_severity": 0.4,
    "user_reporting": 0.4,
    "review_capacity": 0.4,
    "awareness_campaign": 0.4,
    "legal_certainty": 0.4,
    "owner_amnesty": 0.2,
}

POLICIES: dict[str, dict[str, Any]] = {
    "audit": {"lever": "registration_audit", "strength": 0.4, "start_day": 60, "ramp_days": 20},
    "adverts": {"lever": "ad_takedown", "strength": 0.6, "start_day": 70, "segments": ["student", "freelancer"]},
    "purge": {"lever": "purge", "strength": 0.6, "days": [85]},
}

OWNERS: dict[str, dict[str, float]] = {
    "account": {"quality_rented": 4.0},
    "renting": {"acceptance_logit": -5.0, "referral_per_day": 0.15, "referral_logit": 4.0, "return_share": 0.9, "dealer_share": 0.5},
    "unsealing": {"self_attempt_share": 0.9},
    "sanction": {"appeal_owner": 0.5, "upheld_owner": 0.5, "short_ban_days": 20, "long_ban_days": 40},
    "detection": {"cases_per_million_day": 1500.0, "cover_rented": 2.9},
    "harm": {"friend_approaches": 1.0},
    "start": {"commission_yuan": 36.0, "hazard_rented": 0.2, "conversion_rented": 0.006, "stock_rented_per_million": 3000.0},
}
"""In the second laboratory renting is most of the market, owners unseal and appeal often, and dealers ask them again nearly always."""


def _scaled(group: str, factor: float, *names: str) -> dict[str, float]:
    return {name: LEDGER[group][name].value * factor for name in names}


def parameters(owners: bool = False) -> dict[str, dict[str, float]]:
    """Return the values in which a laboratory differs from the ledger, many outside its ranges; `owners`: those of the second."""
    values = _of_the_market()
    for group, rows in OWNERS.items() if owners else ():
        values[group] = values.get(group, {}) | rows
    return values


def _of_the_market() -> dict[str, dict[str, float]]:
    stocks = [name for name in LEDGER["start"] if name.endswith("_per_million")]
    return {
        "population": _scaled("population", 53, "signups_per_user_day", "unseal_requests_per_user_day", "logins_new_device_per_user_day")
        | _scaled("population", 500, "honest_adverts_per_million_day"),
        "helping": {
            "stall_slots_per_million": 8e6 / USERS,
            "platform_slots_per_million": 4e6 / USERS,
            "stall_catchment_users": 1500,
            "stall_contacts_per_day": 150,
            "stall_fixed_yuan": 40,
            "stall_fine_yuan": 400,
            "platform_members": 200,
            "platform_fixed_yuan": 40,
            "reserve_yuan": 60,
            "honest_link_share": 0.01,
            "platform_rebuild_per_day": 0.05,
            "entry_per_day": 0.03,
        },
        "renting": {"acceptance_logit": -7.8, "dealer_share": 0.3, "dealer_capacity": 3},
        "trading": _scaled("trading", DENSITY, "reference_per_million_day"),
        "market": _scaled("market", DENSITY, "demand_per_million"),
        "dealer": {
            "capacity_mean": 6,
            "capacity_cap": 100,
            "capacity_sigma": 0.9,
            "reserve_yuan": 75,
            "bankrupt_yuan": 500,
            "start_cash_yuan": 1500,
            "entry_per_12_million_day": 2 * DENSITY,
        },
        "detection": _scaled("detection", DENSITY, "cases_per_million_day")
        | _scaled("detection", 5 * DENSITY, "mistaken_per_million_day")
        | {"threshold": 4.0, "cover_registered": 3.2, "cover_unsealed": 3.0, "cover_rented": 2.7, "cover_bought": 2.8, "cover_stolen": 2.9},
        "sanction": {"case_days_low": 10, "case_days_high": 30, "legal_owner": 0.2, "legal_helper": 0.2, "legal_dealer": 0.01},
        "start": _scaled("start", DENSITY, *stocks)
        | {
            "dealers_per_million": 2 * DENSITY * LEDGER["start"]["dealers_per_million"].value,
            "dealer_profit_yuan": 115,
            "size_log_mean": 1.797,
            "size_log_sigma": 0.9,
            "assists_per_stall_day": 5,
            "assists_per_platform_day": 3,
        },
    }


def scenario(days: int = DAYS, users: int = USERS, owners: bool = False) -> Scenario:
    """Return the scenario of the laboratory, or with `owners` of the second."""
    made = scenario_from(
        {
            "name": "laboratory",
            "run": {"days": days, "burn_in_days": 1, "settle_days": 1},
            "population": {"users": users},
            "levers": LEVERS,
            "policies": {name: policy for name, policy in POLICIES.items() if max(policy.get("days", [policy.get("start_day")])) < days},
        },
        "laboratory",
        Path(),
    )
    return made.model_copy(update={"parameters": parameters(owners)})
