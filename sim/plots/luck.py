"""What shared luck saves: how many independent runs tell as much as one pair."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from sim.names import title_of
from sim.plots.style import BLACK, PALE, Compact, Study, compact, finish, grid, owner, replications_of, tidy
from sim.plots.text import drawn, wrapped

FEWEST_PAIRS = 30
"""Pairs from which the ratio is known well enough to draw: with fewer its own interval spans an order of magnitude."""

_COLUMNS = 4


@drawn
def shared_luck(table: pd.DataFrame, study: Study, outcomes: Sequence[str], axes: Sequence[Axes] | None = None) -> Figure:
    """Draw the ratio of variances of independent and of paired differences, a panel an outcome and a row a policy, on one logarithmic axis.

    `table` is a comparison; bars are 95 % intervals of `variance_ratio`. Where a policy does nothing by itself to an outcome there is none.
    """
    shown = [outcome for outcome in outcomes if (table["outcome"] == outcome).any()]
    scenarios = study.order(table["scenario"].unique().tolist())
    columns = min(_COLUMNS, len(shown))
    rows = -(-len(shown) // columns)
    if axes is None:
        figure, panels = grid(rows, columns, 2.6 * columns + 2.0, rows * (0.9 + 0.36 * len(scenarios)) + 1.0, share_x=True)
    else:
        figure, panels = owner(axes, len(shown)), list(axes)
    styles = study.styles(scenarios)
    for k, outcome in enumerate(shown):
        ax, part = panels[k], table[table["outcome"] == outcome].set_index("scenario").reindex(scenarios)
        ax.set_xscale("log")
        for y, name in enumerate(scenarios):
            value, low, high = (float(part.loc[name, f"variance_ratio{end}"]) for end in ("", "_low", "_high"))  # type: ignore[arg-type]  # numbers
            if np.isfinite(value):
                ax.plot([low, high], [y, y], color=styles[name].colour, lw=5.0, alpha=0.75, solid_capstyle="butt", zorder=3)
                ax.plot(value, y, styles[name].marker, color=styles[name].colour, mec=BLACK, mew=0.6, ms=4.5, zorder=4)
            text = compact(value) if np.isfinite(value) else "-"
            ax.text(1.02, y, text, transform=ax.get_yaxis_transform(), va="center", fontsize=7.5)
        ax.axvline(1.0, color=BLACK, lw=0.8, ls=":", zorder=1)
        ax.set_ylim(len(scenarios) - 0.4, -0.6)
        labels = [wrapped(study.title(name), 32, 2) for name in scenarios]
        ax.set_yticks(range(len(scenarios)), labels if k % columns == 0 else [""] * len(scenarios))
        ax.tick_params(axis="y", length=0)
        ax.set_title(title_of(outcome), fontsize=9.5, loc="left", fontweight="bold")
        ax.set_xlabel("times as many independent runs", fontsize=7.5)
        tidy(ax)
        ax.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        ax.xaxis.set_major_formatter(Compact())
        ax.xaxis.set_minor_formatter(NullFormatter())
        ax.grid(axis="x", color=PALE, lw=0.4)
        ax.set_axisbelow(True)
    if axes is None:
        for spare in panels[len(shown) :]:
            spare.set_axis_off()
        note = (
            "Variance of the difference between independent runs over that between pairs on the same seeds: how many times as many"
            " independent runs tell as much. Bars: 95 % intervals. Dotted: nothing saved."
        )
        finish(figure, "What shared luck saves", study.caption(replications_of(table, shown), note))
    return figure
