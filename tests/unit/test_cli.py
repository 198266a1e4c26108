"""The command line: exit codes, one message for bad input, nothing written, light commands that start at once."""

from __future__ import annotations

import inspect
import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from sim import __version__, judging
from sim.__main__ import main as start
from sim.cli import main
from sim.jobs import Progress
from sim.levers import LEVERS
from sim.matching import calibrate
from sim.outcomes import OUTCOMES
from sim.parameters import LEDGER
from sim.screen import print_comparison
from sim.store import Store

ROOT = Path(__file__).parents[2]
BASELINE = ROOT / "scenarios" / "baseline.toml"
COMPARISON = ROOT / "scenarios" / "experiments" / "policy_comparison.toml"
SCREENING = COMPARISON.with_name("screening_morris.toml")
HEAVY = ("mesa", "pandas", "scipy.stats", "matplotlib", "pyarrow", "solara")


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    """Work in a folder of its own, so that anything written is seen."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    """Whatever runs the tests, output has room; the tests that ask for a width set their own."""
    monkeypatch.setenv("COLUMNS", "400")


def tell(capsys, *arguments: object) -> tuple[int, str, str]:
    code = main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return code, out, err


def imported_by(calls, where=ROOT):
    """Return for each call the heavy libraries that are imported after it, and its exit code; all calls are made in one new process."""
    program = f"""
import sys
from sim.cli import main
for arguments in {calls!r}:
    code = main(arguments)
    print([m for m in {HEAVY!r} if m in sys.modules], code, *arguments, file=sys.stderr)
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True, cwd=where)
    return [line for line in done.stderr.splitlines() if not line.startswith("abm: ")]


def test_light_commands_import_no_heavy_library():
    calls = [
        ["--help"],
        ["check", str(BASELINE)],
        ["check", str(COMPARISON)],
        ["check", str(SCREENING)],
        ["levers"],
        ["outcomes"],
        ["parameters"],
        ["schema"],
    ]
    assert imported_by(calls) == [f"[] 0 {' '.join(arguments)}" for arguments in calls]


def test_new_imports_no_heavy_library(tmp_path):
    assert imported_by([["new", "mine"]], tmp_path) == ["[] 0 new mine"]


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
    "share_in_per_cent": ["compare", COMPARISON, "--precision", "2%"],
    "no_precision": ["compare", COMPARISON, "--precision", "nan"],
    "empty_place": ["run", BASELINE, "--out", ""],
    "experiment_for_scenario": ["run", COMPARISON],
    "misspelt_lever_varied": ["sweep", BASELINE, "--vary", "registration_audi=0:1:3"],
    "name_varied": ["sweep", BASELINE, "--vary", "name=0:1:3"],
    "lever_varied_twice": ["sweep", BASELINE, "--vary", "login_check=0:1:2", "--vary", "levers.login_check=0:1:2"],
    "short_calibration": ["calibration", BASELINE, "--set", "run.days=300"],
    "one_calibration": ["calibration", BASELINE, "--replications", "1"],
    "no_targets": ["calibrate", "nowhere.toml"],
    "scenario_for_targets": ["calibrate", BASELINE],
    "one_world": ["calibrate", "--scenario", BASELINE, "--recovery", "1"],
    "misspelt_pattern": ["validate", "--only", "P77"],
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


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--replications", "0"], "abm: --replications = 0: must be a whole number from 1 to 100000"),
        (["--replications", "abc"], "abm: --replications = abc: must be a whole number from 1 to 100000"),
        (["--precision", "2%"], "abm: --precision = 2%: must be a number from 1e-06 to 10, for example 0.02 for 2 %"),
        (["--precision", "nan"], "abm: --precision = nan: must be a number from 1e-06 to 10, for example 0.02 for 2 %"),
        (["--seed", "-1"], "abm: --seed = -1: must be a whole number from 0 to 9007199254740992"),
        (["--workers", "0"], "abm: --workers = 0: must be a whole number from 1 to 4096"),
        (["--out", ""], 'abm: --out = "": must be the path of a directory'),
    ],
)
def test_an_option_that_cannot_be_is_told_in_a_line(capsys, arguments, line):
    assert tell(capsys, "compare", COMPARISON, *arguments) == (2, "", f"{line}\n")


@pytest.mark.parametrize(
    ("varied", "told"),
    [
        (["registration_audit"], '"registration_audit": must be KEY=LOW:HIGH:LEVELS'),
        (["registration_audit=a:b:c"], '"registration_audit=a:b:c": must be KEY=LOW:HIGH:LEVELS'),
        (["registration_audit=0:2:3"], "registration_audit = 2: must be a number from 0 to 1"),
        (["login_check=0:1:2", "login_check=0:1:2"], "login_check: is varied twice"),
        (["login_check=0:1:2", "levers.login_check=0:1:2"], "login_check and levers.login_check are the same lever"),
    ],
)
def test_what_is_varied_is_called_as_it_was_given(capsys, varied, told):
    code, out, err = tell(capsys, "sweep", BASELINE, *(part for text in varied for part in ("--vary", text)))
    assert (code, out) == (2, "")
    assert told in err
    assert "policies." not in err


