"""The figure of the scorecard: what the model gives for each pattern, a panel a pattern."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from sim.pattern_titles import PATTERN_TITLES
from sim.plots.style import BLACK, BLUE, GREEN, GREY, PALE, VERMILLION, compact, finish, grid, tidy
from sim.plots.text import drawn, wrapped

_COLOURS = (BLUE, VERMILLION)

_AXES: dict[str, tuple[str, str]] = {
    "P1": ("strength of the sign-up audit", "rented share of supply"),
    "P2": ("strength of sign-up audit, verification, unsealing", "price, yuan an account-day"),
    "P3": ("entry, dealers a day for 12 million users", "rise of the price, share"),
    "P4": ("days after the purge (mean of seven days from each)", "supply over that of the baseline"),
    "P5": ("what is closed", "cut in supply, share"),
    "P6": ("quarter (step in the certainty of law between 0 and 1)", "people sanctioned by law a quarter"),
    "P7": ("", "share of people, or ratio (log scale)"),
    "P8": ("accounts held by a dealer", "dealers who hold as many, share"),
    "P9": ("", "harm of an account a day,\ntimes that of a registered one"),
}
_LOG = {"P3": "x", "P7": "y", "P8": "xy", "P9": "y"}
_HALF = 0.3  # of the width of a box around a named place
_TITLE_LETTERS = 42


@drawn
def scorecard(curves: pd.DataFrame, verdicts: Mapping[str, str], note: str, axes: Sequence[Axes] | None = None) -> Figure:
    """Draw a panel a pattern. `curves` has pattern, series, x, label, y, low, high, asked_low, asked_high.

    `verdicts` is a word or two for each pattern's title; `note` ends the caption: replications, seeds, users. Shades and whiskers are 95 %
    intervals over replications; grey boxes are what a criterion asks for at a point, to the edge of the panel where it bounds one side.
    """
    shown = [pattern for pattern in _AXES if (curves["pattern"] == pattern).any()]
    columns = min(3, max(len(shown), 1))
    count = -(-len(shown) // columns)
    if axes is None:
        figure, panels = grid(count, columns, 4.3 * columns, 3.1 * count + 0.8)
    else:
        panels = list(axes)
        found = panels[0].get_figure(root=True)
        assert found is not None
        figure = found
    for ax, pattern in zip(panels, shown, strict=False):
        _panel(ax, pattern, curves[curves["pattern"] == pattern], verdicts.get(pattern, ""))
    if axes is None:
        for spare in panels[len(shown) :]:
            spare.set_axis_off()
        caption = f"Means over replications with 95 % intervals; grey boxes: what a criterion asks of a single point. {note}"
        finish(figure, "What the model gives for each pattern", caption)
    return figure


def _panel(ax: Axes, pattern: str, points: pd.DataFrame, verdict: str) -> None:
    x_name, y_name = _AXES[pattern]
    named = bool((points["label"] != "").any())
    for (series, part), colour in zip(points.groupby("series", sort=False), _COLOURS, strict=False):
        x, y, low, high = (part[name].to_numpy(dtype=np.float64) for name in ("x", "y", "low", "high"))
        if named:
            whiskers = np.abs(np.stack([y - low, high - y]))
            ax.errorbar(x, y, yerr=whiskers, fmt="o", color=colour, ms=6, capsize=3, lw=1.2, zorder=3)
        else:
            marker = "o" if len(x) < 12 else None
            ax.plot(x, y, color=colour, lw=1.6, marker=marker, ms=4.5, label=series, zorder=3)
            ax.fill_between(x, low, high, color=colour, alpha=0.18, lw=0, zorder=2)
    if named:
        ax.set_xticks(points["x"].to_list(), points["label"].to_list(), fontsize=7.5)
        ax.margins(x=0.12)
        if pattern == "P5":
            ax.axhline(0.0, color=BLACK, lw=0.6)
    if len(points["series"].unique()) > 1:
        ax.legend(frameon=False, fontsize=7.5)
    title = wrapped(f"{pattern}  {PATTERN_TITLES[pattern]}", _TITLE_LETTERS)
    ax.set_title(f"{title}\n", fontsize=9.5, loc="left", fontweight="bold")
    ax.text(0.0, 1.02, verdict, transform=ax.transAxes, fontsize=7.5, color=VERMILLION if "fail" in verdict else GREEN)
    ax.set_xlabel(x_name, fontsize=8)
    ax.set_ylabel(y_name, fontsize=8)
    known = points.dropna(subset=["y"])  # where nothing is above 0 an axis cannot be logarithmic
    logarithmic = "".join(axis for axis in _LOG.get(pattern, "") if (known[axis] > 0.0).any())
    tidy(ax, x_ticks=0 if named or "x" in logarithmic else 6, y_ticks=0 if "y" in logarithmic else 5)
    if "x" in logarithmic:
        ax.set_xscale("log")
        if pattern == "P3":
            ax.set_xticks(sorted(points["x"].unique()), [compact(x) for x in sorted(points["x"].unique())])
            ax.xaxis.set_minor_locator(NullLocator())
    if "y" in logarithmic:
        ax.set_yscale("log")
    ax.grid(axis="y", color=PALE, lw=0.4)
    ax.set_axisbelow(True)
    if pattern == "P4":
        ax.axhline(1.0, color=GREY, lw=0.8, ls=":")
    _boxes(ax, points[points["asked_low"].notna()])


def _boxes(ax: Axes, asked: pd.DataFrame) -> None:
    """Draw what is asked: a box around each named place, one over all the numbers of a series; to the panel's edge where it is open."""
    if asked.empty:
        return
    bottom, top = ax.get_ylim()
    x, low, high = (asked[name].to_numpy(dtype=np.float64) for name in ("x", "asked_low", "asked_high"))
    low = np.where(np.isinf(low) | ((low <= 0.0) & (ax.get_yscale() == "log")), bottom, low)
    high = np.where(np.isinf(high), max(top, 1.2 * low.max()), high)
    if (asked["label"] == "").all():
        ax.fill_between([x.min(), x.max()], low[0], high[0], color=PALE, alpha=0.5, lw=0, zorder=0)
    else:
        ax.bar(x, high - low, 2.0 * _HALF, low, color=PALE, alpha=0.5, lw=0, zorder=0)
    ax.set_ylim(min(bottom, *low), max(top, *high))
