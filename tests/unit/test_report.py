"""The report: every number from its table, words by rules, a page that stands alone and that anybody can read."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from itertools import pairwise
from pathlib import Path

import html5lib
import numpy as np
import pandas as pd
import pytest
from report_numbers import NUMBER, Tables, hold, is_about_reading
from report_worlds import EFFECTS, RARE, filled, in_memory, lines_of, plan_of, swept

from sim import robustness
from sim.analysis import Row, robust_words
from sim.analysis.words import number, percent
from sim.cli import main
from sim.comparison import Comparison, Robust, Runs
from sim.conduct import carry_out
from sim.jobs import Failure
from sim.levers import LEVERS
from sim.names import name_of
from sim.plan import single
from sim.report import write_report
from sim.report.blocks import Grid
from sim.report.material import Material, _unlike
from sim.report.mechanisms import MECHANISMS
from sim.report.page import page_of, plain, written
from sim.report.phrases import said
from sim.store import Store, StoreError

POLICIES = ("supply_squeeze", "lure_squeeze", "account_audit", "friend_confirmation")
MEMBERS = {k: {"renting": {"quit_per_day": 0.02 + 0.005 * k}} for k in range(4)}
STYLE = Path(__file__).parents[2] / "sim" / "report" / "templates" / "style.css"


def sweep_effects(plan):
    return {
        name: {"stock_rented": 1.6 - 1.2 * at[0], "expected_harm_yuan": 1.2 - 0.8 * at[0]}
        for name, at in plan.levels.items()
        if name != plan.baseline
    }


@pytest.fixture(scope="module")
def material():
    plan, sweep = plan_of(*POLICIES), swept()
    robust = in_memory(Robust, robustness.plan(plan, MEMBERS, 2))
    return Material(in_memory(Comparison, plan, rare=RARE), robust, (in_memory(Comparison, sweep, effects=sweep_effects(sweep)),))


@pytest.fixture(scope="module")
def page(material):
    return page_of(material)


@pytest.fixture(scope="module")
def html(page):
    return written(page, "html", Path("report.html"))


def test_every_sentence_says_what_the_rows_say_that_it_names(material, page):
    tables, numbers, clauses, counted = Tables.of(material), 0, 0, 0
    for line in lines_of(page, "answer", "each", "robustness", "thresholds"):
        if not is_about_reading(line.text):
            found = hold(f"{line.lead} {line.text}", line.rows, tables, (str(len(POLICIES)), "5"))
            numbers, clauses, counted = numbers + found[0], clauses + found[1], counted + ("cases to" in line.text)
    assert numbers > 200
    assert clauses > 80
    assert counted >= 2


def test_a_sentence_about_parameters_is_about_the_policy_and_the_outcomes_whose_rows_it_names(material, page):
    tables, ranking, told = Tables.of(material), material.robust.ranking.set_index("outcome"), []
    for line in lines_of(page, "robustness"):
        table, *keys = (line.rows or ("",))[0].split("/")
        if not keys:
            continue  # about all of them
        told += line.rows
        if table == "ranking":
            assert line.text.startswith(f"by {name_of(keys[0])}, {ranking.loc[keys[0], 'best_is']} first: ")
            assert f"; {material.title(ranking.loc[keys[0], 'best'])} stays first in" in line.text
            continue
        (policy,) = {cited.split("/")[2] for cited in line.rows}
        names = [name_of(cited.split("/")[1]) for cited in line.rows]
        title, _, rest = line.text.partition(": ")
        assert title == material.title(policy)
        clauses = re.split(f"; (?={'|'.join(names)})", rest)
        for name, cited, clause in zip(names, line.rows, clauses, strict=True):
            assert clause.startswith(f"{name} ")
            assert set(NUMBER.findall(clause)) <= tables.allowed(cited), (cited, clause)
    table = material.robust.robustness
    every = {f"robustness/{outcome}/{policy}" for outcome, policy in zip(table["outcome"], table["policy"], strict=True)}
    assert sorted(told) == sorted(every | {f"ranking/{outcome}" for outcome in ranking.index})
    assert len(told) > len(every) > len(POLICIES)
    grids = [block for section in page.sections if section.key == "robustness" for block in section.blocks if isinstance(block, Grid)]
    rows = [row for outcome in material.headline for row in table[table["outcome"] == outcome].to_dict("records")]
    assert [row for grid in grids for row in grid.rows] == [[material.title(row["policy"]), *robust_words.cells(row)[1:]] for row in rows]


def test_the_policy_table_has_a_row_a_policy_with_its_own_numbers(material, page):
    (section,) = [section for section in page.sections if section.key == "policies"]
    (grid,) = [block for block in section.blocks if isinstance(block, Grid) and block.caption.startswith("Expected harm")]
    assert [row[0] for row in grid.rows] == ["Standing regime (baseline)", *(material.title(name) for name in POLICIES)]
    for name, cells in zip(POLICIES, grid.rows[1:], strict=True):
        row = material.cells[("expected_harm_yuan", name)]
        mean, change, _, per_million, relative, ends, best = cells[1:]
        assert (mean, change.removeprefix("+")) == (number(row.mean), number(row.difference))
        assert per_million.removeprefix("+") == number(row.difference / 2.0)  # of 2 million users
        assert (relative, ends) == (f"{percent(row.relative)} %", f"{percent(row.relative_low)} to {percent(row.relative_high)} %")
        assert best == ("100 %" if name == "lure_squeeze" else "0 %")
    glance = section.blocks[0]
    marks = {row[0]: row[1 + glance.columns[1:].index("expected harm")][-1] for row in glance.rows}
    assert (marks["Supply squeeze"], marks["Lure squeeze"]) == ("\N{UPWARDS ARROW}", "\N{DOWNWARDS ARROW}")
    assert glance.columns[:3] == ["policy", "expected harm", "rented accounts"]  # the lead outcome first, then as asked
    assert {row[0]: row[2][-1] for row in glance.rows}["Confirm by voice before paying"] == "="


def test_strength_that_is_enough_is_named_and_what_does_not_move_stands_together(page):
    lines = [line for line in lines_of(page, "thresholds") if line.rows]
    moving = {line.text.partition(" rise")[0].partition(" fall")[0]: line.text for line in lines if not line.lead}
    assert set(moving) == {"Rented accounts", "Expected harm"}
    assert re.search(r"beyond chance from 0\.\d+ on, half of that at 0\.\d+\.$", next(line.text for line in lines if not line.lead))
    still = [line for line in lines if line.lead]
    assert [line.lead for line in still] == ["Not beyond chance from 0.1 to 1", "Not beyond chance from 0.1 to 0"]
    assert all("owners banned" in line.text for line in still)


def test_numbers_move_with_the_tables():
    """A report of other runs says other numbers: nothing is written by hand."""
    plan = plan_of("lure_squeeze")
    effects = [{**EFFECTS, "lure_squeeze": {**EFFECTS["lure_squeeze"], "expected_harm_yuan": share}} for share in (0.5, 0.25)]
    texts = [next(lines_of(page_of(Material(in_memory(Comparison, plan, effects=e))), "answer")).text for e in effects]
    assert re.search(r"expected harm falls by (49|50)", texts[0])
    assert re.search(r"expected harm falls by 7[45]", texts[1])


def test_the_answer_says_which_policy_how_sure_at_what_price_and_who_loses(material, page):
    told = {line.lead: line.text for line in lines_of(page, "answer")}
    assert told["Which policy"].startswith(
        "In the model, given its assumptions, Lure squeeze is best of the 4 policies compared by expected harm:"
    )
    assert "By total supply Sensitive account audit is best: total supply falls by" in told["Which policy"]
    assert "best in 100 % of 4,000 resamples of the 6 seeds; no other is best in any of them" in told["How sure"]
    assert "Over parameters, by expected harm, lowest first: " in told["How sure"]
    cost = material.cells[("enforcement_cost_yuan", "lure_squeeze")]
    assert told["What it costs"].startswith("Enforcement cost rises by 17")
    assert told["What it costs"].endswith(f", from {number(cost.baseline_mean)} to {number(cost.mean)} yuan/day.")
    assert told["Who loses"].startswith("Owners who face a legal sanction rise by")
    assert "Owners banned fall by" in told["Who is better off"]
    assert "losses of owners' friends to fraud fall by" in told["Who is better off"]
    assert told["What backfires"].startswith("Supply squeeze: expected harm rises by")
    assert "Confirm" not in told["What backfires"]


def test_no_policy_is_called_best_that_is_not_better_beyond_chance():
    plan = plan_of("supply_squeeze", "account_audit")
    worse = {"supply_squeeze": {"expected_harm_yuan": 1.5}, "account_audit": {"expected_harm_yuan": 1.2}}
    first = next(lines_of(page_of(Material(in_memory(Comparison, plan, effects=worse))), "answer"))
    assert first.text == (
        "In the model, given its assumptions, by expected harm none of the 2 policies compared is better than doing nothing beyond chance."
    )
    faint = {"supply_squeeze": {"expected_harm_yuan": 1.5}, "account_audit": {"expected_harm_yuan": 0.999}}
    told = list(lines_of(page_of(Material(in_memory(Comparison, plan, effects=faint, noise=0.3))), "answer"))
    assert "can be called best" in told[0].text or "better than doing nothing" in told[0].text
    assert not [line for line in told if line.lead in {"What it costs", "Who loses"}]


def test_every_lever_has_a_plain_sentence_before_its_formula(page):
    assert list(MECHANISMS) == list(LEVERS)
    for text in MECHANISMS.values():
        assert re.fullmatch(r"[A-Z][^.]*\.", text), text
        assert not re.search(r"[\d=]", text), text
    assert len(set(MECHANISMS.values())) == len(LEVERS)
    told = {line.lead: line.text for line in lines_of(page, "each")}
    audit = (
        f"{MECHANISMS['account_audit']} (Sensitivity of the live-account detector: {LEVERS['account_audit'].equation}.) Strength goes from"
    )
    assert told["Account audit"].startswith(audit)


ROW = Row("expected_harm_yuan", "p", 100.0, 80.0, -20.0, -25.0, -15.0, -30.0, -10.0, -0.2, -0.25, -0.15, 8)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "expected harm falls by 20 % (-25 to -15 %)"),
        ({"wide_high": 1.0}, "expected harm probably falls by 20 % (-25 to -15 %)"),
        ({"outcome": "stock_rented"}, "rented accounts fall by 20 % (-25 to -15 %)"),
        ({"high": 1.0, "relative_high": 0.01}, "expected harm does not move beyond chance (-25 to +1 %)"),
        ({"outcome": "owners_banned", "high": 1.0, "relative_high": 0.01}, "owners banned do not move beyond chance (-25 to +1 %)"),
        ({"difference": 0.0, "low": 0.0, "high": 0.0}, "expected harm does not move at all"),
        ({"difference": 0.0, "low": 0.0, "high": 0.0, "outcome": "victims"}, "victims do not move at all"),
        ({"low": np.nan, "high": np.nan, "replications": 1}, "expected harm falls by 20 % in one pair of runs"),
        ({"low": -20.0, "high": -20.0, "replications": 3},
         "expected harm falls by 20 yuan/day from 100, the same in all 3 pairs, too few to tell it from chance"),
        ({"relative": 2.0, "relative_low": 1.5, "relative_high": 2.5, "difference": 200.0, "low": 150.0, "high": 250.0, "wide_low": 100.0,
          "wide_high": 300.0}, "expected harm rises to 3 times (2.5 to 3.5)"),
        ({"difference": np.nan}, "of expected harm nothing is known"),
    ],
)  # fmt: skip
def test_words_follow_the_row(changes, text):
    assert said(ROW._replace(**changes)) == text


def test_what_is_missing_is_said_with_the_command_that_makes_it():
    page = page_of(Material(in_memory(Comparison, plan_of(*POLICIES))))
    text = written(page, "md", Path("report.md"))
    assert "abm compare EXPERIMENT --over-uncertainty 20 --out results/policies_over_uncertainty" in text
    assert "abm sweep baseline.toml --vary ad_takedown=0:1:6 --out results/baseline_by_ad_takedown" in text  # a lever of the best policy
    assert "--with results/policies_over_uncertainty" in text


@pytest.mark.parametrize(
    ("names", "options"),
    [
        (("lure_squeeze", "supply_squeeze"), {"replications": 1}),
        (("lure_squeeze",), {"replications": 2}),
        (("campus_campaign", "owner_amnesty", "supply_squeeze_rigid"), {}),
        (("purge",), {"run.days": 200, "run.burn_in_days": 100}),
    ],
)
def test_odd_comparisons_have_a_report(names, options):
    done = in_memory(Comparison, plan_of(*names, **options))
    text = written(page_of(Material(done)), "md", Path("report.md"))
    assert "nan" not in re.findall(r"\w+", text.lower())
    if options.get("replications") == 1:
        assert "one pair of runs has no interval" in text
    if "purge" in names:
        assert "**After the pulse.** Supply" in text
    if "supply_squeeze_rigid" in names:
        assert "**Set otherwise.** dealers.adaptive is true in baseline and false in supply_squeeze_rigid." in text


def test_nothing_moved_at_all_is_said_so():
    still = in_memory(Comparison, plan_of("account_audit", replications=3), effects={}, noise=0.0)
    told = list(lines_of(page_of(Material(still)), "answer"))
    assert told[0].text.endswith("audit does not make expected harm better beyond chance: expected harm does not move at all.")


def test_a_policy_that_inherits_the_title_of_its_baseline_is_called_by_its_name():
    plan = plan_of("lure_squeeze")
    heir = plan.scenarios["lure_squeeze"].changed({"title": plan.scenarios["baseline"].title})
    done = in_memory(Comparison, replace(plan, scenarios={**plan.scenarios, "lure_squeeze": heir}))
    assert "lure squeeze makes expected harm better" in next(lines_of(page_of(Material(done)), "answer")).text
    assert Material(done).title("baseline") == "Standing regime"


FAILED = {
    "a policy": (lambda job: job.scenario_name == "lure_squeeze", "best of the 2 policies compared"),
    "some runs": (
        lambda job: job.scenario_name == "lure_squeeze" and job.replication < 5,
        "Lure squeeze comes nearest: expected harm falls by",
    ),
    "the baseline": (lambda job: job.scenario_name == "baseline", "Nothing can be compared"),
    "everything": (lambda job: True, "Nothing can be compared"),
}


@pytest.mark.parametrize("which", FAILED)
def test_failed_runs_are_left_out_and_counted(which):
    failed, told = FAILED[which]
    plan = plan_of("supply_squeeze", "lure_squeeze", "friend_confirmation")
    done = in_memory(Comparison, plan, failed=failed)
    done.failures = [Failure(job.run_id, job.scenario_name, job.replication, job.seed, "Error") for job in plan.jobs if failed(job)]
    text = written(page_of(Material(done)), "md", Path("report.md"))
    assert told in text
    assert f"{len(done.failures)} runs failed and are left out." in text


@pytest.mark.parametrize("which", ["supply_squeeze__m01", "baseline", "baseline__m01", "lure_squeeze"])
def test_failed_runs_over_parameters_do_not_spoil_the_report(which):
    plan = robustness.plan(plan_of("supply_squeeze", "lure_squeeze"), MEMBERS, 2)
    done = in_memory(Robust, plan, failed=lambda job: job.scenario_name == which)
    text = written(page_of(Material(done, done)), "html", Path("report.html"))
    html5lib.HTMLParser(strict=True).parse(text)


def test_runs_that_are_not_compared_have_a_report():
    plan = single(plan_of().scenarios["baseline"])
    page = page_of(Material(in_memory(Runs, replace(plan, replications=3))))
    assert "Nothing is compared here" in next(lines_of(page, "answer")).text
    assert any(line.lead == "Rented accounts" for line in lines_of(page, "answer"))


def test_runs_over_parameters_alone_have_a_report(material):
    page = page_of(Material(material.robust, material.robust))
    told = {line.lead: line.text for line in lines_of(page, "answer")}
    assert "Lure squeeze is best by expected harm: expected harm falls by" in told["Which policy"]
    assert "in all 4" in told["Which policy"]


def test_markdown_says_what_the_page_says(page):
    text = written(page, "md", Path("report.md"))
    assert all(plain(line.text) in text for line in lines_of(page))
    assert text.startswith("# Policies \\<compared\\> & more\n")
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) > 50
    assert "| --- | ---: |" in text
    assert "\n\n\n" not in text


def test_markdown_is_not_taken_for_markup():
    assert plain("a|b *c* _d_ e_f [g] <h> `i` #j") == r"a\|b \*c\* \_d\_ e_f \[g\] \<h\> \`i\` \#j"


def test_the_page_is_valid_html(html):
    html5lib.HTMLParser(strict=True).parse(html)


def test_the_page_is_whole_and_asks_nobody(html):
    links = re.findall(r'\b(?:href|src|action|srcset|poster|data)="([^"]*)"', html)
    assert links
    assert all(link.startswith("#") for link in links)
    assert not re.search(r"<(?:script|link|iframe|object|embed|base)\b|@import|url\((?!#)", html)
    assert {link[1:] for link in links} <= set(re.findall(r'\bid="([^"]*)"', html))
    assert "Policies &lt;compared&gt; &amp; more" in html


def test_narrow_screens_paper_and_letters(html, material):
    """Cells name their columns, which is all that a narrow screen shows; commands are a line each that may break."""
    first = re.search(r"<table.*?</table>", html, re.DOTALL)[0]
    columns = re.findall(r'<th scope="col">([^<]*)</th>', first)[1:]
    row = re.findall(r'<td data-column="([^"]*)">', re.search(r"<tbody>\s*<tr>.*?</tr>", first, re.DOTALL)[0])
    assert row == columns
    assert columns[0] == "expected harm"
    text = written(page_of(Material(material.done)), "html", Path("report.html"))
    commands = re.findall(r"<pre>(.*?)</pre>", text, re.DOTALL)
    assert len(commands) == 2
    assert all(re.fullmatch(r"(?:<code>abm [^<\n]*</code>){2,}", block) for block in commands)
    style = STYLE.read_text()
    assert re.search(r"pre \{[^}]*white-space: pre-wrap", style)
    assert "content: attr(data-column)" in style


def test_the_page_has_landmarks_a_language_and_headings_in_order(html):
    assert '<html lang="en">' in html
    assert all(html.count(f"<{tag}") == 1 for tag in ("main", "header>", "footer", "nav", "h1"))
    levels = [int(level) for level in re.findall(r"<h(\d)", html)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert html.count("<caption>") == html.count("<table")
    assert 'scope="col"' in html
    assert 'scope="row"' in html
    assert "width=device-width" in html


def luminance(colour: str) -> float:
    parts = [int(colour[k : k + 2], 16) / 255.0 for k in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_letters_stand_out_from_what_they_stand_on():
    """WCAG AA: a contrast of 4.5 for text, in the light, dark and printed colours."""
    schemes = [dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", block)) for block in re.findall(r":root \{([^}]*)\}", STYLE.read_text())]
    assert len(schemes) == 3
    for colours in schemes:
        for letters in ("ink", "soft", "link"):
            for ground in ("paper", "shade"):
                light, dark = sorted((luminance(colours[letters]), luminance(colours[ground])), reverse=True)
                assert (light + 0.05) / (dark + 0.05) >= 4.5, (letters, ground, colours)


def directory(path, plan, **options):
    with Store(path) as store:
        filled(plan, store, **options)
        store.write_manifest(plan.manifest(store, (), finished=False))
    carry_out(plan, path)
    return path


@pytest.mark.slow
def test_a_results_directory_has_the_same_report_every_time(tmp_path):
    plan, sweep = plan_of("lure_squeeze", replications=3), swept(2)
    own, swept_ = directory(tmp_path / "own", plan), directory(tmp_path / "sweep", sweep, effects=sweep_effects(sweep))
    path = write_report(own, beside=[swept_])
    first = path.read_bytes()
    assert path == own / "report.html"
    assert write_report(own, tmp_path / "again.html", beside=[swept_]).read_bytes() == first
    text = first.decode()
    html5lib.HTMLParser(strict=True).parse(text)
    ids = re.findall(r'\bid="([^"]*)"', text)
    assert len(ids) == len(set(ids))
    assert text.count("<svg") == text.count('role="img" aria-labelledby=') == text.count("<figcaption id=") == 6
    assert set(re.findall(r'<svg [^>]*aria-labelledby="([^"]*)"', text)) == set(re.findall(r'<figcaption id="([^"]*)"', text))
    assert not re.search(r'role="region" aria-label="Figure', text)
    assert set(re.findall(r'href="([^"]*)"', text)) <= {f"#{name}" for name in ids}
    assert set(re.findall(r'https?://[^" <]+', text)) == {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    tables = {name: pd.read_csv(own / f"{name}.csv") for name in ("comparison", "best", "displacement")}
    tables["thresholds"] = pd.read_csv(swept_ / "thresholds.csv")
    spans = re.findall(r'<span data-rows="([^"]+)">(.*?)</span>', text)
    assert len(spans) > 15
    for cited, sentence in spans:
        if cited != "ledger":
            plain_ = unescape(re.sub("<[^>]+>", "", sentence)).replace("\N{NO-BREAK SPACE}", " ")
            hold(plain_, cited.split(), Tables(plan, tables), ("3",))
    linked = write_report(own, tmp_path / "elsewhere.md", "md").read_text()
    found = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", linked)
    assert len(found) == 5
    assert all((tmp_path / place).is_file() for place in found)
    (own / "figures" / "forest.svg").unlink()
    assert "abm plot DIR/own" in write_report(own, tmp_path / "less.html").read_text()
    done = carry_out(plan, own)
    assert not path.exists()  # it spoke of tables that were written anew
    assert done.directory == own
    with pytest.raises(StoreError, match="holds neither"):
        write_report(own, beside=[own])


def tell(capsys, *arguments):
    code = main([str(argument) for argument in arguments])
    return code, capsys.readouterr().err


def test_bad_input_is_one_line_and_writes_nothing(tmp_path, capsys):
    assert tell(capsys, "report", tmp_path / "none") == (2, f"abm: {tmp_path / 'none'}: no such results directory\n")
    for arguments, said_ in (
        (("--out", tmp_path), "must be the path of a file, not of a directory"),
        (("--format", "htm"), "must be one of html, md"),
        (("--with", tmp_path / "none"), "no such results directory"),
    ):
        (tmp_path / "manifest.json").write_text('{"format": 1}')
        code, error = tell(capsys, "report", tmp_path, *arguments)
        assert (code, error.count("\n")) == (2, 1)
        assert said_ in error
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.json"]


def test_results_of_another_baseline_or_of_other_policies_are_refused(material):
    done, robust, (sweep,) = material.done, material.robust, material.sweeps
    assert _unlike(done, robust) == _unlike(done, sweep) == ""
    fewer = in_memory(Robust, robustness.plan(plan_of(*POLICIES[:3]), MEMBERS, 2))
    assert _unlike(done, fewer) == "was made without friend_confirmation, which this report compares"
    others = {name: scenario.changed({"levers.login_check": 0.4}) for name, scenario in sweep.plan.scenarios.items()}
    assert "another baseline than this report" in _unlike(done, in_memory(Comparison, replace(sweep.plan, scenarios=others)))
    assert "holds neither" in _unlike(done, done)
