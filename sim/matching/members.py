"""The set that ships: vectors of the region, each simulated and found inside every hard range."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sim.matching.design import Space
from sim.matching.simulator import Simulator
from sim.matching.targets import Problem
from sim.matching.waves import STRIDE, inside, vectors

Reals = NDArray[np.float64]

CHECKS = 2
"""Runs of a member: its quantities are their mean. A candidate whose first run is outside is given no other."""

MOST_TRIED = 10
"""Candidates simulated for each member wanted, after which the search ends with fewer."""

_STAGE = 100


@dataclass(frozen=True)
class Found:
    """The set: `points` and `quantities` of its members, the ledger's own vector first if it is one; how many candidates were tried."""

    points: Reals
    quantities: Reals
    tried: int
    passed: int
    ledger_first: bool


def find_members(
    problem: Problem, space: Space, simulate: Simulator, candidates: Reals, count: int, seed: int, ledger: Reals | None, runs: int = CHECKS
) -> Found:
    """Simulate candidates in their order until, with the ledger's own vector, `count` are inside every hard range.

    Candidates are a uniform sample of the region, so the members beyond the first, and any number of them from the front, are a uniform
    sample of the vectors that pass: whose first run, and whose mean of `runs`, are inside. `ledger` holds the quantities of the ledger's
    vector if it is inside, else None; without it the member nearest to the ledger's values is put first.
    """
    hard = [k for k, target in enumerate(problem.targets) if target.hard]
    wanted = count - (ledger is not None)
    points, quantities = np.empty((0, space.size)), np.empty((0, len(problem.targets)))
    tried = 0
    passed = 0
    while len(points) < wanted and tried < min(len(candidates), MOST_TRIED * count):
        batch = space.settled(candidates[tried : tried + count])
        named = vectors(space, batch, "candidate", seed + _STAGE * STRIDE, runs, first=tried)
        stage = f"members: candidates {tried + 1} to {tried + len(batch)}, {len(points)} of {wanted} found"
        once = simulate([replace(vector, runs=1) for vector in named], stage)
        good = np.flatnonzero(inside(once[:, hard], problem.hard))
        found = simulate([named[k] for k in good], f"{stage}: {len(good)} are run again") if len(good) else once[:0]
        fine = inside(found[:, hard], problem.hard)
        batch = batch[good]
        points, quantities = np.concatenate([points, batch[fine]]), np.concatenate([quantities, found[fine]])
        tried, passed = tried + len(named), passed + int(fine.sum())
    points, quantities = points[:wanted], quantities[:wanted]
    if ledger is not None:
        return Found(np.vstack([space.centre, points]), np.vstack([ledger, quantities]), tried, passed, ledger_first=True)
    order = np.arange(len(points))
    if len(points):
        nearest = int(np.argmin(space.distance(points)))
        order = np.concatenate([[nearest], np.delete(order, nearest)])
    return Found(points[order], quantities[order], tried, passed, ledger_first=False)
