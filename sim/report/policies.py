"""The policies side by side, and each by itself: what it does, by which mechanism, and to whom."""

from __future__ import annotations

from sim.analysis import Row
from sim.analysis.words import number, recovered, unit_of
from sim.explain import describe, differences
from sim.levers import LEVERS
from sim.report.answer import people, whereto
from sim.report.blocks import Block, Grid, Heading, Items, Line, Paragraph, Section, say
from sim.report.material import Material
from sim.report.phrases import called, moves, said, share, source, texts, told, untold, upper
from sim.scenario import Scenario

_COST = "enforcement_cost_yuan"
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
    outcomes = [outcome for outcome in material.plan.outcomes if any(name == outcome for name, _ in material.cells)]
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
    return Grid("All outcomes at a glance: change from the baseline", ["policy", *(called(outcome) for outcome in outcomes)], rows)


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
    return Grid(f"{upper(called(outcome))}, {unit}", columns, rows)


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
    lines = [_mechanism(material, name, scenario, id_) for id_ in scenario.policies]
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


def _mechanism(material: Material, name: str, scenario: Scenario, id_: str) -> Line:
    """Say what a policy is, what its lever acts on first, and its side effect on the innocent."""
    policy = scenario.policies[id_]
    lever = LEVERS[policy.lever]
    when = describe(policy, scenario).replace(policy.lever, "strength", 1)
    text, rows = f"{upper(lever.meaning)} ({lever.equation}); {when}.", [f"manifest/{name}", f"levers/{lever.name}"]
    if (row := material.cells.get((lever.moves, name))) is not None:
        text += f" What it moves first: {said(row)}."
        rows.append(source(row))
    side = lever.side_effect
    if (row := material.cells.get((lever.side_outcome, name))) is not None:
        side = said(row) if side.partition(",")[0] == called(lever.side_outcome) else f"{side}; {said(row)}"
        rows.append(source(row))
    text += f" Its side effect: {side}"
    return say(f"{text}.", *rows, lead=upper(lever.name.replace("_", " ")))
