"""Worlds in which the mean field should be exact in the limit, and what the shipped one adds to them.

In the *laboratory* a fixed number of equal dealers, pitches and platforms grow with the population instead of becoming more, nobody enters
or leaves business, batches are not swept and friends do not ask: every count of every entity grows, so that nothing but noise is left.
Each other world takes one of these simplifications back. Parameters leave the ledger's ranges, which scenario files may not.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sim.parameters import LEDGER
from sim.scenario import Scenario, load_scenario

BASELINE = Path(__file__).parents[3] / "scenarios" / "baseline.toml"
FEW = 20
"""Dealers, pitches and platforms of the laboratory."""

Changes = dict[str, dict[str, float]]

_DEALER = ("capacity_mean", "capacity_cap", "prior_weight", "prior_effort", "reserve_yuan", "bankrupt_yuan", "start_cash_yuan")
_PITCH = ("stall_catchment_users", "stall_contacts_per_day", "stall_fixed_yuan", "stall_fine_yuan")
_PLATFORM = ("platform_members", "platform_fixed_yuan")

_EQUAL: Changes = {"start": {"size_log_sigma": 0, "growth_log_mean": 0, "growth_log_slope": 0}, "dealer": {"capacity_sigma": 0}}
_DEALERS_STAY: Changes = {
    "dealer": {"exit_per_day": 0, "retire_per_day": 0, "entry_per_12_million_day": 0, "bankrupt_yuan": 1e15, "growth_per_day": 0},
    "sanction": {"legal_dealer": 0},
    "renting": {"dealer_share": 0},
}
_RECRUITERS_STAY: Changes = {
    "helping": {"entry_per_day": 0, "exit_per_day": 0, "stall_closure_per_day": 0, "platform_closure_per_day": 0},
    "start": {"stalls_share": 0.55, "platforms_share": 0.9},  # 11 and 18 of 20
}
_NO_FRIENDS: Changes = {"renting": {"referral_per_day": 0, "return_share": 0}}


def _value(group: str, name: str) -> float:
    return LEDGER[group][name].value


def _times(factor: float, group: str, names: tuple[str, ...]) -> Changes:
    return {group: {name: _value(group, name) * factor for name in names}}


def _joined(*parts: Changes) -> Changes:
    out: Changes = {}
    for part in parts:
        for group, rows in part.items():
            out.setdefault(group, {}).update(rows)
    return out


def larger_dealers(factor: float) -> Changes:
    """Make dealers `factor` times larger and as many times fewer: the same equations with less scatter."""
    mean = _value("start", "size_log_mean") + _value("start", "size_log_sigma") ** 2 / 2
    return _joined(
        _times(factor, "dealer", _DEALER),
        _times(1 / factor, "dealer", ("entry_per_12_million_day",)),
        _times(factor, "start", ("dealer_profit_yuan",)),
        _times(1 / factor, "start", ("dealers_per_million",)),
        _times(factor, "unsealing", ("pool_cap",)),
        _EQUAL,
        {"start": {"size_log_mean": mean + float(np.log(factor))}},
    )


def larger_places(pitches: float, platforms: float) -> Changes:
    """Make pitches and platforms larger and as many times fewer."""
    return _joined(
        _times(pitches, "helping", _PITCH),
        _times(1 / pitches, "helping", ("stall_slots_per_million",)),
        _times(pitches, "start", ("assists_per_stall_day",)),
        _times(platforms, "helping", _PLATFORM),
        _times(1 / platforms, "helping", ("platform_slots_per_million",)),
        _times(platforms, "start", ("assists_per_platform_day",)),
    )


def _changes(users: int) -> dict[str, tuple[Changes, bool]]:
    """Return changes of the ledger by world, and whether batches are swept there."""
    millions = users / 1e6
    few = larger_dealers(millions * _value("start", "dealers_per_million") / FEW)
    many = larger_dealers(1.0)
    spread: Changes = {group: {name: _value(group, name) for name in rows} for group, rows in _EQUAL.items()}
    spread["start"]["size_log_mean"] = _value("start", "size_log_mean")
    slots = (_value("helping", "stall_slots_per_million"), _value("helping", "platform_slots_per_million"))
    places = _joined(larger_places(millions * slots[0] / FEW, millions * slots[1] / FEW), _RECRUITERS_STAY)
    at_once: Changes = {"dealer": {"review_days": 1}}
    laboratory = _joined(few, _DEALERS_STAY, places, _NO_FRIENDS, at_once)
    return {
        "laboratory": (laboratory, False),
        "with_friends": (_joined(few, _DEALERS_STAY, places, at_once), False),
        "with_sweeps": (laboratory, True),
        "with_many_recruiters": (_joined(few, _DEALERS_STAY, _RECRUITERS_STAY, _NO_FRIENDS, at_once), False),
        "with_turnover_of_recruiters": (_joined(few, _DEALERS_STAY, _NO_FRIENDS, at_once), False),
        "with_many_dealers": (_joined(many, _DEALERS_STAY, places, _NO_FRIENDS), False),
        "with_dealers_4_times_larger": (_joined(larger_dealers(4.0), _DEALERS_STAY, places, _NO_FRIENDS), False),
        "with_dealers_16_times_larger": (_joined(larger_dealers(16.0), _DEALERS_STAY, places, _NO_FRIENDS), False),
        "with_unequal_dealers": (_joined(many, spread, _DEALERS_STAY, places, _NO_FRIENDS), False),
        "with_turnover_of_dealers": (_joined(places, _NO_FRIENDS), False),
        "shipped": ({}, True),
    }


WORLDS = tuple(_changes(1_000_000))


def world(name: str, users: int, days: int) -> Scenario:
    """Return a world's scenario at a size; raises `KeyError` for an unknown name."""
    changes, swept = _changes(users)[name]
    if "start" in changes:  # dealers come in whole numbers
        per_million = changes["start"].get("dealers_per_million", _value("start", "dealers_per_million"))
        changes["start"]["dealers_per_million"] = round(per_million * users / 1e6) / (users / 1e6)
    levers = {} if swept else {"levers.cluster_sweep": 0.0}
    made = load_scenario(BASELINE, {"population.users": users, "run.days": days, "run.burn_in_days": 1, "run.settle_days": 1, **levers})
    return made.model_copy(update={"parameters": changes})
