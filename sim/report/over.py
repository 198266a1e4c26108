"""What holds over parameters, and how strong is enough; where one is missing, the command that makes it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from sim.analysis.robust_words import Sentence, cells, robust_sentences
from sim.analysis.words import number, percent, unit_of
from sim.comparison import Comparison
from sim.given import open_folders
from sim.levers import LEVERS
from sim.names import is_plural, name_of
from sim.report.blocks import Block, Command, Grid, Heading, Items, Line, Paragraph, Section, say
from sim.report.material import Material, place_of
from sim.report.phrases import MODEL_SAYS, upper
from sim.report.which import winning

_WHERE = "They are to be given in the folder where this comparison was made."


def robustness(material: Material) -> Section:
    """Return which conclusions hold over the set of parameter vectors."""
    section = Section("robustness", "Does it hold under other parameters?")
    if material.robust is None:
        section.blocks.extend(_untested(material))
        return section
    robust = material.robust
    section.blocks.extend(_verdicts(robust_sentences(robust.robustness, robust.ranking, material.titles)))
    columns = ("policy", "change", "chance, 95 %", "parameters, median", "parameters, range", "same sign", "beyond chance", "opposite")
    for outcome in material.headline:
        part = robust.robustness[robust.robustness["outcome"] == outcome]
        rows = [[material.title(str(record["policy"])), *cells(record)[1:]] for record in part.to_dict("records")]
        if rows:
            section.blocks.append(Grid(f"{upper(name_of(outcome))}: chance and parameters apart", columns, rows))
    return section


def _untested(material: Material) -> list[Block]:
    """Return the commands that try the comparison under other parameters."""
    given = material.plan.given
    here, files = place_of(material.done), list(given.files) or ["EXPERIMENT"]
    own = material.beside("_over_uncertainty", material.plan.name[:80])
    words = ["abm", "compare", *files, "--over-uncertainty", "20", *given.words("--seed"), *given.set_words, "--out", own]
    what = _WHERE
    if not given.files:
        what = f"EXPERIMENT is the file, or the files, that this comparison was made of; {_again(material)}."
    return [
        Paragraph(say("Not tested here. These commands run the comparison in parameter vectors that the evidence does not rule out:")),
        *_typed([words, ["abm", "report", here, "--with", own]], what),
    ]


def _typed(lines: Sequence[Sequence[str]], what: str) -> list[Block]:
    """Return commands, and below them what there is to know of them: `what`, and what stands for folders that they leave open."""
    left = open_folders(word for line in lines for word in line)
    return [Command("\n".join(map(shlex.join, lines))), Paragraph(say(f"{what} {left}." if left else what))]


def _verdicts(sentences: Sequence[Sentence]) -> list[Block]:
    """Turn sentences under headings into paragraphs and lists."""
    blocks: list[Block] = []
    kept: list[Line] = []
    for sentence in sentences:
        if sentence.rows:
            kept.append(say(sentence.text, *sentence.rows))
            continue
        if kept:
            blocks.append(Items(kept))
            kept = []
        blocks.append(Paragraph(say(sentence.text, "robustness")))
    return blocks


def thresholds(material: Material) -> Section:
    """Return how strong is enough, from the sweeps at hand."""
    section = Section("thresholds", "How strong is enough?")
    own = (material.comparison,) if material.comparison is not None and material.plan.axes else ()
    sweeps = [sweep for sweep in (*own, *material.sweeps) if len(sweep.plan.axes) == 1]
    if not sweeps:
        section.blocks.extend([] if material.plan.axes else _missing(material))
        return section
    section.blocks.append(
        Paragraph(
            say(
                f"{MODEL_SAYS}. Beyond chance: the simultaneous 95 % interval leaves out 0 at this level and at all levels beyond it. Half"
                " of the effect: on straight lines between the levels that were run."
            )
        )
    )
    for sweep in sweeps:
        section.blocks.extend([Heading(_key(sweep)), Items(_limits(sweep.thresholds)), _doses(sweep)])
    return section


def _again(material: Material) -> str:
    """Say what has to be set as it was here, where the command line is not known."""
    run = material.first.run
    return f"set what was set for it, if anything (here: {material.users:,} users, {run.days} days, burn-in {run.burn_in_days} days)"


def _missing(material: Material) -> list[Block]:
    winner = winning(material) if material.comparison is not None and not material.plan.axes else None
    chosen = [winner] if winner else material.policies
    moved = [policy.lever for name in chosen for policy in material.plan.scenarios[name].policies.values()]
    levers = [lever for lever in dict.fromkeys(moved) if not LEVERS[lever].only_policy]
    base, given, here = material.first.name, material.plan.given, place_of(material.done)
    file = given.baseline or f"{base}.toml"
    more = [*given.words("--replications", "--seed"), *given.set_words]
    outs = {lever: material.beside(f"_by_{lever}", base) for lever in levers or ["LEVER"]}
    lines = [["abm", "sweep", file, "--vary", f"{lever}=0:1:6", *more, "--out", out] for lever, out in outs.items()]
    lines.append(["abm", "report", here, *(word for out in outs.values() for word in ("--with", out))])
    what = _WHERE
    if not given.baseline:
        what = f"{file} is the file of the baseline; a sweep goes with this report when its baseline is the same: {_again(material)}."
    return [
        Paragraph(say("Not measured here. These commands vary one lever at a time, from none to all of it:")),
        *_typed(lines, what),
    ]


def _key(sweep: Comparison) -> str:
    (vary,) = sweep.plan.axes
    parts = vary.key.split(".")
    lever = parts[1] if parts[0] == "policies" else parts[-1]
    policies = [s.policies[lever].lever for s in sweep.plan.scenarios.values() if lever in s.policies]
    return upper((policies[0] if policies else lever).replace("_", " "))


def _limits(table: pd.DataFrame) -> list[Line]:
    """Say what each outcome does on each side of the baseline's level, those that do not move together."""
    lines = []
    for side in dict.fromkeys(table["side"]):
        records = table[table["side"] == side].to_dict("records")
        at = number(records[0]["full_level"])
        own = records[0]["baseline_level"]
        goes = f"at {at}" if np.isnan(own) else f"from {number(own)} to {at}"
        lines += [_moving(row, goes) for row in records if np.isfinite(row["clear_level"])]
        still = [str(row["outcome"]) for row in records if np.isnan(row["clear_level"])]
        if still:
            rows = [f"thresholds/{outcome}/{side}" for outcome in still]
            lines.append(say(f"{', '.join(map(name_of, still))}.", *rows, lead=f"Not beyond chance {goes}"))
    return lines


