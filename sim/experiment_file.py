"""The experiment file: a question, a baseline, the scenarios compared with it and the outcomes to show."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from sim.faults import MISSING, OVERRIDE, Fault, Key, ScenarioError, nearest, show, show_path, unknown
from sim.levers import CHANNELS, LEVERS
from sim.names import against
from sim.outcomes import OUTCOMES
from sim.scenario import Scenario, name_of, read_source, resolve_source, scenario_from
from sim.scenario_file import Source, apply_overrides, read_toml
from sim.scenario_tables import Table, checked, known

SHOWN = (
    "stock_rented",
    "supply_account_days",
    "price_yuan",
    "expected_harm_yuan",
    "owners_banned",
    "innocents_sanctioned",
    "enforcement_cost_yuan",
)
"""Outcomes shown where an experiment names none."""

HEADLINE = ("stock_rented", "supply_account_days", "expected_harm_yuan")
"""Outcomes that `--precision` looks at where an experiment names none."""

DESIGN = "design"
"""The table that tells an experiment with a design from one that compares scenarios."""

SEARCH = "search"
"""The table that tells an optimisation from both."""

_NAMES = (*OUTCOMES, *(f"lifetime_days_{channel}" for channel in CHANNELS))
OutcomeName = Annotated[str, AfterValidator(known(_NAMES)), Field(json_schema_extra={"enum": list(_NAMES), "listed_by": "abm outcomes"})]
Number = Annotated[float, Field(ge=-1e12, le=1e12, allow_inf_nan=False)]
_SAME = (("run", "days"), ("run", "burn_in_days"), ("run", "settle_days"), ("population", "users"))  # or no pair is a pair
_VARIED_OF_POLICIES = ("strength", "start_day", "ramp_days", "end_day")


class Vary(Table):
    """One key varied over equally spaced levels."""

    key: str = Field(
        min_length=1, max_length=200, description="a dotted path of the scenario, such as policies.registration_audit.strength"
    )
    low: Number = Field(description="first level")
    high: Number = Field(description="last level")
    levels: int = Field(ge=2, le=1_000, description="how many levels, both ends included")

    @property
    def values(self) -> list[float]:
        """Return the levels; whole ones as whole numbers, so that keys which count take them."""
        steps = self.levels - 1
        exact = [round(self.low + (self.high - self.low) * step / steps, 12) for step in range(self.levels)]
        return [int(value) if value == int(value) else value for value in exact]

    @property
    def label(self) -> str:
        """Return the short name of what is varied: the policy's id, or the last part of the key."""
        parts = self.key.split(".")
        return parts[1] if parts[0] == "policies" and parts[-1] == "strength" and len(parts) == 3 else parts[-1]


class ExperimentTable(Table):
    """An experiment file as it stands."""

    name: str = Field(default="experiment", pattern=r"^[a-z0-9_]{1,64}$", description="the experiment's name; the file's name if not given")
    title: str = Field(default="", max_length=200, description="the name as figures show it")
    question: str = Field(default="", max_length=5000, description="what the experiment asks")
    baseline: str = Field(min_length=1, description="a scenario file, relative to this file")
    scenarios: list[str] = Field(default=[], description="scenario files to compare with it")
    scenario: list[dict[str, Any]] = Field(default=[], description="scenarios written out in place, as tables of a scenario file")
    outcomes: list[OutcomeName] = Field(default=list(SHOWN), min_length=1, description="outcomes to show")
    headline: list[OutcomeName] = Field(default=list(HEADLINE), min_length=1, description="outcomes that --precision looks at")
    replications: int | None = Field(
        default=None, ge=1, le=100_000, description="replications a scenario; those of the baseline if not given"
    )
    seed: int | None = Field(default=None, ge=0, le=2**53, description="first seed; that of the baseline if not given")


@dataclass(frozen=True)
class Experiment:
    """A checked experiment; every scenario has the experiment's seed and replications.

    `levels` gives, for an experiment that varies a key, the level of each scenario by name; `file` is that of the baseline, if it has one.
    """

    name: str
    title: str
    question: str
    baseline: Scenario
    scenarios: tuple[Scenario, ...]
    outcomes: tuple[str, ...] = SHOWN
    headline: tuple[str, ...] = HEADLINE
    vary: Vary | None = None
    levels: Mapping[str, float] | None = None
    file: Path | None = None

    @property
    def replications(self) -> int:
        """Return the replications of each scenario."""
        return self.baseline.run.replications

    @property
    def seed(self) -> int:
        """Return the first seed."""
        return self.baseline.run.seed


