"""Whatever the levers, outcomes are finite, nothing is negative and prices stay within their clips."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim.levers import LEVERS
from sim.outcomes import OUTCOMES, window_means
from sim.parameters import LEDGER

STANDING = [name for name, lever in LEVERS.items() if not lever.only_policy]
STRENGTH = st.one_of(st.sampled_from([0.0, 1.0]), st.floats(0, 1))
BALANCES = {"dealer_profit_yuan", "harm_owner_yuan", "harm_total_yuan", "expected_harm_yuan"}
"""Differences: on a day owners may win back more ban days than are imposed."""
PRICES = {"price_yuan": "market.price", "commission_yuan": "renting.commission", "helper_price_yuan": "helping.price"}


def check(daily):
    """Assert what holds of any run."""
    assert list(daily) == list(OUTCOMES)
    for name, column in daily.items():
        assert np.isfinite(column).all(), name
        if name not in BALANCES:
            assert (column >= 0).all(), name
        if OUTCOMES[name].kind == "share" or name == "dealer_evasion":
            assert (column <= 1).all(), name
    for name, where in PRICES.items():
        group, stem = where.split(".")
        floor, ceiling = LEDGER[group][f"{stem}_floor_yuan"].value, LEDGER[group][f"{stem}_ceiling_yuan"].value
        assert (daily[name] >= floor).all(), name
        assert (daily[name] <= ceiling).all(), name


@given(
    strengths=st.fixed_dictionaries(dict.fromkeys(STANDING, STRENGTH)),
    later=st.fixed_dictionaries(dict.fromkeys(STANDING, STRENGTH)),
    seed=st.integers(0, 2**53),
    users=st.sampled_from([1_000, 50_000, 2_000_000]),
)
@settings(max_examples=14, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_levers_keep_outcomes_finite_and_stocks_non_negative(tools, strengths, later, seed, users):
    policies = {name: {"strength": strength, "start_day": 12, "ramp_days": 3} for name, strength in later.items()}
    policies["purge"] = {"strength": strengths["account_audit"], "days": [8, 9]}
    check(tools.ran(policies, levers=strengths, seed=seed, users=users, days=30, burn_in=10).daily)


@pytest.mark.parametrize("strength", [0.0, 1.0])
def test_prices_move_with_excess_demand_and_stay_in_their_clips(tools, strength):
    """Levers all at one end: dearer after unmet demand, cheaper after idle supply; the commission follows its worth."""
    daily = tools.ran(levers=dict.fromkeys(STANDING, strength), days=100).daily
    check(daily)
    floor, ceiling = LEDGER["market"]["price_floor_yuan"].value, LEDGER["market"]["price_ceiling_yuan"].value
    price, excess = daily["price_yuan"], daily["demand_account_days"] - daily["supply_account_days"]
    inside = (price[1:] > floor) & (price[1:] < ceiling)
    assert inside.sum() > 50
    assert np.array_equal(np.sign(np.diff(price))[inside], np.sign(excess[:-1])[inside])
    renting = LEDGER["renting"]
    worth = price[1:] * daily["utilisation_share"][:-1] * LEDGER["account"]["quality_rented"].value * renting["psi"].value
    aim = np.clip(worth, renting["commission_floor_yuan"].value, renting["commission_ceiling_yuan"].value)
    wage = daily["commission_yuan"]
    assert np.array_equal(np.sign(np.diff(wage)), np.sign(aim - wage[:-1]))


def test_window_means_average_days_and_divide_sums(baseline):
    daily = baseline.daily
    means = window_means(daily, 10, 40)
    assert means["stock_rented"] == pytest.approx(daily["stock_rented"][10:40].mean())
    assert means["lifetime_days_rented"] == pytest.approx(daily["exit_age_rented"][10:40].sum() / daily["exits_rented"][10:40].sum())
    nobody = {name: np.zeros(5) for name in daily}
    assert np.isnan(window_means(nobody, 0, 5)["lifetime_days_stolen"])


def test_a_smallest_platform_runs(tools):
    """A thousand users: no dealer at the start, and no division by nothing."""
    check(tools.ran(users=1_000, days=20, burn_in=5).daily)
