"""The report is no more certain than its intervals: who is called best, what one pair of runs may say, who loses."""

from __future__ import annotations

import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from report_worlds import EFFECTS, in_memory, lines_of, plan_of

from sim.analysis import Row
from sim.comparison import Comparison, Robust, Runs
from sim.given import Given
from sim.plan import single
from sim.report.blocks import Command, Grid
from sim.report.material import Material, place_of
from sim.report.page import page_of, written
from sim.report.phrases import cases, moves, said, share, texts, untold
from sim.report.which import first_by, winning
from sim.robustness import plan as over_members
from sim.robustness import shipped

TIE = {"supply_squeeze": {"expected_harm_yuan": 0.5}, "account_audit": {"expected_harm_yuan": 0.5005}}
UP, DOWN = "\N{UPWARDS ARROW}", "\N{DOWNWARDS ARROW}"


def material_of(*names, replications=6, **options):
    return Material(in_memory(Comparison, plan_of(*names, replications=replications), **options))


def told_of(material):
    return {line.lead: line for line in lines_of(page_of(material), "answer")}


def widened(material, outcome, scenario):
    """Let one row of the comparison reach to the other side of 0."""
    row = material.cells[(outcome, scenario)]
    wide = {"high": -row.low, "wide_high": -row.wide_low, "relative_high": -row.relative_low}
    material.cells[(outcome, scenario)] = row._replace(**wide)
    return material


def test_policies_behind_an_open_first_one_are_looked_at_by_every_outcome():
    material = widened(material_of("lure_squeeze", "account_audit", "friend_confirmation"), "supply_account_days", "account_audit")
    line = told_of(material)["Which policy"]
    (sentence,) = re.findall(r"By total supply [^.]*\.\d [^.]*\.\d to [^.]*\.\d %\)\.", line.text)
    assert sentence.startswith(
        "By total supply none of the policies can be called best; better than doing nothing: Lure squeeze: total supply falls by"
    )
    assert sentence.count("total supply falls by") == 1
    assert "comparison/supply_account_days/lure_squeeze" in line.rows


def test_none_is_better_only_where_no_row_says_otherwise():
    material = material_of("lure_squeeze", "account_audit", effects={"lure_squeeze": {"expected_harm_yuan": 0.5}}, noise=0.2)
    line = told_of(material)["Which policy"]
    assert (
        "By total supply none of the policies is better than doing nothing beyond chance; under Lure squeeze total supply do" in line.text
    )
    assert all(material.cells[("supply_account_days", name)].clear is False for name in material.policies)


def test_near_ties_have_no_best_policy():
    """Of two policies that differ by .1 % of the baseline under noise, neither is best, though both halve harm."""
    told = told_of(material_of(*TIE, effects=TIE, noise=0.2))
    best, held = re.search(r"best in ([\d.]+) % of 4,000 .* best in ([\d.]+) %", told["How sure"].text).groups()
    assert float(best) < 95.0
    assert float(best) + float(held) == pytest.approx(100.0, abs=0.2)
    assert told["Which policy"].text.startswith(
        "In the model, given its assumptions, Supply squeeze is lowest of the 2 policies compared by expected harm, but cannot be told from"
        " Sensitive account audit: expected harm falls by"
    )


def test_near_ties_are_told_by_other_outcomes_as_well():
    prices = {"stock_rented": 0.2, "supply_account_days": 0.5}
    effects = {
        "supply_squeeze": {"expected_harm_yuan": 0.2, **prices},
        "account_audit": {"expected_harm_yuan": 0.6, "stock_rented": 0.2001, "supply_account_days": 0.499},
        "lure_squeeze": {"expected_harm_yuan": 0.7, "stock_rented": 0.5, "supply_account_days": 0.4},
    }
    told = told_of(material_of(*effects, effects=effects, noise=0.3))
    text = told["Which policy"].text
    assert "Supply squeeze is best of the 3 policies compared by expected harm: " in text
    assert re.search(
        r"By rented accounts (it is lowest as well, but cannot be told from Sensitive account audit: rented accounts fall by"
        r"|Sensitive account audit is lowest, but cannot be told from Supply squeeze: rented accounts fall by [^;]*; under Supply squeeze)",
        text,
    )
    assert "By total supply Lure squeeze is best: " in text
    assert "; by total supply Lure squeeze in 100 %" in told["How sure"].text
    assert re.search(r"; by rented accounts (Supply squeeze|Sensitive account audit) in \d\d(\.\d)? %", told["How sure"].text)


