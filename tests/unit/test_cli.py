"""The command line: exit codes, one message for bad input, nothing written, light commands that start at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sim.cli import main
from sim.levers import LEVERS
from sim.outcomes import OUTCOMES

ROOT = Path(__file__).parents[2]
BASELINE = ROOT / "scenarios" / "baseline.toml"
COMPARISON = ROOT / "scenarios" / "experiments" / "policy_comparison.toml"
HEAVY = ("mesa", "pandas", "scipy.stats", "matplotlib", "pyarrow")


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    """Work in a folder of its own, so that anything written is seen."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def tell(capsys, *arguments: object) -> tuple[int, str, str]:
    code = main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return code, out, err


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["check", str(BASELINE)],
        ["check", str(COMPARISON)],
        ["levers"],
        ["outcomes"],
        ["parameters"],
        ["schema"],
        ["new", "mine"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_light_commands_import_no_heavy_library(arguments):
    program = f"import sys; from sim.cli import main; code = main({arguments!r}); print([m for m in {HEAVY!r} if m in sys.modules], code)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.splitlines()[-1] == "[] 0"


def test_importing_the_package_is_cheap():
    program = f"import sys, sim; print([m for m in {(*HEAVY, 'numpy', 'pydantic')!r} if m in sys.modules])"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.strip() == "[]"


BAD = {
    "no_command": [],
    "unknown_command": ["frobnicate"],
    "unknown_option": ["run", BASELINE, "--bogus"],
    "missing_argument": ["run"],
    "no_number": ["run", BASELINE, "--replications", "many"],
    "no_replications": ["run", BASELINE, "--replications", "0"],
    "negative_seed": ["run", BASELINE, "--seed", "-1"],
    "no_workers": ["run", BASELINE, "--workers", "0"],
    "too_many_arguments": ["run", BASELINE, BASELINE],
    "missing_file": ["run", "nowhere.toml"],
    "misspelt_lever": ["run", BASELINE, "--set", "levers.registration_audti=0.5"],
    "out_of_range": ["run", BASELINE, "--set", "levers.registration_audit=1.5"],
    "no_equals_sign": ["run", BASELINE, "--set", "levers.registration_audit"],
    "scenario_for_experiment": ["compare", BASELINE],
    "one_scenario_twice": ["compare", BASELINE, BASELINE],
    "precision_of_nothing": ["compare", COMPARISON, "--precision", "0"],
    "nothing_varied": ["sweep", BASELINE],
    "no_span": ["sweep", BASELINE, "--vary", "registration_audit"],
    "span_out_of_range": ["sweep", BASELINE, "--vary", "registration_audit=0:2:3"],
    "varied_twice": ["sweep", BASELINE, "--vary", "registration_audit=0:1:2", "--vary", "registration_audit=0:1:2"],
    "three_varied": ["sweep", BASELINE, *("--vary", "login_check=0:1:2", "--vary", "helper_cap=0:1:2", "--vary", "cluster_sweep=0:1:2")],
    "too_many_levels": ["sweep", BASELINE, "--vary", "login_check=0:1:99", "--vary", "helper_cap=0:1:99"],
    "no_results": ["plot", "nowhere"],
    "no_run": ["replay", "abcdef", "--out", "."],
    "bad_name": ["new", "Bad-Name"],
    "two_bad_files": ["check", "a.toml", "b.toml"],
    "not_ours": ["run", BASELINE, "--out", ROOT / "sim"],
}


@pytest.mark.parametrize("arguments", BAD.values(), ids=BAD.keys())
def test_bad_input_exits_with_2_and_one_message_and_writes_nothing(capsys, tmp_path, arguments):
    code, out, err = tell(capsys, *arguments)
    assert code == 2
    assert out == ""
    assert err.strip()
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def test_messages_name_the_nearest_name_and_every_fault(capsys):
    _, _, err = tell(capsys, "run", BASELINE, "--set", "levers.registration_audti=0.5", "--set", "run.dyas=3")
    assert 'did you mean "registration_audit"' in err
    assert 'did you mean "days"' in err
    _, _, err = tell(capsys, "check", "a.toml", "b.toml")
    assert "a.toml" in err
    assert "b.toml" in err


def test_help_exits_with_0(capsys):
    code, out, _ = tell(capsys, "--help")
    assert code == 0
    for name in ("run", "compare", "sweep", "plot", "check", "diff", "schema", "levers", "outcomes", "parameters", "new", "replay"):
        assert f"\n  {name} " in out


def test_tables_name_every_lever_outcome_and_parameter(capsys):
    for command, names in (("levers", LEVERS), ("outcomes", OUTCOMES), ("parameters", ["renting.quit_per_day"])):
        code, out, _ = tell(capsys, command)
        assert code == 0
        assert all(name in out for name in names)


def test_schema_is_json(capsys):
    code, out, _ = tell(capsys, "schema")
    assert code == 0
    assert json.loads(out)["title"] == "abm scenario"


def test_check_shows_values_with_where_they_come_from(capsys):
    code, out, _ = tell(capsys, "check", BASELINE, "--set", "run.days=300")
    assert code == 0
    (line,) = [line for line in out.splitlines() if " run.days " in line]
    assert line.split() == ["run.days", "300", "--set"]


def test_diff_says_what_differs(capsys):
    code, out, _ = tell(capsys, "diff", BASELINE, ROOT / "scenarios" / "purge.toml")
    assert code == 0
    assert "purge" in out
    assert tell(capsys, "diff", BASELINE, BASELINE)[1].startswith("no difference")


def test_new_writes_a_valid_scenario_once(capsys, tmp_path):
    assert tell(capsys, "new", "mine")[0] == 0
    assert tell(capsys, "check", "mine.toml", "--quiet") == (0, "", "")
    before = (tmp_path / "mine.toml").read_bytes()
    code, _, err = tell(capsys, "new", "mine")
    assert code == 2
    assert "exists already" in err
    assert (tmp_path / "mine.toml").read_bytes() == before


def test_a_place_that_cannot_be_written_exits_with_1(capsys):
    code, _, err = tell(capsys, "run", BASELINE, "--out", "/proc/abm/results", "--workers", "1")
    assert code == 1
    assert "cannot write /proc/abm/results" in err


def test_interruption_exits_with_130(capsys, monkeypatch):
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("sim.conduct.run_jobs", interrupted)
    assert tell(capsys, "run", BASELINE, "--workers", "1")[0] == 130
