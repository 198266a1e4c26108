"""Emulators: Gaussian processes that stand in for the simulation, with the variance of what they do not know."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.faults import Fault, ScenarioError
from sim.matching.targets import Target

Reals = NDArray[np.float64]

MISSING_EXTRA = "scikit-learn is not installed, which calibration by history matching needs: pip install 'abm[analysis]'"
FEWEST = 12
"""Runs with a finite quantity, below which nothing can be learnt of it."""

_CHUNK = 20_000
_ITERATIONS = 80
_LENGTHS, _LENGTH_BOUNDS = 4.0, (0.2, 80.0)
_NOISE, _NOISE_BOUNDS = 0.05, (1e-6, 2.0)
_LOOSE, _LOOSE_NOISE = np.log(3.0), np.log(10.0)
"""Standard deviations of the log-normal priors of the sizes: a factor of three, for the noise of ten. Without them a few runs in many
directions are fitted so closely that nothing is left for luck."""


def _scikit_learn() -> tuple[Any, Any, type[Warning]]:
    """Import what is needed of scikit-learn, only now; raises `ScenarioError` in one line when the extra is not installed."""
    try:
        process, kernels = import_module("sklearn.gaussian_process"), import_module("sklearn.gaussian_process.kernels")
        return process.GaussianProcessRegressor, kernels, import_module("sklearn.exceptions").ConvergenceWarning
    except ImportError as error:
        raise ScenarioError([Fault("", "", "", MISSING_EXTRA)]) from error


def require_extra() -> None:
    """Raise `ScenarioError` when scikit-learn is missing, before anything is simulated."""
    _scikit_learn()


def _climb(objective: Any, start: Reals, bounds: Reals) -> tuple[Reals, float]:
    """Maximise the marginal likelihood times the priors, which lie around the start, in a bounded number of steps; sizes are logs."""
    from scipy import optimize

    loose = np.full(len(start), _LOOSE)
    loose[-1] = _LOOSE_NOISE

    def penalised(sizes: Reals) -> tuple[float, Reals]:
        value, gradient = objective(sizes)
        off = (sizes - start) / loose
        return value + 0.5 * float(off @ off), gradient + off / loose

    minimize: Any = optimize.minimize  # the stubs know no objective that returns its gradient with an array of bounds
    found = minimize(penalised, start, method="L-BFGS-B", jac=True, bounds=bounds, options={"maxiter": _ITERATIONS})
    return found.x, float(found.fun)


@dataclass(frozen=True)
class Prediction:
    """What emulators say at points, `(points, targets)` each, on the targets' scales.

    `mean` of the simulation; `emulator`, variance of that mean from not having simulated there; `noise`, variance between runs.
    """

    mean: Reals
    emulator: Reals
    noise: Reals


class Emulator:
    """A Gaussian process for one target.

    The prior is a linear trend plus a smooth function (Matern 5/2) with a length in each direction, plus independent noise between runs;
    their sizes maximise the marginal likelihood with loose priors (Rasmussen & Williams 2006). Points are in [0, 1], `(n, d)`; values
    on the target's scale.
    """

    def __init__(self, points: Reals, values: Reals, label: str) -> None:
        regressor, kernels, unconverged = _scikit_learn()
        known = np.isfinite(values)
        if known.sum() < FEWEST:
            problem = f"only {known.sum()} of {known.size} runs have a finite value; an emulator needs {FEWEST}: simulate more points"
            raise ScenarioError([Fault("", label, "", problem)])
        self.label = label
        self.points, self.values = points[known], values[known]
        self._shift = float(self.values.mean())
        self._scale = float(self.values.std()) or 1.0
        d = points.shape[1]
        kernel = (
            kernels.ConstantKernel(1.0, (1e-3, 1e3)) * kernels.Matern(np.full(d, _LENGTHS), _LENGTH_BOUNDS, nu=2.5)
            + kernels.ConstantKernel(0.5, (1e-4, 1e2)) * kernels.DotProduct(1.0, "fixed")
            + kernels.WhiteKernel(_NOISE, _NOISE_BOUNDS)
        )
        self._process = regressor(kernel, alpha=1e-10, optimizer=_climb)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", unconverged)  # a parameter that does not matter has its length at the bound
            self._process.fit(_centred(self.points), (self.values - self._shift) / self._scale)

    @property
    def noise(self) -> float:
        """Return the variance between runs of one vector, on the target's scale."""
        return float(self._process.kernel_.k2.noise_level) * self._scale**2

    def __call__(self, points: Reals) -> tuple[Reals, Reals]:
        """Return mean and emulator variance at points, `(n,)` each."""
        mean, variance = np.empty(len(points)), np.empty(len(points))
        for start in range(0, len(points), _CHUNK):
            part = slice(start, start + _CHUNK)
            middle, spread = self._process.predict(_centred(points[part]), return_std=True)
            mean[part], variance[part] = middle, spread**2
        # the predictive variance of a new run, less that between runs
        return self._shift + self._scale * mean, np.maximum(variance * self._scale**2 - self.noise, 0.0)

    @cached_property
    def left_out(self) -> tuple[Reals, Reals]:
        """Return error and standard deviation of each run predicted from all others, `(n,)` each (Rasmussen & Williams 2006, eq. 5.12).

        The sizes of trend, lengths and noise are those fitted to all runs.
        """
        from scipy.linalg import cho_solve

        inverse = cho_solve((self._process.L_, True), np.eye(len(self.values)))
        spread = 1.0 / np.diag(inverse)
        return spread * (inverse @ self._process.y_train_) * self._scale, np.sqrt(spread) * self._scale

    @property
    def r2(self) -> float:
        """Return the share of the variance between points that is predicted when each is left out."""
        error, _ = self.left_out
        return float(1.0 - (error**2).sum() / ((self.values - self._shift) ** 2).sum())

    @property
    def coverage(self) -> float:
        """Return the share of runs inside their own 95 % interval when left out."""
        error, spread = self.left_out
        return float((np.abs(error) <= 1.959964 * spread).mean())


