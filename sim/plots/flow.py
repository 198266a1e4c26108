"""The day's flow: which channels supply what abusers use, and how accounts come, stay and leave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path as Outline

from sim.levers import CHANNELS, USES
from sim.plots.style import BLACK, CHANNEL_COLOURS, GREY, PALE, Study, compact, finish, grid, owner, replications_of, share_text
from sim.plots.text import drawn, wrapped

FOUND = ("swept", "challenged", "purged")
"""Outcomes that say how accounts were found, of all channels together; the others are found by audit and review, or late."""

FLOW: tuple[str, ...] = (
    *(f"{part}_{channel}" for part in ("supply", "inflow", "stock", "exits", "detected") for channel in CHANNELS),
    *(f"supply_{use}" for use in USES),
    *("supply_account_days", "utilisation_share", *FOUND),
)
"""Outcomes that `day_flow` draws."""

_USES = {"fraud": "fraud", "vice": "porn and gambling", "spam": "spam", "false_ads": "false advertising"}
_LEFT, _MIDDLE, _RIGHT, _THICK = 0.0, 0.47, 0.94, 0.06  # where nodes stand, and how wide they are, as parts of a panel
_ROOM = 0.065  # between nodes, as a part of the panel's height: a line of text
_SIDE = 0.39  # beside the nodes, for labels
_STEPS = 0.5  # of a ribbon: where its bends stand

_PALE_BOX = {"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 1.0}
_SMALL: dict[str, Any] = {"va": "center", "ha": "right", "fontsize": 7, "zorder": 4}

Values = Mapping[str, float]


class _Node(NamedTuple):
    """A bar: what it is called, how high it is, its colour."""

    label: str
    size: float
    colour: str


@drawn
def day_flow(summary: pd.DataFrame, study: Study, scenarios: Sequence[str], axes: Sequence[Axes] | None = None) -> Figure:
    """Draw a mean day of the market, a column a scenario, the first of them the one that changes are counted from.

    Above: effective account-days by channel, and the uses that they are put to. Below: accounts acquired, the stock, and how accounts
    leave. All columns have one scale. `summary` has the means of `FLOW` by scenario and outcome. The model's tables say what each channel
    supplies and what each use takes, not which channel serves which use, so that all supply meets in one bar.
    """
    days = {name: _values(summary, name) for name in scenarios}
    columns = len(scenarios)
    if axes is None:
        figure, panels = grid(2, columns, max(5.5 * columns, 7.6), 7.6)
    else:
        figure, panels = owner(axes, 2 * columns), list(axes)
    first = days[scenarios[0]]
    tops = [max(_height(day) for day in days.values()) for _height in (_supplied, _moved)]
    for k, name in enumerate(scenarios):
        upper, lower = panels[k], panels[columns + k]
        before = first if k else None
        total = f"{compact(_supplied(days[name]))}{_of(_supplied(days[name]), None if before is None else _supplied(before))}"
        used = share_text(days[name]["utilisation_share"], signed=False)
        _frame(upper, f"supply and what it is put to: {total} effective account-days/day, {used} % of it sold", tops[0])
        upper.set_title(f"{wrapped(study.title(name), 44, 2)}\n", fontsize=10, loc="left", fontweight="bold")
        _uses(upper, days[name], before)
        _frame(lower, "accounts that come and go, accounts/day; stock, accounts", tops[1])
        _fates(lower, days[name], before)
    if axes is None:
        note = (
            "Bars and ribbons of a row have one scale, that of a day; stocks are written, not drawn. Tables say what each channel supplies"
            " and what each use takes, not which serves which: grey ribbons carry the mixture. Where a stock grows or shrinks, more or"
            " fewer accounts come than leave."
        )
        note += f" Per cent: change from '{study.title(scenarios[0])}'." if columns > 1 else ""
        finish(figure, "A day of the market", study.caption(replications_of(summary, FLOW), note))
    return figure


def _values(summary: pd.DataFrame, scenario: str) -> dict[str, float]:
    """Return the means of a scenario by outcome; raises `KeyError` naming what is missing."""
    rows = summary[summary["scenario"] == scenario].set_index("outcome")["mean"]
    if missing := [name for name in FLOW if name not in rows.index]:
        raise KeyError(f"{scenario} has no {', '.join(missing)}")
    return {name: float(rows[name]) for name in FLOW}


def _supplied(day: Values) -> float:
    return day["supply_account_days"]


def _moved(day: Values) -> float:
    return sum(max(day[f"inflow_{channel}"], day[f"exits_{channel}"]) for channel in CHANNELS)


def _frame(ax: Axes, about: str, top: float) -> None:
    """Prepare a panel whose bars, `top` high with all of them on top of each other, get room between them."""
    ax.set_axis_off()
    ax.set_xlim(-_SIDE, _RIGHT + _THICK + _SIDE)
    height = max(top, 1e-9) / (1.0 - _ROOM * (len(CHANNELS) - 1))
    ax.set_ylim(1.03 * height, -0.03 * height)
    ax.text(0.0, 1.01, about, transform=ax.transAxes, fontsize=8, color=GREY, va="bottom")


def _uses(ax: Axes, day: Values, first: Values | None) -> None:
    """Draw channels, their sum and the uses."""
    sources = [_Node(name, day[f"supply_{name}"], CHANNEL_COLOURS[name]) for name in CHANNELS]
    ends = [_Node(words, day[f"supply_{use}"], GREY) for use, words in _USES.items()]
    keys = ([f"supply_{name}" for name in CHANNELS], [f"supply_{use}" for use in _USES])
    lefts, rights = (_places(ax, [node.size for node in nodes]) for nodes in (sources, ends))
    (middle,) = _places(ax, [_supplied(day)])
    at = middle
    for node, y in zip(sources, lefts, strict=True):
        _ribbon(ax, _LEFT + _THICK, y, _MIDDLE, at, node.size, node.colour)
        ax.add_patch(Rectangle((_MIDDLE, at), _THICK, node.size, facecolor=node.colour, lw=0))
        at += node.size
    at = middle
    for node, y in zip(ends, rights, strict=True):
        _ribbon(ax, _MIDDLE + _THICK, at, _RIGHT, y, node.size, PALE)
        at += node.size
    for nodes, places, x, names, side in ((sources, lefts, _LEFT, keys[0], -1), (ends, rights, _RIGHT, keys[1], 1)):
        for node, y, name in zip(nodes, places, names, strict=True):
            _bar(ax, x, y, node, side, f"{node.label} {compact(node.size)}{_change(node.size, first, name)}")


def _fates(ax: Axes, day: Values, first: Values | None) -> None:
    """Draw accounts acquired, stocks, and accounts sanctioned or gone otherwise."""
    come, go, caught = ([day[f"{part}_{name}"] for name in CHANNELS] for part in ("inflow", "exits", "detected"))
    places = _places(ax, np.maximum(come, go).tolist())
    sums = [sum(caught), max(sum(go) - sum(caught), 0.0)]
    ends = _places(ax, sums, spread=3.0)
    at = list(ends)
    for k, name in enumerate(CHANNELS):
        colour, y = CHANNEL_COLOURS[name], places[k]
        _ribbon(ax, _LEFT + _THICK, y, _MIDDLE, y, come[k], colour)
        left = [caught[k], max(go[k] - caught[k], 0.0)]
        start = y
        for end, size in enumerate(left):
            _ribbon(ax, _MIDDLE + _THICK, start, _RIGHT, at[end], size, colour)
            start, at[end] = start + size, at[end] + size
        _bar(ax, _LEFT, y, _Node(name, come[k], colour), -1, f"{name} {compact(come[k])}{_change(come[k], first, f'inflow_{name}')}")
        _bar(ax, _MIDDLE, y, _Node("", max(come[k], go[k]), colour), 0, "")
        ax.text(_MIDDLE - 0.03, y + max(come[k], go[k]) / 2.0, f"stock {compact(day[f'stock_{name}'])}", bbox=_PALE_BOX, **_SMALL)
    found = {name: day[name] for name in FOUND if day[name] > 0.0}
    how = {"swept": "in sweeps", "challenged": "at login", "purged": "in a purge"}
    parts = [f"of these {compact(size)} {how[name]}" for name, size in found.items()]
    before = None if first is None else sum(first[f"detected_{name}"] for name in CHANNELS)
    gone = None if first is None or before is None else sum(first[f"exits_{name}"] for name in CHANNELS) - before
    _bar(ax, _RIGHT, ends[0], _Node("", sums[0], BLACK), 1, "\n".join([f"sanctioned {compact(sums[0])}{_of(sums[0], before)}", *parts]))
    _bar(
        ax,
        _RIGHT,
        ends[1],
        _Node("", sums[1], GREY),
        1,
        f"other ways out {compact(sums[1])}{_of(sums[1], gone)}\nquit, taken back,\ndealer gone",
    )


def _places(ax: Axes, sizes: Sequence[float], spread: float = 1.0) -> list[float]:
    """Return the upper edges of bars below each other with room between them, in the middle of the panel."""
    low, high = sorted(ax.get_ylim())
    room = spread * _ROOM * (high - low) / 1.06
    start = (low + high - sum(sizes) - room * (len(sizes) - 1)) / 2.0
    edges = start + np.concatenate([[0.0], np.cumsum(np.array(sizes) + room)[:-1]])
    return [float(edge) for edge in edges]


def _bar(ax: Axes, x: float, y: float, node: _Node, side: int, text: str) -> None:
    """Draw a bar with its label at the left (-1) or the right (1)."""
    ax.add_patch(Rectangle((x, y), _THICK, node.size, facecolor=node.colour, lw=0, zorder=3))
    if side:
        where, align = (x - 0.02, "right") if side < 0 else (x + _THICK + 0.02, "left")
        ax.text(where, y + node.size / 2.0, text, va="center", ha=align, fontsize=7.5, linespacing=1.15)


def _ribbon(ax: Axes, x0: float, y0: float, x1: float, y1: float, size: float, colour: str) -> None:
    """Draw a ribbon of one height from the right edge of a bar to the left edge of another; `y0`, `y1` are its upper ends."""
    if size <= 0.0:
        return
    bend = x0 + _STEPS * (x1 - x0)
    upper = [(x0, y0), (bend, y0), (bend, y1), (x1, y1)]
    lower = [(x1, y1 + size), (bend, y1 + size), (bend, y0 + size), (x0, y0 + size)]
    codes = [Outline.MOVETO, *[Outline.CURVE4] * 3, Outline.LINETO, *[Outline.CURVE4] * 3, Outline.CLOSEPOLY]
    ax.add_patch(PathPatch(Outline([*upper, *lower, upper[0]], codes), facecolor=colour, alpha=0.45, lw=0, zorder=1))


def _change(value: float, first: Values | None, name: str) -> str:
    return _of(value, None if first is None else first[name])


def _of(value: float, before: float | None) -> str:
    """Return the change from another scenario's value in brackets, nothing without one."""
    return "" if before is None or not before > 0.0 else f" ({share_text(value / before - 1.0)} %)"
