"""The answer on one page: which policy, how sure, what it costs, who loses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sim.analysis import Row
from sim.analysis.robust_words import conclusions, ranked
from sim.analysis.words import displaced, is_probable, number
from sim.report.blocks import Block, Items, Line, Paragraph, Section, say
from sim.report.material import Material
from sim.report.phrases import INNOCENT, LURED, MODEL_SAYS, called, moves, said, seeds_note, share, source, told, upper, worse

_COST = "enforcement_cost_yuan"


def answer(material: Material) -> Section:
    """Return the answer of a comparison."""
    winner = winning(material)
    count = len(material.policies)
    what = "levels" if material.plan.axes else "policies"
    compared = f"the {count} {what} compared" if count > 1 else "the policy compared"
    lines = [_which(material, winner, compared), _how_sure(material, winner)]
    if winner is not None:
        lines += [*_price(material, winner), *people(material, winner), *whereto(material, winner)]
    return Section("answer", "The answer", [Items([*lines, *_backfires(material)])])


def winning(material: Material) -> str | None:
    """Return the policy that is best by the lead outcome; None where none is better than the baseline beyond chance."""
    ranked_ = material.best[material.best["outcome"] == material.lead]
    if not len(ranked_):
        return None
    name = str(ranked_.iloc[0]["scenario"])
    row = material.cells.get((material.lead, name))
    return name if row is not None and worse(row) < 0 else None


def _which(material: Material, winner: str | None, compared: str) -> Line:
    if winner is None:
        return _none(material, compared)
    lead, row = called(material.lead), material.cells[(material.lead, winner)]
    one = len(material.policies) == 1
    head = f"{MODEL_SAYS}, {material.title(winner)} {'makes' if one else 'is best of ' + compared + ' by'} {lead}{' better' if one else ''}"
    texts, rows = [f"{head}: {told(row)}."], [source(row)]
    for outcome in material.headline:
        if outcome == material.lead or one:
            continue
        first = str(material.best.loc[material.best["outcome"] == outcome, "scenario"].iloc[0])
        own = material.cells[(outcome, winner)]
        rows.append(source(own))
        if first == winner:
            texts.append(f"By {called(outcome)} it is best as well: {said(own)}.")
            continue
        other = material.cells.get((outcome, first))
        if other is None or worse(other) >= 0:
            texts.append(
                f"By {called(outcome)} none is better than doing nothing beyond chance; under {material.title(winner)} {said(own)}."
            )
        else:
            rows.append(source(other))
            texts.append(
                f"By {called(outcome)} {material.title(first)} is best: {said(other)}; under {material.title(winner)} {said(own)}."
            )
    return say(" ".join(texts), *rows, lead="Which policy")


def _none(material: Material, compared: str) -> Line:
    """Say that no policy can be called best, which comes nearest, and which ones are better than nothing."""
    lead, base = called(material.lead), material.first.name
    cells = {name: material.cells[(material.lead, name)] for name in material.policies}
    order = material.best.loc[material.best["outcome"] == material.lead, "scenario"]
    first = str(order.iloc[0]) if len(order) else base
    if first == base:
        return say(
            f"{MODEL_SAYS}, none of {compared} is better than doing nothing by {lead}.", f"best/{material.lead}/{base}", lead="Which policy"
        )
    nearest = cells[first]
    texts = [f"{MODEL_SAYS}, none of {compared} can be called best by {lead}. {material.title(first)} comes nearest: {said(nearest)}."]
    good = [row for row in cells.values() if worse(row) < 0]
    if good:
        texts.append(f"Better than doing nothing: {_each(material, good)}.")
    texts.append("More replications would tell more.")
    return say(" ".join(texts), *map(source, [nearest, *good]), lead="Which policy")


def _each(material: Material, cells: Sequence[Row]) -> str:
    return "; ".join(f"{material.title(row.scenario)}: {said(row)}" for row in cells)


def _how_sure(material: Material, winner: str | None) -> Line:
    part = material.best[material.best["outcome"] == material.lead].to_dict("records")
    texts, rows = [], []
    if winner is not None and part:
        n = int(part[0]["replications"])
        if n > 1:
            first, second = part[0], part[1]
            rows += [f"best/{material.lead}/{first['scenario']}", f"best/{material.lead}/{second['scenario']}"]
            texts.append(
                f"Over luck: it is best in {share(first['best_share'])} of {number(first['resamples'])} resamples of the {n} seeds;"
                f" next is {material.title(str(second['scenario']))}, best in {share(second['best_share'])}{seeds_note(n)}."
            )
        else:
            texts.append("Over luck: unknown, since one pair of runs has no interval; a difference may be chance.")
    tested, found = over_parameters(material, winner)
    return Line(" ".join([*texts, tested]), "How sure", (*rows, *found))


def over_parameters(material: Material, winner: str | None) -> tuple[str, tuple[str, ...]]:
    """Say how the ranking by the lead outcome fares over parameters, and which rows say so."""
    if material.robust is None:
        where = "" if material.plan.axes else "; the part on robustness names the command"
        return f"Over parameters: not tested here{where}.", ()
    ranking = material.robust.ranking
    found = ranking[ranking["outcome"] == material.lead].to_dict("records")
    if not found:
        return "Over parameters: tested, but policies were not ranked by this outcome.", ()
    other = "" if winner in {None, found[0]["best"]} else ", another one than here"
    return f"Over parameters, {ranked(found[0], {str(found[0]['best']): material.title(str(found[0]['best']))})}{other}.", (
        f"ranking/{material.lead}",
    )


def _price(material: Material, winner: str) -> list[Line]:
    row = material.cells.get((_COST, winner))
    return [] if row is None else [say(f"{upper(told(row))}.", source(row), lead="What it costs")]


def people(material: Material, scenario: str) -> list[Line]:
    """Say who loses and who is better off under a scenario: lured owners, their friends, innocents."""
    cells = [row for name in (*LURED, *INNOCENT) if (row := material.cells.get((name, scenario))) is not None]
    lines = []
    for sign, lead in ((1, "Who loses"), (-1, "Who is better off")):
        rows = [row for row in cells if worse(row) == sign]
        sure, perhaps = ([row for row in rows if is_probable(row) is doubt] for doubt in (False, True))
        text = upper("; ".join(map(told, sure))) if sure else "Nobody beyond chance among lured owners, their friends and innocents"
        if perhaps:
            text += f". Perhaps, if not by chance among so many outcomes: {'; '.join(map(said, perhaps))}"
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
    return [say(f"{_each(material, bad)}.", *map(source, bad), lead="What backfires")] if bad else []


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
        text = f"{MODEL_SAYS}, at the ledger's own values {material.title(best)} is best by {called(material.lead)}"
        text += f": {found[0].text}." if found else "."
        lines.insert(0, say(text, f"robustness/{material.lead}/{best}", lead="Which policy"))
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
        lines.append(say(f"{number(row['mean'])}{ends} {row['unit']}.", f"summary/{outcome}/{name}", lead=upper(called(outcome))))
    about = f"{MODEL_SAYS}, under {material.title(name)}. Nothing is compared here: abm compare holds policies against it."
    return Section("answer", "The answer", [Paragraph(say(about)), Items(lines)])
