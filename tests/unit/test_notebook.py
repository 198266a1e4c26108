"""What a notebook shows of finished runs and of figures, and figures on axes that are given."""

from __future__ import annotations

import re
from base64 import b64decode
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from report_worlds import SCENARIOS, SMALL, filled, plan_of

from sim import notebook
from sim.comparison import Comparison, Kept, Runs
from sim.conduct import asked_of
from sim.plan import single, swept, varies_of
from sim.store import Memory

PNG = b"\x89PNG\r\n\x1a\n"


def in_memory(kind, plan):
    memory = Memory()
    return kind(plan, Kept(filled(plan, memory), memory), [])


@pytest.fixture(scope="module")
def comparison():
    return in_memory(Comparison, plan_of("lure_squeeze", "friend_confirmation", replications=3))


def test_a_comparison_shows_changes_and_a_figure(comparison):
    text = comparison._repr_html_()
    assert "Policies &lt;compared&gt; &amp; more" in text
    table = comparison.at_a_glance
    assert table.index.tolist() == ["Lure squeeze", "Confirm by voice before paying"]
    assert list(table.columns)[:2] == ["rented accounts, accounts", "total supply, account-days/day"]
    assert re.match(r"-(90|89|90\.\d) % \(-\d", table.iloc[0, 0])
    assert table.iloc[1, 0] == "0 % (0 to 0)"
    assert all(cell in text for cell in table.to_numpy().ravel())
    images = re.findall(r'src="data:image/png;base64,([^"]+)"', text)
    assert len(images) == 1
    assert b64decode(images[0]).startswith(PNG)


@pytest.mark.parametrize(
    ("relative", "difference", "cell"),
    [
        ((-0.2, -0.3, -0.1), (-4.0, -6.0, -2.0), "-20 % (-30 to -10)"),
        ((0.511, np.nan, np.nan), (4.0, -2.0, 10.0), "+51.1 % (-2 to 10 accounts)"),
        ((0.511, np.nan, np.nan), (4.0, np.nan, np.nan), "+51.1 %, one pair of runs"),
        ((np.nan, np.nan, np.nan), (4.0, 2.0, 6.0), "4 accounts (2 to 6 accounts)"),
    ],
)
def test_a_change_has_the_interval_that_there_is(relative, difference, cell):
    ends = ("", "_low", "_high")
    row = {"outcome": "stock_rented", "scenario": "s"}
    row |= {f"relative{end}": value for end, value in zip(ends, relative, strict=True)}
    row |= {f"difference{end}": value for end, value in zip(ends, difference, strict=True)}
    assert notebook.of_changes(pd.DataFrame([row]), ("stock_rented",), {"s": "S"}).iloc[0, 0] == cell


def test_a_comparison_made_in_python_is_called_by_titles():
    scenarios = list(plan_of("supply_squeeze", "lure_squeeze").scenarios.values())
    assert asked_of(scenarios[0], scenarios[1:2]).title == "Supply squeeze against Standing regime"
    assert asked_of(scenarios[0], scenarios[1:]).title == "Supply squeeze, Lure squeeze against Standing regime"


def test_scenarios_that_share_a_title_keep_their_names():
    plan = plan_of("lure_squeeze")
    heir = plan.scenarios["lure_squeeze"].changed({"title": plan.scenarios["baseline"].title})
    done = in_memory(Comparison, replace(plan, scenarios={**plan.scenarios, "lure_squeeze": heir}))
    assert done.at_a_glance.index.tolist() == ["lure_squeeze"]


def test_runs_show_means_and_a_figure():
    runs = in_memory(Runs, replace(single(plan_of().scenarios["baseline"]), replications=2))
    assert runs.at_a_glance.columns.tolist() == ["Standing regime"]
    assert "rented accounts, accounts" in runs.at_a_glance.index
    assert "<img alt=" in runs._repr_html_()


def test_a_figure_shows_itself(comparison):
    figure = comparison.plot.harm_against_cost()
    assert isinstance(figure, Figure)
    assert figure._repr_png_().startswith(PNG)


def test_one_panel_is_drawn_on_the_axes_given_and_they_are_returned(comparison):
    ax = Figure().subplots()
    assert comparison.plot.harm_against_cost(ax=ax) is ax
    assert ax.get_xlabel().startswith("enforcement cost")
    both = swept(SCENARIOS / "baseline.toml", varies_of(["ad_takedown=0:1:2", "account_audit=0:0.2:2"]), SMALL)
    ax = Figure().subplots()
    assert in_memory(Comparison, replace(both, replications=2)).plot.interaction_map("stock_rented", ax=ax) is ax
    assert ax.images
