"""The benchmark table says what was measured; nothing here asserts a time."""

from __future__ import annotations

import ast
import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import children
import pandas as pd
import pytest
import run
from environments import pins
from ratios import (
    AT_LEAST,
    COLUMNS,
    MISSED,
    NONE,
    NOT_MEASURED,
    REACHED,
    UNJUDGED,
    Aim,
    Rates,
    compared,
    fact,
    lines,
    merged,
    missing,
    pairs,
    read,
    sized,
    write,
)
from sections import ASKED_FOR, ORDER
from worlds import PER_USER, consequential, thinned, world

from sim import plots
from sim.outcomes import OUTCOMES
from sim.parameters import LEDGER

HERE = Path(__file__).parent


def test_ratio_is_of_pairs_with_its_spread():
    row = compared(
        "s", "w", "s", [1.0, 2.0, 4.0], "peer", [10.0, 30.0, 20.0], "peer/ours", Aim(11, 9), Rates(5.0, 6.0, 7.0), Rates(8.0, 9.0)
    )
    assert (row.ratio, row.ratio_low, row.ratio_high, row.runs) == (10.0, 5.0, 15.0, 3)
    assert (row.ours, row.peer_value) == (2.0, 20.0)
    assert (row.aim, row.at_least, row.verdict) == (">= 11", ">= 9", AT_LEAST)
    assert (row.user_days_per_s, row.events_per_s, row.draws_per_s, row.peer_user_days_per_s, row.peer_events_per_s) == (5, 6, 7, 8, 9)
    uneven = compared("s", "w", "s", [1.0, 2.0, 4.0], "peer", [30.0, 8.0, 10.0], "ours/peer")
    assert uneven.ratio == 0.25  # the ratio of the medians would be 0.2
    assert uneven.verdict == NONE


def test_one_measurement_is_held_against_all_of_the_other_side():
    assert pairs([6.0], [1.0, 2.0, 3.0], "ours/peer") == [6.0, 3.0, 2.0]
    assert pairs([1.0, 2.0], [4.0], "peer/ours") == [4.0, 2.0]
    for ours, theirs in (([1.0, 2.0], [1.0, 2.0, 3.0]), ([], [1.0])):
        with pytest.raises(ValueError, match="cannot be paired"):
            pairs(ours, theirs, "ours/peer")


@pytest.mark.parametrize(
    ("aim", "ratio", "verdict"),
    [
        (Aim(200, 100), 200.0, REACHED),
        (Aim(200, 100), 199.0, AT_LEAST),
        (Aim(200, 100), 99.9, MISSED),
        (Aim(50), 50.0, REACHED),
        (Aim(50), 49.9, MISSED),
        (Aim(1.2, side="below"), 1.2, REACHED),
        (Aim(1.2, side="below"), 1.21, MISSED),
        (Aim(2, 3, side="below"), 2.5, AT_LEAST),
        (Aim(50), float("nan"), MISSED),
        (Aim(5, side="below"), float("nan"), MISSED),
    ],
)
def test_verdict_follows_the_side_of_the_aim(aim, ratio, verdict):
    assert aim.verdict(ratio) == verdict


@pytest.mark.parametrize("asked", [{"aim": 100, "at_least": 200}, {"aim": 3, "at_least": 2, "side": "below"}])
def test_more_cannot_be_needed_than_is_aimed_at(asked):
    with pytest.raises(ValueError, match="is more than the aim"):
        Aim(**asked)


def test_quick_tries_are_not_judged():
    rows = [compared("s", "w", "s", [1.0], "p", [1.0], "ours/peer", Aim(2)), compared("s", "w", "s", [1.0], "p", [1.0], "ours/peer")]
    assert [row.verdict for row in sized(rows, quick=False)] == [MISSED, NONE]
    assert [(row.verdict, row.sizes, row.engine) for row in sized(rows, True, "ab")] == [(UNJUDGED, "quick", "ab"), (NONE, "quick", "ab")]


