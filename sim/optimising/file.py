"""The file of an optimisation: question, baseline, levers with their ranges, objectives, guardrails, rivals and the search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, Field

from sim.experiment_file import SEARCH, Number, read_scenario, unpaired, without_names
from sim.faults import MISSING, OVERRIDE, Fault, ScenarioError, show, show_path
from sim.jobs import too_late
from sim.matching.plausible import Member, beside_ledger
from sim.outcomes import OUTCOMES
from sim.plan import STRIDE, standing
from sim.scenario import Scenario, name_of, read_source, resolve_source
from sim.scenario_file import Source, apply_overrides, read_toml
from sim.scenario_tables import LeverName, Strength, Table, checked, known

COST = "enforcement_cost_yuan"
"""The objective without which no lever would cost anything: it is always among the objectives."""

_LEVERS, _GUARDRAILS = "levers", "guardrails"
_LOWER = tuple(name for name, row in OUTCOMES.items() if row.better == "lower")
_Lower = Annotated[str, AfterValidator(known(_LOWER)), Field(json_schema_extra={"enum": list(_LOWER), "listed_by": "abm outcomes"})]
_Any = Annotated[str, AfterValidator(known(OUTCOMES)), Field(json_schema_extra={"enum": list(OUTCOMES), "listed_by": "abm outcomes"})]
Row = TypeVar("Row", bound=Table)


class FileTable(Table):
    """A file as it stands, but for its search, levers and guardrails."""

    name: str = Field(default="optimisation", pattern=r"^[a-z0-9_]{1,64}$", description="the name; the file's name if not given")
    title: str = Field(default="", max_length=200, description="the name as figures show it")
    question: str = Field(default="", max_length=5000, description="what is asked")
    baseline: str = Field(min_length=1, description="the scenario file to which levers are added, relative to this file")
    rivals: list[str] = Field(default=[], description="scenario files that the mixes have to beat")
    objectives: list[_Lower] = Field(min_length=2, description=f"outcomes to make small; the first is the harm, and {COST} is among them")
    users: int | None = Field(default=None, ge=1_000, le=2_000_000_000, description="users in every scenario; theirs if not given")
    seed: int | None = Field(default=None, ge=0, le=2**53, description="first seed of the runs; that of the baseline if not given")


class SearchTable(Table):
    """How long and in which worlds is searched."""

    trials: int = Field(default=120, ge=2, le=10_000, description="mixes tried")
    batch: int = Field(default=12, ge=1, le=1_000, description="mixes proposed at once, whatever the number of processes")
    worlds: int = Field(default=3, ge=0, le=1_000, description="members of the set of parameter vectors; 0: the ledger's own values")
    seeds: int = Field(default=2, ge=2, le=1_000, description="runs of a mix in each world, with the luck that all mixes share")
    fresh_seeds: int = Field(default=8, ge=2, le=1_000, description="runs of winners and rivals in each world, with luck of their own")
    seed: int = Field(default=1, ge=1, le=2**31, description="seed of the mixes that are proposed")


class LeverRow(Table):
    """A lever of the mix."""

    lever: LeverName = Field(description="a lever's name")
    low: Strength = Field(default=0.0, description="least strength")
    high: Strength = Field(default=1.0, description="greatest strength")


class GuardrailRow(Table):
    """What a mix must keep, on average over worlds and seeds."""

    outcome: _Any = Field(description="the outcome that has a limit")
    at_most: Number | None = Field(default=None, description="the limit, in the outcome's unit")
    at_most_times: Number | None = Field(default=None, description="the limit, in times the baseline's mean")


@dataclass(frozen=True)
class Guardrail:
    """A limit of an outcome: `at_most` in its unit, or `times` the baseline's mean."""

    outcome: str
    at_most: float | None
    times: float | None

    def limit(self, baseline: float) -> float:
        """Return the limit where the baseline has a mean."""
        return self.at_most if self.at_most is not None else (self.times or 0.0) * baseline

    @property
    def words(self) -> str:
        """Say the limit."""
        return f"at most {self.at_most:g}" if self.at_most is not None else f"at most {self.times:g} times the baseline's"