def load_experiment(path: str | Path, overrides: Mapping[str, object] | None = None, origin: str = OVERRIDE) -> Experiment:
    """Read an experiment file; overrides, which messages call `origin`, go to every scenario in it.

    Raises `ScenarioError` with the faults of the file and of all its scenarios.
    """
    path = Path(path)
    where = show_path(path)
    source = Source(where)
    source.merge(read_toml(path), where)
    if DESIGN in source.data:
        raise ScenarioError(
            [Fault(where, DESIGN, "", f"belongs to an experiment with a design, which compares nothing; use: abm experiment {where}")]
        )
    if SEARCH in source.data:
        raise ScenarioError(
            [Fault(where, SEARCH, "", f"belongs to an optimisation, which compares what it finds; use: abm optimise {where}")]
        )
    source.data.setdefault("name", name_of(path))
    faults: list[Fault] = []
    table = {name: value for name, value in source.data.items() if name != "vary"}
    plan = checked(ExperimentTable, source, (), faults, table, extra=("vary",))
    wrong = {fault.key.partition(".")[0] for fault in faults}
    if plan is None:  # what is right in it still names files whose faults are to be told
        plan = checked(ExperimentTable, source, (), [], {name: value for name, value in table.items() if name not in wrong})
    vary = _vary(source, ("vary",), source.table(("vary",), faults), faults) if "vary" in source.data else None
    if plan is None:
        raise ScenarioError(faults)
    asked = without_names(overrides, faults, origin)
    for key, value in (("run.seed", plan.seed), ("run.replications", plan.replications)):
        if value is not None:
            asked.setdefault(key, value)
    base = path.parent / plan.baseline
    baseline = read_scenario(base, asked, origin, faults, where, "baseline")
    scenarios = [read_scenario(path.parent / file, asked, origin, faults, where, "scenarios") for file in plan.scenarios]
    for number, inline in enumerate(plan.scenario, start=1):
        label = f"{where} [[scenario]] {number}"
        if "name" not in inline:
            faults.append(Fault(label, "name", "", "is missing; a scenario written in place needs one"))
            continue
        try:
            scenarios.append(scenario_from({"extends": plan.baseline, **inline}, label, path.parent, asked, origin))
        except ScenarioError as error:
            faults.extend(error.faults)
    levels = {}
    if vary is not None and baseline is not None:
        varied = vary_scenario(base, [vary], asked, f"{where}: vary", faults, origin)
        levels = {scenario.name: level for (level,), scenario in varied}
        scenarios.extend(scenario for _, scenario in varied)
    if not scenarios and not plan.scenario and "vary" not in source.data and not wrong:
        faults.append(source.fault(("scenarios",), MISSING, "is missing; an experiment compares at least one scenario with the baseline"))
    found = [scenario for scenario in scenarios if scenario is not None]
    if baseline is not None:
        faults.extend(unpaired(baseline, found, where))
    if faults or baseline is None:
        raise ScenarioError(faults)
    return Experiment(
        name=plan.name,
        title=plan.title or plan.name.replace("_", " "),
        question=plan.question,
        baseline=baseline,
        scenarios=tuple(found),
        outcomes=tuple(dict.fromkeys(plan.outcomes)),
        headline=tuple(dict.fromkeys(plan.headline)),
        vary=vary,
        levels=levels,
        file=base,
    )


def experiment_of(
    baseline: str | Path,
    policies: Sequence[str | Path],
    overrides: Mapping[str, object] | None = None,
    name: str = "comparison",
    origin: str = OVERRIDE,
) -> Experiment:
    """Make an experiment of scenario files, for `abm compare BASELINE POLICY...`."""
    faults: list[Fault] = []
    asked = without_names(overrides, faults, origin)
    first, *others = (read_scenario(Path(path), asked, origin, faults) for path in (baseline, *policies))
    found = [scenario for scenario in others if scenario is not None]
    if first is not None:
        faults.extend(unpaired(first, found, ""))
    if faults or first is None:
        raise ScenarioError(faults)
    title = against([scenario.name for scenario in (first, *found)], [scenario.title for scenario in (first, *found)])
    return Experiment(name, title, "", first, tuple(found), file=Path(baseline))


def parse_vary(text: str, key: str = "") -> Vary:
    """Read `KEY=LOW:HIGH:LEVELS` of a `--vary`; `key` is what its KEY stands for, if not for itself. Raises `ScenarioError`."""
    given, _, span = text.partition("=")
    try:
        low, high, levels = span.split(":")
        table = {"key": key or given.strip(), "low": float(low), "high": float(high), "levels": int(levels)}
    except ValueError:
        problem = "must be KEY=LOW:HIGH:LEVELS, for example levers.account_audit=0:1:5"
        raise ScenarioError([Fault("--vary", "", show(text), problem)]) from None
    faults: list[Fault] = []
    vary = _vary(Source("--vary"), (), table, faults)
    if vary is None:
        raise ScenarioError(faults)
    return vary


