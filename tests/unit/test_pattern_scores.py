"""Verdicts on the patterns, the plan of their experiments, and the scorecard as page, figure and table on the screen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from pattern_worlds import BASE, FIRST, TESTABLE, evidence, made, watched

from sim.analysis.intervals import Interval
from sim.faults import ScenarioError
from sim.pattern_titles import PATTERN_TITLES
from sim.patterns import CRITERIA, FAIL, NOT_TESTABLE, PASS, PATTERNS, curves, judged, markdown, page, plan, summary, tallies
from sim.patterns.experiments import NEEDS, WATCHES, scenario_of, watches
from sim.patterns.page import BOUNDS
from sim.patterns.scoring import (
    A_TENTH,
    EVIDENCE,
    NOTHING_SEEN,
    NOTICEABLE,
    OURS,
    Criterion,
    Evidence,
    Measured,
    change_of,
    mean_of,
    ratio_of,
    rises,
    scorecard,
    verdict_on,
)
from sim.plots.gallery import rendered
from sim.plots.scorecard import scorecard as draw_scorecard
from sim.scorecard_text import print_scorecard


@pytest.mark.parametrize(
    ("interval", "verdict", "said"),
    [
        (Interval(2.0, 1.5, 2.5), PASS, ""),
        (Interval(2.0, 0.5, 3.5), FAIL, "its interval is not"),
        (Interval(5.0, 4.5, 5.5), FAIL, "Change this."),
        (Interval(2.0, np.nan, np.nan), FAIL, "unbounded"),
    ],
)
def test_the_whole_interval_must_be_inside(interval, verdict, said):
    asked = Criterion("P1a", "", "", "", low=1.0, high=3.0, change="Change this.")
    found, why = verdict_on(asked, Measured(interval, 4))
    assert found == verdict
    assert said in why


def test_every_step_must_be_clear():
    asked, inside = Criterion("P1a", "", "", "", low=0.0), Interval(1.0, 0.5, 1.5)
    up = rises([np.array([1.0, 1.1, 0.9]), np.array([2.0, 2.1, 1.9]), np.array([3.0, 3.2, 2.9])])
    assert up.shape == (3, 2)
    assert verdict_on(asked, Measured(inside, 3, up))[0] == PASS
    level = up * np.array([[1.0, 0.0], [1.0, -0.1], [1.0, 0.1]])
    assert verdict_on(asked, Measured(inside, 3, level)) == (FAIL, "1 of 2 steps is not clearly in the order asked for.")


def test_estimates_and_intervals():
    found = mean_of(np.array([1.0, 2.0, 3.0, np.nan]))
    assert found.replications == 3
    assert found.interval == pytest.approx((2.0, 2.0 - 4.30265 / np.sqrt(3), 2.0 + 4.30265 / np.sqrt(3)), rel=1e-4)
    before, after = np.array([10.0, 12.0, 11.0]), np.array([20.0, 24.0, 22.0])
    assert ratio_of(after, before).interval == pytest.approx((2.0, 2.0, 2.0))
    assert change_of(after, before).interval == pytest.approx((1.0, 1.0, 1.0))


def test_without_an_estimate_nothing_is_said_of_the_model():
    asked = Criterion("P1a", "", "", "", high=1.0, change="Change this.", note="Fitted.")
    for found in (mean_of(np.array([np.nan, np.nan])), ratio_of(np.zeros(3), np.zeros(3), detail="0 against 0")):
        assert verdict_on(asked, found) == (NOT_TESTABLE, f"{NOTHING_SEEN} Fitted.")
        assert scorecard([replace(asked, measure=lambda _, found=found: found)], None)["detail"].tolist() == [""]


GONE = ("from the start", "at the purge", "in one run")


def gone_market(days: pd.DataFrame, gone: str) -> Evidence:
    """Return a world in which all numbers of people and accounts are 0, in all runs or in one."""
    dead = days.copy()
    of_days = ~dead.columns.isin(["scenario", "replication", "day"])
    rows = {"from the start": dead["day"] >= 0, "at the purge": dead["day"] >= FIRST, "in one run": dead["replication"] == 1}[gone]
    dead.loc[rows, of_days] = 0.0
    seen = watched()
    for runs in seen.values():
        for one in runs[1:2] if gone == "in one run" else runs:
            one.update({name: np.zeros(0) if name.startswith("holdings") else 0.0 * values for name, values in one.items()})
    return evidence(dead, seen)


@pytest.mark.parametrize("gone", GONE)
def test_of_a_market_that_has_gone_nothing_is_told_that_cannot_be(days, gone):
    table = judged(gone_market(days, gone)).set_index("criterion")
    shown = table["model"].notna()
    assert set(table["verdict"][~shown]) == {NOT_TESTABLE}
    assert not table.loc[~shown, "detail"].any()
    assert not table["detail"].str.contains("nan").any()
    if gone != "in one run":
        assert {"P4a", "P4b", "P4c"} <= set(table.index[~shown])
        assert "P4" not in summary(table.reset_index()), "what cannot be told is no success"


@pytest.mark.slow
@pytest.mark.parametrize("gone", GONE)
def test_a_market_that_has_gone_can_be_drawn(days, gone):
    rendered(draw_scorecard(curves(gone_market(days, gone)), {}, ""), "png")


def test_bounds_say_where_they_are_from():
    """A tenth is what is asked for where the source gives no size, so such a bound is never said to be the source's."""
    assert {one.bound for one in CRITERIA} == {EVIDENCE, OURS}
    ours = {one.name for one in CRITERIA if A_TENTH in one.test or NOTICEABLE in {abs(one.low), abs(one.high)}}
    assert ours
    assert {one.bound for one in CRITERIA if one.name in ours - {"P6a", "P6b", "P7e"}} == {OURS}
    table = judged(evidence(made(only=("P6",)), watched()), ["P6"]).set_index("criterion")
    assert table["bound"].to_dict() == {one.name: one.bound if one.measure else "" for one in CRITERIA if one.pattern == "P6"}


