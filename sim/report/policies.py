"""The policies side by side, and each by itself: what it does, by which mechanism, and to whom."""

from __future__ import annotations

from collections.abc import Sequence

from sim.analysis import Row
from sim.analysis.words import number, recovered, unit_of
from sim.explain import describe, differences
from sim.levers import LEVERS, Lever
from sim.names import name_of
from sim.report.answer import people, whereto
from sim.report.blocks import Block, Grid, Heading, Items, Line, Paragraph, Section, say
from sim.report.material import Material
from sim.report.mechanisms import MECHANISMS
from sim.report.phrases import moves, said, share, source, texts, told, untold, upper
from sim.scenario import Scenario

_COST = "enforcement_cost_yuan"
_PUNISHED = {"legal_certainty": ("sanctions_legal_helper",)}
"""Outcomes of a side effect beside that of the table of levers, which names one."""

_UP, _DOWN, _OPEN, _SAME, _UNTOLD = "\N{UPWARDS ARROW}", "\N{DOWNWARDS ARROW}", "~", "=", "?"
_MEANS = {
    _UP: "rises beyond chance",
    _DOWN: "falls beyond chance",
    _OPEN: "does not move beyond chance",
    _SAME: "does not move at all",
    _UNTOLD: "has too few pairs of runs to tell a change from chance",
}


def side_by_side(material: Material) -> Section:
    """Return the policy tables: all outcomes at a glance, then each with its numbers."""
    asked = dict.fromkeys([*({material.lead} & set(material.plan.outcomes)), *material.plan.outcomes])  # the lead one is seen first
    outcomes = [outcome for outcome in asked if any(name == outcome for name, _ in material.cells)]
    blocks: list[Block] = [
        _glance(material, outcomes),
        Paragraph(say(_legend(material, outcomes))),
        *(_numbers(material, outcome) for outcome in outcomes),
        Paragraph(
            say(
                "Best: in what share of resamples of the seeds the policy is best by this outcome (the baseline, which does nothing more,"
                " stands among them; equal ones share). It is given for the outcomes that policies are ranked by. All columns and"
                " outcomes, with simultaneous intervals, are in comparison.csv; shares of best are in best.csv."
            )
        ),
    ]
    return Section("policies", "The policies side by side", blocks)


def _glance(material: Material, outcomes: list[str]) -> Grid:
    rows = []
    for name in material.policies:
        cells = [material.cells[(outcome, name)] for outcome in outcomes]
        written = [f"{texts(row, material.users).relative} {_mark(row)}" for row in cells]
        rows.append([material.title(name), *written])
    return Grid("All outcomes at a glance: change from the baseline", ["policy", *(name_of(outcome) for outcome in outcomes)], rows)


def _mark(row: Row) -> str:
    if row.unchanged:
        return _SAME
    return _UNTOLD if untold(row) else {1: _UP, -1: _DOWN, 0: _OPEN}[moves(row)]


def _legend(material: Material, outcomes: list[str]) -> str:
    """Say what the marks that stand in the table mean."""
    used = {_mark(material.cells[(outcome, name)]) for outcome in outcomes for name in material.policies}
    meanings = ", ".join(f"{mark} {meaning}" for mark, meaning in _MEANS.items() if mark in used)
    level = "; each by itself, at 95 %" if used & {_UP, _DOWN, _OPEN} else ""
    return f"{meanings}{level}. Changes are from the baseline, on the same luck."


def _numbers(material: Material, outcome: str) -> Grid:
    part = material.best[material.best["outcome"] == outcome] if len(material.best) else material.best
    shares = dict(zip(part["scenario"], part["best_share"], strict=True)) if len(part) else {}
    unit, base = unit_of(outcome), material.plan.baseline or ""
    rows = []
    for name in material.policies:
        cells = texts(material.cells[(outcome, name)], material.users)
        rows.append([material.title(name), *cells, *([share(shares[name])] if name in shares else ["-"] if shares else [])])
    mean = number(material.cells[(outcome, material.policies[0])].baseline_mean)
    own = [share(shares[base])] if base in shares else ["-"] if shares else []
    rows.insert(0, [f"{material.title(base)} (baseline)", mean, "", "", "", "", "", *own])
    columns = [
        "policy",
        "with it",
        "change",
        "95 % interval",
        "change per million users",
        "change, %",
        "95 % interval",
        *(["best"] if shares else []),
    ]
    return Grid(f"{upper(name_of(outcome))}, {unit}", columns, rows)


