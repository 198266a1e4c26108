"""Quantities that targets and patterns share: cases by hand, and the same number from both."""

from __future__ import annotations

import numpy as np
import pytest
from pattern_worlds import BASE, SHARES, WORLD, evidence

from sim.matching.quantities import value_of
from sim.measures import LURED, YEAR, at_least_once_a_year, lured_users, worth
from sim.patterns.people import approached


def test_cases_by_hand():
    assert worth(10.0, 0.5, 300.0, 100.0, 7.0) == 105.0  # 15 yuan a day for a week
    assert worth(*(np.array([one, one]) for one in (2.0, 1.0, 3.0, 3.0, 5.0))).tolist() == [10.0, 10.0]
    assert LURED == ("student", "stay_at_home_parent", "freelancer")
    assert lured_users(1000, SHARES) == pytest.approx(260.0)
    assert at_least_once_a_year(1.0, YEAR / np.log(2.0)) == pytest.approx(0.5)


def test_the_target_and_the_pattern_are_about_the_same_share(days):
    share = value_of("lured_approached_in_a_year_share", {"at_risk_approached": WORLD["at_risk_approached"]}, BASE)
    seen = evidence(days, {})
    assert seen.users == BASE.population.users
    assert approached(seen) == pytest.approx(share, rel=0.01)
