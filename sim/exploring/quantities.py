"""What is analysed of an experiment's runs: an outcome as it is, what each policy does to it, and the order of the policies."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.analysis.uncertain import SHARE, decomposed, share, share_interval
from sim.analysis.words import unit_of
from sim.exploring.carrying import OWN, Explored
from sim.outcomes import OUTCOMES
from sim.store import DONE

Reals = NDArray[np.float64]

ORDER = "order_of_policies"
"""Subject of a row about how far policies rank otherwise than with the ledger's values."""

REVERSED = "share of pairs"
"""Unit of such a row: pairs of policies that stand the other way round."""

RANKING = (
    "outcome", "best_is", "ledger_order", "policies", "points", "changed_share", "changed_share_low", "changed_share_high",
    "changed_clear_share", "mean_reversed_share", "best", "best_share", "best_share_low", "best_share_high",
)  # fmt: skip


class Quantity(NamedTuple):
    """One thing that is analysed: `runs` `(points, replications)`, the scenario's own point not among them."""

    outcome: str
    subject: str
    unit: str
    runs: Reals


def cube(done: Explored, outcome: str) -> Reals:
    """Return an outcome of all runs, `(points, replications, scenarios)`, own point first if there is one; NaN where a run failed."""
    runs = done.runs[done.runs["status"] == DONE]
    table = runs.set_index(["scenario", "replication"])[outcome].unstack()  # noqa: PD010  # every row stands alone
    names = [point.name for point in done.layout.points]
    wide = table.reindex(index=names, columns=range(done.layout.plan.replications))
    of = len(done.layout.asked.scenarios)
    return np.asarray(wide.to_numpy(dtype=np.float64).reshape(-1, of, done.layout.plan.replications).transpose(0, 2, 1))


def quantities(done: Explored, outcome: str) -> list[Quantity]:
    """Return an outcome of the baseline, the effect of each policy on it, and the order of the policies where there are several.

    An effect is a share of the same point's baseline: d_k / b, which over replications averages to r, the ratio of means, as
    r + (d_k - r b_k) / b (the delta method); in the outcome's unit where some run of a baseline is not above 0.
    """
    values, own = cube(done, outcome), has_own(done)
    inside = values[1:] if own else values
    names = [scenario.name for scenario in done.layout.asked.scenarios]
    found = [Quantity(outcome, names[0], unit_of(outcome), inside[:, :, 0])]
    base = inside[:, :, 0]
    for k, name in enumerate(names[1:], start=1):
        effect, unit = inside[:, :, k] - base, unit_of(outcome)
        if (base > 0.0).all():
            mean = base.mean(axis=1, keepdims=True)
            ratio = effect.mean(axis=1, keepdims=True) / mean
            effect, unit = ratio + (effect - ratio * base) / mean, SHARE
        found.append(Quantity(outcome, name, unit, effect))
    if own and len(names) > 2:
        found.append(Quantity(outcome, ORDER, REVERSED, reversals(values[:, :, 1:], outcome)[1:].mean(axis=1, keepdims=True)))
    return found


def reversals(values: Reals, outcome: str) -> Reals:
    """Say which pairs of policies stand the other way round than at the first point, `(points, pairs)`, from `(points, runs, policies)`."""
    signs = np.sign(_pairs(values, outcome).mean(axis=1))
    return np.asarray(signs * signs[0] < 0.0, dtype=np.float64)


def ranking(done: Explored, outcomes: Sequence[str]) -> pd.DataFrame:
    """Return one row an outcome (`RANKING`): at what share of points the order of policies is another than with the ledger's values.

    In `changed_clear_share` of the points a pair is reversed that there and at the ledger's values is ordered beyond chance, judged with
    intervals that hold for all pairs at all points at once: that one of these points is there by chance has a chance of 5 % at most. At
    `best_share` no policy is better than the ledger's best. Intervals are those of so many independent points (Clopper & Pearson 1934);
    points of a design are not quite that.
    """
    rows = []
    names = [scenario.name for scenario in done.layout.asked.scenarios][1:]
    for outcome in outcomes if has_own(done) and len(names) > 1 else ():
        values = cube(done, outcome)[:, :, 1:]
        if not np.isfinite(values).all():
            continue
        better = _better(outcome)
        order = np.argsort(-better * values[0].mean(axis=0), kind="stable")
        pairs = _pairs(values, outcome)
        sides = decomposed(pairs, family=pairs[:, 0].size).sides()
        changed = reversals(values, outcome)[1:]
        clear = sides[1:] * sides[0] < 0
        scores = better * values.mean(axis=1)[1:]
        kept = scores[:, order[0]] >= scores.max(axis=1)
        n = len(scores)
        rows.append(
            (
                *(outcome, "highest" if better > 0.0 else "lowest", " > ".join(names[k] for k in order), len(names), n),
                *(*share_interval(int(changed.any(axis=1).sum()), n), share(clear.any(axis=1)), float(changed.mean())),
                *(names[order[0]], *share_interval(int(kept.sum()), n)),
            )
        )
    return pd.DataFrame(rows, columns=list(RANKING))


def has_own(done: Explored) -> bool:
    """Say whether the first point is the scenario as it is."""
    return done.layout.points[0].number == OWN


def _pairs(values: Reals, outcome: str) -> Reals:
    """Return by how much the first of each pair of policies is better, `(points, replications, pairs)`."""
    first, second = np.array(list(combinations(range(values.shape[2]), 2)), dtype=np.int64).reshape(-1, 2).T
    return _better(outcome) * (values[:, :, first] - values[:, :, second])


def _better(outcome: str) -> float:
    return 1.0 if outcome in OUTCOMES and OUTCOMES[outcome].better == "higher" else -1.0