def test_table_survives_its_file_and_new_sections_replace_old_ones(tmp_path):
    def of(section, what):
        return compared(section, what, "s", [1.5], "p", [3.0], "peer/ours", Aim(1))

    path = tmp_path / "folder" / "table.csv"
    here = [fact("python", "3.12"), fact("processors", "2")]
    write([*here, of("whole", "old"), of("growth", "kept")], path)
    assert path.read_text().splitlines()[0] == ",".join(COLUMNS)
    assert (pd.read_csv(path)["ratio"].dropna() == 2.0).all()
    again = merged(read(path), [*here, of("whole", "new"), of("whole", "newer")], ORDER)
    assert [(row.section, row.what) for row in again] == [
        *(("machine", row.what) for row in here), ("whole", "new"), ("whole", "newer"), ("growth", "kept"),
    ]  # fmt: skip
    elsewhere = merged(read(path), [fact("python", "3.13"), of("whole", "new")], ORDER)
    assert [row.what for row in elsewhere] == ["python", "new"], "rows of two machines in one table"
    assert read(tmp_path / "none.csv") == []
    path.write_text("a,b\n1,2\n")
    assert read(path) == []


def test_lines_never_give_user_days_alone():
    row = compared("whole", "speed", "user-days/s", [4e9], "twin", [1e6], "ours/peer", Aim(3000), Rates(4e9, 5e5, 1e7), Rates(1e6, 6e3))
    text = "\n".join(lines([row, missing("burn_in", "sharing", "no option")]))
    for part in (
        "4.000e+09",
        "user-days/s",
        "events/s 500,000",
        "draws/s",
        "peer's events/s 6,000",
        "reached",
        "not measured",
        "no option",
    ):
        assert part in text


@pytest.mark.parametrize("name", ORDER)
def test_section_is_there_and_short(name):
    section = importlib.import_module(f"sections.{name}")
    assert callable(section.measure)
    assert section.__doc__
    assert run.asked(["--only", name]).only == [name]


def test_files_have_rooms_of_their_own():
    for path in HERE.rglob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 300, path.name
        assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), path.name


def test_command_asks_for_all_but_what_installs_and_keeps_quick_tries_apart():
    assert run.asked([]).only == [name for name in ORDER if name not in ASKED_FOR]
    assert run.asked([]).out == run.TABLE
    assert run.TABLE.name == "benchmarks.csv"
    assert run.asked(["--quick"]).out != run.TABLE
    with pytest.raises(SystemExit):
        run.asked(["--only", "nothing"])


def test_a_section_that_fails_leaves_the_others_and_the_exit_code(tmp_path, monkeypatch, capsys):
    def measure(setting):
        raise children.ProbeError("the process died")

    one = compared("start_up", "abm --help", "s", [1.0], "p", [1.0], "ours/peer", Aim(3, side="below"))
    monkeypatch.setattr(importlib.import_module("sections.floor"), "measure", measure)
    monkeypatch.setattr(importlib.import_module("sections.start_up"), "measure", lambda setting: [one])
    out = tmp_path / "table.csv"
    assert run.main(["--only", "floor", "--only", "start_up", "--out", str(out)]) == 1
    table = {row.section: row for row in read(out) if row.section != "machine"}
    assert table["floor"].verdict == "not measured"
    assert table["start_up"].verdict == REACHED
    assert "the process died" in capsys.readouterr().out
    assert run.main(["--only", "start_up", "--out", str(out)]) == 0


def test_facts_of_the_machine_hold_no_name_of_it():
    import platform

    told = {row.what: row.ours for row in run.machine()}
    assert {"processors", "python", "numpy"} <= told.keys()
    assert not [value for value in told.values() if platform.node() in str(value) or "/" in str(value)]


