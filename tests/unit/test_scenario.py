"""Scenarios as they are read, merged, filled with defaults and identified."""

from __future__ import annotations

import json
import pickle
import tomllib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim.explain import differences, explain, json_schema, starter
from sim.levers import CHANNELS, LEVERS, SEGMENTS
from sim.parameters import LEDGER, resolve
from sim.scenario import Scenario, ScenarioError, load_scenario, parse_setting, scenario_from

ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "scenarios").glob("*.toml"))
BASELINE = ROOT / "scenarios" / "baseline.toml"


def write(folder: Path, **files: str) -> Path:
    """Write TOML files and return the path of the first."""
    for name, text in files.items():
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return folder / f"{next(iter(files))}.toml"


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_scenario_is_valid_named_as_its_file_and_says_what_it_asks(path):
    made = load_scenario(path)
    assert made.name == path.stem
    assert made.title
    assert path.read_text(encoding="utf-8").startswith("# ")
    assert len({made.name for made in map(load_scenario, SHIPPED)}) == len(SHIPPED)


def test_baseline_is_the_default():
    made = load_scenario(BASELINE)
    assert made.run.model_dump() == {"days": 540, "burn_in_days": 180, "settle_days": 60, "seed": 1, "replications": 20}
    assert made.run.window == (240, 540)
    assert made.population.users == 12_000_000
    assert made.levers == {name: lever.standing for name, lever in LEVERS.items() if name != "purge"}
    assert made.identity() == scenario_from({"name": "bare"}, "bare").identity()


def test_tables_merge_and_the_deepest_file_wins(tmp_path):
    path = write(
        tmp_path,
        top='extends = "middle.toml"\nname = "top"\n[policies.a]\nstrength = 0.7\n[run]\nseed = 5',
        middle='extends = "base.toml"\ntitle = "Middle"\n[run]\ndays = 300\nseed = 4\n[policies.a]\nlever = "login_check"\nstrength = 0.5',
        base='name = "base"\ntargets = ["rented"]\n[run]\ndays = 400\nsettle_days = 10\n[levers]\nlogin_check = 0.2',
    )
    made = load_scenario(path)
    assert (made.run.days, made.run.seed, made.run.settle_days, made.levers["login_check"]) == (300, 5, 10, 0.2)
    assert made.policies["a"].model_dump(exclude_defaults=True) == {"lever": "login_check", "strength": 0.7, "start_day": 180}
    assert made.title == "top"  # what a file says of itself is not inherited
    assert made.targets == ["rented"]


def test_extends_may_be_absolute_and_in_another_folder(tmp_path):
    (tmp_path / "sub").mkdir()
    write(tmp_path, base="[run]\ndays = 333")
    inner = write(tmp_path / "sub", relative='extends = "../base.toml"', absolute=f'extends = "{tmp_path / "base.toml"}"')
    assert load_scenario(inner).run.days == 333
    assert load_scenario(tmp_path / "sub" / "absolute.toml").run.days == 333


def test_name_defaults_to_that_of_the_file(tmp_path):
    (tmp_path / "My idea-2.toml").write_text("[run]\ndays = 300")
    assert load_scenario(tmp_path / "My idea-2.toml").name == "my_idea_2"


def test_byte_order_mark_and_windows_line_ends_are_read(tmp_path):
    (tmp_path / "a.toml").write_bytes(b'\xef\xbb\xbfname = "a"\r\n[run]\r\ndays = 300\r\n')
    assert load_scenario(tmp_path / "a.toml").run.days == 300


def test_overrides_reach_every_table():
    made = load_scenario(
        ROOT / "scenarios" / "registration_crackdown.toml",
        {
            "policies.audit.strength": 0.5,
            "policies.login_check.strength": 1,  # an id that is a lever's name needs no lever
            "policies.more": {"lever": "ad_takedown", "strength": 0.4, "segments": ("student",)},
            "population.users": np.int64(1_000_000),
            "parameters.renting.quit_per_day": np.float64(0.04),
            "dealers.adaptive": False,
            "name": "other",
        },
    )
    assert made.name == "other"
    assert made.policies["audit"].strength == 0.5
    assert (made.policies["login_check"].lever, made.policies["login_check"].strength) == ("login_check", 1.0)
    assert made.policies["more"].segments == ["student"]
    assert made.population.users == 1_000_000
    assert made.parameters == {"renting": {"quit_per_day": 0.04}}
    assert resolve(made.parameters).renting.quit_per_day == 0.04
    assert not made.dealers.adaptive


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.b=1", ("a.b", 1)),
        (" a.b = 1_000 ", ("a.b", 1000)),
        ("a=0.5", ("a", 0.5)),
        ("a=true", ("a", True)),
        ('a=["x", "y"]', ("a", ["x", "y"])),
        ("a=word", ("a", "word")),
        ("a=b=c", ("a", "b=c")),
        ("a=", ("a", "")),
        ("a=1\nb=2", ("a", "1\nb=2")),
        ("a=" + "[" * 5000, ("a", "[" * 5000)),
        ("a=" + "9" * 5000, ("a", "9" * 5000)),
    ],
)
def test_setting_is_read_as_toml_and_else_as_text(text, expected):
    assert parse_setting(text) == expected


def test_scenario_is_frozen_and_survives_pickling():
    made = load_scenario(ROOT / "scenarios" / "combined.toml")
    assert pickle.loads(pickle.dumps(made)) == made
    with pytest.raises(ValueError, match="frozen"):
        made.name = "other"  # type: ignore[misc]  # that is the point