def test_a_policy_is_best_where_its_rivals_share_less_than_a_twentieth():
    material = material_of("lure_squeeze", "account_audit")
    table = material.best
    for held, rivals in ((0.96, ()), (0.94, ("account_audit",))):
        mine = (table["outcome"] == material.lead) & (table["scenario"] == "lure_squeeze")
        other = (table["outcome"] == material.lead) & (table["scenario"] == "account_audit")
        table.loc[mine, "best_share"], table.loc[other, "best_share"] = held, 1.0 - held
        assert first_by(material, material.lead) == ("lure_squeeze", "lowest", held, rivals)
        assert ("is best of the 2 policies" in told_of(material)["Which policy"].text) == (not rivals)


FAILS = {
    "apart": lambda job: (job.scenario_name, job.replication < 3) in {("supply_squeeze", True), ("account_audit", False)},
    "one together": lambda job: job.scenario_name == "account_audit" and job.replication > 0,
}


def test_the_next_one_is_named_only_where_it_is_best_in_some_resamples():
    clear = told_of(material_of("lure_squeeze", "account_audit"))["How sure"].text
    assert "it is best in 100 % of 4,000 resamples of the 6 seeds; no other is best in any of them" in clear
    assert "0 %;" not in clear.replace("100 %", "")
    close = told_of(material_of(*TIE, effects=TIE, noise=0.2))["How sure"].text
    assert re.search(r"; next is (Supply squeeze|Sensitive account audit), best in \d", close)


def test_policies_that_finished_no_replication_together_are_not_ranked_but_told():
    told = told_of(material_of(*TIE, effects=TIE, failed=FAILS["apart"]))
    assert told["Which policy"].text.startswith(
        "In the model, given its assumptions, by expected harm the 2 policies compared cannot be ranked, since no replication has a value"
        " of it from all of them. Better than doing nothing: Supply squeeze: expected harm falls by 50"
    )
    assert told["Which policy"].rows == tuple(f"comparison/expected_harm_yuan/{name}" for name in TIE)


def test_one_replication_together_ranks_nothing():
    told = told_of(material_of(*TIE, effects=TIE, failed=FAILS["one together"]))
    assert "is lowest of the 2 policies compared by expected harm, but cannot be told from Sensitive" in told["Which policy"].text
    assert "Over luck: unknown which is best" in told["How sure"].text


def test_an_outcome_that_is_missing_everywhere_is_not_ranked():
    material = material_of("lure_squeeze", "account_audit")
    material.__dict__["best"] = material.best[material.best["outcome"] != "supply_account_days"]
    assert winning(material, "supply_account_days") is None
    text = told_of(material)["Which policy"].text
    assert "By total supply the policies cannot be ranked, since no replication has a value of it from all of them;" in text
    assert "Sensitive account audit: total supply falls by 30" in text


def test_one_pair_of_runs_says_nothing_of_chance():
    material = material_of("lure_squeeze", "supply_squeeze", replications=1)
    page = page_of(material)
    leads = {line.lead for line in lines_of(page)}
    assert not leads & {"What it costs", "Who loses", "Who is better off", "What backfires"}
    told = told_of(material)
    assert told["Which policy"].text.startswith(
        "In the model, given its assumptions, by expected harm none of the 2 policies compared is better than doing nothing beyond chance."
    )
    assert "one pair of runs has no interval" in told["How sure"].text
    marks, legend = glance(page)
    assert set(marks) == {"?"}
    assert legend.startswith("? has too few pairs of runs to tell a change from chance. ")
    assert not re.search(f"beyond chance|95 %|[{UP}{DOWN}~=]", legend)


def glance(page):
    """Return the marks of the table at a glance, and what is said of them."""
    (section,) = [section for section in page.sections if section.key == "policies"]
    grid, legend, *_ = section.blocks
    assert isinstance(grid, Grid)
    return [cell[-1] for row in grid.rows for cell in row[1:]], legend.line.text


