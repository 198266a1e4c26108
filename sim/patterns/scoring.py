"""Hold what the model gives against what was observed: evidence by replication, criteria, verdicts."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.analysis.intervals import Interval, Intervals, ratio_intervals, t_intervals

Reals = NDArray[np.float64]

PASS, FAIL, NOT_TESTABLE = "pass", "fail", "not testable"

EVIDENCE, OURS = "evidence", "ours"
"""Where the bound of a criterion is from: the source gives it, rounded or as an order of magnitude, or is about a direction alone; or
the source gives a direction or another number, and the size that is asked for is our choice.
"""

NOTICEABLE = 0.10
"""Where a source gives a direction but no size, a change of a tenth is asked for: press and courts would not notice less."""

A_TENTH = f"{100 * NOTICEABLE:.0f} %"

COLUMNS = (
    *("pattern", "criterion", "observed", "source", "test", "unit", "from", "to", "bound"),
    *("model", "low", "high", "replications", "verdict", "why", "detail"),
)


NOTHING_SEEN = "These runs give no estimate: what is counted, or what it is held against, did not occur."


@dataclass(frozen=True)
class Evidence:
    """What the model gave: outcomes by run and day, and what watched runs saw.

    `daily` has columns scenario, replication, day and outcomes; `window` are first day and day after the last to average over;
    `seen` has, by watched run, one mapping of arrays a replication.
    """

    daily: pd.DataFrame
    window: tuple[int, int]
    burn_in_days: int
    users: int
    shares: Mapping[str, float]
    seen: Mapping[str, Sequence[Mapping[str, Reals]]]

    def days(self, scenario: str, outcome: str) -> Reals:
        """Return an outcome by replication and day, shape `(n, days)`. Raises `ValueError` when a run lacks days."""
        rows = self.daily.loc[self.daily["scenario"] == scenario, ["replication", "day", outcome]].sort_values(["replication", "day"])
        n, last = rows["replication"].nunique(), int(rows["day"].max()) + 1 if len(rows) else 0
        if n == 0 or len(rows) != n * last:
            raise ValueError(f"scenario {scenario!r} lacks runs or days")
        return rows[outcome].to_numpy(dtype=np.float64).reshape(n, last)

    def mean(self, scenario: str, outcome: str) -> Reals:
        """Return the mean of an outcome over the window, one number a replication, shape `(n,)`."""
        first, last = self.window
        return np.asarray(self.days(scenario, outcome)[:, first:last].mean(axis=1))

    def total(self, scenario: str, outcomes: Sequence[str]) -> Reals:
        """Return the sum of the means of outcomes, shape `(n,)`."""
        return np.asarray(sum(self.mean(scenario, outcome) for outcome in outcomes))

    def counted(self, watch: str, name: str) -> Reals:
        """Return a number that a watched run counted, one a replication, shape `(n,)`."""
        return np.array([float(one[name][0]) for one in self.seen[watch]])

    def followed(self, watch: str, outcome: str) -> Reals:
        """Return an outcome of a watched run by replication and day, shape `(n, days)`."""
        return np.stack([one[outcome] for one in self.seen[watch]])


@dataclass(frozen=True)
class Measured:
    """What the model gives for a criterion: an estimate with its 95 % interval over replications.

    `steps` are differences `(n, k)` every one of which must be clearly above 0, where a criterion speaks of an order.
    """

    interval: Interval
    replications: int
    steps: Reals | None = None
    detail: str = ""


@dataclass(frozen=True)
class Criterion:
    """One testable statement of a pattern.

    `low` and `high` bound the whole 95 % interval, and `bound` says where they are from, `EVIDENCE` or `OURS`; `change` says what in the
    world's description would have to change when it fails; `note` says what is built in or fitted. `measure` is None for what cannot be
    tested, and `note` then says why.
    """

    name: str
    observed: str
    source: str
    test: str
    unit: str = ""
    low: float = -np.inf
    high: float = np.inf
    measure: Callable[[Evidence], Measured] | None = None
    change: str = ""
    note: str = ""
    bound: str = OURS

    @property
    def pattern(self) -> str:
        """Return the pattern that it belongs to."""
        return self.name[:2]


def mean_of(values: Reals, steps: Reals | None = None, detail: str = "") -> Measured:
    """Return the mean of values `(n,)` with its t interval; replications in which it is not defined are left out."""
    known = values[np.isfinite(values)]
    if not known.size:
        return Measured(Interval(np.nan, np.nan, np.nan), 0, steps, detail)
    return Measured(_first(t_intervals(known)), len(known), steps, detail)


def ratio_of(numerator: Reals, denominator: Reals, steps: Reals | None = None, detail: str = "", less: float = 0.0) -> Measured:
    """Return the ratio of the means of paired values `(n,)`, less a number, with its interval by Fieller."""
    value, low, high = _first(ratio_intervals(numerator, denominator))
    return Measured(Interval(value - less, low - less, high - less), len(numerator), steps, detail)


def change_of(after: Reals, before: Reals, steps: Reals | None = None, detail: str = "") -> Measured:
    """Return the relative change of the mean of paired values `(n,)`."""
    return ratio_of(after, before, steps, detail, less=1.0)


def rises(levels: Sequence[Reals]) -> Reals:
    """Return the steps between successive levels, each of shape `(n,)`; the result has shape `(n, k - 1)`."""
    return np.diff(np.stack(levels, axis=1), axis=1)


def judged(criterion: Criterion, evidence: Evidence) -> tuple[object, ...]:
    """Return a row of the scorecard (`COLUMNS`)."""
    bounds = tuple(float(end) for end in (criterion.low, criterion.high))
    said = (criterion.pattern, criterion.name, criterion.observed, criterion.source, criterion.test, criterion.unit, *bounds)
    if criterion.measure is None:
        return (*said, "", np.nan, np.nan, np.nan, 0, NOT_TESTABLE, criterion.note, "")
    with np.errstate(divide="ignore", invalid="ignore"):  # a market too small to count in has shares of nothing
        found = criterion.measure(evidence)
        verdict, why = verdict_on(criterion, found)
    known = not np.isnan(found.interval.value) and not re.search(r"\b(nan|inf)\b", found.detail)
    detail = re.sub(r"(?<=\d)%", " %", found.detail) if known else ""
    return (*said, criterion.bound, *found.interval, found.replications, verdict, why, detail)


def verdict_on(criterion: Criterion, found: Measured) -> tuple[str, str]:
    """Say pass when the whole interval, and every step, is where the criterion asks; and why.

    Where there is no estimate nothing can be said of the model, neither that it holds nor what would have to change.
    """
    value, low, high = found.interval
    if np.isnan(value):
        return NOT_TESTABLE, " ".join(filter(None, (NOTHING_SEEN, criterion.note)))
    inside = bool(criterion.low <= low and high <= criterion.high)
    clear = found.steps is None or bool((t_intervals(found.steps).low > 0.0).all())
    if inside and clear:
        return PASS, criterion.note
    reasons = []
    reaches = low <= criterion.high and high >= criterion.low
    if not np.isfinite(low):
        reasons.append("The interval is unbounded: too few events or replications.")
    elif not inside and criterion.low <= value <= criterion.high:
        reasons.append("The estimate is inside, its interval is not: undecided at this number of replications.")
        if clear:
            return FAIL, " ".join([*reasons, *filter(None, (criterion.note,))])
    elif not inside and reaches:
        reasons.append("The estimate is outside, but its interval reaches what is asked: undecided at this number of replications.")
    if not clear and found.steps is not None:
        ends = t_intervals(found.steps)
        wrong = int((ends.low <= 0.0).sum())
        reasons.append(f"{wrong} of {found.steps.shape[1]} steps {'is' if wrong == 1 else 'are'} not clearly in the order asked for.")
    return FAIL, " ".join([*reasons, *filter(None, (criterion.change, criterion.note))])


def scorecard(criteria: Sequence[Criterion], evidence: Evidence) -> pd.DataFrame:
    """Return the scorecard: one row a criterion (`COLUMNS`)."""
    return pd.DataFrame([judged(criterion, evidence) for criterion in criteria], columns=list(COLUMNS))


def _first(intervals: Intervals) -> Interval:
    return Interval(*(float(end[0]) for end in intervals))
