"""Bad input gets one message with file, key, value, what is allowed and the nearest name; never anything else."""

from __future__ import annotations

import os
import pickle
import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim.scenario import ScenarioError, load_scenario, parse_setting, parse_settings, scenario_from

BASELINE = Path(__file__).parents[2] / "scenarios" / "baseline.toml"


def fault(path: Path, overrides: dict[str, object] | None = None) -> str:
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path, overrides)
    text = str(caught.value)
    assert str(pickle.loads(pickle.dumps(caught.value))) == text
    return text


def faults(tmp_path: Path, text: str) -> list[str]:
    """Return the faults of a scenario file, a line each."""
    path = tmp_path / "bad.toml"
    path.write_text(text, encoding="utf-8")
    lines = fault(path).splitlines()
    return [line.strip() for line in (lines[1:] if len(lines) > 1 else lines)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[run]\ndayz = 3", ["run.dayz = 3", "no such key", 'did you mean "days"?', "burn_in_days"]),
        ("days = 3", ["days = 3", 'did you mean "run.days"?']),
        ("[levers]\nregistration_adit = 0.5", ["levers.registration_adit = 0.5", 'did you mean "registration_audit"?', "helper_cap"]),
        ("[levers]\npurge = 0.5", ["levers.purge = 0.5", "purge has no standing strength", "[policies.purge]"]),
        ("[levers]\nlogin_check = 1.5", ["levers.login_check = 1.5", "a number from 0 to 1"]),
        ("[levers]\nlogin_check = -0.1", ["levers.login_check = -0.1", "a number from 0 to 1"]),
        ("[levers]\nlogin_check = nan", ["levers.login_check = nan", "a number from 0 to 1"]),
        ("[levers]\nlogin_check = inf", ["levers.login_check = inf", "a number from 0 to 1"]),
        ("[levers]\nlogin_check = true", ["levers.login_check = true", "a number from 0 to 1"]),
        ('[levers]\nlogin_check = "0.5"', ['levers.login_check = "0.5"', "a number from 0 to 1"]),
        ("levers = 3", ["levers = 3", "must be a table"]),
        ("[run]\ndays = 2.0", ["run.days = 2.0", "a whole number from 1 to 20000"]),
        ("[run]\ndays = true", ["run.days = true", "a whole number from 1 to 20000"]),
        ("[run]\ndays = 999999999", ["run.days = 999999999", "a whole number from 1 to 20000"]),
        ("[run]\ndays = 0x" + "f" * 9999, ["run.days", "more than 40 digits", "a whole number from 1 to 20000"]),
        ("[run]\nseed = -1", ["run.seed = -1", "a whole number from 0"]),
        ("[run]\nreplications = 0", ["run.replications = 0", "a whole number from 1"]),
        ("[run]\nburn_in_days = 540", ["run.burn_in_days = 540", "below run.days = 540"]),
        ("[run]\nsettle_days = 360", ["run.settle_days = 360", "below run.days - burn_in_days = 540 - 180 = 360"]),
        ("[population]\nusers = 10", ["population.users = 10", "from 1000 to 2000000000"]),
        ("[population]\nusers = 20_000_000_000", ["population.users = 20000000000", "from 1000 to 2000000000"]),
        ("[population]\nuser = 5000", ["population.user = 5000", 'did you mean "users"?']),
        ("[population.segments.studnt]\nshare = 0.07", ["population.segments.studnt", 'did you mean "student"?', "stay_at_home_parent"]),
        ("[population.segments.student]\nshare = 0.2", ["population.segments", "must sum to 1", "1.13", "student 0.2"]),
        ("[population.segments.student]\nshare = -0.2", ["population.segments.student.share = -0.2", "a number from 0 to 1"]),
        ("[population.segments]\nstudent = 0.2", ["population.segments.student = 0.2", "must be a table"]),
        ("[dealers]\nadaptive = 1", ["dealers.adaptive = 1", "true or false"]),
        ('targets = ["rentd"]', ['targets = "rentd"', 'did you mean "rented"?', "unsealed"]),
        ('targets = "rented"', ['targets = "rented"', "must be a list"]),
        ('name = "A name"', ['name = "A name"', "a-z, 0-9 and _"]),
        ('name = "line\\n"', ['name = "line\\n"', "a-z, 0-9 and _"]),
        ("[parameters.rentng]\nquit_per_day = 0.05", ["parameters.rentng", 'did you mean "renting"?', "market"]),
        ("[parameters.renting]\nquit_per_dy = 0.05", ["parameters.renting.quit_per_dy", 'did you mean "quit_per_day"?']),
        ("[parameters.market]\nquit_per_day = 0.05", ["parameters.market.quit_per_day", 'did you mean "parameters.renting.quit_per_day"?']),
        ("[parameters.renting]\nquit_per_day = 7", ["parameters.renting.quit_per_day = 7", "must be a number from 0.01 to 0.08"]),
        ('[policies.a]\nlever = "login_chek"\nstrength = 1', ["policies.a.lever", 'did you mean "login_check"?', "helper_cap"]),
        ("[policies.a]\nstrength = 1", ["policies.a.lever", "is missing", "login_check"]),
        ('[policies.a]\nlever = "login_check"', ["policies.a.strength", "is missing", "a number from 0 to 1"]),
        ('[policies.a]\nlever = "login_check"\nstrength = 1\nstart = 3', ["policies.a.start = 3", 'did you mean "start_day"?']),
        ('[policies."a b"]\nlever = "login_check"\nstrength = 1', ['policies."a b"', "a policy's id"]),
        ("[policies.login_check]\nstrength = 1\nend_day = 180", ["policies.login_check.end_day = 180", "ends before it starts", "180"]),
        ("[policies.login_check]\nstrength = 1\nstart_day = 9\nend_day = 3", ["end_day = 3", "ends before it starts", "9"]),
        ("[policies.login_check]\nstrength = 1\nstart_day = 540", ["start_day = 540", "after the run", "539"]),
        ("[policies.login_check]\nstrength = 1\nramp_days = -1", ["ramp_days = -1", "a whole number from 0"]),
        ("[policies.login_check]\nstrength = 1\ndays = [3]", ["policies.login_check.days = [3]", "purge only"]),
        ('[policies.login_check]\nstrength = 1\nsegments = ["student"]', ["segments", "acts on all users alike", "ad_takedown"]),
        ('[policies.ad_takedown]\nstrength = 1\nsegments = ["studnt"]', ['segments = "studnt"', 'did you mean "student"?']),
        ("[policies.ad_takedown]\nstrength = 1\nsegments = []", ["segments = []", "at least one"]),
        ('[policies.ad_takedown]\nstrength = 1\nsegments = ["student", "other", "student"]', ["segments = [", "names student twice"]),
        ("[policies.purge]\nstrength = 1\ndays = [540]", ["policies.purge.days = [540]", "after the run"]),
        ("[policies.purge]\nstrength = 1\ndays = []", ["policies.purge.days = []", "at least one"]),
        ("[policies.purge]\nstrength = 1\nramp_days = 9", ["policies.purge.ramp_days = 9", "is not allowed"]),
        ("[policies.purge]\nstrength = 1\ndays = [200]\nstart_day = 3", ["policies.purge.start_day = 3", "only without them"]),
        ("policies = [1]", ["policies = [1]", "must be a table"]),
        ("policies.a = 1", ["policies.a = 1", "must be a table"]),
        ("extends = 3", ["extends = 3", "must be the path"]),
        ('extends = ""', ['extends = ""', "must be the path"]),
        ("x." * 9 + "x = 1", ["x.x.x.x.x.x.x", "nested too deeply"]),
        ("x." * 9000 + "x = 1", ["nested too deeply"]),
    ],
)
def test_fault_names_file_key_value_and_what_is_allowed(tmp_path, text, words):
    found = faults(tmp_path, text)
    assert len(found) == 1, found
    assert found[0].startswith(f"{tmp_path / 'bad.toml'}: ")
    for word in words:
        assert word in found[0]


