"""What calibration found, as tables; one function a table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.matching.design import Space, rounded
from sim.matching.members import Found
from sim.matching.recovery import LEVEL, Recovery
from sim.matching.targets import Problem, Target
from sim.matching.waves import History, inside

Reals = NDArray[np.float64]

IDENTIFIED = 0.8
"""A parameter counts as narrowed by the targets when its interval keeps less than this part of the prior's."""


def feasible(problem: Problem, runs: Reals) -> pd.DataFrame:
    """Return what runs of the ledger's vector, `(runs, targets)`, give against each target: mean, spread between runs, inside or not."""
    rows = []
    for k, target in enumerate(problem.targets):
        values = runs[:, k]
        mean, spread = float(values.mean()), float(values.std(ddof=1)) if len(values) > 1 else np.nan
        off = float(abs(target.scaled(mean) - target.middle) / target.tolerance)
        every = bool(target.inside(values).all())
        rows.append((target.name, target.kind, target.low, target.high, mean, spread, len(values), off, bool(target.inside(mean)), every))
    columns = ["target", "kind", "low", "high", "simulated", "between_runs", "runs", "tolerances_off", "inside", "every_run_inside"]
    return pd.DataFrame(rows, columns=columns)


def waves(history: History) -> pd.DataFrame:
    """Return one row a wave: new points, failed runs, points inside every hard range, and the share of the box left after it."""
    rows = [
        (w.number, len(w.points), w.failed, w.inside, w.trained, w.share.value, w.share.error, w.share.kept, w.share.drawn,
         float(np.max(w.vagueness)), w.last)
        for w in history.waves
    ]  # fmt: skip
    columns = ["wave", "points", "failed", "inside", "runs_emulated", "share_left", "standard_error", "kept", "drawn"]
    columns += ["emulator_part", "last_because"]
    return pd.DataFrame(rows, columns=columns)


def emulators(history: History) -> pd.DataFrame:
    """Return one row a wave and target: how well runs left out are predicted, and the three sources of variance."""
    rows = []
    for wave, made in zip(history.waves, history.region.waves, strict=True):
        for emulator, target, vague in zip(made.each, made.targets, wave.vagueness, strict=True):
            spread = float(np.sqrt(emulator.noise))
            rows.append(
                (
                    wave.number,
                    target.name,
                    target.scale,
                    len(emulator.values),
                    emulator.r2,
                    emulator.coverage,
                    emulator.inflation,
                    spread,
                    target.tolerance,
                    vague,
                )
            )
    columns = ["wave", "target", "scale", "runs", "r2_left_out", "coverage_95_left_out", "inflation", "between_runs", "tolerance"]
    columns += ["emulator_part"]
    return pd.DataFrame(rows, columns=columns)


def plausible(space: Space, found: Found) -> pd.DataFrame:
    """Return the set as it ships: `member`, and a column for each uncertain parameter."""
    rows = [{"member": k, **space.values(point)} for k, point in enumerate(found.points)]
    return pd.DataFrame(rows, columns=["member", *space.names])


def members(problem: Problem, space: Space, found: Found) -> pd.DataFrame:
    """Return what each member was found to give: quantities, soft targets met, distance to the ledger's values."""
    soft = [k for k, target in enumerate(problem.targets) if not target.hard]
    hard = [k for k, target in enumerate(problem.targets) if target.hard]
    table = pd.DataFrame({"member": np.arange(len(found.points)), "distance_to_ledger": space.distance(found.points)})
    table["hard_inside"] = inside(found.quantities[:, hard], problem.hard) if hard else True
    table["soft_met"] = sum((problem.targets[k].inside(found.quantities[:, k]).astype(int) for k in soft), np.zeros(len(table), dtype=int))
    table["soft_targets"] = len(soft)
    for k, target in enumerate(problem.targets):
        table[target.name] = [rounded(value) for value in found.quantities[:, k]]
    return table


def ranges(space: Space, sample: Reals, found: Found | None) -> pd.DataFrame:
    """Return what the targets say of each parameter: the central 95 % of the region against that of the ledger's range."""
    tail = (1.0 - LEVEL) / 2.0
    low, high = np.quantile(sample, [tail, 1.0 - tail], axis=0) if len(sample) else np.full((2, space.size), np.nan)
    bottom, top = space.values(np.nan_to_num(low)), space.values(np.nan_to_num(high, nan=1.0))
    rows = []
    for k, (name, entry) in enumerate(zip(space.names, space.entries, strict=True)):
        kept = float((high[k] - low[k]) / LEVEL)
        mine = [space.values(point)[name] for point in found.points] if found is not None and len(found.points) else [np.nan]
        scale = "log" if space.logs[k] else "linear"
        rows.append(
            (name, scale, entry.low, entry.high, entry.value, bottom[name], top[name], kept, kept < IDENTIFIED, min(mine), max(mine))
        )
    columns = [
        "parameter",
        "scale",
        "low",
        "high",
        "ledger",
        "region_low",
        "region_high",
        "part_of_range",
        "narrowed",
        "set_low",
        "set_high",
    ]
    return pd.DataFrame(rows, columns=columns)


def recovery(result: Recovery) -> pd.DataFrame:
    """Return coverage of the joint 95 % regions, of all marginal intervals together, and of each parameter's, with standard errors.

    `fewest_points`: different points behind the intervals of the world that has fewest; a handful would make its intervals worthless.
    """
    n = len(result.joint)
    share = result.held.mean(axis=1)
    pooled = float(share.std(ddof=1) / np.sqrt(n))  # worlds are independent, parameters of one world are not
    none = (np.nan, None)
    rows: list[tuple[object, ...]] = [
        ("joint region (chi-square)", n, float(result.joint.mean()), _binomial(result.joint), *none),
        ("joint region, tails not allowed for", n, float(result.untailed.mean()), _binomial(result.untailed), *none),
        ("all parameters", n, float(share.mean()), pooled, float(result.width.mean()), None),
    ]
    for k, name in enumerate(result.names):
        kept = float(result.width[:, k].mean())
        rows.append((name, n, float(result.held[:, k].mean()), _binomial(result.held[:, k]), kept, kept < IDENTIFIED))
    columns = ["of", "worlds", "coverage", "standard_error", "part_of_prior_width", "identified"]
    return pd.DataFrame(rows, columns=columns).assign(fewest_points=result.distinct.min())


def recovery_fit(result: Recovery, targets: Sequence[Target]) -> pd.DataFrame:
    """Return how well the emulators of the small world predict runs left out."""
    rows = [
        (target.name, len(emulator.values), emulator.r2, emulator.coverage, emulator.inflation, float(np.sqrt(emulator.noise)))
        for emulator, target in zip(result.fit.each, targets, strict=True)
    ]
    return pd.DataFrame(rows, columns=["target", "runs", "r2_left_out", "coverage_95_left_out", "inflation", "between_runs"])


def _binomial(held: NDArray[np.bool_]) -> float:
    """Return the standard error of a share of independent worlds at the nominal level."""
    return float(np.sqrt(LEVEL * (1.0 - LEVEL) / len(held)))
