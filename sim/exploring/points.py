"""Where a design sets its factors: grids, sequences and trajectories as points from 0 to 1, and the values there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.exploring.design import FACTORIAL, GRID, HYPERCUBE, MORRIS, NEEDS_EXTRA, ONE_AT_A_TIME, SALTELLI, SOBOL, Design
from sim.exploring.factors import Factor
from sim.exploring.file import Exploration
from sim.exploring.given import Values
from sim.faults import Fault, ScenarioError

Reals = NDArray[np.float64]

MISSING_EXTRA = "SALib is missing, which the designs morris and saltelli need: pip install 'abm[analysis]'"


def salib(module: str) -> Any:
    """Import a module of SALib, only now; raises `ScenarioError` in one line when the extra is not installed."""
    try:
        return import_module(f"SALib.{module}")
    except ImportError as error:
        raise ScenarioError([Fault("", "", "", MISSING_EXTRA)]) from error


def require_extra(design: Design) -> None:
    """Raise `ScenarioError` when a design needs SALib and there is none, before anything is simulated."""
    if design.kind in NEEDS_EXTRA:
        salib("sample.morris")


def problem(factors: Sequence[Factor]) -> dict[str, Any]:
    """Return what SALib calls the problem: factors by name, each from 0 to 1."""
    return {"num_vars": len(factors), "names": [factor.key for factor in factors], "bounds": [[0.0, 1.0]] * len(factors)}


def unit_points(design: Design, factors: Sequence[Factor]) -> Reals:
    """Return the points of a design in parts of the ranges, `(points, factors)`, the same ones whenever it is asked.

    Sources: `scipy.stats.qmc` for latin_hypercube and sobol (scrambled); SALib for morris (Morris 1991, trajectories) and saltelli
    (Saltelli et al. 2010, A, B and AB matrices, no second order). Those two keep SALib's order, which its analyses need. One factor at a
    time and tables are not made of points from 0 to 1.
    """
    k = len(factors)
    if design.kind == GRID:
        axes = [np.linspace(0.0, 1.0, design.levels_of(factor)) for factor in factors]
        return np.array(list(product(*axes)), dtype=np.float64)
    if design.kind == FACTORIAL:
        return np.array(list(product((0.0, 1.0), repeat=k)), dtype=np.float64)
    if design.kind in (HYPERCUBE, SOBOL):
        from scipy.stats import qmc

        if design.kind == HYPERCUBE:
            return np.asarray(qmc.LatinHypercube(d=k, rng=design.seed).random(design.points), dtype=np.float64)
        return np.asarray(qmc.Sobol(d=k, rng=design.seed).random_base2(design.points.bit_length() - 1), dtype=np.float64)
    made: Any
    if design.kind == MORRIS:
        made = salib("sample.morris").sample(problem(factors), design.trajectories, num_levels=design.levels, seed=design.seed)
    elif design.kind == SALTELLI:
        made = salib("sample.sobol").sample(problem(factors), design.points, calc_second_order=False, seed=design.seed)
    else:
        raise ValueError(f"the design {design.kind} has no points from 0 to 1")
    return np.asarray(made, dtype=np.float64)


def values_of(asked: Exploration) -> list[Values]:
    """Return the values of factors at each point, in the order of the design; one at a time, of the one factor that is moved."""
    if asked.given:
        return list(asked.given)
    if asked.design.kind == ONE_AT_A_TIME:
        return [
            {factor.key: factor.value(float(part))}
            for factor in asked.factors
            for part in np.linspace(0.0, 1.0, asked.design.levels_of(factor))
        ]
    points = unit_points(asked.design, asked.factors)
    return [{factor.key: factor.value(float(part)) for factor, part in zip(asked.factors, row, strict=True)} for row in points]


def parts_of(factors: Sequence[Factor], values: Sequence[Values]) -> Reals:
    """Return where the values at each point are in the ranges, `(points, factors)`: the points that were simulated, whole days rounded."""
    return np.array([[factor.part(point[factor.key]) for factor in factors] for point in values], dtype=np.float64)


def settings(asked: Exploration, values: Sequence[Values]) -> dict[str, Any]:
    """Return what the manifest says of the design: kind, settings, factors with their ranges, values at each point."""
    rows: list[Mapping[str, object]] = [
        {"key": f.key, "low": f.low, "high": f.high, "levels": f.levels, "log": f.log, "whole": f.whole} for f in asked.factors
    ]
    return {**asked.design.settings, "factors": rows, "points": [dict(point) for point in values]}