@pytest.mark.parametrize(
    ("first", "second", "clash"),
    [
        ("start_day = 200", "start_day = 300", True),
        ("end_day = 300", "start_day = 299", True),
        ("end_day = 300", "start_day = 300", False),
        ("start_day = 300", "end_day = 300", False),
        ('segments = ["student"]', 'segments = ["student", "other"]', True),
        ('segments = ["student"]', "start_day = 200", True),
        ('segments = ["student"]', 'segments = ["other"]', False),
    ],
)
def test_two_policies_on_one_lever_at_one_time(tmp_path, first, second, clash):
    text = f'[policies.a]\nlever = "ad_takedown"\nstrength = 0.5\n{first}\n[policies.b]\nlever = "ad_takedown"\nstrength = 0.7\n{second}\n'
    if clash:
        (line,) = faults(tmp_path, text)
        assert 'policies.b.lever = "ad_takedown": two policies on one lever at one time: policies.a' in line
    else:
        assert len(scenario_from(tomllib.loads(text), "fine").policies) == 2


def test_two_purges_on_one_day(tmp_path):
    text = '[policies.a]\nlever = "purge"\nstrength = 0.5\ndays = [1, 2]\n[policies.b]\nlever = "purge"\nstrength = 0.7\ndays = [{}]\n'
    assert "on day 2" in faults(tmp_path, text.format(2))[0]
    assert len(scenario_from(tomllib.loads(text.format(3)), "fine").policies) == 2


