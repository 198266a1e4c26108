"""The scenario: what a run is made of, read from a file, filled with defaults and checked as a whole."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sim.faults import MISSING, OVERRIDE, Fault, Key, ScenarioError, show_path, unknown
from sim.levers import LEVERS, SEGMENTS
from sim.parameters import LEDGER
from sim.scenario_file import Source, apply_overrides, parse_setting, parse_settings, read_chain, read_toml
from sim.scenario_policies import read_policies
from sim.scenario_tables import (
    DEFAULT_SHARES,
    Dealers,
    Head,
    LeverTable,
    ParameterTables,
    People,
    Policy,
    Population,
    Run,
    Segment,
    Table,
    checked,
)

__all__ = [
    "Policy",
    "Scenario",
    "ScenarioError",
    "load_scenario",
    "parse_setting",
    "parse_settings",
    "read_source",
    "resolve_source",
    "scenario_from",
]

_SHARE_TOLERANCE = 1e-6
_SECTIONS = ("run", "population", "levers", "policies", "dealers", "parameters")


class Scenario(Table):
    """A complete, checked scenario, as `load_scenario` returns it: every default is filled in.

    `levers` has the standing strength of every lever but `purge`; each policy but a purge has its `start_day`;
    `parameters` holds overrides of the ledger only.
    """

    name: str
    title: str
    description: str
    run: Run
    population: Population
    levers: dict[str, float]
    policies: dict[str, Policy]
    dealers: Dealers
    parameters: dict[str, dict[str, float]]
    targets: list[str]

    def identity(self) -> str:
        """Return canonical JSON of all that a run depends on but its seed: equal text means equal runs.

        Names, title, targets, seed, replications and the ids of policies are left out; the ledger's values are in.
        """
        whole = self.model_dump(include={"population", "levers", "dealers"})
        whole["run"] = self.run.model_dump(exclude={"seed", "replications"})
        whole["policies"] = sorted((policy.model_dump() for policy in self.policies.values()), key=json.dumps)
        whole["parameters"] = {
            group: {name: self.parameters.get(group, {}).get(name, entry.value) for name, entry in rows.items()}
            for group, rows in LEDGER.items()
        }
        return json.dumps(whole, sort_keys=True, separators=(",", ":"), allow_nan=False)

    def changed(self, overrides: Mapping[str, object]) -> Scenario:
        """Return a copy with dotted overrides, checked like a file; days on which policies start stay as they are."""
        return scenario_from(self.model_dump(exclude_none=True), self.name, overrides=overrides)


def load_scenario(path: str | Path, overrides: Mapping[str, object] | None = None, origin: str = OVERRIDE) -> Scenario:
    """Read a scenario file, what it extends, and overrides such as `{"population.users": 1_000_000}`.

    `origin` is what messages call the overrides. Raises `ScenarioError` with every fault found.
    """
    return resolve_source(read_source(path, overrides, origin))


def scenario_from(
    mapping: Mapping[str, Any],
    where: str,
    base: Path | None = None,
    overrides: Mapping[str, object] | None = None,
    origin: str = OVERRIDE,
) -> Scenario:
    """Build a scenario from a table; `where` names it in messages, `base` is the folder that `extends` starts from."""
    source = read_chain(mapping, where, base or Path(), None)
    apply_overrides(source, overrides, origin)
    return resolve_source(source)


def read_source(
    path: str | Path,
    overrides: Mapping[str, object] | None = None,
    origin: str = OVERRIDE,
    asked_in: str = "",
    asked_as: str = "",
) -> Source:
    """Read a scenario file with its `extends` chain and overrides, not yet checked, with the origin of each value.

    `asked_in` and `asked_as` are the file and key that named it, if one did, for the message when there is no such file.
    """
    path = Path(path)
    source = read_chain(read_toml(path, asked_in, asked_as), show_path(path), path.parent, path)
    source.data.setdefault("name", name_of(path))
    apply_overrides(source, overrides, origin)
    return source


def name_of(path: Path) -> str:
    """Make a name of a file's name."""
    return re.sub(r"[^a-z0-9_]+", "_", path.stem.lower()).strip("_")[:64] or "unnamed"


