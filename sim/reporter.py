"""How far runs are, on standard error."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from rich.console import Console

from sim.screen import duration, say

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

    from sim.jobs import Progress

_SECONDS_A_LINE = 10.0


class Reporter:
    """Shows how far runs are, on standard error: a bar with the time left on a terminal, a line now and then elsewhere.

    Calls with another `stage` than the runs announce what comes after them. `last` is the last state of the runs under way, `earlier`
    how many runs were finished in stages before.
    """

    def __init__(self, quiet: bool = False) -> None:
        self.last: Progress | None = None
        self.earlier = 0
        self._quiet = quiet
        self._told = time.monotonic()
        self._bar: Bar | None = None
        self._task: TaskID | None = None

    def __call__(self, state: Progress) -> None:
        """Show a state."""
        if state.stage == "runs":
            first, self.last = self.last is None or self.last.total != state.total, state
        elif self.last is not None:
            self.earlier, self.last = self.done, None
        if self._quiet:
            return
        if state.note:
            self.close()
            say(state.note)
        elif state.stage != "runs":
            self.close()
            say(state.stage)
        elif sys.stderr.isatty():
            self._show_bar(state)
        else:
            self._show_line(state, first)

    @property
    def done(self) -> int:
        """Return how many runs are finished, in all stages."""
        return self.earlier + (self.last.skipped + self.last.computed if self.last else 0)

    def _show_line(self, state: Progress, first: bool) -> None:
        now = time.monotonic()
        if not first and state.left and now - self._told < _SECONDS_A_LINE:
            return
        self._told = now
        words = [f"{state.skipped + state.computed} of {state.total} runs done"]
        words += [f"{state.skipped} of them before"] if state.skipped and first else []
        words += [f"{state.failed} failed"] if state.failed else []
        words += [f"about {duration(_seconds_left(state))} left"] if state.computed and state.left else []
        say(", ".join(words))

    def _show_bar(self, state: Progress) -> None:
        if self._bar is None:
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
            from rich.progress import Progress as Bar

            self._bar = Bar(
                TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
                TextColumn("{task.fields[left]}"), console=Console(stderr=True), refresh_per_second=2,
            )  # fmt: skip
            self._task = self._bar.add_task("runs", total=state.total, completed=state.skipped, left="")
            self._bar.start()
        description = f"runs ({state.failed} failed)" if state.failed else "runs"
        if self._task is not None:
            done = state.skipped + state.computed + state.failed
            left = f"about {duration(_seconds_left(state))} left" if state.computed and state.left else ""
            self._bar.update(self._task, description=description, total=state.total, completed=done, left=left)

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = self._task = None


def _seconds_left(state: Progress) -> float:
    """Return how long the runs that are left take, if they are like those made now: by their own seconds, and not by those since the start.

    Before the first run ends processes start and burn-ins are made that others share, and runs that were there before took none.
    """
    return state.seconds / state.computed * state.left / state.at_once
