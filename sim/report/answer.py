"""The answer on one page: which policy, how sure, what it costs, who loses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sim.analysis.robust_words import conclusions, ranked
from sim.analysis.words import displaced, is_probable, number
from sim.names import name_of
from sim.report.blocks import Block, Items, Line, Paragraph, Section, say
from sim.report.material import Material
from sim.report.phrases import HELPERS, INNOCENT, LURED, MODEL_SAYS, VICTIMS, moves, said, source, told, upper, worse
from sim.report.which import each, over_luck, which, winning

_COST = "enforcement_cost_yuan"


def answer(material: Material) -> Section:
    """Return the answer of a comparison."""
    winner = winning(material)
    lines = [which(material, winner), _how_sure(material, winner)]
    if winner is not None:
        lines += [*_price(material, winner), *people(material, winner), *whereto(material, winner)]
    return Section("answer", "The answer", [Items([*lines, *_backfires(material)])])


def _how_sure(material: Material, winner: str | None) -> Line:
    luck, rows = over_luck(material, winner)
    tested, found = over_parameters(material, winner)
    return Line(f"{luck} {tested}".strip(), "How sure", (*rows, *found))


def over_parameters(material: Material, winner: str | None) -> tuple[str, tuple[str, ...]]:
    """Say how the ranking by the lead outcome fares over parameters, and which rows say so."""
    if material.robust is None:
        where = "" if material.plan.axes else "; the part on robustness names the command"
        return f"Over parameters: not tested here{where}.", ()
    ranking = material.robust.ranking
    found = ranking[ranking["outcome"] == material.lead].to_dict("records")
    if not found:
        return "Over parameters: tested; one policy alone is not ranked.", ()
    other = "" if winner in {None, found[0]["best"]} else ", another one than here"
    return f"Over parameters, {ranked(found[0], {str(found[0]['best']): material.title(str(found[0]['best']))})}{other}.", (
        f"ranking/{material.lead}",
    )


def _price(material: Material, winner: str) -> list[Line]:
    row = material.cells.get((_COST, winner))
    return [] if row is None else [say(f"{upper(told(row))}.", source(row), lead="What it costs")]


def people(material: Material, scenario: str) -> list[Line]:
    """Say who loses and who is better off under a scenario: owners, friends, helpers, victims, innocents; nothing without intervals."""
    cells = [row for name in (*LURED, *HELPERS, *VICTIMS, *INNOCENT) if (row := material.cells.get((name, scenario))) is not None]
    if not any(np.isfinite(row.low) for row in cells):
        return []
    days, lines = material.days, []
    for sign, lead in ((1, "Who loses"), (-1, "Who is better off")):
        rows = [row for row in cells if worse(row) == sign]
        sure, perhaps = ([row for row in rows if is_probable(row) is doubt] for doubt in (False, True))
        text = upper("; ".join(told(row, days) for row in sure))
        text = text or "Nobody beyond chance among lured owners, their friends, helpers, victims and innocents"
        if perhaps:
            text += f". Perhaps, if not by chance among so many outcomes: {'; '.join(said(row, days) for row in perhaps)}"
        lines.append(say(f"{text}.", *map(source, [*sure, *perhaps]), lead=lead))
    return lines


def whereto(material: Material, scenario: str) -> list[Line]:
    """Say where the market goes under a scenario: what part is displaced, and whether renting and its commission rise."""
    texts, rows = [], []
    if material.comparison is not None:
        table = material.comparison.displacement
        for record in table[table["scenario"] == scenario].to_dict("records"):
            if sentence := displaced(record):
                texts.append(sentence)
                rows.append(f"displacement/{scenario}")
    for outcome in ("stock_registered", "stock_unsealed", "stock_rented", "commission_yuan"):
        row = material.cells.get((outcome, scenario))
        if row is not None and (outcome in {"stock_rented", "commission_yuan"} or moves(row) > 0):
            texts.append(said(row))
            rows.append(source(row))
    return [say(f"{upper('; '.join(texts))}.", *rows, lead="Where the market goes")] if texts else []


def _backfires(material: Material) -> list[Line]:
    """Name the policies under which the lead outcome gets worse."""
    cells = [material.cells[(material.lead, name)] for name in material.policies]
    bad = [row for row in cells if worse(row) > 0]
    return [say(f"{each(material, bad)}.", *map(source, bad), lead="What backfires")] if bad else []


def robust_answer(material: Material) -> Section:
    """Return the answer where only runs over parameters are at hand."""
    robust = material.robust
    assert robust is not None
    tested, rows = over_parameters(material, None)
    lines = [Line(tested, "How sure", rows)]
    ranking = robust.ranking[robust.ranking["outcome"] == material.lead]
    if len(ranking):
        best = str(ranking.iloc[0]["best"])
        found = [c for c in conclusions(robust.robustness) if (c.policy, c.outcome) == (best, material.lead)]
        text = f"{MODEL_SAYS}, at the ledger's own values {material.title(best)} is best by {name_of(material.lead)}"
        text += f": {found[0].text}." if found else "."
        lines.insert(0, say(text, f"robustness/{material.lead}/{best}", lead="Which policy"))
    for one in conclusions(robust.robustness) if not len(ranking) else ():
        if one.outcome == material.lead:
            text = f"{MODEL_SAYS}, under {material.title(one.policy)} {one.text}."
            lines.insert(0, say(text, f"robustness/{material.lead}/{one.policy}", lead="What it does"))
    blocks: list[Block] = [
        Items(lines),
        Paragraph(say("The comparison without --over-uncertainty tells what it costs and who loses; abm report shows both, with --with.")),
    ]
    return Section("answer", "The answer", blocks)


def run_answer(material: Material, outcomes: Sequence[str]) -> Section:
    """Return the answer of runs that are not compared: means with their intervals."""
    name = material.first.name
    table = material.done.summary
    cells = {str(row["outcome"]): row for row in table[table["scenario"] == name].to_dict("records")}
    lines = []
    for outcome in outcomes:
        if (row := cells.get(outcome)) is None:
            continue
        ends = f" ({number(row['low'])} to {number(row['high'])})" if np.isfinite(row["low"]) else ""
        lines.append(say(f"{number(row['mean'])}{ends} {row['unit']}.", f"summary/{outcome}/{name}", lead=upper(name_of(outcome))))
    about = f"What the model gives under {material.title(name)}. Nothing is compared here: abm compare holds policies against it."
    return Section("answer", "The answer", [Paragraph(say(about)), Items(lines)])