def test_all_faults_are_told_together_each_with_its_file(tmp_path):
    (tmp_path / "base.toml").write_text("[run]\ndays = -3\n[levers]\nlogin_chek = 1\n", encoding="utf-8")
    path = tmp_path / "top.toml"
    path.write_text('extends = "base.toml"\n[policies.a]\nlever = "helper_cap"\nstrength = 3\n[dealers]\nadaptive = 0\n', encoding="utf-8")
    lines = fault(path, {"population.users": 1}).splitlines()
    assert lines[0] == "5 faults:"
    base, top = str(tmp_path / "base.toml"), str(path)
    assert [line.strip().split(": ")[0] for line in lines[1:]] == [base, "overrides", base, top, top]


def test_misspelt_policy_in_an_override_names_the_policies_there_are():
    crackdown = BASELINE.parent / "registration_crackdown.toml"
    text = fault(crackdown, {"policies.audt.strength": 0.5})
    assert text.startswith("overrides: policies.audt.lever: is missing")
    assert 'did you mean "audit"?' in text


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"run.dayz": 3}, ["overrides: run.dayz = 3", 'did you mean "days"?']),
        ({"run": 3}, ["overrides: run = 3", "must be a table"]),
        ({"run.days.x": 3}, ["overrides: run.days", "whole number"]),
        ({"extends": "other.toml"}, ["overrides: extends", "cannot be overridden"]),
        ({"run..days": 3}, ["overrides: ", "not a dotted path such as run.days"]),
        ({"": 3}, ["overrides: ", "not a dotted path such as run.days"]),
        ({"a.b.c.d.e.f.g": 3}, ["overrides: a.b.c.d.e.f.g", "nested too deeply"]),
        ({"levers.login_check": None}, ["overrides: levers.login_check = None", "a number from 0 to 1"]),
        ({"name": "\udc80\x1b[2J"}, ["overrides: name", "a-z, 0-9 and _"]),
        ({"name": "x" * 5000}, ["overrides: name", "..."]),
        ({"population.users": 10**5000}, ["overrides: population.users", "more than 40 digits"]),
        ({"run.seed": [[[1]]]}, ["overrides: run.seed = [[...]]", "whole number"]),
    ],
)
def test_faults_of_overrides(overrides, words):
    text = fault(BASELINE, overrides)
    text.encode()  # printable anywhere
    assert "\x1b" not in text
    for word in words:
        assert word in text


