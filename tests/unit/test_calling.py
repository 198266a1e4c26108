"""The model as a function: what it returns, equal for equal arguments and any number of processes, faults, libraries that call it."""

from __future__ import annotations

import pickle
import re
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import sim
from sim import luck
from sim.faults import ScenarioError
from sim.outcomes import OUTCOMES, window_means

ROOT = Path(__file__).parents[2]
SMALL = {"population.users": 20_000, "run.days": 20, "run.burn_in_days": 6, "run.settle_days": 4}
FACTORS = ["account_audit", "parameters.renting.quit_per_day", "policies.account_audit.start_day"]
OF_EMA = (
    "ignore:ipyparallel not installed:UserWarning",
    "ignore:The inplace keyword:DeprecationWarning",
    "ignore:.*multi-threaded.*fork:DeprecationWarning",
)


def stand_in(scenario, seed):
    """Outcomes are known functions of strength and day, and of the seed's own luck, which all points share."""
    policy = scenario.policies.get("account_audit")
    level = policy.strength if policy else 0.0
    own = float(luck.uniforms(seed, "own", (1,))[0])
    daily = dict.fromkeys(OUTCOMES, np.full(scenario.run.days, 10.0 * level + own))
    daily["price_yuan"] = np.full(scenario.run.days, 1.0 + scenario.parameters.get("renting", {}).get("quit_per_day", 0.05))
    return daily, window_means(daily, *scenario.run.window), 0.0


def baseline():
    return sim.load_scenario(ROOT / "scenarios" / "baseline.toml", SMALL)


@pytest.fixture
def market():
    return sim.as_function(baseline(), FACTORS[:2], ["stock_rented", "price_yuan"], replications=3, seed=4, how=stand_in)


def test_a_call_gives_means_over_seeds_and_rows_give_the_same(market):
    mean = np.mean([luck.uniforms(seed, "own", (1,))[0] for seed in (4, 5, 6)])
    found = market(account_audit=0.5, renting_quit_per_day=0.02)
    assert found == {"stock_rented": pytest.approx(5.0 + mean), "price_yuan": pytest.approx(1.02)}
    rows = market.evaluate([[0.5, 0.02], [0.0, 0.08], [0.5, 0.02]])
    assert rows.shape == (3, 2)
    assert rows[0].tolist() == rows[2].tolist() == list(found.values())
    assert rows[1].tolist() == [pytest.approx(mean), pytest.approx(1.08)]
    assert market()["price_yuan"] == pytest.approx(1.05)  # the ledger's own
    alone = sim.as_function(baseline(), FACTORS[:2], ["price_yuan"], 1, 1, stand_in)
    assert alone.evaluate([[0.5, 0.02], [0.0, 0.08]]).shape == (2,)


def test_it_says_what_it_can_be_asked(market):
    assert dict(market.factors) == {"account_audit": "policies.account_audit.strength", "renting_quit_per_day": FACTORS[1]}
    assert market.problem["names"] == ["account_audit", "renting_quit_per_day"]
    assert market.problem["bounds"] == [[0.0, 1.0], [0.01, 0.08]]
    assert market.problem["num_vars"] == 2
    days = sim.as_function(baseline(), FACTORS, ["price_yuan"], 1, 1)
    assert days.ranges["account_audit_start_day"] == (0, 19)


@pytest.mark.slow
def test_the_market_gives_the_same_bits_in_a_call_in_rows_in_processes_and_after_pickling():
    market = sim.as_function(baseline(), FACTORS[:2], ["supply_account_days", "expected_harm_yuan"], replications=2, seed=1)
    points = [[0.0, 0.05], [0.9, 0.02]]
    alone = market.evaluate(points)
    assert np.array_equal(market.evaluate(points, workers=2), alone)
    again = pickle.loads(pickle.dumps(market))
    assert list(again(account_audit=0.9, renting_quit_per_day=0.02).values()) == alone[1].tolist()
    policy = baseline().changed({"policies.account_audit.strength": 0.9, "parameters.renting.quit_per_day": 0.02})
    runs = sim.run(policy, replications=2, seed=1).runs
    assert runs[["supply_account_days", "expected_harm_yuan"]].mean().tolist() == alone[1].tolist()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda market: market(acount_audit=0.5), 'acount_audit = 0.5: did you mean "account_audit"?'),
        (lambda market: market(account_audit=1.5, renting_quit_per_day=0.5), "account_audit = 1.5: must be a number from 0.0 to 1.0"),
        (
            lambda market: market(account_audit=1.5, renting_quit_per_day=0.5),
            "0.5: must be a number from 0.01 to 0.08, the range of the led",
        ),
        (lambda market: market(account_audit="high"), 'account_audit = "high": must be a number'),
        (lambda market: market.evaluate([[0.5]]), "of shape (1, 1): must have the shape (points, 2), a column for each of account_audit"),
        (lambda market: market.evaluate([[0.5, np.nan]]), "must be a number from 0.01"),
        (lambda market: market.evaluate([[0.5, 0.05]], workers=0), "workers = 0"),
    ],
)
def test_arguments_that_make_no_sense_are_told(market, call, words):
    with pytest.raises(ScenarioError, match=re.escape(words)):
        call(market)