def test_missing_days_are_no_evidence(days):
    with pytest.raises(ValueError, match="'purge' lacks runs or days"):
        evidence(days[~((days["scenario"] == "purge") & (days["day"] == 100) & (days["replication"] == 1))], {}).days(
            "purge", "supply_account_days"
        )
    with pytest.raises(ValueError, match="'nowhere' lacks runs"):
        evidence(days, {}).days("nowhere", "price_yuan")


def test_the_plan_has_what_the_patterns_need():
    asked = plan(BASE, 2)
    assert set(asked.scenarios) == {"baseline", *(name for needed, _ in NEEDS.values() for name in needed)}
    assert all(scenario_of(BASE, one.scenario).run == BASE.run for one in WATCHES.values())
    assert scenario_of(BASE, "campaign").policies["awareness_campaign"].strength == 0.9
    assert {name for _, needed in NEEDS.values() for name in needed} == set(WATCHES)
    assert set(plan(BASE, 2, ["P4"]).scenarios) == {"baseline", "purge"}
    assert set(watches(["P8"])) == {"census"}
    for name, scenario in asked.scenarios.items():
        changed = {group: set(values) for group, values in scenario.parameters.items()}
        allowed = {"dealer": {"entry_per_12_million_day"}} if name.startswith("entry") else {}
        assert changed == ({"registration": {"sim_cost_yuan"}} if name == "bypass" else allowed), "no number is tuned to pass"


def test_what_cannot_be_tested_is_refused():
    with pytest.raises(ScenarioError, match="182 days to average over"):
        plan(BASE.changed({"run.days": 300}), 2)
    with pytest.raises(ScenarioError, match="at least 2"):
        plan(BASE, 1)
    with pytest.raises(ScenarioError, match="P10"):
        plan(BASE, 2, ["P10"])


