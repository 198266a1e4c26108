"""Figures of a bundle of levers: a waterfall of what each contributes, and a heatmap of which pairs interact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from sim.analysis.intervals import clear
from sim.analysis.rows import records
from sim.names import title_of
from sim.plots.style import (
    BLACK,
    BLUE,
    GREY,
    PALE,
    VERMILLION,
    Compact,
    Study,
    compact,
    finish,
    grid,
    replications_of,
    share_text,
    short_unit,
    tidy,
)
from sim.plots.sweeps import DIVERGING
from sim.plots.text import drawn, readable, wrapped

_COLUMNS = 3
_NARROWEST = 7.2  # inches, so that legends stand in a line or two
_LABEL = 22  # characters of a lever's name in a line
_THICK = 0.6
_ROOM = 0.06  # beside the bars, as a part of the axis
_DARK = 0.55  # of the strongest colour, from which numbers are white

Row = Mapping[str, Any]


def waterfall(ax: Axes, bundle: Row, shares: pd.DataFrame, start: str) -> Axes:
    """Draw on given axes how the levers' shares lead from the baseline to the whole bundle, a row a lever; returns the axes.

    `bundle` is the outcome's row of the table of bundles, `shares` its rows of the table of shares, in the order of display; `start` names
    what the bundle is added to. A bar begins where the one above it ends; thin lines are the 95 % interval of the share, rings what the
    lever does alone and diamonds what it does as the last, numbers at the right the bars' lengths. In per cent of the baseline, or in the
    outcome's unit where that is not above 0.
    """
    scale, relative = _scale(bundle)
    rows = records(shares)
    at = 0.0
    ax.plot([0.0, 0.0], [-_THICK / 2.0, _THICK / 2.0], color=BLACK, lw=2.0)
    for y, row in enumerate(rows, start=1):
        value, low, high = _size(row, "share", relative)
        alone, last = float(row["alone"]) * scale, float(row["last"]) * scale
        ax.plot([at, at], [y - 1 + _THICK / 2.0, y - _THICK / 2.0], color=GREY, lw=0.6)
        _bar(ax, y, at, (value, low, high), BLUE if value < 0.0 else VERMILLION, relative)
        for mark, place in (("o", alone), ("D", last)):
            ax.plot(at + place, y, mark, mfc="white", mec=BLACK, mew=0.8, ms=4.5 if mark == "o" else 3.5, zorder=5)
        at += value
    y = len(rows) + 1
    ax.plot([at, at], [y - 1 + _THICK / 2.0, y - _THICK / 2.0], color=GREY, lw=0.6)
    _bar(ax, y, 0.0, _size(bundle, "effect", relative), GREY, relative)
    ax.axvline(0.0, color=BLACK, lw=0.8, zorder=0)
    labels = [start, *(readable(row["label"], row["label"]) for row in rows), "all together"]
    ax.set_yticks(range(len(labels)), [wrapped(label, _LABEL, 2) for label in labels], fontsize=7.5)
    ax.set_ylim(y + 0.6, -0.6)
    ax.margins(x=_ROOM)
    if not any(abs(row[name]) > 0.0 for row in rows for name in ("share", "alone", "last")):
        ax.set_xlim(-1.0, 1.0)
    left, right = ax.get_xlim()
    _beside(ax, f"{compact(float(bundle['baseline_mean']))} {short_unit(str(bundle['outcome']))}", 0.0, 0, right > -left)
    tidy(ax, x_ticks=5)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.grid(axis="x", color=PALE, lw=0.4)
    ax.set_axisbelow(True)
    ax.set_xlabel("change, % of baseline" if relative else f"change, {short_unit(str(bundle['outcome']))}", fontsize=7.5)
    return ax


def heatmap(ax: Axes, bundle: Row, pairs: pd.DataFrame, labels: Sequence[str]) -> Axes:
    """Draw the interaction of each pair of levers on given axes, below the diagonal of a square; returns the axes.

    `pairs` are the outcome's rows of the table of pairs and `labels` the levers in its order; `bundle` is the outcome's row of the table of
    bundles. Numbers in brackets and slanted are not clear of 0 at 95 %. Units as in `waterfall`.
    """
    scale, relative = _scale(bundle)
    places = {label: k for k, label in enumerate(labels)}
    values = np.full((len(labels) - 1, len(labels) - 1), np.nan)
    rows = records(pairs)
    for row in rows:
        values[places[row["second_label"]] - 1, places[row["first_label"]]] = row["interaction"] * scale
    limit = float(np.nanmax(np.abs(values), initial=0.0)) or 1.0
    image = ax.imshow(values, cmap=DIVERGING, norm=Normalize(-limit, limit), aspect="auto")
    for row in rows:
        y, x = places[row["second_label"]] - 1, places[row["first_label"]]
        text = share_text(values[y, x] / 100.0) if relative else compact(values[y, x], signed=True)
        sure = clear(row["interaction_low"], row["interaction_high"], row["replications"]) or row["interaction"] == 0.0
        colour = "white" if abs(values[y, x]) > _DARK * limit else BLACK
        style = "normal" if sure else "italic"
        ax.text(x, y, text if sure else f"({text})", ha="center", va="center", fontsize=7.5, color=colour, style=style)
    names = [wrapped(readable(label, label), _LABEL - 8, 2) for label in labels]
    ax.set_xticks(range(len(names) - 1), names[:-1], rotation=45, ha="right", rotation_mode="anchor")
    ax.set_yticks(range(len(names) - 1), names[1:])
    ax.tick_params(labelsize=7.5, length=0)
    ax.spines[:].set_visible(False)
    bar = ax.figure.colorbar(image, ax=ax, fraction=0.05, pad=0.02)
    bar.set_label("% of baseline" if relative else short_unit(str(bundle["outcome"])), fontsize=7.5)
    bar.ax.tick_params(labelsize=7)
    bar.ax.yaxis.set_major_formatter(Compact())
    return ax


@drawn
def waterfall_figure(bundle: pd.DataFrame, shares: pd.DataFrame, study: Study, start: str) -> Figure:
    """Draw the waterfalls of a scenario in a new figure, a panel an outcome, levers in one order in all; arguments as in `waterfall`."""
    sizes = shares.pivot_table(index="factor", columns="outcome", values="share", sort=False).abs()
    order = list((sizes / sizes.max().replace(0.0, np.nan)).mean(axis=1).sort_values(ascending=False, kind="stable").index)
    rows = records(bundle)
    figure, axes, columns = _panels(len(rows), 3.0, 1.0 + 0.32 * (len(order) + 2))
    for k, (ax, row) in enumerate(zip(axes, rows, strict=False)):
        part = shares[shares["outcome"] == row["outcome"]].set_index("factor", drop=False).loc[order]
        waterfall(ax, row, part, start)
        _headed(ax, row)
        if k % columns:
            ax.set_yticklabels([])
    handles: list[Artist] = [
        Patch(facecolor=BLUE),
        Patch(facecolor=VERMILLION),
        *(Line2D([], [], ls="", marker=mark, mfc="white", mec=BLACK, ms=4.5) for mark in "oD"),
    ]
    note = (
        "Shapley share: what a lever adds to those before it, as a mean over all orders in which they may come. Shares, the bars and the"
        f" numbers, add up to what all do together. Thin lines: 95 % intervals over seeds, each by itself.{_ead(bundle)}"
    )
    caption = study.caption(replications_of(bundle), note).replace("a scenario", "a combination")
    finish(figure, "What each lever contributes to the whole", caption, handles, ["lowers", "raises", "alone", "as the last"])
    return figure


@drawn
def heatmap_figure(bundle: pd.DataFrame, pairs: pd.DataFrame, study: Study) -> Figure:
    """Draw the interactions of a scenario's pairs of levers in a new figure, a panel an outcome; arguments as in `heatmap`."""
    labels = list(dict.fromkeys([*pairs["first_label"], *pairs["second_label"]]))
    rows = records(bundle)
    side = 0.62 * (len(labels) - 1)
    figure, axes, columns = _panels(len(rows), max(2.6, side + 0.9), max(1.6, 0.62 * side) + 1.5)
    for k, (ax, row) in enumerate(zip(axes, rows, strict=False)):
        heatmap(ax, row, pairs[pairs["outcome"] == row["outcome"]], labels)
        _headed(ax, row)
        if k % columns:
            ax.set_yticklabels([])
        if k + columns < len(rows):
            ax.set_xticklabels([])
    note = (
        "Shapley interaction index: by how much one lever's effect changes when the other is in force too, as a mean over all sets of the"
        " others. Red: together higher than apart, blue: lower. In brackets and slanted: not clear of 0 at 95 %, each by itself."
        f"{_ead(bundle)}"
    )
    caption = study.caption(replications_of(bundle), note).replace("a scenario", "a combination")
    finish(figure, "Which levers do more, or less, together than apart", caption)
    return figure