@pytest.mark.parametrize(
    ("arguments", "file", "instead"),
    [
        ("validate", "baseline", ""),
        ("levers --effects", "baseline", ""),
        ("calibration", "wechat_full", ", or name a scenario: abm calibration SCENARIO"),
        ("calibrate", "baseline", ", or name a scenario: abm calibrate --scenario SCENARIO"),
    ],
)
def test_outside_the_repository_it_is_told_where_shipped_scenarios_are(capsys, tmp_path, arguments, file, instead):
    where = f"`abm {arguments}` takes it from the repository: give the command in that folder{instead}"
    assert tell(capsys, *arguments.split()) == (2, "", f"abm: scenarios/{file}.toml: no such file; {where}\n")
    assert list(tmp_path.iterdir()) == []


def test_a_report_is_not_written_to_a_file_named_like_standard_output(capsys, tmp_path):
    line = "abm: --out = -: nothing is written to standard output; name a file, such as report.md\n"
    assert tell(capsys, "report", tmp_path, "--format", "md", "--out", "-") == (2, "", line)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", ["1", "-1", "10001", "many"])
def test_recovery_of_one_world_is_told_like_any_other_option(capsys, value):
    line = f"abm: --recovery = {value}: must be a whole number from 2 to 10000, or 0 for none: one world has no coverage\n"
    assert tell(capsys, "calibrate", "--recovery", value) == (2, "", line)


def test_refusals_import_no_heavy_library():
    calls = [
        ["calibrate", "nowhere.toml"],
        ["calibrate", "--scenario", "nowhere.toml"],
        ["calibration", "nowhere.toml"],
        ["validate", "--only", "P77"],
        ["validate", "--set", "run"],
        ["levers", "--effects", "--set", "run"],
        ["plot", "nowhere"],
    ]
    assert imported_by(calls) == [f"[] 2 {' '.join(arguments)}" for arguments in calls]


def test_calibrate_has_the_defaults_of_the_library_and_says_which_worlds_are_small(capsys):
    asked, given = (inspect.signature(one).parameters for one in (judging.calibrate, calibrate))
    for name in ("waves", "points", "replications", "members", "recovery"):
        assert asked[name].default == given[name].default
    text = " ".join(tell(capsys, "calibrate", "--help")[1].split())
    assert "whatever --users and --set say: 2,000,000 users, 300 days" in text


def test_a_calibration_of_which_every_run_fails_exits_with_1(capsys, tmp_path, monkeypatch):
    def fails(_scenario: object, _seed: int) -> None:
        raise ArithmeticError("no market")

    monkeypatch.setattr("sim.jobs.simulate", fails)
    small = ["--scenario", BASELINE, "--points", "16", "--members", "0", "--workers", "1", "--quiet", "--out", tmp_path / "r"]
    code, out, err = tell(capsys, "calibrate", *small)
    assert (code, out) == (1, "")
    lines = err.splitlines()
    assert len(lines) == 4
    assert lines[0].startswith("abm: run ")
    assert lines[0].endswith("failed (ledger_1): ArithmeticError: no market")
    manifest = tmp_path / "r" / "manifest.json"
    assert lines[3] == f"abm: 20 of 20 runs failed; what is left is too little to learn from; their tracebacks are in {manifest}"
    assert "no market" in manifest.read_text()


def test_plotting_a_calibration_says_what_it_is(capsys, tmp_path):
    with Store(tmp_path / "r") as store:
        store.write_manifest({"command": "calibrate", "finished": True})
    line = f"abm: {tmp_path / 'r'} holds a calibration (`abm calibrate`): its tables are the .csv files there, and it has no figures\n"
    assert tell(capsys, "plot", tmp_path / "r") == (2, "", line)


def test_a_command_line_that_makes_no_sense_is_told_in_a_line(capsys):
    for arguments in (["frobnicate"], ["run"], ["run", BASELINE, "--bogus"]):
        code, out, err = tell(capsys, *arguments)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert err.startswith("abm: ")
        assert "--help" in err


def test_settings_are_called_so_in_messages(capsys):
    for arguments in (["run", BASELINE], ["check", BASELINE], ["compare", COMPARISON], ["sweep", BASELINE, "--vary", "login_check=0:1:2"]):
        assert "--set: run.dyas = 3" in tell(capsys, *arguments, "--set", "run.dyas=3")[2]


def test_version(capsys):
    assert tell(capsys, "--version") == (0, f"abm {__version__}\n", "")