def test_the_page_says_all_and_is_safe(days):
    table = judged(evidence(days, watched({"worth_old_named": 2.1})))
    table.loc[0, "detail"] = "<script>"
    text = page(table, '<?xml version="1.0"?><svg></svg>')
    assert "<script>" not in text
    assert "<?xml" not in text
    assert "http" not in text
    for one in CRITERIA:
        assert f">{one.name}<" in text
        assert f"| {one.name} |" in markdown(table)
        assert one.measure is None or f"| {one.test} | {one.bound} |" in markdown(table)
        assert one.measure is None or f"<td>{one.bound}</td>" in text
    assert BOUNDS in markdown(table)
    assert summary(table).startswith(f"{len(TESTABLE) - 1} of {len(TESTABLE)} criteria hold, 1 fail, ")
    assert "P2" not in summary(table).split(":")[1]


def test_curves_have_every_pattern(days):
    found = curves(evidence(days, watched()))
    assert set(found["pattern"]) == set(PATTERNS)
    assert np.isfinite(found[["x", "y", "low", "high"]].to_numpy()).all()
    p5 = found[found["pattern"] == "P5"].set_index("label")["y"]
    assert p5["their sum"] == pytest.approx(0.35, abs=0.02)
    assert p5["all three"] == pytest.approx(0.7, abs=0.02)
    assert set(curves(evidence(days, watched()), ["P4"])["pattern"]) == {"P4"}


def test_the_figure_asks_what_the_criteria_ask(days):
    bounds = {one.name: (one.low, one.high) for one in CRITERIA}
    found = curves(evidence(days, watched()))
    asked = found[found["asked_low"].notna()].groupby("pattern")
    assert set(asked.groups) == {"P4", "P7", "P9"}
    bands = {pattern: list(dict.fromkeys(zip(part["asked_low"], part["asked_high"], strict=True))) for pattern, part in asked}
    low, high = bounds["P4a"]
    assert bands["P4"] == [pytest.approx((1 - high, 1 - low))]
    assert asked.get_group("P4")["x"].between(-7, 7).all(), "the week in which supply is lowest"
    low, high = bounds["P7a"]
    assert bands["P7"] == [bounds["P7c"], bounds["P7d"], bounds["P7e"], pytest.approx((1 - high, 1 - low))]
    assert bands["P9"] == [bounds["P9a"]]
    figure = draw_scorecard(found, {}, "")
    titles = {" ".join(ax.get_title(loc="left").split()) for ax in figure.axes}
    assert titles == {f"{pattern} {title}" for pattern, title in PATTERN_TITLES.items()}
    boxes = [patch.get_bbox() for patch in figure.axes[6].patches]
    assert [box.y1 for box in boxes] == pytest.approx([bounds["P7c"][1], bounds["P7d"][1], bounds["P7e"][1], 1 - low])
    assert boxes[1].y0 == pytest.approx(figure.axes[6].get_ylim()[0]), "a share that may be 0 reaches the edge of a logarithmic axis"


def test_figure_and_screen_show_every_pattern(days, capsys):
    seen = evidence(days, watched({"worth_paying": 1.0}))
    table = judged(seen)
    assert tallies(table)["P2"] == "4 pass, 1 fail, 1 not testable"
    figure = draw_scorecard(curves(seen), tallies(table), "n = 4.")
    titles = [ax.get_title(loc="left").split()[0] for ax in figure.axes if ax.get_title(loc="left")]
    assert titles == list(PATTERNS)
    assert rendered(figure, "svg").startswith(b"<?xml")
    print_scorecard(table)
    printed = capsys.readouterr().out
    assert all(f" {one.name} " in f" {printed} ".replace("\n", " ") for one in CRITERIA)
    assert "Payment matters to theft only." in printed
    assert summary(table) in printed
    assert BOUNDS.replace("`", "") in printed.replace("\n", " ")


def test_a_scorecard_without_runs_still_says_why():
    only = [one for one in CRITERIA if one.measure is None]
    table = scorecard(only, evidence(pd.DataFrame(columns=["scenario", "replication", "day"]), {}))
    assert set(table["verdict"]) == {NOT_TESTABLE}
