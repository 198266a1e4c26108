"""The file of an experiment with a design: question, scenario, policies, design, factors and outcomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import Field

from sim.experiment_file import DESIGN, SEARCH, SHOWN, OutcomeName, read_scenario, unpaired, without_names
from sim.exploring.design import GIVEN, PLAUSIBLE, TABLE, Design, read_design, too_many
from sim.exploring.factors import Factor, read_factor
from sim.exploring.given import Values, read_given, read_plausible
from sim.exploring.rule import FAILS, Rule, read_rule
from sim.faults import MISSING, OVERRIDE, Fault, ScenarioError, nearest, show, show_path
from sim.plan import standing
from sim.scenario import Scenario, name_of, read_source, resolve_source
from sim.scenario_file import Source, apply_overrides, is_experiment, read_toml
from sim.scenario_tables import Table, checked

FACTORS = "factors"


class FileTable(Table):
    """A file as it stands, but for its design and its factors."""

    name: str = Field(default="experiment", pattern=r"^[a-z0-9_]{1,64}$", description="the experiment's name; the file's name if not given")
    title: str = Field(default="", max_length=200, description="the name as figures show it")
    question: str = Field(default="", max_length=5000, description="what the experiment asks")
    baseline: str = Field(min_length=1, description="the scenario file whose keys are factors, relative to this file")
    scenarios: list[str] = Field(default=[], description="files of policies that are run at each point too")
    outcomes: list[OutcomeName] = Field(default=list(SHOWN), min_length=1, description="outcomes to show")
    replications: int | None = Field(default=None, ge=1, le=100_000, description="replications a point; those of the baseline if not given")
    seed: int | None = Field(default=None, ge=0, le=2**53, description="first seed; that of the baseline if not given")
    daily: bool = Field(default=False, description="true keeps the days of all runs, and has a table of them")


@dataclass(frozen=True)
class Exploration:
    """A checked experiment with a design.

    `scenarios` are as they are without the design, the baseline first; all have the experiment's seed and replications. `given` are the
    points of a table or of the set of parameter vectors; other designs lay theirs out. `rule` says when the policy fails, if it is asked.
    """

    name: str
    title: str
    question: str
    scenarios: tuple[Scenario, ...]
    design: Design
    factors: tuple[Factor, ...]
    outcomes: tuple[str, ...]
    daily: bool
    where: str
    files: tuple[Path, ...]
    given: tuple[Values, ...] = ()
    rule: Rule | None = None
    overrides: Mapping[str, object] = field(default_factory=dict)
    origin: str = OVERRIDE

    @property
    def baseline(self) -> Scenario:
        """Return the scenario whose keys are factors."""
        return self.scenarios[0]

    @property
    def count(self) -> int:
        """Return the number of points, the scenario's own values not among them."""
        return len(self.given) or self.design.count(self.factors)

    @property
    def rows(self) -> list[tuple[str, str, str, str]]:
        """Return each factor with its range and unit, as text."""
        return [(f.key, f"{f.low:g}", f"{f.high:g}{' (log)' if f.log else ''}", f.unit) for f in self.factors]

    @property
    def in_words(self) -> str:
        """Say how many runs the design asks for."""
        each = self.baseline.run.replications
        at = f" of {len(self.scenarios)} scenarios" if len(self.scenarios) > 1 else ""
        return f"{self.design.kind} with {self.count} points, {each} replication{'s' if each > 1 else ''} each{at}"

    def at(self, values: Values, names: Sequence[str], titles: Sequence[str], faults: list[Fault]) -> list[Scenario]:
        """Return each scenario with values of factors in place of its own, under new names; note faults, each once."""
        built = []
        told = {(fault.key, fault.problem) for fault in faults}
        for path, name, title in zip(self.files, names, titles, strict=True):
            source = read_source(path, self.overrides, self.origin)
            try:
                apply_overrides(source, {**values, "name": name, "title": title}, f"{self.where}: {FACTORS}")
                built.append(resolve_source(source))
            except ScenarioError as error:
                faults.extend(fault for fault in error.faults if (fault.key, fault.problem) not in told)
                told |= {(fault.key, fault.problem) for fault in error.faults}
        return built


def has_design(table: Mapping[str, object]) -> bool:
    """Say whether a table read from a file is an experiment's with a design."""
    return DESIGN in table


