"""Keyed draws are uniform and independent, and an entity keeps its luck whatever happens to others."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sim import luck
from sim.inversion import repeated
from sim.luck import Luck, join, words

LEAST_P = 1e-3  # two-sided 3.3 sigma
N = 20_000
KEYS = words(np.arange(N))
LARGE_KEYS = join(KEYS, 99)


def correlation_z(a: np.ndarray, b: np.ndarray) -> float:
    """Correlation of two samples in standard errors under independence."""
    return float(np.corrcoef(a, b)[0, 1] * np.sqrt(a.size))


@pytest.mark.parametrize("keys", [KEYS, LARGE_KEYS], ids=["consecutive", "hashed"])
@pytest.mark.parametrize("day", [0, 1, 539])
def test_draws_are_uniform(keys, day):
    u = Luck(3).uniforms("process", day, keys)
    assert ((u > 0) & (u < 1)).all()
    assert stats.kstest(u, "uniform").pvalue > LEAST_P
    assert stats.chisquare(np.bincount((u * 64).astype(int), minlength=64)).pvalue > LEAST_P


def test_pairs_of_neighbours_fill_the_square():
    u = Luck(3).uniforms("process", 5, KEYS)
    cells = (u[:-1:2] * 8).astype(int) * 8 + (u[1::2] * 8).astype(int)
    assert stats.chisquare(np.bincount(cells, minlength=64)).pvalue > LEAST_P


def test_low_bits_are_uniform_too():
    bits = Luck(3).bits("process", 5, KEYS)
    for shift in (0, 11, 32):
        part = ((bits >> np.uint64(shift)) & np.uint64(15)).astype(int)
        assert stats.chisquare(np.bincount(part, minlength=16)).pvalue > LEAST_P


@pytest.mark.parametrize(
    "other",
    [
        Luck(3).uniforms("fraud", 7, KEYS),
        Luck(3).uniforms("audit", 8, KEYS),
        Luck(3).uniforms("audit", 7 + 365, KEYS),
        Luck(4).uniforms("audit", 7, KEYS),
        Luck(3).uniforms("audit", 7, KEYS + np.uint64(1)),
        Luck(3).uniforms("audit ", 7, KEYS),
    ],
    ids=["process", "next day", "next year", "seed", "neighbour", "similar name"],
)
def test_processes_days_seeds_and_keys_are_independent(other):
    one = Luck(3).uniforms("audit", 7, KEYS)
    assert not (one == other).any()
    assert abs(correlation_z(one, other)) < 3.3
    table = np.histogram2d(one, other, bins=8, range=[[0, 1], [0, 1]])[0]
    assert stats.chisquare(table.ravel()).pvalue > LEAST_P


def test_days_of_one_key_are_independent():
    u = np.array([Luck(3).uniform("audit", day, 12) for day in range(4000)])
    assert stats.kstest(u, "uniform").pvalue > LEAST_P
    for lag in (1, 2, 7):
        assert abs(correlation_z(u[:-lag], u[lag:])) < 3.3


def test_seeds_of_one_event_are_independent():
    u = np.array([Luck(seed).uniform("audit", 3, 12) for seed in range(4000)])
    assert stats.kstest(u, "uniform").pvalue > LEAST_P
    assert abs(correlation_z(u[:-1], u[1:])) < 3.3


@given(
    seed=st.integers(0, 2**53),
    day=st.integers(0, 20_000),
    keys=st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=8),
    process=st.text(),
)
@settings(max_examples=60, derandomize=True)
def test_a_draw_depends_on_seed_process_day_and_key_alone(seed, day, keys, process):
    """One by one, in any company and in any order: the same number to the bit."""
    own = Luck(seed)
    together = own.uniforms(process, day, np.array(keys, dtype=np.uint64))
    alone = [Luck(seed).uniform(process, day, key) for key in keys]
    backwards = Luck(seed).uniforms(process, day, np.array(keys[::-1], dtype=np.uint64))[::-1]
    assert together.tolist() == alone == backwards.tolist()


@given(n=st.integers(1, 40), more=st.integers(0, 40), day=st.integers(0, 600))
@settings(max_examples=40, derandomize=True)
def test_first_children_keep_their_keys_when_there_are_more(n, more, day):
    """The first n events of an entity are the same ones when it brings about more of them."""
    parents = words(np.array([5, 6]))
    few, few_at = repeated(np.array([0, 1]), np.array([n, n]))
    many, many_at = repeated(np.array([0, 1]), np.array([n + more, n]))
    a = Luck(1).children("advert", day, parents[few], few_at)
    b = Luck(1).children("advert", day, parents[many], many_at)
    assert b[:n].tolist() == a[:n].tolist()
    assert b[n + more :].tolist() == a[n:].tolist()
    assert np.unique(b).size == b.size


def test_children_have_luck_of_their_own():
    first, second = (Luck(1).children("advert", 3, KEYS, np.full(N, ordinal)) for ordinal in (0, 1))
    u, v = (Luck(1).uniforms("user", 3, keys) for keys in (first, second))
    assert stats.kstest(u, "uniform").pvalue > LEAST_P
    assert abs(correlation_z(u, v)) < 3.3
    assert abs(correlation_z(u, Luck(1).uniforms("user", 3, KEYS))) < 3.3


def test_joined_keys_differ_by_every_part_and_its_place():
    key = words(np.array([1]))
    made = [join(key, *parts).item() for parts in [(), (1,), (2,), (1, 2), (2, 1), (1, 2, 0)]]
    assert len(set(made)) == len(made)


def test_normals_are_normal():
    assert stats.kstest(Luck(2).normals("loss", 4, KEYS), "norm").pvalue > LEAST_P


def test_draws_for_analysis_are_keyed_by_seed_and_process():
    one = luck.uniforms(5, "bootstrap", (100, 20))
    assert one.shape == (100, 20)
    assert np.array_equal(one, luck.uniforms(5, "bootstrap", (100, 20)))
    assert abs(correlation_z(one.ravel(), luck.uniforms(6, "bootstrap", (100, 20)).ravel())) < 3.3
    assert stats.kstest(luck.normals(5, "bootstrap", 5000), "norm").pvalue > LEAST_P


@pytest.mark.parametrize("count", [0, 1, 100, 9_000, 40_000])
def test_draws_of_several_processes_at_once_are_those_one_by_one(count):
    """Few keys are drawn together, many in blocks; neither changes a bit."""
    keys, fortune = words(np.arange(count)), Luck(5)
    for day in [7, 63, 64, 7]:
        together = fortune.each(("a", "b", "c"), day, keys)
        assert together.shape == (3, count)
        for row, process in zip(together, ("a", "b", "c"), strict=True):
            assert np.array_equal(row, fortune.uniforms(process, day, keys))
            assert np.array_equal(row[:20], [fortune.uniform(process, day, key) for key in range(min(count, 20))])
            assert np.array_equal(row[-20:], fortune.uniforms(process, day, keys[-20:]))


@pytest.mark.parametrize("count", [0, 1, 64, 65])
def test_draws_of_those_who_stay_are_those_of_each_day(count):
    """Days are drawn in spans of 64; others draw from a day on, in the middle of one."""
    fortune, keys, others = Luck(5), words(np.arange(count)), words(np.arange(count) + 7)
    for day in [0, 1, 63, 64, 65, 200, 64]:
        assert np.array_equal(fortune.daily("a", day, keys), fortune.uniforms("a", day, keys))
    for day, who in [(65, others), (66, keys[:1]), (67, others)]:
        assert np.array_equal(fortune.daily("a", day, who), fortune.uniforms("a", day, who))
        assert np.array_equal(fortune.daily("b", day, who), fortune.uniforms("b", day, who))


def test_mixing_leaves_what_it_is_given_alone():
    keys = words(np.arange(10))
    join(keys, 1)
    Luck(1).uniforms("a", 0, keys)
    assert keys.tolist() == list(range(10))
