"""Pair the runs of two scenarios: replication k of every scenario has the same seed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Reals = NDArray[np.float64]


class Pairs(NamedTuple):
    """Outcomes in the replications that two scenarios both finished: values are `(n, k)` for k outcomes."""

    replications: NDArray[np.int64]
    before: Reals
    after: Reals


def finished(runs: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of runs that did not fail."""
    return runs[runs["status"] != "failed"] if "status" in runs.columns else runs


def others(table: pd.DataFrame, baseline: str, scenarios: Iterable[str] | None = None) -> list[str]:
    """Return the scenarios to compare with the baseline, as asked or in order of appearance.

    Raises `ValueError` naming the baseline or scenarios of which the table has no finished run.
    """
    present = [str(name) for name in finished(table)["scenario"].unique()]
    if baseline not in present:
        raise ValueError(f"no finished run of the baseline {baseline!r}; the table has {present}")
    if scenarios is None:
        return [name for name in present if name != baseline]
    wanted = [name for name in scenarios if name != baseline]
    missing = [name for name in wanted if name not in present]
    if missing:
        raise ValueError(f"no finished run of {missing}; the table has {present}")
    return wanted


def pairs(runs: pd.DataFrame, baseline: str, scenario: str, outcomes: Sequence[str]) -> Pairs:
    """Return the outcomes of baseline (`before`) and scenario (`after`) in the replications that both finished.

    Raises `ValueError` if a replication appears twice or its two seeds differ, since then nothing is paired.
    """
    done = finished(runs)
    names = list(outcomes)
    sides = []
    for name in (baseline, scenario):
        side = done[done["scenario"] == name].set_index("replication")
        if side.index.has_duplicates:
            raise ValueError(f"scenario {name!r} has a replication twice")
        sides.append(side)
    common = sides[0].index.intersection(sides[1].index).sort_values()
    first, second = (side.loc[common] for side in sides)
    if "seed" in done.columns and not np.array_equal(first["seed"].to_numpy(), second["seed"].to_numpy()):
        raise ValueError(f"replications of {baseline!r} and {scenario!r} have different seeds: they are not paired")
    before, after = first[names].to_numpy(dtype=np.float64), second[names].to_numpy(dtype=np.float64)
    return Pairs(common.to_numpy(dtype=np.int64), before, after)
