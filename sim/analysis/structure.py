"""The same comparison under several structures of the model, side by side: which effects keep their sign."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from sim.analysis.uncertain import SHARE
from sim.outcomes import OUTCOMES

SAME, NONE, UNCLEAR, OPPOSITE = "same sign", "no effect", "unclear", "opposite signs"
"""What several intervals say together: all on one side of 0; all exactly 0; some hold 0; two on different sides."""


def side_by_side(comparisons: Mapping[str, pd.DataFrame], outcomes: Sequence[str]) -> pd.DataFrame:
    """Return one row a policy and outcome, with the relative effect and its 95 % interval under each structure, and a verdict.

    `comparisons` are tables of paired differences (`analysis.comparison`) by the name of the structure. Columns: policy, outcome, unit,
    for each structure `<name>`, `<name>_low`, `<name>_high` as shares of that structure's own baseline (in the outcome's unit where
    there is no share), and `verdict`, read from the differences. Raises `ValueError` when the tables do not hold the same policies.
    """
    policies = [list(dict.fromkeys(table["scenario"])) for table in comparisons.values()]
    if any(names != policies[0] for names in policies):
        raise ValueError(f"the comparisons have other policies: {policies}")
    tables = {name: table.set_index(["scenario", "outcome"]) for name, table in comparisons.items()}
    rows = []
    for policy in policies[0] if policies else ():
        for outcome in outcomes:
            found = {name: table.loc[(policy, outcome)] for name, table in tables.items()}
            kind = "relative" if all(np.isfinite(row["relative_low"]) for row in found.values()) else "difference"
            cells: dict[str, object] = {"policy": policy, "outcome": outcome, "unit": SHARE if kind == "relative" else unit_of(outcome)}
            for name, row in found.items():
                cells |= {name: row[kind], f"{name}_low": row[f"{kind}_low"], f"{name}_high": row[f"{kind}_high"]}
            cells["verdict"] = verdict([(row["difference_low"], row["difference_high"]) for row in found.values()])
            rows.append(cells)
    return pd.DataFrame(rows)


def unit_of(outcome: str) -> str:
    """Return the unit of an outcome's difference."""
    return OUTCOMES[outcome].unit if outcome in OUTCOMES else "days"


def verdict(intervals: Sequence[tuple[float, float]]) -> str:
    """Return what intervals of one effect under several structures say together."""
    sides = {1 if low > 0 else -1 if high < 0 else 0 for low, high in intervals}
    if {1, -1} <= sides:
        return OPPOSITE
    if sides == {0}:
        return NONE if all(low == high == 0 for low, high in intervals) else UNCLEAR
    return UNCLEAR if 0 in sides else SAME


def in_words(table: pd.DataFrame) -> list[str]:
    """Return which effects keep their sign under all structures, in plain sentences."""
    effects = table[table["verdict"] != NONE]
    if effects.empty:
        return ["There is no effect, under any rule of learning."]
    same = int((effects["verdict"] == SAME).sum())
    lines = [f"{same} of {len(effects)} effects have the same sign, beyond chance, under every rule of learning."]
    for kind in (OPPOSITE, UNCLEAR):
        named = [f"{row.policy} on {row.outcome}" for row in effects.itertuples() if row.verdict == kind]
        if named:
            lines.append(f"{kind[:1].upper()}{kind[1:]}: {', '.join(named)}.")
    return lines
