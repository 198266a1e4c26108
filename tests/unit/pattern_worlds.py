"""Outcomes of the experiments of the patterns, made up so that the criteria hold, and changed one at a time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from sim.patterns import CRITERIA, PATTERNS, judged
from sim.patterns.experiments import LAW_BURN_IN, LAW_DAYS, NEEDS, QUARTER, WATCHES
from sim.patterns.scoring import Evidence
from sim.scenario import scenario_from

RUNS, FIRST, DAYS = 4, 90, 390
BASE = scenario_from({"name": "base", "run": {"days": DAYS, "burn_in_days": FIRST, "settle_days": 60}}, "base")
SHARES = {"student": 0.07, "stay_at_home_parent": 0.03, "freelancer": 0.16, "other": 0.74}

WORLD: dict[str, float] = {
    "supply_account_days": 1000.0, "supply_rented": 200.0, "supply_registered": 300.0, "supply_unsealed": 440.0, "supply_bought": 350.0,
    "stock_rented": 30.0, "stock_registered": 300.0, "stock_unsealed": 200.0, "stock_bought": 100.0, "utilisation_share": 1.0,
    "exits_rented": 5.0, "exits_registered": 60.0, "exits_unsealed": 30.0, "exits_bought": 10.0,
    "exit_age_rented": 30.0, "exit_age_registered": 300.0, "exit_age_unsealed": 200.0, "exit_age_bought": 100.0,
    "inflow_rented": 5.0, "inflow_unsealed": 90.0, "inflow_bought": 10.0, "price_yuan": 10.0, "commission_yuan": 60.0,
    "expected_harm_yuan": 5000.0, "owners_banned": 10.0, "owners_repeat": 1.0, "owners_banned_student": 4.0,
    "owners_banned_freelancer": 3.0, "helpers_sanctioned": 5.0, "arrests_dealer": 0.01, "sanctions_legal_owner": 0.005,
    "sanctions_legal_helper": 0.185, "at_risk_approached": 800.0, "rented_student": 6.0, "rented_stay_at_home_parent": 1.0,
    "rented_freelancer": 7.0, "dealer_top_share": 0.4, "informed_share": 0.1,
}  # fmt: skip
"""A world a day, in which the criteria hold, before what each scenario changes in it."""


def law_felt(name: str, day: int) -> float:
    """A step in law that is felt in the second quarter, peaks in the third, dips and stays."""
    quarter = (day - LAW_BURN_IN) // QUARTER
    return 0.2 * (1.0, 1.0, 3.0, 9.0, 6.0, 8.0, 8.0)[max(min(quarter, 5), -1) + 1] if name == "sanctions_legal_helper" else WORLD[name]


def purged(depth: float, back_after: float) -> Callable[[str, int], float]:
    def value(name: str, day: int) -> float:
        left = depth * max(0.0, 1.0 - (day - FIRST - 7) / back_after) if day > FIRST + 7 else depth
        return WORLD[name] * (1.0 - left * (day >= FIRST) * (name == "supply_account_days"))

    return value


CHANGES: dict[str, dict[str, float]] = {
    **{f"sign_up_{at}": {"supply_rented": 200.0 + 30.0 * k, "commission_yuan": 60.0 + 3.0 * k} for k, at in enumerate((45, 60, 75, 90), 1)},
    **{f"squeeze_{at}": {"price_yuan": 10.0 + k, "supply_rented": 400.0, "commission_yuan": 80.0} for k, at in enumerate((50, 70, 90), 1)},
    "entry_low_squeeze": {"price_yuan": 15.0},
    "entry_high_squeeze": {"price_yuan": 11.0},
    "bypass": {"price_yuan": 8.0},
    "without_sign_up": {"supply_account_days": 900.0},
    "without_unsealing": {"supply_account_days": 900.0},
    "without_owners": {"supply_account_days": 850.0},
    "without_all": {"supply_account_days": 300.0},
}


def made(
    changes: dict[str, dict[str, float]] | None = None,
    law: Callable[[str, int], float] = law_felt,
    purge: Callable[[str, int], float] | None = None,
    only: tuple[str, ...] = PATTERNS,
) -> pd.DataFrame:
    """Return days of every scenario that patterns need; replications differ by a few thousandths, as paired runs do."""
    altered = {**CHANGES, **(changes or {})}
    scenarios = sorted({"baseline", *(name for pattern in only for name in NEEDS[pattern][0])})
    parts = []
    for name in scenarios:
        days = np.arange(LAW_DAYS if name == "law" else DAYS)
        values = {**WORLD, **altered.get(name, {})}
        columns = {key: np.full(days.size, value) for key, value in values.items()}
        if name == "law":
            columns = {key: np.array([law(key, int(day)) for day in days]) for key in WORLD}
        if name == "purge":
            shape = purge or purged(0.4, 30.0)
            columns = {key: np.array([shape(key, int(day)) for day in days]) for key in WORLD}
        for k in range(RUNS):
            wobble = 1.0 + 0.002 * np.array([np.sin(7.0 * k + len(key) + (3.0 if name != "baseline" else 0.0)) for key in columns])
            noisy = {key: column * one for (key, column), one in zip(columns.items(), wobble, strict=True)}
            parts.append(pd.DataFrame({"scenario": name, "replication": k, "day": days, **noisy}))
    return pd.concat(parts, ignore_index=True)


COUNTED = {
    "informed_ratio": 0.25, "informed_ratio_early": 0.22, "informed_share": 0.4,
    "pairs": 50.0, "pairs_by_chance": 5.0, "largest_cluster": 4.0,
    "renters_turned_dealers": 0.03, "harm_yuan_registered": 10.0, "harm_yuan_unsealed": 50.0, "harm_yuan_rented": 400.0,
    "cases_registered": 1e-5, "cases_unsealed": 0.01, "cases_rented": 0.05, "worth_young_named": 1.5, "worth_young_unnamed": 1.0,
    "worth_old_named": 2.4, "worth_old_unnamed": 2.0, "worth_paying": 1.3, "worth_not_paying": 1.0,
}  # fmt: skip


def watched(counted: dict[str, float] | None = None, prices: tuple[float, float, float] = (14.0, 12.0, 10.5), left: float = 0.5) -> dict:
    """Return what watched runs saw: counts, prices after arrests by entry, and the part of supply that arrests leave for good."""
    counts = {**COUNTED, **(counted or {})}
    days = np.arange(FIRST + QUARTER + 7)
    seen: dict[str, list[dict[str, np.ndarray]]] = {name: [] for name in WATCHES}
    for k in range(RUNS):
        wobble = 1.0 + 0.002 * np.sin(5.0 * k)
        census_ = {name: np.array([value * wobble]) for name, value in counts.items()}
        census_["holdings_0"] = np.array([300.0 + k, 40.0, 20.0, 10.0, 10.0, 5.0, 5.0, 5.0, 3.0, 1.0])
        for name in ("census", "campaign"):
            seen[name].append(census_)
        for name, price in zip(("arrests_entry_low", "arrests", "arrests_entry_high"), prices, strict=True):
            seen[name].append({"price_yuan": np.where(days >= FIRST, price, 10.0) * wobble})
        seen["purge_and_arrests"].append({"supply_account_days": np.where(days >= FIRST, 1000.0 * left, 1000.0) * wobble})
        for name, averted in (("fewer_rented", 400.0), ("fewer_registered", 20.0)):
            harm = np.where((days >= FIRST) & (days < FIRST + 28), 5000.0 - averted * (1 + k / 100), 5000.0)[: FIRST + 28]
            base = 1.0 + 0.002 * np.sin(7.0 * k + len("expected_harm_yuan"))
            seen[name].append({"expected_harm_yuan": harm * base, "struck": np.array([10.0])})
    return seen


def evidence(days: pd.DataFrame, seen: dict) -> Evidence:
    return Evidence(days, BASE.run.window, FIRST, 12_000_000, SHARES, seen)


def verdicts(days: pd.DataFrame, seen: dict | None = None, only: tuple[str, ...] = PATTERNS) -> dict[str, str]:
    table = judged(evidence(days, watched() if seen is None else seen), only)
    return dict(zip(table["criterion"], table["verdict"], strict=True))


def judged_alone(name: str, **different: object) -> dict[str, str]:
    """Judge the pattern of a criterion by outcomes made for it alone."""
    return verdicts(made(only=(name[:2],), **different), only=(name[:2],))  # type: ignore[arg-type]


TESTABLE = [one.name for one in CRITERIA if one.measure is not None]