@dataclass(frozen=True)
class Optimisation:
    """A checked optimisation.

    `levers` have a range `(low, high)` each; `objectives` begin with the harm; `worlds` are values that replace the ledger's, by number of
    the member, and empty ones under number 0 where the ledger's own are taken.
    """

    name: str
    title: str
    question: str
    baseline: Scenario
    rivals: tuple[Scenario, ...]
    levers: Mapping[str, tuple[float, float]]
    objectives: tuple[str, ...]
    guardrails: tuple[Guardrail, ...]
    search: SearchTable
    worlds: Mapping[int, Member]
    where: str
    path: Path
    overrides: Mapping[str, object] = field(default_factory=dict)
    origin: str = OVERRIDE

    @property
    def harm(self) -> str:
        """Return the objective that cost is held against."""
        return self.objectives[0]

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Return all outcomes that are looked at: the objectives, then those of guardrails alone."""
        return tuple(dict.fromkeys([*self.objectives, *(rail.outcome for rail in self.guardrails)]))

    @property
    def starts(self) -> list[tuple[str, Mapping[str, float]]]:
        """Return the mixes that are tried first, each once: what the baseline and each rival has of the levers, kept in range."""
        found: dict[tuple[float, ...], tuple[str, Mapping[str, float]]] = {}
        for scenario in (self.baseline, *self.rivals):
            strengths = {policy.lever: policy.strength for policy in scenario.policies.values()}
            mix = {
                lever: min(max(strengths.get(lever, standing(self.baseline, key_of(lever))), low), high)
                for lever, (low, high) in self.levers.items()
            }
            found.setdefault(tuple(mix.values()), (scenario.name, mix))
        return list(found.values())

    def seed_of(self, world: int, k: int) -> int:
        """Return the seed of run `k` of each mix in a world: worlds share none, so that chance is not taken for agreement."""
        return self.baseline.run.seed + (STRIDE * (world + 1) if self.worlds[world] else 0) + k

    @property
    def in_words(self) -> str:
        """Say how much is searched."""
        asked, worlds = self.search, len(self.worlds)
        return f"{asked.trials} mixes of {len(self.levers)} levers, {asked.seeds} runs each in {worlds} world{'s' if worlds > 1 else ''}"

    def mixed(self, mix: Mapping[str, float], name: str, title: str) -> Scenario:
        """Return the baseline with a policy on each lever of a mix; raises `ScenarioError` where that is not allowed."""
        source = read_source(self.path, self.overrides, self.origin)
        strengths = {key_of(lever): strength for lever, strength in mix.items()}
        apply_overrides(source, {**strengths, "name": name, "title": title}, f"{self.where}: {_LEVERS}")
        return resolve_source(source)


def key_of(lever: str) -> str:
    """Return the dotted path of a lever's strength, from the end of burn-in if the baseline says nothing else."""
    return f"policies.{lever}.strength"


def has_search(table: Mapping[str, object]) -> bool:
    """Say whether a table read from a file is an optimisation's."""
    return SEARCH in table


def load_optimisation(
    path: str | Path, overrides: Mapping[str, object] | None = None, trials: int | None = None, origin: str = OVERRIDE
) -> Optimisation:
    """Read the file of an optimisation; overrides, which messages call `origin`, go to every scenario in it; `trials` replaces the file's.

    Raises `ScenarioError` with the faults of the file and of its scenarios.
    """
    path = Path(path)
    where = show_path(path)
    source = Source(where)
    source.merge(read_toml(path), where)
    if not has_search(source.data):
        raise ScenarioError(
            [Fault(where, SEARCH, "", "is missing; `abm optimise` takes a file with objectives, [[levers]] and a [search]")]
        )
    source.data.setdefault("name", name_of(path))
    faults: list[Fault] = []
    apart = (SEARCH, _LEVERS, _GUARDRAILS)
    head = checked(FileTable, source, (), faults, {k: v for k, v in source.data.items() if k not in apart}, extra=apart)
    table = source.table((SEARCH,), faults)
    search = checked(SearchTable, source, (SEARCH,), faults, table if table is None or trials is None else {**table, "trials": trials})
    levers = _levers(source, faults)
    guardrails = _guardrails(source, faults)
    worlds = _worlds(search.worlds, source, faults) if search is not None else {}
    if head is None or search is None:
        raise ScenarioError(faults)
    if COST not in head.objectives or head.objectives[0] == COST:
        problem = f"must begin with the harm and name {COST}: without its cost every lever would be free"
        faults.append(source.fault(("objectives",), head.objectives, problem))
    asked = without_names(overrides, faults, origin)
    for key, value in (("run.seed", head.seed), ("population.users", head.users)):
        if value is not None:
            asked.setdefault(key, value)
    files = [("baseline", head.baseline), *(("rivals", file) for file in head.rivals)]
    found = [read_scenario(path.parent / file, asked, origin, faults, where, key) for key, file in files]
    scenarios = [scenario for scenario in found if scenario is not None]
    if len(scenarios) < len(files):
        raise ScenarioError(faults)
    faults.extend(unpaired(scenarios[0], scenarios[1:], where))
    made = Optimisation(
        name=head.name,
        title=head.title or head.name.replace("_", " "),
        question=head.question,
        baseline=scenarios[0],
        rivals=tuple(scenarios[1:]),
        levers=levers,
        objectives=tuple(dict.fromkeys(head.objectives)),
        guardrails=guardrails,
        search=search,
        worlds=worlds,
        where=where,
        path=path.parent / head.baseline,
        overrides=asked,
        origin=origin,
    )
    faults.extend(_untried(made))
    seed, last = made.baseline.run.seed, max((made.seed_of(world, search.seeds + search.fresh_seeds - 1) for world in worlds), default=0)
    if problem := too_late(seed, last):
        faults.append(Fault("", "seed", show(seed), problem))
    if faults:
        raise ScenarioError(faults)
    return made