def resolve_source(source: Source) -> Scenario:
    """Check a merged source and fill every default; raises `ScenarioError` with every fault found."""
    faults: list[Fault] = []
    head = checked(Head, source, (), faults, {name: value for name, value in source.data.items() if name not in _SECTIONS}, extra=_SECTIONS)
    run = checked(Run, source, ("run",), faults, source.table(("run",), faults))
    if run is not None:
        _check_window(run, source, faults)
    population = _population(source, faults)
    levers = _standing(source, faults)
    policies = read_policies(run, source, faults)
    dealers = checked(Dealers, source, ("dealers",), faults, source.table(("dealers",), faults))
    parameters = _parameters(source, faults)
    if faults or head is None or run is None or population is None or levers is None or dealers is None:
        raise ScenarioError(faults)
    return Scenario(
        name=head.name,
        title=head.title or head.name.replace("_", " "),
        description=head.description,
        run=run,
        population=population,
        levers=levers.model_dump(),
        policies=policies,
        dealers=dealers,
        parameters=parameters,
        targets=list(dict.fromkeys(head.targets)),
    )


def _check_window(run: Run, source: Source, faults: list[Fault]) -> None:
    """Note a run that has no day left over which to average, at the key that was set last."""
    days, burn_in, settle = ("run", "days"), ("run", "burn_in_days"), ("run", "settle_days")
    if run.burn_in_days >= run.days:
        last = source.latest(burn_in, days)
        allowed: dict[Key, str] = {days: f"above run.burn_in_days = {run.burn_in_days}", burn_in: f"below run.days = {run.days}"}
        faults.append(source.fault(last, getattr(run, last[1]), f"must be {allowed[last]}"))
    elif run.burn_in_days + run.settle_days >= run.days:
        last = source.latest(settle, burn_in, days)
        burnt, settled = run.days - run.burn_in_days, run.days - run.settle_days
        allowed = {
            days: f"above run.burn_in_days + settle_days = {run.burn_in_days} + {run.settle_days} = {run.burn_in_days + run.settle_days}",
            burn_in: f"below run.days - settle_days = {run.days} - {run.settle_days} = {settled}",
            settle: f"below run.days - burn_in_days = {run.days} - {run.burn_in_days} = {burnt}",
        }
        faults.append(source.fault(last, getattr(run, last[1]), f"must be {allowed[last]}, or no day is left to average over"))


def _standing(source: Source, faults: list[Fault]) -> Table | None:
    """Read the standing strength of each lever; a pulse has none."""
    table = source.table(("levers",), faults) or {}
    for name in [name for name in table if name in LEVERS and LEVERS[name].only_policy]:
        problem = f'{name} has no standing strength; allowed is a policy: [policies.{name}] with lever = "{name}", strength and days'
        faults.append(source.fault(("levers", name), table[name], problem))
    given = {name: value for name, value in table.items() if name not in LEVERS or not LEVERS[name].only_policy}
    return checked(LeverTable, source, ("levers",), faults, given, noun="lever")


def _population(source: Source, faults: list[Fault]) -> Population | None:
    """Read users and segments, whose shares must sum to 1."""
    table = source.table(("population",), faults) or {}
    people = checked(People, source, ("population",), faults, {k: v for k, v in table.items() if k != "segments"}, extra=("segments",))
    before = len(faults)
    given = (source.table(("population", "segments"), faults) or {}) if "segments" in table else {}
    shares = dict(DEFAULT_SHARES)
    for name in given:
        key = ("population", "segments", name)
        if name not in SEGMENTS:
            faults.append(source.fault(key, given[name], unknown("segment", name, SEGMENTS)))
        elif (segment := checked(Segment, source, key, faults, source.table(key, faults))) is not None:
            shares[name] = segment.share
    if len(faults) == before and abs(sum(shares.values()) - 1.0) > _SHARE_TOLERANCE:
        sums = " + ".join(f"{name} {share:g}" for name, share in shares.items())
        problem = f"shares must sum to 1; they sum to {sum(shares.values()):.6g} ({sums})"
        faults.append(source.fault(("population", "segments"), MISSING, problem))
    if people is None or len(faults) > before:
        return None
    return Population(users=people.users, segments={name: Segment(share=share) for name, share in shares.items()})


def _parameters(source: Source, faults: list[Fault]) -> dict[str, dict[str, float]]:
    """Read overrides of the ledger."""
    overrides: dict[str, dict[str, float]] = {}
    for group, value in (source.table(("parameters",), faults) or {}).items():
        key = ("parameters", group)
        if group not in LEDGER:
            faults.append(source.fault(key, value, unknown("group of parameters", group, LEDGER)))
            continue
        found = checked(ParameterTables[group], source, key, faults, source.table(key, faults), noun="parameter")
        if found is not None and found.model_fields_set:
            overrides[group] = found.model_dump(exclude_unset=True)
    return overrides
