"""Say in plain sentences which conclusions hold over the set of parameter vectors, and which do not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from sim.analysis.uncertain import SHARE
from sim.analysis.words import number, percent, unit_of
from sim.names import is_plural, name_of

HELD = 0.95
"""Share of members in which a conclusion must hold to be called robust."""

Verdict = Literal["holds", "leans", "depends", "open"]
Record = Mapping[Any, Any]

_HEADINGS: dict[Verdict, str] = {
    "holds": "Holds, beyond chance, in at least 95 % of the {n} parameter vectors:",
    "leans": "Points the same way in at least 95 % of the {n} parameter vectors, but not beyond chance in as many:",
    "depends": "Depends on the parameters: points the same way in less than 95 % of the {n} parameter vectors:",
    "open": "No direction beyond chance at the ledger's own values:",
}
"""What introduces the conclusions of each verdict."""


class Conclusion(NamedTuple):
    """What is said of one policy and outcome."""

    verdict: Verdict
    policy: str
    outcome: str
    text: str


def conclusions(table: pd.DataFrame) -> list[Conclusion]:
    """Return a conclusion for each row of a robustness table, in its order; rows without an effect have none."""
    return [
        Conclusion(verdict(row), str(row["policy"]), str(row["outcome"]), _said(row))
        for row in table.to_dict("records")
        if np.isfinite(row["central_effect"]) and row["members"] > 0
    ]


def verdict(row: Record) -> Verdict:
    """Say whether a conclusion holds in `HELD` of the members beyond chance, only leans that way, depends on parameters, or is open."""
    if row["sign_clear_share"] >= HELD:
        return "holds"
    unchanged = row["mc_low"] == row["mc_high"] == 0.0
    if not unchanged and not (row["mc_low"] > 0.0 or row["mc_high"] < 0.0):
        return "open"
    return "leans" if row["sign_share"] >= HELD else "depends"


class Sentence(NamedTuple):
    """A sentence of the answer.

    `rows` name the rows of the tables that it is made of, as `robustness/outcome/policy`, one a clause, or `ranking/outcome`; a sentence
    without introduces others, or says how to read them.
    """

    text: str
    rows: tuple[str, ...] = ()


def robust_answer(table: pd.DataFrame, ranking: pd.DataFrame, titles: Mapping[str, str] | None = None) -> list[str]:
    """Return `robust_sentences` as lines, those that others introduce set in."""
    return [f"  {sentence.text}" if sentence.rows else sentence.text for sentence in robust_sentences(table, ranking, titles)]


def robust_sentences(table: pd.DataFrame, ranking: pd.DataFrame, titles: Mapping[str, str] | None = None) -> list[Sentence]:
    """Return sentences: what holds in at least 95 % of the members, what does not, how rankings change, and how to read them.

    `table` and `ranking` are what `uncertain.robustness` and `rankings.ranking` return.
    """
    found = conclusions(table)
    if not found:
        return []
    called = {name: (titles or {}).get(name, name.replace("_", " ")) for name in dict.fromkeys(c.policy for c in found)}
    n = int(table["members"].max())
    sentences = []
    for kind, heading in _HEADINGS.items():
        chosen = [c for c in found if c.verdict == kind]
        if chosen:
            sentences.append(Sentence(heading.format(n=n)))
        for policy in dict.fromkeys(c.policy for c in chosen):
            own = [c for c in chosen if c.policy == policy]
            text = f"{called[policy]}: {'; '.join(c.text for c in own)}."
            sentences.append(Sentence(text, tuple(f"robustness/{c.outcome}/{policy}" for c in own)))
    if len(ranking):
        sentences.append(Sentence("Ranking of the policies:"))
        sentences += [Sentence(f"{ranked(row, called)}.", (f"ranking/{row['outcome']}",)) for row in ranking.to_dict("records")]
    return [*sentences, Sentence(_note(table))]


def cells(row: Record) -> list[str]:
    """Write a row of a robustness table for the screen: outcome, change, its chance, parameters' median and range, counts of members."""
    relative, n = row["unit"] == SHARE, row["members"]
    write, unit = (percent, " %") if relative else (number, f" {row['unit']}")
    names = ("central_effect", "mc_low", "mc_high", "parameter_median", "parameter_low", "parameter_high")
    value, low, high, median, least, most = (write(row[name]) if np.isfinite(row[name]) else "-" for name in names)
    shares = [row[f"sign_{name}share"] for name in ("", "clear_", "against_")]
    counts = [f"{round(share * n)} of {n}" if np.isfinite(share) else "-" for share in shares]
    return [row["outcome"], f"{value}{unit}", f"{low} to {high}", median, f"{least} to {most}", *counts]


