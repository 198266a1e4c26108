"""The same comparison under several rules of learning, side by side."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from sim.analysis.structure import NONE, OPPOSITE, SAME, UNCLEAR, in_words, side_by_side, verdict
from sim.cli import main

ROOT = Path(__file__).parents[2]


def table(*rows):
    columns = ["scenario", "outcome", "difference_low", "difference_high", "relative", "relative_low", "relative_high", "difference"]
    return pd.DataFrame(rows, columns=columns)


@pytest.mark.parametrize(
    ("intervals", "said"),
    [
        ([(1, 2), (0.1, 5), (3, 4)], SAME),
        ([(-2, -1), (-5, -0.1)], SAME),
        ([(1, 2), (-2, -1), (3, 4)], OPPOSITE),
        ([(1, 2), (-1, 4)], UNCLEAR),
        ([(1, 2), (0, 0)], UNCLEAR),
        ([(-1, 2), (-1, 4)], UNCLEAR),
        ([(0, 0), (0, 0)], NONE),
    ],
)
def test_verdicts(intervals, said):
    assert verdict(intervals) == said


def test_effects_stand_beside_each_other():
    one = table(("a", "x", 1, 3, 0.2, 0.1, 0.3, 2), ("a", "y", -1, 3, 0.2, -0.1, 0.3, 1))
    two = table(("a", "x", 2, 4, 0.3, 0.2, 0.4, 3), ("a", "y", 1, 4, 0.3, 0.2, 0.4, 2))
    made = side_by_side({"logit": one, "exp3": two}, ("x", "y"))
    assert made.to_dict("records")[0] == {
        "policy": "a",
        "outcome": "x",
        "unit": "share of baseline",
        "logit": 0.2,
        "logit_low": 0.1,
        "logit_high": 0.3,
        "exp3": 0.3,
        "exp3_low": 0.2,
        "exp3_high": 0.4,
        "verdict": SAME,
    }
    assert in_words(made) == ["1 of 2 effects have the same sign, beyond chance, under every rule of learning.", "Unclear: a on y."]
    with pytest.raises(ValueError, match="other policies"):
        side_by_side({"logit": one, "exp3": two.assign(scenario="b")}, ("x",))


@pytest.mark.slow
def test_a_comparison_under_every_rule(tmp_path, capsys):
    (tmp_path / "b.toml").write_text("[run]\ndays = 8\nburn_in_days = 2\nsettle_days = 1\n[population]\nusers = 1000000\n")
    (tmp_path / "p.toml").write_text('extends = "b.toml"\n[policies.registration_audit]\nstrength = 1.0\n')
    files = [str(tmp_path / "b.toml"), str(tmp_path / "p.toml"), "--out", str(tmp_path / "out")]
    assert main(["compare", *files, "--over-learning", "--replications", "2", "--workers", "1"]) == 0
    assert "under every rule of learning" in capsys.readouterr().out
    made = pd.read_csv(tmp_path / "out" / "learning.csv")
    assert {"logit", "exp3", "replicator", "verdict"} <= set(made.columns)
    for rule in ("logit", "exp3", "replicator"):
        assert (tmp_path / "out" / rule / "comparison.csv").exists()
    capsys.readouterr()
    assert main(["compare", *files, "--over-learning", "--set", "dealers.learning=exp3"]) == 2
    assert "--over-learning" in capsys.readouterr().err
    assert main(["compare", *files, "--over-learning", "--over-uncertainty", "3"]) == 2
    assert "one at a time" in capsys.readouterr().err
