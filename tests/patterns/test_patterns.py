"""The patterns in a smaller market: those that hold must hold here, and be lost when their mechanism is cut.

The rest of the scorecard, failures included, needs the whole experiment: `abm validate`, and the nightly test at the end.
"""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import pytest

from sim.conduct import carry_out
from sim.patterns import CRITERIA, FAIL, PASS, SHORTER, plan, table
from sim.patterns.scoring import COLUMNS, Evidence, judged
from sim.scenario import load_scenario

ROOT = Path(__file__).parents[2]
BY_NAME = {one.name: one for one in CRITERIA}

HOLDING = (
    *("P1c", "P1d", "P2b", "P4a", "P4b", "P5a", "P5b", "P6h", "P6i", "P7a", "P7c", "P7d", "P7e", "P8a", "P8d", "P9a", "P9c"),
)  # fmt: skip
"""Criteria that hold by a wide margin at full size, and need no more than seven scenarios and two watched runs."""

FAILING = ("P2d", "P9d")
"""Criteria that the description of the world cannot meet: a pass would mean that the scorecard has stopped looking."""


def verdict(name: str, evidence: Evidence) -> tuple[object, ...]:
    """Return verdict and numbers of a criterion."""
    row = dict(zip(COLUMNS, judged(BY_NAME[name], evidence), strict=True))
    return row["verdict"], tuple(row[end] for end in ("model", "low", "high")), row["detail"]


@pytest.mark.slow
@pytest.mark.parametrize("name", HOLDING)
def test_holds(shipped, name):
    found, numbers, detail = verdict(name, shipped)
    assert found == PASS, f"{numbers} {detail}"


@pytest.mark.slow
@pytest.mark.parametrize("name", FAILING)
def test_fails_as_reported(shipped, name):
    assert verdict(name, shipped)[0] == FAIL


CUTS = {
    "no trust in real accounts": (
        "P9a",
        "census",
        {
            "account": {"quality_rented": 1.0, "trusted_fit": 1.0, "fresh_fit": 1.0},
            "harm": {"fraud_rented": 0.004, "friend_approaches": 0.0},
        },
    ),
    "knowledge changes nothing": ("P7a", "campaign", {"awareness": {"informed_factor": 1.0}}),
    "no word of friends, no example": (
        "P8a",
        "census",
        {"renting": {"community_weight": 0.0, "referral_per_day": 0.0, "home_approach_per_day": 0.0}},
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("what", CUTS)
def test_is_lost_when_its_mechanism_is_cut(cut, what):
    name, watched, parameters = CUTS[what]
    found, numbers, _ = verdict(name, cut(parameters, watched))
    assert found == FAIL
    value = float(str(numbers[0]))
    # without the mechanism: harm alike, acceptance alike, pairs as many as chance makes; a factor of two leaves room for noise
    assert {"P9a": value < 2.0, "P7a": abs(value) < 0.2, "P8a": value < 2.0}[name], numbers


@pytest.mark.nightly
def test_the_committed_scorecard_is_what_the_model_gives():
    """Same seeds, same verdicts and numbers; a change that moves results must be committed with its scorecard."""
    committed = pd.read_csv(ROOT / "results" / "reference" / "validation" / "scorecard.csv")
    asked = plan(load_scenario(ROOT / "scenarios" / "baseline.toml", SHORTER), int(committed["replications"].max()))
    found = table(carry_out(asked))
    assert list(found["criterion"]) == list(committed["criterion"])
    assert list(found["verdict"]) == list(committed["verdict"])
    for given, kept in zip(found["model"], committed["model"], strict=True):
        assert math.isnan(given) == math.isnan(kept)
        assert math.isnan(given) or given == pytest.approx(kept, rel=1e-6, abs=1e-9)
