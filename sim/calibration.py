"""What the baseline must look like: targets with their sources, and what the simulation gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.analysis.intervals import t_intervals
from sim.comparison import Runs
from sim.faults import Fault, ScenarioError, show
from sim.levers import AT_RISK, CHANNELS, SEGMENTS
from sim.parameters import resolve
from sim.plan import Plan, single
from sim.scenario import Scenario

Reals = NDArray[np.float64]

YEAR, HALF_YEAR = 365.0, 182.0
PER_USERS = 1.2e9
"""Users of the platform in the year that the targets are about (evidence A1)."""

DRIFT = 0.03
_EARLY, _LATE = (90, 180), (240, 540)
_DRIFTING = (*(f"stock_{channel}" for channel in CHANNELS), "price_yuan", "commission_yuan", "dealers_active")

COLUMNS = ("target", "kind", "source", "range", "simulated", "low", "high", "inside")


@dataclass(frozen=True)
class Target:
    """A quantity with the range that the evidence allows; `hard` ones must be inside, the others are reported."""

    name: str
    source: str
    low: float
    high: float
    hard: bool
    of: Callable[[Means], float]


class Means:
    """Means of one run over its window, with counts scaled to 1.2 billion users."""

    def __init__(self, row: dict[str, float], scenario: Scenario) -> None:
        self._row = row
        self._scenario = scenario

    def __getitem__(self, outcome: str) -> float:
        return float(self._row[outcome])

    def full(self, outcome: str) -> float:
        """Return a count a day at 1.2 billion users."""
        return self[outcome] * PER_USERS / self._scenario.population.users

    def worth(self, channel: str) -> float:
        """Return p q E[L], what an account earns in its life, in yuan."""
        return (
            self["price_yuan"]
            * self["utilisation_share"]
            * self[f"supply_{channel}"]
            / self[f"stock_{channel}"]
            * self[f"lifetime_days_{channel}"]
        )

    def sanctioned(self) -> float:
        """Return the share of sanctions that fall on malicious accounts."""
        malicious = sum(self[f"detected_{channel}"] for channel in CHANNELS)
        return malicious / (malicious + self["innocents_sanctioned"])

    def referral(self) -> float:
        """Return the share of recruits who came by a friend."""
        return self["rented_by_referral"] / (self["rented_by_advert"] + self["rented_by_referral"])

    def approached(self) -> float:
        """Return the share of users in the lured segments approached at least once a year, 1 - exp(-rate)."""
        shares = sum(self._scenario.population.segments[segment].share for segment in SEGMENTS[:AT_RISK])
        return float(-np.expm1(-YEAR * self["at_risk_approached"] / (shares * self._scenario.population.users)))

    def unsealing(self) -> float:
        """Return what a successful unsealing costs: assists and work of all attempts over successes, in yuan."""
        work = resolve(self._scenario.parameters).unsealing.attempt_cost_yuan
        return self["unseal_attempts"] * (self["helper_price_yuan"] + work) / self["inflow_unsealed"]


TARGETS = (
    Target(
        "registered accounts detected a year", "evidence E1, +-25 %", 4.65e6, 7.75e6, True, lambda m: YEAR * m.full("detected_registered")
    ),
    Target("appeals of lured owners in half a year", "evidence E2", 1e4, 4e4, True, lambda m: HALF_YEAR * m.full("appeals_owner")),
    Target("commission, yuan a day", "evidence B1", 40, 150, True, lambda m: m["commission_yuan"]),
    Target("mean life of a rented account, days", "evidence B16, E12", 4, 8, True, lambda m: m["lifetime_days_rented"]),
    Target(
        "rentals that last over three weeks, share",
        "evidence E12: a long tail",
        0.02,
        0.2,
        True,
        lambda m: m["exits_rented_long"] / m["exits_rented"],
    ),
    Target("recruits by referral, share", "evidence C14", 0.05, 0.25, True, lambda m: m.referral()),
    Target("sanctions on malicious accounts, share", "evidence E3", 0.96, 1, True, lambda m: m.sanctioned()),
    Target("worth of a fresh account, yuan", "evidence B4, B5", 55, 90, False, lambda m: m.worth("registered")),
    Target("worth of an unsealed account, yuan", "evidence B4-B6", 90, 250, False, lambda m: m.worth("unsealed")),
    Target("worth of a bought account, yuan", "evidence B4-B6", 200, 800, False, lambda m: m.worth("bought")),
    Target("worth of a rented account, yuan", "evidence B4-B6", 200, 800, False, lambda m: m.worth("rented")),
    Target("cost of an unsealing, yuan", "evidence B7b", 60, 150, False, lambda m: m.unsealing()),
    Target("lured segments approached in a year, share", "evidence C1", 0.05, 0.2, False, lambda m: m.approached()),
)


def plan(scenario: Scenario, replications: int) -> Plan:
    """Return the plan: runs of the scenario as it is.

    Raises `ScenarioError` when runs are too short to see a drift, or too few for an interval.
    """
    faults = []
    if scenario.run.days < _LATE[1]:
        problem = f"must be at least {_LATE[1]}: the drift is that of days {_LATE[0]}-{_LATE[1]} against days {_EARLY[0]}-{_EARLY[1]}"
        faults.append(Fault("", "run.days", show(scenario.run.days), problem))
    if replications < 2:
        faults.append(Fault("", "replications", show(replications), "must be at least 2, or there is no interval"))
    if faults:
        raise ScenarioError(faults)
    return replace(single(scenario), command="calibration", name="calibration", replications=replications)


def table(done: Runs) -> pd.DataFrame:
    """Return one row a target (`COLUMNS`): what is simulated with its 95 % interval, and whether that is inside.

    Drift: the mean of days 90-180 over that of days 240-540, less 1, by replication; inside when the 90 % interval lies within 3 %, which
    is the test of equivalence (TOST) at 5 %.
    """
    scenario = next(iter(done.plan.scenarios.values()))
    means = [Means({str(name): value for name, value in row.items()}, scenario) for row in done.runs.to_dict("records")]
    rows = [_row(t.name, t.source, t.hard, np.array([t.of(m) for m in means]), t.low, t.high, 0.95) for t in TARGETS]
    rows += [
        _row(f"drift of {outcome}", "no policy, no drift (TOST)", True, _drift(done.daily, outcome), -DRIFT, DRIFT, 0.90)
        for outcome in _DRIFTING
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _drift(daily: pd.DataFrame, outcome: str) -> Reals:
    by_run = daily.groupby("replication")
    early = by_run.apply(lambda run: run.loc[run["day"].between(_EARLY[0], _EARLY[1] - 1), outcome].mean())
    late = by_run.apply(lambda run: run.loc[run["day"].between(_LATE[0], _LATE[1] - 1), outcome].mean())
    return np.asarray(early / late - 1.0, dtype=np.float64)


def _row(name: str, source: str, hard: bool, values: Reals, low: float, high: float, level: float) -> tuple[object, ...]:
    interval = t_intervals(values, level=level)
    ends = float(interval.value[0]), float(interval.low[0]), float(interval.high[0])
    inside = low <= ends[1] and ends[2] <= high
    return name, "hard" if hard else "soft", source, f"{low:g} to {high:g}", *ends, inside
