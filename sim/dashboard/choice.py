"""What a reader has chosen: a scenario, levers moved, when and whom they reach; and the two scenarios that are run for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sim.dashboard.limits import LIMITS, unfit
from sim.explain import describe
from sim.faults import Fault, ScenarioError
from sim.levers import LEVERS, SEGMENTS
from sim.scenario import Scenario, scenario_from

GROUPS: dict[str, tuple[str, ...]] = {
    "Registration": ("registration_audit", "assisted_verification"),
    "Unsealing": ("unsealing_strictness",),
    "Renting": ("ad_takedown", "owner_amnesty"),
    "Accounts": ("account_audit", "login_check", "cluster_sweep", "sanction_severity", "review_capacity", "purge"),
    "Helpers": ("helper_cap", "helper_sanctions", "scan_confirmation", "stall_policing", "task_platform_takedown"),
    "People": ("awareness_campaign", "friend_confirmation", "user_reporting"),
    "Law": ("legal_certainty", "legal_severity"),
}
"""Every lever once, where a person looks for it."""

STANDING, OWN = "standing_regime", "my_policy"
"""Names of the two scenarios that are run, until one is saved under a name."""


@dataclass(frozen=True)
class Choice:
    """What differs from the scenario's file, None or nothing where it is as there.

    `strengths` are levers moved; `day`, `ramp` and `segments` hold for all levers that sliders show.
    """

    scenario: str
    strengths: Mapping[str, float] = field(default_factory=dict)
    day: int | None = None
    ramp: int | None = None
    segments: tuple[str, ...] | None = None
    users: int | None = None
    days: int | None = None
    seed: int | None = None


@dataclass(frozen=True)
class Pair:
    """What is run: the baseline, the policy, and the first day on which they may differ."""

    baseline: Scenario
    policy: Scenario
    day: int


class Opened:
    """A scenario as sliders show it.

    `strengths` is where each slider stands: at its policy's strength, or the standing one; `day`, `ramp` and `segments` are those of the
    first policy. A policy that starts, ramps, ends or aims otherwise cannot be shown so: it is in `kept`, in words by lever, and stays as
    the file has it until its lever is moved.
    """

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self._tables = {name: policy.model_dump(exclude_none=True) for name, policy in scenario.policies.items()}
        policies, tables = list(scenario.policies.values()), list(self._tables.values())
        self.day = policies[0].first_day if policies else scenario.run.burn_in_days
        self.ramp: int = next((table["ramp_days"] for table in tables if not LEVERS[table["lever"]].only_policy), 0)
        aimed = (tuple(policy.segments or SEGMENTS) for policy in policies if LEVERS[policy.lever].by_segment)
        self.segments = next(aimed, SEGMENTS)
        self.strengths = {name: self.standing(name) for name in LEVERS}
        self.kept: dict[str, str] = {}
        for policy, table in zip(policies, tables, strict=True):
            self.strengths[policy.lever] = policy.strength
            same_lever = [other for other in policies if other.lever == policy.lever]
            if len(same_lever) > 1 or table != _plain(policy.lever, policy.strength, self.day, self.ramp, self.segments):
                self.kept[policy.lever] = "; ".join(describe(other, scenario).replace("_", " ") for other in same_lever)

    def standing(self, lever: str) -> float:
        """Return the strength of a lever without a policy."""
        return self.scenario.levers.get(lever, 0.0)

    def strength(self, choice: Choice, lever: str) -> float:
        """Return where a lever's slider stands."""
        return choice.strengths.get(lever, self.strengths[lever])

    def kept_as_in_file(self, choice: Choice) -> dict[str, str]:
        """Return the policies that stay as the file has them, in words, by lever."""
        return {lever: words for lever, words in self.kept.items() if lever not in choice.strengths}

    def moved(self, choice: Choice, lever: str, strength: float) -> Choice:
        """Return the choice with a lever moved; one that is back where the file has it counts as not moved."""
        strengths = {name: value for name, value in choice.strengths.items() if name != lever}
        if strength != self.strengths[lever]:
            strengths[lever] = strength
        return replace(choice, strengths={name: strengths[name] for name in LEVERS if name in strengths})

    def pair(self, choice: Choice) -> Pair:
        """Return the two scenarios of a choice; raises `ScenarioError` when they cannot be run.

        Nothing chosen gives the scenario of the file to the letter. A lever at its standing strength has no policy.
        """
        policies = self._policies(choice)
        if problems := list(unfit({name: getattr(choice, name) for name in LIMITS}, self.scenario.run, policies.values())):
            raise ScenarioError(Fault("", "", "", problem) for problem in problems)
        run = {"population.users": choice.users, "run.days": choice.days, "run.seed": choice.seed}
        overrides = {key: value for key, value in run.items() if value is not None}
        data = self.scenario.model_dump(exclude_none=True)
        where = f"scenario {self.scenario.name}"
        policy = scenario_from({**data, "policies": policies}, where, overrides=overrides, origin="the page")
        baseline = policy.model_copy(update={"name": STANDING, "title": "Standing regime", "policies": {}, "targets": []})
        policy = policy.model_copy(update={"name": OWN, "title": "Your policy"})
        starts = [one.first_day for one in policy.policies.values()]
        day = self.day if choice.day is None else choice.day
        return Pair(baseline, policy, min(starts, default=min(day, policy.run.days - 1)))

    def _policies(self, choice: Choice) -> dict[str, dict[str, Any]]:
        """Return the policies of a choice as tables of a file: in the order and with the ids of the file, then levers moved."""
        day = self.day if choice.day is None else choice.day
        ramp = self.ramp if choice.ramp is None else choice.ramp
        segments = self.segments if choice.segments is None else choice.segments
        kept, done = self.kept_as_in_file(choice), set[str]()
        tables: dict[str, dict[str, Any]] = {}
        for name, lever in [*((name, table["lever"]) for name, table in self._tables.items()), *((lever, lever) for lever in LEVERS)]:
            strength = self.strength(choice, lever)
            if lever in kept and name in self._tables:
                tables[name] = self._tables[name]
            elif lever not in kept and lever not in done and strength != self.standing(lever):
                free = next(other for other in (name, *(f"{name}_{k}" for k in range(2, 99))) if other not in tables)
                tables[free] = _plain(lever, strength, day, ramp, segments)
            done.add(lever)
        return tables


def _plain(lever: str, strength: float, day: int, ramp: int, segments: tuple[str, ...]) -> dict[str, Any]:
    """Return the policy that a slider stands for, as a table of a file."""
    if LEVERS[lever].only_policy:
        return {"lever": lever, "strength": strength, "ramp_days": 0, "days": [day]}
    table = {"lever": lever, "strength": strength, "start_day": day, "ramp_days": ramp}
    if LEVERS[lever].by_segment and set(segments) != set(SEGMENTS):
        table["segments"] = [name for name in SEGMENTS if name in segments]
    return table


def faults_of(error: ScenarioError) -> list[str]:
    """Return what is wrong, a line each, without where it stands: the page is the only place."""
    return [str(replace(fault, where="")) for fault in error.faults]


def label(lever: str) -> str:
    """Return what a lever is called on the page."""
    return lever.replace("_", " ").capitalize()
