"""Runs that failed in an earlier command: made again where that is asked for, and their records left alone where it is not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import sim
from sim.cli import main
from sim.comparison import Runs
from sim.outcomes import OUTCOMES, window_means
from sim.scenario import load_scenario

SMALL = 'name = "base"\n[run]\ndays = 250\nburn_in_days = 10\nsettle_days = 5\nreplications = 3\n[population]\nusers = 20_000\n'
POLICY = 'extends = "base.toml"\nname = "strict"\n[policies.account_audit]\nstrength = 1.0\n'
DESIGN = (
    'baseline = "base.toml"\noutcomes = ["price_yuan"]\n[design]\nkind = "factorial"\n'
    '[[factors]]\nkey = "account_audit"\n[[factors]]\nkey = "ad_takedown"\n'
)
SEARCH = (
    'baseline = "base.toml"\nobjectives = ["expected_harm_yuan", "enforcement_cost_yuan"]\n'
    '[[levers]]\nlever = "account_audit"\n[search]\ntrials = 2\nworlds = 0\n'
)
EARLIER = '{"run_id": "0123456789abcdef", "scenario": "base", "replication": 0, "seed": 1, "traceback": "MemoryError: no room"}'


def days_of(scenario, seed):
    daily = dict.fromkeys(OUTCOMES, np.full(scenario.run.days, float(seed)))
    return daily, window_means(daily, *scenario.run.window), 0.01


def fails_at_seed_2(scenario, seed):
    if seed == 2:
        raise ZeroDivisionError("no luck")
    return days_of(scenario, seed)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Work among a few files, and draw nothing."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Runs, "write_figures", lambda *_: None)
    for name, text in (("base", SMALL), ("strict", POLICY), ("design", DESIGN), ("search", SEARCH)):
        Path(f"{name}.toml").write_text(text)


def failures(out: str) -> set[Path]:
    return set(Path(out).glob("**/*.failed.json"))


def compared(**more):
    return sim.compare(load_scenario("base.toml"), [load_scenario("strict.toml")], **more).failures


def over_rules(**more):
    done = sim.over_learning(load_scenario("base.toml"), [load_scenario("strict.toml")], **more)
    return [failure for runs in done.runs.values() for failure in runs.failures]


CALLS = {
    "run": lambda **more: sim.run(load_scenario("base.toml"), **more).failures,
    "compare": compared,
    "sweep": lambda **more: sim.sweep("base.toml", ["account_audit=0:1:2"], **more).failures,
    "over_learning": over_rules,
    "experiment": lambda **more: sim.experiment("design.toml", **more).failures,
}


@pytest.mark.parametrize("name", CALLS)
def test_from_python_a_run_that_failed_is_made_again_when_asked_for(monkeypatch, name):
    monkeypatch.setattr("sim.jobs.simulate", fails_at_seed_2)
    first = CALLS[name](out="r")
    assert {failure.seed for failure in first} == {2}
    assert len(failures("r")) == len(first)
    monkeypatch.setattr("sim.jobs.simulate", days_of)
    assert CALLS[name](out="r") == first
    assert CALLS[name](out="r", retry_failed=True) == []
    assert failures("r") == set()


def test_a_run_that_fails_again_is_recorded_anew(monkeypatch):
    monkeypatch.setattr("sim.jobs.simulate", fails_at_seed_2)
    CALLS["run"](out="r")
    (record,) = failures("r")
    record.write_text(record.read_text().replace("no luck", "long ago"))
    assert "long ago" in CALLS["run"](out="r")[0].traceback
    assert "no luck" in CALLS["run"](out="r", retry_failed=True)[0].traceback
    assert "no luck" in json.loads(record.read_text())["traceback"]


def test_only_runs_that_are_asked_for_are_made_again(monkeypatch):
    monkeypatch.setattr("sim.jobs.simulate", fails_at_seed_2)
    CALLS["run"](out="r")
    before = failures("r")
    monkeypatch.setattr("sim.jobs.simulate", days_of)
    assert sim.run(load_scenario("base.toml"), 1, out="r", retry_failed=True).failures == []
    assert failures("r") == before


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "base.toml"],
        ["compare", "base.toml", "strict.toml"],
        ["sweep", "base.toml", "--vary", "account_audit=0:1:2"],
        ["experiment", "design.toml"],
        ["interactions", "design.toml"],
        ["optimise", "search.toml"],
        ["calibrate", "--scenario", "base.toml"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_the_records_of_another_command_are_left_alone(capsys, arguments):
    Path("r/parts").mkdir(parents=True)
    record = Path("r/parts/0123456789abcdef.failed.json")
    record.write_text(EARLIER)
    Path("r/manifest.json").write_text('{"format": 1, "finished": true, "command": "run", "name": "other", "scenarios": {}, "seed": 1}')
    assert main([*arguments, "--out", "r", "--retry-failed", "--workers", "1"]) == 2
    assert "r holds the results of `abm run` other" in capsys.readouterr().err
    assert record.read_text() == EARLIER
