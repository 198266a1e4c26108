"""Whole runs and worlds made by hand whose outcome is known beforehand; parameters may leave the ledger's ranges."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats
from scipy.special import expit

from sim.levers import CHANNELS, LEVERS, SEGMENTS, Levers
from sim.luck import Luck, join, words
from sim.model import AccountMarket
from sim.parameters import Parameters, resolve
from sim.processes.acquiring import acquire
from sim.scenario import Scenario, scenario_from
from sim.world.accounts import BOUGHT, REGISTERED, RENTED, STOLEN, UNSEALED, Claims
from sim.world.entry import dealer_keys, found
from sim.world.world import World

Settings = dict[str, Any]

NO_DEALERS: Settings = {"start": {"dealers_per_million": 0.0}, "dealer": {"entry_per_12_million_day": 0.0}}
NOBODY_LEAVES = {"exit_per_day": 0.0, "retire_per_day": 0.0, "bankrupt_yuan": 1e15, "entry_per_12_million_day": 0.0}
NOBODY_LOOKS = {"threshold": 1e3, "report_base": 0.0, "report_span": 0.0, "nuisance_base": 0.0, "nuisance_span": 0.0}
"""No audit finds anything, nobody reports."""
BUSY = {
    "login_check": 0.3,
    "owner_amnesty": 0.5,
    "scan_confirmation": 0.3,
    "helper_sanctions": 0.8,
    "sanction_severity": 0.6,
    "legal_certainty": 1.0,
    "stall_policing": 1.0,
    "task_platform_takedown": 1.0,
    "cluster_sweep": 0.7,
}
"""Levers under which every process has something to do."""
STIRRED: Settings = {
    "dealer": {"retire_per_day": 0.01, "entry_per_12_million_day": 6.0},
    "sanction": {"legal_dealer": 0.02, "case_days_low": 5.0, "case_days_high": 20.0, "appeal_owner": 0.5, "upheld_owner": 0.5},
    "renting": {"referral_per_day": 0.3, "dealer_after_referrals": 2.0, "dealer_share": 1.0},
    "start": {"stock_rented_per_million": 60.0},
}
"""Parameters under which dealers come, go and are arrested, and owners rent out again, within a short run."""


def merged(*tables: Settings) -> Settings:
    """Join tables of parameters, the later ones winning."""
    out: Settings = {}
    for table in tables:
        for group, rows in table.items():
            out[group] = {**out.get(group, {}), **rows}
    return out


def scenario(
    users: int = 2_000_000,
    days: int = 60,
    levers: dict[str, float] | None = None,
    parameters: Settings | None = None,
    policies: Settings | None = None,
    burn_in: int = 1,
    adaptive: bool = True,
) -> Scenario:
    """Build a scenario; with `adaptive` off and no burn-in dealers keep the plan that they make before day 0."""
    made = scenario_from(
        {
            "name": "known",
            "run": {"days": days, "burn_in_days": burn_in, "settle_days": 1},
            "population": {"users": users},
            "levers": levers or {},
            "policies": policies or {},
            "dealers": {"adaptive": adaptive},
        },
        "known",
        Path(),
    )
    return made.model_copy(update={"parameters": parameters or {}})


def started(seed: int = 1, **settings: Any) -> AccountMarket:
    """Return a run before its first day."""
    return AccountMarket(scenario(**settings), seed)


def ran(seed: int = 1, **settings: Any) -> dict[str, Any]:
    """Run a scenario to its end; returns its series."""
    model = started(seed, **settings)
    model.run()
    return model.daily


def ledger(parameters: Settings | None = None) -> Parameters:
    """Return the parameters of a run, from which closed forms are computed."""
    return resolve(parameters or {})


def levers(**strengths: float) -> Levers:
    """Return the standing levers with some changed."""
    return Levers.of({**{name: lever.standing for name, lever in LEVERS.items()}, **strengths})


def world(
    dealers: int = 1, evasion: float = 0.0, users: int = 2_000_000, parameters: Settings | None = None, seed: int = 7
) -> tuple[World, Luck]:
    """Return a world with some dealers who hold nothing, and its luck."""
    luck = Luck(seed)
    made = World(scenario(users=users, parameters=parameters), luck)
    rows = made.dealers.open_rows(dealers)
    found(made, luck, rows, dealer_keys(luck, -1, np.arange(dealers)), -1)
    made.dealers.evasion[rows] = evasion
    return made, luck


def hold(made: World, luck: Luck, channel: int, count: int, dealer: int = 0, day: int = 0) -> np.ndarray:
    """Put accounts of a channel into a dealer's hands, each with an owner of its own; returns their rows."""
    first = made.accounts.size
    key = join(words(np.arange(count)), channel, dealer, day, first)
    owner = (first + np.arange(count)) * 53 % made.population.users if channel >= RENTED else None
    claims = Claims.of(key, channel, np.full(count, dealer), owner)
    acquire(made, luck, day, claims, acquired=np.full(count, day))
    return np.arange(first, made.accounts.size)


