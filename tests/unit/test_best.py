"""Which policy is best, and how sure; how strong is enough: counted on tables of which the answer is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sim import analysis


def runs_of(values, outcome="expected_harm_yuan"):
    rows = [
        {"scenario": name, "replication": k, "seed": k, "status": "done", outcome: value}
        for name, column in values.items()
        for k, value in enumerate(column)
    ]
    return pd.DataFrame(rows)


def test_the_share_of_best_is_that_of_all_resamples_of_the_seeds():
    values = {"base": [10.0, 10.0, 10.0], "a": [8.0, 11.0, 9.5], "b": [9.0, 9.0, 9.0]}
    table = analysis.best(runs_of(values), "base", ["expected_harm_yuan"])
    means = {name: [np.mean([column[i] for i in at]) for at in np.ndindex(3, 3, 3)] for name, column in values.items()}
    wins = np.mean(np.array(means["a"]) < np.array(means["b"]))
    ties = np.mean(np.isclose(means["a"], means["b"]))
    shares = dict(zip(table["scenario"], table["best_share"], strict=True))
    assert shares["a"] == pytest.approx(wins + ties / 2.0, abs=4 * np.sqrt(0.25 / 4000))
    assert shares["base"] == 0.0
    assert sum(shares.values()) == pytest.approx(1.0)
    assert table["scenario"].tolist() == ["b", "a", "base"]
    assert table["few_seeds"].all()
    again = analysis.best(runs_of(values), "base", ["expected_harm_yuan"])
    pd.testing.assert_frame_equal(table, again, check_exact=True)


def test_equal_policies_share_being_best_and_a_higher_price_is_better():
    table = analysis.best(runs_of({"base": [1.0, 2.0], "same": [1.0, 2.0], "worse": [0.5, 1.0]}, "price_yuan"), "base", ["price_yuan"])
    assert table["best_share"].tolist() == [0.5, 0.5, 0.0]
    assert table["scenario"].tolist() == ["base", "same", "worse"]
    single_run = analysis.best(runs_of({"base": [1.0], "other": [2.0]}), "base", ["expected_harm_yuan"])
    assert single_run["best_share"].isna().all()


def dose_of(levels, effects, half, own=0.3):
    rows = [
        {"outcome": "stock_rented", "scenario": f"at{level:g}", "level": level, "difference": effect, "relative": effect / 100.0,
         "simultaneous_low": effect - half, "simultaneous_high": effect + half, "replications": 8}
        for level, effect in zip(levels, effects, strict=True)
    ]  # fmt: skip
    base = {**dict.fromkeys(rows[0], 0.0), "outcome": "stock_rented", "scenario": "base", "level": own, "replications": 8}
    return pd.DataFrame([*rows, base])


def test_thresholds_are_where_an_effect_is_clear_to_the_end_and_where_it_is_half():
    dose = dose_of([0.0, 0.5, 0.7, 0.9, 1.0], [5.0, -12.0, -4.0, -20.0, -40.0], 6.0)
    above, below = analysis.thresholds(dose, "base", ["stock_rented"]).to_dict("records")
    assert (above["side"], above["full_level"], above["full_difference"]) == ("above", 1.0, -40.0)
    assert above["clear_level"] == 0.9  # at .5 as well, but not at .7
    assert above["half_level"] == pytest.approx(0.9)
    assert (below["side"], below["full_level"]) == ("below", 0.0)
    assert np.isnan(below["clear_level"])
    assert np.isnan(below["half_level"])
    (nowhere,) = analysis.thresholds(dose_of([0.5, 1.0], [-2.0, -8.0], 6.0, np.nan), "base", ["stock_rented"]).to_dict("records")
    assert (nowhere["side"], nowhere["clear_level"]) == ("above", 1.0)
    assert nowhere["half_level"] == pytest.approx(0.5 + 0.5 * 2.0 / 6.0)


def test_an_effect_that_turns_is_clear_only_from_where_it_goes_one_way():
    (above,) = analysis.thresholds(dose_of([0.5, 0.8, 1.0], [20.0, -10.0, -30.0], 6.0), "base", ["stock_rented"]).to_dict("records")
    assert above["clear_level"] == 0.8
