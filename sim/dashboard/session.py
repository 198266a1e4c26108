"""What one page is about: a choice, the days of its two arms as they come, and the buttons; no Solara, no waiting for days."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

import numpy as np

from sim.companion import Companion
from sim.dashboard.choice import Choice, Pair, faults_of
from sim.dashboard.market import Days, Failed, Line, Open, Rows, Until, attend
from sim.dashboard.offer import Offer
from sim.faults import ScenarioError
from sim.outcomes import OUTCOMES, Column


class Beside(Protocol):
    """What makes the days: a process with a line to it."""

    @property
    def line(self) -> Line:
        """The line."""

    def end(self) -> None:
        """End it at once."""


def _market() -> Beside:
    return Companion(attend)


class Session:
    """A choice and what is known of its pair of runs so far.

    Days come in from a thread; `version` counts what changed, and `wait` waits for that. Whatever is chosen opens a new pair: the days
    before the policy are made at once, those after it when it plays. What cannot be run is said in `problems`, and nothing runs.
    """

    def __init__(self, offer: Offer, choice: Choice, beside: Callable[[], Beside] = _market) -> None:
        self.offer = offer
        self.opened = offer.open(choice.scenario)
        self.choice = choice
        self.pair: Pair | None = None
        self.problems: list[str] = []
        self.failure = ""
        self.day = 0
        """Days done in both arms."""
        self.playing = False
        self.pace = 0.0
        """Days a second at most, 0 for as fast as it goes."""
        self.version = 0
        self._rows: tuple[Rows, Rows] = (_empty(0), _empty(0))
        self._number = 0
        self._closed = False
        self._changed = threading.Condition(threading.RLock())
        self._begin = beside
        self._beside: Beside | None = None
        self._asks: deque[Open | Until] = deque()
        self.choose(choice)

    @property
    def days(self) -> int:
        """Return how many days a run has; 0 where nothing can be run."""
        return 0 if self.pair is None else self.pair.policy.run.days

    @property
    def finished(self) -> bool:
        """Say whether every day is done."""
        return self.pair is not None and self.day == self.days

    @property
    def stamp(self) -> tuple[int, int]:
        """Return what tells one state of the days from another: the number of the pair, and days done."""
        with self._changed:
            return self._number, self.day

    def choose(self, choice: Choice) -> None:
        """Take up another choice; goes on playing if it played."""
        with self._changed:
            if choice.scenario != self.choice.scenario:
                try:
                    self.opened = self.offer.open(choice.scenario)
                except ScenarioError as error:
                    self._refuse(error)
                    return
            self.choice = choice
            try:
                self.pair = self.opened.pair(choice)
            except ScenarioError as error:
                self._refuse(error)
                return
            self.problems = []
            self._open()

    def play(self) -> None:
        """Go on to the last day; from the day of the policy again if that is done."""
        with self._changed:
            if self.pair is None:
                return
            self.playing = True
            if self.finished or self.failure:
                self._open()
            else:
                self._until(self.days)

    def pause(self) -> None:
        """Stop after the day that is under way; the days before the policy go on."""
        with self._changed:
            self.playing = False
            if self.pair is not None:
                self._until(self.pair.day)

    def step(self) -> None:
        """Do one day."""
        with self._changed:
            if self.pair is not None and not self.finished:
                self.playing = False
                self._until(max(self.day, self.pair.day) + 1)

    def reset(self) -> None:
        """Go back to the day of the policy, with the levers where they are."""
        with self._changed:
            self.playing = False
            if self.pair is not None:
                self._open()

    def set_pace(self, pace: float) -> None:
        """Do at most so many days a second; 0 is as fast as it goes."""
        with self._changed:
            self.pace = pace
            if self.playing:
                self._until(self.days)

    def daily(self) -> tuple[dict[str, Column], dict[str, Column]]:
        """Return the outcomes of both arms by name, each of shape `(day,)`: the baseline's, the policy's."""
        with self._changed:
            baseline, policy = (dict(zip(OUTCOMES, rows[:, : self.day].copy(), strict=True)) for rows in self._rows)
        return baseline, policy

    def wait(self, version: int, timeout: float) -> int:
        """Wait until something has changed since a version, at most some seconds; return the version now."""
        with self._changed:
            self._changed.wait_for(lambda: self.version != version or self._closed, timeout)
            return self.version

    def close(self) -> None:
        """End the process."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            beside, self._beside = self._beside, None
        if beside is not None:
            beside.end()

    def _open(self) -> None:
        """Start the pair anew from the last day that nothing chosen has moved."""
        assert self.pair is not None
        self._number += 1
        self.day, self.failure = 0, ""
        self._rows = _empty(self.days), _empty(self.days)
        self._asks.clear()  # what was asked before is of no interest
        self._ask(Open(self._number, self.pair.baseline, self.pair.policy, self.pair.day))
        self._until(self.days if self.playing else self.pair.day)

    def _until(self, day: int) -> None:
        self._ask(Until(day, self.pace if self.playing else 0.0))
        self._tell()

    def _ask(self, asked: Open | Until) -> None:
        """Have a request sent by a thread, as the line takes no more while the other side is at work on a long day."""
        if self._closed:
            return
        self._asks.append(asked)
        if self._beside is None and isinstance(asked, Open):
            beside = self._beside = self._begin()
            for work in (self._listen, self._send):
                threading.Thread(target=work, args=(beside,), daemon=True).start()

    def _refuse(self, error: ScenarioError) -> None:
        """Say what is wrong, and run nothing."""
        self.problems, self.pair, self.playing = faults_of(error), None, False
        self.day = 0
        self._number += 1  # what is still under way is of no interest
        self._ask(Until(0))
        self._tell()

    def _tell(self) -> None:
        self.version += 1
        self._changed.notify_all()

    def _send(self, beside: Beside) -> None:
        """Send what is asked, until the process is gone."""
        with suppress(OSError):
            while True:
                with self._changed:
                    self._changed.wait_for(lambda: self._asks or self._beside is not beside)
                    if self._beside is not beside:
                        return
                    asked = self._asks.popleft()
                beside.line.send(asked)

    def _listen(self, beside: Beside) -> None:
        """Take in what the market tells; when its process dies, say so: the next pair gets another one."""
        with suppress(EOFError, OSError):
            while True:
                self._take(beside.line.recv())
        with self._changed:
            if self._beside is not beside:
                return
            self._beside, self.playing = None, False
            self.failure = "The process of the run died: killed, or out of memory."
            self._tell()
        beside.end()

    def _take(self, told: object) -> None:
        with self._changed:
            if isinstance(told, Days) and told.number == self._number:
                last = told.first + told.baseline.shape[1]
                for rows, new in zip(self._rows, (told.baseline, told.policy), strict=True):
                    rows[:, told.first : last] = new
                self.day = last
                self.playing = self.playing and not self.finished
                self._tell()
            elif isinstance(told, Failed) and told.number == self._number:
                self.failure, self.playing = told.traceback.strip().splitlines()[-1], False
                self._tell()


def _empty(days: int) -> Rows:
    return np.empty((len(OUTCOMES), days))