def test_identity_ignores_what_does_not_move_a_run():
    base = load_scenario(BASELINE)
    same = {
        "name": "x",
        "title": "y",
        "description": "z",
        "targets": ["rented"],
        "run.seed": 9,
        "run.replications": 3,
        "levers.login_check": 0,
    }
    assert load_scenario(BASELINE, same).identity() == base.identity()
    entry = LEDGER["renting"]["quit_per_day"]
    assert load_scenario(BASELINE, {"parameters.renting.quit_per_day": entry.value}).identity() == base.identity()
    assert json.loads(base.identity())["parameters"]["renting"]["quit_per_day"] == entry.value


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("run.days", 541),
        ("run.burn_in_days", 181),
        ("run.settle_days", 61),
        ("population.users", 12_000_001),
        ("levers.login_check", 1e-9),
        ("dealers.adaptive", False),
        ("parameters.renting.quit_per_day", 0.051),
        ("policies.login_check.strength", 0.5),
    ],
)
def test_identity_sees_what_moves_a_run(key, value):
    assert load_scenario(BASELINE, {key: value}).identity() != load_scenario(BASELINE).identity()


def test_identity_is_the_same_for_the_same_policy_said_differently():
    one = scenario_from({"name": "a", "policies": {"x": {"lever": "ad_takedown", "strength": 1, "segments": list(SEGMENTS)}}}, "a")
    two = scenario_from({"name": "a", "policies": {"ad_takedown": {"strength": 1.0, "start_day": 180}}}, "a")
    assert one.identity() == two.identity()


def test_explain_says_where_each_value_comes_from(tmp_path):
    path = write(tmp_path, top='extends = "base.toml"\n[policies.login_check]\nstrength = 0.5', base="[run]\ndays = 300")
    rows = {row.key: (row.value, row.origin) for row in explain(path, {"run.seed": 7})}
    assert rows["run.days"] == ("300", str(tmp_path / "base.toml"))
    assert rows["run.seed"] == ("7", "overrides")
    assert rows["run.burn_in_days"] == ("180", "default")
    assert rows["policies.login_check.strength"] == ("0.5", str(path))
    assert rows["policies.login_check.start_day"] == ("180", "default (run.burn_in_days)")
    assert rows["levers.ad_takedown"] == ("0.1", "default")
    assert not [key for key in rows if key.startswith("parameters")]


def test_differences_are_sentences():
    base = load_scenario(BASELINE)
    other = load_scenario(
        ROOT / "scenarios" / "crackdown_2019.toml",
        {"parameters.renting.quit_per_day": 0.04, "policies.p": {"lever": "purge", "strength": 1}},
    )
    text = differences(base, other)
    assert "levers.registration_audit is 0.3 in baseline and 0.02 in crackdown_2019." in text
    assert "parameters.renting.quit_per_day is 0.05 in baseline and 0.04 in crackdown_2019 (1/day)." in text
    assert "Policy audit is in crackdown_2019 only: registration_audit goes from 0.02 to 0.9 between days 180 and 300." in text
    assert "Policy p is in crackdown_2019 only: purge at 1 on day 180." in text
    assert differences(base, base) == []


def test_starter_is_the_registration_crackdown_spelt_out(tmp_path):
    path = write(tmp_path, idea=starter("idea"))
    assert load_scenario(path).identity() == load_scenario(ROOT / "scenarios" / "registration_crackdown.toml").identity()
    with pytest.raises(ScenarioError, match="a-z, 0-9 and _"):
        starter("No such name")


def test_schema_knows_every_name():
    schema = json_schema()
    assert schema["$defs"]["LeverTable"]["properties"].keys() == LEVERS.keys() - {"purge"}
    assert schema["$defs"]["Policy"]["properties"]["lever"]["enum"] == list(LEVERS)
    assert schema["$defs"]["Parameters"]["properties"].keys() == LEDGER.keys()
    assert schema["properties"]["targets"]["items"]["enum"] == list(CHANNELS)
    assert set(tomllib.loads(BASELINE.read_text(encoding="utf-8"))) <= set(schema["properties"])


strengths = st.floats(0, 1)
policies = st.one_of(
    st.fixed_dictionaries(
        {"strength": strengths},
        optional={"start_day": st.integers(0, 400), "ramp_days": st.integers(0, 500), "end_day": st.integers(401, 9000)},
    ),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    levers=st.dictionaries(st.sampled_from(sorted(LEVERS.keys() - {"purge"})), strengths),
    policies=st.dictionaries(st.sampled_from(sorted(LEVERS.keys() - {"purge"})), policies),
    users=st.integers(1_000, 2_000_000_000),
    seed=st.integers(0, 2**53),
    days=st.integers(401, 20_000),
    targets=st.lists(st.sampled_from(CHANNELS), unique=True),
    student=st.floats(0, 0.5),
)
def test_valid_scenario_comes_back_as_it_went_in(levers, policies, users, seed, days, targets, student):
    table = {
        "name": "any",
        "run": {"days": days, "seed": seed},
        "population": {"users": users, "segments": {"student": {"share": student}, "other": {"share": 1 - 0.03 - 0.16 - student}}},
        "levers": levers,
        "policies": policies,
        "targets": targets,
    }
    made = scenario_from(table, "any")
    assert (made.run.days, made.run.seed, made.population.users, made.targets) == (days, seed, users, targets)
    assert {name: made.levers[name] for name in levers} == levers
    assert {name: policy.strength for name, policy in made.policies.items()} == {
        name: policy["strength"] for name, policy in policies.items()
    }
    assert made.changed({}) == made
    assert Scenario.model_validate(json.loads(made.model_dump_json())) == made
    assert scenario_from(made.model_dump(exclude_none=True), "again").identity() == made.identity()
