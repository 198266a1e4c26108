"""The mean-field limit: fixed points that have a closed form, and runs that come nearer to it as users grow."""

from __future__ import annotations

import time

import numpy as np
import pytest
from limit.gaps import Gap, compared, effects, fit, gaps, table
from limit.worlds import BASELINE, world
from mean_field import MeanField

from sim.model import AccountMarket
from sim.scenario import load_scenario

LIMIT = 3.3
NO_DEALERS = {"start": {"dealers_per_million": 0.0}, "dealer": {"entry_per_12_million_day": 0.0}}
RECRUITERS_STAY = {"helping": {"entry_per_day": 0.0, "exit_per_day": 0.0, "stall_closure_per_day": 0.0, "platform_closure_per_day": 0.0}}

RATE_MARGIN = 0.2
"""On the rate at which noise falls from 3 to 48 million users, predicted 1/2. With 8 runs the noise of an outcome is known to 25 %; as
outcomes go together their mean is hardly better than 15 % at either size: a standard error of .21/ln 16 = .075, of which .2 is 2.7.
Noise that does not fall has rate 0, and 1/N would have rate 1."""
BIAS_MARGIN = 0.01
"""On the mean of runs relative to the mean field, besides 3.3 standard errors. What is left at 48 million users comes of minima of
quantities that fluctuate by 1 to 2 %, such as demand over supply: two fifths of that."""


def solved(scenario, classes=15):
    return MeanField(scenario, classes).run()


def solved_for_equals(scenario):
    return solved(scenario, 1)


def shipped(days=60, levers=None, parameters=None, users=12_000_000):
    keys = {f"levers.{name}": strength for name, strength in (levers or {}).items()}
    made = load_scenario(BASELINE, {"population.users": users, "run.days": days, "run.burn_in_days": 1, "run.settle_days": 1, **keys})
    return made.model_copy(update={"parameters": parameters or {}})


@pytest.mark.parametrize("strength", [0.0, 0.1, 0.9])
def test_awareness_stays_at_its_fixed_point(strength):
    """A* = r f / (1 - f + r f), r = .02 x .4 u and f = 2^(-1/60)."""
    informed = solved(shipped(levers={"awareness_campaign": strength}), classes=1)["informed_share"]
    reach, keep = 0.02 * 0.4 * strength, 0.5 ** (1 / 60)
    assert np.allclose(informed, reach * keep / (1 - keep + reach * keep), rtol=1e-12, atol=1e-15)


def test_without_dealers_prices_follow_the_closed_form_and_the_run():
    """Nothing is supplied: the price of an account-day grows by e^.05 a day up to its ceiling, and no luck is left in any price."""
    scenario = shipped(parameters={**NO_DEALERS, **RECRUITERS_STAY})
    limit, model = solved(scenario), AccountMarket(scenario, 5)
    model.run()
    assert np.allclose(limit["price_yuan"], np.minimum(13.6 * np.exp(0.05 * np.arange(60)), 150.0), rtol=1e-12)
    for name in ("price_yuan", "commission_yuan", "purchase_price_yuan", "utilisation_share"):
        assert np.allclose(limit[name], model.daily[name], rtol=1e-9), name
    nothing = (
        "supply_account_days",
        "inflow_rented",
        "assists_wanted",
        "helpers_by_stall",
        "dealers_active",
        "dealer_pool",
        "owners_banned",
    )
    assert {name: limit[name].sum() for name in nothing} == dict.fromkeys(nothing, 0.0)


@pytest.fixture(scope="module")
def rested():
    """The laboratory after two years."""
    return solved(world("laboratory", 12_000_000, 730), classes=1)


def test_prices_settle_where_supply_meets_demand(rested):
    """p* = 12 (430/K*)^(1/.9), w* = psi p* q_rented, and as many assists are offered as wanted, so that their price rests."""
    price, supply = rested["price_yuan"][-1], rested["supply_account_days"][-1]
    assert np.isclose(price, 12 * (430 / supply) ** (1 / 0.9), rtol=1e-3)
    assert np.isclose(rested["commission_yuan"][-1], 0.6667 * price * 7, rtol=2e-3)
    for name in ("price_yuan", "commission_yuan", "helper_price_yuan", "purchase_price_yuan", "supply_account_days"):
        assert abs(rested[name][-1] / rested[name][-30] - 1) < 2e-3, name


def test_what_comes_in_goes_out_when_nothing_changes(rested):
    """Inflow = exits in each channel at rest."""
    for channel in ("registered", "unsealed", "rented", "bought", "stolen"):
        assert np.isclose(rested[f"inflow_{channel}"][-1], rested[f"exits_{channel}"][-1], rtol=5e-3), channel


def test_equal_dealers_are_one_dealer():
    """How many classes there are makes no difference to dealers who are equal."""
    scenario = world("laboratory", 12_000_000, 60)
    one, five = solved(scenario, 1), solved(scenario, 5)
    assert all(np.allclose(one[name], five[name], rtol=1e-9) for name in one)


def test_the_limit_hardly_depends_on_its_size():
    """Per million users only the weight of day 0 in the market's memory is left, 33 account-days of some 70,000 at 12 million users."""
    small, large = solved(shipped(users=12_000_000)), solved(shipped(users=1_200_000_000))
    assert all(np.allclose(small[name], large[name], rtol=2e-3) for name in small)


def test_an_amnesty_is_refused():
    with pytest.raises(ValueError, match="amnesty"):
        solved(shipped(levers={"owner_amnesty": 0.5}), classes=1)