def test_marks_are_those_of_the_rows_and_only_they_are_explained():
    marks, legend = glance(page_of(material_of("lure_squeeze", "friend_confirmation")))
    assert set(marks) == {UP, DOWN, "~", "="}
    assert legend.startswith(
        f"{UP} rises beyond chance, {DOWN} falls beyond chance, ~ does not move beyond chance, = does not move at all;"
    )
    assert "?" not in legend


ROW = Row("expected_harm_yuan", "p", 100.0, 80.0, -20.0, -25.0, -15.0, -30.0, -10.0, -0.2, -0.25, -0.15, 8)


@pytest.mark.parametrize(
    ("changes", "move", "nobody_knows"),
    [
        ({}, -1, False),
        ({"high": 1.0}, 0, False),
        ({"low": 0.0, "high": 0.0, "difference": 0.0}, 0, False),
        ({"low": np.nan, "high": np.nan, "replications": 1}, 0, True),
        ({"low": -20.0, "high": -20.0, "replications": 3}, 0, True),
        ({"low": -20.0, "high": -20.0, "replications": 5}, -1, False),
        ({"low": -20.0, "high": -20.0, "replications": 5, "relative_low": np.nan}, -1, False),
        ({"difference": np.nan, "low": np.nan, "high": np.nan, "replications": 0}, 0, True),
    ],
)
def test_what_has_no_interval_moves_nowhere(changes, move, nobody_knows):
    row = ROW._replace(**changes)
    assert (moves(row), untold(row)) == (move, nobody_knows)


def test_what_one_pair_shows_is_told_as_seen_in_one_pair():
    alone = ROW._replace(low=np.nan, high=np.nan, replications=1)
    assert said(alone) == "expected harm falls by 20 % in one pair of runs"
    assert said(alone._replace(difference=0.0)) == "expected harm does not move at all in one pair of runs"


def test_victims_are_among_those_who_lose():
    effects = {"lure_squeeze": {**EFFECTS["lure_squeeze"], "victims": 1.2}}
    told = told_of(material_of("lure_squeeze", effects=effects))
    assert re.search(r"[vV]ictims rise by (19|20)(\.\d)? % \(.*\), from [\d,]+ to [\d,]+ people/day", told["Who loses"].text)
    assert "comparison/victims/lure_squeeze" in told["Who loses"].rows


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "100 %"),
        (3999 / 4000, "more than 99.9 %"),
        (0.999, "99.9 %"),
        (0.656, "65.6 %"),
        (0.001, "0.1 %"),
        (1 / 8000, "less than 0.1 %"),
        (0.0, "0 %"),
        (np.nan, "unknown"),
    ],
)
def test_only_all_resamples_are_all_and_only_none_are_none(value, text):
    assert share(value) == text


NONE_LEFT = Row("sanctions_legal_owner", "p", 7 / 1800, 0.0, -7 / 1800, -0.0053, -0.0025, -0.0091, 0.0013, -1.0, -1.0, -1.0, 6)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "probably fall from 0.00389 to 0 owners/day (-0.0053 to -0.0025), 7 cases to 0 in 6 runs of 300 days"),
        ({"mean": 14 / 1800, "difference": 7 / 1800, "low": 0.0011, "high": 0.0067, "relative": 1.0, "relative_low": 0.3,
          "relative_high": 1.9},
         "probably rise by 100 % (+30 to +190 %), 7 cases to 14 in 6 runs of 300 days"),
        ({"baseline_mean": 1.0, "mean": 0.5, "difference": -0.5, "relative": -0.5, "relative_low": -0.6, "relative_high": -0.4},
         "probably fall by 50 % (-60 to -40 %)"),
    ],
)  # fmt: skip
def test_a_handful_of_cases_is_counted_and_no_share_has_an_interval_without_width(changes, text):
    row = NONE_LEFT._replace(**changes)
    assert said(row, 300).endswith(f" {text}")
    assert said(row).endswith(f" {text.partition(', 7 cases')[0]}")  # where nobody says how many days there are


