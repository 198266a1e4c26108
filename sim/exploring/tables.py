"""The table of points: a row a point, with factors, outcomes and what chance leaves open."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Protocol

import pandas as pd

from sim.exploring.given import Values
from sim.store import DONE

ERROR = "_standard_error"
"""What the column of an outcome's Monte-Carlo standard error ends in."""


class Placed(Protocol):
    """A scenario at a point."""

    @property
    def number(self) -> int:
        """Number of the point."""

    @property
    def name(self) -> str:
        """What runs call it."""

    @property
    def of(self) -> str:
        """The scenario that it was made of."""

    @property
    def at(self) -> Values:
        """Values of the factors."""


def points_table(runs: pd.DataFrame, points: Sequence[Placed], factors: Sequence[str], outcomes: Sequence[str]) -> pd.DataFrame:
    """Return one row a point and scenario, in the order of `points`.

    An outcome is its mean over the replications that ended well; its standard error is s / sqrt(n) over those that have it (a lifetime has
    none where nobody left), NaN for fewer than two.
    """
    done = runs[runs["status"] == DONE]
    by_name = done.groupby("scenario", sort=False)[list(outcomes)]
    means, errors, counts = by_name.mean(), by_name.sem(), done.groupby("scenario").size()
    made: dict[str, list[Any]] = {"point": [point.number for point in points]}
    if len({point.of for point in points}) > 1:
        made["policy"] = [point.of for point in points]
    names = [point.name for point in points]
    made["scenario"] = list(names)
    for key in factors:
        made[key] = [point.at.get(key, math.nan) for point in points]
    for outcome in outcomes:
        made[outcome] = means[outcome].reindex(names).to_list()
        made[outcome + ERROR] = errors[outcome].reindex(names).to_list()
    made["replications"] = counts.reindex(names).fillna(0).astype(int).to_list()
    return pd.DataFrame(made)
