"""The same seed is the same run to the bit; a policy changes nothing but what it moves, from the day on which it does."""

from __future__ import annotations

import numpy as np
import pytest

from sim.levers import LEVERS
from sim.model import AccountMarket
from sim.outcomes import MARKET_SERIES, OUTCOMES

START = 20


def test_same_seed_twice_is_the_same_run(tools, baseline):
    again = tools.ran()
    assert tools.differing(again.daily, baseline.daily) == []
    assert tools.differing(tools.state(again), tools.state(baseline)) == []


def test_another_seed_is_another_run(tools, baseline):
    other = tools.ran(seed=2)
    differing = tools.differing(other.daily, baseline.daily)
    assert {"stock_registered", "stock_rented", "price_yuan", "harm_total_yuan", "signups_blocked"} <= set(differing)


def test_seed_of_the_scenario_is_the_default(tools, baseline):
    model = AccountMarket(tools.scenario())
    model.run()
    assert tools.differing(model.daily, baseline.daily) == []


def test_policy_at_the_standing_strength_changes_no_bit(tools, baseline):
    """All levers at once, with a ramp and an end, each at the strength that stands anyway."""
    inert = {
        name: {"strength": lever.standing, "start_day": START, "ramp_days": 7, "end_day": 40}
        for name, lever in LEVERS.items()
        if not lever.only_policy
    }
    model = tools.ran({**inert, "purge": {"strength": 0.0, "days": [25]}})
    assert tools.differing(model.daily, baseline.daily) == []
    assert tools.differing(tools.state(model), tools.state(baseline)) == []


OFTEN = {"task_platform_takedown": {"helping": {"platform_closure_per_day": 1.0}}}
"""Parameters under which a lever that seldom strikes two platforms does so within weeks."""


@pytest.mark.parametrize("lever", LEVERS)
def test_nothing_before_the_start_day(tools, baseline, lever):
    """Days before the start are the baseline's to the bit; from the start on more than the bill changes, so that the mechanism acts."""
    strength = 0.0 if LEVERS[lever].standing > 0.5 else 1.0
    when = {"days": [START]} if LEVERS[lever].only_policy else {"start_day": START}
    often = OFTEN.get(lever)
    base = tools.ran(parameters=often).daily if often else baseline.daily
    daily = tools.ran({lever: {"strength": strength, **when}}, parameters=often).daily
    assert tools.differing(daily, base, slice(0, START)) == []
    since = tools.differing(daily, base, slice(START, None))
    bill = {"enforcement_cost_yuan", "friction_hours", *(f"cost_{name}_yuan" for name in LEVERS)}
    assert set(since) - bill, f"{lever} changes nothing but what it costs"


def test_friend_confirmation_leaves_the_market_untouched(tools, baseline):
    """It protects friends; stocks, prices, dealers and recruiters go on to the bit."""
    daily = tools.ran({"friend_confirmation": {"strength": 0.9, "start_day": START}}).daily
    assert set(tools.differing(daily, baseline.daily)).isdisjoint(MARKET_SERIES)
    for name in ("harm_friend_fraud_yuan", "expected_harm_yuan", "victims"):
        assert (daily[name] <= baseline.daily[name] * (1 + 1e-12)).all()
        assert daily[name][START:].sum() < baseline.daily[name][START:].sum()
    assert np.array_equal(daily["reports"], baseline.daily["reports"])


def test_market_series_hold_the_market():
    """Stocks, flows, prices and those in business are in the list, harms and costs are not."""
    assert {"stock_rented", "inflow_bought", "detected_stolen", "price_yuan", "commission_yuan", "dealers_active", "dealer_evasion"} <= set(
        MARKET_SERIES
    )
    assert not any(name.startswith(("harm_", "cost_", "expected_", "victims", "friction")) for name in MARKET_SERIES)
    assert set(MARKET_SERIES) <= set(OUTCOMES)


def test_stepping_is_running(tools, baseline):
    model = AccountMarket(tools.scenario(), 1)
    for _ in range(30):
        model.step()
    assert model.day == 30
    model.run()
    assert model.day == 50
    assert tools.differing(model.daily, baseline.daily) == []