def _vary(source: Source, key: Key, table: dict[str, Any] | None, faults: list[Fault]) -> Vary | None:
    """Check what is varied; note every fault and return None if there is one."""
    vary = checked(Vary, source, key, faults, table)
    if vary is not None and vary.low >= vary.high:
        faults.append(source.fault((*key, "low"), vary.low, f"must be below the last level, {vary.high:g}"))
        return None
    if vary is not None and (problem := unvaried(vary.key)):
        faults.append(source.fault((*key, "key"), vary.key, problem) if key else Fault(source.where, vary.key, "", problem))
        return None
    return vary


def unvaried(key: str) -> str:
    """Say why a key cannot be varied; nothing if it can."""
    parts = key.split(".")
    if tuple(parts) in _SAME:
        return "cannot be varied: every level must keep days, burn-in, settle days and users as in the baseline, or runs make no pairs"
    if len(parts) == 1 and key in LEVERS:
        return f"is the name of a lever; the key of a policy on it is policies.{key}.strength"
    if len(parts) == 1 and (hint := nearest(key, LEVERS)):
        return f"no such lever{hint} Or a path such as levers.NAME, policies.ID.strength or parameters.GROUP.NAME"
    if parts[0] == "policies" and len(parts) == 3 and parts[2] not in _VARIED_OF_POLICIES:
        return unknown("key of a policy to vary", parts[2], _VARIED_OF_POLICIES)
    shapes = {"levers": 2, "policies": 3, "parameters": 3, "population": 4}
    if shapes.get(parts[0]) == len(parts) and (parts[0] != "population" or (parts[1], parts[3]) == ("segments", "share")):
        return ""
    return "cannot be varied; allowed are a lever's name and paths such as levers.NAME, policies.ID.strength and parameters.GROUP.NAME"


def vary_scenario(
    path: str | Path,
    varies: Sequence[Vary],
    overrides: Mapping[str, object] | None,
    label: str,
    faults: list[Fault],
    origin: str = OVERRIDE,
) -> list[tuple[tuple[float, ...], Scenario]]:
    """Build a scenario for every combination of levels, with its levels in the order of `varies`; note faults.

    `label` is what faults call the origin of the levels.
    """
    built: list[tuple[tuple[float, ...], Scenario]] = []
    told = {(fault.key, fault.problem) for fault in faults}
    for levels in product(*(vary.values for vary in varies)):
        pairs = list(zip(varies, levels, strict=True))
        words = "_".join(f"{vary.label}_{level:g}" for vary, level in pairs)
        asked: dict[str, object] = {vary.key: level for vary, level in pairs}
        asked |= {
            "name": re.sub(r"[^a-z0-9_]", "_", words.lower().replace(".", "p").replace("-", "m"))[:64],
            "title": ", ".join(f"{vary.label.replace('_', ' ')} {level:g}" for vary, level in pairs),
        }
        try:
            source = read_source(path, overrides, origin)
            apply_overrides(source, asked, label)
            built.append((levels, resolve_source(source)))
        except ScenarioError as error:
            faults.extend(fault for fault in error.faults if (fault.key, fault.problem) not in told)
            told |= {(fault.key, fault.problem) for fault in error.faults}
    return built


def read_scenario(
    path: Path, overrides: Mapping[str, object], origin: str, faults: list[Fault], where: str = "", key: str = ""
) -> Scenario | None:
    """Read a scenario that a file may name at a key; note faults and return None if there is one."""
    try:
        return resolve_source(read_source(path, overrides, origin, where, key))
    except ScenarioError as error:
        faults.extend(error.faults)
        return None


def without_names(overrides: Mapping[str, object] | None, faults: list[Fault], origin: str) -> dict[str, object]:
    """Return the overrides that may go to several scenarios at once; note those that name one."""
    asked = dict(overrides or {})
    problem = "cannot be set for several scenarios at once"
    faults.extend(Fault(origin, key, show(asked.pop(key)), problem) for key in ("name", "title") if key in asked)
    return asked


def unpaired(baseline: Scenario, scenarios: Sequence[Scenario], where: str) -> list[Fault]:
    """Find what keeps scenarios from being compared pair by pair with the baseline: equal names, other days or users."""
    faults = []
    seen = {baseline.name}
    for scenario in scenarios:
        if scenario.name in seen:
            faults.append(Fault(where, "name", show(scenario.name), "is the name of two scenarios compared; each needs its own"))
        seen.add(scenario.name)
        for table, name in _SAME:
            here, there = (getattr(getattr(s, table), name) for s in (scenario, baseline))
            if here != there:
                problem = f"must be {there} as in the baseline {baseline.name}, or runs cannot be compared in pairs"
                faults.append(Fault(where, f"{scenario.name}: {table}.{name}", show(here), problem))
    return faults
