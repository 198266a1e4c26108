"""Figures over days: supply by channel around the policy day, paired differences with bands."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from sim.names import title_of
from sim.plots.style import (
    BLACK,
    CHANNEL_COLOURS,
    GREY,
    PALE,
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
)
from sim.plots.text import drawn, wrapped

SUPPLY: tuple[str, ...] = tuple(f"supply_{channel}" for channel in CHANNEL_COLOURS)
"""Daily outcomes that `supply_by_channel` draws."""

OVER_TIME: tuple[str, ...] = ("stock_rented", "supply_account_days", "price_yuan", "expected_harm_yuan")
"""Daily outcomes that `difference_over_time` draws unless told."""

_DAYS_BEFORE = 60
_NARROWEST = 7.6  # inches: title and legend of the channels on one line


@drawn
def supply_by_channel(
    means: pd.DataFrame, study: Study, displacement: pd.DataFrame | None = None, axes: Sequence[Axes] | None = None
) -> Figure:
    """Draw effective supply by channel around the policy day as stacked areas, a panel a policy, the baseline ghosted.

    `means` is `analysis.mean_daily(daily, SUPPLY)`; `displacement` the displacement table, whose index is printed in the panel.
    Without a policy the baseline is drawn alone.
    """
    scenarios = study.order(means["scenario"].unique().tolist())
    alone = not scenarios
    scenarios = scenarios or [study.baseline]
    columns = min(4, len(scenarios))
    rows = -(-len(scenarios) // columns)
    if axes is None:
        figure, panels = grid(rows, columns, max(_NARROWEST, 3.1 * columns + 0.6), 2.35 * rows + 1.1, share_x=True, share_y=True)
    else:
        figure, panels = owner(axes, len(scenarios)), list(axes)
    base = means[means["scenario"] == study.baseline].sort_values("day")
    tops = []
    for k, scenario in enumerate(scenarios):
        index = None if displacement is None else displacement[displacement["scenario"] == scenario]
        own = means[means["scenario"] == scenario].sort_values("day")
        tops.append(_areas(panels[k], own, base, study, scenario, index))
        if k % columns == 0:
            panels[k].set_ylabel("effective account-days/day", fontsize=7.5)
        if k + columns >= len(scenarios):
            panels[k].set_xlabel(f"days since {study.since(scenario)}", fontsize=7.5)
            panels[k].tick_params(labelbottom=True)
    for panel in panels[: len(scenarios)]:
        panel.set_ylim(0.0, 1.3 * max(tops) or 1.0)
    if axes is None:
        for spare in panels[len(scenarios) :]:
            spare.set_axis_off()
        handles: list[Artist] = [Patch(facecolor=colour, alpha=0.85) for colour in CHANNEL_COLOURS.values()]
        labels = list(CHANNEL_COLOURS)
        if not alone:
            handles += [Line2D([], [], color=BLACK, lw=1.2, ls="--"), Line2D([], [], color=BLACK, lw=0.6, ls=":")]
            labels += ["baseline total", "baseline channels"]
        note = "Replication means." if replications_of(means) > 1 else ""
        note += "" if alone else " Total: change from the baseline, per cent and effective account-days/day."
        if any("displaced" in text.get_text() for panel in panels for text in panel.texts):
            note += (
                " Displaced: part of the supply lost in the targeted channels that other channels make up for,"
                " with its 95 % interval (given where the target's change is clear; below 0: other channels shrink too)."
            )
        finish(figure, "Supply by channel", study.caption(replications_of(means), note.strip()), handles, labels)
    return figure


def _areas(ax: Axes, own: pd.DataFrame, base: pd.DataFrame, study: Study, scenario: str, index: pd.DataFrame | None) -> float:
    """Draw one panel; return the highest supply in it."""
    start = study.start(scenario)
    own, base = (table[table["day"] >= start - _DAYS_BEFORE] for table in (own, base))
    days, base_days = own["day"].to_numpy() - start, base["day"].to_numpy() - start
    areas, ghost = own[list(SUPPLY)].to_numpy(dtype=np.float64), np.cumsum(base[list(SUPPLY)].to_numpy(dtype=np.float64), axis=1)
    ax.stackplot(days, areas.T, colors=list(CHANNEL_COLOURS.values()), alpha=0.85, lw=0)
    if scenario != study.baseline:
        ax.plot(base_days, ghost[:, :-1], color=BLACK, lw=0.6, ls=":")
        ax.plot(base_days, ghost[:, -1], color=BLACK, lw=1.2, ls="--")
    ax.axvline(0, color=BLACK, lw=0.8)
    ax.set_title(wrapped(study.title(scenario), 38, 2), fontsize=9, loc="left", fontweight="bold")
    first, last = study.window_days
    total = float(areas[own["day"].between(first, last - 1)].sum(axis=1).mean())
    before = float(ghost[base["day"].between(first, last - 1), -1].mean())
    lines = []
    if scenario != study.baseline and total == before:
        lines.append("total unchanged")
    elif scenario != study.baseline:
        share = f"{share_text(total / before - 1.0)} % ({{}})" if before > 0.0 else "{}"
        lines.append("total " + share.format(compact(total - before, signed=True)))
    if index is not None and len(index) and np.isfinite(index.iloc[0]["target_low"]):
        row = index.iloc[0]
        value, low, high = (share_text(float(row[f"displacement_{end}"]), signed=False) for end in ("index", "low", "high"))
        clear = np.isfinite(row["displacement_low"])
        lines.append(f"displaced {value} % [{low}, {high}]" if clear else "displaced: no clear change in the target")
    box = {"facecolor": "white", "alpha": 0.85, "edgecolor": "none", "pad": 1.5}
    if lines:
        ax.text(0.985, 0.97, "\n".join(lines), transform=ax.transAxes, ha="right", va="top", fontsize=8, bbox=box)
    ax.margins(x=0)
    tidy(ax, x_ticks=6, y_ticks=5)
    return max(float(ghost[:, -1].max()), float(areas.sum(axis=1).max()))


@drawn
def difference_over_time(
    table: pd.DataFrame, study: Study, outcomes: Sequence[str] = OVER_TIME, axes: Sequence[Axes] | None = None
) -> Figure:
    """Draw paired differences day by day with pointwise 95 % bands: a row an outcome, a column a policy.

    `table` is `analysis.daily_differences`. The left axis is per cent of the baseline of the day, the right one the outcome's unit at
    the baseline's mean over the days drawn.
    """
    scenarios = study.order(table["scenario"].unique().tolist())
    shown = [outcome for outcome in outcomes if (table["outcome"] == outcome).any()]
    if axes is None:
        figure, panels = grid(len(shown), len(scenarios), 1.55 * len(scenarios) + 2.2, 1.65 * len(shown) + 1.1, share_x=True, share_y="row")
    else:
        figure, panels = owner(axes, len(shown) * len(scenarios)), list(axes)
    styles = study.styles(scenarios)
    cells = dict(iter(table.groupby(["outcome", "scenario"], sort=False)))
    for row, outcome in enumerate(shown):
        moves = False
        for column, scenario in enumerate(scenarios):
            ax = panels[row * len(scenarios) + column]
            cell = cells[(outcome, scenario)]
            start = study.start(scenario)
            cell = cell[cell["day"] >= start - _DAYS_BEFORE]
            days = cell["day"].to_numpy() - start
            share = 100.0 / cell["baseline_mean"].where(cell["baseline_mean"] > 0.0).to_numpy(dtype=np.float64)
            value, low, high = (cell[name].to_numpy() * share for name in ("difference", "difference_low", "difference_high"))
            moves |= bool((np.nan_to_num([value, low, high]) != 0.0).any())
            ax.axhline(0.0, color=BLACK, lw=0.7, ls=":")
            ax.axvline(0.0, color=BLACK, lw=0.7)
            ax.fill_between(days, low, high, color=styles[scenario].colour, alpha=0.35, lw=0)
            edge = BLACK if scenario == "helper_controls" else styles[scenario].colour
            ax.plot(days, value, color=edge, lw=1.1)
            tidy(ax, x_ticks=4, y_ticks=4)
            ax.grid(axis="y", color=PALE, lw=0.4)
            ax.margins(x=0)
            if row == 0:
                ax.set_title(wrapped(study.title(scenario), 20, 3), fontsize=8, fontweight="bold")
            if column == 0:
                ax.set_ylabel(f"{wrapped(title_of(outcome), 16)}\nchange, %", fontsize=7.5)
            if column == len(scenarios) - 1:
                _absolute_axis(ax, float(cell["baseline_mean"].mean()), short_unit(outcome))
            if row == len(shown) - 1:
                ax.set_xlabel("days since start" if scenario in study.policy_days else "days since burn-in", fontsize=7.5)
        if not moves:
            panels[row * len(scenarios)].set_ylim(-5.0, 5.0)
    if axes is None:
        bands = " with pointwise 95 % bands," if replications_of(table) > 1 else ""
        note = (
            f"Paired differences, trailing seven-day means,{bands} left axis in per cent of the baseline of the day (none where that is 0),"
            " right axis in units at the baseline's mean. EAD: effective account-days."
        )
        finish(figure, "Differences from the baseline over time", study.caption(replications_of(table), note, window=False))
    return figure


def _absolute_axis(ax: Axes, base: float, unit: str) -> None:
    """Add a right axis that reads per cent of `base` in its unit."""
    if not base > 0.0:
        return
    twin = linked_axis(ax, lambda share: share * base / 100.0, lambda value: value * 100.0 / base, 4)
    twin.set_ylabel(f"change, {unit}", fontsize=7, color=GREY)
