"""Who is hurt: owners by segment, innocents, helpers, victims."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from sim.analysis.rows import Row, rows
from sim.plots.style import (
    BLACK,
    GREY,
    ORANGE,
    PALE,
    SEGMENT_COLOURS,
    SKY,
    VERMILLION,
    Study,
    compact,
    finish,
    grid,
    owner,
    replications_of,
    share_text,
    tidy,
)
from sim.plots.text import drawn, wrapped

_OWNERS = {f"owners_banned_{segment}": colour for segment, colour in SEGMENT_COLOURS.items()}

_PANELS: dict[str, tuple[str, str, dict[str, str]]] = {
    "owners_banned": ("Owners banned", "owners/day", _OWNERS),
    "innocents_sanctioned": ("Innocents sanctioned", "users/day", {"innocents_sanctioned": SKY}),
    "helpers_sanctioned": ("Helpers of malicious accounts", "helpers/day", {"helpers_sanctioned": ORANGE}),
    "helpers_sanctioned_honest": ("Honest helpers, by mistake", "helpers/day", {"helpers_sanctioned_honest": VERMILLION}),
    "victims": ("Victims of fraud and false adverts", "people/day", {"victims": GREY}),
}

_COLUMNS = 3

HURT: tuple[str, ...] = (*_PANELS, *_OWNERS)
"""Outcomes that `who_is_hurt` draws."""


@drawn
def who_is_hurt(table: pd.DataFrame, study: Study, axes: Sequence[Axes] | None = None) -> Figure:
    """Draw who is hurt under each policy: owners by segment, innocents, helpers (repeat and honest), victims; five panels.

    Bars are means a day, whiskers the 95 % interval of the paired difference from the baseline, numbers the relative change with its
    interval. `table` is a comparison that has the outcomes of `HURT`.
    """
    scenarios = study.order(table["scenario"].unique().tolist())
    if axes is None:
        rows_ = -(-len(_PANELS) // _COLUMNS)
        figure, panels = grid(rows_, _COLUMNS, 11.5, 1.1 + rows_ * (1.2 + 0.4 * len(scenarios)), share_y=True)
        for spare in panels[len(_PANELS) :]:
            spare.remove()
    else:
        figure, panels = owner(axes, len(_PANELS)), list(axes)
    cells = rows(table)
    for ax, (whole, (title, unit, parts)) in zip(panels, _PANELS.items(), strict=False):
        shown = _bars(ax, cells, scenarios, whole, parts)
        ax.set_title(title, fontsize=9, loc="left", fontweight="bold")
        ax.set_xlabel(
            unit + {"": "", "%": "\nnumbers: change, % of the baseline", "units": f"\nnumbers: change, {unit}"}[shown], fontsize=8
        )
    names = [study.title(study.baseline), *(study.title(name) for name in scenarios)]
    for ax in panels[: len(_PANELS) : _COLUMNS] if axes is None else panels[:1]:
        ax.set_yticks(range(len(names)), [wrapped(name, 30, 2) for name in names], fontsize=8)
    panels[0].set_ylim(len(names) - 0.45, -0.55)
    if axes is None:
        handles = [Patch(facecolor=colour) for colour in SEGMENT_COLOURS.values()]
        labels = [f"owners: {segment.replace('_', ' ')}" for segment in SEGMENT_COLOURS]
        note = "Bars: means a day. Numbers: change from the baseline (dotted), in per cent or in units as said below each panel"
        if replications_of(table, HURT) > 1:
            note += ", with its 95 % interval, which whiskers show around the mean (grey: not clear of 0)"
        finish(figure, "Who is hurt", study.caption(replications_of(table, HURT), f"{note}."), handles, labels)
    return figure


def _bars(ax: Axes, cells: Mapping[tuple[str, str], Row], scenarios: Sequence[str], whole: str, parts: Mapping[str, str]) -> str:
    """Draw one panel; say whether its numbers are `%` or `units`, as all are when one has no share of the baseline to give."""
    left = [0.0] * (1 + len(scenarios))
    for part, colour in parts.items():
        own = [cells[(part, name)] for name in scenarios]
        widths = [own[0].baseline_mean, *(row.mean for row in own)]
        ax.barh(range(len(widths)), widths, left=left, height=0.62, color=colour, edgecolor="white", lw=0.4)
        left = [start + width for start, width in zip(left, widths, strict=True)]
    changes = [cells[(whole, name)] for name in scenarios]
    in_units = any(row.in_units and not row.unchanged for row in changes)
    base = changes[0].baseline_mean
    tops = [max(row.mean, row.baseline_mean + row.high, base) for row in changes]
    right = 1.85 * max([*tops, base]) or 1.0
    ax.axvline(base, color=BLACK, lw=0.8, ls=":")
    ax.text(base + 0.02 * right, 0, f"{compact(base)} in the baseline", va="center", fontsize=7.5)
    for y, (row, top) in enumerate(zip(changes, tops, strict=True), start=1):
        ax.plot([row.baseline_mean + row.low, row.baseline_mean + row.high], [y, y], color=BLACK, lw=1.2)
        ax.text(top + 0.02 * right, y, _change(row, in_units), va="center", fontsize=7.5, color=BLACK if row.clear else GREY)
    ax.set_xlim(0, right)
    tidy(ax, x_ticks=4)
    ax.grid(axis="x", color=PALE, lw=0.4)
    ax.set_axisbelow(True)
    return "" if all(row.unchanged for row in changes) else "units" if in_units else "%"


def _change(row: Row, in_units: bool) -> str:
    if row.unchanged or (row.difference == 0.0 and not np.isfinite(row.low)):
        return "unchanged"
    three = (row.difference, row.low, row.high) if in_units else (row.relative, row.relative_low, row.relative_high)
    value, low, high = (compact(number, signed=True) if in_units else share_text(number) for number in three)
    value = value if in_units else f"{value} %"
    if not np.isfinite(row.low):
        return value
    return f"{value} [all the same]" if row.same else f"{value} [{low}, {high}]"
