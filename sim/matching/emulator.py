"""Emulators: Gaussian processes that stand in for the simulation, with the variance of what they do not know."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property, partial
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

FOLDS = 5
"""Parts of the runs, each predicted by emulators made of the others."""

_CHUNK = 20_000
_ITERATIONS = 80
_SIZE, _LENGTHS, _TREND, _NOISE = 1.0, 2.0, 0.5, 0.05
_LOOSE, _LOOSE_LENGTHS, _LOOSE_NOISE = np.log(3.0), np.log(1.5), np.log(10.0)
"""Middles of the log-normal priors of the sizes, and their standard deviations as factors. Lengths are kept near each other and near half
of the box: a length for each of sixteen directions, set freely by some hundred runs, fits them too closely."""


class TooFewError(RuntimeError):
    """So few runs have a finite value of a target that nothing can be learnt of it."""


def _scikit_learn() -> tuple[Any, Any, type[Warning]]:
    """Import what is needed of scikit-learn, only now; raises `ScenarioError` in one line when the extra is not installed."""
    try:
        process, kernels = import_module("sklearn.gaussian_process"), import_module("sklearn.gaussian_process.kernels")
        return process.GaussianProcessRegressor, kernels, import_module("sklearn.exceptions").ConvergenceWarning
    except ImportError as error:
        raise ScenarioError([Fault("", "", "", MISSING_EXTRA)]) from error


@cache
def _threads() -> Any:
    """Return what holds linear algebra to one thread: matrices are small, and sums in another order would be other results."""
    return import_module("threadpoolctl").ThreadpoolController()


def _one_thread() -> Any:
    return _threads().limit(limits=1, user_api="blas")


def require_extra() -> None:
    """Raise `ScenarioError` when scikit-learn is missing, before anything is simulated."""
    _scikit_learn()


def _climb(objective: Any, middle: Reals, bounds: Reals, start: Reals | None = None) -> tuple[Reals, float]:
    """Maximise the marginal likelihood times the priors around `middle`, in a bounded number of steps from `start`; sizes are logs."""
    from scipy import optimize

    loose = np.concatenate([[_LOOSE], np.full(len(middle) - 3, _LOOSE_LENGTHS), [_LOOSE, _LOOSE_NOISE]])

    def penalised(sizes: Reals) -> tuple[float, Reals]:
        value, gradient = objective(sizes)
        off = (sizes - middle) / loose
        return value + 0.5 * float(off @ off), gradient + off / loose

    minimize: Any = optimize.minimize  # the stubs know no objective that returns its gradient with an array of bounds
    found = minimize(
        penalised, middle if start is None else start, method="L-BFGS-B", jac=True, bounds=bounds, options={"maxiter": _ITERATIONS}
    )
    return found.x, float(found.fun)


def _process(points: Reals, values: Reals, start: Reals | None = None) -> Any:
    """Return a Gaussian process of points in [-1, 1] and values about 0 and 1 in size; its sizes are sought from `start` on."""
    regressor, kernels, unconverged = _scikit_learn()
    kernel = (
        kernels.ConstantKernel(_SIZE, (1e-3, 1e3)) * kernels.Matern(np.full(points.shape[1], _LENGTHS), (0.2, 50.0), nu=2.5)
        + kernels.ConstantKernel(_TREND, (1e-4, 1e2)) * kernels.DotProduct(1.0, "fixed")
        + kernels.WhiteKernel(_NOISE, (1e-6, 2.0))
    )
    with warnings.catch_warnings(), _one_thread():
        warnings.simplefilter("ignore", unconverged)  # a parameter that does not matter may have its length at the bound
        return regressor(kernel, alpha=1e-10, optimizer=partial(_climb, start=start)).fit(points, values)


def _predicted(process: Any, points: Reals) -> tuple[Reals, Reals]:
    """Return mean and standard deviation of a new run at points."""
    with _one_thread():
        mean, spread = process.predict(points, return_std=True)
    return mean, spread


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
    their sizes maximise the marginal likelihood times priors (Rasmussen & Williams 2006). Sizes that were fitted and are then taken as
    known promise too much, so each of `FOLDS` parts of the runs is predicted by a process made of the others, sizes and all; `inflation`
    is by how much errors exceed what was promised, and all standard deviations are multiplied by it. Points are in [0, 1], `(n, d)`;
    values on the target's scale.
    """

    def __init__(self, points: Reals, values: Reals, label: str) -> None:
        known = np.isfinite(values)
        if known.sum() < FEWEST:
            raise TooFewError(f"{label}: only {known.sum()} of {known.size} runs have a finite value, and an emulator needs {FEWEST}")
        self.label = label
        self.points, self.values = points[known], values[known]
        self._shift = float(self.values.mean())
        self._scale = float(self.values.std()) or 1.0
        inputs, outputs = 2.0 * self.points - 1.0, (self.values - self._shift) / self._scale
        self._whole = _process(inputs, outputs)
        error, spread = np.empty(len(outputs)), np.empty(len(outputs))
        for fold in range(FOLDS):
            out = np.arange(len(outputs)) % FOLDS == fold
            process = _process(inputs[~out], outputs[~out], self._whole.kernel_.theta)
            mean, spread[out] = _predicted(process, inputs[out])
            error[out] = outputs[out] - mean
        self.inflation = max(1.0, float(np.sqrt(((error / spread) ** 2).mean())))
        self.left_out = error * self._scale, spread * self._scale * self.inflation
        """Error and standard deviation of each run predicted by the processes made without it, `(n,)` each."""

    @property
    def noise(self) -> float:
        """Return the variance between runs of one vector (between means, where each has several), on the target's scale, inflated too."""
        return float(self._whole.kernel_.k2.noise_level) * (self._scale * self.inflation) ** 2

    def __call__(self, points: Reals) -> tuple[Reals, Reals]:
        """Return mean and emulator variance at points, `(n,)` each."""
        mean, variance = np.empty(len(points)), np.empty(len(points))
        for start in range(0, len(points), _CHUNK):
            part = slice(start, start + _CHUNK)
            middle, spread = _predicted(self._whole, 2.0 * points[part] - 1.0)
            mean[part], variance[part] = middle, spread**2
        # the predictive variance of a new run, less that between runs
        return self._shift + self._scale * mean, np.maximum(variance * (self._scale * self.inflation) ** 2 - self.noise, 0.0)

    @property
    def r2(self) -> float:
        """Return the share of the variance between points that is predicted of runs left out."""
        error, _ = self.left_out
        return float(1.0 - (error**2).sum() / ((self.values - self._shift) ** 2).sum())

    @property
    def coverage(self) -> float:
        """Return the share of runs left out that lie inside the 95 % interval that was promised, before `inflation`."""
        error, spread = self.left_out
        return float((np.abs(error) <= 1.959964 * spread / self.inflation).mean())


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
    def errors(self) -> Reals:
        """Return errors at runs left out in standard deviations, `(runs, targets)`, for the runs that have every quantity."""
        runs = [{tuple(point): k for k, point in enumerate(emulator.points)} for emulator in self.each]
        shared = [point for point in runs[0] if all(point in other for other in runs)]
        pairs = [(emulator.left_out[0] / emulator.left_out[1], where) for emulator, where in zip(self.each, runs, strict=True)]
        return np.stack([np.array([error[where[point]] for point in shared]) for error, where in pairs], axis=1)

    @property
    def correlation(self) -> Reals:
        """Return the correlation of the targets' errors at runs left out, `(targets, targets)`: one run's targets share its luck."""
        return np.atleast_2d(np.corrcoef(self.errors.T))


def implausibility(prediction: Prediction, wanted: Reals, tolerance: Reals) -> Reals:
    """Return how far off each target is, `(points, targets)`, in standard deviations of all that is not known.

    I = |z - E| / sqrt(Var_emulator + Var_runs + tolerance^2), z what is wanted (Craig et al. 1997; Vernon, Goldstein & Bower 2010).
    """
    spread = np.sqrt(prediction.emulator + prediction.noise + tolerance**2)
    return np.asarray(np.abs(wanted - prediction.mean) / spread, dtype=np.float64)
