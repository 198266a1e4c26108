"""Figures of an optimisation: harm against cost of the mixes tried, and how strong each lever is in them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter

from sim.names import name_of
from sim.plots.style import (
    BLACK,
    BLUE,
    GREY,
    ORANGE,
    PALE,
    SKY,
    Compact,
    PolicyStyle,
    Reals,
    Study,
    finish,
    grid,
    owner,
    short_unit,
    tidy,
)  # fmt: skip
from sim.plots.text import drawn
from sim.plots.tradeoff import place_labels

_COST = "enforcement_cost_yuan"
_WINNER, _RIVAL, _BASELINE = "winner", "rival", "baseline"  # kinds of policies in the table of winners
_COLUMNS = 3
_SIZE = 60.0  # area of a marker with a label, square points
_STEPS = 12  # points along a step of a line that labels should not cover
_AGAINST = "against "  # begins the role of a winner that is held against a rival

_KINDS = (
    ("misses a guardrail", {"color": PALE, "marker": "x", "ms": 4.5}),
    ("keeps them, is beaten", {"color": GREY, "marker": "o", "mfc": "none", "ms": 4.5}),
    ("efficient within chance", {"color": SKY, "marker": "o", "ms": 5.0}),
    ("efficient by its mean", {"color": BLUE, "marker": "o", "ms": 5.5}),
)
_STAR: dict[str, Any] = {"color": ORANGE, "marker": "*", "mec": BLACK, "mew": 0.7, "ms": 13.0}


@drawn
def harm_front(
    trials: pd.DataFrame, winners: pd.DataFrame, duels: pd.DataFrame, harm: str, study: Study, about: str, ax: Axes | None = None
) -> Figure:
    """Draw harm against cost: every mix tried by its means in the search, winners and rivals by those on fresh seeds.

    `trials`, `winners` and `duels` are tables of an optimisation; `about` says how much was searched. Bars are 95 % intervals of
    differences from the baseline, paired. A line joins each rival with the
    winner that is held against it.
    """
    if ax is None:
        figure = Figure(figsize=(11.5, 7.4), layout="constrained")
        panel = figure.subplots()
    else:
        figure, panel = owner([ax], 1), ax
    _trials(panel, trials, trials[_COST], trials[harm])
    steps = _staircase(trials, harm)
    panel.plot(steps[_COST], steps[harm], color=BLUE, lw=1.0, drawstyle="steps-post", zorder=2.5)
    points = _points(winners, harm)
    rivals = [name for name, row in points.items() if row["kind"] == _RIVAL]
    styles = study.styles([*rivals, study.baseline])
    for duel in duels.dropna(subset="winner").to_dict("records"):
        ends = [points[duel[which]] for which in (_RIVAL, _WINNER)]
        panel.plot([end["x"] for end in ends], [end["y"] for end in ends], color=GREY, lw=0.8, ls=":", zorder=3)
    for name, row in points.items():
        own: dict[str, Any] = _STAR if row["kind"] == _WINNER else _marker(styles[name])
        panel.plot(row["x_ends"], [row["y"]] * 2, color=BLACK, lw=1.1, zorder=6)
        panel.plot([row["x"]] * 2, row["y_ends"], color=BLACK, lw=1.1, zorder=6)
        panel.plot(row["x"], row["y"], ls="", zorder=5, **own)
    _axes(panel, pd.concat([trials[_COST], pd.Series([row["x"] for row in points.values()])]))
    panel.margins(x=0.06, y=0.08)
    panel.set_xlabel(f"enforcement cost, yuan/day{' (logarithmic)' if panel.get_xscale() == 'log' else ''}", fontsize=9)
    panel.set_ylabel(f"{name_of(harm)}, {short_unit(harm)}", fontsize=9)
    if ax is None:
        handles, labels = _legend([*(label for label, _ in _KINDS), "winner, on fresh seeds"])
        for name in [*rivals, study.baseline]:
            handles.append(Line2D([], [], ls="", **_marker(styles[name])))
            labels.append(study.title(name))
        note = (
            f"{about} Lower left is better; the line is the best of the search; dotted: a rival and the mix that costs no more."
            " Bars: 95 % intervals of differences from the baseline on the same seeds."
        )
        finish(figure, f"What the cheapest mixes cost, and the {name_of(harm)} they leave", _caption(study, note), handles, labels)
    others = [*trials[[_COST, harm]].to_numpy(dtype=np.float64), *_line(steps[[_COST, harm]].to_numpy(dtype=np.float64))]
    others += [np.array([row["x"], row["y"]]) for row in points.values() if row["kind"] != _WINNER]
    _label(figure, panel, points, np.array(others))
    return figure


@drawn
def mixes_along(
    trials: pd.DataFrame,
    winners: pd.DataFrame,
    levers: Mapping[str, tuple[float, float]],
    today: Mapping[str, float],
    study: Study,
    about: str,
) -> Figure:
    """Draw the strength of each lever against the cost of the mix, a panel a lever with the range that was searched.

    `today` has the baseline's strengths; the winners are marked, each at its cost in the search.
    """
    rows = -(-len(levers) // _COLUMNS)
    columns = min(_COLUMNS, len(levers))
    figure, panels = grid(rows, columns, max(3.6 * columns, 7.6), 2.5 * rows + 1.5, share_x=True)
    won = trials[trials["trial"].isin(winners["trial"].dropna())]
    for k, (ax, (lever, (low, high))) in enumerate(zip(panels, levers.items(), strict=False)):
        _trials(ax, trials, trials[_COST], trials[lever])
        ax.axhline(today[lever], color=BLACK, lw=0.9, ls=":", zorder=1)
        ax.plot(won[_COST], won[lever], ls="", zorder=5, **_STAR)
        room = 0.06 * (high - low)
        _axes(ax, trials[_COST], y_ticks=4)
        ax.set_ylim(low - room, high + room)
        ax.set_title(lever.replace("_", " ").capitalize(), fontsize=9, loc="left", fontweight="bold")
        if k % columns == 0:
            ax.set_ylabel("strength", fontsize=8)
        if k + columns >= len(levers):
            ax.tick_params(labelbottom=True)
            ax.set_xlabel(f"cost, yuan/day{' (logarithmic)' if ax.get_xscale() == 'log' else ''}", fontsize=8)
    for spare in panels[len(levers) :]:
        spare.set_axis_off()
    handles, labels = _legend([*(label for label, _ in _KINDS), "winner"])
    handles.append(Line2D([], [], color=BLACK, lw=0.9, ls=":"))
    finish(figure, "How strong each lever is in the mixes", _caption(study, about), handles, [*labels, study.title(study.baseline)])
    return figure


def _trials(ax: Axes, trials: pd.DataFrame, x: pd.Series[float], y: pd.Series[float]) -> None:
    """Draw the mixes tried, the better ones above."""
    best, near, keeps = (trials[name].to_numpy(dtype=np.bool_) for name in ("pareto", "efficient", "keeps"))
    parts = (~keeps, keeps & ~near & ~best, near & ~best, best)
    for k, (part, (_, style)) in enumerate(zip(parts, _KINDS, strict=True)):
        ax.plot(x[part], y[part], ls="", zorder=1.5 + 0.2 * k, **style)  # type: ignore[arg-type]  # colours, markers and sizes


def _staircase(trials: pd.DataFrame, harm: str) -> pd.DataFrame:
    """Return the trials that keep the guardrails and have less harm than any cheaper one, cheapest first."""
    kept = trials[trials["keeps"]].sort_values([_COST, harm], kind="stable")
    return kept[kept[harm] < kept[harm].cummin().shift(fill_value=np.inf)]


def _points(winners: pd.DataFrame, harm: str) -> dict[str, dict[str, Any]]:
    """Return each policy run again: cost and harm on fresh seeds, the ends of their intervals, what it is called."""
    points: dict[str, dict[str, Any]] = {}
    for outcome, value in ((_COST, "x"), (harm, "y")):
        for row in winners[winners["outcome"] == outcome].to_dict("records"):
            point = points.setdefault(str(row["policy"]), {"kind": row["kind"], "roles": str(row["roles"])})
            ends = tuple(float(row["fresh"] - row["difference"] + row[f"difference_{end}"]) for end in ("low", "high"))
            point |= {value: float(row["fresh"]), f"{value}_ends": ends}
    return points


def _line(corners: Reals) -> list[Reals]:
    """Return points along the steps through some corners, `(n, 2)`: across, then down."""
    along = np.linspace(0.0, 1.0, _STEPS)[:, None]
    found: list[Reals] = []
    for here, there in pairwise(corners):
        turn = np.array([there[0], here[1]])
        found += [*(here + along * (turn - here)), *(turn + along * (there - turn))]
    return found


def _label(figure: Figure, ax: Axes, points: Mapping[str, Mapping[str, Any]], others: Reals) -> None:
    """Write beside the winners what they are, where that is more than better than a rival."""
    named = {}
    for name, row in points.items():
        roles = [role for role in row["roles"].split("; ") if role and not role.startswith(_AGAINST)]
        if roles:
            named[name] = f"{', '.join(roles)} ({name.replace('_', ' ')})"
    if not named:
        return
    rows = [points[name] for name in named]
    xs, ys = (np.array([row[key] for row in rows]) for key in "xy")
    bars = [[row[f"{key}_ends"] for row in rows] for key in "xy"]
    sizes: Reals = np.full(len(rows), _SIZE)
    place_labels(figure, ax, list(named.values()), xs, ys, sizes, bars[0], bars[1], others)


def _axes(ax: Axes, costs: pd.Series[float], y_ticks: int = 6) -> None:
    tidy(ax, x_ticks=5, y_ticks=y_ticks)
    if costs.min() > 0.0 and costs.max() / costs.min() > 10.0:
        ax.set_xscale("log")
        ax.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        ax.xaxis.set_major_formatter(Compact())
        ax.xaxis.set_minor_formatter(NullFormatter())
    ax.grid(color=PALE, lw=0.4)
    ax.set_axisbelow(True)


def _marker(style: PolicyStyle) -> dict[str, Any]:
    return {"color": style.colour, "marker": style.marker, "mec": BLACK, "mew": 0.7, "ms": 9.0}


def _legend(labels: list[str]) -> tuple[list[Artist], list[str]]:
    """Return handles for the kinds of trials and for the winners, with their labels."""
    styles: list[dict[str, Any]] = [*(dict(style) for _, style in _KINDS), _STAR]
    return [Line2D([], [], ls="", **style) for style in styles], list(labels)


def _caption(study: Study, note: str) -> str:
    first, last = study.window_days
    return f"{note} {study.users:,} users. Means of days {first}-{last - 1}."