def one_by_one(material: Material) -> Section:
    """Return what each policy is, how it acts and whom it meets."""
    blocks: list[Block] = [
        Paragraph(
            say(
                "Strengths run from 0 to 1. In brackets is the mechanism as the model has it: u is a lever's strength, e the evasion that"
                " dealers pay for, both from 0 to 1."
            )
        )
    ]
    for name in material.policies:
        blocks += [Heading(material.title(name)), Items(_about(material, name))]
    return Section("each", "What each policy does", blocks)


def _about(material: Material, name: str) -> list[Line]:
    scenario = material.plan.scenarios[name]
    levers = list(dict.fromkeys(LEVERS[policy.lever] for policy in scenario.policies.values()))
    lines = [_mechanism(material, name, scenario, id_, alone=len(levers) == 1) for id_ in scenario.policies]
    lines += _together(material, name, levers) if len(levers) > 1 else []
    others = [text for text in differences(material.first, scenario) if not text.startswith(("Policy ", "Targets "))]
    if others:
        lines.append(say(" ".join(others), f"manifest/{name}", lead="Set otherwise"))
    own = [row for outcome in material.headline if (row := material.cells.get((outcome, name))) is not None]
    lines.append(say(f"{upper('; '.join(map(said, own)))}.", *map(source, own), lead="In short"))
    lines += whereto(material, name)
    if (row := material.cells.get((_COST, name))) is not None:
        lines.append(say(f"{upper(told(row))}.", source(row), lead="Cost"))
    lines += people(material, name)
    if material.comparison is not None:
        table = material.comparison.recovery
        for record in table[table["scenario"] == name].to_dict("records"):
            days = record["recovery_days"]
            lines.append(say(f"Supply {recovered(None if days != days else int(days))}.", f"recovery/{name}", lead="After the pulse"))  # noqa: PLR0124  # NaN
    return lines


def _mechanism(material: Material, name: str, scenario: Scenario, id_: str, alone: bool) -> Line:
    """Say what a policy is, what its lever acts on first, and its side effect on the innocent; how much only where it is `alone`."""
    policy = scenario.policies[id_]
    lever = LEVERS[policy.lever]
    when = describe(policy, scenario).replace(policy.lever, "strength", 1)
    text = f"{MECHANISMS[lever.name]} ({upper(lever.meaning)}: {lever.equation}.) {upper(when)}."
    rows = [f"manifest/{name}", f"levers/{lever.name}"]
    first, sides = _rows(material, name, [lever.moves]), _rows(material, name, _sides(lever))
    moved = "; ".join(said(row, material.days) for row in first) if alone else name_of(lever.moves)
    text += f" What it moves first: {moved}."
    side = lever.side_effect
    if alone and sides:
        amounts = "; ".join(said(row, material.days) for row in sides)
        side = amounts if side.partition(",")[0] == name_of(lever.side_outcome) else f"{side}; {amounts}"
    rows += map(source, [*first, *sides] if alone else [])
    return say(f"{text} Its side effect: {side}.", *rows, lead=upper(lever.name.replace("_", " ")))


def _together(material: Material, name: str, levers: Sequence[Lever]) -> list[Line]:
    """Say once what all levers of a policy do to what each moves first, and to whom they do harm besides."""
    moved = _rows(material, name, [lever.moves for lever in levers])
    sides = _rows(material, name, [outcome for lever in levers for outcome in _sides(lever) if outcome != _COST])
    sides = [row for row in sides if row not in moved]
    texts = [
        f"{lead}: {'; '.join(said(row, material.days) for row in rows)}."
        for lead, rows in (("What they move first", moved), ("Their side effects", sides))
        if rows
    ]
    note = "What each lever adds is not told apart here."
    return [say(" ".join([*texts, note]), *map(source, [*moved, *sides]), lead="All levers together")] if texts else []


def _sides(lever: Lever) -> tuple[str, ...]:
    """Return the outcomes that say how large a lever's side effect is."""
    return (lever.side_outcome, *_PUNISHED.get(lever.name, ()))


def _rows(material: Material, name: str, outcomes: Sequence[str]) -> list[Row]:
    """Return the rows of outcomes that the comparison has, each once."""
    return [row for outcome in dict.fromkeys(outcomes) if (row := material.cells.get((outcome, name))) is not None]
