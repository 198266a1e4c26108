"""Tables of runs over parameters of which the truth is known."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sim import analysis
from sim.analysis.uncertain import Worlds

OUTCOME = "stock_rented"
SE = 3.3  # standard errors that a statistical test allows: once in a thousand it is wrong


def worlds_of(members: int, policies: tuple[str, ...] = ("policy",)) -> Worlds:
    names = {f"{name}__m{k:02d}": (name, k) for k in range(members) for name in ("base", *policies)}
    return Worlds.of("base", names)


def runs_of(worlds: Worlds, effects: np.ndarray, bases: np.ndarray | float = 100.0, outcome: str = OUTCOME) -> pd.DataFrame:
    """Make runs in which policy p of world w in replication r changes the baseline by the share `effects[w, r, p]`."""
    bases = np.broadcast_to(bases, effects.shape[:2])
    rows = []
    for w, names in enumerate(worlds.names):
        for r in range(effects.shape[1]):
            shares = (0.0, *effects[w, r])
            rows += [
                {"scenario": name, "replication": r, "seed": 1 + r + 1000 * w, "status": "done", outcome: bases[w, r] * (1.0 + share)}
                for name, share in zip(names, shares, strict=True)
            ]
    return pd.DataFrame(rows)


def row_of(effects: np.ndarray, **options: object) -> pd.Series:
    worlds = worlds_of(len(effects) - 1)
    (row,) = analysis.robustness(runs_of(worlds, effects, **options), worlds, [OUTCOME]).to_dict("records")
    return row


def noisy(rng: np.random.Generator, members: np.ndarray, chance: float, replications: int) -> np.ndarray:
    """Return effects `(worlds, replications, 1)` around those of members, the ledger's world having their mean."""
    centres = np.append(members.mean(), members)[:, None, None]
    return centres + chance * rng.standard_normal((len(members) + 1, replications, 1))


THREE = ("first", "second", "third")


def ranked(centres: np.ndarray, noise: float = 0.001, outcome: str = OUTCOME) -> tuple[dict, pd.DataFrame]:
    """Rank three policies in worlds with effects `(worlds, 3)`, whose replications differ by noise that policies do not share."""
    worlds = worlds_of(len(centres) - 1, THREE)
    own = noise * np.array([[1.0, -1.0, 1.0], [-1.0, 1.0, -1.0]])
    runs = runs_of(worlds, centres[:, None, :] + own[None], outcome=outcome)
    (row,) = analysis.ranking(runs, worlds, [outcome]).to_dict("records")
    return row, analysis.ranking_pairs(runs, worlds, [outcome])


CENTRES = np.array(
    [
        [-0.3, -0.2, 0.1],  # the ledger's order
        [-0.6, -0.5, 0.0],  # the same
        [-0.2, -0.3, 0.1],  # first and second change places
        [0.3, 0.2, 0.1],  # turned round
        [-0.3, -0.29, 0.1],  # the same, but close
        [-0.5, 0.1, 0.0],  # second and third change places
    ]
)


def verdicts() -> pd.DataFrame:
    """Return five policies with 20 members: one that holds, one that leans, one that depends, one open, one that does nothing."""
    names = ("holds", "leans", "depends", "open", "nothing")
    centres = np.zeros((21, 5))
    centres[:, 0] = -0.5
    centres[1, 0] = 0.5  # 19 of 20 are enough
    centres[:, 1] = np.append(0.5, np.linspace(0.001, 0.2, 20))
    centres[:, 2] = np.append(0.5, [*[0.4] * 15, *[-0.4] * 5])
    centres[:, 3] = np.append(0.001, [*[0.4] * 10, *[-0.4] * 10])
    noise = 0.01 * np.array([[1.0, -1.0, 1.0, -1.0, 0.0], [-1.0, 1.0, -1.0, 1.0, 0.0]])
    worlds = worlds_of(20, names)
    return analysis.robustness(runs_of(worlds, centres[:, None, :] + noise[None]), worlds, [OUTCOME])