def _rows(name: str, model: type[Row], source: Source, faults: list[Fault], needed: bool, example: str) -> list[tuple[Source, Row]]:
    """Read a list of tables, each with a source of its own for faults."""
    rows: Any = source.data.get(name, MISSING)
    if rows is MISSING and not needed:
        return []
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        problem = f"must be a list of tables, such as [[{name}]] with a line: {example}"
        faults.append(source.fault((name,), rows, problem if rows is not MISSING else f"is missing; it {problem}"))
        return []
    places = [Source(f"{source.where} [[{name}]] {number}") for number in range(1, len(rows) + 1)]
    read = [(place, checked(model, place, (), faults, row)) for place, row in zip(places, rows, strict=True)]
    return [(place, row) for place, row in read if row is not None]


def _levers(source: Source, faults: list[Fault]) -> dict[str, tuple[float, float]]:
    levers: dict[str, tuple[float, float]] = {}
    for place, row in _rows(_LEVERS, LeverRow, source, faults, needed=True, example='lever = "ad_takedown"'):
        if row.lever in levers:
            faults.append(place.fault(("lever",), row.lever, "is mixed twice"))
        elif row.low >= row.high:
            faults.append(place.fault(("low",), row.low, f"must be below the greatest strength, {row.high:g} ({row.lever})"))
        else:
            levers[row.lever] = (row.low, row.high)
    return levers


def _guardrails(source: Source, faults: list[Fault]) -> tuple[Guardrail, ...]:
    found: list[Guardrail] = []
    for place, row in _rows(_GUARDRAILS, GuardrailRow, source, faults, needed=False, example='outcome = "innocents_sanctioned"'):
        if (row.at_most is None) == (row.at_most_times is None):
            faults.append(place.fault(("outcome",), row.outcome, "needs one of at_most and at_most_times"))
        elif row.outcome in {rail.outcome for rail in found}:
            faults.append(place.fault(("outcome",), row.outcome, "has a limit twice"))
        else:
            found.append(Guardrail(row.outcome, row.at_most, row.at_most_times))
    return tuple(found)


def _worlds(count: int, source: Source, faults: list[Fault]) -> Mapping[int, Member]:
    members = beside_ledger()
    if count > len(members):
        problem = f"must be at most {len(members)}, the members of the set beside the ledger's own vector; 0 for that vector"
        faults.append(source.fault((SEARCH, "worlds"), count, problem))
    return dict(list(members.items())[:count]) if count else {0: {}}


def _untried(made: Optimisation) -> Sequence[Fault]:
    """Return the faults of mixes at the ends of the ranges."""
    faults: dict[tuple[str, str], Fault] = {}
    for end in (0, 1):
        try:
            made.mixed({lever: ends[end] for lever, ends in made.levers.items()}, made.baseline.name, made.baseline.title)
        except ScenarioError as error:
            for fault in error.faults:
                faults.setdefault((fault.key, fault.problem), fault)
    return list(faults.values())


def settings(asked: Optimisation) -> dict[str, Any]:
    """Return all that the search depends on but for the number of its trials, and that of fresh runs, as the manifest keeps it."""
    return {
        "levers": {lever: list(ends) for lever, ends in asked.levers.items()},
        "objectives": list(asked.objectives),
        "guardrails": [f"{rail.outcome}: {rail.words}" for rail in asked.guardrails],
        "worlds": {str(number): {group: dict(values) for group, values in world.items()} for number, world in asked.worlds.items()},
        **{name: getattr(asked.search, name) for name in ("batch", "seeds", "seed")},
        "first_seed": asked.baseline.run.seed,
        "rivals": {rival.name: rival.identity() for rival in asked.rivals},
        "scenario": asked.baseline.identity(),
    }
