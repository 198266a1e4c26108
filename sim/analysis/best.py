"""How sure is it which policy is best? By resampling seeds, so that policies keep the luck that they share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sim import luck
from sim.analysis.intervals import DRAW_SEED, FEW
from sim.analysis.pairs import Reals, others, pairs
from sim.analysis.rankings import best_is

BEST: tuple[str, ...] = ("outcome", "best_is", "place", "scenario", "mean", "best_share", "few_seeds", "replications", "resamples")

RESAMPLES = 4000


def best(runs: pd.DataFrame, baseline: str, outcomes: Sequence[str], resamples: int = RESAMPLES) -> pd.DataFrame:
    """Return one row an outcome and scenario (`BEST`), the best first; doing nothing, the baseline, stands among them.

    `best_share` is the share of `resamples` bootstrap samples of the seeds in which the scenario's mean is best; scenarios that are equally
    good share it. All scenarios are resampled together, on the replications that all of them finished and where the outcome is not missing.
    It is NaN with one replication; with fewer than `FEW` the sample knows little of its own spread, and `few_seeds` says so.
    """
    names = [baseline, *others(runs, baseline)]
    rows = []
    for outcome in dict.fromkeys(outcomes):
        values = _together(runs, names, outcome)
        n = len(values)
        if n == 0:
            continue
        better = -1.0 if best_is(outcome) == "lowest" else 1.0
        means = values.mean(axis=0)
        shares = _shares(better * values, resamples) if n > 1 else np.full(len(names), np.nan)
        order = np.argsort(-better * means, kind="stable")
        for place, k in enumerate(order, start=1):
            head = (outcome, best_is(outcome), place, names[k], float(means[k]))
            rows.append((*head, float(shares[k]), n < FEW, n, resamples if n > 1 else 0))
    return pd.DataFrame(rows, columns=list(BEST))


def _together(runs: pd.DataFrame, names: Sequence[str], outcome: str) -> Reals:
    """Return an outcome `(replications, scenarios)` in the replications that all scenarios finished."""
    columns: dict[str, pd.Series] = {}
    for name in names:
        found = pairs(runs, names[0], name, [outcome])
        columns[name] = pd.Series(found.after[:, 0], index=found.replications)
    return pd.DataFrame(columns).dropna().to_numpy(dtype=np.float64)


def _shares(goodness: Reals, resamples: int) -> Reals:
    """Return in what share of bootstrap samples of the rows `(n, k)` each column has the highest mean; ties share."""
    n = len(goodness)
    draws = luck.uniforms(DRAW_SEED, "which is best", (resamples, n))
    chosen = np.minimum((draws * n).astype(np.int64), n - 1)
    counts = np.zeros((resamples, n))
    np.add.at(counts, (np.arange(resamples)[:, None], chosen), 1.0)
    shifted = goodness - goodness.mean()  # equal columns stay equal, and rounding stays small beside what differs
    means = counts @ shifted / n
    slack = 64.0 * np.finfo(np.float64).eps * max(float(np.abs(goodness).max()), 1e-300)
    top = means >= means.max(axis=1, keepdims=True) - slack
    shares: Reals = (top / top.sum(axis=1, keepdims=True)).mean(axis=0)
    return shares
