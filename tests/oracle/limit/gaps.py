"""Gaps between runs and the mean field, by world, size and outcome, and how they shrink."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import curve_fit

from limit.worlds import BASELINE, world
from sim.model import AccountMarket
from sim.scenario import Scenario, load_scenario

Reals = NDArray[np.float64]
DAYS, FIRST = 240, 120
"""Days of a run, and the first day compared: what the start forgot is over by then."""

OUTCOMES = (
    *("price_yuan", "commission_yuan", "purchase_price_yuan", "helper_price_yuan", "supply_account_days"),
    *("stock_registered", "stock_unsealed", "stock_rented", "stock_bought", "stock_stolen"),
    *("dealers_active", "dealer_profit_yuan", "dealer_evasion", "dealer_pool"),
    *("helpers_by_stall", "helpers_by_task_platform", "rented_by_referral", "owners_banned", "reports", "review_backlog", "swept"),
)
FEW_MILLIONS = 3e6
"""Smallest size in fits: below, prices are those of a handful of dealers, and the mean of runs is far from their limit for that."""
_NO_COUNTS = ("_yuan", "dealer_evasion")

PLAN: dict[str, dict[int, int]] = {
    "laboratory": {1: 24, 3: 16, 12: 10, 48: 6, 192: 4},
    "with_friends": {192: 4},
    "with_sweeps": {192: 4},
    "with_many_recruiters": {192: 4},
    "with_turnover_of_recruiters": {192: 4},
    "with_many_dealers": {192: 4},
    "with_dealers_4_times_larger": {192: 4},
    "with_dealers_16_times_larger": {192: 4},
    "with_unequal_dealers": {192: 6},
    "with_turnover_of_dealers": {192: 6},
    "shipped": {1: 32, 3: 24, 12: 16, 48: 10, 192: 8},
}
"""Runs by world and millions of users."""


@dataclass(frozen=True)
class Gap:
    """One outcome in one world at one size, relative to the mean field, over the days compared.

    `gap`: root mean square over days and runs; `noise`: that of the distance of runs from their mean; `bias`: mean of the runs' means.
    """

    world: str
    outcome: str
    users: float
    seeds: float
    mean_field: float
    simulated: float
    bias: float
    bias_se: float
    gap: float
    noise: float
    spread: float
    """Standard deviation over runs of the logarithm of a run's mean square."""


@dataclass(frozen=True)
class Fit:
    """gap^2 = floor^2 + (scale N^-rate)^2 and noise = scale' N^-noise_rate, N in million users, with standard errors.

    `floor_high`: upper end of the floor's 95 % interval, from that of its square.
    """

    world: str
    outcome: str
    floor: float
    floor_high: float
    scale: float
    rate: float
    rate_se: float
    noise_rate: float
    noise_rate_se: float


def _runs(scenario: Scenario, seeds: Sequence[int]) -> list[dict[str, Reals]]:
    """Return daily series of runs, counts per million users."""
    millions, out = scenario.population.users / 1e6, []
    for seed in seeds:
        model = AccountMarket(scenario, seed)
        model.run()
        daily = model.daily
        out.append({name: daily[name] / (1 if name.endswith(_NO_COUNTS) else millions) for name in OUTCOMES})
    return out


def gaps(name: str, millions: int, seeds: int, solve: Callable[[Scenario], dict[str, Reals]], first_seed: int = 0) -> list[Gap]:
    """Run a world and compare each outcome that its mean field has; `solve` gives the mean field of a scenario."""
    scenario = world(name, millions * 1_000_000, DAYS)
    return compared(name, millions, _runs(scenario, range(first_seed, first_seed + seeds)), solve(scenario))


def compared(name: str, millions: int, runs: list[dict[str, Reals]], limit: Mapping[str, Reals]) -> list[Gap]:
    """Compare runs with their mean field."""
    out = []
    for outcome in OUTCOMES:
        expected = limit[outcome][FIRST:]
        if expected.min() <= 0:
            continue
        ratio = np.array([run[outcome][FIRST:] for run in runs]) / expected - 1  # (runs, days)
        squares, means = (ratio**2).mean(axis=1), ratio.mean(axis=1)
        if ratio.var(axis=0).max() < 1e-20:  # fixed in this world
            continue
        out.append(
            Gap(
                world=name,
                outcome=outcome,
                users=millions * 1e6,
                seeds=len(runs),
                mean_field=float(expected.mean()),
                simulated=float(np.mean([run[outcome][FIRST:].mean() for run in runs])),
                bias=float(means.mean()),
                bias_se=float(means.std(ddof=1) / np.sqrt(len(runs))),
                gap=float(np.sqrt(squares.mean())),
                noise=float(np.sqrt(ratio.var(axis=0, ddof=1).mean())),
                spread=float(np.log(squares).std(ddof=1)),
            )
        )
    return out


