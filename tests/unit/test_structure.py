"""The same comparison under several rules of learning, side by side."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sim
from sim.analysis.structure import NONE, OPPOSITE, SAME, UNCLEAR, in_words, side_by_side, verdict
from sim.cli import main
from sim.comparison import Runs
from sim.faults import ScenarioError
from sim.levers import LEARNING
from sim.outcomes import OUTCOMES, window_means
from sim.scenario import scenario_from
from sim.store import Store
from sim.structure import TABLE

ROOT = Path(__file__).parents[2]


def table(*rows):
    columns = ["scenario", "outcome", "difference_low", "difference_high", "relative", "relative_low", "relative_high", "difference"]
    return pd.DataFrame(rows, columns=columns)


@pytest.mark.parametrize(
    ("intervals", "said"),
    [
        ([(1, 2), (0.1, 5), (3, 4)], SAME),
        ([(-2, -1), (-5, -0.1)], SAME),
        ([(1, 2), (-2, -1), (3, 4)], OPPOSITE),
        ([(1, 2), (-1, 4)], UNCLEAR),
        ([(1, 2), (0, 0)], UNCLEAR),
        ([(-1, 2), (-1, 4)], UNCLEAR),
        ([(0, 0), (0, 0)], NONE),
    ],
)
def test_verdicts(intervals, said):
    assert verdict(intervals) == said


def test_effects_stand_beside_each_other():
    one = table(("a", "x", 1, 3, 0.2, 0.1, 0.3, 2), ("a", "y", -1, 3, 0.2, -0.1, 0.3, 1))
    two = table(("a", "x", 2, 4, 0.3, 0.2, 0.4, 3), ("a", "y", 1, 4, 0.3, 0.2, 0.4, 2))
    made = side_by_side({"logit": one, "exp3": two}, ("x", "y"))
    assert made.to_dict("records")[0] == {
        "policy": "a",
        "outcome": "x",
        "unit": "share of baseline",
        "logit": 0.2,
        "logit_low": 0.1,
        "logit_high": 0.3,
        "exp3": 0.3,
        "exp3_low": 0.2,
        "exp3_high": 0.4,
        "verdict": SAME,
    }
    assert in_words(made) == ["1 of 2 effects have the same sign, beyond chance, under every rule of learning.", "Unclear: a on y."]
    with pytest.raises(ValueError, match="other policies"):
        side_by_side({"logit": one, "exp3": two.assign(scenario="b")}, ("x",))


@pytest.mark.slow
def test_a_comparison_under_every_rule(tmp_path, capsys):
    (tmp_path / "b.toml").write_text("[run]\ndays = 8\nburn_in_days = 2\nsettle_days = 1\n[population]\nusers = 1000000\n")
    (tmp_path / "p.toml").write_text('extends = "b.toml"\n[policies.registration_audit]\nstrength = 1.0\n')
    files = [str(tmp_path / "b.toml"), str(tmp_path / "p.toml"), "--out", str(tmp_path / "out")]
    assert main(["compare", *files, "--over-learning", "--replications", "2", "--workers", "1"]) == 0
    assert "under every rule of learning" in capsys.readouterr().out
    made = pd.read_csv(tmp_path / "out" / "learning.csv")
    assert {"logit", "exp3", "replicator", "verdict"} <= set(made.columns)
    for rule in ("logit", "exp3", "replicator"):
        assert (tmp_path / "out" / rule / "comparison.csv").exists()
    capsys.readouterr()
    assert main(["compare", *files, "--over-learning", "--set", "dealers.learning=exp3"]) == 2
    assert "--over-learning" in capsys.readouterr().err
    assert main(["compare", *files, "--over-learning", "--over-uncertainty", "3"]) == 2
    assert "one at a time" in capsys.readouterr().err


def days_of(scenario, _seed):
    """Stand in for the simulation: registration audits halve everything."""
    level = 0.5 if scenario.policies else 1.0
    daily = {name: np.full(scenario.run.days, level) for name in OUTCOMES}
    return daily, window_means(daily, *scenario.run.window), 0.0


def fails_under_exp3(scenario, seed):
    """Stand in for a simulation that one rule breaks."""
    if scenario.dealers.learning == "exp3":
        raise ArithmeticError("no market")
    return days_of(scenario, seed)


@pytest.fixture
def quick(monkeypatch):
    """Let runs be those of the stand-in, and draw nothing."""
    monkeypatch.setattr("sim.jobs.simulate", days_of)
    monkeypatch.setattr(Runs, "write_figures", lambda *_: None)
    return monkeypatch


BASE = scenario_from({"name": "base", "run": {"days": 8, "burn_in_days": 2, "settle_days": 1}}, "base")
POLICY = BASE.changed({"name": "policy", "policies.registration_audit.strength": 1.0})


def test_failed_runs_are_put_beside_nothing(quick):
    quick.setattr("sim.jobs.simulate", fails_under_exp3)
    done = sim.over_learning(BASE, [POLICY], 1)
    assert done.table.empty
    assert done.answer == ["Runs failed, so there is nothing to put side by side."]
    assert [rule for rule, runs in done.runs.items() if runs.failures] == ["exp3"]


@pytest.mark.usefixtures("quick")
def test_python_compares_under_every_rule(tmp_path):
    heard = []
    done = sim.over_learning(BASE, [POLICY], 2, out=tmp_path / "out", progress=lambda state: heard.append(state.stage))
    assert list(done.runs) == list(LEARNING)
    for rule, runs in done.runs.items():
        assert {scenario.dealers.learning for scenario in runs.plan.scenarios.values()} == {rule}
        assert (tmp_path / "out" / rule / "comparison.csv").exists()
        assert f"dealers learn by {rule}" in heard
    assert (done.table["logit"] == -0.5).all()
    assert len(pd.read_csv(tmp_path / "out" / TABLE)) == len(done.table) > 0
    assert "under every rule of learning" in done.answer[0]


def test_a_rule_whose_runs_fail_leaves_no_table(quick, tmp_path, capsys):
    quick.setattr("sim.jobs.simulate", fails_under_exp3)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / TABLE).write_text("of an earlier command")
    (tmp_path / "b.toml").write_text("[run]\ndays = 8\nburn_in_days = 2\nsettle_days = 1\n")
    (tmp_path / "p.toml").write_text('extends = "b.toml"\n[policies.registration_audit]\nstrength = 1.0\n')
    files = [str(tmp_path / "b.toml"), str(tmp_path / "p.toml"), "--out", str(tmp_path / "out")]
    assert main(["compare", *files, "--over-learning", "--replications", "1", "--workers", "1", "--quiet"]) == 1
    err = capsys.readouterr().err
    assert "2 runs failed" in err
    assert "exp3/manifest.json" in err
    assert not (tmp_path / "out" / TABLE).exists()
    assert (tmp_path / "out" / "logit" / "manifest.json").exists()


@pytest.mark.parametrize("where", ["file", "setting", "table"])
def test_a_rule_that_is_set_already_is_refused_in_a_line(tmp_path, capsys, where):
    (tmp_path / "b.toml").write_text("[run]\ndays = 8\nburn_in_days = 2\nsettle_days = 1\n")
    rule = '[dealers]\nlearning = "exp3"\n' if where == "file" else ""
    (tmp_path / "p.toml").write_text(f'extends = "b.toml"\n{rule}[policies.registration_audit]\nstrength = 1.0\n')
    setting = {"setting": ["--set", "dealers.learning=logit"], "table": ["--set", 'dealers={learning="exp3"}']}.get(where, [])
    files = [str(tmp_path / "b.toml"), str(tmp_path / "p.toml"), "--out", str(tmp_path / "out")]
    assert main(["compare", *files, "--over-learning", *setting]) == 2
    err = capsys.readouterr().err
    assert "does not go with --over-learning, which sets it" in err
    if where == "file":
        assert err == 'abm: p: dealers.learning = "exp3": does not go with --over-learning, which sets it\n'
    assert not (tmp_path / "out").exists()


def test_plotting_the_whole_names_its_parts(tmp_path, capsys):
    for rule in LEARNING:
        with Store(tmp_path / "out" / rule) as store:
            store.write_manifest({"finished": True})
    assert main(["plot", str(tmp_path / "out")]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "is no results directory, but holds some: exp3, logit, replicator; name one of them" in err


def test_a_place_that_holds_something_else_is_refused(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.doc").write_text("precious")
    (tmp_path / "file").write_text("")
    for name, words in (("out", "holds thesis.doc"), ("file", "is a file")):
        with pytest.raises(ScenarioError, match=words):
            sim.over_learning(BASE, [POLICY], 2, out=tmp_path / name)
