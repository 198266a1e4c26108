"""Rankings and conclusions over parameters: counted, said in words, shown on the screen and drawn."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text
from robust_worlds import CENTRES, OUTCOME, THREE, ranked, runs_of, verdicts, worlds_of
from scipy import stats

from sim import analysis, plots
from sim.plots.gallery import rendered
from sim.screen import print_robustness


def test_rankings_are_compared_with_the_ledgers():
    row, pairs = ranked(CENTRES)
    assert (row["best_is"], row["central_order"], row["best"], row["members"]) == ("lowest", "first > second > third", "first", 5)
    assert (row["changed_share"], row["changed_clear_share"], row["best_share"], row["best_beaten_share"]) == (0.6, 0.6, 0.6, 0.4)
    distances = [(1.0 - stats.kendalltau(CENTRES[0], member).statistic) / 2.0 for member in CENTRES[1:]]
    assert row["kendall_mean"] == pytest.approx(np.mean(distances))
    assert row["kendall_most"] == pytest.approx(max(distances)) == pytest.approx(1.0)
    assert list(zip(pairs["first"], pairs["second"], strict=True)) == list(combinations(THREE, 2))
    assert pairs["sign_share"].tolist() == [0.6, 0.8, 0.6]
    assert pairs["central_effect"].tolist() == pytest.approx([-0.1, -0.4, -0.3])


def test_a_reversal_within_chance_is_not_counted_as_clear():
    """Differences have a half-width of t(5) x 2 x .1 = .51, more than any distance but those to the third."""
    row, pairs = ranked(
        np.array([[-2.0, -1.9, 1.0], [-1.9, -2.0, 1.0], [-2.0, -1.9, 1.0], [-1.9, -2.0, -5.0], [-2.0, -1.9, 1.0]]), noise=0.1
    )
    assert (row["changed_share"], row["changed_clear_share"]) == (0.5, 0.25)
    assert (row["best_share"], row["best_beaten_share"]) == (0.5, 0.25)
    assert pairs["sign_clear_share"].tolist() == [0.0, 0.75, 0.75]


def test_a_higher_price_is_better():
    row, _ = ranked(-CENTRES, outcome="price_yuan")
    assert (row["best_is"], row["best"], row["best_share"]) == ("highest", "first", 0.6)


def test_equal_policies_are_ordered_neither_way():
    row, _ = ranked(np.zeros((4, 3)), noise=0.0)
    assert (row["changed_share"], row["kendall_most"], row["best_share"]) == (0.0, 0.0, 1.0)


def test_one_policy_has_no_ranking():
    worlds = worlds_of(2)
    runs = runs_of(worlds, np.ones((3, 2, 1)))
    assert analysis.ranking(runs, worlds, [OUTCOME]).empty
    assert analysis.ranking_pairs(runs, worlds, [OUTCOME]).empty


def test_conclusions_say_what_holds_and_what_does_not():
    """The noise of .01 has a half-width of t(21) x .01 = .0208; drawing members in by it moves the largest from .50 to .499."""
    found = {c.policy: c for c in analysis.conclusions(verdicts())}
    assert {name: c.verdict for name, c in found.items()} == {
        "holds": "holds", "leans": "leans", "depends": "depends", "open": "open", "nothing": "holds",
    }  # fmt: skip
    assert found["holds"].text.startswith("rented accounts fall by 50 % (chance -52.1 to -47.9 %; parameters -50 to +49.9 %) in 19 of 20")
    assert found["leans"].text.endswith("in all 20, beyond chance in 18")
    assert found["depends"].text.endswith("beyond chance so in 15 of 20, opposite in 5, unclear in 0")
    assert found["open"].text == "rented accounts up in 10, down in 10 of 20 beyond chance"
    assert found["nothing"].text == "rented accounts exactly unchanged in all 20"
    lines = analysis.robust_answer(verdicts(), pd.DataFrame(), {"holds": "Held policy"})
    assert lines[0] == "Holds, beyond chance, in at least 95 % of the 20 parameter vectors:"
    assert lines[1].startswith("  Held policy: rented accounts fall")
    assert sum(line.endswith(":") for line in lines) == 4
    assert "at least 83.2 % of the set" in lines[-1]  # .025 ** (1 / 20)


def test_rankings_in_words():
    row, _ = ranked(CENTRES)
    lines = analysis.robust_answer(verdicts(), pd.DataFrame([row]))
    assert (
        "  by rented accounts, lowest first: the order changes in 3 of 5, beyond chance in 3, 33.3 % of the 3 pairs reversed on average;"
        " first stays first in 3 of 5, beaten beyond chance in 2." in lines
    )
    row, _ = ranked(np.repeat(CENTRES[:1], 4, axis=0))
    lines = analysis.robust_answer(verdicts(), pd.DataFrame([row]))
    assert "  by rented accounts, lowest first: the same order in every vector; first stays first in all 3." in lines


def test_the_screen_shows_chance_and_parameters_apart(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    print_robustness(verdicts(), {"depends": "It depends"})
    out = capsys.readouterr().out
    assert "It depends" in out
    cells = next(line for line in out.split("It depends")[1].splitlines() if OUTCOME in line).split()
    assert cells[:3] == [OUTCOME, "+50", "%"]
    assert " ".join(cells[-9:]) == "15 of 20 15 of 20 5 of 20"


def test_the_figure_draws_two_bars_and_cuts_nothing():
    table = verdicts()
    worlds = worlds_of(20, tuple(table["policy"]))
    centres = np.zeros((21, 2, 5)) + table["central_effect"].to_numpy()
    members = analysis.member_effects(runs_of(worlds, centres), worlds, [OUTCOME])
    study = plots.Study("base", {"holds": "A policy with a long title $x$ " * 3}, 1_000_000, [1, 2], (30, 60))
    figure = plots.robust(table, members, study)
    figure.draw_without_rendering()
    ax = figure.axes[0]
    page = figure.bbox.padded(1.0)
    ticks = {label for axis in (ax.xaxis, ax.yaxis) for tick in axis.majorTicks for label in (tick.label1, tick.label2)}
    for text in set(figure.findobj(Text)) - ticks:
        if text.get_text() and text.get_visible():
            box = text.get_window_extent()
            assert page.x0 <= box.x0 <= box.x1 <= page.x1, text
            assert page.y0 <= box.y0 <= box.y1 <= page.y1, text
    spans = {(round(line.get_linewidth(), 1), tuple(line.get_xdata())) for line in ax.lines if len(line.get_xdata()) == 2}
    for row in table.to_dict("records"):
        assert (5.0, (100.0 * row["mc_low"], 100.0 * row["mc_high"])) in spans
        assert (1.1, (100.0 * row["parameter_low"], 100.0 * row["parameter_high"])) in spans
    heights = {width: {line.get_ydata()[0] % 1.0 for line in ax.lines if line.get_linewidth() == width} for width in (5.0, 1.1)}
    assert not heights[5.0] & heights[1.1]
    assert [text.get_text() for text in ax.texts] == ["19/20", "18/20", "15/20", "10/20", "20/20"]
    assert "chance taken out" in figure.get_supxlabel().replace("\n", " ")
    rendered(figure, "png")
    given = plots.robust(table, members, study, axes=[figure.axes[0]])
    assert given is figure
