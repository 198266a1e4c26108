"""Every outcome has a name in words, in one place."""

from __future__ import annotations

import pytest

from sim.dashboard.numbers import NUMBERS
from sim.experiment_file import HEADLINE, SHOWN
from sim.names import NAMES, is_plural, name_of, title_of
from sim.report.page import _RUN_SHOWN
from sim.store import MEANS

PLAIN = {
    "victims", "owners_banned", "innocents_sanctioned", "spam_messages", "assists_wanted", "appeals_upheld", "review_backlog",
    "expected_harm_yuan", "enforcement_cost_yuan",
}  # fmt: skip
"""Columns that are called as a manager would call them."""


def test_every_outcome_that_can_be_shown_has_a_name_of_its_own():
    assert set(NAMES) == set(MEANS)
    assert len(set(NAMES.values())) == len(NAMES)
    assert len({title_of(outcome) for outcome in NAMES}) == len(NAMES)


def test_no_name_is_a_bare_column():
    for outcome in MEANS:
        bare = outcome.removesuffix("_yuan").replace("_", " ")
        for name in (name_of(outcome), title_of(outcome).lower()):
            assert "_" not in name
            assert name != bare or outcome in PLAIN


@pytest.mark.parametrize("outcome", [*SHOWN, *HEADLINE, *_RUN_SHOWN, *NUMBERS])
def test_what_is_shown_unasked_has_a_name_and_a_title(outcome):
    assert outcome in NAMES
    assert title_of(outcome)[0].isupper()


@pytest.mark.parametrize(
    ("outcome", "name", "title", "plural"),
    [
        ("stock_unsealed", "unsealed accounts", "Unsealed accounts in use", True),
        ("signups_blocked", "legitimate sign-ups blocked", "Legitimate sign-ups blocked", True),
        ("harm_total_yuan", "realised harm", "Realised harm", False),
        ("price_yuan", "the price", "Price of supply", False),
        ("rented_stay_at_home_parent", "new rentals by stay-at-home parents", "New rentals by stay-at-home parents", True),
        ("lifetime_days_unsealed", "the working life of an unsealed account", "Working life of an unsealed account", False),
        ("no_such_days", "no such days", "No such days", True),
    ],
)
def test_names_titles_and_numbers(outcome, name, title, plural):
    assert (name_of(outcome), title_of(outcome), is_plural(outcome)) == (name, title, plural)