def _panels(count: int, width: float, height: float) -> tuple[Figure, list[Axes], int]:
    """Return a figure with a panel an outcome, the panels, and how many stand side by side."""
    columns = min(_COLUMNS, count)
    rows = -(-count // columns)
    figure, axes = grid(rows, columns, max(width * columns + 1.6, _NARROWEST), height * rows + 1.1)
    for spare in axes[count:]:
        spare.set_axis_off()
    return figure, axes, columns


def _headed(ax: Axes, row: Row) -> None:
    ax.set_title(wrapped(title_of(str(row["outcome"])), 34, 2), fontsize=9, loc="left", fontweight="bold")


def _bar(ax: Axes, y: int, start: float, share: Sequence[float], colour: str, relative: bool) -> None:
    """Draw one bar with its interval, and its number at the right edge of the panel."""
    value, low, high = share
    ax.barh(y, value, _THICK, left=start, color=colour, zorder=2)
    if np.isfinite(low):
        ax.plot([start + low, start + high], [y, y], color=BLACK, lw=1.0, zorder=4)
    text = share_text(value / 100.0) if relative else compact(value, signed=True)
    ax.text(1.02, y, text, transform=ax.get_yaxis_transform(), va="center", fontsize=7)


def _beside(ax: Axes, text: str, x: float, y: int, right: bool) -> None:
    """Write a text to the right of a point, or to the left."""
    place: Literal["left", "right"] = "left" if right else "right"
    ax.annotate(text, (x, y), (4 if right else -4, 0), textcoords="offset points", va="center", ha=place, fontsize=7, zorder=6)


def _size(row: Row, name: str, relative: bool) -> tuple[float, float, float]:
    """Return a value with the ends of its interval, in per cent of the baseline or in its unit."""
    chosen, scale = ("relative", 100.0) if relative else (name, 1.0)
    value, low, high = (float(row[f"{chosen}{end}"]) * scale for end in ("", "_low", "_high"))
    return value, low, high


def _scale(bundle: Row) -> tuple[float, bool]:
    """Return by what to multiply for the axis, and whether it is in per cent of the baseline."""
    base = float(bundle["baseline_mean"])
    relative = bool(np.isfinite(bundle["relative"]))
    return (100.0 / base if relative else 1.0), relative


def _ead(bundle: pd.DataFrame) -> str:
    return " EAD: effective account-days." if any("EAD" in short_unit(str(outcome)) for outcome in bundle["outcome"]) else ""
