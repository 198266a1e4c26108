"""How the cost of a day grows with the number of users."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from sim.plots.style import BLUE, GREY, PALE, Compact, Reals, finish, grid, owner, tidy
from sim.plots.text import drawn


@drawn
def growth(curve: pd.DataFrame, note: str, axes: Sequence[Axes] | None = None) -> Figure:
    """Draw user-days a second and seconds a simulated day against users, two panels with logarithmic axes.

    `curve` has a row a size: users, seconds a day (`seconds`, median; `seconds_low`, `seconds_high`, least and largest), and `events` a
    day. `note` is the caption: which scenario, how many runs. Dotted: cost in proportion to users, from the largest size backwards.
    """
    if axes is None:
        figure, panels = grid(1, 2, 9.0, 3.6)
    else:
        figure, panels = owner(axes, 2), list(axes)
    points = curve.sort_values("users")
    names = ("users", "seconds", "seconds_low", "seconds_high", "events")
    users, seconds, low, high, events = (points[name].to_numpy(dtype=np.float64) for name in names)
    _panel(panels[0], users, users / seconds, (users / high, users / low))
    panels[0].axhline(users[-1] / seconds[-1], color=GREY, lw=0.9, ls=":")
    panels[0].set_ylabel("user-days a second", fontsize=8)
    _panel(panels[1], users, seconds, (low, high))
    panels[1].plot(users, seconds[-1] * users / users[-1], color=GREY, lw=0.9, ls=":")
    panels[1].set_ylabel("seconds a simulated day", fontsize=8)
    if axes is None:
        rates = events / seconds
        span = f"Events a second: {rates.min():,.0f} to {rates.max():,.0f}. Dotted: cost in proportion to users."
        finish(figure, f"What a day costs, from {users[0]:,.0f} to {users[-1]:,.0f} users", f"{note} {span}")
    return figure


def _panel(ax: Axes, users: Reals, middle: Reals, ends: tuple[Reals, Reals]) -> None:
    ax.fill_between(users, *ends, color=BLUE, alpha=0.2, lw=0)
    ax.plot(users, middle, color=BLUE, marker="o", ms=4, lw=1.6)
    tidy(ax)
    ax.set(xscale="log", yscale="log")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(LogLocator(numticks=12))
        axis.set_major_formatter(Compact())
        axis.set_minor_formatter(NullFormatter())
    ax.set_xlabel("users", fontsize=8)
    ax.grid(color=PALE, lw=0.4)
    ax.set_axisbelow(True)