def test_amounts_and_expected_numbers_are_no_cases():
    assert cases(NONE_LEFT._replace(baseline_mean=0.0041), 300) == ""
    assert cases(NONE_LEFT._replace(outcome="review_backlog"), 300) == ""


def test_an_interval_of_a_share_without_width_is_no_interval():
    assert not NONE_LEFT.has_relative
    assert texts(NONE_LEFT, 1_000_000).relative_interval == "-"
    same = NONE_LEFT._replace(low=-7 / 1800, high=-7 / 1800)
    assert same.has_relative  # the same everywhere, in units and as a share


def test_helpers_are_told_where_they_are_punished():
    effects = {"lure_squeeze": {**EFFECTS["lure_squeeze"], "sanctions_legal_helper": 3.0}}
    page = page_of(material_of("lure_squeeze", effects=effects))
    words = r"epeat helpers who face a legal sanction rise (by \d+ %|to [\d.]+ times)"
    losers, (together,) = (
        [line for line in lines_of(page, key) if line.lead == lead]
        for key, lead in (("answer", "Who loses"), ("each", "All levers together"))
    )
    for line in (*losers, together):
        assert re.search(words, line.text)
        assert "comparison/sanctions_legal_helper/lure_squeeze" in line.rows


def test_what_a_package_does_is_said_once_and_of_no_single_lever():
    page = page_of(material_of("lure_squeeze", "account_audit"))
    lines = list(lines_of(page, "each"))
    levers = [line for line in lines if line.lead in {"Ad takedown", "Awareness campaign", "Legal certainty"}]
    assert len(levers) == 3
    for line in levers:
        assert "What it moves first: rentals that began with an advert. Its side effect: " in line.text
        assert not [row for row in line.rows if row.startswith("comparison/")]
        assert "%" not in line.text
    (together,) = [line for line in lines if line.lead == "All levers together"]
    assert together.text.count("rentals that began with an advert fall by 9") == 1
    assert "honest job adverts removed" in together.text
    assert "enforcement cost" not in together.text  # told under Cost, of the whole package
    (alone,) = [line for line in lines if line.lead == "Account audit"]
    assert re.search(r"Its side effect: .*innocents sanctioned rise ", alone.text)


def test_results_that_were_renamed_are_called_by_what_they_are_called_now(tmp_path):
    plan = replace(plan_of("supply_squeeze"), given=Given(("a.toml",), out="kept/cmp"))
    assert place_of(SimpleNamespace(plan=plan, directory=tmp_path / "cmp")) == "kept/cmp"
    assert place_of(SimpleNamespace(plan=plan, directory=tmp_path / "copy")) == "DIR/copy"


def test_one_policy_that_makes_things_worse_is_told_to():
    told = told_of(material_of("supply_squeeze"))["Which policy"].text
    assert told.startswith("In the model, given its assumptions, Supply squeeze makes expected harm worse: expected harm rises by")


def test_one_policy_over_parameters_is_answered_without_a_ranking():
    asked = over_members(plan_of("supply_squeeze", replications=3), shipped(3), None)
    done = in_memory(Robust, asked)
    told = told_of(Material(done, done))
    assert told["What it does"].text.startswith("In the model, given its assumptions, under Supply squeeze expected harm rises by")
    assert told["How sure"].text == "Over parameters: tested; one policy alone is not ranked."


def test_runs_of_one_scenario_compare_nothing_in_words_or_captions(tmp_path):
    done = in_memory(Runs, replace(single(plan_of().scenarios["baseline"]), replications=1))
    text = written(page_of(Material(done)), "md", tmp_path / "report.md")
    assert "What the model gives under Standing regime. Nothing is compared here" in text
    assert "days, one run." in text


def test_what_can_be_varied_are_the_levers_of_the_policies_compared():
    page = page_of(material_of("supply_squeeze"))
    typed = [
        block.text for section in page.sections if section.key == "thresholds" for block in section.blocks if isinstance(block, Command)
    ]
    for lever in ("registration_audit", "assisted_verification", "unsealing_strictness"):
        assert f"--vary {lever}=0:1:6" in typed[0]
    assert "LEVER" not in typed[0]
