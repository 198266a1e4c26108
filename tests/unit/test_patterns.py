"""Scores of the patterns: made of outcomes of which every answer is known, and each made to come out the other way."""

from __future__ import annotations

import numpy as np
import pytest
from pattern_worlds import FIRST, TESTABLE, WORLD, evidence, judged_alone, law_felt, purged, verdicts, watched

from sim.patterns import CRITERIA, FAIL, NOT_TESTABLE, PASS, PATTERNS, judged
from sim.patterns.experiments import LAW_BURN_IN, QUARTER
from sim.patterns.people import largest_fall
from sim.patterns.scoring import COLUMNS


def test_every_criterion_holds_in_a_world_made_to_fit(days):
    table = judged(evidence(days, watched()))
    assert list(table.columns) == list(COLUMNS)
    assert list(table["criterion"]) == [one.name for one in CRITERIA]
    found = dict(zip(table["criterion"], table["verdict"], strict=True))
    assert [name for name in TESTABLE if found[name] != PASS] == []
    assert {name for name, verdict in found.items() if verdict == NOT_TESTABLE} == {one.name for one in CRITERIA} - set(TESTABLE)
    assert table.loc[table["verdict"] == NOT_TESTABLE, "why"].str.len().min() > 20
    assert set(table["pattern"]) == set(PATTERNS)


IN_OUTCOMES: list[tuple[str, dict[str, dict[str, float]]]] = [
    ("P1a", {"sign_up_75": {"supply_rented": 255.0}}),  # lower than the step before: the last level alone would pass
    ("P1b", {"sign_up_90": {"commission_yuan": 62.0}}),
    ("P1c", {"squeeze_90": {"supply_rented": 205.0, "price_yuan": 13.0, "commission_yuan": 80.0}}),
    ("P1d", {"squeeze_90": {"commission_yuan": 62.0, "price_yuan": 13.0, "supply_rented": 400.0}}),
    ("P2a", {"baseline": {"supply_unsealed": 240.0, "supply_bought": 120.0}}),
    ("P2e", {"squeeze_70": {"price_yuan": 10.9, "supply_rented": 400.0}}),
    ("P3a", {"entry_high_squeeze": {"price_yuan": 15.0}}),
    ("P3c", {"bypass": {"price_yuan": 9.5}}),
    ("P5a", {"without_owners": {"supply_account_days": 600.0}}),
    ("P5b", {"without_all": {"supply_account_days": 640.0}}),
    ("P6h", {"baseline": {"owners_banned_student": 1.0, "owners_banned_freelancer": 1.3}}),
    ("P6i", {"baseline": {"owners_repeat": 4.0}}),
    ("P7c", {"baseline": {"at_risk_approached": 3000.0}}),
    ("P7d", {"baseline": {"inflow_bought": 90.0}}),
    ("P7e", {"baseline": {"at_risk_approached": 130.0}}),
    ("P8d", {"baseline": {"dealer_top_share": 0.11}}),
    ("P9c", {"baseline": {"exit_age_unsealed": 20.0}}),
    ("P9d", {"baseline": {"exit_age_registered": 6000.0}}),
]  # fmt: skip


@pytest.mark.parametrize(("fails", "changes"), IN_OUTCOMES, ids=[name for name, _ in IN_OUTCOMES])
def test_a_criterion_fails_where_outcomes_say_otherwise(fails, changes):
    assert judged_alone(fails, changes=changes)[fails] == FAIL


IN_WATCHED: list[tuple[str, dict[str, float]]] = [
    ("P2b", {"worth_old_named": 2.1}),
    ("P2c", {"worth_young_named": 1.2}),
    ("P2d", {"worth_paying": 1.02}),
    ("P7a", {"informed_ratio": 0.9}),
    ("P7b", {"informed_ratio_early": 0.9}),
    ("P8a", {"pairs": 5.1}),
    ("P8e", {"renters_turned_dealers": 0.0}),
    ("P9a", {"harm_yuan_rented": 40.0}),
]


@pytest.mark.parametrize(("name", "counted"), IN_WATCHED)
def test_a_criterion_fails_where_a_watched_run_says_otherwise(days, name, counted):
    assert verdicts(days, watched(counted), (name[:2],))[name] == FAIL