def _said(row: Record) -> str:
    """Say one row: the effect at the ledger's values, what chance and what parameters make of it, and where its sign holds."""
    name, effect, n = name_of(row["outcome"]), row["central_effect"], int(row["members"])
    kind = verdict(row)
    if row["mc_low"] == row["mc_high"] == 0.0:
        return f"{name} exactly unchanged in {_of(row['sign_share'], n)}"
    clear, against = round(row["sign_clear_share"] * n), round(row["sign_against_share"] * n)
    if kind == "open":
        up, down = (clear, against) if effect > 0.0 else (against, clear)
        return f"{name} up in {up}, down in {down} of {n} beyond chance" if up or down else f"{name} in none of {n} beyond chance"
    verb = ("rise" if effect > 0.0 else "fall") + ("" if is_plural(str(row["outcome"])) else "s")
    moves = f"{name} {verb} by {_amount(abs(effect), row)} (chance {_ends(row['mc_low'], row['mc_high'], row)}; {_spread(row)})"
    if kind == "holds":
        return f"{moves} in {_of(clear / n, n)}"
    if kind == "leans":
        return f"{moves} in {_of(row['sign_share'], n)}, beyond chance in {clear}"
    return f"{moves}; beyond chance so in {clear} of {n}, opposite in {against}, unclear in {n - clear - against}"


def _spread(row: Record) -> str:
    """Say what the effect spans over the parameters."""
    if row["sd_parameters"] == 0.0:
        return "no spread over parameters beyond chance"
    return f"parameters {_ends(row['parameter_low'], row['parameter_high'], row) or 'unknown'}"


def _amount(value: float, row: Record) -> str:
    return f"{percent(value, signed=False)} %" if row["unit"] == SHARE else f"{number(value)} {unit_of(row['outcome'])}"


def _ends(low: float, high: float, row: Record) -> str:
    """Write an interval in the row's unit; nothing where there is none."""
    if not (np.isfinite(low) and np.isfinite(high)):
        return ""
    if row["unit"] == SHARE:
        return f"{percent(low)} to {percent(high)} %"
    return f"{number(low)} to {number(high)} {unit_of(row['outcome'])}"


def _of(share: float, n: int) -> str:
    held = round(share * n)
    return f"all {n}" if held == n else f"{held} of {n}"


def ranked(row: Record, called: Mapping[str, str]) -> str:
    """Say how the ranking by one outcome changes over members."""
    n, best = int(row["members"]), called.get(row["best"], row["best"])
    changed, clearly, beaten = (round(row[f"{name}_share"] * n) for name in ("changed", "changed_clear", "best_beaten"))
    pairs = row["policies"] * (row["policies"] - 1) // 2
    order = "the same order in every vector" if changed == 0 else f"the order changes in {changed} of {n}, beyond chance in {clearly}"
    distance = f", {percent(row['kendall_mean'], signed=False)} % of the {pairs} pairs reversed on average" if changed else ""
    kept = _of(row["best_share"], n)
    beaten_text = f", beaten beyond chance in {beaten}" if beaten else ""
    return f"by {name_of(row['outcome'])}, {row['best_is']} first: {order}{distance}; {best} stays first in {kept}{beaten_text}"


def _note(table: pd.DataFrame) -> str:
    """Say how to read the sentences."""
    n, runs = int(table["members"].max()), int(table["replications"].max())
    level = float(table["parameter_level"].max())
    least = 0.025 ** (1.0 / n)  # Clopper-Pearson of all n
    what = f"holds {percent(level, signed=False)} % of vectors like these"
    if level < HELD:
        what += ": from the least to the largest"
    share = percent(least, signed=False)
    return (
        f"Effects are at the ledger's own values. 'Chance': 95 % Monte-Carlo interval over {runs} pairs of runs with the same luck."
        f" 'Parameters': what the effect spans over the {n} vectors once chance is taken out; it {what}."
        f" What holds in all {n} holds, with 95 % confidence, in at least {share} % of the set."
    )
