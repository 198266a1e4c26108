"""What a command asked for: scenarios, seeds and outcomes, as the manifest keeps them; and the scenarios of a sweep."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from sim.experiment_file import HEADLINE, SHOWN, Experiment, Vary, parse_vary, unpaired, vary_scenario
from sim.faults import OVERRIDE, Fault, ScenarioError, show, show_key
from sim.given import Given
from sim.jobs import Failure, Job, jobs_of
from sim.levers import LEVERS
from sim.parameters import LEDGER
from sim.scenario import Scenario, load_scenario
from sim.store import DONE, FAILED, MEANS, Parts, StoreError, damaged

STRIDE = 1_000_000
"""Seeds between two members of the set of parameter vectors: their luck is apart, so that chance is not taken for agreement."""

CALIBRATE = "calibrate"
"""The command whose results directory has runs and tables but no plan: nothing is compared, so there is no figure to draw."""

EXPERIMENT = "experiment"
"""The command whose results directory has a row a point of its design and no figure."""

OPTIMISE = "optimise"
"""The command whose results directory has a row a mix tried, and figures that this command draws again."""

MOST_SCENARIOS = 1000
"""More than that many scenarios in one sweep are taken for a slip."""


@dataclass(frozen=True)
class Plan:
    """What a command asked for.

    `scenarios` are by name, the baseline first. `axes` and `levels` are those of a sweep: the keys varied, and for each scenario the
    level of each key, the baseline's own included. Without `daily` the days of runs are not kept, only their means. `widest` is the half-
    width reached when a `precision` was asked for. `members` says of each scenario that is another one in a member of the set of
    parameter vectors which one that is, and the member's number. `given` is the command line, where there was one.
    """

    command: str
    name: str
    scenarios: Mapping[str, Scenario]
    replications: int
    seed: int
    title: str = ""
    question: str = ""
    baseline: str | None = None
    outcomes: tuple[str, ...] = ()
    headline: tuple[str, ...] = ()
    axes: tuple[Vary, ...] = ()
    levels: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    precision: float | None = None
    widest: float | None = None
    members: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    daily: bool = True
    given: Given = field(default_factory=Given)

    @cached_property
    def jobs(self) -> list[Job]:
        """Return the runs to be made, interleaved by replication; scenarios share seeds in each member of the set, members do not."""
        return jobs_of(
            self.scenarios, self.replications, self.seed, {name: STRIDE * (number + 1) for name, (_, number) in self.members.items()}
        )

    @cached_property
    def sorted_jobs(self) -> list[Job]:
        """Return the same in the order of the tables: by scenario, then by replication."""
        order = {name: k for k, name in enumerate(self.scenarios)}
        return sorted(self.jobs, key=lambda job: (order[job.scenario_name], job.replication))

    @property
    def place(self) -> str:
        """Return the results directory as the command was given it, or where it is if none was named."""
        return self.given.out or f"results/{self.name}"

    @property
    def last_seed(self) -> int:
        """Return the greatest seed of a run."""
        return self.seed + self.replications - 1 + STRIDE * max((number + 1 for _, number in self.members.values()), default=0)

    @property
    def titles(self) -> dict[str, str]:
        """Return what figures and sentences call each scenario."""
        return {name: scenario.title or name.replace("_", " ") for name, scenario in self.scenarios.items()}

    def manifest(self, parts: Parts, failures: Iterable[Failure], finished: bool) -> dict[str, Any]:
        """Return what the manifest says of the plan, and how far each run is."""
        failed = {failure.run_id: failure for failure in failures}

        def status(job: Job) -> str:
            return DONE if parts.has(job.run_id) else FAILED if job.run_id in failed else "missing"

        return {
            "finished": finished,
            "command": self.command,
            "name": self.name,
            "title": self.title,
            "question": self.question,
            "baseline": self.baseline,
            "outcomes": list(self.outcomes),
            "headline": list(self.headline),
            "precision": self.precision,
            "widest": self.widest,
            "replications": self.replications,
            "seed": self.seed,
            "seeds": [self.seed + k for k in range(self.replications)],
            "axes": [vary.model_dump() for vary in self.axes],
            "levels": {name: list(levels) for name, levels in self.levels.items()},
            "daily": self.daily,
            "given": asdict(self.given),
            "members": {name: list(copy) for name, copy in self.members.items()},
            "scenarios": {
                name: {
                    "title": scenario.title,
                    "hash": hashlib.sha256(scenario.identity().encode()).hexdigest()[:16],
                    "resolved": scenario.model_dump(mode="json"),
                }
                for name, scenario in self.scenarios.items()
            },
            "runs": [{**vars(job.row), "status": status(job)} for job in self.sorted_jobs],
            "failures": [asdict(failure) for failure in failed.values()],
        }

    @classmethod
    def of(cls, manifest: Mapping[str, Any], path: Path) -> Plan:
        """Read the plan back from the manifest of the results directory at `path`; raises `StoreError` when it makes no sense."""
        if manifest.get("command") == CALIBRATE and not manifest.get("finished"):
            raise StoreError(f"{path} holds a calibration (`abm {CALIBRATE}`) that is not finished; the same command goes on from there")
        if manifest.get("command") == CALIBRATE:
            raise StoreError(f"{path} holds a calibration (`abm {CALIBRATE}`): its tables are the .csv files there, and it has no figures")
        if manifest.get("command") == OPTIMISE:
            raise StoreError(f"{path} holds an optimisation (`abm {OPTIMISE}`): give that command again, and it draws its figures again")
        if manifest.get("command") == EXPERIMENT:
            raise StoreError(
                f"{path} holds an experiment with a design (`abm {EXPERIMENT}`): its tables are the .csv files there; "
                "`abm sensitivity FILE`, `abm interactions FILE` or `abm discover FILE`, as its design is, draws its figures"
            )
        try:
            plan = cls(
                command=str(manifest["command"]),
                name=str(manifest["name"]),
                scenarios={name: Scenario.model_validate(entry["resolved"]) for name, entry in manifest["scenarios"].items()},
                replications=int(manifest["replications"]),
                seed=int(manifest["seed"]),
                title=str(manifest["title"]),
                question=str(manifest["question"]),
                baseline=manifest["baseline"],
                outcomes=tuple(manifest["outcomes"]),
                headline=tuple(manifest["headline"]),
                axes=tuple(Vary.model_validate(vary) for vary in manifest["axes"]),
                levels={name: tuple(levels) for name, levels in manifest["levels"].items()},
                precision=manifest["precision"],
                widest=manifest["widest"],
                members={name: (str(copied), int(number)) for name, (copied, number) in manifest.get("members", {}).items()},
                daily=bool(manifest.get("daily", True)),
                given=Given.read(manifest.get("given", {})),
            )
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False)[0]
            key = show_key(tuple(map(str, first["loc"])))
            raise StoreError(damaged(path / "manifest.json", f"{key} = {show(first['input'])} of a scenario or axis")) from error
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            reason = f"no {error.args[0]}" if isinstance(error, KeyError) else "a value of the wrong kind"
            raise StoreError(damaged(path / "manifest.json", reason)) from error
        copied = {name for name, _ in plan.members.values()}
        named = {plan.baseline or next(iter(plan.scenarios), ""), *plan.levels, *plan.members, *copied}
        if unknown := sorted({*named.difference(plan.scenarios), *{*plan.outcomes, *plan.headline}.difference(MEANS)}):
            raise StoreError(damaged(path / "manifest.json", f"no scenario or outcome {show(unknown[0])}"))
        return plan


def single(scenario: Scenario) -> Plan:
    """Return the plan of runs of one scenario."""
    return Plan(
        command="run",
        name=scenario.name,
        title=scenario.title,
        scenarios={scenario.name: scenario},
        replications=scenario.run.replications,
        seed=scenario.run.seed,
        outcomes=SHOWN,
    )


def varies_of(texts: Sequence[str]) -> list[Vary]:
    """Read each `KEY=LOW:HIGH:LEVELS`; the name of a lever stands for the strength of a policy on it. Raises `ScenarioError`."""
    faults: list[Fault] = []
    varies: list[Vary] = []
    for text in texts:
        key = text.partition("=")[0].strip()
        try:
            varies.append(parse_vary(text, _strength(key) if key in LEVERS else ""))
        except ScenarioError as error:
            faults.extend(error.faults)
    if not 1 <= len(texts) <= 2:
        faults.append(Fault("--vary", "", "", f"is given {len(texts)} times; one key or two can be varied"))
    elif not faults and len({vary.key for vary in varies}) < len(varies):
        faults.append(Fault("--vary", _in_short(varies[0].key), "", "is varied twice"))
    if faults:
        raise ScenarioError(faults)
    return varies


def _strength(lever: str) -> str:
    return f"policies.{lever}.strength"


def _in_short(key: str) -> str:
    """Return the name of the lever whose strength a key is, as it may be given; other keys as they are."""
    return next((lever for lever in LEVERS if key == _strength(lever)), key)


def swept(path: str | Path, varies: Sequence[Vary], overrides: Mapping[str, object] | None = None, origin: str = OVERRIDE) -> Plan:
    """Return the plan of a sweep: the scenario as it is, and one for every combination of levels.

    Raises `ScenarioError` when a key or a level is not allowed.
    """
    if (asked := math.prod(vary.levels for vary in varies)) > MOST_SCENARIOS:
        raise ScenarioError([Fault("--vary", "", "", f"asks for {asked} scenarios; at most {MOST_SCENARIOS} are allowed")])
    base = load_scenario(path, overrides, origin)
    faults: list[Fault] = []
    levers = [_lever_of(base, vary.key) for vary in varies]
    if len(levers) == 2 and levers[0] and levers[0] == levers[1]:
        first, second = (_in_short(vary.key) for vary in varies)
        raise ScenarioError([Fault("--vary", levers[0], "", f"is varied twice: {first} and {second} are the same lever")])
    built = vary_scenario(path, varies, overrides, "--vary", faults, origin)
    if faults:
        raise ScenarioError([replace(fault, key=_in_short(fault.key)) if fault.where == "--vary" else fault for fault in faults])
    check_pairs(base, [scenario for _, scenario in built])
    return Plan(
        command="sweep",
        name="_by_".join([base.name, *(vary.label for vary in varies)]),
        title=" by ".join([base.title or base.name, " and ".join(vary.label.replace("_", " ") for vary in varies)]),
        scenarios={scenario.name: scenario for scenario in (base, *(scenario for _, scenario in built))},
        replications=base.run.replications,
        seed=base.run.seed,
        baseline=base.name,
        outcomes=SHOWN,
        headline=HEADLINE,
        axes=tuple(varies),
        levels={
            base.name: tuple(standing(base, vary.key) for vary in varies),
            **{scenario.name: tuple(map(float, levels)) for levels, scenario in built},
        },
    )


def planned(experiment: Experiment, precision: float | None = None) -> Plan:
    """Return the plan of an experiment."""
    base, vary = experiment.baseline, experiment.vary
    levels = {name: (float(level),) for name, level in (experiment.levels or {}).items()}
    return Plan(
        command="compare",
        name=experiment.name,
        title=experiment.title,
        question=experiment.question,
        scenarios={scenario.name: scenario for scenario in (base, *experiment.scenarios)},
        replications=experiment.replications,
        seed=experiment.seed,
        baseline=base.name,
        outcomes=experiment.outcomes,
        headline=experiment.headline,
        axes=() if vary is None else (vary,),
        levels={} if vary is None else {base.name: (standing(base, vary.key),), **levels},
        precision=precision,
    )


def check_pairs(baseline: Scenario, scenarios: Sequence[Scenario]) -> None:
    """Raise `ScenarioError` when scenarios share a name or differ from the baseline in days or users, so that runs make no pairs."""
    if faults := unpaired(baseline, scenarios, ""):
        raise ScenarioError(faults)


def _lever_of(scenario: Scenario, key: str) -> str:
    """Return the lever whose strength a key is; nothing for other keys."""
    table, name, *field = key.split(".")
    if table == "policies" and field == ["strength"]:
        return scenario.policies[name].lever if name in scenario.policies else name
    return name if table == "levers" else ""


def standing(scenario: Scenario, key: str) -> float:
    """Return the level of a key in a scenario that does not vary it; NaN where it has none."""
    parts = key.split(".")
    if parts[0] == "policies" and parts[1] not in scenario.policies:
        return scenario.levers.get(parts[1], 0.0)
    if parts[0] == "parameters" and len(parts) == 3 and parts[2] not in scenario.parameters.get(parts[1], {}):
        return LEDGER[parts[1]][parts[2]].value
    value: Any = scenario.model_dump()
    for part in parts:
        value = value.get(part) if isinstance(value, dict) else None
    return float(value) if isinstance(value, int | float) else math.nan
