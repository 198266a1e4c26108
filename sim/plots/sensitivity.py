"""Figures of a sensitivity analysis: bars of what moves an outcome, luck beside the factors, and tornadoes of its direction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from sim.analysis.rows import records
from sim.analysis.uncertain import SHARE
from sim.names import name_of
from sim.plots.style import BLACK, BLUE, GREY, PALE, SKY, VERMILLION, Study, compact, finish, grid, short_unit, tidy
from sim.plots.text import drawn, readable, wrapped

_COLUMNS = 3
_NARROWEST = 6.6  # inches, so that legends stand in a line or two
_SHORT = 14  # letters of a unit that stands beside a factor's name
_LABEL = 24  # characters of a factor's name in a line
_THIN, _THICK = 0.34, 0.62
_OFF = 0.19  # from a factor's line, the bars of its two indices
_REVERSED = "share of pairs"  # unit of the order of policies
_ROOM = 0.13  # beside the bars, for numbers, as a part of the axis

Row = Mapping[str, Any]


def bars(ax: Axes, part: pd.DataFrame, luck: Row) -> Axes:
    """Draw what moves one quantity on given axes: a row a factor, and luck below them; returns the axes.

    `part` has a row a factor: mu*, what of it luck alone gives, and sigma of a screening, in the unit of the quantity a whole range, or
    first and total Sobol indices as shares of the variance of one run. `luck` is the quantity's row of the table of luck: how far two
    seeds are apart, or its share. With one replication luck is not known, and shares are those of the variance of means.
    """
    screening = "mu_star" in part
    rows = records(part)
    if screening:
        scale = _scale(luck["unit"])
        _bar(ax, rows, "mu_star", 0.0, _THICK, BLUE, scale)
        for y, row in enumerate(rows):
            ends = np.array([row["sigma_low"], row["sigma_high"]]) * scale
            ax.plot(ends, [y + _OFF] * 2, color=BLACK, lw=0.8, zorder=4)
            ax.plot([row["mu_star_luck"] * scale] * 2, [y - _THICK / 2.0, y + _THICK / 2.0], color=VERMILLION, lw=1.4, zorder=4)
            ax.plot(row["sigma"] * scale, y + _OFF, "D", color="white", mec=BLACK, mew=0.9, ms=4.5, zorder=5, clip_on=False)
        value, ends_ = float(luck["seed_difference"]) * scale, None
        ax.set_xlabel(f"change over a factor's range, {_unit(luck)}", fontsize=7.5)
    else:
        of = "_of_run" if np.isfinite(luck["luck_share"]) else ""
        _bar(ax, rows, f"first{of}", -_OFF, _THIN, BLUE, 100.0)
        _bar(ax, rows, f"total{of}", _OFF, _THIN, SKY, 100.0)
        value = float(luck["luck_share"]) * 100.0
        ends_ = (float(luck["luck_share_low"]) * 100.0, float(luck["luck_share_high"]) * 100.0)
        ax.set_xlabel(f"% of the variance of {'a run' if of else 'the expected outcome'}", fontsize=7.5)
    if np.isfinite(value):
        ax.barh(len(rows), value, _THICK, color=PALE, ec=GREY, hatch="////", lw=0.6, zorder=2)
        if ends_ is not None and np.isfinite(ends_).all():
            ax.plot(ends_, [len(rows)] * 2, color=BLACK, lw=1.0, zorder=4)
    else:
        ax.text(0.02, len(rows), "not known", transform=ax.get_yaxis_transform(), va="center", fontsize=7.5, color=GREY)
    ax.axvline(0.0, color=BLACK, lw=0.8)
    _rows(ax, [row["label"] for row in rows], "another seed" if screening else "luck (the seed)")
    ax.margins(x=0.04)
    if screening:
        ax.set_xlim(0.0, ax.get_xlim()[1] if part["mu_star"].any() or value > 0.0 else 1.0)
    if not (part["mu_star"].any() if screening else np.isfinite(part["total"]).any()):
        _still(ax, len(rows))
    return ax


def tornado(ax: Axes, part: pd.DataFrame, luck: Row) -> Axes:
    """Draw in which direction factors move one quantity on given axes, a row a factor; returns the axes.

    A bar runs from where the quantity is with the factor at its low end to where it is at its high end, by the straight line through
    pairs of points that differ in this factor only, about the mean of the design; thin lines are 95 % intervals. Numbers at the ends are
    the factor's own values. `luck` is the quantity's row of the table of luck.
    """
    centre, scale = float(luck["mean"]) * _scale(luck["unit"]), _scale(luck["unit"])
    bounds = (0.0, 100.0) if luck["unit"] == _REVERSED else (-np.inf, np.inf)  # a straight line knows no such bounds
    rows = records(part)
    for y, row in enumerate(rows):
        half, *ends = (float(row[f"trend{end}"]) * scale / 2.0 for end in ("", "_low", "_high"))
        reach = max(map(abs, ends))
        for side, colour, end in ((-1.0, BLUE, "low"), (1.0, VERMILLION, "high")):
            here, low, high = np.clip([centre + side * half, *sorted(centre + side * np.array(ends))], *bounds)
            ax.barh(y, here - centre, _THICK, left=centre, color=colour, zorder=2)
            ax.plot([low, high], [y, y], color=BLACK, lw=0.9, zorder=4)
            right = side * half > 0.0 if half else side > 0.0
            edge = float(np.clip(centre + (reach if right else -reach), *bounds))
            place: Literal["left", "right"] = "left" if right else "right"
            ax.annotate(
                compact(float(row[end])), (edge, y), (3 if right else -3, 0), textcoords="offset points", va="center", ha=place,
                fontsize=6.5, color=colour, zorder=5,
            )  # fmt: skip
    ax.axvline(centre, color=BLACK, lw=0.8)
    _rows(ax, [f"{row['label']}{_in_brackets(row['factor_unit'], row['label'])}" for row in rows])
    ax.margins(x=_ROOM)
    if not part["trend"].abs().max() > 0.0:
        ax.set_xlim(centre - 1.0, centre + 1.0)
        _still(ax, len(rows))
    ax.set_xlabel(_unit(luck), fontsize=7.5)
    return ax


@drawn
def bars_figure(part: pd.DataFrame, luck: pd.DataFrame, study: Study) -> Figure:
    """Draw the bars of one outcome in a new figure: a panel for the baseline, for what each policy does, and for their order."""
    screening = "mu_star" in part
    figure, known = _panels(part, luck, study, "mu_star" if screening else "total", bars)
    handles: list[Artist]
    if screening:
        diamond = Line2D([], [], color=BLACK, lw=0.8, marker="D", mfc="white", ms=4.5)
        handles = [Patch(facecolor=BLUE), diamond, Line2D([], [], color=VERMILLION, lw=1.4), _hatched()]
        labels = ["mu*: mean size of the change", "sigma: how it differs with the other factors", "mu* that luck alone gives"]
        labels.append("mean difference between two seeds")
        note = "Morris screening: each factor moved over its range, from many places."
    else:
        handles = [Patch(facecolor=BLUE), Patch(facecolor=SKY), _hatched()]
        labels = ["first index: alone", "total index: with interactions", "luck"]
        note = "Sobol indices; the seed is a factor beside the others." if known else "Sobol indices of the mean over replications."
    _finish(figure, "What moves", part, luck, study, note, (handles, labels))
    return figure


@drawn
def tornado_figure(part: pd.DataFrame, luck: pd.DataFrame, study: Study) -> Figure:
    """Draw the tornadoes of one outcome in a new figure: a panel for the baseline, for what each policy does, and for their order."""
    figure, _ = _panels(part, luck, study, "trend", tornado)
    note = (
        "Mean at each end of a factor's range by a straight line, the others anywhere in theirs; numbers are the factor's own values."
        " Where a thin line crosses the mean, the direction is not clear."
    )
    handles: list[Artist] = [Patch(facecolor=BLUE), Patch(facecolor=VERMILLION), Line2D([], [], color=BLACK, lw=0.8)]
    _finish(figure, "Which way factors move", part, luck, study, note, (handles, ["factor low", "factor high", "mean of the design"]))
    return figure


def _panels(part: pd.DataFrame, luck: pd.DataFrame, study: Study, measure: str, draw: Any) -> tuple[Figure, bool]:
    """Draw a panel a subject, factors in one order in all; say whether luck is known."""
    subjects = [str(name) for name in luck["subject"]]
    sizes = part.pivot_table(index="factor", columns="subject", values=measure, sort=False, dropna=False).abs()
    order = (sizes / sizes.max().replace(0.0, np.nan)).mean(axis=1).sort_values(ascending=False, kind="stable").index
    columns = min(_COLUMNS, len(subjects))
    rows = -(-len(subjects) // columns)
    figure, axes = grid(rows, columns, max(3.2 * columns + 1.8, _NARROWEST), rows * (0.95 + 0.34 * (len(order) + 1)) + 1.1)
    lucks = {str(row["subject"]): row for row in records(luck)}
    for k, (ax, subject) in enumerate(zip(axes, subjects, strict=False)):
        own = part[part["subject"] == subject].set_index("factor", drop=False).loc[list(order)]
        draw(ax, own, lucks[subject])
        if k % columns:
            ax.set_yticklabels([])
        ax.set_title(wrapped(_title(subject, lucks[subject], study), 34, 2), fontsize=9, loc="left", fontweight="bold")
    for spare in axes[len(subjects) :]:
        spare.set_axis_off()
    return figure, bool(np.isfinite(luck["luck_share"].iloc[0]))


def _title(subject: str, luck: Row, study: Study) -> str:
    title = study.title(subject)
    title = title[:1].upper() + title[1:]
    return f"Effect of: {title}" if _is_effect(subject, luck, study) else title


def _is_effect(subject: str, luck: Row, study: Study) -> bool:
    """Say whether a quantity is what a policy does, rather than an outcome or the order of policies."""
    return subject != study.baseline and luck["unit"] != _REVERSED


def _finish(
    figure: Figure, head: str, part: pd.DataFrame, luck: pd.DataFrame, study: Study, note: str, legend: tuple[list[Artist], list[str]]
) -> None:
    outcome = str(part["outcome"].iloc[0])
    several = f", and the effects of policies on {'them' if name_of(outcome).endswith('s') else 'it'}" if len(luck) > 1 else ""
    title = f"{head} {name_of(outcome)}{several}"
    relative = " A policy's effect is in per cent of the same point's baseline." if (luck["unit"] == SHARE).any() else ""
    ead = " EAD: effective account-days." if "EAD" in short_unit(outcome) else ""
    replications, points = int(luck["replications"].iloc[0]), int(luck["points"].iloc[0])
    finish(figure, title, study.caption(replications, f"{note} Thin lines: 95 % intervals.{relative}{ead} {points} points."), *legend)


def _bar(ax: Axes, rows: list[dict[str, Any]], name: str, off: float, height: float, colour: str, scale: float) -> None:
    for y, row in enumerate(rows):
        if np.isfinite(row[name]):
            ax.barh(y + off, row[name] * scale, height, color=colour, zorder=2)
            ax.plot([row[f"{name}_low"] * scale, row[f"{name}_high"] * scale], [y + off] * 2, color=BLACK, lw=1.0, zorder=4)


def _rows(ax: Axes, labels: list[str], last: str = "") -> None:
    """Label the rows, the first at the top."""
    names = [wrapped(readable(label, label), _LABEL, 2) for label in labels] + ([last] if last else [])
    ax.set_yticks(range(len(names)), names, fontsize=7.5)
    ax.set_ylim(len(names) - 0.4, -0.6)
    tidy(ax, x_ticks=5)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.grid(axis="x", color=PALE, lw=0.4)
    ax.set_axisbelow(True)


def _still(ax: Axes, rows: int) -> None:
    """Say in a panel that there is nothing to see."""
    box = {"facecolor": "white", "lw": 0}
    middle, across = (rows - 1) / 2.0, ax.get_yaxis_transform()
    ax.text(0.5, middle, "no factor moves it", transform=across, va="center", ha="center", fontsize=8.5, color=GREY, bbox=box, zorder=6)


def _in_brackets(unit: str, label: str) -> str:
    short = unit if len(unit) <= _SHORT else unit.split(maxsplit=1)[0]
    return "" if label.endswith(short) else f" ({short})"


def _scale(unit: str) -> float:
    return 100.0 if unit in (SHARE, _REVERSED) else 1.0


def _unit(luck: Row) -> str:
    if luck["unit"] == SHARE:
        return "% of baseline"
    return "% of pairs reversed" if luck["unit"] == _REVERSED else short_unit(str(luck["outcome"]))


def _hatched() -> Patch:
    return Patch(facecolor=PALE, edgecolor=GREY, hatch="////")
