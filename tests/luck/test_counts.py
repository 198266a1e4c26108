"""Counts and choices made of one uniform each."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sim.inversion import Wheel, chosen, poisson, repeated, rounded, weighted
from sim.luck import Luck, words

N = 20_000
U = Luck(8).uniforms("count", 0, words(np.arange(N)))
TAILS = np.concatenate([10.0 ** -np.arange(2, 11), 1 - 10.0 ** -np.arange(2, 11)])


@pytest.mark.parametrize("mean", [1e-6, 0.01, 0.3, 1.0, 4.0, 11.0, 29.9])
def test_small_counts_invert_the_distribution_exactly(mean):
    u = np.concatenate([U, TAILS])
    assert np.array_equal(poisson(u, np.full(u.size, mean)), stats.poisson.ppf(u, mean).astype(int))


@pytest.mark.parametrize("mean", [30.0, 45.5, 200.0, 1e4, 1e6])
def test_large_counts_are_within_one(mean):
    u = np.concatenate([U, TAILS])
    assert np.abs(poisson(u, np.full(u.size, mean)) - stats.poisson.ppf(u, mean)).max() <= 1


@pytest.mark.parametrize("mean", [30.0, 200.0, 1e4])
def test_large_counts_have_mean_and_variance_of_poisson(mean):
    counts = poisson(U, np.full(N, mean))
    assert abs(counts.mean() - mean) / np.sqrt(mean / N) < 3.3
    assert abs(counts.var() / mean - 1) / np.sqrt(2 / N) < 3.3


def test_no_count_of_nothing():
    assert not poisson(U, np.zeros(N)).any()
    assert Luck(1).count("nothing", 0, 0.0) == 0
    assert Luck(1).count("nothing", 0, -1.0) == 0


@given(u=st.floats(1e-12, 1 - 1e-12), low=st.floats(0, 200), more=st.floats(0, 50))
@settings(max_examples=200, derandomize=True)
def test_counts_grow_with_their_mean(u, low, more):
    """The same luck with a higher mean never gives fewer events, but for the seam of the two formulas."""
    few, many = poisson(np.array([u, u]), np.array([low, low + more]))
    assert many >= few - (low < 30 <= low + more)


@pytest.mark.parametrize("mean", [0.2, 3.0, 29.99, 30.0, 31.5, 5000.0])
def test_one_count_is_the_count_of_its_uniform(mean):
    """The whole population's count and the vector one are the same inversion."""
    own = Luck(21)
    one_by_one = [own.count("innocents", day, mean) for day in range(400)]
    u = np.array([own.uniform("innocents", day) for day in range(400)])
    assert one_by_one == poisson(u, np.full(400, mean)).tolist()


def test_mixed_means_are_counted_as_if_alone():
    means = np.array([0.0, 0.5, 29.0, 30.0, 400.0])
    u = U[:5]
    assert poisson(u, means).tolist() == [int(poisson(u[k : k + 1], means[k : k + 1])[0]) for k in range(5)]


@pytest.mark.parametrize("mean", [0.0, 0.3, 9.9, 10.1, 29.9])
def test_few_are_counted_as_many_are(mean):
    """A few are searched one by one, more in strips of ten counts; the sums are the same to the bit."""
    means = np.full(N, mean)
    parts = [poisson(U[first : first + 5], means[:5]) for first in range(0, 4_000, 5)]
    assert np.concatenate(parts).tolist() == poisson(U, means)[:4_000].tolist()


@pytest.mark.parametrize("expected", [0.0, 0.25, 3.0, 17.9])
def test_rounding_keeps_the_mean(expected):
    counts = rounded(np.full(N, expected), U)
    assert set(np.unique(counts)) <= {int(np.floor(expected)), int(np.ceil(expected))}
    share = expected - np.floor(expected)
    assert abs(counts.mean() - expected) <= 3.3 * np.sqrt(share * (1 - share) / N)


@pytest.mark.parametrize("weights", [[1.0], [0.5, 0.5], [0.1, 0.0, 2.0, 0.9], [3.0, 1.0, 0.0]])
def test_choice_follows_weights(weights):
    chosen = np.bincount(weighted(U, np.cumsum(weights)), minlength=len(weights))
    share = np.array(weights) / sum(weights)
    assert not chosen[share == 0].any()
    possible = share > 0
    if possible.sum() > 1:
        assert stats.chisquare(chosen[possible], share[possible] * N).pvalue > 1e-3


def test_choice_stays_in_range_at_the_end():
    assert weighted(np.array([np.nextafter(1.0, 0), 1.0]), np.cumsum([0.1, 0.7])).tolist() == [1, 1]


@given(counts=st.lists(st.integers(0, 6), max_size=20))
@settings(max_examples=60, derandomize=True)
def test_repeats_are_numbered_within_their_row(counts):
    rows, ordinals = repeated(np.arange(len(counts)), np.array(counts, dtype=np.int64))
    assert list(zip(rows.tolist(), ordinals.tolist(), strict=True)) == [(r, k) for r, c in enumerate(counts) for k in range(c)]


@given(weights=st.lists(st.floats(0, 1e6), min_size=1, max_size=400).filter(lambda weights: sum(weights) > 0))
@settings(max_examples=60, derandomize=True, deadline=None)
def test_a_wheel_chooses_as_a_search_by_halves(weights):
    """Weights of nothing, of very different size, and a uniform that falls on a border."""
    cumulative = np.cumsum(weights)
    u = np.concatenate([U[:500], cumulative[:-1] / cumulative[-1], [0.0, np.nextafter(1.0, 0)]])
    u = u[u < 1.0]
    assert Wheel(cumulative)(u).tolist() == weighted(u, cumulative).tolist()


def test_rows_choose_by_their_own_weights():
    weights = np.array([[0.1, 0.2, 0.3, 0.4], [0.0, 0.0, 0.0, 1.0], [1.0, 0.0, 0.0, 0.0]])
    rows = np.arange(N) % 3
    found = chosen(U, np.cumsum(weights, axis=1), rows)
    for row, of in enumerate(weights):
        assert found[rows == row].tolist() == weighted(U[rows == row], np.cumsum(of)).tolist()
