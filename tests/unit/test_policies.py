"""What each policy does to its lever on each day."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.levers import LEVERS, SEGMENTS
from sim.policies import levers_in_force
from sim.scenario import Scenario, scenario_from


def scenario(policies: dict[str, Any] | None = None, **tables: Any) -> Scenario:
    return scenario_from({"name": "test", "policies": policies or {}, **tables}, "test", Path())


def strengths(made: Scenario, lever: str, days: range) -> list[float]:
    return [getattr(levers_in_force(made, day), lever) for day in days]


def test_standing_regime_from_day_0():
    levers = levers_in_force(scenario(levers={"login_check": 0.7}), 0)
    assert levers.login_check == 0.7
    assert levers.purge == 0.0
    for name, lever in LEVERS.items():
        if name != "login_check":
            assert np.all(getattr(levers, name) == lever.standing)


def test_policy_starts_at_the_end_of_burn_in_and_stays():
    made = scenario({"a": {"lever": "registration_audit", "strength": 0.9}}, run={"burn_in_days": 100})
    assert strengths(made, "registration_audit", range(98, 102)) == [0.3, 0.3, 0.9, 0.9]
    assert levers_in_force(made, 539).registration_audit == 0.9


def test_end_day_is_exclusive_and_brings_the_standing_strength_back():
    made = scenario({"a": {"lever": "registration_audit", "strength": 0.9, "start_day": 10, "end_day": 12}})
    assert strengths(made, "registration_audit", range(9, 14)) == [0.3, 0.9, 0.9, 0.3, 0.3]


def test_ramp_is_linear_from_the_standing_strength_up_and_down():
    up = scenario({"a": {"lever": "login_check", "strength": 0.8, "start_day": 10, "ramp_days": 4}})
    assert strengths(up, "login_check", range(9, 16)) == pytest.approx([0, 0, 0.2, 0.4, 0.6, 0.8, 0.8])
    down = scenario({"a": {"lever": "registration_audit", "strength": 0.1, "start_day": 10, "ramp_days": 2}})
    assert strengths(down, "registration_audit", range(9, 14)) == pytest.approx([0.3, 0.3, 0.2, 0.1, 0.1])


def test_aimed_policy_leaves_other_segments_at_the_standing_strength():
    made = scenario({"a": {"lever": "ad_takedown", "strength": 0.9, "start_day": 5, "segments": ["other", "student"]}})
    assert levers_in_force(made, 4).ad_takedown.tolist() == [0.1, 0.1, 0.1, 0.1]
    assert levers_in_force(made, 5).ad_takedown.tolist() == [0.9, 0.1, 0.1, 0.9]


def test_two_policies_aimed_at_different_segments_act_together():
    made = scenario(
        {
            "a": {"lever": "ad_takedown", "strength": 0.9, "start_day": 5, "segments": ["student"]},
            "b": {"lever": "ad_takedown", "strength": 0.5, "start_day": 5, "segments": ["freelancer"], "end_day": 7},
        }
    )
    assert levers_in_force(made, 6).ad_takedown.tolist() == [0.9, 0.1, 0.5, 0.1]
    assert levers_in_force(made, 7).ad_takedown.tolist() == [0.9, 0.1, 0.1, 0.1]


def test_policies_on_one_lever_may_follow_each_other():
    made = scenario(
        {
            "a": {"lever": "login_check", "strength": 0.9, "start_day": 5, "end_day": 7},
            "b": {"lever": "login_check", "strength": 0.2, "start_day": 7},
        }
    )
    assert strengths(made, "login_check", range(4, 9)) == [0.0, 0.9, 0.9, 0.2, 0.2]


def test_purge_acts_on_its_days_only():
    made = scenario({"p": {"lever": "purge", "strength": 0.8, "days": [12, 10]}})
    assert strengths(made, "purge", range(9, 14)) == [0.0, 0.8, 0.0, 0.8, 0.0]
    assert strengths(scenario({"purge": {"strength": 0.8}}), "purge", range(179, 182)) == [0.0, 0.8, 0.0]


def test_unchanged_days_share_one_object_that_nobody_can_write_to():
    made = scenario({"a": {"lever": "login_check", "strength": 0.8, "start_day": 10, "ramp_days": 4}})
    assert levers_in_force(made, 0) is levers_in_force(made, 9)
    assert levers_in_force(made, 14) is levers_in_force(made, 400)
    assert levers_in_force(made, 11) is not levers_in_force(made, 12)
    with pytest.raises(ValueError, match="read-only"):
        levers_in_force(made, 0).ad_takedown[0] = 1.0


@given(
    standing=st.floats(0, 1),
    start=st.integers(0, 539),
    ramp=st.integers(0, 600),
    day=st.integers(0, 539),
    name=st.sampled_from(sorted(LEVERS)),
)
def test_policy_at_the_standing_strength_is_no_policy_to_the_bit(standing, start, ramp, day, name):
    if LEVERS[name].only_policy:
        return
    policy = {"lever": name, "strength": standing, "start_day": start, "ramp_days": ramp}
    with_policy = levers_in_force(scenario({"a": policy}, levers={name: standing}), day)
    without = levers_in_force(scenario(levers={name: standing}), day)
    for lever in LEVERS:
        assert np.array_equal(getattr(with_policy, lever), getattr(without, lever))


@given(standing=st.floats(0, 1), strength=st.floats(0, 1), start=st.integers(0, 300), ramp=st.integers(0, 100), length=st.integers(1, 239))
def test_strength_stays_between_standing_and_policy_and_moves_one_way(standing, strength, start, ramp, length):
    policy = {"lever": "login_check", "strength": strength, "start_day": start, "ramp_days": ramp, "end_day": start + length}
    made = scenario({"a": policy}, levers={"login_check": standing})
    path = np.array(strengths(made, "login_check", range(start, start + length)))
    assert np.all((path >= min(standing, strength)) & (path <= max(standing, strength)))
    assert np.all(np.diff(path) * np.sign(strength - standing) >= 0)
    if length > ramp:
        assert path[-1] == strength
    assert levers_in_force(made, start + length).login_check == standing


def test_segments_in_tables_follow_the_order_of_the_arrays():
    for index, name in enumerate(SEGMENTS):
        made = scenario({"a": {"lever": "legal_certainty", "strength": 1.0, "segments": [name]}})
        assert np.argmax(levers_in_force(made, 200).legal_certainty) == index
