"""The outcome table, and the observer that fills one row a day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from sim.levers import CHANNELS, LEVERS, SEGMENTS, USES

Column = NDArray[np.float64]


@dataclass(frozen=True)
class Outcome:
    """One column of the result tables: `better` is lower, higher or neither; `kind` is stock, flow, price, share or duration."""

    name: str
    unit: str
    meaning: str
    better: str
    kind: str


def _channel_rows(prefix: str, unit: str, meaning: str, better: str, kind: str) -> list[Outcome]:
    return [Outcome(f"{prefix}_{channel}", unit, meaning.format(channel), better, kind) for channel in CHANNELS]


_ROWS: list[Outcome] = [
    *_channel_rows("stock", "accounts", "{} accounts deployed when the market clears", "lower", "stock"),
    *_channel_rows("inflow", "accounts/day", "{} accounts acquired by dealers", "lower", "flow"),
    *_channel_rows("detected", "accounts/day", "{} accounts confirmed malicious and sanctioned", "neither", "flow"),
    *_channel_rows("supply", "account-days/day", "effective (quality-weighted) account-days supplied by {} accounts", "lower", "stock"),
    *_channel_rows("exits", "accounts/day", "{} accounts that left dealer control for any reason", "neither", "flow"),
    *_channel_rows("exit_age", "days/day", "sum of days under dealer control of the {} accounts that left", "neither", "flow"),
    Outcome("exits_rented_long", "accounts/day", "rentals that ended after more than three weeks", "neither", "flow"),
    Outcome("rented_by_advert", "accounts/day", "rentals that began with an advert", "lower", "flow"),
    Outcome("rented_by_referral", "accounts/day", "rentals that began with a friend (paid referral, unpaid loan)", "lower", "flow"),
    Outcome("rented_by_return", "accounts/day", "rentals by owners who rent out again after a sanction", "lower", "flow"),
    *[Outcome(f"rented_{s}", "accounts/day", f"rentals by owners in segment {s}", "lower", "flow") for s in SEGMENTS],
    Outcome("owners_approached", "users/day", "users who notice a rental advert or are asked by a renter", "lower", "flow"),
    Outcome("at_risk_approached", "users/day", "the same among students, stay-at-home parents and freelancers", "lower", "flow"),
    Outcome("supply_account_days", "account-days/day", "effective account-days supplied by all channels", "lower", "stock"),
    Outcome(
        "demand_account_days", "account-days/day", "effective account-days that abusers want at the price of the day", "lower", "stock"
    ),
    Outcome("utilisation_share", "share", "part of the supply that is used", "neither", "share"),
    *[Outcome(f"supply_{u}", "account-days/day", f"effective account-days put to {u}", "lower", "stock") for u in USES],
    Outcome("price_yuan", "yuan per effective account-day", "price of an effective account-day", "higher", "price"),
    Outcome("commission_yuan", "yuan/day", "commission paid to the owner of a rented account", "lower", "price"),
    Outcome("purchase_price_yuan", "yuan/account", "price asked by selling users", "neither", "price"),
    Outcome("dealers_active", "dealers", "dealers in business when the day ends", "lower", "stock"),
    Outcome("dealer_profit_yuan", "yuan/day per dealer", "mean profit of a dealer", "lower", "price"),
    Outcome("dealer_evasion", "share", "mean evasion of dealers, weighted by effective account-days", "neither", "share"),
    Outcome("unseal_attempts", "requests/day", "unsealing requests of dealers that found a helper", "neither", "flow"),
    Outcome("dealer_pool", "accounts", "sealed accounts that dealers hold for unsealing", "lower", "stock"),
    Outcome("dealer_top_share", "share", "part of the deployed accounts held by the largest tenth of dealers", "neither", "share"),
    Outcome("helpers_by_stall", "assists/day", "assists by passers-by of scan teams", "lower", "flow"),
    Outcome("helpers_by_task_platform", "assists/day", "assists by members of task platforms", "lower", "flow"),
    Outcome("helper_price_yuan", "yuan/assist", "price of an assisted verification", "higher", "price"),
    Outcome("assists_wanted", "assists/day", "assisted verifications that dealers and banned owners want", "neither", "flow"),
    Outcome("stalls_open", "teams", "scan teams at work when the day ends", "lower", "stock"),
    Outcome("task_platforms_open", "platforms", "task platforms at work when the day ends", "lower", "stock"),
    Outcome("stalls_closed", "teams/day", "scan teams closed by policing", "neither", "flow"),
    Outcome("task_platforms_closed", "platforms/day", "task platforms taken down", "neither", "flow"),
    Outcome("harm_fraud_yuan", "yuan/day", "losses of strangers to fraud", "lower", "flow"),
    Outcome("harm_friend_fraud_yuan", "yuan/day", "losses of owners' friends to fraud", "lower", "flow"),
    Outcome("harm_false_ads_yuan", "yuan/day", "losses to false advertising", "lower", "flow"),
    Outcome("harm_vice_yuan", "yuan/day", "porn and gambling exposures at a shadow price", "lower", "flow"),
    Outcome("harm_spam_yuan", "yuan/day", "spam messages at a shadow price", "lower", "flow"),
    Outcome("harm_privacy_yuan", "yuan/day", "leaks of owners' private data at a shadow price", "lower", "flow"),
    Outcome("harm_owner_yuan", "yuan/day", "owners' theft losses, ban days, lost accounts, harassed friends, legal cases", "lower", "flow"),
    Outcome("harm_total_yuan", "yuan/day", "sum of the realised harms above", "lower", "flow"),
    Outcome("expected_harm_yuan", "yuan/day", "harm expected given the state of the day (same categories, less noise)", "lower", "flow"),
    Outcome("victims", "people/day", "victims of fraud, friend fraud and false advertising", "lower", "flow"),
    Outcome("vice_exposures", "exposures/day", "exposures to porn and gambling", "lower", "flow"),
    Outcome("spam_messages", "messages/day", "spam messages sent", "lower", "flow"),
    Outcome("owners_banned", "owners/day", "lured or robbed owners whose account is sanctioned", "lower", "flow"),
    *[Outcome(f"owners_banned_{s}", "owners/day", f"the same in segment {s}", "lower", "flow") for s in SEGMENTS],
    Outcome("owners_lost", "owners/day", "owners who lose the account for good", "lower", "flow"),
    Outcome("owners_repeat", "owners/day", "sanctioned owners who had been sanctioned before", "lower", "flow"),
    Outcome("helpers_sanctioned", "helpers/day", "repeat helpers of malicious accounts sanctioned", "neither", "flow"),
    Outcome("helpers_sanctioned_honest", "helpers/day", "honest repeat helpers sanctioned by mistake", "lower", "flow"),
    Outcome("helpers_refused", "helpers/day", "honest helpers refused by the cap", "lower", "flow"),
    Outcome("innocents_sanctioned", "users/day", "innocent users sanctioned by audit, review, sweep or purge", "lower", "flow"),
    Outcome("signups_blocked", "sign-ups/day", "legitimate sign-ups blocked", "lower", "flow"),
    Outcome("signups_delayed", "sign-ups/day", "legitimate sign-ups that must find a helper", "lower", "flow"),
    Outcome("unseals_refused", "requests/day", "legitimate unsealing requests refused", "lower", "flow"),
    Outcome("travellers_challenged", "users/day", "innocent users challenged at login", "lower", "flow"),
    Outcome("friction_hours", "hours/day", "time that confirmations take from ordinary users", "lower", "flow"),
    Outcome("honest_adverts_removed", "adverts/day", "honest job adverts removed", "lower", "flow"),
    Outcome("reports", "reports/day", "reports of accounts under dealer control", "neither", "flow"),
    Outcome("reports_mistaken", "reports/day", "mistaken and malicious reports of innocents", "lower", "flow"),
    Outcome("complaints", "complaints/day", "reports and appeals received", "lower", "flow"),
    Outcome("appeals_owner", "appeals/day", "appeals of lured owners", "neither", "flow"),
    Outcome("appeals_innocent", "appeals/day", "appeals of innocents and of robbed owners", "lower", "flow"),
    Outcome("appeals_upheld", "appeals/day", "appeals upheld", "neither", "flow"),
    Outcome("review_backlog", "cases", "cases waiting for review", "lower", "stock"),
    Outcome(
        "review_days", "days", "mean wait of the cases reviewed that day; of those waiting when none was reviewed", "lower", "duration"
    ),
    Outcome("swept", "accounts/day", "accounts that fall in a cluster sweep", "neither", "flow"),
    Outcome("challenged", "accounts/day", "rented and stolen accounts lost to a login challenge", "neither", "flow"),
    Outcome("purged", "accounts/day", "accounts that fall in a purge", "neither", "flow"),
    Outcome("self_reports", "owners/day", "owners who report themselves under the amnesty", "neither", "flow"),
    Outcome("arrests_dealer", "dealers/day", "dealers arrested", "neither", "flow"),
    Outcome("sanctions_legal_owner", "owners/day", "owners who face a legal sanction", "lower", "flow"),
    Outcome("sanctions_legal_helper", "helpers/day", "repeat helpers who face a legal sanction", "lower", "flow"),
    Outcome("enforcement_cost_yuan", "yuan/day", "cost of all levers", "lower", "flow"),
    *[Outcome(f"cost_{name}_yuan", "yuan/day", f"cost of {name.replace('_', ' ')}", "lower", "flow") for name in LEVERS],
    Outcome("informed_share", "share", "informed part of the users", "higher", "share"),
]

OUTCOMES: dict[str, Outcome] = {row.name: row for row in _ROWS}
"""Every outcome of a day by name, in the order of the columns of the tables."""

MARKET_SERIES: tuple[str, ...] = tuple(
    name
    for name in OUTCOMES
    if name.startswith(
        (
            "stock_",
            "inflow_",
            "detected_",
            "supply_",
            "demand_",
            "utilisation_",
            "price_",
            "commission_",
            "dealers_",
            "dealer_",
            "helpers_",
            "helper_",
        )
    )
)
"""Outcomes of the market itself, which a lever that acts on victims alone must not move by a bit."""


_in_order = itemgetter(*OUTCOMES)


class Recorder:
    """Fill a row of outcomes a day, for `days` days."""

    def __init__(self, days: int) -> None:
        self._days_done = 0
        self._table: NDArray[np.float64] = np.full((days, len(OUTCOMES)), np.nan)

    def record(self, row: Mapping[str, float]) -> None:
        """Append one day; raises `KeyError` naming outcomes that `row` lacks or has too many."""
        if row.keys() != OUTCOMES.keys():
            raise KeyError(f"outcomes do not match the table: {sorted(row.keys() ^ OUTCOMES.keys())}")
        self._table[self._days_done] = _in_order(row)
        self._days_done += 1

    def columns(self) -> dict[str, Column]:
        """Return the days recorded so far, each outcome of shape `(days_done,)`."""
        return {name: self._table[: self._days_done, column].copy() for column, name in enumerate(OUTCOMES)}


def window_means(daily: Mapping[str, Column], first: int, last: int) -> dict[str, float]:
    """Average every outcome over days [first, last) and add `lifetime_days_<channel>`.

    A lifetime is the ratio of the days of all accounts that left to their number; NaN when none left.
    """
    means = {name: float(np.mean(daily[name][first:last])) for name in OUTCOMES}
    for channel in CHANNELS:
        exits = means[f"exits_{channel}"]
        means[f"lifetime_days_{channel}"] = means[f"exit_age_{channel}"] / exits if exits > 0 else float("nan")
    return means
