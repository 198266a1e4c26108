"""How finished runs show themselves in a notebook: a short table and a figure, as a fragment of HTML."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from html import escape
from math import isfinite
from typing import TYPE_CHECKING, Protocol

import pandas as pd

from sim.analysis.words import number, percent, unit_of
from sim.names import name_of

if TYPE_CHECKING:
    from sim.plan import Plan
    from sim.plots.gallery import Gallery


class Shown(Protocol):
    """What a notebook shows: finished runs, as `sim.comparison` has them."""

    @property
    def plan(self) -> Plan:
        """What was asked for."""

    @property
    def plot(self) -> Gallery:
        """The figures."""

    @property
    def at_a_glance(self) -> pd.DataFrame:
        """A short table: a row each for what is shown, cells as text."""


def shown(done: Shown) -> str:
    """Return title, short table and first figure of finished runs; the figure is a PNG within the text."""
    plan = done.plan
    runs = "1 run" if plan.replications == 1 else f"{plan.replications} runs"
    parts = [f"<p><strong>{escape(plan.title or plan.name)}</strong> ({runs} of each scenario)</p>"]
    table = done.at_a_glance
    if len(table):
        parts.append(table.to_html(escape=True, border=0))
    figures = done.plot.all()
    if figures:
        from sim.plots.gallery import rendered

        name, draw = next(iter(figures.items()))
        data = b64encode(rendered(draw(), "png")).decode()
        parts.append(f'<img alt="{escape(name.replace("_", " "))}" style="max-width:100%" src="data:image/png;base64,{data}">')
    return "\n".join(parts)


def of_means(summary: pd.DataFrame, outcomes: tuple[str, ...], titles: Mapping[str, str]) -> pd.DataFrame:
    """Return means with their 95 % intervals as cells: a row an outcome, a column a scenario, by its title."""
    part = summary[summary["outcome"].isin(list(outcomes))]
    return _cells(part, "outcome", "scenario", [_mean(row) for row in part.to_dict("records")], outcomes, titles)


def of_changes(table: pd.DataFrame, outcomes: tuple[str, ...], titles: Mapping[str, str]) -> pd.DataFrame:
    """Return changes from the baseline with their 95 % intervals as cells: a row a scenario, by its title, a column an outcome."""
    part = table[table["outcome"].isin(list(outcomes))]
    cells = [_change(row) for row in part.to_dict("records")]
    return _cells(part, "scenario", "outcome", cells, tuple(dict.fromkeys(part["scenario"])), titles)


def _cells(part: pd.DataFrame, down: str, across: str, texts: list[str], order: tuple[str, ...], titles: Mapping[str, str]) -> pd.DataFrame:
    wide = part.assign(text=texts).pivot_table(index=down, columns=across, values="text", aggfunc="first", sort=False)
    found = wide.reindex([name for name in order if name in wide.index])
    named = {str(name): f"{name_of(str(name))}, {unit_of(str(name))}" for name in [*found.index, *found.columns] if unit_of(str(name))}
    named |= {name: title for name, title in titles.items() if list(titles.values()).count(title) == 1}
    return found.rename(index=named, columns=named).rename_axis(index=None, columns=None)


def _mean(row: dict[object, object]) -> str:
    mean, low, high = (float(str(row[name])) for name in ("mean", "low", "high"))
    return f"{number(mean)} ({number(low)} to {number(high)})" if low == low else number(mean)  # noqa: PLR0124  # NaN


def _change(row: dict[object, object]) -> str:
    """Write a change in per cent, or in units where there is none, with the interval that there is."""
    value, low, high, difference, least, most = (
        float(str(row[name])) for name in ("relative", "relative_low", "relative_high", "difference", "difference_low", "difference_high")
    )
    if isfinite(low):
        return f"{percent(value)} % ({percent(low)} to {percent(high)})"
    unit = unit_of(str(row["outcome"]))
    size = f"{percent(value)} %" if isfinite(value) else f"{number(difference)} {unit}"
    return f"{size} ({number(least)} to {number(most)} {unit})" if isfinite(least) else f"{size}, one pair of runs"