def test_short_measurements_of_levers_are_refused(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr("sim.runner.SCENARIOS", ROOT / "scenarios")
    code, _, err = tell(capsys, "levers", "--effects", "--set", "run.days=200", "--replications", "1")
    assert code == 2
    assert "run.days = 200: leaves 110 days to average over; at least 180 are needed" in err
    assert "replications = 1: must be at least 2" in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("columns", [60, 80, 100, 120, 160, 250])
@pytest.mark.parametrize("command", ["levers", "parameters", "outcomes"])
def test_tables_fit_the_screen_and_break_no_name(capsys, monkeypatch, command, columns):
    names = {"levers": list(LEVERS), "outcomes": list(OUTCOMES), "parameters": [f"{g}.{n}" for g, rows in LEDGER.items() for n in rows]}
    monkeypatch.setenv("COLUMNS", str(columns))
    code, out, _ = tell(capsys, command)
    assert code == 0
    assert max(map(len, out.splitlines())) <= columns
    assert set(names[command]) <= set(out.split())


def test_costs_of_levers_are_written_per_event(capsys):
    out = tell(capsys, "levers")[1]
    assert "per account swept" in out
    assert "a account" not in out
    assert "per none" not in out


@pytest.mark.parametrize("columns", [80, 400])
def test_an_interval_that_is_none_in_per_cent_is_shown_in_units(capsys, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    row = {"outcome": "stock_rented", "scenario": "audit", "baseline_mean": 3.0, "mean": 5.0, "relative": 0.66, "variance_ratio": 2.0}
    row["variance_ratio_low"] = 1.5
    row |= {"relative_low": float("nan"), "relative_high": float("nan"), "difference_low": -1.5, "difference_high": 5.5}
    print_comparison(pd.DataFrame([row]), {"audit": "Audit"}, "baseline")
    out = capsys.readouterr().out
    assert ("-1.5 to 5.5 (units)" in out) == (columns == 80)
    assert "-1.5 to 5.5" in out
    assert max(map(len, out.splitlines())) <= columns


@pytest.mark.parametrize(("low", "shown"), [(1.5, "7.25"), (float("nan"), "-")])
def test_a_variance_ratio_of_too_few_pairs_for_an_interval_is_not_shown(capsys, low, shown):
    row = {"outcome": "stock_rented", "scenario": "audit", "baseline_mean": 3.0, "mean": 5.0, "relative": 0.66, "variance_ratio": 7.25}
    row |= {"relative_low": 0.5, "relative_high": 0.8, "difference_low": 1.5, "difference_high": 2.5, "variance_ratio_low": low}
    print_comparison(pd.DataFrame([row]), {"audit": "Audit"}, "baseline")
    assert ["stock_rented", shown] in [
        line.split()[:1] + line.split()[-1:] for line in capsys.readouterr().out.splitlines() if line.strip()
    ]


def test_a_reader_that_goes_away_is_no_failure():
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "60"}
    line = [sys.executable, "-m", "sim", "parameters"]
    process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, text=True)
    assert process.stdout is not None
    process.stdout.close()
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (141, "")


@pytest.mark.parametrize(
    ("closed", "arguments", "ended"),
    [
        (">&-", "outcomes", (1, "abm: cannot print: standard output is closed\n")),
        (">&-", "--help", (1, "abm: cannot print: standard output is closed\n")),
        (">&-", "diff a.toml a.toml", (2, "abm: a.toml: no such file\n")),
        (">&- 2>&-", "outcomes", (1, "")),
        ("2>&-", "diff a.toml a.toml", (2, "")),
    ],
)
def test_a_closed_stream_is_told_if_that_can_be(closed, arguments, ended):
    line = f"{shlex.quote(sys.executable)} -m sim {arguments} {closed}"
    done = subprocess.run(["/bin/sh", "-c", line], env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == ended


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
    assert err == "abm: cannot write /proc/abm/results: No such file or directory\n"


@pytest.mark.parametrize("imported", ["sim.cli", "sim.streams", "sim.starting"])
def test_interruption_while_the_command_is_imported_says_nothing(capsys, monkeypatch, imported):
    class Pressed:
        @staticmethod
        def find_spec(name, path=None, target=None):
            if name == imported:
                raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, imported)
    monkeypatch.setattr(sys, "meta_path", [Pressed, *sys.meta_path])
    assert start() == 130
    assert capsys.readouterr() == ("", "")


def test_interruption_exits_with_130(capsys, monkeypatch):
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("sim.conduct.run_jobs", interrupted)
    assert tell(capsys, "run", BASELINE, "--workers", "1")[0] == 130


def test_sigterm_exits_with_143_and_says_what_is_kept(capsys, monkeypatch):
    before = signal.getsignal(signal.SIGTERM)

    def asked_to_end(_jobs: object, _parts: object, _workers: int, tell: Callable[[Progress], None], **_: object) -> None:
        tell(Progress(5, computed=2))
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr("sim.conduct.run_jobs", asked_to_end)
    code, _, err = tell(capsys, "run", BASELINE, "--workers", "1", "--quiet")
    assert code == 143
    assert err == "abm: interrupted; 2 of 5 runs are finished and kept in results/baseline; the same command goes on from there\n"
    assert signal.getsignal(signal.SIGTERM) == before
