"""Policies act on their days and on nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from sim.model import AccountMarket
from sim.world.dealers import IDLE

START = 20


def test_purge_acts_on_its_days_only(tools, baseline):
    daily = tools.ran({"purge": {"strength": 0.9, "days": [START, 31]}}).daily
    assert np.flatnonzero(daily["purged"]).tolist() == [START, 31]
    assert tools.differing(daily, baseline.daily, slice(0, START)) == []
    assert daily["purged"][START] > 0.2 * sum(daily[f"stock_{c}"][START] for c in ("registered", "unsealed", "rented", "bought", "stolen"))
    assert not baseline.daily["purged"].any()
    assert daily["cost_purge_yuan"][[START, 31]].all()
    assert np.count_nonzero(daily["cost_purge_yuan"]) == 2


def test_ramp_begins_at_the_standing_strength_and_ends_at_the_policy(tools, baseline):
    """The first day of a ramp still has the standing strength; levers rise day by day and stay."""
    model = AccountMarket(tools.scenario({"account_audit": {"strength": 0.5, "start_day": START, "ramp_days": 10}}), 1)
    strengths = []
    for _ in range(40):
        model.step()
        strengths.append(model.enforcer.levers.account_audit)
    assert strengths[: START + 1] == [0.0] * (START + 1)
    assert np.allclose(strengths[START : START + 11], np.linspace(0, 0.5, 11))
    assert set(strengths[START + 10 :]) == {0.5}
    base = {name: column[:40] for name, column in baseline.daily.items()}
    assert tools.differing(model.daily, base, slice(0, START + 1)) == []
    assert tools.differing(model.daily, base, slice(START + 1, None)) != []


def test_end_day_is_the_first_day_without(tools):
    """Until its end a policy is the one that goes on for ever; on that day the standing strength is back."""
    policy = {"strength": 1.0, "start_day": START}
    forever, ended, handed_on = (
        tools.ran(policies).daily
        for policies in (
            {"user_reporting": policy},
            {"user_reporting": {**policy, "end_day": 30}},
            {"a": {**policy, "lever": "user_reporting", "end_day": 30}, "b": {**policy, "lever": "user_reporting", "start_day": 30}},
        )
    )
    assert tools.differing(ended, forever, slice(0, 30)) == []
    assert ended["reports"][30] < forever["reports"][30]
    assert tools.differing(handed_on, forever) == []


def test_policy_on_all_segments_is_the_policy_without_segments(tools):
    policy = {"strength": 0.8, "start_day": START}
    whole = tools.ran({"ad_takedown": policy}).daily
    parts = tools.ran(
        {
            "young": {**policy, "lever": "ad_takedown", "segments": ["student", "freelancer"]},
            "others": {**policy, "lever": "ad_takedown", "segments": ["stay_at_home_parent", "other"]},
        }
    ).daily
    assert tools.differing(whole, parts) == []


def test_campaign_aimed_at_a_segment_informs_it_alone(tools, baseline):
    model = tools.ran({"c": {"lever": "awareness_campaign", "strength": 1.0, "segments": ["student"]}})
    assert model.world.informed[0] > baseline.world.informed[0]
    assert np.array_equal(model.world.informed[1:], baseline.world.informed[1:])


@pytest.fixture(scope="module")
def plans(tools):
    """Keys, plans and evasion of dealers day by day, adaptive and not, with dealers who come and go."""

    def follow(adaptive):
        model = AccountMarket(tools.scenario(adaptive=adaptive, parameters=tools.stirred, users=4_000_000), 3)
        seen = []
        for _ in range(50):
            model.step()
            dealers = model.world.dealers
            rows = dealers.rows()
            seen.append(
                {
                    int(key): (
                        dealers.shares[row].copy(),
                        dealers.weights[row].copy(),
                        float(dealers.evasion[row]),
                        float(dealers.capacity[row]),
                    )
                    for key, row in zip(dealers.key[rows], rows, strict=True)
                }
            )
        return model, seen

    return follow(adaptive=True), follow(adaptive=False)


def test_dealers_that_do_not_adapt_keep_plan_and_evasion(plans):
    """From the policy day plans and evasion stand still, newcomers' from their first; entry, growth and prices go on."""
    (adaptive, moving), (frozen, still) = plans
    for day in range(START, 49):
        today, tomorrow = still[day], still[day + 1]
        for key in today.keys() & tomorrow.keys():
            if today[key][0].sum() > 0:
                assert np.array_equal(today[key][0], tomorrow[key][0])
                assert np.array_equal(today[key][1], tomorrow[key][1])
            assert today[key][2] == tomorrow[key][2]
    assert still[START].keys() != still[-1].keys()
    stayed = still[START].keys() & still[-1].keys()
    assert any(still[START][key][3] != still[-1][key][3] for key in stayed)
    assert np.unique(frozen.daily["price_yuan"]).size == 50
    both = moving[START - 1].keys() & moving[-1].keys()
    assert all(not np.array_equal(moving[START - 1][key][0], moving[-1][key][0]) for key in both)
    assert any(moving[START - 1][key][2] != moving[-1][key][2] for key in both)
    newcomers = set(still[-1]) - set(still[START])
    assert any(still[-1][key][0].sum() > 0 for key in newcomers)
    assert adaptive.day == frozen.day == 50


def test_freezing_changes_nothing_before_the_policy_day(plans):
    (_, moving), (_, still) = plans
    for day in range(START):
        assert moving[day].keys() == still[day].keys()
        assert all(
            np.array_equal(moving[day][key][0], still[day][key][0]) and moving[day][key][2] == still[day][key][2] for key in still[day]
        )


def test_plans_are_shares_of_effort(plans):
    for day in plans[0][1]:
        for shares, weights, evasion, capacity in day.values():
            assert shares.size == IDLE + 1
            assert (shares >= 0).all()
            assert np.isclose(shares.sum(), 1) or shares.sum() == 0
            assert np.isclose(weights.sum(), 1)
            assert 0 <= evasion <= 1
            assert capacity >= 1