@pytest.mark.parametrize("name", ["starsim", "covasim"])
def test_opponents_are_pinned_and_no_host_is_named(name):
    found = [line for line in pins(name).read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    assert all(line.count("==") == 1 and "/" not in line and ":" not in line for line in found)
    versions = dict(line.split("==") for line in found)
    assert versions[name].startswith({"starsim": "3.7.", "covasim": "3.1.7"}[name])


def test_events_are_what_changes_a_state_and_exist():
    names = {name for name in OUTCOMES if consequential(name)}
    assert {"inflow_rented", "exits_stolen", "owners_banned", "helpers_by_stall", "helpers_sanctioned"} <= names
    assert not names & {"exits_rented_long", "exit_age_rented", "stock_rented", "innocents_sanctioned", "detected_rented"}


def test_thinned_market_has_as_many_events_on_more_users():
    standing = world("scenarios/baseline.toml", users=3_000_000, days=5)
    sparse = world("scenarios/baseline.toml", users=30_000_000, days=5, density=0.1)
    for group, name in PER_USER:
        assert sparse.parameters[group][name] * 30 == pytest.approx(LEDGER[group][name].value * 3)
    stated = {(group, name) for group, rows in LEDGER.items() for name, entry in rows.items() if "million" in entry.unit}
    left_out = {("awareness", "news_risk")} | {(group, name) for group, name in stated if group == "cost"}
    assert stated - set(PER_USER) == left_out, "a new value by the million users has to be scaled too, or left out by name"
    assert thinned(standing, 1.0).parameters["market"]["demand_per_million"] == LEDGER["market"]["demand_per_million"].value


@pytest.mark.slow
def test_measuring_process_counts_what_the_engine_draws():
    counted = children.daily_draws(2, 1, scenario="scenarios/baseline.toml", users=200_000)
    assert counted["draws"] > counted["calls"] > 10
    with children.Child("markets") as child:
        child.ask("build", name="twin", market="twin", scenario="laboratory", users=2_000, days=3)
        done = child.ask("step", name="twin", days=2)
        assert done["users"] == 2_000
        assert done["events"] > 0
        assert done["draws"] == 0
        with pytest.raises(children.ProbeError, match="KeyError"):
            child.ask("step", name="nobody", days=1)
        child.ask("forget", name="twin")


def test_figure_of_growth_shows_both_speeds_and_events():
    curve = {
        "users": [1e6, 1e5],
        "seconds": [0.02, 0.01],
        "seconds_low": [0.01, 0.01],
        "seconds_high": [0.03, 0.02],
        "events": [100.0, 10.0],
    }
    figure = plots.growth(pd.DataFrame(curve), "Standing regime.")
    assert [ax.get_ylabel() for ax in figure.axes] == ["user-days a second", "seconds a simulated day"]
    assert figure.axes[0].lines[0].get_ydata().tolist() == [1e7, 5e7]
    assert "Events a second: 1,000 to 5,000" in figure.get_supxlabel()


NEVER = {"matplotlib", "mesa", "pandas", "pyarrow", "scipy"}


@pytest.mark.parametrize(
    ("arguments", "unused"),
    [(["--help"], {*NEVER, "numpy", "pydantic", "jinja2"}), (["check", "scenarios/baseline.toml"], NEVER)],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_command_imports_nothing_that_it_does_not_use(arguments, unused):
    code = f"import json, sys\nfrom sim.cli import main\nmain({arguments!r})\nprint(json.dumps(list(sys.modules)))"
    environment = children.clean_environment(ours=True)
    done = subprocess.run([sys.executable, "-c", code], cwd=run.ROOT, env=environment, capture_output=True, text=True, check=True)
    imported = {name.partition(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}
    assert "sim" in imported
    assert not imported & unused


def test_main_job_is_a_new_users_whatever_make_was_given(tmp_path, monkeypatch):
    (tmp_path / "Makefile").write_text("bench:\n\t@env -0\n")
    monkeypatch.setenv("PYTHONPATH", "here")
    given = subprocess.run(["make", "bench", "FLAGS=--only x"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    for entry in given.split("\0")[:-1]:
        monkeypatch.setenv(*entry.partition("=")[::2])
    _, seen = importlib.import_module("sections.main_job").timed(tmp_path, "make", "bench")
    assert "--only x" in given
    assert "--only x" not in seen
    assert "PYTHONPATH" not in seen


@pytest.mark.slow
def test_dashboard_is_timed_in_a_browser(tmp_path):
    rows = importlib.import_module("sections.dashboard").measure(children.Setting(True, str, Path, tmp_path))
    if rows[0].verdict == NOT_MEASURED:
        assert os.environ.get("ABM_BROWSER") != "required", rows
        pytest.skip("there is no chromium, or playwright is not installed")
    assert [(row.ours_unit, row.runs) for row in rows] == [("s", 1), ("s", 8)]