def steady(capacity: float, dealers_per_million: float, evasion: float = 0.0) -> Settings:
    """Return parameters of dealers all alike, who stay, never grow, keep their evasion and hold nothing on day 0.

    Uses do not differ in detectability, no unsealing is watched or caught later, and experience is that of the day alone, so that
    `dealers.at_risk` shows each dealer's accounts at clearing.
    """
    return {
        "dealer": {
            **NOBODY_LEAVES,
            "capacity_mean": capacity,
            "capacity_sigma": 0.0,
            "capacity_cap": 1e6,
            "growth_per_day": 0.0,
            "evasion_drift": 0.0,
            "evasion_jump": 0.0,
            "tremble": 0.0,
            "review_days": 1.0,
            "memory": 0.0,
        },
        "start": {
            "dealers_per_million": dealers_per_million,
            "size_log_mean": float(np.log(capacity)),
            "size_log_sigma": 0.0,
            "growth_log_mean": 0.0,
            "growth_log_slope": 0.0,
            "evasion": evasion,
            "pool_per_million": 0.0,
            "case_share": 0.0,
            **{f"stock_{channel}_per_million": 0.0 for channel in CHANNELS},
        },
        "sanction": {"legal_dealer": 0.0, "legal_owner": 0.0, "legal_helper": 0.0},
        "detection": {**{k: v for k, v in NOBODY_LOOKS.items() if k != "threshold"}, **dict.fromkeys(_USES, 0.0)},
        "unsealing": {"watch_sensitivity": 0.0, "catch_third_party": 0.0},
        "helping": {},
    }


_USES = ("use_fraud", "use_vice", "use_spam", "use_false_ads")
_DEAR = 1e9
_BARS: dict[int, tuple[str, str, float]] = {
    REGISTERED: ("registration", "sim_cost_yuan", _DEAR),
    UNSEALED: ("unsealing", "attempt_cost_yuan", _DEAR),
    RENTED: ("renting", "identity_resale_yuan", -_DEAR),
    BOUGHT: ("trading", "asked_yuan", _DEAR),
    STOLEN: ("trading", "theft_cost_yuan", _DEAR),
}
"""What makes each channel too dear for anybody."""


def only(channel: int) -> Settings:
    """Return parameters under which dealers put all effort into one channel: the others, and idling, cost a fortune."""
    bars: Settings = {"dealer": {"choice_weight": 1.0, "outside_yuan": -1e12}}
    for other, (group, name, value) in _BARS.items():
        if other != channel:
            bars = merged(bars, {group: {name: value}})
    return bars


def audit_hazard(p: Parameters, channel: str, evasion: float, audit: float = 0.0) -> float:
    """Return the audit's daily hazard of a channel whose uses do not differ: rate x Phi(d' - .6e - (c0 - u))."""
    signal = getattr(p.detection, f"cover_{channel}") - p.detection.evasion_effect * evasion
    return float(p.detection.audit_rate * stats.norm.cdf(signal - p.detection.threshold + audit))


def mean_acceptance(p: Parameters, logit: float, segment_logits: list[float], shares: list[float], cap: float = 1.0) -> float:
    """Return the acceptance probability averaged over segments and log-normal reservations around the usual one.

    `logit` is that of a user with the median reservation; 60-point Gauss-Hermite quadrature.
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    by_user = logit + np.array(segment_logits)[:, None] - p.renting.commission_weight * p.population.reservation_sigma * nodes
    means = np.minimum(expit(by_user), cap) @ (weights / weights.sum())
    return float(np.dot(shares, means))


def segment_logits(p: Parameters) -> list[float]:
    """Return the segments' part of the logit of renting out and selling."""
    return [getattr(p.renting, f"{segment}_logit") for segment in SEGMENTS]


def advert_survival_share(p: Parameters, takedown: float, reporting: float) -> float:
    """Return the share of adverts that survive: (1 - .9u)(1 - .2(.1 + .4u')), u of takedown, u' of user reporting."""
    reported = p.detection.report_base + p.detection.report_span * reporting
    return (1 - p.renting.takedown_effect * takedown) * (1 - p.renting.advert_report_weight * reported)


def law_logit(p: Parameters, certainty: float, severity: float) -> float:
    """Return what law adds to the logit of acceptance: -.25(ln(certainty/.2) + .2 ln(severity/.2)), not below .02."""
    reference, floor = p.renting.law_reference, p.renting.law_floor
    logs = [float(np.log(max(u, floor) / reference)) for u in (certainty, severity)]
    return -p.renting.legal_weight * (logs[0] + p.renting.severity_share * logs[1])
