"""Figures of sweeps: dose-response of one lever, interaction map of two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from sim.analysis import HEADLINE, rising_ranges
from sim.analysis.rows import rows as rows_of
from sim.names import title_of
from sim.plots.style import (
    BLACK,
    BLUE,
    GREY,
    ORANGE,
    PALE,
    Compact,
    Reals,
    Study,
    compact,
    finish,
    grid,
    linked_axis,
    owner,
    replications_of,
    share_text,
    short_unit,
    tidy,
    view,
)
from sim.plots.text import drawn, wrapped
from sim.plots.varied import Varied

DIVERGING = "RdBu_r"
"""Colour map of changes: blue falls, red rises, white none; told apart under colour blindness."""


@drawn
def dose_response(
    dose: pd.DataFrame, study: Study, varied: Varied, outcomes: Sequence[str] = HEADLINE, axes: Sequence[Axes] | None = None
) -> Figure:
    """Draw outcomes against the levels of one key, such as the strength of a lever, a panel an outcome: ribbons and the baseline as a dot.

    `dose` is `analysis.dose_response`. The left axis is per cent of the baseline's mean, the right one the outcome in its unit. The shaded
    range is where the interval of the rented stock's difference lies above 0.
    """
    shown = [outcome for outcome in outcomes if (dose["outcome"] == outcome).any()]
    columns = min(4, len(shown))
    rows = -(-len(shown) // columns)
    if axes is None:
        figure, panels = grid(rows, columns, 3.3 * columns + 0.4, 2.5 * rows + 1.1)
    else:
        figure, panels = owner(axes, len(shown)), list(axes)
    ranges = rising_ranges(dose)
    for k, (ax, outcome) in enumerate(zip(panels, shown, strict=False)):
        _curve(ax, dose[dose["outcome"] == outcome].sort_values("level"), outcome, study)
        for low, high in ranges:
            ax.axvspan(low, high, color=ORANGE, alpha=0.16, lw=0, zorder=0)
        if k + columns >= len(shown):
            ax.set_xlabel(varied.label, fontsize=8)
    if axes is None:
        for spare in panels[len(shown) :]:
            spare.set_axis_off()
        handles = [
            Line2D([], [], color=BLUE, marker="o", ms=3.5),
            Patch(facecolor=BLUE, alpha=0.35),
            Patch(facecolor=BLUE, alpha=0.14),
            Line2D([], [], color=BLACK, marker="o", ms=6, ls=""),
        ]
        labels = ["mean difference", "95 % pointwise", "95 % simultaneous", f"baseline ({varied.standing})"]
        if ranges:
            handles.append(Patch(facecolor=ORANGE, alpha=0.25))
            spans = ", ".join(f"{low:.2g} to {high:.2g}" for low, high in ranges)
            labels.append(f"renting above the baseline: {spans}")
        aside = len(panels) > len(shown)
        if aside:
            panels[-1].legend(handles, labels, loc="center", frameon=False, fontsize=8.5)
        note = (
            "Paired differences from the baseline; left axis per cent of the baseline's mean, right axis in units."
            " Simultaneous ribbons much wider than the pointwise ones are cut at the panel's edge. EAD: effective account-days."
        )
        others = dose[dose["scenario"] != study.baseline]
        caption = study.caption(replications_of(others), note)
        finish(figure, f"Dose and response: {varied.name}", caption, *(() if aside else (handles, labels)))
    return figure


def _curve(ax: Axes, rows: pd.DataFrame, outcome: str, study: Study) -> None:
    base = float(rows["baseline_mean"].mean())
    share = 100.0 / base if base > 0.0 else 1.0
    levels = rows["level"].to_numpy(dtype=np.float64)
    names = ("difference", "difference_low", "difference_high", "simultaneous_low", "simultaneous_high")
    value, low, high, wide_low, wide_high = (rows[name].to_numpy(dtype=np.float64) * share for name in names)
    ax.axhline(0.0, color=BLACK, lw=0.7, ls=":")
    ax.fill_between(levels, wide_low, wide_high, color=BLUE, alpha=0.14, lw=0)
    ax.fill_between(levels, low, high, color=BLUE, alpha=0.35, lw=0)
    ax.plot(levels, value, color=BLUE, marker="o", ms=3.5, lw=1.4)
    if seen := view(low, high, wide_low, wide_high):
        ax.set_ylim(seen.low, seen.high)
    elif not value.any():
        ax.set_ylim(-5.0 if base > 0.0 else -1.0, 5.0 if base > 0.0 else 1.0)
    own = (rows["scenario"] == study.baseline).to_numpy()
    ax.plot(levels[own], value[own], "o", color=BLACK, ms=6, zorder=5)
    ax.set_title(title_of(outcome), fontsize=9.5, loc="left", fontweight="bold")
    ax.set_ylabel("change, % of baseline" if base > 0.0 else f"change, {short_unit(outcome)}", fontsize=7.5)
    tidy(ax, x_ticks=5, y_ticks=5)
    ax.grid(axis="y", color=PALE, lw=0.4)
    if base > 0.0:
        twin = linked_axis(ax, lambda change: base * (1.0 + change / 100.0), lambda mean: (mean / base - 1.0) * 100.0, 5)
        twin.set_ylabel(short_unit(outcome), fontsize=7.5, color=GREY)


@overload
def interaction_map(
    table: pd.DataFrame,
    study: Study,
    outcome: str,
    x_varied: Varied,
    y_varied: Varied,
    standing: tuple[float, float] | None = None,
    ax: None = None,
) -> Figure: ...
@overload
def interaction_map(
    table: pd.DataFrame,
    study: Study,
    outcome: str,
    x_varied: Varied,
    y_varied: Varied,
    standing: tuple[float, float] | None = None,
    *,
    ax: Axes,
) -> Axes: ...
@drawn
def interaction_map(
    table: pd.DataFrame,
    study: Study,
    outcome: str,
    x_varied: Varied,
    y_varied: Varied,
    standing: tuple[float, float] | None = None,
    ax: Axes | None = None,
) -> Figure | Axes:
    """Draw one outcome over the levels of two keys as a heat map with numbers: per cent above, the outcome's unit below.

    `table` is `analysis.interaction`; cells whose interval includes 0 have slanted numbers in brackets; `standing` is the pair of
    levels in the baseline, marked by a frame or, where no cell has it, by a dot in the corner of the nearest. Returns a new figure, or the
    axes that were given.
    """
    part = table[table["outcome"] == outcome]
    xs, ys = np.unique(part["x"].to_numpy(dtype=np.float64)), np.unique(part["y"].to_numpy(dtype=np.float64))
    base = float(part["baseline_mean"].mean())
    share = 100.0 / base if base > 0.0 else 1.0
    values = np.full((len(ys), len(xs)), np.nan)
    if ax is None:
        figure, (panel,) = grid(1, 1, 2.6 + 0.95 * len(xs), 2.0 + 0.62 * len(ys))
    else:
        figure, panel = owner([ax], 1), ax
    column, row = np.searchsorted(xs, part["x"].to_numpy()), np.searchsorted(ys, part["y"].to_numpy())
    values[row, column] = part["difference"].to_numpy(dtype=np.float64) * share
    limit = float(np.nanmax(np.abs(values), initial=0.0)) or 1.0
    image = panel.imshow(values, cmap=DIVERGING, norm=Normalize(-limit, limit), origin="lower", aspect="auto")
    for i, j, cell in zip(row, column, rows_of(part).values(), strict=True):
        first = f"{share_text(values[i, j] / 100.0)} %\n" if base > 0.0 else ""
        text = first + compact(cell.difference, signed=True)
        colour = "white" if abs(values[i, j]) > 0.55 * limit else BLACK
        style = "normal" if cell.clear or cell.unchanged else "italic"
        panel.text(j, i, text if style == "normal" else f"({text})", ha="center", va="center", fontsize=7.5, color=colour, style=style)
    panel.set_xticks(range(len(xs)), [_level(x) for x in xs])
    panel.set_yticks(range(len(ys)), [_level(y) for y in ys])
    panel.tick_params(labelsize=8, length=0)
    panel.set_xlabel(x_varied.label, fontsize=8.5)
    panel.set_ylabel(wrapped(y_varied.label, int(10.0 + 8.0 * len(ys))), fontsize=8.5)
    panel.spines[:].set_visible(False)
    mark = "" if standing is None or np.isnan(standing).any() else _mark(panel, xs, ys, standing)
    bar = figure.colorbar(image, ax=panel, fraction=0.05, pad=0.02)
    bar.set_label("change, % of baseline" if base > 0.0 else f"change, {short_unit(outcome)}", fontsize=8)
    bar.ax.tick_params(labelsize=7.5)
    bar.ax.yaxis.set_major_formatter(Compact())
    if ax is None:
        note = (
            f"Paired differences from the baseline ({compact(base)} {short_unit(outcome)}): per cent and {short_unit(outcome)};"
            f" in brackets and slanted: not clear of 0 at 95 %.{mark}"
        )
        finish(figure, f"{title_of(outcome)}: {x_varied.name} and {y_varied.name}", study.caption(replications_of(part), note))
    return figure if ax is None else ax


def _level(value: float) -> str:
    return compact(value) if abs(value) >= 1000.0 else f"{value:.4g}"


def _mark(ax: Axes, xs: Reals, ys: Reals, standing: tuple[float, float]) -> str:
    """Frame the cell of the baseline's levels, or put a dot in the corner of the nearest; return what the caption says of it."""
    j, i = (round(float(np.interp(at, levels, np.arange(len(levels))))) for at, levels in zip(standing, (xs, ys), strict=True))
    own = f"{_level(standing[0])} and {_level(standing[1])}"
    if xs[j] == standing[0] and ys[i] == standing[1]:
        ax.add_patch(Rectangle((j - 0.5, i - 0.5), 1, 1, fill=False, ec=BLACK, lw=2))
        return f" Black frame: the baseline's levels, {own}."
    ax.plot(j + 0.42, i + 0.38, "o", color=BLACK, ms=5, mec="white")
    return f" Black dot: the cell nearest to the baseline's levels, {own}."
