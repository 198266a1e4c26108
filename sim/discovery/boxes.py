"""Boxes of worlds in which a policy fails: PRIM of the EMA workbench, which limits are no accident, and how well a box is found again.

PRIM, the patient rule induction method (Friedman & Fisher 1999), peels away thin slices of the worlds that are left, always the one whose
loss makes the share of failing ones rise most, and so yields a trajectory from all worlds with all failing ones (coverage 1) to
a few worlds that nearly all fail (density near 1). Bryant & Lempert (2010) use it to say in which worlds a policy fails.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim import luck
from sim.faults import Fault, ScenarioError

Reals = NDArray[np.float64]
Flags = NDArray[np.bool_]
Sides = tuple[float, float]

PEEL = 0.05
"""Part of the worlds left that a peel takes away."""

SIGNIFICANT = 0.05
"""A restriction stays while its quasi-p value is at most that."""

FEWEST = 10
"""Worlds that must fail, and that must not, before a box says more than chance."""

LEAST_MASS = 0.05
"""Part of all worlds that a box must have, as the EMA workbench has it."""

MOST_BOXES = 3
RESAMPLES = 50

MISSING_EXTRA = "ema_workbench is missing, which `abm discover` needs: pip install 'abm[analysis]'"


@dataclass(frozen=True)
class Box:
    """A box: `limits` by factor, infinite at a side that is open, and `quasi_p` by factor, NaN there.

    `coverage` is the share of all failing worlds that are in it, `density` the share of its worlds that fail, `mass` the share of all
    worlds that are in it; `inside` says which are. A quasi-p value is the chance that as many of its worlds fail if this limit, taken away,
    changed nothing (Bryant & Lempert 2010). `path` is the trajectory with one row a step, on which `step` was chosen.
    """

    limits: Mapping[str, Sides]
    quasi_p: Mapping[str, Sides]
    coverage: float
    density: float
    mass: float
    inside: Flags
    path: pd.DataFrame
    step: int


@dataclass(frozen=True)
class Again:
    """How well a box is found again in worlds drawn with replacement, `RESAMPLES` times.

    `found` is the share of draws in which the same search has a box at all, which it has not where too few of a draw's worlds fail or too
    few do not; `factors` gives for each factor the share in which that box limits it. `unseen_coverage` and `unseen_density` are those of
    the boxes so found in the worlds that were not drawn, all draws together, where a draw without a box catches nothing: what to expect of
    worlds that the box has not been fitted to.
    """

    found: float
    factors: Mapping[str, float]
    unseen_coverage: float
    unseen_density: float


def ema() -> Any:
    """Import PRIM of the EMA workbench, only now; raises `ScenarioError` in one line when the extra is not installed."""
    with _calm():
        try:
            return import_module("ema_workbench.analysis.prim")
        except ImportError as error:
            raise ScenarioError([Fault("", "", "", MISSING_EXTRA)]) from error


@contextmanager
def _calm() -> Iterator[None]:
    """Keep quiet what the EMA workbench says of optional packages that nobody uses here, and of pandas it was not made for."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="ipyparallel not installed", category=UserWarning)
        warnings.filterwarnings("ignore", message="altair based", category=ImportWarning)
        warnings.filterwarnings("ignore", message="The inplace keyword", category=DeprecationWarning)
        yield


def find_boxes(worlds: pd.DataFrame, failed: Flags, peel: float = PEEL) -> list[Box]:
    """Return boxes of failing worlds, the first found first; none where too few fail, too few do not, or no restriction is significant.

    `worlds` has a column a factor, `failed` is `(worlds,)`. Each box after the first is looked for in the worlds outside those before.
    Its coverage is still of all failing worlds.
    """
    if not _enough(failed):
        return []
    boxes: list[Box] = []
    outside = np.ones(len(failed), dtype=bool)
    with _calm():
        search = _search(worlds, failed, peel, failed)
        while len(boxes) < MOST_BOXES and _enough(failed[outside]):
            found = search.find_box()
            box = _chosen(found, failed, outside)
            if not box.limits:
                break
            boxes.append(box)
            outside &= ~box.inside
    return boxes


def _enough(failed: Flags) -> bool:
    """Say whether enough worlds fail, and enough do not, for a box to say more than chance."""
    return min(int(failed.sum()), int((~failed).sum())) >= FEWEST


def _search(worlds: pd.DataFrame, failed: Flags, peel: float, among: Flags) -> Any:
    """Set PRIM up for some worlds: a box must be as dense as all worlds, `among` which they are, and not too small a part of them."""
    dense, mass = float(among.mean()), LEAST_MASS * len(among) / len(failed)
    return ema().Prim(worlds.reset_index(drop=True), failed.astype(np.int64), threshold=dense, peel_alpha=peel, mass_min=mass)