@pytest.mark.parametrize(
    ("file", "overrides", "message"),
    [
        ("burn_in_days = 99", {"run.days": 60}, "overrides: run.days = 60: must be above run.burn_in_days = 99"),
        ("days = 60", {"run.burn_in_days": 99}, "overrides: run.burn_in_days = 99: must be below run.days = 60"),
        ("days = 60", {}, "{top}: run.days = 60: must be above run.burn_in_days = 180"),
        ("days = 230", {}, "{top}: run.days = 230: must be above run.burn_in_days + settle_days = 180 + 60 = 240, or no day"),
        ("settle_days = 400", {}, "{top}: run.settle_days = 400: must be below run.days - burn_in_days = 540 - 180 = 360, or no day"),
        (
            "settle_days = 9",
            {"run.burn_in_days": 535},
            "overrides: run.burn_in_days = 535: must be below run.days - settle_days = 540 - 9 = 531",
        ),
    ],
)
def test_days_that_leave_none_to_average_over_are_told_of_the_key_set_last(tmp_path, file, overrides, message):
    top = tmp_path / "top.toml"
    top.write_text(f"extends = '{BASELINE}'\n[run]\n{file}\n", encoding="utf-8")
    assert fault(top, overrides).startswith(message.format(top=top))


def test_a_policy_after_a_run_that_was_cut_short_names_what_cut_it():
    text = fault(BASELINE.parent / "purge.toml", {"run.days": 150, "run.burn_in_days": 50})
    assert "is after the run, whose last day is 149 (run.days = 150, set in overrides)" in text


def test_a_policy_whose_id_is_a_misspelt_lever_names_the_lever():
    text = fault(BASELINE, {"policies.registration_audt.strength": 0.5})
    assert 'policies.registration_audt.lever: is missing; did you mean "registration_audit"? It must be one of' in text


def test_an_experiment_file_is_no_scenario(tmp_path):
    experiment = BASELINE.parent / "experiments" / "policy_comparison.toml"
    sentence = f"{experiment}: is an experiment file, not a scenario; use: abm compare {experiment}"
    assert fault(experiment) == sentence
    (tmp_path / "top.toml").write_text(f"extends = '{experiment}'")
    assert fault(tmp_path / "top.toml") == sentence


def test_settings_without_a_value_or_key():
    for text in ("run.days", "=3", ""):
        with pytest.raises(ScenarioError, match=r"--set: .*must be KEY=VALUE"):
            parse_setting(text)
    with pytest.raises(ScenarioError, match="2 faults"):
        parse_settings(["a", "b", "run.days=3"])
    assert parse_settings(["run.days=3", "run.days=4"]) == {"run.days": 4}


def test_missing_file_suggests_its_neighbour(tmp_path):
    (tmp_path / "baseline.toml").write_text("[run]\ndays = 300")
    assert fault(tmp_path / "basline.toml") == f'{tmp_path / "basline.toml"}: no such file; did you mean "baseline.toml"?'
    (tmp_path / "top.toml").write_text('extends = "basline.toml"')
    text = fault(tmp_path / "top.toml")
    assert text.startswith(f"{tmp_path / 'top.toml'}: extends = ")
    assert "no such file" in text
    assert 'did you mean "baseline.toml"?' in text
    assert "no such file" in fault(tmp_path / "none" / "x.toml")


def test_a_file_that_names_a_missing_one_is_not_suggested_for_it(tmp_path):
    (tmp_path / "noext.toml").write_text('extends = "nope.toml"')
    assert fault(tmp_path / "noext.toml") == f"{tmp_path / 'noext.toml'}: extends = {tmp_path / 'nope.toml'}: no such file"
    label = f"{tmp_path / 'noext.toml'} [[scenario]] 1"
    with pytest.raises(ScenarioError, match=r"nope\.toml: no such file$"):
        scenario_from({"extends": "nope.toml"}, label, tmp_path)


