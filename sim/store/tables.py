"""What a run yields, and the tables `runs` and `daily` made of many."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sim.levers import CHANNELS
from sim.outcomes import OUTCOMES

if TYPE_CHECKING:
    import pyarrow as pa

    from sim.store.parts import Place

Reals = NDArray[np.float64]

MEANS: tuple[str, ...] = (*OUTCOMES, *(f"lifetime_days_{channel}" for channel in CHANNELS))
"""Columns of the `runs` table that a run itself yields."""

KEYS = ("run_id", "scenario", "replication", "seed")
"""Columns that say which run a row of `runs` or `daily` belongs to."""

DONE, FAILED = "done", "failed"
_RUNS_A_ROW_GROUP = 32


@dataclass(frozen=True)
class RunResult:
    """What a run yields: `daily` outcomes of shape `(days,)` each, their `means` over the window, and the `seconds` it took.

    A run that shared its burn-in counts an equal part of the burn-in's seconds, so that the seconds of all runs sum to the time spent.
    """

    daily: Mapping[str, NDArray[np.float64]]
    means: Mapping[str, float]
    seconds: float


@dataclass(frozen=True)
class Row:
    """Which run stands for which replication of which scenario in the tables."""

    run_id: str
    scenario: str
    replication: int
    seed: int


class Summaries(Protocol):
    """Where the means of finished runs are known."""

    def has(self, run_id: str) -> bool:
        """Say whether the run is finished."""

    def summaries(self, run_ids: Sequence[str]) -> tuple[Reals, Reals]:
        """Return seconds, shape `(n,)`, and means, shape `(n, len(MEANS))`; NaN for a run that is not finished."""


class Parts(Summaries, Protocol):
    """Where finished runs are kept."""

    def write(self, run_id: str, result: RunResult) -> None:
        """Keep a finished run."""

    def read(self, run_id: str) -> RunResult:
        """Return a finished run."""

    def summary(self, run_id: str) -> tuple[float, Mapping[str, float]]:
        """Return the seconds and the means of a finished run."""

    def fail(self, failure: Mapping[str, Any]) -> None:
        """Keep the record of a failed run."""

    def failure(self, run_id: str) -> dict[str, Any] | None:
        """Return the record of a run that failed before; None when it did not, or is to be made again."""

    def written(self, run_id: str) -> None:
        """Note that a process has kept a finished run at `place`."""

    @property
    def place(self) -> Place | None:
        """Return where processes keep the runs they make; None when they hand them over."""


class Memory:
    """Parts kept in memory, for work from Python without a results directory; without `days` only their means are kept."""

    place: Place | None = None

    def __init__(self, days: bool = True) -> None:
        self._days = days
        self._results: dict[str, RunResult] = {}

    def has(self, run_id: str) -> bool:
        """Say whether the run is finished."""
        return run_id in self._results

    def write(self, run_id: str, result: RunResult) -> None:
        """Keep a finished run."""
        self._results[run_id] = result if self._days else replace(result, daily={name: days[:0] for name, days in result.daily.items()})

    def read(self, run_id: str) -> RunResult:
        """Return a finished run."""
        return self._results[run_id]

    def summary(self, run_id: str) -> tuple[float, Mapping[str, float]]:
        """Return the seconds and the means of a finished run."""
        return self._results[run_id].seconds, self._results[run_id].means

    def summaries(self, run_ids: Sequence[str]) -> tuple[Reals, Reals]:
        """Return seconds, shape `(n,)`, and means, shape `(n, len(MEANS))`; NaN for a run that is not finished."""
        seconds, means = np.full(len(run_ids), np.nan), np.full((len(run_ids), len(MEANS)), np.nan)
        for k, run_id in enumerate(run_ids):
            if self.has(run_id):
                seconds[k], of = self.summary(run_id)
                means[k] = [of[name] for name in MEANS]
        return seconds, means

    def fail(self, failure: Mapping[str, Any]) -> None:
        """Do nothing: the report of `run_jobs` carries the failure."""

    def failure(self, run_id: str) -> dict[str, Any] | None:
        """Return None: a run that failed is made again."""

    def written(self, run_id: str) -> None:
        """Do nothing: processes hand their runs over."""


def runs_table(rows: Sequence[Row], parts: Summaries) -> pa.Table:
    """Return one row a run; a run that is not among the parts has failed."""
    import pyarrow as pa

    done = [parts.has(row.run_id) for row in rows]
    seconds, means = parts.summaries([row.run_id if there else "" for row, there in zip(rows, done, strict=True)])
    columns = _key_columns(rows, [1] * len(rows))
    columns["seconds"] = seconds
    columns["status"] = pa.array([DONE if there else FAILED for there in done], pa.string())
    columns.update(zip(MEANS, means.T.copy(), strict=True))
    return pa.table(columns)


def daily_tables(rows: Sequence[Row], parts: Parts) -> Iterator[pa.Table]:
    """Return the days of all finished runs, some runs a table."""
    finished = [row for row in rows if parts.has(row.run_id)]
    for start in range(0, len(finished), _RUNS_A_ROW_GROUP):
        yield days_table([(row, parts.read(row.run_id)) for row in finished[start : start + _RUNS_A_ROW_GROUP]])


def _key_columns(rows: Sequence[Row], repeats: Sequence[int]) -> dict[str, Any]:
    import pyarrow as pa

    where = np.repeat(np.arange(len(rows)), repeats)
    kinds = {"run_id": pa.string(), "scenario": pa.string(), "replication": pa.int64(), "seed": pa.int64()}
    return {key: pa.array([getattr(row, key) for row in rows], kinds[key]).take(pa.array(where)) for key in KEYS}


def days_table(batch: Sequence[tuple[Row, RunResult]]) -> pa.Table:
    """Return one row a run and day."""
    import pyarrow as pa

    lengths = [len(next(iter(result.daily.values()))) for _, result in batch]
    columns = _key_columns([row for row, _ in batch], lengths)
    columns["day"] = np.concatenate([np.arange(n, dtype=np.int64) for n in lengths] or [np.zeros(0, np.int64)])
    for name in OUTCOMES:
        columns[name] = np.concatenate([result.daily[name] for _, result in batch] or [np.zeros(0)])
    return pa.table(columns)
