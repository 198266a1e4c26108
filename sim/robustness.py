"""Robust conclusions: the same policies in many members of the set of non-implausible parameter vectors."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from sim import analysis
from sim.comparison import Robust
from sim.conduct import Tell, carry_out
from sim.faults import Fault, ScenarioError, show
from sim.matching.plausible import beside_ledger
from sim.plan import Plan
from sim.scenario import Scenario
from sim.workers import Workers

OPTION = "--over-uncertainty"

REPLICATIONS = 2
"""Runs of a scenario in a member where none are asked for: the fewest from which chance can be told from parameters."""

_LONGEST_NAME = 64

Values = Mapping[str, Mapping[str, float]]
"""Values that a member puts in the place of the ledger's, by group and name."""


def shipped(count: int, text: str | None = None) -> dict[int, Values]:
    """Return the first `count` members of the shipped set, or of one given as text, by their numbers, beside the ledger's own vector.

    The ledger's vector is the world that others are held against, so it is no witness of its own conclusions. The members after it are a
    uniform sample of the region (`sim.matching.members`), and so are any number of them from the front.
    Raises `ScenarioError` when there are fewer, or the set is damaged.
    """
    members = beside_ledger(text)
    if not 2 <= count <= len(members):
        allowed = f"from 2 to {len(members)}, the members of the set beside the ledger's own vector"
        raise ScenarioError([Fault("", OPTION, show(count), f"must be a whole number {allowed}")])
    return dict(list(members.items())[:count])


def plan(asked: Plan, members: Mapping[int, Values], replications: int | None = None) -> Plan:
    """Return the plan of a comparison over parameters: every scenario as it is, and again in every member.

    A member's values replace the ledger's. What a scenario's file or `--set` sets itself stays, in all members: it is part of the question
    asked (`fixed` tells which). Copies of a scenario are called like it with the member's number, such as `supply_squeeze__m07`.
    Raises `ScenarioError` when there are fewer than 2 members or replications, no baseline, a precision is asked for, a member changes
    nothing, or a value or a name is not allowed.
    """
    replications = REPLICATIONS if replications is None else replications
    faults = []
    if asked.baseline is None:
        faults.append(Fault("", OPTION, "", "compares policies with a baseline; these are runs of one scenario"))
    if asked.precision is not None:
        faults.append(
            Fault("", "--precision", f"{asked.precision:g}", f"does not go with {OPTION}: more pairs narrow chance, not parameters")
        )
    if len(members) < 2:
        faults.append(Fault("", OPTION, show(len(members)), "must be at least 2, or there is no spread"))
    if replications < 2:
        problem = f"must be at least 2 with {OPTION}, or chance cannot be told from parameters"
        faults.append(Fault("", "--replications", show(replications), problem))
    if faults:
        raise ScenarioError(faults)
    for number, values in members.items():
        if all(in_member(s, values, "", number).identity() == s.identity() for s in asked.scenarios.values()):
            raise ScenarioError([Fault("", OPTION, "", f"member {number} changes nothing: scenarios set all of its values themselves")])
    width = max(2, len(str(max(members))))
    scenarios, copies = dict(asked.scenarios), {}
    for number, values in members.items():
        for name, scenario in asked.scenarios.items():
            copy = in_member(scenario, values, f"__m{number:0{width}d}", number)
            if copy.name in scenarios:
                raise ScenarioError([Fault("", "name", show(copy.name), f"is also the name of {name} in member {number}; rename one")])
            scenarios[copy.name], copies[copy.name] = copy, (name, number)
    return replace(
        asked,
        command=f"compare {OPTION}",
        name=f"{asked.name[:80]}_over_uncertainty",
        scenarios=scenarios,
        replications=replications,
        axes=(),
        levels={},
        members=copies,
    )


def in_member(scenario: Scenario, values: Values, suffix: str, number: int) -> Scenario:
    """Return a scenario in a member: with the member's values where it sets none itself."""
    overrides: dict[str, object] = {
        f"parameters.{group}.{name}": value
        for group, table in values.items()
        for name, value in table.items()
        if name not in scenario.parameters.get(group, {})
    }
    overrides["name"] = scenario.name[: _LONGEST_NAME - len(suffix)] + suffix
    overrides["title"] = f"{scenario.title[:180]} (member {number})"
    return scenario.changed(overrides)


def fixed(asked: Plan, members: Mapping[int, Values]) -> dict[str, list[str]]:
    """Return the parameters that members would set but scenarios set themselves, with the names of those scenarios."""
    found: dict[str, list[str]] = {}
    for group, table in next(iter(members.values()), {}).items():
        for name in table:
            setters = [scenario.name for scenario in asked.scenarios.values() if name in scenario.parameters.get(group, {})]
            if setters:
                found[f"{group}.{name}"] = setters
    return found


def over_members(
    asked: Plan,
    members: Mapping[int, Values],
    replications: int | None = None,
    workers: Workers = 1,
    out: Path | str | None = None,
    progress: Tell | None = None,
) -> Robust:
    """Run a comparison in every member and tell which of its conclusions hold; arguments and errors as in `plan` and `carry_out`."""
    done = carry_out(plan(asked, members, replications), out, workers, progress)
    assert isinstance(done, Robust)
    return done


def markdown(results: Path, titles: Mapping[str, str] | None = None, outcomes: Sequence[str] | None = None) -> str:
    """Return the conclusions of a results directory as Markdown, from `robustness.csv` and `ranking.csv`; says so if there are none.

    `outcomes` picks those to speak of, all if not given.
    """
    if not (results / "robustness.csv").is_file():
        return f"*Not yet computed: `{results.name}/robustness.csv` does not exist.*\n"
    tables = (results / f"{name}.csv" for name in ("robustness", "ranking"))
    table, ranking = (pd.read_csv(path) if path.is_file() else pd.DataFrame(columns=["outcome"]) for path in tables)
    if outcomes is not None:
        table, ranking = (part[part["outcome"].isin(list(outcomes))] for part in (table, ranking))
    lines = analysis.robust_answer(table, ranking, titles)
    text = "\n".join(f"* {line.strip()}" if line.startswith("  ") else f"\n{line}\n" for line in lines)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"
