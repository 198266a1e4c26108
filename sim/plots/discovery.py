"""The figure of a box of worlds in which a policy fails: how it was found, its limits, and the worlds inside and outside."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from sim.analysis.rows import records
from sim.plots.style import BLACK, BLUE, GREY, PALE, VERMILLION, Study, compact, finish, tidy
from sim.plots.text import drawn, readable, wrapped

_LABEL = 26  # characters of a factor's name in a line
_SHORT = 14  # letters of a unit that stands beside a factor's name
_THIN, _THICK = 0.16, 0.5

Row = Mapping[str, Any]


def peeling(ax: Axes, path: pd.DataFrame, part: pd.DataFrame) -> Axes:
    """Draw on given axes how worlds were peeled away: coverage and density by step, the step chosen, and the box; returns the axes.

    `path` has a row a step; `part` a row a factor, with what the box is worth.
    """
    ax.plot(path["coverage"] * 100.0, path["density"] * 100.0, color=GREY, lw=0.8, zorder=2)
    ax.plot(path["coverage"] * 100.0, path["density"] * 100.0, "o", color=PALE, mec=GREY, mew=0.6, ms=4, zorder=3)
    for restricted, step in path.groupby("restricted")["coverage"].idxmax().items():
        if restricted:
            row = path.loc[step]
            where = (float(row["coverage"]) * 100.0, float(row["density"]) * 100.0)
            ax.annotate(f"{restricted}", where, (-4, -9), textcoords="offset points", ha="right", fontsize=7, color=GREY)
    first = part.iloc[0]
    there = (float(first["coverage"]) * 100.0, float(first["density"]) * 100.0)
    ax.plot(*there, "D", color=VERMILLION, mec=BLACK, mew=0.7, ms=7, zorder=5)
    unseen = (float(first["unseen_coverage"]) * 100.0, float(first["unseen_density"]) * 100.0)
    if np.isfinite(unseen).all():
        ax.plot(*unseen, "D", color="white", mec=VERMILLION, mew=1.2, ms=6, zorder=4)
    ax.set_xlim(0.0, 104.0)
    ax.set_ylim(0.0, 104.0)
    ax.set_xlabel("coverage, % of failing worlds", fontsize=7.5)
    ax.set_ylabel("density, % of the worlds inside that fail", fontsize=7.5)
    tidy(ax, x_ticks=5, y_ticks=5)
    ax.grid(color=PALE, lw=0.4)
    ax.set_axisbelow(True)
    return ax


def box_limits(ax: Axes, part: pd.DataFrame, log: Collection[str] = ()) -> Axes:
    """Draw the limits of a box against the ranges of all factors on given axes, the surest factor at the top; returns the axes.

    `part` has a row a factor; those whose keys are in `log` are drawn on a scale of equal ratios.
    """
    rows = _ordered(part)
    for y, row in enumerate(rows):
        ends = [_place(row, float(row[name]), row["factor"] in log) for name in ("low", "high")]
        ax.barh(y, 1.0, _THIN, color=PALE, zorder=1)
        for name, x, shift, side in (("range_low", 0.0, -4, "right"), ("range_high", 1.0, 4, "left")):
            text = compact(float(row[name]))
            ax.annotate(text, (x, y), (shift, 0), textcoords="offset points", ha=side, va="center", fontsize=6.5, color=GREY)
        if row["restricted"]:
            ax.barh(y, ends[1] - ends[0], _THICK, left=ends[0], color=VERMILLION, ec=BLACK, lw=0.6, zorder=3)
            for name, x, p in (("low", ends[0], row["quasi_p_low"]), ("high", ends[1], row["quasi_p_high"])):
                if np.isfinite(p):
                    text = f"{compact(float(row[name]))}"
                    ax.annotate(text, (x, y), (0, 9), textcoords="offset points", ha="center", va="bottom", fontsize=7, fontweight="bold")
        p = np.nanmin([row["quasi_p_low"], row["quasi_p_high"]]) if row["restricted"] else np.nan
        for x, text in ((1.27, _p_value(p)), (1.58, f"{100.0 * row['reproduced']:.0f} %")):
            ax.text(x, y, text, ha="center", va="center", fontsize=7, color=BLACK if row["restricted"] else GREY)
    for x, text in ((0.5, "range (grey) and box"), (1.27, "quasi-p"), (1.58, "found again")):
        ax.text(x, -0.85, text, ha="center", va="bottom", fontsize=7.5)
    ax.set_yticks(range(len(rows)), [_named(row) for row in rows], fontsize=7.5)
    ax.set_ylim(len(rows) - 0.5, -0.95)
    ax.set_xlim(-0.16, 1.76)
    ax.set_xticks([])
    ax.tick_params(axis="y", length=0)
    ax.spines[:].set_visible(False)
    return ax


def scatter(ax: Axes, worlds: pd.DataFrame, part: pd.DataFrame, log: Collection[str] = ()) -> Axes:
    """Draw the worlds on given axes by the two surest factors of a box, failing and not, with the box; returns the axes.

    `worlds` has a row a world; a box of one factor takes the one that is found again most often beside it. Where there is no second
    factor, the other axis is the number of the world.
    """
    rows = _ordered(part)
    x, y = str(rows[0]["factor"]), str(rows[1]["factor"]) if len(rows) > 1 else "world"
    open_ = worlds["uncertain"].eq(True).to_numpy(dtype=bool)  # NaN is not open
    for failed, marker, colour in ((False, "o", BLUE), (True, "X", VERMILLION)):
        for unsure in (False, True):
            some = worlds[(worlds["failed"] == failed) & (open_ == unsure)]
            ax.plot(some[x], some[y], marker, color="white" if unsure else colour, mec=colour, mew=0.9, ms=5, lw=0, zorder=3)
    inside = {key: next((row for row in rows if row["factor"] == key), None) for key in (x, y)}
    for axis, key in ((ax.xaxis, x), (ax.yaxis, y)):
        if key in log:
            (ax.set_xscale if axis is ax.xaxis else ax.set_yscale)("log")
    ends = [_ends(worlds[key], row, key in log) for key, row in inside.items()]
    ax.set_xlim(*ends[0][0])
    ax.set_ylim(*ends[1][0])
    (left, right), (bottom, top) = ends[0][1], ends[1][1]
    ax.add_patch(Rectangle((left, bottom), right - left, top - bottom, facecolor=VERMILLION, alpha=0.12, lw=0, zorder=1))
    ax.add_patch(Rectangle((left, bottom), right - left, top - bottom, fill=False, ec=BLACK, lw=1.0, zorder=2))
    ax.set_xlabel(_named(rows[0], 60), fontsize=7.5)
    ax.set_ylabel(_named(rows[1], 44) if len(rows) > 1 else "number of the world", fontsize=7.5)
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(which="both", labelsize=7.5)
    return ax


@drawn
def box_figure(
    worlds: pd.DataFrame,
    part: pd.DataFrame,
    path: pd.DataFrame,
    policy: str,
    rule: str,
    study: Study,
    log: Collection[str],
    replications: int,
) -> Figure:
    """Draw one box in a new figure: limits against ranges, worlds by the two surest factors, and the peeling that led to it."""
    tried = worlds[worlds["world"] > 0]
    figure = Figure(figsize=(11.0, max(4.6, 2.2 + 0.36 * len(part))), layout="constrained")
    axes = figure.subplots(1, 3, width_ratios=[1.55, 1.0, 1.0])
    for ax, title in zip(axes, ("Limits of the box", "Worlds tried", "Peeling, and what it is worth"), strict=True):
        ax.set_title(title, fontsize=9.5, loc="left", fontweight="bold", pad=14.0)
    box_limits(axes[0], part, log)
    scatter(axes[1], tried, part, log)
    peeling(axes[2], path, part)
    handles = [
        Line2D([], [], color=VERMILLION, marker="X", mec=VERMILLION, lw=0, ms=5),
        Line2D([], [], color=BLUE, marker="o", lw=0, ms=5),
        Line2D([], [], color="white", marker="o", mec=GREY, lw=0, ms=5),
        Line2D([], [], color=PALE, marker="o", mec=GREY, lw=0, ms=4),
        Line2D([], [], color=VERMILLION, marker="D", mec=BLACK, lw=0, ms=6),
        Line2D([], [], color="white", marker="D", mec=VERMILLION, mew=1.2, lw=0, ms=6),
    ]
    labels = ["fails", "does not", "hollow: chance leaves it open", "a step of the peeling", "the box", "in worlds it was not fitted to"]
    number, failing = int(part["box"].iloc[0]), int(tried["failed"].sum())
    note = (
        f"Fails: {rule}. {failing} of {len(tried)} worlds fail; box {number} has {int(part['failing'].iloc[0])} failing ones among its"
        f" {int(part['worlds'].iloc[0])}. Quasi-p: chance that as many fail without the surer limit of a factor; found again: share of"
        " draws of the worlds, with replacement, whose box limits the factor. Small numbers: factors restricted."
    )
    ordinal = "" if number == 1 else f" (box {number}, outside those before)"
    finish(figure, f"Where '{readable(policy, 'the policy')}' fails{ordinal}", study.caption(replications, note), handles, labels)
    return figure


def _ordered(part: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a box: restricted factors first, the smallest quasi-p value first; then by how often they are found again."""

    def key(row: Row) -> tuple[float, float]:
        return (float(np.nanmin([row["quasi_p_low"], row["quasi_p_high"]])) if row["restricted"] else 2.0, -row["reproduced"])

    return sorted(records(part), key=key)


