"""Waves of history matching: simulate, emulate, rule out, and simulate again in what is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.matching.design import Space, hypercube, spread
from sim.matching.emulator import Emulators
from sim.matching.region import Region, Share
from sim.matching.simulator import Simulator, Vector
from sim.matching.targets import Problem, Target

Reals = NDArray[np.float64]

SHARP = 0.1
"""Waves stop when the emulators' variance is, at half of the region or more, a smaller part than this of all variance of each target."""

CLOUD, WANTED = 1_000_000, 5_000
"""Uniform points are drawn after each wave until `WANTED` are in the region or `CLOUD` are drawn."""

FEW = 400
"""With fewer points than that in the region they are walked on, so that designs have something to choose from."""

STRIDE = 1_000_000
"""Seeds of one stage are apart from those of the next by this many, so that no two vectors share their luck."""

_STEPS = 40

SHORT_OF_WAVES, NOTHING_LEFT, SHARP_ENOUGH, GOING = "the last wave asked for", "nothing is left", "emulators are sharp enough", ""


@dataclass(frozen=True)
class Wave:
    """One wave: its new points and their quantities, how many runs failed, how many were inside, what is left, why it was the last."""

    number: int
    points: Reals
    quantities: Reals
    failed: int
    inside: int
    trained: int
    share: Share
    vagueness: Reals
    """By hard target: median over the region of the emulator's part of all variance."""
    last: str


@dataclass(frozen=True)
class History:
    """All waves, the region that they leave, and a uniform sample of it (in the order of drawing)."""

    waves: tuple[Wave, ...]
    region: Region
    sample: Reals


def scaled(quantities: Reals, targets: Sequence[Target]) -> Reals:
    """Return quantities `(n, targets)` on the targets' scales; what is infinite counts as not known."""
    made = np.stack([target.scaled(quantities[:, k]) for k, target in enumerate(targets)], axis=1)
    return np.where(np.isfinite(made), made, np.nan)


def inside(quantities: Reals, targets: Sequence[Target]) -> NDArray[np.bool_]:
    """Say which vectors have every quantity in its range, `(n,)`; one that failed has not."""
    return np.asarray(np.stack([target.inside(quantities[:, k]) for k, target in enumerate(targets)], axis=1).all(axis=1))


def vectors(space: Space, points: Reals, name: str, seed: int, runs: int, first: int = 0) -> list[Vector]:
    """Return the vectors of points, numbered from `first`; each has seeds of its own, so that emulators see how much luck moves."""
    return [Vector(f"{name}_{k + 1:03d}", space.values(point), seed + k * runs, runs) for k, point in enumerate(points, start=first)]


def run_waves(problem: Problem, space: Space, simulate: Simulator, waves: int, points: int, runs: int, seed: int) -> History:
    """Run up to `waves` waves of `points` new vectors with `runs` runs each.

    The first wave is a Latin hypercube of the whole box; each later one is spread evenly over what the waves before have left. A wave's
    emulators are made of all runs in what was left before it. Waves end early when the emulators are sharp or nothing is left.
    """
    hard = [k for k, target in enumerate(problem.targets) if target.hard]
    region = Region(space.size, problem.hard)
    done: list[Wave] = []
    sample = np.empty((0, space.size))
    seen, known = np.empty((0, space.size)), np.empty((0, len(problem.targets)))
    for number in range(1, waves + 1):
        chosen = hypercube(space.size, points, seed) if number == 1 else sample[spread(sample, points, seen[region.holds(seen)])]
        design = space.settled(chosen)
        found = simulate(vectors(space, design, f"wave_{number}", seed + number * STRIDE, runs), f"wave {number}: {len(design)} vectors")
        seen, known = np.concatenate([seen, design]), np.concatenate([known, found])
        usable = region.holds(seen)
        usable[-len(design) :] = True  # rounding may have moved a new point over the edge
        region.waves.append(Emulators(seen[usable], scaled(known[usable][:, hard], problem.hard), problem.hard))
        sample, share = region.sample(WANTED, CLOUD, seed, f"cloud {number}")
        if 3 <= len(sample) < FEW:
            sample = region.walk(sample, _STEPS, seed)
        vague = _vagueness(region, sample)
        last = NOTHING_LEFT if len(sample) < 3 else SHARP_ENOUGH if vague.max() < SHARP else SHORT_OF_WAVES if number == waves else GOING
        failed = int(np.isnan(found[:, hard]).all(axis=1).sum())
        fine = int(inside(found[:, hard], problem.hard).sum())
        done.append(Wave(number, design, found, failed, fine, int(usable.sum()), share, vague, last))
        if last:
            break
    return History(tuple(done), region, sample)


def _vagueness(region: Region, sample: Reals) -> Reals:
    """Return, by target, the median over the region of the emulator's part of all variance; NaN when the region is empty."""
    if not len(sample):
        return np.full(len(region.targets), np.nan)
    said = region.waves[-1](sample[:1000])
    return np.asarray(np.median(said.emulator / (said.emulator + said.noise + region.tolerance**2), axis=0), dtype=np.float64)