def _centred(points: Reals) -> Reals:
    return 2.0 * points - 1.0


class Emulators:
    """One emulator a target, made of the same runs; `values` is `(runs, targets)` on the targets' scales, NaN where a run has none."""

    def __init__(self, points: Reals, values: Reals, targets: Sequence[Target]) -> None:
        self.targets = tuple(targets)
        self.each = tuple(Emulator(points, values[:, k], target.name) for k, target in enumerate(self.targets))

    @property
    def noise(self) -> Reals:
        """Return the variance between runs of one vector, by target."""
        return np.array([emulator.noise for emulator in self.each])

    def __call__(self, points: Reals) -> Prediction:
        """Predict every target at points `(n, d)`."""
        made = [emulator(points) for emulator in self.each]
        mean, variance = (np.stack([pair[k] for pair in made], axis=1) for k in (0, 1))
        return Prediction(mean, variance, np.broadcast_to(self.noise, mean.shape))

    @cached_property
    def _errors(self) -> Reals:
        """Return errors at runs left out in standard deviations, `(targets, runs)`, for the runs that have every quantity."""
        runs = [{tuple(point): k for k, point in enumerate(emulator.points)} for emulator in self.each]
        shared = [point for point in runs[0] if all(point in other for other in runs)]
        pairs = [(emulator.left_out[0] / emulator.left_out[1], where) for emulator, where in zip(self.each, runs, strict=True)]
        return np.array([[error[where[point]] for point in shared] for error, where in pairs])

    @property
    def shared(self) -> int:
        """Return how many runs have every quantity."""
        return int(self._errors.shape[1])

    @property
    def correlation(self) -> Reals:
        """Return the correlation of the targets' errors at runs left out, `(targets, targets)`: one run's targets share its luck."""
        return np.atleast_2d(np.corrcoef(self._errors))


def implausibility(prediction: Prediction, wanted: Reals, tolerance: Reals) -> Reals:
    """Return how far off each target is, `(points, targets)`, in standard deviations of all that is not known.

    I = |z - E| / sqrt(Var_emulator + Var_runs + tolerance^2), z what is wanted (Craig et al. 1997; Vernon, Goldstein & Bower 2010).
    """
    spread = np.sqrt(prediction.emulator + prediction.noise + tolerance**2)
    return np.asarray(np.abs(wanted - prediction.mean) / spread, dtype=np.float64)