def _named(row: Row, width: int = _LABEL) -> str:
    unit = str(row["unit"]) if len(str(row["unit"])) <= _SHORT else str(row["unit"]).split(maxsplit=1)[0]
    text = str(row["label"]) if unit in str(row["label"]) else f"{row['label']} ({unit})"
    return wrapped(readable(text, text), width, 2)


def _place(row: Row, value: float, log: bool) -> float:
    """Return where a value is in the range of its factor, from 0 to 1."""
    low, high = float(row["range_low"]), float(row["range_high"])
    return float(np.log(value / low) / np.log(high / low)) if log else (value - low) / (high - low)


def _ends(values: pd.Series[float], row: Row | None, log: bool) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the ends of an axis, and those of the box on it: of the whole axis where it is open."""
    low, high = (float(row["range_low"]), float(row["range_high"])) if row else (float(values.min()), float(values.max()))
    margin = 0.04 * (np.log(high / low) if log else high - low)
    wide = (low * np.exp(-margin), high * np.exp(margin)) if log else (low - margin, high + margin)
    if row is None or not row["restricted"]:
        return wide, wide
    edges = [float(row[name]) if np.isfinite(row[f"quasi_p_{name}"]) else wide[k] for k, name in enumerate(("low", "high"))]
    return wide, (edges[0], edges[1])


def _p_value(p: float) -> str:
    if not np.isfinite(p):
        return "\N{EN DASH}"
    return "< .001" if p < 0.001 else f"{p:.3f}".lstrip("0")
