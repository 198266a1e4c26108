"""Who watches changes nothing."""

from __future__ import annotations

from pathlib import Path

import mesa
import numpy as np
import pytest

from sim import model as room
from sim.agents.dealer import Dealer
from sim.agents.recruiter import Recruiter
from sim.model import AccountMarket
from sim.outcomes import OUTCOMES, Recorder
from sim.scenario import load_scenario

ROOT = Path(__file__).parents[2]


class Nobody:
    """A recorder that records nothing."""

    def record(self, row):
        """Forget the day."""


def test_without_the_recorder_the_world_is_the_same(tools, baseline, monkeypatch):
    monkeypatch.setattr(room, "outcome_row", lambda *_: {})
    model = AccountMarket(tools.scenario(), 1)
    model._recorder = Nobody()
    model.run()
    watched, unwatched = tools.state(baseline), tools.state(model)
    assert tools.differing(watched, unwatched) == []


def test_a_mesa_data_collector_changes_nothing(tools, baseline):
    model = AccountMarket(tools.scenario(), 1)
    collector = mesa.DataCollector(
        model_reporters={
            "price": lambda watched: watched.world.market.price,
            "dealers": lambda watched: len(watched.agents_by_type[Dealer]),
        },
        agenttype_reporters={
            Dealer: {"cash": "cash", "evasion": "evasion", "plan": "plan", "pool": "pool"},
            Recruiter: {"open": "open", "cash": "cash"},
        },
    )
    for _ in range(50):
        model.step()
        collector.collect(model)
    assert tools.differing(model.daily, baseline.daily) == []
    assert tools.differing(tools.state(model), tools.state(baseline)) == []
    seen = collector.get_model_vars_dataframe()
    assert np.array_equal(seen["dealers"], model.daily["dealers_active"])
    assert np.array_equal(seen["price"].to_numpy()[:-1], model.daily["price_yuan"][1:])


def test_reading_and_writing_the_series_leaves_the_run_alone(tools, baseline):
    model = AccountMarket(tools.scenario(), 1)
    for _ in range(50):
        model.step()
        for column in model.daily.values():
            column[:] = -1.0
    assert tools.differing(model.daily, baseline.daily) == []


def test_agents_show_their_row(baseline):
    world = baseline.world
    for agent in baseline.agents_by_type[Dealer]:
        assert agent.cash == world.dealers.cash[agent.row]
        assert agent.capacity == world.dealers.capacity[agent.row]
        assert list(agent.plan.values()) == world.dealers.shares[agent.row, :5].tolist()
    for agent in baseline.agents_by_type[Recruiter]:
        assert agent.open == world.recruiters.open[agent.row]
        assert (agent.kind == "scan team") == world.recruiters.is_stall[agent.row]
    assert baseline.enforcer.spent["review_capacity"] == pytest.approx(baseline.daily["cost_review_capacity_yuan"].sum())


def test_recorder_refuses_a_row_that_does_not_match():
    row = dict.fromkeys(OUTCOMES, 0.0)
    recorder = Recorder(3)
    recorder.record(row)
    with pytest.raises(KeyError, match="price_yuan"):
        recorder.record({name: value for name, value in row.items() if name != "price_yuan"})
    with pytest.raises(KeyError, match="prize"):
        recorder.record({**row, "prize": 1.0})
    assert recorder.columns()["price_yuan"].tolist() == [0.0]


def test_a_finished_model_says_so():
    """After the last day `running` is false, as Mesa's tools expect, and another step is refused in a sentence."""
    scenario = load_scenario(
        ROOT / "scenarios" / "baseline.toml", {"population.users": 100_000, "run.days": 3, "run.burn_in_days": 1, "run.settle_days": 1}
    )
    model = AccountMarket(scenario, seed=1)
    model.run()
    assert not model.running
    with pytest.raises(RuntimeError, match="has 3 days"):
        model.step()