def _chosen(found: Any, failed: Flags, outside: Flags) -> Box:
    """Choose the step whose limits, without those that may be accidents, have the best balance of coverage and density."""
    names = [str(name) for name in found.box_lims[0].columns]
    points, own = found.prim.x.to_numpy(dtype=np.float64)[outside], failed[outside]
    whole = found.box_lims[0].to_numpy(dtype=np.float64)
    path = found.peeling_trajectory.rename(columns={"res_dim": "restricted"})[["coverage", "density", "mass", "restricted"]]
    kept = [significant(points, own, lims.to_numpy(dtype=np.float64), whole) for lims in found.box_lims]
    step = int(np.argmax([balance(points, own, lims) if (lims != whole).any() else -1.0 for lims in kept]))
    limits = found.box_lims[step].copy()
    limits.loc[:, :] = kept[step]
    inside = outside.copy()
    inside[outside] = _inside(points, kept[step])
    found.update(limits, np.flatnonzero(inside))
    quasi_p = {str(name): _sides(ps, [p >= 0.0 for p in ps], (np.nan, np.nan)) for name, ps in found.qp[-1].items()}
    ends = {name: _sides(kept[step][:, names.index(name)], np.isfinite(ps), (-np.inf, np.inf)) for name, ps in quasi_p.items()}
    worth = float(found.coverage), float(found.density), float(found.mass)
    return Box(ends, quasi_p, *worth, inside, path.astype({"restricted": np.int64}), step)


def significant(points: Reals, failed: Flags, limits: Reals, whole: Reals) -> Reals:
    """Return limits `(2, factors)` without those whose quasi-p value is above `SIGNIFICANT`, dropped one by one, the worst first.

    A limit that is dropped is put back to where `whole` has it, the box of all worlds. Points are `(worlds, factors)`.
    """
    limits = limits.copy()
    while True:
        p = quasi_p_values(points, failed, limits, whole)
        if not np.nanmax(p, initial=0.0) > SIGNIFICANT:
            return limits
        worst = np.unravel_index(int(np.nanargmax(p)), p.shape)
        limits[worst] = whole[worst]


def quasi_p_values(points: Reals, failed: Flags, limits: Reals, whole: Reals) -> Reals:
    """Return the quasi-p value of each limit, `(2, factors)`, NaN where a side is open.

    The value is the chance of so many failing worlds in the box, or more, if they fail with the share that they have in the box without
    this one limit: a one-sided binomial test (Bryant & Lempert 2010), as the EMA workbench has it.
    """
    from scipy.stats import binom

    values = np.full(limits.shape, np.nan)
    inside = _inside(points, limits)
    hits, n = int(failed[inside].sum()), int(inside.sum())
    for side, factor in zip(*np.nonzero(limits != whole), strict=True):
        loose = limits.copy()
        loose[side, factor] = whole[side, factor]
        values[side, factor] = binom.sf(hits - 1, n, failed[_inside(points, loose)].mean())
    return values


def balance(points: Reals, failed: Flags, limits: Reals) -> float:
    """Return the harmonic mean of coverage and density of the worlds within limits `(2, factors)`, 0 where none fails."""
    inside = _inside(points, limits)
    return 2.0 * float(failed[inside].sum()) / float(inside.sum() + failed.sum())


def _inside(points: Reals, limits: Reals) -> Flags:
    return np.asarray(((points >= limits[0]) & (points <= limits[1])).all(axis=1))


def _sides(values: Iterable[float], restricted: Iterable[bool], otherwise: Sides) -> Sides:
    low, high = (float(value) if held else otherwise[k] for k, (value, held) in enumerate(zip(values, restricted, strict=True)))
    return low, high


def within(worlds: pd.DataFrame, limits: Mapping[str, Sides]) -> Flags:
    """Say which worlds are inside limits, `(worlds,)`."""
    inside = np.ones(len(worlds), dtype=bool)
    for name, (low, high) in limits.items():
        inside &= worlds[name].between(low, high).to_numpy()
    return inside


def found_again(worlds: pd.DataFrame, failed: Flags, seed: int, peel: float = PEEL, among: Flags | None = None) -> Again:
    """Look for a box in worlds drawn with replacement from those it was found in, as it was found; the same draws whenever it is asked.

    For a box after the first, which was looked for in the worlds that were left, `among` says which of all worlds fail.
    """
    n = len(failed)
    drawn = (luck.uniforms(seed, "bootstrap of worlds", (RESAMPLES, n)) * n).astype(np.int64)
    times = dict.fromkeys(map(str, worlds.columns), 0)
    boxes = inside_failing = inside_all = all_failing = 0
    with _calm():
        for rows in drawn:
            own = failed[rows]
            unseen = np.ones(n, dtype=bool)
            unseen[rows] = False
            all_failing += int((unseen & failed).sum())
            if not _enough(own):
                continue
            search = _search(worlds.iloc[rows], own, peel, own if among is None else among)
            limits = _chosen(search.find_box(), own, np.ones(n, dtype=bool)).limits
            for name in limits:
                times[name] += 1
            if limits:
                boxes += 1
                there = within(worlds, limits) & unseen
                inside_all += int(there.sum())
                inside_failing += int((there & failed).sum())
    shares = {name: count / RESAMPLES for name, count in times.items()}
    unseen_coverage, unseen_density = (inside_failing / of if of else np.nan for of in (all_failing, inside_all))
    return Again(boxes / RESAMPLES, shares, unseen_coverage, unseen_density)
