"""A comparison over parameters: which runs are made, on which luck, and one small comparison from runs to figure."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from robust_worlds import OUTCOME

from sim import robustness
from sim.comparison import Robust
from sim.conduct import carry_out, open_results, redraw
from sim.experiment_file import Experiment
from sim.faults import ScenarioError
from sim.levers import LEVERS
from sim.outcomes import OUTCOMES
from sim.parameters import LEDGER
from sim.plan import STRIDE, Plan, planned, single
from sim.scenario import scenario_from
from sim.store import Memory

TINY = {"run": {"days": 30, "burn_in_days": 10, "settle_days": 5, "seed": 5}, "population": {"users": 20_000}}
MEMBERS = {
    0: {"renting": {"quit_per_day": 0.02}, "registration": {"audit_strength": 1.5}},
    7: {"renting": {"quit_per_day": 0.07}, "registration": {"audit_strength": 3.0}},
}


def tiny(name: str, **extra: object):
    return scenario_from({"name": name, **TINY, **extra}, name)


def comparison(**extra: object) -> Plan:
    policy = tiny("squeeze", policies={"registration_audit": {"strength": 0.9}}, **extra)
    outcomes = (OUTCOME, "supply_account_days", "enforcement_cost_yuan")
    return planned(Experiment("tiny", "Tiny", "", tiny("base"), (policy,), outcomes, outcomes[:2]))


def test_every_scenario_runs_in_every_member_on_common_seeds():
    asked = robustness.plan(comparison(), MEMBERS)
    assert list(asked.scenarios) == ["base", "squeeze", "base__m00", "squeeze__m00", "base__m07", "squeeze__m07"]
    assert asked.members["squeeze__m07"] == ("squeeze", 7)
    assert (asked.command, asked.name, asked.replications) == ("compare --over-uncertainty", "tiny_over_uncertainty", 2)
    for number, first in ((-1, 5), (0, 5 + STRIDE), (7, 5 + 8 * STRIDE)):
        seeds = {(job.replication, job.seed) for job in asked.jobs if asked.members.get(job.scenario_name, ("", -1))[1] == number}
        assert seeds == {(0, first), (1, first + 1)}
    assert len({job.run_id for job in asked.jobs}) == 12
    changed = asked.scenarios["squeeze__m07"]
    assert changed.parameters["renting"]["quit_per_day"] == 0.07
    assert changed.policies == asked.scenarios["squeeze"].policies
    assert asked.scenarios["squeeze"].parameters == {}


@pytest.mark.slow
def test_policies_share_their_luck_in_a_world_and_worlds_share_none():
    """Before a policy starts its run is that of the baseline to the bit; the two members differ though here their parameters do not."""
    late = {"registration_audit": {"strength": 0.9, "start_day": 15}, "account_audit": {"strength": 0.9, "start_day": 15}}
    same = {"registration_audit": {"strength": LEVERS["registration_audit"].standing, "start_day": 15}}
    larger = {"population": {"users": 300_000}}
    base, policies = tiny("base", **larger), (tiny("late", policies=late, **larger), tiny("never", policies=same, **larger))
    alike = {number: {"renting": {"quit_per_day": 0.06}} for number in (0, 7)}
    done = carry_out(robustness.plan(planned(Experiment("tiny", "", "", base, policies)), alike))
    assert isinstance(done, Robust)
    days = {key: part[list(OUTCOMES)].to_numpy() for key, part in done.daily.groupby(["scenario", "replication"])}
    worlds = [("", k) for k in range(2)] + [(f"__m{number:02d}", k) for number in alike for k in range(2)]
    for suffix, k in worlds:
        ours, late_, never = (days[f"{name}{suffix}", k] for name in ("base", "late", "never"))
        assert np.array_equal(ours, never, equal_nan=True)
        assert np.array_equal(ours[:15], late_[:15], equal_nan=True)
        assert not np.array_equal(ours[15:], late_[15:], equal_nan=True)
    stock = list(OUTCOMES).index("supply_account_days")
    series = np.stack([days[f"base{suffix}", k][:, stock] for suffix, k in worlds])
    assert len({row.tobytes() for row in series}) == len(worlds), "no two worlds or replications are one"
    # steps from day to day: common luck would move two worlds alike
    steps = np.diff(series, axis=1)
    between = np.corrcoef(steps)[np.triu_indices(len(worlds), 1)]
    assert np.abs(between).max() < 4.0 / np.sqrt(steps.shape[1])
    effects = done.member_effects
    assert (effects.loc[effects["policy"] == "never", "effect"] == 0.0).all()


def test_what_a_scenario_sets_itself_stays():
    own = comparison(parameters={"renting": {"quit_per_day": 0.05}})
    asked = robustness.plan(own, MEMBERS)
    assert {asked.scenarios[name].parameters["renting"]["quit_per_day"] for name in ("squeeze__m00", "squeeze__m07")} == {0.05}
    assert asked.scenarios["squeeze__m07"].parameters["registration"]["audit_strength"] == 3.0
    assert asked.scenarios["base__m07"].parameters["renting"]["quit_per_day"] == 0.07
    assert robustness.fixed(own, MEMBERS) == {"renting.quit_per_day": ["squeeze"]}
    assert robustness.fixed(comparison(), MEMBERS) == {}


def test_names_stay_within_what_a_scenario_may_be_called():
    long = "x" * 64
    asked = planned(Experiment("tiny", "", "", tiny("base"), (tiny(long),)))
    assert f"{'x' * 59}__m07" in robustness.plan(asked, MEMBERS).scenarios
    twins = planned(Experiment("tiny", "", "", tiny("base"), (tiny(long), tiny("x" * 63 + "y"))))
    with pytest.raises(ScenarioError, match="is also the name of"):
        robustness.plan(twins, MEMBERS)


@pytest.mark.parametrize(
    ("asked", "members", "replications", "told"),
    [
        (comparison(), MEMBERS, 1, "--replications = 1: must be at least 2"),
        (comparison(), {0: MEMBERS[0]}, 2, "--over-uncertainty = 1: must be at least 2"),
        (replace(comparison(), precision=0.1), MEMBERS, 2, "--precision = 0.1: does not go with --over-uncertainty"),
        (single(tiny("base")), MEMBERS, 2, "compares policies with a baseline"),
        (comparison(), {**MEMBERS, 8: {"renting": {"quit_per_day": 0.05}}}, 2, "--over-uncertainty: member 8 changes nothing"),
        (comparison(), {**MEMBERS, 8: {"renting": {"quit_per_day": 5.0}}}, 2, "quit_per_day = 5.0: must be a number from"),
    ],
)
def test_what_makes_no_sense_is_told_in_a_line(asked, members, replications, told):
    with pytest.raises(ScenarioError) as error:
        robustness.plan(asked, members, replications)
    assert told in str(error.value)
    assert "\n" not in str(error.value)


LEDGER_ROW = [LEDGER["renting"]["quit_per_day"].value, LEDGER["registration"]["audit_strength"].value]
SET = f"member,renting.quit_per_day,registration.audit_strength\n0,{LEDGER_ROW[0]},{LEDGER_ROW[1]}\n1,0.02,1.5\n2,0.07,3.0\n3,0.05,2.5\n"


def test_the_first_members_of_the_set_are_taken_beside_the_ledgers_own():
    assert robustness.shipped(2, SET) == {1: MEMBERS[0], 2: MEMBERS[7]}
    assert list(robustness.shipped(3, SET)) == [1, 2, 3]
    without = SET.replace(f"0,{LEDGER_ROW[0]}", "0,0.03")
    assert list(robustness.shipped(2, without)) == [0, 1]


def test_the_set_that_ships_can_be_used():
    members = robustness.shipped(2)
    assert list(robustness.plan(comparison(), members).members.values())[-1] == ("squeeze", list(members)[-1])


@pytest.mark.parametrize("count", [-1, 0, 1, 4])
def test_more_members_than_there_are_is_told_in_a_line(count):
    with pytest.raises(ScenarioError) as error:
        robustness.shipped(count, SET)
    problem = "must be a whole number from 2 to 3, the members of the set beside the ledger's own vector"
    assert str(error.value) == f"--over-uncertainty = {count}: {problem}"


def test_the_manifest_keeps_members():
    asked = robustness.plan(comparison(), MEMBERS)
    manifest = json.loads(json.dumps(asked.manifest(Memory(), (), finished=False)))
    assert Plan.of(manifest, "x").members == asked.members
    del manifest["members"]  # as before there were any
    assert Plan.of(manifest, "x").members == {}


@pytest.mark.slow
def test_a_small_comparison_from_runs_to_tables_and_figure(tmp_path):
    told = []
    done = robustness.over_members(comparison(), MEMBERS, out=tmp_path / "out", progress=told.append)
    assert not done.failures
    assert max(state.computed for state in told) == 12
    for name in ("robustness", "ranking_pairs", "ranking", "member_effects", "summary"):
        assert (tmp_path / "out" / f"{name}.csv").is_file() == (not name.startswith("ranking")), name  # one policy has no ranking
    assert {path.name for path in (tmp_path / "out" / "figures").iterdir()} == {"robustness.png", "robustness.svg"}
    table = pd.read_csv(tmp_path / "out" / "robustness.csv")
    assert list(table["outcome"]) == list(comparison().outcomes)
    assert (table["members"] == 2).all()
    assert (table["replications"] == 2).all()
    row = table.set_index("outcome").loc["enforcement_cost_yuan"]
    means = done.runs.groupby("scenario")["enforcement_cost_yuan"].mean()
    assert row["central_effect"] == pytest.approx(means["squeeze"] / means["base"] - 1.0)
    assert row["central_effect"] > 0.0
    members = done.member_effects.set_index(["outcome", "member"])["effect"]["enforcement_cost_yuan"]
    assert members["m07"] == pytest.approx(means["squeeze__m07"] / means["base__m07"] - 1.0)
    assert "parameter vectors" in " ".join(done.answer)
    whole, part = (robustness.markdown(tmp_path / "out", done.plan.titles, only) for only in (None, ["enforcement_cost_yuan"]))
    assert "\n* squeeze: " in whole
    assert "\n* squeeze: enforcement cost" in part
    assert "total supply" in whole
    assert "total supply" not in part
    assert "Not yet computed" in robustness.markdown(tmp_path)

    (tmp_path / "out" / "figures" / "robustness.png").unlink()
    again = redraw(tmp_path / "out")
    assert isinstance(again, Robust)
    assert (tmp_path / "out" / "figures" / "robustness.png").is_file()
    pd.testing.assert_frame_equal(again.robustness, done.robustness)

    more = {**MEMBERS, 8: {"renting": {"quit_per_day": 0.04}}}
    told.clear()
    robustness.over_members(comparison(), more, out=tmp_path / "out", progress=told.append)
    runs = [state for state in told if state.stage == "runs"]
    assert (runs[-1].skipped, runs[-1].computed) == (12, 4)
    assert (open_results(tmp_path / "out").robustness["members"] == 3).all()
