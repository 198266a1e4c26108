"""Which policy is best by each outcome that policies are ranked by, and from which others it cannot be told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sim.analysis import Row
from sim.analysis.words import number
from sim.names import name_of
from sim.report.blocks import Line, say
from sim.report.material import Material
from sim.report.phrases import MODEL_SAYS, joined, said, seeds_note, share, source, told, untold, worse

_SURE = 0.95  # of the resamples, as intervals are at 95 %


class First(NamedTuple):
    """The scenario with the best mean by an outcome.

    `best_is` says whether that is the `lowest` or the `highest`; `rivals` are the policies that may be best as well.
    """

    scenario: str
    best_is: str
    share: float
    rivals: tuple[str, ...]


def first_by(material: Material, outcome: str) -> First | None:
    """Return the scenario that comes first by an outcome; None where no replication has it from all scenarios, so that none are ranked.

    Its rivals are the fewest other policies which, together with it, are best in `_SURE` of the resamples; all of them, where one
    replication leaves the shares unknown.
    """
    part = material.best[material.best["outcome"] == outcome].to_dict("records")
    if not part:
        return None
    best, *others = part
    held, rivals = np.nan_to_num(best["best_share"]), []
    for record in sorted(others, key=lambda record: -np.nan_to_num(record["best_share"])):
        if held < _SURE and record["scenario"] != material.first.name:
            rivals.append(str(record["scenario"]))
            held += np.nan_to_num(record["best_share"])
    return First(str(best["scenario"]), str(best["best_is"]), float(best["best_share"]), tuple(rivals))


def winning(material: Material, outcome: str | None = None) -> str | None:
    """Return the policy that comes first by an outcome, the lead one if none is named, and is better than the baseline beyond chance."""
    outcome = outcome or material.lead
    first = first_by(material, outcome)
    row = None if first is None else material.cells.get((outcome, first.scenario))
    return row.scenario if row is not None and worse(row) < 0 else None


def which(material: Material, winner: str | None) -> Line:
    """Say which policy is best by the lead outcome, and how it stands by the other ones."""
    what = "levels" if material.plan.axes else "policies"
    if len(material.policies) == 1:
        return _only(material, winner)
    compared = f"the {len(material.policies)} {what} compared"
    if winner is None:
        return _none(material, compared)
    row = material.cells[(material.lead, winner)]
    place, beside = _place(material, material.lead)
    texts = [f"{MODEL_SAYS}, {material.title(winner)} is {place} of {compared} by {name_of(material.lead)}{beside}: {told(row)}."]
    rows = [source(row)]
    for outcome in material.headline:
        if outcome != material.lead:
            text, cited = _other(material, outcome, winner, what)
            texts.append(text)
            rows += map(source, cited)
    return say(" ".join(texts), *rows, lead="Which policy")


def _only(material: Material, winner: str | None) -> Line:
    (name,) = material.policies
    row, title, lead = material.cells[(material.lead, name)], material.title(name), name_of(material.lead)
    if winner is not None:
        verdict = f"{title} makes {lead} better"
    elif untold(row):
        verdict = f"nobody can say whether {title} makes {lead} better"
    else:
        verdict = f"{title} makes {lead} worse" if worse(row) > 0 else f"{title} does not make {lead} better beyond chance"
    return say(f"{MODEL_SAYS}, {verdict}: {told(row)}.", source(row), lead="Which policy")


def _none(material: Material, compared: str) -> Line:
    """Say that no policy is best by the lead outcome and why, which comes nearest, and which ones are better than nothing."""
    lead, first = name_of(material.lead), first_by(material, material.lead)
    verdict, good = _open(material, material.lead, compared)
    texts, rows = [f"{MODEL_SAYS}, by {lead} {verdict}."], list(good)
    if first is not None and first.scenario != material.first.name:
        rows.append(material.cells[(material.lead, first.scenario)])
        texts.append(f"{material.title(first.scenario)} comes nearest: {said(rows[-1])}.")
    if good:
        texts.append(f"Better than doing nothing: {each(material, good)}.")
    if rows or first is None:
        texts.append("More replications would tell more.")
    first_ = [] if first is None or rows else [f"best/{material.lead}/{first.scenario}"]
    return say(" ".join(texts), *map(source, rows), *first_, lead="Which policy")


def _other(material: Material, outcome: str, winner: str, what: str) -> tuple[str, list[Row]]:
    """Say which policy is best by another outcome than the lead one, and what the winner does to it; with the rows that say so."""
    own, best = material.cells[(outcome, winner)], winning(material, outcome)
    here = f"under {material.title(winner)} {said(own)}"
    if best is None:
        verdict, good = _open(material, outcome, f"the {what}")
        better = f"; better than doing nothing: {each(material, good)}" if good else ""
        return f"By {name_of(outcome)} {verdict}{better}{'' if own in good else f'; {here}'}.", [*good, own]
    place, beside = _place(material, outcome)
    if best == winner:
        return f"By {name_of(outcome)} it is {place} as well{beside}: {said(own)}.", [own]
    row = material.cells[(outcome, best)]
    return f"By {name_of(outcome)} {material.title(best)} is {place}{beside}: {said(row)}; {here}.", [row, own]


def _place(material: Material, outcome: str) -> tuple[str, str]:
    """Return what the first one by an outcome is, and from which it cannot be told, if from any."""
    first = first_by(material, outcome)
    assert first is not None
    if not first.rivals:
        return "best", ""
    return first.best_is, f", but cannot be told from {joined([material.title(name) for name in first.rivals])}"


def _open(material: Material, outcome: str, compared: str) -> tuple[str, list[Row]]:
    """Say why no policy is best by an outcome; return the rows of those that are better than doing nothing all the same."""
    first = first_by(material, outcome)
    cells = [material.cells[(outcome, name)] for name in material.policies]
    good = [row for row in cells if worse(row) < 0]
    if first is None:
        return f"{compared} cannot be ranked, since no replication has a value of it from all of them", good
    return f"none of {compared} {'can be called best' if good else 'is better than doing nothing beyond chance'}", good


def each(material: Material, cells: Sequence[Row]) -> str:
    """Say what each of several policies does."""
    return "; ".join(f"{material.title(row.scenario)}: {said(row)}" for row in cells)


def over_luck(material: Material, winner: str | None) -> tuple[str, list[str]]:
    """Say in what share of resamples those that come first are best, and which rows say so; nothing where none can be called best."""
    cells = [material.cells[(material.lead, name)] for name in material.policies]
    if all(row.replications <= 1 for row in cells):
        return "Over luck: unknown, since one pair of runs has no interval; a difference may be chance.", []
    if winner is None:
        return "", []
    first, second, *_ = material.best[material.best["outcome"] == material.lead].to_dict("records")
    n = int(first["replications"])
    if n == 1:
        return "Over luck: unknown which is best, since there is only one replication that all of them finished.", []
    rows = [f"best/{material.lead}/{record['scenario']}" for record in (first, second)]
    after = f"next is {material.title(str(second['scenario']))}, best in {share(second['best_share'])}"
    text = (
        f"Over luck: it is best in {share(first['best_share'])} of {number(first['resamples'])} resamples of the {n} seeds; "
        f"{after if second['best_share'] > 0.0 else 'no other is best in any of them'}"
    )
    for outcome in material.headline if len(material.policies) > 1 else ():
        best, found = winning(material, outcome), first_by(material, outcome)
        if outcome != material.lead and best is not None and found is not None and np.isfinite(found.share):
            text += f"; by {name_of(outcome)} {material.title(best)} in {share(found.share)}"
            rows.append(f"best/{outcome}/{best}")
    return f"{text}{seeds_note(n)}.", rows
