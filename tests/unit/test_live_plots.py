"""Figures of a pair of runs that is under way."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from sim import luck, plots
from sim.analysis import daily_differences

DAYS, DAY, DONE = 40, 15, 30
SUPPLY = ("supply_registered", "supply_rented")


def table(effect: float, replications: int = 1, outcomes=SUPPLY) -> pd.DataFrame:
    """Return differences by day of noisy outcomes, multiplied from the day of the policy on."""
    rows = []
    for scenario, factor in (("baseline", 1.0), ("policy", effect)):
        for k in range(replications):
            values = {
                name: 100.0 * np.where(np.arange(DONE) < DAY, 1.0, factor + 0.01 * k * (factor != 1.0)) + luck.normals(k, name, DONE)
                for name in outcomes
            }
            rows.append(pd.DataFrame({"scenario": scenario, "replication": k, "day": np.arange(DONE), **values}))
    return daily_differences(pd.concat(rows), "baseline", outcomes)


def test_levels_show_both_runs_of_every_outcome_and_leave_the_days_to_come_free():
    ax = plots.live_levels(table(1.5), SUPPLY, DAYS, DAY).axes[0]
    lines = [line for line in ax.lines if len(line.get_xdata()) == DONE]
    assert [line.is_dashed() for line in lines] == [True, False] * 2
    assert len({line.get_color() for line in lines}) == 2, "a colour a channel, the same in both runs"
    assert ax.get_xlim() == (0, DAYS)
    assert ax.get_ylim()[0] == 0.0
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("day", "account-days/day")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["registered", "rented"]
    assert [line for line in ax.lines if set(line.get_xdata()) == {DAY}]


def test_a_single_outcome_needs_no_legend_and_its_baseline_is_grey():
    ax = plots.live_levels(table(1.5, outcomes=("price_yuan",)), ("price_yuan",), DAYS, DAY).axes[0]
    assert ax.get_legend() is None
    assert ax.lines[0].get_color() == "#6E6E6E"
    assert ax.get_ylabel() == "yuan per effective account-day"


@pytest.mark.parametrize(("replications", "bands"), [(1, 0), (3, 2)])
def test_differences_have_bands_where_there_are_several_pairs(replications, bands):
    ax = plots.live_difference(table(1.5, replications), SUPPLY, DAYS, DAY).axes[0]
    assert len(ax.collections) == bands
    assert ax.get_ylabel() == "change, account-days/day"
    before = ax.lines[0].get_ydata()[:DAY]
    assert (before == 0.0).all()
    assert ax.lines[0].get_ydata()[-1] > 40.0
    assert not ax.texts


@pytest.mark.parametrize("replications", [1, 3])
def test_no_difference_is_said_to_be_exactly_0(replications):
    ax = plots.live_difference(table(1.0, replications), SUPPLY, DAYS, DAY).axes[0]
    assert [text.get_text() for text in ax.texts] == ["exactly 0 on every day"]
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["0"]


@pytest.mark.parametrize("draw", [plots.live_levels, plots.live_difference])
def test_axes_given_are_drawn_on_and_returned_and_before_the_first_day_there_are_only_axes(draw):
    figure = Figure()
    ax = figure.subplots()
    assert draw(table(1.5), SUPPLY, DAYS, DAY, ax) is ax
    empty = draw(pd.DataFrame(), SUPPLY, DAYS, DAY)
    assert len(empty.axes[0].lines) <= 2
    assert not empty.axes[0].texts
    assert empty.axes[0].get_ylabel().endswith("account-days/day")
