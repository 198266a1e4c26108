"""Baseline and policy stepped side by side, in a process of their own so that no day keeps the page waiting."""

from __future__ import annotations

import time
import traceback
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from sim.outcomes import OUTCOMES
from sim.scenario import Scenario

if TYPE_CHECKING:
    from sim.model import AccountMarket

Rows = NDArray[np.float64]
"""Outcomes by day, shape `(len(OUTCOMES), days)`."""

_MOMENT = 0.05
"""Seconds of days that are sent together: many a second, and few messages."""


@dataclass(frozen=True)
class Open:
    """Take up a pair of scenarios that are alike until `day`; `number` tells the answers to one pair from those to another."""

    number: int
    baseline: Scenario
    policy: Scenario
    day: int


@dataclass(frozen=True)
class Until:
    """Go on until so many days are done, at most `pace` of them a second; 0 is as fast as it goes."""

    day: int
    pace: float = 0.0


@dataclass(frozen=True)
class Days:
    """Days of both arms, from `first` on."""

    number: int
    first: int
    baseline: Rows
    policy: Rows


@dataclass(frozen=True)
class Failed:
    """The pair raised."""

    number: int
    traceback: str


Asked = Open | Until
Told = Days | Failed


class Line(Protocol):
    """What the market is asked and tells by: a connection."""

    def poll(self, timeout: float | None = 0.0) -> bool:
        """Say whether something can be received, within some seconds; None waits as long as it takes."""

    def recv(self) -> object:
        """Return what the other side sent; raises `EOFError` when it is gone."""

    def send(self, obj: object) -> None:
        """Pass something to the other side."""


class PairedMarket:
    """A baseline and a policy with the same luck.

    The days that they have in common are made once, and the state after them is kept: another policy on the same baseline starts there, and
    days of the baseline are never made again.
    """

    def __init__(self) -> None:
        self.day = 0
        """Days done in both arms."""
        self._until = Until(0)
        self._due = 0.0
        self._pair: Open | None = None
        self._baseline: AccountMarket | None = None
        self._policy: AccountMarket | None = None
        self._saved: tuple[int, bytes] | None = None
        self._rows = _empty(0), _empty(0)

    @property
    def number(self) -> int:
        """Return the number of the pair that is open."""
        return -1 if self._pair is None else self._pair.number

    @property
    def busy(self) -> bool:
        """Say whether a day is to be made."""
        return self._pair is not None and self.day < min(self._until.day, self._pair.baseline.run.days)

    @property
    def wait(self) -> float:
        """Return the seconds until the next day is due."""
        return max(0.0, self._due - time.monotonic()) if self._until.pace else 0.0

    def take(self, asked: object) -> Told | None:
        """Take a request; returns the days that are known already of a pair."""
        if isinstance(asked, Until):
            self._until, self._due = asked, time.monotonic()
            return None
        if not isinstance(asked, Open):
            raise TypeError(f"the market is not asked by {type(asked).__name__}")
        before, self._pair, self._until = self._pair, asked, Until(0)
        if self._policy is not None:
            self._policy.close()
            self._policy = None
        start = self.day if self._saved is None else self._saved[0]
        if before is None or _luck(before) != _luck(asked) or start > asked.day:
            if self._baseline is not None:
                self._baseline.close()
            self._baseline, self._saved, start = None, None, 0
            self._rows = _empty(asked.baseline.run.days), _empty(asked.baseline.run.days)
        self.day = start
        return self._since(0) if start else None

    def work(self) -> Days:
        """Make a day, and more while the moment lasts; returns them."""
        assert self._pair is not None
        first, end = self.day, time.monotonic() + _MOMENT
        while True:
            self._step(self._pair)
            if self._until.pace:
                self._due = max(self._due + 1.0 / self._until.pace, time.monotonic() - _MOMENT)
            if not self.busy or self.wait > 0.0 or time.monotonic() > end:
                break
        return self._since(first)

    def _step(self, pair: Open) -> None:
        """Make the next day in the arms that lack it."""
        from sim.model import AccountMarket

        if self._baseline is None:
            self._baseline = AccountMarket(pair.baseline)
        if self._saved is None and self.day == pair.day:
            self._saved = self.day, self._baseline.saved()
        if self._saved is not None and self._policy is None:
            self._policy = AccountMarket(pair.policy, saved=self._saved[1])
        for market, rows in zip((self._baseline, self._policy), self._rows, strict=True):
            if market is not None and market.day == self.day:
                market.step()
                rows[:, self.day] = [column[-1] for column in market.daily.values()]
        if self._policy is None:
            self._rows[1][:, self.day] = self._rows[0][:, self.day]
        self.day += 1

    def _since(self, first: int) -> Days:
        return Days(self.number, first, *(rows[:, first : self.day].copy() for rows in self._rows))


def _empty(days: int) -> Rows:
    return np.empty((len(OUTCOMES), days))


def _luck(pair: Open) -> tuple[str, int]:
    """Return what makes the days of a baseline."""
    return pair.baseline.identity(), pair.baseline.run.seed


def attend(line: Line) -> None:
    """Serve a line until the other side is gone: make days while there are some to make, and take requests between them."""
    market, answers = PairedMarket(), deque[Told]()
    while True:
        while line.poll(market.wait if market.busy else None):
            if (told := market.take(line.recv())) is not None:
                answers.append(told)
            if not market.busy:
                break
        try:
            if market.busy and market.wait <= 0.0:
                answers.append(market.work())
        except Exception:  # noqa: BLE001  # whatever a run raises is told, and the next pair has its chance
            answers.append(Failed(market.number, traceback.format_exc()))
            market = PairedMarket()  # as new, whatever half a day has left
        while answers:
            line.send(answers.popleft())
