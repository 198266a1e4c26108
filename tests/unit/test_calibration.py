"""The table of targets: made of runs of which every quantity can be worked out by hand."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from sim.calibration import COLUMNS, TARGETS, plan, table
from sim.faults import ScenarioError
from sim.levers import CHANNELS
from sim.scenario import scenario_from

SCENARIO = scenario_from(
    {"name": "whole", "population": {"users": 120_000_000}, "parameters": {"unsealing": {"attempt_cost_yuan": 15}}}, "x"
)
# fmt: off
MEANS = {
    **{f"detected_{channel}": count for channel, count in zip(CHANNELS, (1700.0, 40.0, 30.0, 20.0, 10.0), strict=True)},
    **{f"stock_{channel}": 200.0 for channel in CHANNELS},
    **{f"supply_{channel}": 300.0 for channel in CHANNELS},
    **{f"lifetime_days_{channel}": days for channel, days in zip(CHANNELS, (2.0, 4.0, 6.0, 8.0, 1.0), strict=True)},
    "innocents_sanctioned": 45.0, "appeals_owner": 11.0, "commission_yuan": 70.0, "price_yuan": 40.0, "utilisation_share": 0.6,
    "exits_rented": 50.0, "exits_rented_long": 5.0, "rented_by_advert": 27.0, "rented_by_referral": 3.0,
    "unseal_attempts": 30.0, "helper_price_yuan": 15.0, "inflow_unsealed": 10.0, "at_risk_approached": 8_200.0,
}
# fmt: on

BY_HAND = {
    "registered accounts detected a year": (365 * 1700 * 10, True),
    "appeals of lured owners in half a year": (182 * 11 * 10, True),
    "commission, yuan a day": (70, True),
    "mean life of a rented account, days": (6, True),
    "rentals that last over three weeks, share": (0.1, True),
    "recruits by referral, share": (3 / 30, True),
    "sanctions on malicious accounts, share": (1800 / 1845, True),
    "worth of a fresh account, yuan": (40 * 0.6 * 1.5 * 2, True),
    "worth of an unsealed account, yuan": (40 * 0.6 * 1.5 * 4, True),
    "worth of a rented account, yuan": (40 * 0.6 * 1.5 * 6, True),
    "worth of a bought account, yuan": (40 * 0.6 * 1.5 * 8, True),
    "cost of an unsealing, yuan": (3 * (15 + 15), True),
    "lured segments approached in a year, share": (1 - np.exp(-365 * 8_200 / (0.26 * 120e6)), True),
}


def days(late: float = 100.0, by_replication: float = 0.0) -> pd.DataFrame:
    """Return days on which everything is 100 until day 200 and `late` after."""
    frames = []
    for k in range(3):
        value = np.where(np.arange(540) < 200, 100.0, late + by_replication * (k - 1))
        frames.append(pd.DataFrame({"replication": k, "day": np.arange(540), **dict.fromkeys(_DRIFTING, value)}))
    return pd.concat(frames, ignore_index=True)


_DRIFTING = [*(f"stock_{channel}" for channel in CHANNELS), "price_yuan", "commission_yuan", "dealers_active"]


def targets(daily: pd.DataFrame | None = None, **spread: float) -> pd.DataFrame:
    """Return the table for three runs, of which the named means differ by so much from one to the next."""
    runs = pd.DataFrame([{**MEANS, **{name: MEANS[name] + step * (k - 1) for name, step in spread.items()}} for k in range(3)])
    kept = days() if daily is None else daily
    done = SimpleNamespace(plan=SimpleNamespace(scenarios={"whole": SCENARIO}), runs=runs, days_of=lambda _: kept)
    return table(done).set_index("target")


def test_every_target_is_what_it_is_by_hand():
    found = targets()
    assert list(found.reset_index().columns) == list(COLUMNS)
    assert set(BY_HAND) == {target.name for target in TARGETS}
    for name, (value, inside) in BY_HAND.items():
        assert found.loc[name, ["simulated", "low", "high"]].tolist() == pytest.approx([value] * 3), name
        assert bool(found.loc[name, "inside"]) == inside, name
    assert found.loc["recruits by referral, share", ["kind", "range"]].tolist() == ["hard", "0.05 to 0.25"]
    assert found.loc["cost of an unsealing, yuan", "kind"] == "soft"


@pytest.mark.parametrize(("value", "inside"), [(39.0, False), (41.0, True), (149.0, True), (151.0, False)])
def test_a_value_is_inside_its_range_or_not(value, inside, monkeypatch):
    monkeypatch.setitem(MEANS, "commission_yuan", value)
    assert bool(targets().loc["commission, yuan a day", "inside"]) == inside


def test_an_interval_that_reaches_out_of_the_range_is_not_inside():
    narrow, wide = targets(commission_yuan=1.0), targets(commission_yuan=20.0)
    row = narrow.loc["commission, yuan a day"]
    half_width = 4.30265 / np.sqrt(3)  # t with 2 degrees of freedom
    assert row[["simulated", "low", "high"]].tolist() == pytest.approx([70.0, 70.0 - half_width, 70.0 + half_width], rel=1e-5)
    assert row["inside"]
    assert wide.loc["commission, yuan a day", "simulated"] == pytest.approx(70.0)
    assert not wide.loc["commission, yuan a day", "inside"]


@pytest.mark.parametrize(("late", "inside"), [(100.0, True), (102.0, True), (98.0, True), (104.0, False), (96.0, False)])
def test_a_drift_is_the_early_days_over_the_late_ones(late, inside):
    found = targets(days(late))
    for outcome in _DRIFTING:
        row = found.loc[f"drift of {outcome}"]
        assert row["simulated"] == pytest.approx(100.0 / late - 1.0, abs=1e-12)
        assert bool(row["inside"]) == inside
        assert row["kind"] == "hard"


def test_a_drift_is_tested_by_its_90_per_cent_interval():
    found = targets(days(100.0, by_replication=1.0)).loc["drift of price_yuan"]
    ratios = np.array([100 / 99, 1.0, 100 / 101]) - 1.0
    half_width = 2.919986 * ratios.std(ddof=1) / np.sqrt(3)
    assert [found["low"], found["high"]] == pytest.approx([ratios.mean() - half_width, ratios.mean() + half_width], rel=1e-5)
    assert found["inside"]
    assert not targets(days(100.0, by_replication=3.0)).loc["drift of price_yuan", "inside"]


def test_runs_too_short_or_too_few_are_refused():
    assert (plan(SCENARIO, 2).name, plan(SCENARIO, 2).command, plan(SCENARIO, 2).replications) == ("calibration", "calibration", 2)
    with pytest.raises(ScenarioError, match=r"run\.days = 539: must be at least 540"):
        plan(SCENARIO.changed({"run.days": 539}), 2)
    with pytest.raises(ScenarioError, match="replications = 1: must be at least 2"):
        plan(SCENARIO, 1)
