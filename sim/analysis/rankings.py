"""Do policies rank the same over a set of parameter vectors? Chance is told apart from parameters."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from sim.analysis.uncertain import EFFECT, Reals, Worlds, decomposed, effects, row_of, share, share_interval, unit_of
from sim.outcomes import OUTCOMES

PAIRS: tuple[str, ...] = ("outcome", "first", "second", *EFFECT)
RANKING: tuple[str, ...] = (
    "outcome", "best_is", "central_order", "policies", "changed_share", "changed_share_low", "changed_share_high", "changed_clear_share",
    "kendall_mean", "kendall_most", "best", "best_share", "best_share_low", "best_share_high", "best_beaten_share", "members",
)  # fmt: skip


def ranking_pairs(runs: pd.DataFrame, worlds: Worlds, outcomes: Sequence[str]) -> pd.DataFrame:
    """Return one row an outcome and pair of policies (`PAIRS`): `first`, the better one in the ledger's world, less `second`."""
    rows = []
    for outcome in outcomes:
        found = effects(runs, worlds, outcome)
        order = _order(decomposed(found.by_run).means[0], outcome)
        couples = list(combinations(order, 2))
        if not couples:
            continue
        parts = decomposed(np.stack([found.by_run[:, :, i] - found.by_run[:, :, j] for i, j in couples], axis=2))
        names = worlds.policies
        rows += [(outcome, names[i], names[j], *row_of(parts, k, unit_of(found, outcome))) for k, (i, j) in enumerate(couples)]
    return pd.DataFrame(rows, columns=list(PAIRS))


def ranking(runs: pd.DataFrame, worlds: Worlds, outcomes: Sequence[str]) -> pd.DataFrame:
    """Return one row an outcome (`RANKING`): in what share of members policies rank otherwise than in the ledger's world.

    A pair is reversed where its two policies stand the other way round; `changed_share` of members reverse one pair or more, and
    `changed_clear_share` one that both there and in the ledger's world is ordered beyond chance. `kendall_*` are mean and most reversed
    pairs as a share of all (Kendall's distance). In `best_share` of members none is better than the ledger's best policy; in
    `best_beaten_share` another one is better beyond chance. Equal policies are ordered neither way. Members in which a policy has no
    finished run are left out.
    """
    rows = []
    for outcome in outcomes:
        found = effects(runs, worlds, outcome)
        better = 1.0 if best_is(outcome) == "highest" else -1.0
        order = _order(decomposed(found.by_run).means[0], outcome)
        couples = np.array(list(combinations(order, 2)), dtype=np.int64)
        if len(couples) == 0 or not np.isfinite(found.by_run[0]).any(axis=0).all():
            continue
        first, second = couples.T
        parts = decomposed(better * (found.by_run[:, :, first] - found.by_run[:, :, second]))
        whole = np.isfinite(parts.means[1:]).all(axis=1)
        signs, sides = np.sign(parts.means[1:][whole]), parts.sides()[1:][whole]
        reversed_ = signs * np.sign(parts.means[0]) < 0.0
        clearly = sides * parts.sides()[0] < 0
        of_best = first == order[0]
        n = len(signs)
        changed = share_interval(int(reversed_.any(axis=1).sum()), n)
        kept = share_interval(int((signs[:, of_best] >= 0.0).all(axis=1).sum()), n)
        names = [worlds.policies[k] for k in order]
        distances = reversed_.mean(axis=1)
        rows.append(
            (
                *(outcome, best_is(outcome), " > ".join(names), len(names), *changed, share(clearly.any(axis=1))),
                *(float(distances.mean()) if n else np.nan, float(distances.max()) if n else np.nan),
                *(names[0], *kept, share((sides[:, of_best] < 0).any(axis=1)), n),
            )
        )
    return pd.DataFrame(rows, columns=list(RANKING))


def _order(central: Reals, outcome: str) -> list[int]:
    """Return the policies from the best to the worst by their effects in the ledger's world; those equal keep their order."""
    return [int(k) for k in np.argsort(-central if best_is(outcome) == "highest" else central, kind="stable")]


def best_is(outcome: str) -> str:
    """Say whether the `lowest` or the `highest` value of an outcome is best."""
    return "highest" if outcome in OUTCOMES and OUTCOMES[outcome].better == "higher" else "lowest"