def test_prices_after_arrests_must_fall_with_entry(days):
    assert verdicts(days, watched(prices=(12.0, 12.0, 12.0)), ("P3",))["P3b"] == FAIL
    assert verdicts(days, watched(prices=(14.0, 14.5, 10.5)), ("P3",))["P3b"] == FAIL, "the middle one is out of order"


def test_a_purge_must_be_deep_enough_and_over_in_time(days):
    shallow, lasting = (judged_alone("P4", purge=purged(*shape)) for shape in ((0.1, 30.0), (0.4, 200.0)))
    assert (shallow["P4a"], shallow["P4b"]) == (FAIL, PASS)
    assert (lasting["P4a"], lasting["P4b"]) == (PASS, FAIL)
    assert verdicts(days, only=("P4",))["P4c"] == PASS
    quick = watched()
    for one in quick["purge_and_arrests"]:
        one["supply_account_days"][FIRST + 30 :] *= 2.0
    assert verdicts(days, quick, ("P4",))["P4c"] == FAIL


def test_law_must_jump_late_dip_and_stay():
    def flat(name: str, day: int) -> float:
        late = day >= LAW_BURN_IN + QUARTER
        return WORLD[name] * (5.0 if late and name == "sanctions_legal_helper" else 1.0)

    def at_once(name: str, day: int) -> float:
        return WORLD[name] * (5.0 if day >= LAW_BURN_IN and name == "sanctions_legal_helper" else 1.0)

    def gone(name: str, day: int) -> float:
        return law_felt(name, day) if day < LAW_BURN_IN + 4 * QUARTER else WORLD[name]

    assert judged_alone("P6", law=lambda name, _: WORLD[name])["P6c"] == FAIL
    steady = judged_alone("P6", law=flat)
    assert (steady["P6d"], steady["P6e"], steady["P6f"]) == (PASS, FAIL, PASS)
    assert judged_alone("P6", law=at_once)["P6d"] == FAIL
    assert judged_alone("P6", law=gone)["P6f"] == FAIL


def test_dealers_must_be_few_among_the_sanctioned():
    def hunted(name: str, day: int) -> float:
        return 3.0 if name == "arrests_dealer" else law_felt(name, day)

    def none_of_the_owners(name: str, day: int) -> float:
        return 0.2 if name == "sanctions_legal_owner" else law_felt(name, day)

    found = judged_alone("P6", law=hunted)
    assert (found["P6a"], found["P6b"]) == (FAIL, FAIL)
    assert judged_alone("P6", law=none_of_the_owners)["P6g"] == FAIL


def test_holdings_alike_have_no_heavy_tail(days):
    seen = watched()
    for one in seen["census"]:
        one["holdings_0"] = np.array([12.0, 11.0, 10.0, 10.0, 9.0])
    found = verdicts(days, seen, ("P8",))
    assert (found["P8b"], found["P8c"]) == (FAIL, FAIL)


def test_rented_accounts_must_avert_more(days):
    seen = watched()
    seen["fewer_rented"], seen["fewer_registered"] = seen["fewer_registered"], seen["fewer_rented"]
    assert verdicts(days, seen, ("P9",))["P9b"] == FAIL


def test_noise_makes_no_dip():
    """Quarters that differ by chance alone: some fall is always the largest, and it must be clear of 0 in few worlds only."""
    rng = np.random.default_rng(5)
    falls = [largest_fall(rng.poisson(50.0, (6, 6)).astype(float)) for _ in range(400)]
    assert np.mean([fall.value for fall in falls]) < -0.05
    assert np.mean([fall.high < 0.0 for fall in falls]) < 0.05, "a two-sided 5 % for all three together leaves 2.5 %"
    true = rng.poisson(np.array([10.0, 50.0, 900.0, 600.0, 800.0, 800.0]), (6, 6)).astype(float)
    assert largest_fall(true).value == pytest.approx(-1 / 3, abs=0.1)
    assert largest_fall(true).high < -0.1
    assert np.isnan(largest_fall(np.zeros((3, 6)))).all(), "nobody was sanctioned"
