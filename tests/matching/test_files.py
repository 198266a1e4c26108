"""The files of history matching: targets that make no sense are refused, and the shipped set is what it should be."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sim.faults import ScenarioError
from sim.matching import load_plausible
from sim.matching.targets import read_problem
from sim.parameters import LEDGER

PROBLEM = read_problem()

TOY = (Path(__file__).with_name("toy.toml")).read_text(encoding="utf-8")


def test_the_shipped_set_is_read_without_heavy_libraries():
    code = (
        "import sys, sim.matching; members = sim.matching.load_plausible(); "
        "heavy = {'sklearn', 'scipy', 'pandas', 'pyarrow', 'mesa', 'matplotlib'} & set(sys.modules); sys.exit(f'{heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_shipped_set_begins_with_the_ledger_and_has_the_uncertain_parameters():
    members = load_plausible()
    assert len(members) >= 6
    assert [f"{group}.{name}" for group, table in members[0].items() for name in table] != []
    for member in members:
        assert {f"{group}.{name}" for group, table in member.items() for name in table} == set(PROBLEM.parameters)
    assert all(LEDGER[group][name].value == value for group, table in members[0].items() for name, value in table.items())
    assert len({str(member) for member in members}) == len(members)
    assert 10 <= len(PROBLEM.parameters) <= 16


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("member,market.elasticity\n0,1\n", "market.elasticity: is no parameter of the ledger"),
        ("member,market.demand_elasticity\n0,9\n", 'market.demand_elasticity = "9": of member 0 must be a number from 0.4 to 1.5'),
        ("member,market.demand_elasticity\n0,much\n", 'market.demand_elasticity = "much"'),
    ],
)
def test_a_set_that_makes_no_sense_is_refused(text, problem):
    with pytest.raises(ScenarioError, match=problem.replace(".", r"\.")):
        load_plausible(text)


def test_all_faults_of_a_targets_file_are_told_together(tmp_path):
    path = tmp_path / "bad.toml"
    bad = (
        TOY.replace('quantity = "price_yuan"', 'quantity = "prise_yuan"').replace("high = 2.8", "high = 1.0").replace('"share"', '"shares"')
    )
    path.write_text(bad.replace('"dealer.choice_weight"', '"dealer.choice_wait", "account.quality_registered"'))
    with pytest.raises(ScenarioError) as raised:
        read_problem(path)
    told = str(raised.value)
    for words in (
        'target[0].quantity = "prise_yuan": no such quantity; did you mean "price_yuan"?',
        "target[1].high = 1.0: must be above low = 1.5",
        'target[2].scale = "shares": no such scale; did you mean "share"?',
        'uncertain.parameters = "dealer.choice_wait": no such parameter; did you mean "dealer.choice_weight"?',
        'uncertain.parameters = "account.quality_registered": has no range in the ledger',
    ):
        assert words in told
    assert len(raised.value.faults) == 5


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ((TOY.partition("[uncertain]")[0], ""), r"target = \[\]: must be a list"),
        (('name = "price"\n', ""), "target\\[0\\].name: is missing"),
        (('name = "price"', 'name = "commission"'), '"commission": is the name of two targets'),
        (('"hard"', '"soft"'), "at least one must be hard"),
        (("[uncertain]", "[unsure]"), "no such table"),
        (("[uncertain]", "[uncertain]\nparameter = 1"), 'uncertain.parameter = 1: no such key; did you mean "parameters"'),
        ((TOY[TOY.index("[uncertain]") :], "[[uncertain]]\n"), "uncertain = .*: must be a table"),
        (('"dealer.choice_weight"', "[1]"), r"uncertain.parameters = \[1\]: must be a list of .* this is no text"),
        (('"dealer.choice_weight"', "{a = 1}"), "uncertain.parameters = a table: must be a list of .* this is no text"),
        (("high = 2.5", f"high = 1{'0' * 400}"), "high = a number of more than 40 digits: must be a number from -1e\\+15 to 1e\\+15"),
        (("low = 1.9", "low = nan"), "low = nan: must be a number"),
    ],
)
def test_a_targets_file_that_lacks_something_is_refused(change, problem, tmp_path):
    path = tmp_path / "bad.toml"
    path.write_text(TOY.replace(*change))
    with pytest.raises(ScenarioError, match=problem):
        read_problem(path)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("title = 'A'\n[run]\ndays = 3\n", "is a scenario, not a file of targets; give it with --scenario"),
        ("extends = 'b.toml'\n", "is a scenario, not a file of targets; give it with --scenario"),
        ("baseline = 'b.toml'\n", "is an experiment file, not a file of targets; use: abm compare"),
    ],
)
def test_a_file_of_another_kind_is_told_in_one_fault(text, problem, tmp_path):
    (tmp_path / "other.toml").write_text(text)
    with pytest.raises(ScenarioError, match=problem) as raised:
        read_problem(tmp_path / "other.toml")
    assert len(raised.value.faults) == 1