def load_exploration(path: str | Path, overrides: Mapping[str, object] | None = None, origin: str = OVERRIDE) -> Exploration:
    """Read the file of an experiment with a design; overrides, which messages call `origin`, go to every scenario in it.

    Scenarios are tried at the ends of the factors' ranges. Raises `ScenarioError` with the faults of the file and of its scenarios.
    """
    path = Path(path)
    where = show_path(path)
    source = Source(where)
    source.merge(read_toml(path), where)
    if not has_design(source.data):
        raise ScenarioError([Fault(where, DESIGN, "", _no_design(source.data, where))])
    source.data.setdefault("name", name_of(path))
    faults: list[Fault] = []
    table = {name: value for name, value in source.data.items() if name not in (DESIGN, FACTORS, FAILS)}
    head = checked(FileTable, source, (), faults, table, extra=(DESIGN, FACTORS, FAILS))
    kind = source.data[DESIGN].get("kind") if isinstance(source.data[DESIGN], dict) else None
    factors = _factors(source, kind, faults)
    design = read_design(source, (DESIGN,), factors, faults)
    rule = read_rule(source, faults)
    if head is None:
        raise ScenarioError(faults)
    given: tuple[Values, ...] = ()
    if design is not None and design.kind == TABLE:
        factors, given = read_given(path.parent / design.file, where, f"{DESIGN}.file", faults)
    elif design is not None and design.kind == PLAUSIBLE:
        factors, given = read_plausible()
    asked = without_names(overrides, faults, origin)
    for key, value in (("run.seed", head.seed), ("run.replications", head.replications)):
        if value is not None:
            asked.setdefault(key, value)
    files = [path.parent / head.baseline, *(path.parent / file for file in head.scenarios)]
    keys = ["baseline", *("scenarios" for _ in head.scenarios)]
    found = [read_scenario(file, asked, origin, faults, where, key) for file, key in zip(files, keys, strict=True)]
    scenarios = tuple(scenario for scenario in found if scenario is not None)
    if len(scenarios) == len(files):
        faults.extend(unpaired(scenarios[0], scenarios[1:], where))
        faults.extend(_undone(scenarios, factors, where))
    if design is not None and (problem := too_many(design, factors, len(files))):
        faults.append(source.fault((DESIGN, "kind"), design.kind, problem))
    if design is None or len(scenarios) < len(files) or (faults and not factors):
        raise ScenarioError(faults)
    made = Exploration(
        name=head.name,
        title=head.title or head.name.replace("_", " "),
        question=head.question,
        scenarios=scenarios,
        design=design,
        factors=factors,
        outcomes=tuple(dict.fromkeys((*head.outcomes, *(rule.outcomes if rule else ())))),
        daily=head.daily,
        where=where,
        files=tuple(files),
        given=given,
        rule=rule,
        overrides=asked,
        origin=origin,
    )
    names = [scenario.name for scenario in scenarios]
    for values in given or _ends(factors):
        made.at(values, names, names, faults)
    if faults:
        raise ScenarioError(faults)
    return made


def _factors(source: Source, kind: object, faults: list[Fault]) -> tuple[Factor, ...]:
    """Read the factors; a design of given points brings its own."""
    rows = source.data.get(FACTORS, MISSING)
    if kind in GIVEN:
        if rows is not MISSING:
            faults.append(Fault(source.where, FACTORS, "", f"do not go with the design {kind}, whose columns are the factors"))
        return ()
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        problem = 'must be a list of tables, such as [[factors]] with a line: key = "account_audit"'
        faults.append(source.fault((FACTORS,), rows, problem if rows is not MISSING else f"is missing; it {problem}"))
        return ()
    found: list[Factor] = []
    for number, row in enumerate(rows, start=1):
        factor = read_factor(Source(f"{source.where} [[{FACTORS}]] {number}"), (), row, faults)
        if factor is not None and factor.key in {other.key for other in found}:
            faults.append(Fault(source.where, f"{FACTORS}: key", show(row["key"]), "is a factor twice"))
        elif factor is not None:
            found.append(factor)
    return tuple(found)


def _undone(scenarios: Sequence[Scenario], factors: Sequence[Factor], where: str) -> list[Fault]:
    """Find factors that a policy sets otherwise than the baseline: a factor's values would take the place of the policy's."""
    faults = []
    for factor in factors:
        setting = [one.name for one in scenarios[1:] if repr(standing(one, factor.key)) != repr(standing(scenarios[0], factor.key))]
        if setting:
            problem = f"is set by {', '.join(setting)}, whose value it would replace; leave out the factor or the scenario"
            faults.append(Fault(where, f"{FACTORS}: {factor.key}", "", problem))
    return faults


def _ends(factors: Sequence[Factor]) -> list[Values]:
    """Return the points at which a scenario is tried: all factors low, all high, and each at its ends alone."""
    low, high = ({factor.key: factor.value(part) for factor in factors} for part in (0.0, 1.0))
    alone: list[Values] = [{factor.key: factor.value(part)} for factor in factors for part in (0.0, 1.0)]
    return [*alone, low, high]


def _no_design(table: Mapping[str, object], where: str) -> str:
    if SEARCH in table:
        return f"is missing: the file is an optimisation's; use: abm optimise {where}"
    if is_experiment(table):
        return f"is missing: the file compares scenarios; use: abm compare {where}"
    return "is missing; `abm experiment` takes a file with a baseline, a [design] and [[factors]]" + nearest_design(table)


def nearest_design(table: Mapping[str, object]) -> str:
    """Suggest the key that may have been meant as the design."""
    close = [name for name in table if nearest(name, [DESIGN])]
    return f"; is [{close[0]}] meant?" if close else ""
