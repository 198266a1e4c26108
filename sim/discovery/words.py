"""Where a policy fails, in plain sentences with the numbers of the tables."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sim.analysis.rows import records
from sim.analysis.uncertain import share_interval
from sim.analysis.words import listed, number, percent
from sim.discovery.boxes import FEWEST
from sim.exploring.carrying import OWN
from sim.exploring.rule import Rule

_PLAIN = ("ratio", "elasticity", "logit", "share", "strength", "probability")
_SHORT = 20  # letters of a unit that a sentence has room for


def answer(policy: str, rule: Rule, worlds: pd.DataFrame, boxes: pd.DataFrame, *, sampled: bool = True) -> list[str]:
    """Say in how many worlds the policy fails, how sure that is, and what the worlds in which it fails have in common.

    Worlds that were not `sampled` but picked by somebody stand for no others, so that shares have no interval then.
    """
    tried, own = worlds[worlds["world"] != OWN], worlds[worlds["world"] == OWN]
    failing, n = int(tried["failed"].sum()), len(tried)
    share, low, high = share_interval(failing, n)
    at_home = f"; in the ledger's own world it {'fails' if own['failed'].iloc[0] else 'does not'}"
    ends = f" ({_percent(low)} to {_percent(high)} %)" if sampled and 0 < failing < n else ""
    much = {0: "none", n: "all"}.get(failing, f"{_percent(share)} %{ends}")
    said = [f"'{policy}' fails in {much} of the {n} worlds tried ({rule.in_words}){at_home}. {_luck(tried)}"]
    if failing in {0, n} and not sampled:
        return [*said, "The worlds were picked, not drawn: how the policy does in others is not known."]
    if failing == 0:
        return [*said, f"With 95 % confidence it fails in at most {_percent(high)} % of worlds like these: there is nothing to describe."]
    if failing == n:
        return [
            *said,
            f"With 95 % confidence it fails in at least {_percent(low)} % of worlds like these: the policy is at fault, not a factor.",
        ]
    if min(failing, n - failing) < FEWEST:
        few = f"only {failing} fail" if failing < FEWEST else f"only {n - failing} do not fail"
        return [*said, f"Of these {few}: too few to say what they have in common (it takes {FEWEST} of each); try more worlds."]
    if boxes.empty:
        return [
            *said,
            "No limit on a factor tells failing worlds from others beyond chance: what they have in common is not among the factors.",
        ]
    return [*said, *(_box(k, part) for k, (_, part) in enumerate(boxes.groupby("box"), start=1))]


def limits(row: dict[str, Any]) -> str:
    """Say within which limits a factor is."""
    unit = "" if row["unit"] in _PLAIN or len(row["unit"]) > _SHORT or row["label"].endswith(row["unit"]) else f" {row['unit']}"
    low, high = np.isfinite(row["quasi_p_low"]), np.isfinite(row["quasi_p_high"])
    if low and high:
        return f"{row['label']} from {_limit(row['low'])} to {_limit(row['high'])}{unit}"
    return f"{row['label']} {'above' if low else 'below'} {_limit(row['low'] if low else row['high'])}{unit}"


def _box(k: int, part: pd.DataFrame) -> str:
    rows = sorted(records(part[part["restricted"]]), key=lambda row: np.nanmin([row["quasi_p_low"], row["quasi_p_high"]]))
    head, named = rows[0], [limits(row) for row in rows]
    described = listed(named)
    which, so = ("failing worlds", "so described") if k == 1 else ("failing worlds, in no box before,", "so described and in no box before")
    unseen = (
        f" ({_percent(head['unseen_density'])} % of such worlds to which the box was not fitted)"
        if np.isfinite(head["unseen_density"])
        else ""
    )
    again = ", ".join(f"{row['label']} in {_percent(row['reproduced'])} %" for row in rows)
    return (
        f"{_percent(head['coverage'])} % of the {which} have {described}; of the {head['worlds']} worlds {so}"
        f" {_percent(head['density'])} % fail{unseen}. Worlds drawn again have a box in {_percent(head['boxes_found'])} % of the draws,"
        f" which limits {again}."
    )


def _luck(tried: pd.DataFrame) -> str:
    if tried["uncertain"].isna().any():
        return "With one seed a world it is not known how many verdicts are chance."
    open_ = int(tried["uncertain"].sum())
    return (
        f"Chance leaves the verdict open in {_percent(open_ / len(tried))} % of them."
        if open_
        else "The 95 % interval of no world reaches a limit of the rule."
    )


def _percent(share: float) -> str:
    """Write a share in per cent, whole from 1 on and below 99."""
    return f"{100.0 * share:.0f}" if 0.01 <= share <= 0.99 else percent(share, signed=False)


def _limit(value: float) -> str:
    return number(value) if abs(value) >= 999.5 else f"{value:.3g}"
