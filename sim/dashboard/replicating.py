"""More pairs of runs on further seeds, through the project's own runner, so that differences have intervals."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sim.companion import Companion
from sim.dashboard.choice import Pair
from sim.dashboard.market import Line
from sim.dashboard.numbers import NUMBERS
from sim.dashboard.pictures import CHARTED
from sim.dashboard.session import Beside

if TYPE_CHECKING:
    import pandas as pd

    from sim.jobs import Progress


@dataclass(frozen=True)
class Wanted:
    """Pairs of runs to make: how many, and in how many processes."""

    pair: Pair
    replications: int
    workers: int


@dataclass(frozen=True)
class Known:
    """How far they are: `done` of `total` runs."""

    done: int
    total: int


@dataclass(frozen=True)
class Replicated:
    """What they say.

    `table` is the comparison, a row for each of `NUMBERS`; `daily` the differences by day of the outcomes of charts; `answer` says it in
    sentences.
    """

    replications: int
    table: pd.DataFrame
    daily: pd.DataFrame
    answer: list[str]


def replicate(wanted: Wanted, tell: Callable[[Known], None]) -> Replicated | str:
    """Make the runs and compare them; returns why not when one failed. Replication 0 has the seed of the page's own pair."""
    from sim import analysis
    from sim.conduct import asked_of, carry_out
    from sim.experiment_file import HEADLINE

    def told(progress: Progress) -> None:
        tell(Known(progress.total - progress.left, progress.total))

    baseline, policy = wanted.pair.baseline, wanted.pair.policy
    plan = asked_of(baseline, [policy], wanted.replications, baseline.run.seed, NUMBERS, HEADLINE)
    done = carry_out(plan, None, wanted.workers, told)
    if done.failures:
        first = done.failures[0]
        return f"{len(done.failures)} runs failed, the first with seed {first.seed}: {first.traceback.strip().splitlines()[-1]}"
    table = analysis.comparison(done.runs, baseline.name, list(NUMBERS))
    daily = analysis.daily_differences(done.days_of(CHARTED), baseline.name, CHARTED)
    shown = table[table["outcome"].isin(analysis.HEADLINE)]
    answer = analysis.answer(shown, None, {policy.name: policy.title}, {}, analysis.HEADLINE)
    return Replicated(wanted.replications, table, daily, answer)


def attend(line: Line) -> None:
    """Make the runs that are asked for, once."""
    wanted = line.recv()
    assert isinstance(wanted, Wanted)
    line.send(replicate(wanted, line.send))


def _team() -> Beside:
    return Companion(attend, leads=True)


class Replications:
    """The runs that a page has asked for: under way, done, given up or failed; `version` counts what changed."""

    def __init__(self, begin: Callable[[], Beside] = _team) -> None:
        self.known: Known | None = None
        """How far the runs under way are."""
        self.done: Replicated | None = None
        self.failure = ""
        self.version = 0
        self._begin = begin
        self._beside: Beside | None = None
        self._lock = threading.RLock()

    @property
    def under_way(self) -> bool:
        """Say whether runs are being made."""
        return self._beside is not None

    def start(self, wanted: Wanted) -> None:
        """Begin, in place of what was there."""
        with self._lock:
            self.forget()
            self.known = Known(0, 2 * wanted.replications)
            self._beside = self._begin()
            threading.Thread(target=self._follow, args=(self._beside, wanted), daemon=True).start()
            self.version += 1

    def forget(self) -> None:
        """Give up what is under way, and what is done."""
        with self._lock:
            beside, self._beside = self._beside, None
            if beside is not None or self.done is not None or self.failure:
                self.version += 1
            self.known, self.done, self.failure = None, None, ""
        if beside is not None:
            beside.end()

    def _follow(self, beside: Beside, wanted: Wanted) -> None:
        """Take in what the process tells, until it is over."""
        told: object = None
        with suppress(EOFError, OSError):
            beside.line.send(wanted)
            while self._beside is beside and not isinstance(told, Replicated | str):
                told = beside.line.recv()
                with self._lock:
                    if self._beside is beside and isinstance(told, Known):
                        self.known, self.version = told, self.version + 1
        with self._lock:
            if self._beside is not beside:
                return  # given up, by who ends the process
            self._beside, self.known = None, None
            self.done = told if isinstance(told, Replicated) else None
            self.failure = "" if self.done else told if isinstance(told, str) else "The runs were lost: their process died."
            self.version += 1
        beside.end()
