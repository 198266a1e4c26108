"""Figures of a pair of runs that is under way: levels of both, and their paired difference; small, and quick to draw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import overload

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sim.analysis.words import unit_of
from sim.plots.style import BLACK, BLUE, CHANNEL_COLOURS, GREY, PALE, VERMILLION, owner, replications_of, tidy
from sim.plots.text import Sheet, drawn

_COLOURS: dict[str, str] = {**{f"supply_{channel}": colour for channel, colour in CHANNEL_COLOURS.items()}, "stock_rented": VERMILLION}
_INCHES = (3.7, 2.3)
_MARGINS = {"left": 0.185, "right": 0.965, "top": 0.89, "bottom": 0.2}  # laid out by hand: what a layout engine takes as long as all else


@overload
def live_levels(table: pd.DataFrame, outcomes: Sequence[str], days: int, day: int, ax: None = None) -> Figure: ...
@overload
def live_levels(table: pd.DataFrame, outcomes: Sequence[str], days: int, day: int, ax: Axes) -> Axes: ...
@drawn
def live_levels(table: pd.DataFrame, outcomes: Sequence[str], days: int, day: int, ax: Axes | None = None) -> Figure | Axes:
    """Draw outcomes of one unit by day: the policy solid, the baseline dashed; the days to come are left free.

    `table` is `analysis.daily_differences` of one policy with these outcomes, empty before the first day; `days` is how many a run has,
    `day` that of the policy. Returns a new figure, or the axes that were given.
    """
    figure, panel = _panel(ax)
    lines = _by_outcome(table, outcomes)
    for outcome, rows in lines.items():
        panel.plot(rows["day"], rows["baseline_mean"], color=GREY if len(lines) == 1 else _colour(outcome), lw=1.1, ls=(0, (3, 1.5)))
        panel.plot(rows["day"], rows["mean"], color=_colour(outcome), lw=1.5, label=outcome.partition("_")[2])
    panel.set_ylim(bottom=0.0)
    panel.margins(y=0.12)
    if len(lines) > 1:
        panel.legend(loc="lower left", bbox_to_anchor=(-0.22, 1.01), ncols=5, fontsize=6.5, frameon=False, **_TIGHT)
    _finish(panel, days, day, unit_of(outcomes[0]), y_ticks=bool(lines))
    return figure if ax is None else panel


@overload
def live_difference(table: pd.DataFrame, outcomes: Sequence[str], days: int, day: int, ax: None = None) -> Figure: ...
@overload
def live_difference(table: pd.DataFrame, outcomes: Sequence[str], days: int, day: int, ax: Axes) -> Axes: ...
@drawn
def live_difference(table: pd.DataFrame, outcomes: Sequence[str], days: int, day: int, ax: Axes | None = None) -> Figure | Axes:
    """Draw the paired differences of outcomes of one unit by day, with 95 % bands where there are several pairs.

    Arguments as in `live_levels`.
    """
    figure, panel = _panel(ax)
    moves = False
    for outcome, rows in _by_outcome(table, outcomes).items():
        if replications_of(rows) > 1:
            panel.fill_between(rows["day"], rows["difference_low"], rows["difference_high"], color=_colour(outcome), alpha=0.25, lw=0)
        panel.plot(rows["day"], rows["difference"], color=_colour(outcome), lw=1.5)
        moves |= bool(np.nan_to_num(rows[["difference", "difference_low", "difference_high"]].to_numpy()).any())
    panel.axhline(0.0, color=BLACK, lw=0.8, ls=":")
    panel.margins(y=0.12)
    if not moves:
        panel.set_ylim(-1.0, 1.0)
        panel.set_yticks([0.0], ["0"])
        if len(table):
            panel.text(0.03, 0.9, "exactly 0 on every day", transform=panel.transAxes, fontsize=8, color=GREY)
    _finish(panel, days, day, f"change, {unit_of(outcomes[0])}", moves)
    return figure if ax is None else panel


_TIGHT: Mapping[str, float] = {"handlelength": 1.0, "columnspacing": 0.7, "handletextpad": 0.3, "borderpad": 0.0, "borderaxespad": 0.0}


def _panel(ax: Axes | None) -> tuple[Figure, Axes]:
    if ax is not None:
        return owner([ax], 1), ax
    figure = Sheet(figsize=_INCHES)
    figure.subplots_adjust(**_MARGINS)
    return figure, figure.subplots()


def _by_outcome(table: pd.DataFrame, outcomes: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Return the rows of each outcome that the table has."""
    return {outcome: table[table["outcome"] == outcome] for outcome in outcomes} if len(table) else {}


def _colour(outcome: str) -> str:
    return _COLOURS.get(outcome, BLUE)


def _finish(panel: Axes, days: int, day: int, unit: str, y_ticks: bool = True) -> None:
    """Draw the day of the policy, and write axes with their units; ticks only where there is something to read."""
    panel.axvline(day, color=BLACK, lw=0.8)
    panel.set_xlim(0, days)
    tidy(panel, x_ticks=6, y_ticks=4 if y_ticks else 0)
    panel.grid(axis="y", color=PALE, lw=0.4)
    panel.set_axisbelow(True)
    panel.set_xlabel("day", fontsize=7.5)
    panel.set_ylabel(unit, fontsize=7.5)
