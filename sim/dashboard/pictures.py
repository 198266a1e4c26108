"""Charts of the page as pictures, drawn in a process of their own: drawing is what would keep the page waiting most."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np

from sim.companion import Companion
from sim.dashboard.market import Line
from sim.dashboard.session import Beside
from sim.levers import CHANNELS
from sim.names import title_of
from sim.outcomes import Column

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Chart:
    """A chart of the page: its title, and outcomes of one unit that it shows."""

    title: str
    outcomes: tuple[str, ...]


_ALONE = (
    *("stock_rented", "price_yuan", "commission_yuan", "expected_harm_yuan"),
    *("owners_banned", "innocents_sanctioned", "enforcement_cost_yuan"),
)
CHARTS = (
    Chart("Supply by channel", tuple(f"supply_{channel}" for channel in CHANNELS)),
    *(Chart(title_of(outcome), (outcome,)) for outcome in _ALONE),
)
"""In the order of the page."""

CHARTED = [outcome for chart in CHARTS for outcome in chart.outcomes]
"""Outcomes of all charts."""

_DOTS_PER_INCH = 170


@dataclass(frozen=True)
class Asked:
    """What is to be drawn: some outcomes of one pair of runs so far, or of many.

    `baseline` and `policy` are outcomes by name, shape `(days done,)`; `table` is `analysis.daily_differences` in their place.
    """

    outcomes: tuple[str, ...]
    days: int
    day: int
    baseline: dict[str, Column]
    policy: dict[str, Column]
    table: pd.DataFrame | None = None


@dataclass(frozen=True)
class Pictures:
    """Both pictures of a chart as bytes of PNG files."""

    levels: bytes
    difference: bytes


def draw(asked: Asked) -> Pictures:
    """Draw a chart."""
    import pandas as pd

    from sim import plots
    from sim.analysis import daily_differences
    from sim.plots.gallery import rendered

    table = asked.table
    if table is None:
        done = len(next(iter(asked.policy.values())))
        arms = [
            pd.DataFrame({**columns, "scenario": name, "replication": 0, "day": np.arange(done)})
            for name, columns in (("baseline", asked.baseline), ("policy", asked.policy))
        ]
        table = daily_differences(pd.concat(arms), "baseline", asked.outcomes) if done else pd.DataFrame()
    figures = (plot(table, asked.outcomes, asked.days, asked.day) for plot in (plots.live_levels, plots.live_difference))
    return Pictures(*(rendered(figure, "png", _DOTS_PER_INCH) for figure in figures))


def attend(line: Line) -> None:
    """Draw what is asked for, until the other side is gone."""
    with suppress(Exception):  # which the first picture would tell
        import_module("sim.plots.gallery")
    while True:
        asked = line.recv()
        assert isinstance(asked, Asked)
        try:
            line.send(draw(asked))
        except Exception:  # noqa: BLE001  # told where it was asked for, and the next picture has its chance
            line.send(traceback.format_exc())


def _painter() -> Beside:
    return Companion(attend)


class Painter:
    """The process that draws, one for all pages; it is started again when it has died."""

    def __init__(self, begin: Callable[[], Beside] = _painter) -> None:
        self._begin = begin
        self._beside: Beside | None = None
        self._one_at_a_time = threading.Lock()
        self._closed = False
        threading.Thread(target=self._make_ready, daemon=True).start()

    def _make_ready(self) -> None:
        """Start the process, which may take a while, so that it is there when something is to be drawn."""
        with self._one_at_a_time, suppress(Exception):  # tried again, and told, when something is to be drawn; the command may be ending
            if self._beside is None and not self._closed:
                self._beside = self._begin()
        if self._closed:
            self.close()

    def draw(self, asked: Asked) -> Pictures:
        """Have a chart drawn, by another process if the one that was there has died; raises `RuntimeError` when that fails."""
        with self._one_at_a_time:
            answer = self._answer(asked) or self._answer(asked)
        if isinstance(answer, Pictures):
            return answer
        raise RuntimeError(str(answer or "the process that draws was killed, or out of memory"))

    def _answer(self, asked: Asked) -> object:
        """Return what the process says, None when it died of it or before."""
        try:
            if self._beside is None and not self._closed:
                self._beside = self._begin()
            if self._beside is not None:
                self._beside.line.send(asked)
                return self._beside.line.recv()
        except (EOFError, OSError):
            if self._beside is not None:
                self._beside.end()
            self._beside = None
        return None

    def close(self) -> None:
        """End the process, and start no other one."""
        self._closed = True
        with suppress(OSError):
            if self._beside is not None:
                self._beside.end()
