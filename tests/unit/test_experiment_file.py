"""Experiment files: what they resolve to and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.experiment_file import SHOWN, ExperimentTable, experiment_of, load_experiment, parse_vary
from sim.faults import Fault
from sim.scenario import ScenarioError
from sim.scenario_file import Source
from sim.scenario_tables import checked

SCENARIOS = Path(__file__).parents[2] / "scenarios"
BASELINE = SCENARIOS / "baseline.toml"


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "plan.toml"
    path.write_text(f'baseline = "{BASELINE}"\n{text}', encoding="utf-8")
    return path


def fault(path: Path, overrides: dict[str, object] | None = None) -> str:
    with pytest.raises(ScenarioError) as caught:
        load_experiment(path, overrides)
    return str(caught.value)


def test_policy_comparison_is_the_main_job():
    made = load_experiment(SCENARIOS / "experiments" / "policy_comparison.toml")
    assert made.baseline.name == "baseline"
    assert len(made.scenarios) >= 6
    assert made.replications >= 5
    assert made.seed == 1
    assert {scenario.run.replications for scenario in made.scenarios} == {made.replications}
    assert set(made.outcomes) == set(SHOWN)
    assert made.question.endswith("?")
    assert made.vary is None


def test_policy_strength_varies_one_lever_from_0_to_1():
    made = load_experiment(SCENARIOS / "experiments" / "policy_strength.toml")
    assert made.vary is not None
    assert dict(made.levels or {}) == {scenario.name: scenario.policies["registration_audit"].strength for scenario in made.scenarios}
    assert list((made.levels or {}).values()) == [0, 0.2, 0.4, 0.6, 0.8, 1]
    assert [scenario.name for scenario in made.scenarios][:2] == ["registration_audit_0", "registration_audit_0p2"]


def test_overrides_reach_every_scenario():
    made = load_experiment(
        SCENARIOS / "experiments" / "policy_comparison.toml", {"population.users": 1_000_000, "run.replications": 2, "run.seed": 5}
    )
    assert {scenario.population.users for scenario in (made.baseline, *made.scenarios)} == {1_000_000}
    assert (made.replications, made.seed) == (2, 5)


def test_scenario_written_in_place_extends_the_baseline(tmp_path):
    made = load_experiment(write(tmp_path, '[[scenario]]\nname = "strict"\n[scenario.policies.login_check]\nstrength = 0.5\n'))
    assert [scenario.name for scenario in made.scenarios] == ["strict"]
    assert made.scenarios[0].policies["login_check"].start_day == 180
    assert made.scenarios[0].population == made.baseline.population
    assert made.replications == made.baseline.run.replications
    assert made.name == "plan"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["plan.toml: scenarios: is missing"]),
        ("replicatons = 3", ["replicatons = 3", 'did you mean "replications"?']),
        ("replications = 0", ["replications = 0", "a whole number from 1"]),
        ('scenarios = ["none.toml"]', ["plan.toml: scenarios = ", "no such file"]),
        ('outcomes = ["stock_rentd"]', ['outcomes = "stock_rentd"', 'did you mean "stock_rented"?']),
        ('headline = ["price"]', ['headline = "price"', "price_yuan"]),
        ("[[scenario]]\nlevers.login_check = 0.5", ["plan.toml [[scenario]] 1: name", "is missing"]),
        ('[[scenario]]\nname = "baseline"', ['name = "baseline"', "each needs its own"]),
        ('[[scenario]]\nname = "a"\nrun.days = 300', ["a: run.days = 300", "must be 540 as in the baseline"]),
        ('[[scenario]]\nname = "a"\npopulation.users = 3000', ["a: population.users = 3000", "must be 12000000"]),
        ('[[scenario]]\nname = "a"\nlevers.login_chek = 1', ["[[scenario]] 1: levers.login_chek", 'did you mean "login_check"?']),
        ("[vary]\nkey = 'levers.login_check'\nlow = 1\nhigh = 0\nlevels = 3", ["vary.low = 1.0", "below the last level"]),
        ("[vary]\nkey = 'levers.login_check'\nlow = 0\nhigh = 1\nlevels = 1", ["vary.levels = 1", "from 2"]),
        (
            "[vary]\nkey = 'levers.login_chek'\nlow = 0\nhigh = 1\nlevels = 3",
            ["plan.toml: vary: levers.login_chek = 0", 'did you mean "login_check"?'],
        ),
        ("[vary]\nkey = 'levers.login_check'\nlow = 0\nhigh = 2\nlevels = 3", ["plan.toml: vary: levers.login_check = 2", "from 0 to 1"]),
        ("vary = 3", ["vary = 3", "must be a table"]),
        ("scenario = 3", ["scenario = 3", "must be a list"]),
        ("scenario = [3]", ["scenario = 3", "each entry must be a table"]),
    ],
)
def test_fault_of_an_experiment(tmp_path, text, words):
    found = fault(write(tmp_path, text))
    assert "faults:" not in found
    for word in words:
        assert word in found


def test_faults_of_all_scenarios_are_told_together(tmp_path):
    text = 'seed = -1\noutcomes = ["stock_rentd"]\nscenarios = ["none.toml"]\n[[scenario]]\nname = "a"\nlevers.x = 1\n'
    found = fault(write(tmp_path, text))
    assert found.startswith("4 faults:")
    for word in ("seed = -1", 'did you mean "stock_rented"?', "none.toml: no such file", "levers.x = 1: no such lever"):
        assert word in found
    text = text.replace('outcomes = ["stock_rentd"]\n', "")
    found = fault(write(tmp_path, text.replace("seed = -1", "")), {"name": "all"})
    assert found.startswith("3 faults:")
    assert 'overrides: name = "all": cannot be set for several scenarios at once' in found


def test_experiment_of_files(tmp_path):
    made = experiment_of(BASELINE, [SCENARIOS / "purge.toml", SCENARIOS / "combined.toml"], {"run.days": 300})
    assert [made.baseline.name, *(scenario.name for scenario in made.scenarios)] == ["baseline", "purge", "combined"]
    assert made.outcomes == SHOWN
    assert made.title == "One-day purge, Supply and lure squeeze against Standing regime"
    assert experiment_of(BASELINE, [SCENARIOS / "purge.toml"]).title == "One-day purge against Standing regime"
    (tmp_path / "mine.toml").write_text(f'extends = "{BASELINE}"\nname = "mine"\ntitle = "Standing regime"\n')
    assert experiment_of(BASELINE, [tmp_path / "mine.toml"]).title == "mine against baseline"
    shipped = [path for path in SCENARIOS.glob("*.toml") if path.stem not in {"baseline", "wechat_full"}]
    assert experiment_of(BASELINE, shipped).title == f"{len(shipped)} policies against Standing regime"
    with pytest.raises(ScenarioError, match="each needs its own"):
        experiment_of(BASELINE, [BASELINE])
    with pytest.raises(ScenarioError, match=r"population\.users = 1200000000"):
        experiment_of(BASELINE, [SCENARIOS / "wechat_full.toml"])


def test_vary_of_a_command_line():
    vary = parse_vary("policies.audit.start_day=60:180:3")
    assert (vary.key, vary.values, vary.label) == ("policies.audit.start_day", [60, 120, 180], "start_day")
    assert all(isinstance(value, int) for value in vary.values)
    assert parse_vary("policies.audit.strength=0:1:4").label == "audit"
    for text in ("a", "a=1:2", "=0:1:3", "a=1:0:3", "a=0:nan:3", "a=0:1:1", "a=0:1:3:4", "a=0:1:1e9", "a=0:inf:3"):
        with pytest.raises(ScenarioError, match="--vary: "):
            parse_vary(text)


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("registration_audi", ["registration_audi: no such lever", 'did you mean "registration_audit"?']),
        ("name", ["name: cannot be varied; allowed are"]),
        ("run.seed", ["cannot be varied"]),
        ("dealers.adaptive", ["cannot be varied"]),
        ("policies.audit.lever", ["no such key of a policy to vary", "strength, start_day"]),
        ("population.segments.student", ["cannot be varied"]),
        *((key, ["cannot be varied: every level must keep days, burn-in"]) for key in ("run.days", "run.settle_days", "population.users")),
    ],
)
def test_keys_that_cannot_be_varied(tmp_path, key, words):
    with pytest.raises(ScenarioError) as caught:
        parse_vary(f"{key}=0:1:3")
    found = fault(write(tmp_path, f"[vary]\nkey = '{key}'\nlow = 0\nhigh = 1\nlevels = 3"))
    assert str(caught.value).startswith(f"--vary: {key}: ")
    assert f'plan.toml: vary.key = "{key}": ' in found
    for word in words:
        assert word in str(caught.value)
        assert word.removeprefix(f"{key}: ") in found


def test_outcomes_that_are_not_there_are_answered_in_short():
    with pytest.raises(ScenarioError) as caught:
        checked_outcomes("stock_rentd")
    text = str(caught.value)
    assert text.index('did you mean "stock_rented"?') < text.index("must be one of")
    assert text.count(", stock_") < 12
    assert len(text) < 500
    assert "`abm outcomes` lists all" in text


def checked_outcomes(name: str) -> None:
    faults: list[Fault] = []
    source = Source("here", {"baseline": "b", "outcomes": [name]})
    checked(ExperimentTable, source, (), faults, source.data)
    raise ScenarioError(faults)
