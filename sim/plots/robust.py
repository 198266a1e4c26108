"""Which effects outlast the doubt about parameters: chance and parameters as two bars, never as one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sim.analysis.robust_words import HELD
from sim.analysis.uncertain import LEDGER_WORLD, SHARE
from sim.names import title_of
from sim.plots.style import BLACK, GREY, PALE, Study, finish, grid, owner, short_unit, tidy
from sim.plots.text import drawn, wrapped

_COLUMNS = 4
_ABOVE, _BELOW = -0.17, 0.17  # from a policy's line, the bars of chance and of parameters


@drawn
def robust(
    table: pd.DataFrame, members: pd.DataFrame, study: Study, outcomes: Sequence[str] | None = None, axes: Sequence[Axes] | None = None
) -> Figure:
    """Draw effects with the ledger's values and over members of the set of parameter vectors, a panel an outcome and a row a policy.

    The thick coloured bar with its marker is the effect at the ledger's values with its 95 % Monte-Carlo interval; the thin black bar below
    it runs over the members' effects without chance's part, with a tick at their median; each grey dot is a member as simulated. Numbers at
    the right count the members in which the effect lies beyond chance on the side of the ledger's. `table` is a robustness table, `members`
    the effects by member.
    """
    asked = list(dict.fromkeys(table["outcome"])) if outcomes is None else list(outcomes)
    shown = [outcome for outcome in asked if (table["outcome"] == outcome).any()]
    policies = study.order(table["policy"].unique().tolist())
    columns = min(_COLUMNS, len(shown))
    rows = -(-len(shown) // columns)
    if axes is None:
        figure, panels = grid(rows, columns, 3.1 * columns + 1.9, rows * (0.95 + 0.4 * len(policies)) + 1.1)
    else:
        figure, panels = owner(axes, len(shown)), list(axes)
    for k, outcome in enumerate(shown):
        part = table[table["outcome"] == outcome].set_index("policy").reindex(policies)
        dots = members[(members["outcome"] == outcome) & (members["member"] != LEDGER_WORLD)]
        _panel(panels[k], part, dots, outcome, study)
        if k % columns == 0:
            panels[k].set_yticks(range(len(policies)), [wrapped(study.title(name), 26, 2) for name in policies])
    if axes is None:
        for spare in panels[len(shown) :]:
            spare.set_axis_off()
        handles = [
            Line2D([], [], color=GREY, lw=5, alpha=0.75, marker="o", mec=BLACK, mew=0.6, ms=4.5),
            Line2D([], [], color=BLACK, lw=1.1, marker="|", ms=7, mew=1.6),
            Line2D([], [], color=GREY, lw=0, marker="o", ms=3, alpha=0.6, mew=0),
            Line2D([], [], color=BLACK, lw=0.8, ls=":"),
        ]
        n, runs = int(table["members"].max()), int(table["replications"].max())
        level = 100.0 * float(table["parameter_level"].max())
        falls = f"; one more member falls into it with about {level:.0f} % probability" if level > 0.0 else ""
        labels = ["ledger's values: 95 % Monte-Carlo interval", "parameters: range and median", "one member, as simulated", "no effect"]
        aside = len(panels) > len(shown)
        if aside:
            panels[-1].legend(handles, labels, loc="center", frameon=False, fontsize=8.5)
        note = (
            f"Paired differences from the baseline of the same parameter vector. Parameters: range over {n} members of the set of parameter"
            f" vectors, chance taken out{falls}. Numbers: members of {n} in which the effect has the ledger's sign beyond chance (grey"
            f" below {100.0 * HELD:.0f} %). Each vector has seeds of its own; the ledger's are given."
        )
        caption = study.caption(runs, note)
        finish(figure, "What holds over the parameters: chance and parameters apart", caption, *(() if aside else (handles, labels)))
    return figure


def _panel(ax: Axes, part: pd.DataFrame, dots: pd.DataFrame, outcome: str, study: Study) -> None:
    """Draw one outcome; `part` has a row a policy, in the order of display."""
    relative = bool((part["unit"].dropna() == SHARE).all())
    scale = 100.0 if relative else 1.0
    styles = study.styles([str(name) for name in part.index])
    ax.axvline(0.0, color=BLACK, lw=0.8, ls=":", zorder=1)
    for y, (policy, row) in enumerate(part.iterrows()):
        name = str(policy)
        style = styles[name]
        own = dots.loc[dots["policy"] == name, "effect"].to_numpy(dtype=np.float64) * scale
        ax.plot(own, np.full(len(own), y + _BELOW), "o", color=GREY, ms=3, mew=0, alpha=0.6, zorder=2)
        low, median, high = (float(row[f"parameter_{end}"]) * scale for end in ("low", "median", "high"))
        ax.plot([low, high], [y + _BELOW] * 2, color=BLACK, lw=1.1, zorder=3)
        ax.plot([low, median, high], [y + _BELOW] * 3, "|", color=BLACK, ms=5, mew=1.1, zorder=3)
        ax.plot(median, y + _BELOW, "|", color=BLACK, ms=8, mew=1.8, zorder=3)
        ends = [float(row[f"mc_{end}"]) * scale for end in ("low", "high")]
        ax.plot(ends, [y + _ABOVE] * 2, color=style.colour, lw=5.0, alpha=0.75, solid_capstyle="butt", zorder=4)
        ax.plot(float(row["central_effect"]) * scale, y + _ABOVE, style.marker, color=style.colour, mec=BLACK, mew=0.6, ms=4.5, zorder=5)
        clear, n = float(row["sign_clear_share"]), row["members"]
        text = f"{round(clear * n)}/{int(n)}" if np.isfinite(clear) else "?"
        shade = BLACK if clear >= HELD else GREY
        ax.text(1.02, y, text, transform=ax.get_yaxis_transform(), va="center", fontsize=7.5, color=shade)
    ax.set_ylim(len(part) - 0.4, -0.6)
    ax.set_yticks(range(len(part)), [""] * len(part))
    ax.tick_params(axis="y", length=0)
    ax.set_title(title_of(outcome), fontsize=9.5, loc="left", fontweight="bold")
    ax.set_xlabel("change, % of the same vector's baseline" if relative else f"change, {short_unit(outcome)}", fontsize=7.5)
    tidy(ax, x_ticks=5)
    ax.spines["left"].set_visible(False)
    ax.grid(axis="x", color=PALE, lw=0.4)
    ax.set_axisbelow(True)
    ax.margins(x=0.08)
