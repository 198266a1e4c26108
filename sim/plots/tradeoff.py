"""Harm against cost: what each policy buys, and how many innocents it hits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import overload

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter
from matplotlib.transforms import Bbox

from sim.analysis.rows import Row, rows
from sim.plots.style import (
    BLACK,
    GREY,
    PALE,
    Compact,
    PolicyStyle,
    Reals,
    Study,
    compact,
    finish,
    owner,
    replications_of,
    share_text,
    ticks,
    tidy,
)
from sim.plots.text import Sheet, drawn, wrapped

_HARM, _COST, _INNOCENTS = "expected_harm_yuan", "enforcement_cost_yuan", "innocents_sanctioned"
_LARGEST = 1100.0  # area of the largest bubble, square points
_DISTANCES = (3.0, 12.0, 25.0, 45.0, 70.0, 100.0, 135.0)  # gaps tried between bubble and label, points
_PALE_BOX = {"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 0.5}
_KEY_AT = (0.17, 0.53, 0.86)  # columns of the key
_KEY_ROWS = 8  # at least, so that the lines of an entry keep together
_ROUNDING = 1e-6  # square pixels that are nothing, so that the last bit of a number moves no label
_SMALL = 3.0  # half the width of a small point, points
_ANGLES = np.arange(0.0, 2.0 * np.pi, np.pi / 8.0)


@overload
def harm_against_cost(table: pd.DataFrame, study: Study, ax: None = None) -> Figure: ...
@overload
def harm_against_cost(table: pd.DataFrame, study: Study, ax: Axes) -> Axes: ...
@drawn
def harm_against_cost(table: pd.DataFrame, study: Study, ax: Axes | None = None) -> Figure | Axes:
    """Draw expected harm against enforcement cost, a bubble a policy whose area is the number of innocents sanctioned.

    Error bars are the 95 % intervals of the paired differences; a key beside a new figure gives the relative changes. The cost axis
    is logarithmic when costs differ more than tenfold. `table` is a comparison that has the three outcomes. Returns a new figure, or the
    axes that were given.
    """
    cells = rows(table)
    scenarios = study.order(table["scenario"].unique().tolist())
    harm, cost, innocents = ({name: cells[(outcome, name)] for name in scenarios} for outcome in (_HARM, _COST, _INNOCENTS))
    if ax is None:
        figure: Figure = Sheet(figsize=(13.5, 6.6), layout="constrained")
        panel, key = figure.subplots(1, 2, width_ratios=(1.75, 1.0))
    else:
        figure, panel = owner([ax], 1), ax
    base_x, base_y, base_n = (part[scenarios[0]].baseline_mean for part in (cost, harm, innocents))
    xs, ys, counts = (
        np.array([*(row.mean for row in part.values()), base]) for part, base in ((cost, base_x), (harm, base_y), (innocents, base_n))
    )
    sizes = np.fmax(_LARGEST * counts / max(float(counts.max()), 1e-12), 14.0)
    styles = study.styles([*scenarios, study.baseline])
    panel.axhline(base_y, color=GREY, lw=0.8, ls=":")
    panel.axvline(base_x, color=GREY, lw=0.8, ls=":")
    for k, name in enumerate([*scenarios, study.baseline]):
        if name != study.baseline:
            across, up = cost[name], harm[name]
            panel.plot([across.baseline_mean + across.low, across.baseline_mean + across.high], [ys[k]] * 2, color=BLACK, lw=1.0, zorder=5)
            panel.plot([xs[k]] * 2, [up.baseline_mean + up.low, up.baseline_mean + up.high], color=BLACK, lw=1.0, zorder=5)
        panel.scatter(
            xs[k], ys[k], s=sizes[k], color=styles[name].colour, alpha=0.6, edgecolor=BLACK, lw=0.7, zorder=4.0 - sizes[k] / sizes.max()
        )
        panel.plot(xs[k], ys[k], ".", color=BLACK, ms=3, zorder=5.5)
    if xs.min() > 0.0 and xs.max() / xs.min() > 10.0:
        panel.set_xscale("log")
        panel.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        panel.xaxis.set_major_formatter(Compact())
        panel.xaxis.set_minor_formatter(NullFormatter())
    panel.margins(x=0.16, y=0.16)
    tidy(panel, y_ticks=6)
    if panel.get_xscale() == "linear":
        panel.xaxis.set_major_locator(ticks(6))
        panel.xaxis.set_major_formatter(Compact())
    panel.grid(color=PALE, lw=0.4)
    panel.set_axisbelow(True)
    panel.set_xlabel("enforcement cost, yuan/day" + (" (logarithmic)" if panel.get_xscale() == "log" else ""), fontsize=9)
    panel.set_ylabel("expected harm, yuan/day", fontsize=9)
    if ax is None:
        note = "Area of a bubble: innocents sanctioned a day. Lower left is better. Beside it: changes from the baseline"
        if replications_of(table, (_HARM, _COST, _INNOCENTS)) > 1:
            note += ", of harm and cost with the 95 % intervals that the bars show"
        if any(row.in_units and not row.unchanged for part in (harm, cost) for row in part.values()):
            note += " (without %: yuan/day)"
        note += "."
        finish(figure, "Harm against cost", study.caption(replications_of(table, (_HARM, _COST, _INNOCENTS)), note))
        _key(key, [(study.title(name), harm[name], cost[name], innocents[name]) for name in scenarios], study, styles)
    bars = [[(row.baseline_mean + row.low, row.baseline_mean + row.high) for row in part.values()] for part in (cost, harm)]
    labels = [wrapped(study.title(name), 24, 3) for name in [*scenarios, study.baseline]]
    place_labels(figure, panel, labels, xs, ys, sizes, bars[0], bars[1])
    return figure if ax is None else ax


def _key(ax: Axes, entries: Sequence[tuple[str, Row, Row, Row]], study: Study, styles: Mapping[str, PolicyStyle]) -> None:
    """Write the numbers of every bubble beside the figure: changes with their intervals, innocents a day."""
    ax.set_axis_off()
    ax.set(xlim=(0.0, 1.0), ylim=(max(len(entries), _KEY_ROWS) + 1.3, -0.8))
    for x, heading in zip(_KEY_AT, ("change of harm", "change of cost", "innocents/day"), strict=True):
        ax.text(x, -0.45, heading, fontsize=8, fontweight="bold", ha="center")
    _, *first = entries[0]
    units = (" yuan/day", " yuan/day", "")
    numbers = [f"{compact(row.baseline_mean)}{unit}" for row, unit in zip(first, units, strict=True)]
    lines = [(study.title(study.baseline), styles[study.baseline].colour, numbers)]
    for title, harm, cost, innocents in entries:
        numbers = [_share(harm), _share(cost), f"{compact(innocents.mean)} ({_share(innocents, ends=False)})"]
        lines.append((title, styles[harm.scenario].colour, numbers))
    for y, (title, colour, texts) in enumerate(lines):
        ax.plot(0.012, y + 0.12, "o", color=colour, mec=BLACK, mew=0.7, ms=7)
        ax.text(0.045, y + 0.12, wrapped(title, 56, 1), fontsize=8, fontweight="bold", va="center")
        for x, text in zip(_KEY_AT, texts, strict=True):
            ax.text(x, y + 0.47, text, fontsize=7.5, ha="center", va="center")


def _share(row: Row, ends: bool = True) -> str:
    if row.unchanged:
        return "unchanged"
    if row.in_units:
        value, low, high = (compact(number, signed=True) for number in (row.difference, row.low, row.high))
    else:
        value, low, high = (share_text(number) for number in (row.relative, row.relative_low, row.relative_high))
        value = f"{value} %"
    if not ends or not np.isfinite(row.low):
        return value
    return f"{value} [all the same]" if row.same else f"{value} [{low}, {high}]"


def place_labels(
    figure: Figure,
    ax: Axes,
    labels: Sequence[str],
    xs: Reals,
    ys: Reals,
    sizes: Reals,
    across: Sequence[tuple[float, float]],
    up: Sequence[tuple[float, float]],
    others: Reals | None = None,
) -> None:
    """Put each label beside its point where it covers least of labels, bubbles and bars, with a line to it where it is far.

    `others` are small points without a label, `(n, 2)`, that should not be covered either.
    """
    figure.draw_without_rendering()
    scale = figure.dpi / 72.0
    points = ax.transData.transform(np.column_stack([xs, ys]))
    radii = np.sqrt(sizes / np.pi) * scale
    inside = ax.get_window_extent()
    taken = [Bbox.from_extents(x - r, y - r, x + r, y + r) for (x, y), r in zip(points, radii, strict=True)]
    for x, y in [] if others is None else ax.transData.transform(others):
        taken.append(Bbox.from_extents(x - _SMALL * scale, y - _SMALL * scale, x + _SMALL * scale, y + _SMALL * scale))
    bars = []
    for k, ((left, right), (low, high)) in enumerate(zip(across, up, strict=True)):
        ends = ax.transData.transform([(max(left, ax.get_xlim()[0]), ys[k]), (right, ys[k]), (xs[k], low), (xs[k], high)])
        if np.isfinite(ends).all():
            bars.append(Bbox.from_extents(ends[0, 0], ends[0, 1] - 1.0, ends[1, 0], ends[1, 1] + 1.0))
            bars.append(Bbox.from_extents(ends[2, 0] - 1.0, ends[2, 1], ends[3, 0] + 1.0, ends[3, 1]))
    crowd = [float(np.sort(np.hypot(*(points - point).T))[: min(3, len(points))].sum()) for point in points]
    for k in np.argsort(crowd, kind="stable"):
        text = ax.annotate(labels[k], (xs[k], ys[k]), (0, 0), textcoords="offset points", bbox=_PALE_BOX, zorder=6)
        text.set(fontsize=7.5, va="center", ha="center")
        text.set_in_layout(False)
        box = text.get_window_extent()
        box = box.padded(0.04 * box.width + 2.0 * scale, 2.0 * scale)  # letters are set a little wider at other resolutions
        best, dx, dy = np.inf, 0.0, 0.0
        for distance, angle in product(_DISTANCES, _ANGLES):
            reach = radii[k] + distance * scale
            x, y = np.cos(angle) * (reach + box.width / 2.0), np.sin(angle) * (reach + box.height / 2.0)
            place = box.translated(x, y)
            covered = sum(_overlap(place, other) for other in taken)
            outside = box.width * box.height - _overlap(place, inside)
            outside, covered = (area if area > _ROUNDING else 0.0 for area in (outside, covered))
            crossed = sum(_overlap(place, bar) > _ROUNDING for bar in bars)
            cost = (
                distance
                + 40.0 * crossed
                + (covered > 0.0) * 150.0
                + (outside > 0.0) * 300.0
                + 500.0 * (covered + outside) / (box.width * box.height)
            )
            if cost < best - _ROUNDING:
                best, dx, dy = cost, float(x), float(y)
        taken.append(box.translated(dx, dy))
        text.set_position((dx / scale, dy / scale))
        # The nearest spot of the label's box to the point; a line joins them when the gap is wide.
        near_x, near_y = (float(np.clip(0.0, at - size / 2.0, at + size / 2.0)) for at, size in ((dx, box.width), (dy, box.height)))
        if np.hypot(near_x, near_y) > radii[k] + 8.0 * scale:
            line = {"arrowstyle": "-", "color": GREY, "lw": 0.7, "shrinkA": 0.0, "shrinkB": 0.0}
            tip = (near_x / scale, near_y / scale)
            ax.annotate("", (xs[k], ys[k]), tip, textcoords="offset points", arrowprops=line, zorder=2).set_in_layout(False)


def _overlap(a: Bbox, b: Bbox) -> float:
    """Return the area that two boxes share."""
    width = min(a.x1, b.x1) - max(a.x0, b.x0)
    height = min(a.y1, b.y1) - max(a.y0, b.y0)
    return width * height if width > 0.0 and height > 0.0 else 0.0