def _moving(row: Mapping[Any, Any], goes: str) -> Line:
    outcome, full = str(row["outcome"]), row["full_relative"]
    verb = ("rise" if row["full_difference"] > 0.0 else "fall") + ("" if is_plural(outcome) else "s")
    whole = f"{percent(abs(full), signed=False)} %" if np.isfinite(full) else f"{number(abs(row['full_difference']))} {unit_of(outcome)}"
    text = f"{name_of(outcome)} {verb} by {whole} {goes}; beyond chance from {number(row['clear_level'])} on,"
    return say(f"{upper(text)} half of that at {number(row['half_level'])}.", f"thresholds/{outcome}/{row['side']}")


def _doses(sweep: Comparison) -> Grid:
    table = sweep.levels_table
    outcomes = list(dict.fromkeys(table["outcome"]))
    rows = []
    for level in sorted(table["level"].dropna().unique()):
        part = table[table["level"] == level].drop_duplicates("outcome").set_index("outcome")
        own = " (baseline)" if (part["scenario"] == sweep.baseline).all() else ""
        changes = [_change(part.loc[outcome, "relative"]) if outcome in part.index else "-" for outcome in outcomes]
        rows.append([f"{number(level)}{own}", *changes])
    return Grid("Dose and response: change from the baseline", ["level", *(name_of(outcome) for outcome in outcomes)], rows)


def _change(share: float) -> str:
    return f"{percent(share)} %" if np.isfinite(share) else "-"
