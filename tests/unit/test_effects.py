"""The table of what each lever does: made of runs of which every effect is known."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from sim.effects import COLUMNS, plan, table
from sim.faults import ScenarioError
from sim.levers import LEVERS, Lever
from sim.plan import Plan
from sim.scenario import scenario_from

BASELINE = scenario_from({"name": "base", "run": {"days": 330, "burn_in_days": 90, "settle_days": 0}}, "base")
PLAN = plan(BASELINE, 3)
OUTCOMES = sorted({name for lever in LEVERS.values() for name in (lever.moves, lever.side_outcome)})


def made(asked: Plan = PLAN, wrong: str = "", noisy: str = "") -> pd.DataFrame:
    """Let each lever move its outcome by 10 times its change of strength as stated, and its side effect by 1.

    `wrong` is a lever that works the other way; in the scenario `noisy` the replications differ by more than the effect.
    """
    rows = []
    for name, scenario in asked.scenarios.items():
        for k in range(3):
            values = dict.fromkeys(OUTCOMES, 100.0 + 7.0 * k)
            for policy in scenario.policies.values():
                lever = LEVERS[policy.lever]
                change = policy.strength - lever.standing
                sign = -lever.direction if lever.name == wrong else lever.direction
                values[lever.side_outcome] += 1.0
                values[lever.moves] += 10.0 * sign * change + 0.01 * k + (500.0 * (k - 1) if name == noisy else 0.0)
            rows.append({"scenario": name, "replication": k, "seed": 1 + k, "status": "done", **values})
    return pd.DataFrame(rows)


def measured(runs: pd.DataFrame) -> pd.DataFrame:
    return table(SimpleNamespace(plan=PLAN, runs=runs)).set_index("lever")


def test_every_lever_is_a_row_at_full_strength():
    found = measured(made())
    assert list(found.reset_index().columns) == list(COLUMNS)
    assert list(found.index) == list(LEVERS)
    for name, lever in LEVERS.items():
        row = found.loc[name]
        assert row["outcome"] == lever.moves
        assert row["baseline_mean"] == pytest.approx(107.0)
        assert row["effect"] == pytest.approx(10.0 * lever.direction * (1.0 - lever.standing) + 0.01)
        half_width = 4.30265 * 0.01 / np.sqrt(3)  # t with 2 degrees of freedom
        assert row["high"] - row["low"] == pytest.approx(2.0 * half_width, rel=1e-3)
        assert row["low"] < row["effect"] < row["high"]
        assert row["side_effect_outcome"] == lever.side_outcome
        assert row[["side_effect", "side_low", "side_high"]].tolist() == pytest.approx([1.0, 1.0, 1.0])
        assert row["stated"] == lever.direction
    assert found["holds"].all()
    assert set(found["levels"]) == {"4 of 4"}


@pytest.mark.parametrize("name", ["registration_audit", "user_reporting"])
def test_a_lever_that_works_the_other_way_does_not_hold(name):
    found = measured(made(wrong=name))
    assert not found.loc[name, "holds"]
    assert found.loc[name, "levels"] == "0 of 4"
    assert found.drop(index=name)["holds"].all()


def test_a_lever_holds_by_its_full_strength_and_says_at_how_many_levels():
    full, half = measured(made(noisy="account_audit_1000")), measured(made(noisy="account_audit_0500"))
    assert (bool(full.loc["account_audit", "holds"]), full.loc["account_audit", "levels"]) == (False, "3 of 4")
    assert (bool(half.loc["account_audit", "holds"]), half.loc["account_audit", "levels"]) == (True, "3 of 4")


def test_levels_go_from_the_standing_strength_of_the_baseline_to_1():
    def strengths(lever: Lever) -> list[float]:
        return [one.policies[lever.name].strength for one in PLAN.scenarios.values() if lever.name in one.policies]

    assert strengths(LEVERS["account_audit"]) == [0.25, 0.5, 0.75, 1.0]
    assert strengths(LEVERS["cluster_sweep"]) == pytest.approx([0.4, 0.6, 0.8, 1.0])
    assert len(PLAN.scenarios) == 1 + 4 * len(LEVERS)


def test_runs_too_short_or_too_few_are_refused():
    short = BASELINE.changed({"run.days": 269})
    with pytest.raises(ScenarioError, match="leaves 179 days to average over; at least 180 are needed"):
        plan(short, 3)
    assert plan(BASELINE.changed({"run.days": 270}), 2).replications == 2
    with pytest.raises(ScenarioError, match="at least 2"):
        plan(BASELINE, 1)
