"""One emulator: what it knows, what it doubts, and its errors at runs left out."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sim.matching import emulator
from sim.matching.design import hypercube
from sim.matching.emulator import FOLDS, Emulator, TooFewError


def test_an_emulator_knows_what_it_was_shown_and_doubts_elsewhere():
    points = hypercube(2, 40, 1)
    made = Emulator(points, np.sin(5.0 * points[:, 0]) + points[:, 1], "toy")
    fresh = np.random.default_rng(1).random((200, 2))
    mean, variance = made(fresh)
    error = mean - np.sin(5.0 * fresh[:, 0]) - fresh[:, 1]
    assert np.sqrt((error**2).mean()) < 0.05
    at_runs, far = made(points)[1].mean(), made(points + 3.0)[1].mean()
    assert at_runs < variance.mean() < far
    assert made.r2 > 0.99
    assert made.coverage >= 0.8


def test_left_out_errors_are_those_of_emulators_made_without_the_part():
    points = hypercube(2, 25, 2)
    values = points[:, 0] ** 2 + 0.1 * np.sin(40.0 * points[:, 1])
    made = Emulator(points, values, "toy")
    error, spread_of = made.left_out
    shift, scale = values.mean(), values.std()
    standard = []
    for fold in range(FOLDS):
        out = np.arange(25) % FOLDS == fold
        process = emulator._process(2.0 * points[~out] - 1.0, (values[~out] - shift) / scale)
        mean, deviation = process.predict(2.0 * points[out] - 1.0, return_std=True)
        assert error[out] == pytest.approx(values[out] - shift - scale * mean, abs=1e-3 * scale)
        standard.append((values[out] - shift - scale * mean) / (scale * deviation))
        assert spread_of[out] == pytest.approx(made.inflation * scale * deviation, rel=1e-2)
    assert made.inflation == pytest.approx(max(1.0, np.sqrt((np.concatenate(standard) ** 2).mean())), rel=1e-2)


def test_emulators_that_err_more_than_they_promise_say_so():
    """A step looks smooth on one side and on the other: what is promised is missed near it."""
    points = hypercube(1, 60, 3)
    jump = Emulator(points, np.where(points[:, 0] > 0.503, 1.0, 0.0) + 1e-3 * np.sin(points[:, 0]), "jump")
    smooth = Emulator(points, np.sin(3.0 * points[:, 0]), "smooth")
    assert jump.inflation > 1.2 * smooth.inflation
    fresh = np.random.default_rng(3).random((400, 1))
    mean, variance = jump(fresh)
    held = np.abs(np.where(fresh[:, 0] > 0.503, 1.0, 0.0) - mean) <= 1.96 * np.sqrt(variance + jump.noise)
    assert held.mean() >= 0.9


def test_what_no_run_has_cannot_be_emulated():
    with pytest.raises(TooFewError, match="only 3 of 20 runs have a finite value"):
        Emulator(hypercube(2, 20, 1), np.array([1.0, 2.0, 3.0] + [math.nan] * 17), "toy")