def fit(rows: Sequence[Gap]) -> Fit:
    """Fit how the gap of one outcome in one world falls with users, by least squares in logarithms, weighted by runs."""
    rows = [row for row in rows if row.users >= FEW_MILLIONS]
    size, seeds = np.array([row.users / 1e6 for row in rows]), np.array([row.seeds for row in rows])
    spread = float(np.sqrt(np.average([row.spread**2 for row in rows], weights=seeds - 1)))
    error = spread / np.sqrt(seeds)
    square, noise = np.array([row.gap**2 for row in rows]), np.array([row.noise for row in rows])

    def model(n: Reals, floor_square: Reals, scale: Reals, rate: Reals) -> Reals:
        return np.log(floor_square + scale**2 * n ** (-2 * rate))

    start = (0.25 * square.min(), np.sqrt(square[0] * size[0]), 0.5)
    found, cover = curve_fit(model, size, np.log(square), start, error, absolute_sigma=True, bounds=([0, 0, 0.05], [1, 10, 2]))
    line, line_cover = np.polyfit(np.log(size), np.log(noise), 1, w=2 / error, cov="unscaled")
    return Fit(
        world=rows[0].world,
        outcome=rows[0].outcome,
        floor=float(np.sqrt(found[0])),
        floor_high=float(np.sqrt(found[0] + 1.96 * np.sqrt(cover[0, 0]))),
        scale=float(found[1]),
        rate=float(found[2]),
        rate_se=float(np.sqrt(cover[2, 2])),
        noise_rate=float(-line[0]),
        noise_rate_se=float(np.sqrt(line_cover[0, 0])),
    )


REFERENCE = BASELINE.parents[1] / "results" / "reference" / "policy_comparison" / "comparison.csv"


@dataclass(frozen=True)
class Effect:
    """Relative effect of a policy on an outcome, by the mean field and by the shipped comparison, with its 95 % interval."""

    world: str
    outcome: str
    mean_field: float
    simulated: float
    low: float
    high: float


def effects(solve: Callable[[Scenario], dict[str, Reals]], only: Sequence[str] = ()) -> list[Effect]:
    """Solve scenarios of the shipped comparison (all, or `only` some); effects over the days that the comparison averages."""
    with REFERENCE.open(encoding="utf-8") as file:
        known = [row for row in csv.DictReader(file) if row["outcome"] in OUTCOMES and row["relative"]]
    known = [row for row in known if not only or row["scenario"] in only]

    def means(name: str) -> dict[str, float]:
        scenario = load_scenario(BASELINE.with_name(f"{name}.toml"))
        first = scenario.run.burn_in_days + scenario.run.settle_days
        return {outcome: float(values[first:].mean()) for outcome, values in solve(scenario).items()}

    solved = {name: means(name) for name in sorted({row["scenario"] for row in known} | {row["baseline"] for row in known})}
    return [
        Effect(
            world=row["scenario"],
            outcome=row["outcome"],
            mean_field=solved[row["scenario"]][row["outcome"]] / solved[row["baseline"]][row["outcome"]] - 1,
            simulated=float(row["relative"]),
            low=float(row["relative_low"]),
            high=float(row["relative_high"]),
        )
        for row in known
    ]


def table(
    solve: Callable[[Scenario], dict[str, Reals]], first_seed: int = 0, plan: Mapping[str, Mapping[int, int]] = PLAN
) -> tuple[list[Gap], list[Fit]]:
    """Run the whole plan; returns gaps, and fits for worlds with five sizes."""
    rows: list[Gap] = []
    fits: list[Fit] = []
    for number, (name, sizes) in enumerate(plan.items()):
        for place, (millions, seeds) in enumerate(sizes.items()):
            rows += gaps(name, millions, seeds, solve, first_seed + 10_000 * number + 1_000 * place)
        for outcome in OUTCOMES if len(sizes) >= 5 else ():
            chosen = [row for row in rows if (row.world, row.outcome) == (name, outcome)]
            if len(chosen) == len(sizes):
                fits.append(fit(chosen))
    return rows, fits


def write(path: Path, rows: Sequence[Gap], fits: Sequence[Fit], policies: Sequence[Effect]) -> None:
    """Write gaps, fits and effects of policies as one table."""
    columns = list(dict.fromkeys(["row", *(field.name for kind in (Gap, Fit, Effect) for field in fields(kind))]))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
        writer.writeheader()
        for kind, lines in (("gap", rows), ("fit", fits), ("effect", policies)):
            for line in lines:
                values = {key: value if isinstance(value, str) else f"{value:.6g}" for key, value in asdict(line).items()}
                writer.writerow({"row": kind, **values})
