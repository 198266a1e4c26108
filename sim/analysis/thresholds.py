"""How strong is enough: from which level on an effect is beyond chance, and at which it reaches half of what it can."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sim.analysis.intervals import clear
from sim.analysis.pairs import Reals

THRESHOLDS: tuple[str, ...] = (
    "outcome", "side", "baseline_level", "full_level", "full_difference", "full_relative", "clear_level", "half_level", "replications",
)  # fmt: skip


def thresholds(dose: pd.DataFrame, baseline: str, outcomes: Sequence[str]) -> pd.DataFrame:
    """Return one row an outcome and side of the baseline's own level (`THRESHOLDS`): `above` it and `below` it, where there are levels.

    `dose` is what `dose_response` returns. The full effect is that at the farthest level of the side. `clear_level` is the level nearest to
    the baseline's from which on, to the farthest, the simultaneous interval lies on the full effect's side of 0. `half_level` is where the
    effect reaches half of the full one and stays above it, on straight lines between levels. Both are NaN where the full effect is not
    beyond chance. Without a level of its own the baseline stands below all levels.
    """
    rows = []
    for outcome in dict.fromkeys(outcomes):
        part = dose[dose["outcome"] == outcome]
        own = float(part.loc[part["scenario"] == baseline, "level"].iloc[0]) if (part["scenario"] == baseline).any() else np.nan
        levels = part[part["scenario"] != baseline]
        sides = {"above": levels if np.isnan(own) else levels[levels["level"] > own], "below": levels[levels["level"] < own]}
        for side, found in sides.items():
            if len(found):
                ordered = found.sort_values("level", ascending=side == "above")
                rows.append((outcome, side, own, *_of_side(ordered, own)))
    return pd.DataFrame(rows, columns=list(THRESHOLDS))


def _of_side(part: pd.DataFrame, own: float) -> tuple[float, float, float, float, float, int]:
    """Return the numbers of one side; `part` has a row a level, from the baseline's level outwards."""
    names = ("level", "difference", "simultaneous_low", "simultaneous_high", "relative")
    level, effect, low, high, relative = (part[name].to_numpy(dtype=np.float64) for name in names)
    counts = part["replications"].to_numpy(dtype=np.int64)
    n = int(counts.min())
    full = float(effect[-1])
    sides = [np.sign(value) if clear(a, b, int(c)) else 0.0 for value, a, b, c in zip(effect, low, high, counts, strict=True)]
    beyond = np.array(sides) == np.sign(full)
    if full == 0.0 or not beyond[-1]:
        return float(level[-1]), full, float(relative[-1]), np.nan, np.nan, n
    first = len(beyond) - int(np.argmin(beyond[::-1])) if not beyond.all() else 0
    return float(level[-1]), full, float(relative[-1]), float(level[first]), _half(level, effect / full, own), n


def _half(level: Reals, share: Reals, own: float) -> float:
    """Return the level from which on the share of the full effect stays at half or more."""
    if not np.isnan(own):
        level, share = np.append(own, level), np.append(0.0, share)
    last = int(np.flatnonzero(share < 0.5)[-1]) if (share < 0.5).any() else -1
    if last < 0:
        return float(level[0])
    return float(level[last] + (level[last + 1] - level[last]) * (0.5 - share[last]) / (share[last + 1] - share[last]))