def test_what_is_no_factor_and_no_outcome_is_told_at_once():
    with pytest.raises(ScenarioError) as told:
        sim.as_function(baseline(), ["acount_audit", "ad_takedown", "policies.ad_takedown.strength"], ["prize_yuan"], replications=0)
    message = str(told.value)
    for words in (
        'did you mean "account_audit"?',
        "stands twice",
        'did you mean "price_yuan"?',
        "replications = 0: must be a whole number",
    ):
        assert words in message, message
    with pytest.raises(ScenarioError, match="seed = 9007199254740992: must be at most 9007199254740990 here"):
        sim.as_function(baseline(), ["ad_takedown"], ["price_yuan"], replications=3, seed=2**53)


def test_a_number_is_whole_whatever_library_it_comes_from():
    market = sim.as_function(baseline(), ["ad_takedown"], ["price_yuan"], np.int64(2), np.int32(4), stand_in)
    assert market() == sim.as_function(baseline(), ["ad_takedown"], ["price_yuan"], 2, 4, stand_in)()
    with pytest.raises(ScenarioError, match="replications = true: must be a whole number"):
        sim.as_function(baseline(), ["ad_takedown"], ["price_yuan"], replications=True)


def test_a_run_that_raises_is_told_with_its_point():
    def fails(scenario, seed):
        if scenario.policies["account_audit"].strength > 0.5:
            raise ZeroDivisionError("too strict")
        return stand_in(scenario, seed)

    market = sim.as_function(baseline(), FACTORS[:1], ["price_yuan"], 2, 1, fails)
    with pytest.raises(RuntimeError, match=r"(?s)2 of 4 runs failed, the first at account_audit = 0.9 \(seed 1\).*too strict"):
        market.evaluate([[0.1], [0.9]])


def examples():
    """Return the examples of README for other libraries, by the library."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return {name: block for block in blocks for name in ("ema_workbench", "SALib") if f"from {name}" in block}


def test_readme_has_an_example_for_each_library():
    assert examples().keys() == {"ema_workbench", "SALib"}


def ran(name, monkeypatch):
    """Run an example as it stands in README, and return what it leaves behind."""
    monkeypatch.chdir(ROOT)
    space = {"__name__": "example"}
    exec(compile(examples()[name], f"README, {name}", "exec"), space)  # it is README's own
    return space


@pytest.mark.slow
@pytest.mark.filterwarnings(*OF_EMA)
@pytest.mark.skipif(find_spec("ema_workbench") is None, reason="ema_workbench is not installed")
def test_the_example_for_the_ema_workbench_runs_and_is_the_market(monkeypatch):
    space = ran("ema_workbench", monkeypatch)
    experiments, outcomes, market = space["experiments"], space["outcomes"], space["market"]
    assert len(experiments) == len(outcomes["expected_harm_yuan"]) == 6
    row = experiments.iloc[-1]
    found = market(**{name: row[name] for name in market.factors})
    assert {name: values[-1] for name, values in outcomes.items()} == found


@pytest.mark.slow
@pytest.mark.skipif(find_spec("SALib") is None, reason="SALib is not installed")
def test_the_example_for_salib_runs_and_is_the_market(monkeypatch):
    space = ran("SALib", monkeypatch)
    problem, market = space["problem"], space["market"]
    assert problem.results.shape == (16,)
    assert problem.results[5] == market.evaluate(problem.samples[5:6])[0]
    assert problem.analysis["mu_star"].shape == (3,)
    assert (problem.analysis["mu_star"] > 0.0).all()