def test_what_is_not_a_readable_file(tmp_path):
    assert "is a directory" in fault(tmp_path)
    os.mkfifo(tmp_path / "pipe.toml")
    assert "not a regular file" in fault(tmp_path / "pipe.toml")
    (tmp_path / "loop.toml").symlink_to(tmp_path / "loop.toml")
    assert "cannot be read" in fault(tmp_path / "loop.toml")
    assert "cannot be read" in fault(tmp_path / ("x" * 5000))
    assert "cannot be read" in fault(Path("a\0b"))
    (tmp_path / "big.toml").write_bytes(b"#" * 1_000_001)
    assert "at most 1000000 are allowed" in fault(tmp_path / "big.toml")


def test_empty_file(tmp_path):
    for text in ("", "\n# only a comment\n"):
        (tmp_path / "empty.toml").write_text(text)
        assert "is empty" in fault(tmp_path / "empty.toml")


def test_not_utf_8(tmp_path):
    (tmp_path / "latin.toml").write_bytes('name = "a"\ntitle = "é"\n'.encode("latin-1"))
    assert "is not UTF-8 text (line 2, byte 20)" in fault(tmp_path / "latin.toml")
    (tmp_path / "wide.toml").write_bytes('name = "a"\n'.encode("utf-16"))
    assert "is not UTF-8 text" in fault(tmp_path / "wide.toml")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('name = "a"\n[run]\ndays 300\n', ["line 3", '"days 300"']),
        ("[run]\ndays = 300\ndays = 301\n", ["line 3", "Cannot overwrite"]),
        ("[run]\n[run]\n", ["line 2"]),
        ("a = [" * 5000, ["not valid TOML"]),
        ("a = " + "9" * 5000, ["not valid TOML"]),
        ("a = \x00", ["not valid TOML"]),
    ],
)
def test_syntax_errors_quote_the_line(tmp_path, text, words):
    (line,) = faults(tmp_path, text)
    for word in words:
        assert word in line


def test_cycles_are_shown_whole(tmp_path):
    for name, base in (("a", "b"), ("b", "c"), ("c", "a"), ("self", "./self")):
        (tmp_path / f"{name}.toml").write_text(f'extends = "{base}.toml"')
    a, b, c = (tmp_path / f"{name}.toml" for name in "abc")
    assert fault(a) == f'{c}: extends = "a.toml": extends in a cycle: {a} -> {b} -> {c} -> {a}'
    assert "extends in a cycle" in fault(tmp_path / "self.toml")


def test_faults_of_a_base_name_the_base(tmp_path):
    (tmp_path / "base.toml").write_text("[run\n")
    (tmp_path / "top.toml").write_text('extends = "base.toml"')
    text = fault(tmp_path / "top.toml")
    assert str(tmp_path / "base.toml") in text
    assert "is not valid TOML" in text


def test_many_faults_stay_quick_and_short(tmp_path):
    text = "".join(f"key_{index} = {index}\n" for index in range(40_000))
    assert len(faults(tmp_path, text)) == 50


KEYS = ["run", "days", "population", "users", "segments", "student", "share", "levers", "policies", "purge", "login_check", "lever"]
KEYS += ["strength", "start_day", "parameters", "renting", "quit_per_day", "dealers", "adaptive", "targets", "name"]
tables = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.just("login_check")),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.one_of(
                st.sampled_from(KEYS),
                st.text(max_size=3),
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=25,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(["run", "population", "levers", "policies", "dealers", "parameters", "targets", "x"]), tables))
def test_any_table_is_a_scenario_or_a_scenario_error(table):
    try:
        scenario_from(table, "any", BASELINE.parent)
    except ScenarioError as error:
        str(error).encode()


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
def test_any_file_is_a_scenario_or_a_scenario_error(tmp_path, data):
    path = tmp_path / "any.toml"
    path.write_bytes(data)
    try:
        load_scenario(path)
    except ScenarioError as error:
        str(error).encode()
