"""The non-implausible region: what no wave of emulators has ruled out, how large it is, and points drawn from it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sim.luck import uniforms
from sim.matching.emulator import Emulators, implausibility
from sim.matching.targets import Target

Reals = NDArray[np.float64]

CUT = 3.0
"""A point is ruled out when the largest of its implausibilities is above it."""

_CHUNK = 50_000


@dataclass(frozen=True)
class Share:
    """A part of the box, by Monte Carlo: `kept` of `drawn` uniform points, with the binomial standard error."""

    kept: int
    drawn: int

    @property
    def value(self) -> float:
        """Return the share."""
        return self.kept / self.drawn if self.drawn else math.nan

    @property
    def error(self) -> float:
        """Return its standard error."""
        return math.sqrt(self.value * (1.0 - self.value) / self.drawn) if self.drawn else math.nan


@dataclass
class Region:
    """The points of the box `[0, 1]^size` that every wave so far leaves in: maximum implausibility at most `CUT` in each."""

    size: int
    targets: Sequence[Target]
    waves: list[Emulators] = field(default_factory=list)

    @property
    def wanted(self) -> Reals:
        """Return what is wanted of each target, on its scale."""
        return np.array([target.middle for target in self.targets])

    @property
    def tolerance(self) -> Reals:
        """Return the tolerance of each target, on its scale."""
        return np.array([target.tolerance for target in self.targets])

    def worst(self, points: Reals, wave: int = -1) -> Reals:
        """Return the largest implausibility of each point under one wave, `(n,)`."""
        return np.asarray(implausibility(self.waves[wave](points), self.wanted, self.tolerance).max(axis=1), dtype=np.float64)

    def holds(self, points: Reals) -> NDArray[np.bool_]:
        """Say which points are left in, `(n,)`. Each target is asked only about the points that are left by those before it."""
        left = np.arange(len(points))
        for wave in self.waves:
            for emulator, target in zip(wave.each, self.targets, strict=True):
                mean, variance = emulator(points[left])
                spread = np.sqrt(variance + emulator.noise + target.tolerance**2)
                left = left[np.abs(target.middle - mean) <= CUT * spread]
        held = np.zeros(len(points), dtype=np.bool_)
        held[left] = True
        return held

    def sample(self, wanted: int, most: int, seed: int, name: str) -> tuple[Reals, Share]:
        """Draw uniform points of the box until `wanted` are in the region or `most` are drawn.

        Returns those in the region, a uniform sample of it in the order of the draws, and the share of the box that it takes.
        """
        kept: list[Reals] = []
        found = drawn = 0
        while found < wanted and drawn < most:
            cloud = uniforms(seed, f"{name} {drawn // _CHUNK}", (min(_CHUNK, most - drawn), self.size))
            held = cloud[self.holds(cloud)]
            kept.append(held)
            found, drawn = found + len(held), drawn + len(cloud)
        points = np.concatenate(kept) if kept else np.empty((0, self.size))
        return points, Share(found, drawn)

    def walk(self, points: Reals, steps: int, seed: int) -> Reals:
        """Return more points of the region: `steps` moves of each of the given ones, `(n (steps + 1), size)`, those given first.

        Moves are differences of the given points, and are taken when they stay in the region (ter Braak 2006). The given points being a
        uniform sample, so are those after each move; but points of one walk are alike.
        """
        if len(points) < 3:
            return points
        here, seen = points.copy(), [points]
        for step in range(steps):
            moved = leap(here, points, uniforms(seed, f"walk {step}", (len(points), 3)))
            asked = np.flatnonzero(((moved > 0.0) & (moved < 1.0)).all(axis=1))
            taken = asked[self.holds(moved[asked])]
            here = here.copy()
            here[taken] = moved[taken]
            seen.append(here)
        return np.concatenate(seen)


def leap(here: Reals, among: Reals, u: Reals) -> Reals:
    """Return points moved by a part of the difference of two others (ter Braak 2006); `u` is uniform, `(n, 3)`."""
    first, second = ((u[:, k] * len(among)).astype(np.int64) for k in (0, 1))
    reach = 2.38 / math.sqrt(2.0 * here.shape[1]) * (0.3 + u[:, 2])
    return np.asarray(here + reach[:, None] * (among[first] - among[second]), dtype=np.float64)
