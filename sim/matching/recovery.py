"""Parameter recovery: how often intervals hold the parameters of synthetic worlds, whose parameters are known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from sim.luck import uniforms
from sim.matching.design import Space
from sim.matching.emulator import Emulators
from sim.matching.posterior import posterior
from sim.matching.region import Region
from sim.matching.simulator import Simulator
from sim.matching.targets import Target
from sim.matching.waves import STRIDE, scaled, vectors

Reals = NDArray[np.float64]

LEVEL = 0.95
FEWEST_WORLDS = 2

_DESIGN = 200
LAST_STAGE = 300
"""That of the synthetic worlds: no seed of a calibration is above those of this stage."""


@dataclass(frozen=True)
class Worlds:
    """Synthetic worlds.

    `truth` are their points and `observed` their targets on the targets' scales, `(worlds, ...)`; `failed`, how many gave no targets;
    `emulators`, made once for all of them.
    """

    emulators: Emulators
    truth: Reals
    observed: Reals
    failed: int

    @property
    def statistic(self) -> Reals:
        """Return the chi-square of each world at its own truth, `(worlds,)`."""
        at_truth = Loss(self.emulators, self.truth)
        return np.array([at_truth.statistic(z)[k] for k, z in enumerate(self.observed)])

    @property
    def joint(self) -> NDArray[np.bool_]:
        """Say which worlds have their truth in the joint 95 % region, where the chi-square is below its 95 % point, `(worlds,)`."""
        return np.asarray(self.statistic <= chi2.ppf(LEVEL, len(self.emulators.each)))

    @property
    def untailed(self) -> NDArray[np.bool_]:
        """Say it of the region without `stretch`, `(worlds,)`: what the variances alone promise."""
        return np.asarray(self.statistic * stretch(self.emulators) <= chi2.ppf(LEVEL, len(self.emulators.each)))


@dataclass(frozen=True)
class Recovery:
    """What came of the worlds.

    `joint`: whether the joint region held the truth, `untailed` whether it did without `stretch`, `(worlds,)`; `held`: whether each
    marginal interval did, `(worlds, parameters)`; `width`: of the intervals, in parts of the prior's; `distinct`: different points behind
    a world's intervals.
    """

    names: tuple[str, ...]
    failed: int
    joint: NDArray[np.bool_]
    untailed: NDArray[np.bool_]
    held: NDArray[np.bool_]
    width: Reals
    distinct: NDArray[np.int64]
    fit: Emulators


def synthetic_worlds(
    space: Space, targets: Sequence[Target], simulate: Simulator, sample: Reals, worlds: int, points: int, seed: int
) -> Worlds:
    """Draw parameters of `worlds` worlds from `sample`, simulate each with seeds of its own, and emulate `points` other vectors there.

    `sample` is a uniform sample of a region. Worlds and points are drawn from it alike, so that emulators err in the worlds as they do at
    runs left out: points spread evenly would lie at the region's edge, and the worlds where emulators know less than that tells. A world's
    targets are what its one run gave.
    """
    order = np.argsort(uniforms(seed, "worlds", len(sample)))
    lot, rest = order[:worlds], order[worlds : worlds + points]
    design = space.settled(sample[rest])
    shown = simulate(vectors(space, design, "design", seed + _DESIGN * STRIDE, 1), f"recovery: {len(design)} vectors to emulate")
    emulators = Emulators(design, scaled(shown, targets), targets)
    truth = space.settled(sample[lot])
    seen = simulate(vectors(space, truth, "world", seed + LAST_STAGE * STRIDE, 1), f"recovery: {len(truth)} synthetic worlds")
    observed = scaled(seen, targets)
    fine = np.isfinite(observed).all(axis=1)
    return Worlds(emulators, truth[fine], observed[fine], int((~fine).sum()))


def recover(space: Space, worlds: Worlds, region: Region, sample: Reals, seed: int) -> Recovery | None:
    """Match each synthetic world with its targets and say whether its parameters were found.

    Nothing but the emulators' variance and the variance between runs separates a world from the emulators: there is no tolerance. Errors
    of targets are correlated, and have tails, as those of runs left out. Marginal intervals are the central 95 % of the uniform prior on
    the region, weighted by the likelihood. Joint regions and intervals hold the truth in 95 of 100 worlds if the variances are right.
    Returns None when hardly a world gave targets.
    """
    if len(worlds.truth) < FEWEST_WORLDS:
        return None
    before = _interval(sample)
    held, width, distinct = [], [], []
    for k, (z, x) in enumerate(zip(worlds.observed, worlds.truth, strict=True)):
        after = posterior(partial(_log_likelihood, worlds.emulators, z), sample, region, seed, f"world {k}")
        low, high = _interval(after)
        held.append((low <= x) & (x <= high))
        width.append((high - low) / (before[1] - before[0]))
        distinct.append(len(np.unique(after, axis=0)))
    return Recovery(
        names=space.names,
        failed=worlds.failed,
        joint=worlds.joint,
        untailed=worlds.untailed,
        held=np.array(held),
        width=np.array(width),
        distinct=np.array(distinct),
        fit=worlds.emulators,
    )


@cache
def stretch(emulators: Emulators) -> float:
    """Return by how much the 95 % point of the chi-square at runs left out exceeds that of the chi-square distribution, at least 1.

    Errors have longer tails than normal ones; taken at the rank that holds for one run more (Vovk, Gammerman & Shafer 2005).
    """
    errors = emulators.errors
    found = np.sort(distances(errors, emulators.correlation))
    rank = min(math.ceil(LEVEL * (len(found) + 1)), len(found))
    return max(1.0, float(found[rank - 1] / chi2.ppf(LEVEL, errors.shape[1])))


def distances(errors: Reals, correlation: Reals) -> Reals:
    """Return the squared Mahalanobis distance of each row of errors from 0, `(n,)`."""
    return np.asarray(np.einsum("ij,jk,ik->i", errors, np.linalg.inv(correlation), errors), dtype=np.float64)


class Loss:
    """The distance of an observed world from what emulators say at points `(n, d)`, in their own variance."""

    def __init__(self, emulators: Emulators, points: Reals) -> None:
        said = emulators(points)
        self._mean = said.mean
        self._spread = np.sqrt(said.emulator + said.noise)
        self._correlation = emulators.correlation
        self._stretch = stretch(emulators)

    def statistic(self, observed: Reals) -> Reals:
        """Return the chi-square of one world at each point, `(n,)`.

        That is r' C^-1 r over `stretch`, r the errors in standard deviations, C their correlation.
        """
        r = (observed - self._mean) / self._spread
        return distances(r, self._correlation) / self._stretch

    def log_likelihood(self, observed: Reals) -> Reals:
        """Return the logarithm of the normal likelihood of one world at each point, less a constant, `(n,)`."""
        return np.asarray(-0.5 * self.statistic(observed) - np.log(self._spread).sum(axis=1), dtype=np.float64)


def _log_likelihood(emulators: Emulators, observed: Reals, points: Reals) -> Reals:
    """Return the logarithm of the likelihood of one world at points."""
    return Loss(emulators, points).log_likelihood(observed)


def _interval(points: Reals) -> tuple[Reals, Reals]:
    """Return the central 95 % interval of each coordinate, `(d,)` each."""
    tail = (1.0 - LEVEL) / 2.0
    low, high = np.quantile(points, [tail, 1.0 - tail], axis=0)
    return low, high
