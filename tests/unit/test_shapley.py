"""Shapley shares and interactions: the axioms, and what they come to order by order, in numbers without rounding."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.exploring.shapley import alone, excess, interactions, last, pairs_of, shares

EXAMPLES = settings(max_examples=50, derandomize=True, deadline=None)
NUMBERS = st.floats(-1e12, 1e12, allow_nan=False)
WHOLE = st.integers(-(10**6), 10**6).map(float)


def games(values, fewest=1, most=5):
    """Return a strategy of games of some levers: a value for every combination."""
    return st.integers(fewest, most).flatmap(lambda k: st.lists(values, min_size=2**k, max_size=2**k))


def column(game):
    return np.array(game, dtype=np.float64)[:, None]


def by_orders(game):
    """Return the mean over all orders of what each lever adds to those before it, as fractions."""
    k = len(game).bit_length() - 1
    sums = [Fraction(0)] * k
    for order in permutations(range(k)):
        before = 0
        for lever in order:
            sums[lever] += Fraction(game[before | 1 << lever]) - Fraction(game[before])
            before |= 1 << lever
    return [total / math.factorial(k) for total in sums]


def pair_by_orders(game, i, j):
    """Return the mean, over all orders in which the pair comes as one, of what it adds beyond each of it alone, as a fraction."""
    k = len(game).bit_length() - 1
    others = [lever for lever in range(k) if lever not in (i, j)]
    total = Fraction(0)
    for order in permutations([*others, -1]):
        s = sum(1 << lever for lever in order[: order.index(-1)])
        both, first, second = s | 1 << i | 1 << j, s | 1 << i, s | 1 << j
        total += Fraction(game[both]) - Fraction(game[first]) - Fraction(game[second]) + Fraction(game[s])
    return total / math.factorial(k - 1)


@EXAMPLES
@given(games(NUMBERS))
def test_a_share_is_the_mean_over_orders_to_the_last_bit(game):
    assert shares(column(game))[:, 0].tolist() == [float(share) for share in by_orders(game)]


@EXAMPLES
@given(games(NUMBERS, fewest=2))
def test_an_interaction_is_the_mean_over_orders_to_the_last_bit(game):
    k = len(game).bit_length() - 1
    assert interactions(column(game))[:, 0].tolist() == [float(pair_by_orders(game, i, j)) for i, j in pairs_of(k)]


@EXAMPLES
@given(games(NUMBERS, most=8))
def test_shares_sum_to_the_effect_but_for_the_rounding_of_each(game):
    found = shares(column(game))[:, 0].tolist()
    left = sum(map(Fraction, found), Fraction(0)) - (Fraction(game[-1]) - Fraction(game[0]))
    assert abs(left) <= sum(Fraction(math.ulp(share)) for share in found) / 2


@EXAMPLES
@given(games(WHOLE, most=6), st.data())
def test_what_adds_the_same_to_every_combination_gets_just_that(game, data):
    """A dummy: its share, its effect alone and as the last are what it adds, and it interacts with nobody; the others keep theirs."""
    added = data.draw(WHOLE)
    values = column([*game, *(value + added for value in game)])  # the last lever is the dummy
    k = len(values).bit_length() - 1
    found = shares(values)[:, 0]
    assert found[-1] == alone(values)[-1, 0] == last(values)[-1, 0] == added
    assert found[:-1].tolist() == shares(column(game))[:, 0].tolist()
    assert all(index == 0.0 for (_, j), index in zip(pairs_of(k), interactions(values)[:, 0], strict=True) if j == k - 1)


@EXAMPLES
@given(games(NUMBERS, fewest=2), st.randoms(use_true_random=False))
def test_names_of_levers_do_not_matter(game, random):
    """Symmetry: with the levers in another order, each has the same share and each pair the same interaction."""
    k = len(game).bit_length() - 1
    new = list(range(k))
    random.shuffle(new)
    renamed = [0.0] * len(game)
    for t, value in enumerate(game):
        renamed[sum(1 << new[j] for j in range(k) if t >> j & 1)] = value
    before, after = (shares(column(one))[:, 0] for one in (game, renamed))
    assert before.tolist() == [after[new[j]] for j in range(k)]
    places = {pair: row for row, pair in enumerate(pairs_of(k))}
    pairs, moved = (interactions(column(one))[:, 0] for one in (game, renamed))
    assert pairs.tolist() == [moved[places[min(new[i], new[j]), max(new[i], new[j])]] for i, j in pairs_of(k)]


@EXAMPLES
@given(games(WHOLE, fewest=2, most=6), st.data())
def test_shares_of_a_sum_are_sums_of_shares(game, data):
    """Additivity; the weights make sixtieths of whole numbers at six levers, so that there is a rounding to allow for."""
    other = data.draw(st.lists(WHOLE, min_size=len(game), max_size=len(game)))
    both = column(game) + column(other)
    assert shares(both) == pytest.approx(shares(column(game)) + shares(column(other)), rel=1e-12, abs=1e-6)
    assert interactions(both) == pytest.approx(interactions(column(game)) + interactions(column(other)), rel=1e-12, abs=1e-6)


@EXAMPLES
@given(games(WHOLE, fewest=2, most=6))
def test_an_interaction_is_how_the_share_of_one_changes_with_the_other_in_force(game):
    values = column(game)
    k = len(game).bit_length() - 1
    for (i, j), index in zip(pairs_of(k), interactions(values)[:, 0], strict=True):
        inside = [t for t in range(2**k) if t >> j & 1]
        outside = [t for t in range(2**k) if not t >> j & 1]
        assert index == pytest.approx(shares(values[inside])[i, 0] - shares(values[outside])[i, 0], rel=1e-12, abs=1e-6)


def test_a_known_game():
    """Two levers that each do 4 alone and 10 together, and a third that does nothing; column by column."""
    game = np.array([0.0, 4.0, 4.0, 10.0] * 2)
    values = np.column_stack([game, -2.0 * game])
    assert shares(values).tolist() == [[5.0, -10.0], [5.0, -10.0], [0.0, 0.0]]
    assert interactions(values).tolist() == [[2.0, -4.0], [0.0, 0.0], [0.0, 0.0]]
    assert alone(values)[:, 0].tolist() == [4.0, 4.0, 0.0]
    assert last(values)[:, 0].tolist() == [6.0, 6.0, 0.0]
    assert excess(values).tolist() == [2.0, -4.0]