def test_a_known_floor_and_rate_are_recovered():
    """Made-up gaps with floor .02 and noise .1/sqrt(N), measured to 10 % by 50 runs: within 3.3 standard errors, and these are small."""
    made = []
    for millions in (1, 3, 12, 48, 192):
        noise = 0.1 * millions**-0.5
        known = {"mean_field": 1.0, "simulated": 1.02, "bias": 0.02, "bias_se": 0.0, "noise": noise, "spread": 0.7}
        made.append(Gap(world="", outcome="", users=millions * 1e6, seeds=50, gap=float(np.hypot(0.02, noise)), **known))
    found = fit(made)
    assert abs(found.floor - 0.02) < 1e-5
    assert abs(found.rate - 0.5) < 1e-4
    assert abs(found.noise_rate - 0.5) < 1e-6
    assert found.floor < found.floor_high < 0.03
    assert found.rate_se < 0.2


def test_a_run_is_compared_day_by_day():
    """Two made-up runs 3 % above and 1 % below the mean field: bias 1 %, gap sqrt(5) %, noise 2 sqrt(2) %."""
    scenario = world("laboratory", 1_000_000, 240)
    limit = solved(scenario, 1)
    runs = [{name: values * factor for name, values in limit.items()} for factor in (1.03, 0.99)]
    row = next(row for row in compared("laboratory", 1, runs, limit) if row.outcome == "price_yuan")
    assert np.allclose([row.bias, row.gap, row.noise], [0.01, np.sqrt(5) / 100, 0.02 * np.sqrt(2)], rtol=1e-9)


@pytest.mark.slow
def test_runs_of_the_laboratory_come_nearer_as_users_grow():
    """Where the mean field should be exact, noise falls as 1/sqrt(users) and the mean of runs is the mean field."""
    small, large = (gaps("laboratory", *of, solved_for_equals, 400) for of in ((3, 8), (48, 8)))
    moving = [k for k, row in enumerate(small) if row.noise > 0]
    rates = [np.log(small[k].noise / large[k].noise) / np.log(16) for k in moving]
    assert len(moving) >= 15
    assert abs(np.mean(rates) - 0.5) < RATE_MARGIN
    away = {row.outcome: row.bias for row in large if abs(row.bias) > BIAS_MARGIN + LIMIT * row.bias_se}
    assert not away


@pytest.mark.slow
def test_larger_dealers_close_the_gap_that_small_numbers_leave():
    """Sixteen times larger and fewer dealers obey the same equations with less scatter, and are nearer to them.

    Evasion is what the scatter of a dealer's few accounts bends most surely; less than half of its bias should be left.
    """
    small, large = (
        next(row for row in gaps(name, 48, 4, solved_for_equals, 600) if row.outcome == "dealer_evasion")
        for name in ("with_many_dealers", "with_dealers_16_times_larger")
    )
    assert small.bias < -LIMIT * small.bias_se
    assert abs(large.bias) < abs(small.bias) / 2


@pytest.mark.slow
def test_fifteen_sizes_of_dealer_are_enough_and_one_is_not():
    """Thirty classes change nothing by half a per cent; one representative dealer, whom no loss drives out, is wrong by a tenth."""
    one, some, many = ({n: v[120:].mean() for n, v in solved(shipped(240), classes).items()} for classes in (1, 15, 30))
    assert max(abs(some[name] / many[name] - 1) for name in many if many[name] > 0) < 0.005
    assert one["dealers_active"] > 1.1 * many["dealers_active"]


@pytest.mark.slow
def test_policies_move_the_limit_as_they_move_runs():
    """Effects above 5 % of which the shipped comparison is sure have the same sign in the limit, and prices rise as much within a third.

    All but one, which MODEL.md names: the queue under an audit. A third: supply in the limit may be off by a few per cent of it, which is
    up to a third of the weakest policy's effect on price.
    """
    found = effects(solved, ("supply_squeeze", "lure_squeeze", "account_audit"))
    sure = [row for row in found if row.low * row.high > 0 and abs(row.simulated) > 0.05]
    assert len(sure) > 20
    opposite = {(row.world, row.outcome) for row in sure if row.mean_field * row.simulated < 0}
    assert opposite == {("account_audit", "review_backlog")}, "one that is gone is to be struck out here and in MODEL.md"
    prices = [row for row in sure if row.outcome == "price_yuan"]
    assert prices
    assert not [row for row in prices if abs(row.mean_field / row.simulated - 1) > 1 / 3]


@pytest.mark.nightly
def test_the_whole_table_says_so(capsys):
    """All worlds and sizes, with luck of the day; what it found is printed."""
    first = int(time.time()) % 1_000_000_000
    rows, fits = table(solved, first)
    with capsys.disabled():
        print(f"\nfirst seed {first}")  # noqa: T201  # what a nightly run found
        for found in fits:
            print(found)  # noqa: T201
    biggest = {(row.world, row.outcome): row for row in rows if row.users == 192e6}
    laboratory = [found for found in fits if found.world == "laboratory"]
    assert abs(np.mean([found.noise_rate for found in laboratory if found.noise_rate_se > 0]) - 0.5) < 0.1
    assert not [row for (name, _), row in biggest.items() if name == "laboratory" and abs(row.bias) > BIAS_MARGIN + LIMIT * row.bias_se]
    assert (
        abs(biggest["with_dealers_16_times_larger", "dealer_evasion"].bias) < abs(biggest["with_many_dealers", "dealer_evasion"].bias) / 2
    )
