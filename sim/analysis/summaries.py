"""Means over replications, scenario by scenario."""

from __future__ import annotations

import math

import pandas as pd

from sim.analysis.intervals import t_intervals
from sim.outcomes import OUTCOMES
from sim.store import DONE, MEANS


def summary(runs: pd.DataFrame) -> pd.DataFrame:
    """Return the mean over replications with its 95 % t interval: scenario, outcome, unit, mean, low, high, replications.

    A lifetime is averaged over the replications in which an account left.
    """
    done = runs[runs["status"] == DONE]
    rows = []
    for name in done["scenario"].unique():
        values = done.loc[done["scenario"] == name, list(MEANS)]
        for outcome in MEANS:
            sample = values[outcome].dropna().to_numpy()
            ends = tuple(float(end[0]) for end in t_intervals(sample)) if len(sample) else (math.nan,) * 3
            rows.append((name, outcome, OUTCOMES[outcome].unit if outcome in OUTCOMES else "days", *ends, len(sample)))
    return pd.DataFrame(rows, columns=["scenario", "outcome", "unit", "mean", "low", "high", "replications"])
