"""One emulator: what it knows, what it doubts, and its errors at runs left out."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sim.faults import ScenarioError
from sim.matching.design import hypercube
from sim.matching.emulator import Emulator


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


def test_left_out_errors_are_those_of_emulators_made_without_the_run():
    from sklearn.gaussian_process import GaussianProcessRegressor

    points = hypercube(2, 15, 2)
    values = points[:, 0] ** 2 + 0.1 * np.sin(40.0 * points[:, 1])
    made = Emulator(points, values, "toy")
    error, spread_of = made.left_out
    shift, scale = values.mean(), values.std()
    for k in (0, 7, 14):
        others = np.delete(np.arange(15), k)
        again = GaussianProcessRegressor(made._process.kernel_, alpha=1e-10, optimizer=None)
        again.fit(2.0 * points[others] - 1.0, (values[others] - shift) / scale)
        mean, deviation = again.predict(2.0 * points[[k]] - 1.0, return_std=True)
        assert error[k] == pytest.approx(float(values[k] - shift - scale * mean[0]), abs=1e-8)
        assert spread_of[k] == pytest.approx(float(scale * deviation[0]), rel=1e-6)


def test_what_no_run_has_cannot_be_emulated():
    with pytest.raises(ScenarioError, match="only 3 of 20 runs have a finite value"):
        Emulator(hypercube(2, 20, 1), np.array([1.0, 2.0, 3.0] + [math.nan] * 17), "toy")
