"""What outcomes are called in sentences, tables and figures: the one home of their names."""

from __future__ import annotations

from collections.abc import Sequence

from sim.levers import CHANNELS, LEVERS, SEGMENTS

_PEOPLE = {"student": "students", "stay_at_home_parent": "stay-at-home parents", "freelancer": "freelancers", "other": "others"}
_AN = {"unsealed": "an"}

_MANY: dict[str, str] = {
    **{f"stock_{c}": f"{c} accounts" for c in CHANNELS},
    **{f"inflow_{c}": f"newly {c} accounts" for c in CHANNELS},
    "inflow_registered": "new registered accounts",
    "inflow_rented": "new rentals",
    **{f"detected_{c}": f"{c} accounts sanctioned" for c in CHANNELS},
    **{f"exits_{c}": f"{c} accounts that leave dealers" for c in CHANNELS},
    **{f"exit_age_{c}": f"days that {c} accounts were under dealers" for c in CHANNELS},
    "exits_rented_long": "rentals that end after more than three weeks",
    "rented_by_advert": "rentals that began with an advert",
    "rented_by_referral": "rentals that began with a friend",
    "rented_by_return": "rentals by owners who come back after a sanction",
    **{f"rented_{s}": f"new rentals by {_PEOPLE[s]}" for s in SEGMENTS},
    "owners_approached": "users approached for a rental",
    "at_risk_approached": "users of the groups at risk approached for a rental",
    "dealers_active": "dealers in business",
    "unseal_attempts": "attempts of dealers to unseal",
    "dealer_pool": "sealed accounts that dealers hold",
    "helpers_by_stall": "assists won by scan teams",
    "helpers_by_task_platform": "assists won by task platforms",
    "assists_wanted": "assists wanted",
    "stalls_open": "scan teams at work",
    "task_platforms_open": "task platforms at work",
    "stalls_closed": "scan teams closed",
    "task_platforms_closed": "task platforms taken down",
    "harm_fraud_yuan": "losses of strangers to fraud",
    "harm_friend_fraud_yuan": "losses of owners' friends to fraud",
    "harm_false_ads_yuan": "losses to false advertising",
    "harm_privacy_yuan": "leaks of owners' private data",
    "harm_owner_yuan": "owners' own losses",
    "victims": "victims",
    "vice_exposures": "exposures to porn and gambling",
    "spam_messages": "spam messages",
    "owners_banned": "owners banned",
    **{f"owners_banned_{s}": f"{_PEOPLE[s]} banned" for s in SEGMENTS},
    "owners_banned_other": "other owners banned",
    "owners_lost": "owners who lose the account for good",
    "owners_repeat": "owners sanctioned again",
    "helpers_sanctioned": "repeat helpers sanctioned",
    "helpers_sanctioned_honest": "honest helpers sanctioned by mistake",
    "helpers_refused": "honest helpers refused",
    "innocents_sanctioned": "innocents sanctioned",
    "signups_blocked": "legitimate sign-ups blocked",
    "signups_delayed": "legitimate sign-ups delayed",
    "unseals_refused": "legitimate requests to unseal refused",
    "travellers_challenged": "travellers challenged at login",
    "friction_hours": "hours that confirmations take from users",
    "honest_adverts_removed": "honest job adverts removed",
    "reports": "reports of accounts",
    "reports_mistaken": "mistaken reports of innocents",
    "complaints": "complaints received",
    "appeals_owner": "appeals of lured owners",
    "appeals_innocent": "appeals of innocents",
    "appeals_upheld": "appeals upheld",
    "swept": "accounts that fall in a sweep",
    "challenged": "accounts lost to a login challenge",
    "purged": "accounts that fall in the purge",
    "self_reports": "self-reports of owners",
    "arrests_dealer": "dealers arrested",
    "sanctions_legal_owner": "owners who face a legal sanction",
    "sanctions_legal_helper": "repeat helpers who face a legal sanction",
}
"""Names in the plural."""

_ONE: dict[str, str] = {
    **{f"supply_{c}": f"supply by {c} accounts" for c in CHANNELS},
    "supply_account_days": "total supply",
    "demand_account_days": "total demand",
    "utilisation_share": "the used part of the supply",
    "supply_fraud": "supply put to fraud",
    "supply_vice": "supply put to porn and gambling",
    "supply_spam": "supply put to spam",
    "supply_false_ads": "supply put to false advertising",
    "price_yuan": "the price",
    "commission_yuan": "the commission paid to owners",
    "purchase_price_yuan": "the price that sellers ask",
    "dealer_profit_yuan": "a dealer's profit",
    "dealer_evasion": "evasion by dealers",
    "dealer_top_share": "the largest dealers' part of the accounts",
    "helper_price_yuan": "the price of an assist",
    "harm_vice_yuan": "harm by porn and gambling",
    "harm_spam_yuan": "harm by spam",
    "harm_total_yuan": "realised harm",
    "expected_harm_yuan": "expected harm",
    "review_backlog": "the review backlog",
    "review_days": "the wait for a review",
    "enforcement_cost_yuan": "enforcement cost",
    **{f"cost_{lever}_yuan": f"the cost of {lever.replace('_', ' ')}" for lever in LEVERS},
    "informed_share": "the informed part of users",
    **{f"lifetime_days_{c}": f"the working life of {_AN.get(c, 'a')} {c} account" for c in CHANNELS},
}
"""Names in the singular."""

NAMES: dict[str, str] = _MANY | _ONE
"""What a sentence calls each outcome."""

_TITLES: dict[str, str] = {
    **{f"stock_{c}": f"{c.capitalize()} accounts in use" for c in CHANNELS},
    "supply_account_days": "Total effective supply",
    "price_yuan": "Price of supply",
    "commission_yuan": "Commission to owners",
    "dealer_profit_yuan": "Profit of a dealer",
}
"""What stands above a panel or a row, where that is not the name without its article."""


_LONGEST_TITLE = 100


def name_of(outcome: str) -> str:
    """Return what to call an outcome in a sentence; one of no table by its own name in words."""
    return NAMES.get(outcome, outcome.removesuffix("_yuan").replace("_", " "))


def is_plural(outcome: str) -> bool:
    """Say whether a sentence speaks of an outcome in the plural."""
    name = name_of(outcome)
    return outcome in _MANY or (outcome not in _ONE and (name.split()[0].endswith("s") or name.endswith("s")))


def title_of(outcome: str) -> str:
    """Return the title of an outcome, as it stands above a panel."""
    name = name_of(outcome).removeprefix("the ")
    return _TITLES.get(outcome, name[:1].upper() + name[1:])


def against(names: Sequence[str], titles: Sequence[str]) -> str:
    """Return what to call a comparison, baseline given first: by titles, by names where some have none or share theirs, many by number."""
    first, *others = titles if all(titles) and len({*titles}) == len(titles) else [name.replace("_", " ") for name in names]
    title = f"{', '.join(others)} against {first}"
    return title if len(title) <= _LONGEST_TITLE else f"{len(others)} policies against {first}"
