"""How much of the variance of paired differences would go if each was corrected for what its baseline did before the policy.

Run as a script on the results of `abm compare scenarios/experiments/paired_variance.toml`, writes the table:
`python tests/statistical/control_variates.py results/paired_variance --out results/reference/paired_variance/control_variates.csv`.
A control variate has to differ from seed to seed: the mean field is the same for all, so that the variance about it is the whole.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from sim import luck
from sim.analysis.pairs import others, pairs
from sim.comparison import Comparison
from sim.conduct import open_results
from sim.reference import SHOWN

RESAMPLES, SEED = 4000, 20202
LAST = 30
"""Days just before the policy, whose mean is tried beside that of all days before it."""

HEAD = ("scenario", "outcome", "first_day", "last_day", "correlation", "left", "left_low", "left_high", "pairs")
"""Columns of the table: the days of the covariate, both included, and the part of the variance that is left."""


class Left(NamedTuple):
    """The correlation of a difference with a covariate, and the part of its variance that is left with a 95 % interval."""

    correlation: float
    left: float
    low: float
    high: float


def variance_left(differences: ArrayLike, covariate: ArrayLike, resamples: int = RESAMPLES) -> Left:
    """Regress differences `(n,)` on a covariate `(n,)`: residual variance, n - 2 degrees, over the variance, n - 1 degrees.

    Both variances are unbiased, so that a covariate which says nothing leaves 1 on average, and (n - 1)/(n - 2) at most. The interval is
    that of `resamples` bootstrap samples of the pairs (percentiles), the same each time.
    """
    d, x = np.asarray(differences, dtype=np.float64), np.asarray(covariate, dtype=np.float64)
    n = len(d)
    chosen = np.minimum((luck.uniforms(SEED, "pairs of a control variate", (resamples, n)) * n).astype(np.int64), n - 1)
    low, high = np.quantile(_left(_squares(d[chosen], x[chosen]), n), (0.025, 0.975))
    return Left(float(np.corrcoef(d, x)[0, 1]), float(_left(_squares(d[None], x[None]), n)[0]), float(low), float(high))


def _squares(d: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the squared correlation of each row."""
    d, x = d - d.mean(axis=1, keepdims=True), x - x.mean(axis=1, keepdims=True)
    product, size = (d * x).sum(axis=1) ** 2, (d * d).sum(axis=1) * (x * x).sum(axis=1)
    return np.divide(product, size, out=np.zeros(len(d)), where=size > 0.0)


def _left(square: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    return (1.0 - square) * (n - 1) / (n - 2)


def before(daily: pd.DataFrame, baseline: str, outcome: str, first: int, end: int) -> pd.Series:
    """Return the mean of an outcome of the baseline over days [first, end), by replication."""
    ours = daily[(daily["scenario"] == baseline) & (daily["day"] >= first) & (daily["day"] < end)]
    return ours.groupby("replication")[outcome].mean()


def table(done: Comparison, outcomes: Sequence[str], resamples: int = RESAMPLES) -> list[dict[str, object]]:
    """Return a row for each policy, outcome and covariate (the mean of all days before the policy, or of the last `LAST`)."""
    baseline = done.plan.baseline or ""
    daily = done.days_of(outcomes)
    rows: list[dict[str, object]] = []
    for outcome in outcomes:
        for name in others(done.runs, baseline):
            start = min(policy.first_day for policy in done.plan.scenarios[name].policies.values())
            replications, without, with_policy = pairs(done.runs, baseline, name, [outcome])
            for first in (0, start - LAST):
                covariate = before(daily, baseline, outcome, first, start).loc[replications]
                found = variance_left(with_policy[:, 0] - without[:, 0], covariate, resamples)
                rows.append(dict(zip(HEAD, (name, outcome, first, start - 1, *found, len(replications)), strict=True)))
    return rows


def main(arguments: Sequence[str]) -> int:
    """Print the table and write it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("results", type=Path, help="directory of a comparison, with its days")
    parser.add_argument("--out", type=Path, help="file for the table, CSV")
    asked = parser.parse_args(arguments)
    done = open_results(asked.results)
    if not isinstance(done, Comparison):
        parser.error(f"{asked.results} holds no comparison")
    rows = table(done, SHOWN["paired_variance"].only["outcome"])
    for row in rows:
        sys.stdout.write("  ".join(f"{value:.3f}" if isinstance(value, float) else str(value) for value in row.values()) + "\n")
    if asked.out is not None:
        with asked.out.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, HEAD, lineterminator="\n")
            writer.writeheader()
            writer.writerows({key: f"{v:.6g}" if isinstance(v, float) else v for key, v in row.items()} for row in rows)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
