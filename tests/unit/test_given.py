"""The command line that results remember, and the commands that a report suggests because of it."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from report_worlds import SCENARIOS, SMALL, in_memory, plan_of

from sim.cli import main
from sim.comparison import Comparison
from sim.conduct import open_results
from sim.given import DIR, FILES, Given, open_folders, placed
from sim.plan import Plan
from sim.report.blocks import Command
from sim.report.material import Material, _unlike
from sim.report.page import page_of
from sim.scenario_file import parse_settings
from sim.store import Memory, StoreError

GIVEN = Given(
    files=("scenarios/baseline.toml", "my policies/lure_squeeze.toml"),
    baseline="scenarios/baseline.toml",
    settings=("population.users=2000000", "run.days=30"),
    options=("--replications", "6", "--seed", "0", "--no-daily"),
    out="r",
)


def commands_of(given, *names):
    page = page_of(Material(in_memory(Comparison, replace(plan_of(*names), given=given))))
    texts = [block.text for section in page.sections for block in section.blocks if isinstance(block, Command)]
    return page, [line for text in texts for line in text.splitlines()]


def test_suggested_commands_are_about_what_the_command_line_was_about():
    page, lines = commands_of(GIVEN, "lure_squeeze")
    files, settings = "scenarios/baseline.toml 'my policies/lure_squeeze.toml'", "--set population.users=2000000 --set run.days=30"
    assert lines == [
        f"abm compare {files} --over-uncertainty 20 --seed 0 {settings} --out r_over_uncertainty",
        "abm report r --with r_over_uncertainty",
        *(
            f"abm sweep scenarios/baseline.toml --vary {lever}=0:1:6 --replications 6 --seed 0 {settings} --out r_by_{lever}"
            for lever in ("ad_takedown", "awareness_campaign", "legal_certainty")
        ),
        "abm report r --with r_by_ad_takedown --with r_by_awareness_campaign --with r_by_legal_certainty",
    ]
    assert dict(page.facts)["Command"] == f"abm compare {files} --replications 6 --seed 0 --no-daily {settings} --out r"


def test_where_no_command_line_is_known_what_must_be_equal_is_said():
    page, lines = commands_of(Given(), "lure_squeeze")
    assert lines[0].startswith("abm compare EXPERIMENT --over-uncertainty 20 --out results/policies_over_uncertainty")
    assert lines[2].startswith("abm sweep baseline.toml --vary ad_takedown=0:1:6 --out results/baseline_by_ad_takedown")
    said = [block.line.text for section in page.sections for block in section.blocks if block.kind == "paragraph"]
    assert len([text for text in said if text.endswith("(here: 2,000,000 users, 30 days, burn-in 10 days).")]) == 2
    assert dict(page.facts)["Command"] == "abm compare"


@pytest.mark.slow
def test_the_command_line_is_kept_and_what_it_suggests_goes_with_the_report(tmp_path, monkeypatch):
    (tmp_path / "files").symlink_to(SCENARIOS)
    monkeypatch.chdir(tmp_path)
    settings = [f"{key}={value}" for key, value in (SMALL | {"population.users": 20_000}).items()]
    words = ["compare", "files/baseline.toml", str(tmp_path / "files" / "account_audit.toml"), "--replications", "2", "--workers", "1"]
    assert main([*words, *(word for text in settings for word in ("--set", text)), "--out", "r", "--quiet"]) == 0
    done = open_results("r")
    assert done.plan.given == Given(
        files=("files/baseline.toml", "files/account_audit.toml"),
        baseline="files/baseline.toml",
        settings=tuple(settings),
        options=("--replications", "2"),
        out="r",
    )
    (report,) = [path.read_text() for path in Path("r").glob("report.html")]
    assert str(tmp_path) not in report
    sweep = next(line for line in commands_of(done.plan.given, "lure_squeeze")[1] if line.startswith("abm sweep"))
    assert main([*shlex.split(sweep.replace("0:1:6", "0:1:2"))[1:], "--workers", "1", "--quiet"]) == 0
    (swept,) = [open_results(path) for path in Path().glob("r_by_*")]
    assert _unlike(done, swept) == ""


def test_an_experiment_knows_the_file_of_its_baseline():
    from sim.experiment_file import load_experiment

    found = load_experiment(SCENARIOS / "experiments" / "policy_comparison.toml", parse_settings([]))
    assert found.file is not None
    assert found.file.resolve() == (SCENARIOS / "baseline.toml").resolve()


def test_no_path_says_where_on_a_machine_it_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert placed(tmp_path / "a" / "b.toml", FILES) == "a/b.toml"
    assert placed(Path("b.toml"), FILES) == "b.toml"
    assert placed(tmp_path.parent / "b.toml", FILES) == "FILES/b.toml"
    assert placed(tmp_path.parent / "r", DIR) == "DIR/r"
    assert placed(tmp_path, DIR) == "."
    assert placed(Path("../b.toml"), FILES) == "../b.toml"


def test_a_manifest_gives_back_what_was_given_and_one_without_gives_nothing():
    plan = replace(plan_of("lure_squeeze"), given=GIVEN)
    manifest = plan.manifest(Memory(), (), finished=True)
    assert Plan.of(manifest, Path("r")).given == GIVEN
    del manifest["given"]
    assert Plan.of(manifest, Path("r")).given == Given()
    with pytest.raises(StoreError, match=r"manifest\.json"):
        Plan.of({**manifest, "given": {"files": "baseline.toml"}}, Path("r"))


def test_what_lies_elsewhere_has_a_placeholder_that_the_text_explains(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files = [tmp_path.parent / "elsewhere" / "baseline.toml", Path("own.toml")]
    given = Given.of(files, tmp_path.parent / "out" / "r", None, {"--seed": 2})
    assert given == Given(("FILES/baseline.toml", "own.toml"), "FILES/baseline.toml", (), ("--seed", "2"), "DIR/r")
    page, lines = commands_of(given, "lure_squeeze")
    assert lines[:3] == [
        "abm compare FILES/baseline.toml own.toml --over-uncertainty 20 --seed 2 --out DIR/r_over_uncertainty",
        "abm report DIR/r --with DIR/r_over_uncertainty",
        "abm sweep FILES/baseline.toml --vary ad_takedown=0:1:6 --seed 2 --out DIR/r_by_ad_takedown",
    ]
    facts = dict(page.facts)
    assert facts["Command"] == "abm compare FILES/baseline.toml own.toml --seed 2 --out DIR/r"
    assert facts["In the command"] == (
        "FILES stands for the folder in which the file named after it lies; "
        "DIR stands for the folder in which the results directory named after it lies."
    )
    said = [block.line.text for section in page.sections for block in section.blocks if block.kind == "paragraph"]
    assert len([text for text in said if text.endswith(facts["In the command"])]) == 2
    assert open_folders(["abm", "r/x", "FILES"]) == ""
    assert "In the command" not in dict(commands_of(GIVEN, "lure_squeeze")[0].facts)


@pytest.mark.parametrize("out", [".", "..", "../.."])
def test_results_in_the_current_folder_have_others_below_results(out):
    _, lines = commands_of(replace(GIVEN, out=out), "lure_squeeze")
    assert lines[1] == f"abm report {out} --with results/policies_over_uncertainty"
    assert lines[2].endswith("--out results/baseline_by_ad_takedown")


@pytest.mark.slow
def test_commands_of_results_that_lie_elsewhere_work_once_folders_are_put_in(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    settings = [word for key, value in (SMALL | {"population.users": 20_000}).items() for word in ("--set", f"{key}={value}")]
    words = [str(SCENARIOS / "baseline.toml"), str(SCENARIOS / "account_audit.toml"), "--replications", "2", *settings]
    assert main(["compare", *words, "--workers", "1", "--out", str(tmp_path / "out" / "r"), "--quiet"]) == 0
    report = (tmp_path / "out" / "r" / "report.html").read_text()
    assert str(tmp_path) not in report
    assert str(SCENARIOS) not in report
    typed = [line for line in re.findall(r"<code>(abm [^<]*)</code>", report) if "--over-uncertainty" not in line]
    sweep, show = typed[-2:]
    for line in (sweep.replace("0:1:6", "0:1:2").replace("LEVER", "account_audit"), show.replace("LEVER", "account_audit")):
        placed_ = line.replace("FILES/", f"{SCENARIOS}/").replace("DIR/", f"{tmp_path}/out/")
        more = ["--workers", "1", "--quiet"] if " sweep " in line else []
        assert main([*shlex.split(placed_)[1:], *more]) == 0
