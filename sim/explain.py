"""Explain scenarios: where each value comes from, how two differ, the schema for editors, a starter file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import Field, create_model

from sim.faults import OVERRIDE, Fault, ScenarioError, show, show_key
from sim.levers import LEVERS
from sim.parameters import LEDGER
from sim.scenario import Policy, Scenario, read_source, resolve_source
from sim.scenario_tables import DEFAULT_SHARES, Dealers, Head, LeverTable, ParameterTables, People, Run, Segment, Table


class Row(NamedTuple):
    """One value of a resolved scenario: its key, the value as TOML, the file, override or default it comes from."""

    key: str
    value: str
    origin: str


def explain(path: str | Path, overrides: Mapping[str, object] | None = None, origin: str = OVERRIDE) -> list[Row]:
    """List every value of a resolved scenario with its origin; of the ledger, what is overridden.

    Raises `ScenarioError` if the scenario is not valid.
    """
    source = read_source(path, overrides, origin)
    scenario = resolve_source(source)
    rows = []
    for key, value in _leaves(scenario.model_dump(exclude_none=True)):
        place = source.origin(key)
        if place is None:
            filled = key[0] == "policies" and key[-1] in ("start_day", "days")
            place = "default (run.burn_in_days)" if filled and "start_day" not in source.data["policies"][key[1]] else "default"
        rows.append(Row(show_key(key), show(value), place))
    return rows


def _leaves(table: Mapping[str, Any], at: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Walk the values of nested tables, each with its key path."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _leaves(value, (*at, name))
        else:
            yield (*at, name), value


def differences(a: Scenario, b: Scenario) -> list[str]:
    """Say in sentences what differs between two scenarios; an empty list if nothing does that moves a run."""
    one = dict(_leaves(a.model_dump(include={"run", "population", "levers", "dealers"})))
    two = dict(_leaves(b.model_dump(include={"run", "population", "levers", "dealers"})))
    lines = [f"{show_key(key)} is {show(one[key])} in {a.name} and {show(two[key])} in {b.name}." for key in one if one[key] != two[key]]
    for group, rows in LEDGER.items():
        for name, entry in rows.items():
            first, second = (s.parameters.get(group, {}).get(name, entry.value) for s in (a, b))
            if first != second:
                lines.append(f"parameters.{group}.{name} is {show(first)} in {a.name} and {show(second)} in {b.name} ({entry.unit}).")
    for id_ in dict.fromkeys([*a.policies, *b.policies]):
        here, there = a.policies.get(id_), b.policies.get(id_)
        if here == there:
            continue
        if here is not None and there is not None:
            lines.append(f"Policy {id_}: {describe(here, a)} in {a.name}; {describe(there, b)} in {b.name}.")
        else:
            owner = a if here is not None else b
            lines.append(f"Policy {id_} is in {owner.name} only: {describe(owner.policies[id_], owner)}.")
    if a.targets != b.targets:
        lines.append(f"Targets are {show(a.targets)} in {a.name} and {show(b.targets)} in {b.name}.")
    return lines


def describe(policy: Policy, scenario: Scenario) -> str:
    """Say in words what a policy of a scenario does and when."""
    if policy.days is not None:
        return f"{policy.lever} at {policy.strength:g} on day{'s' if len(policy.days) > 1 else ''} {', '.join(map(str, policy.days))}"
    text = f"{policy.lever} goes from {scenario.levers[policy.lever]:g} to {policy.strength:g} "
    if policy.ramp_days:
        text += f"between days {policy.first_day} and {policy.first_day + policy.ramp_days}"
    else:
        text += f"on day {policy.first_day}"
    text += f" until day {policy.end_day}" if policy.end_day is not None else ""
    return text + (f", for {' and '.join(policy.segments)} only" if policy.segments else "")


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a scenario file."""
    shares: dict[str, Any] = {name: (Segment, Segment(share=share)) for name, share in DEFAULT_SHARES.items()}
    segments: Any = create_model("Segments", __base__=Table, **shares)
    population: Any = create_model("PopulationTable", __base__=People, segments=(segments, Field(None, description="shares sum to 1")))
    groups: dict[str, Any] = {name: (table, Field(None)) for name, table in ParameterTables.items()}
    parameters: Any = create_model("Parameters", __base__=Table, **groups)
    tables: dict[str, tuple[Any, str]] = {
        "run": (Run, "how long, from when, with which luck and how often"),
        "population": (population, "the users"),
        "levers": (LeverTable, "the standing regime, in force from day 0: one number a lever"),
        "policies": (dict[str, Policy], "changes of levers: any id, then which lever"),
        "dealers": (Dealers, "how dealers behave"),
        "parameters": (parameters, "overrides of the ledger, by group and name"),
    }
    fields: dict[str, Any] = {name: (kind, Field(None, description=meaning)) for name, (kind, meaning) in tables.items()}
    fields["extends"] = (str, Field("", description="a scenario file that this one builds on, relative to this file"))
    whole: type[Head] = create_model("ScenarioFile", __base__=Head, **fields)
    schema = whole.model_json_schema()
    schema["$defs"]["Policy"]["required"].remove("lever")  # an id that is a lever's name stands for it
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "abm scenario"}


def starter(name: str) -> str:
    """Return the text of a commented scenario file to start from.

    Raises `ScenarioError` for a name that a scenario cannot have.
    """
    try:
        Head(name=name)
    except ValueError:
        raise ScenarioError([Fault("", "NAME", show(name), "must be 1 to 64 of the characters a-z, 0-9 and _")]) from None
    shares = "\n".join(f"[population.segments.{segment}]\nshare = {share}" for segment, share in DEFAULT_SHARES.items())
    levers = "\n".join(f"{f'{row.name} = {row.standing}':<32}# {row.meaning}" for row in LEVERS.values() if not row.only_policy)
    return _STARTER.format(name=name, title=name.replace("_", " ").capitalize(), shares=shares, levers=levers)


_STARTER = """\
# What does this scenario ask? Write it here in a sentence or two.
# extends = "baseline.toml"      # build on another file (relative to this one): then keep only what differs
name = "{name}"
title = "{title}"
targets = ["registered"]         # channels that it aims at: registered, unsealed, rented, bought, stolen

[run]
days = 540                       # days simulated; day 0 is the first
burn_in_days = 180               # policies start here unless they say otherwise
settle_days = 60                 # outcomes are averaged over [burn_in_days + settle_days, days)
seed = 1                         # replication k has seed + k
replications = 20

[population]
users = 12_000_000
{shares}

[levers]                         # the standing regime, in force from day 0; 0 is the least, 1 the most
{levers}

[policies.audit]                 # a change: any id, then which lever
lever = "registration_audit"
strength = 0.9
# start_day = 180                # burn_in_days if left out
# ramp_days = 30                 # days of linear ramp from the standing strength; at once if left out
# end_day = 360                  # first day on which the standing strength is back; never if left out
# segments = ["student"]         # for ad_takedown, awareness_campaign, legal_certainty, legal_severity, owner_amnesty
# days = [180, 270]              # for purge, which acts on these days only

[dealers]
adaptive = true                  # false: plans and evasion are frozen at burn_in_days
learning = "logit"               # or "exp3", "replicator": how dealers learn where to put their effort

# [parameters.renting]           # override the ledger, by group and name; `abm parameters` lists it
# quit_per_day = 0.05
"""
