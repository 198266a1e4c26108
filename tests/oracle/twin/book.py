"""The day's row of outcomes."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

from sim.levers import CHANNELS, LEVERS, SEGMENTS, USES

FLOWS = [
    "rented_by_advert",
    "rented_by_referral",
    "rented_by_return",
    "unseal_attempts",
    "stalls_closed",
    "task_platforms_closed",
    "harm_fraud_yuan",
    "harm_friend_fraud_yuan",
    "harm_false_ads_yuan",
    "harm_vice_yuan",
    "harm_spam_yuan",
    "harm_privacy_yuan",
    "harm_owner_yuan",
    "victims",
    "vice_exposures",
    "spam_messages",
    "owners_banned",
    "owners_lost",
    "owners_repeat",
    "helpers_sanctioned",
    "helpers_sanctioned_honest",
    "helpers_refused",
    "innocents_sanctioned",
    "signups_blocked",
    "signups_delayed",
    "unseals_refused",
    "travellers_challenged",
    "honest_adverts_removed",
    "reports",
    "reports_mistaken",
    "appeals_owner",
    "appeals_innocent",
    "appeals_upheld",
    "review_days",
    "swept",
    "challenged",
    "purged",
    "self_reports",
    "arrests_dealer",
    "sanctions_legal_owner",
    "sanctions_legal_helper",
    "exits_rented_long",
]
BY_CHANNEL = ("inflow", "detected", "exits", "exit_age")
BY_SEGMENT = ("rented", "owners_banned")


class Book:
    """What happened today."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.count: Counter[str] = Counter()
        self.noticed = [0.0] * len(SEGMENTS)
        self.expected_harm = 0.0
        self.as_happened = 0.0
        self.saved_ban_days = 0
        self.attempts = 0
        self.wanted = 0
        self.reviewed = 0
        self.flagged_by_audit = 0
        self.own_requests = 0
        self.flagged_by_purge = 0
        self.honest_assists = 0.0
        self.views_removed = 0
        self.signups = self.unseal_requests = 0.0
        self.row: dict[str, float] = {}

    def approached(self, segment: int, number: float) -> None:
        """Note users who noticed an advert or were asked by a renter."""
        self.noticed[segment] += number

    def at_clearing(self) -> None:
        """Note stocks, supply and prices as the market cleared."""
        model, market, row = self.model, self.model.market, self.row
        for channel in CHANNELS:
            mine = [a.quality for a in model.accounts if a.channel == channel]
            row[f"stock_{channel}"] = len(mine)
            row[f"supply_{channel}"] = sum(mine)
        for use in USES:
            row[f"supply_{use}"] = sum(a.quality for a in model.accounts if a.use == use)
        row["supply_account_days"] = market.supply
        row["demand_account_days"] = market.demand
        row["utilisation_share"] = market.utilisation
        row["price_yuan"], row["commission_yuan"] = market.price, market.commission
        row["helper_price_yuan"], row["purchase_price_yuan"] = market.helper_price, market.asked_price
        row["dealer_evasion"] = sum(a.quality * a.dealer.evasion for a in model.accounts) / market.supply if market.supply else 0.0
        held = Counter(id(a.dealer) for a in model.accounts)
        largest = sorted((held[id(d)] for d in model.dealers), reverse=True)[: math.ceil(len(model.dealers) / 10)]
        row["dealer_top_share"] = sum(largest) / len(model.accounts) if model.accounts else 0.0

    def finished(self) -> dict[str, float]:
        """Return the day's row."""
        model, row, count = self.model, self.row, self.count
        harm = model.rules.harm
        as_happened = self.as_happened - harm.ban_day_yuan * self.saved_ban_days
        count["harm_owner_yuan"] += as_happened
        for name in FLOWS:
            row[name] = count[name]
        for channel in CHANNELS:
            for name in BY_CHANNEL:
                row[f"{name}_{channel}"] = count[f"{name}_{channel}"]
        for segment in SEGMENTS:
            for name in BY_SEGMENT:
                row[f"{name}_{segment}"] = count[f"{name}_{segment}"]
        row["owners_approached"], row["at_risk_approached"] = sum(self.noticed), sum(self.noticed[:3])
        row["dealers_active"] = len(model.dealers)
        row["dealer_profit_yuan"] = model.market.profit
        row["dealer_pool"] = sum(d.pool for d in model.dealers)
        for kind in ("stall", "task_platform"):
            places = [p for p in model.recruiters if p.kind == kind.removeprefix("task_")]
            row[f"helpers_by_{kind}"] = sum(p.found for p in places)
            row[f"{kind}s_open"] = sum(p.open and p.closed_until <= model.day for p in places)
        row["assists_wanted"] = self.wanted
        row["harm_total_yuan"] = sum(
            row[f"harm_{name}_yuan"] for name in ("fraud", "friend_fraud", "false_ads", "vice", "spam", "privacy", "owner")
        )
        leaks = harm.leak_share * harm.leak_yuan * row["inflow_rented"]
        row["expected_harm_yuan"] = self.expected_harm + row["harm_vice_yuan"] + row["harm_spam_yuan"] + leaks + as_happened
        row["complaints"] = row["reports"] + row["reports_mistaken"] + row["appeals_owner"] + row["appeals_innocent"]
        row["review_backlog"] = sum(a.report_day is not None for a in model.accounts) + sum(case[3] for case in model.docket)
        row["informed_share"] = sum(a * s for a, s in zip(model.awareness, model.audience, strict=True))
        row["friction_hours"] = self._friction()
        row.update(self._costs())
        return row

    def _friction(self) -> float:
        """Return hours that confirmations take from ordinary users."""
        rules, levers = self.model.rules, self.model.levers
        scans = self.honest_assists * levers["scan_confirmation"] * rules.friction.scan_seconds
        payments = rules.population.remote_payments_per_user_day * len(self.model.users) * levers["friend_confirmation"]
        return (scans + payments * rules.friction.friend_seconds) / 3600

    def _costs(self) -> dict[str, float]:
        """Return the cost of each lever: fixed by strength, and by event."""
        model, row, levers = self.model, self.row, self.model.levers
        audit, strictness = levers["registration_audit"], levers["unsealing_strictness"]
        events = {
            "registration_audit": (self.attempts + self.signups) * audit,
            "assisted_verification": row["signups_delayed"],
            "helper_cap": row["helpers_refused"],
            "helper_sanctions": row["helpers_sanctioned"] + row["helpers_sanctioned_honest"],
            "scan_confirmation": self.honest_assists * levers["scan_confirmation"],
            "stall_policing": row["stalls_closed"],
            "task_platform_takedown": row["task_platforms_closed"],
            "unsealing_strictness": (row["unseal_attempts"] + self.unseal_requests + self.own_requests) * strictness,
            "account_audit": self.flagged_by_audit,
            "login_check": row["challenged"] + row["travellers_challenged"],
            "cluster_sweep": row["swept"],
            "sanction_severity": sum(row[f"detected_{c}"] for c in CHANNELS),
            "user_reporting": row["reports"] + row["reports_mistaken"],
            "review_capacity": self.reviewed,
            "ad_takedown": self.views_removed / model.rules.renting.exposures_per_effort + row["honest_adverts_removed"],
            "legal_certainty": row["sanctions_legal_owner"] + row["sanctions_legal_helper"] + row["arrests_dealer"],
            "owner_amnesty": row["self_reports"],
            "purge": row["purged"] + self.flagged_by_purge,
        }
        costs = {}
        for name in LEVERS:
            u = levers[name]
            mean = sum(a * s for a, s in zip(model.audience, u, strict=True)) if isinstance(u, list) else u
            fixed, event = getattr(model.rules.cost, f"{name}_fixed"), getattr(model.rules.cost, f"{name}_event")
            costs[f"cost_{name}_yuan"] = fixed * mean * model.millions + event * events.get(name, 0)
        costs["enforcement_cost_yuan"] = sum(costs.values())
        return costs
