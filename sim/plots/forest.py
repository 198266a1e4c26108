"""The forest plot: what every policy does to every headline outcome."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sim.analysis import HEADLINE, Row
from sim.analysis.rows import rows as rows_of
from sim.names import title_of
from sim.plots.style import BLACK, GREY, PALE, Study, compact, finish, grid, owner, replications_of, short_unit, tidy, view
from sim.plots.text import drawn, wrapped

_COLUMNS = 4


@drawn
def forest(table: pd.DataFrame, study: Study, outcomes: Sequence[str] = HEADLINE, axes: Sequence[Axes] | None = None) -> Figure:
    """Draw paired differences from the baseline, a panel an outcome and a row a policy; each panel has its own scale.

    The axis shows the relative change with its interval, the numbers at the right the difference in the outcome's unit. Thick bars are
    pointwise, thin ones simultaneous 95 % intervals, which are wider by as much as those of the difference; a hollow mark has none in per
    cent. Grey numbers have a pointwise interval that includes 0. `table` is a comparison.
    """
    shown = [outcome for outcome in outcomes if (table["outcome"] == outcome).any()]
    scenarios = study.order(table["scenario"].unique().tolist())
    columns = min(_COLUMNS, len(shown))
    rows = -(-len(shown) // columns)
    cells = rows_of(table)
    if axes is None:
        figure, panels = grid(rows, columns, 3.0 * columns + 1.9, rows * (0.95 + 0.33 * len(scenarios)) + 1.0)
    else:
        figure, panels = owner(axes, len(shown)), list(axes)
    cut = hollow = False
    for k, outcome in enumerate(shown):
        part = [cells[(outcome, name)] for name in scenarios]
        cut |= _panel(panels[k], part, study)
        hollow |= any(_hollow(row) for row in part)
        if k % columns == 0:
            panels[k].set_yticks(range(len(scenarios)), [wrapped(study.title(name), 26, 2) for name in scenarios])
    if axes is None:
        for spare in panels[len(shown) :]:
            spare.set_axis_off()
        handles, labels = [Line2D([], [], color=BLACK, lw=0.8, ls=":")], ["baseline"]
        several = replications_of(table, shown) > 1
        if several:
            handles = [Line2D([], [], color=GREY, lw=5, alpha=0.75), Line2D([], [], color=BLACK, lw=1), *handles]
            labels = ["95 % interval, pointwise", "95 % interval, simultaneous", *labels]
        aside = len(panels) > len(shown)
        if aside:
            panels[-1].legend(handles, labels, loc="center", frameon=False, fontsize=8.5)
        note = (
            f"Changes from the baseline on the same seeds: dots{' and bars' if several else ''} in per cent of the baseline's mean,"
            f" numbers in the unit of the panel{' (grey: not clear of 0)' if several else ''}."
            f"{' Hollow: an interval in per cent would say nothing.' if hollow else ''}"
            f"{' Simultaneous intervals much wider than the pointwise ones are cut at the edge.' if cut else ''}"
            " EAD: effective, i.e. quality-weighted, account-days."
        )
        title = f"What each policy changes, compared with the baseline ({study.title(study.baseline)})"
        caption = study.caption(replications_of(table, shown), note)
        finish(figure, title, caption, *(() if aside else (handles, labels)))
    return figure


def _panel(ax: Axes, part: Sequence[Row], study: Study) -> bool:
    """Draw one panel; say whether intervals are cut at its edges."""
    outcome, base = part[0].outcome, part[0].baseline_mean
    relative = base > 0.0
    spans = [_spans(row, relative) for row in part]
    styles = study.styles([row.scenario for row in part])
    ax.axvline(0.0, color=BLACK, lw=0.8, ls=":", zorder=1)
    for y, (row, (value, low, high, wide_low, wide_high)) in enumerate(zip(part, spans, strict=True)):
        style = styles[row.scenario]
        ax.plot([wide_low, wide_high], [y, y], color=BLACK, lw=1.0, zorder=2)
        ax.plot([low, high], [y, y], color=style.colour, lw=5.0, alpha=0.75, solid_capstyle="butt", zorder=3)
        fill = "white" if relative and _hollow(row) else style.colour
        ax.plot(value, y, style.marker, color=style.colour, mfc=fill, mec=BLACK, mew=0.6, ms=4.5, zorder=4)
        where, shade = ax.get_yaxis_transform(), BLACK if row.clear or row.replications == 1 else GREY
        ax.text(1.02, y, compact(row.difference, signed=True), transform=where, va="center", fontsize=7.5, color=shade)
    ax.set_ylim(len(part) - 0.4, -0.6)
    ax.set_yticks(range(len(part)), [""] * len(part))
    ax.tick_params(axis="y", length=0)
    ax.set_title(f"{title_of(outcome)}\n", fontsize=9.5, loc="left", fontweight="bold")
    ax.text(0.0, 1.02, f"{short_unit(outcome)}; baseline {compact(base)}", transform=ax.transAxes, fontsize=7.5, color=GREY)
    ax.set_xlabel("change, % of baseline" if relative else f"change, {short_unit(outcome)}", fontsize=7.5)
    tidy(ax, x_ticks=5)
    ax.spines["left"].set_visible(False)
    ax.grid(axis="x", color=PALE, lw=0.4)
    ax.set_axisbelow(True)
    ax.margins(x=0.08)
    values, *ends = np.array(spans).T
    lows, highs = (np.where(np.isfinite(end), end, values) for end in ends[:2])
    seen = view(np.append(lows, 0.0), np.append(highs, 0.0), ends[2], ends[3])
    if seen is None:
        return False
    ax.set_xlim(seen.low, seen.high)
    return seen.cut


def _hollow(row: Row) -> bool:
    """Say whether a change has an interval in its unit, but none in per cent."""
    return bool(np.isfinite(row.low)) and not row.has_relative


def _spans(row: Row, relative: bool) -> tuple[float, float, float, float, float]:
    """Return a change, its pointwise and its simultaneous interval, in per cent of the baseline or in the outcome's unit."""
    if not relative:
        return row.difference, row.low, row.high, row.wide_low, row.wide_high
    value, low, high = (100.0 * end for end in (row.relative, row.relative_low, row.relative_high))
    half, wide = row.high - row.low, row.wide_high - row.wide_low
    factor = wide / half if half > 0.0 else 1.0
    return value, low, high, value - factor * (value - low), value + factor * (high - value)
