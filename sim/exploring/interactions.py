"""What each lever of a bundle contributes to what the bundle does, and which pairs do more, or less, together than apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.analysis.differences import relative_change
from sim.analysis.intervals import ratio_intervals, t_intervals
from sim.analysis.words import unit_of
from sim.exploring import interaction_words, shapley
from sim.exploring.carrying import INTERACTIONS, Explored, check_whole, write_analysis
from sim.exploring.design import FACTORIAL
from sim.exploring.file import FACTORS, Exploration
from sim.exploring.points import unit_points
from sim.exploring.quantities import cube, has_own
from sim.faults import Fault, ScenarioError, show
from sim.plan import standing
from sim.plots.style import Study

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Reals = NDArray[np.float64]

FEWEST_LEVERS, MOST_LEVERS = 2, 8
"""Levers of a bundle: every combination is run, 2 to the power of their number."""


@dataclass(frozen=True)
class Interactions:
    """What each lever of a bundle contributes, and which levers interact, for each outcome under each scenario of the experiment.

    `bundle` has a row a scenario and outcome: what all levers do together, and by how much that is more than the sum of each alone.
    `shapley` has a row a lever: its Shapley share, as a part of the baseline and of what the bundle does, and its effect alone and as the
    last; `by_seed` the same shares seed by seed; `pairs` a row a pair with its Shapley interaction index. Ends are those of 95 %
    intervals over seeds: Student's t, and Fieller's for ratios. `unknown` are outcomes that some run does not have.
    """

    done: Explored
    bundle: pd.DataFrame
    shapley: pd.DataFrame
    by_seed: pd.DataFrame
    pairs: pd.DataFrame
    unknown: tuple[str, ...]

    @property
    def titles(self) -> dict[str, str]:
        """Return what figures and sentences call each scenario."""
        return {scenario.name: scenario.title for scenario in self.done.layout.asked.scenarios}

    @property
    def answer(self) -> list[str]:
        """Say in plain sentences what each lever contributes, with the numbers of the tables."""
        titles = self.titles if len(self.titles) > 1 else {}
        return interaction_words.answer(self.bundle, self.shapley, self.pairs, titles, self.unknown)

    def study(self, scenario: str) -> Study:
        """Return what captions say of the runs of a scenario with its bundle."""
        plan, base = self.done.layout.plan, self.done.layout.asked.baseline
        seeds = [plan.seed + k for k in range(plan.replications)]
        return Study(scenario, self.titles, base.population.users, seeds, base.run.window)

    @property
    def from_standing(self) -> bool:
        """Say whether each lever's low end is its standing strength, so that without the bundle the scenario is as it is."""
        asked = self.done.layout.asked
        return all(factor.low == standing(asked.baseline, factor.key) for factor in asked.factors)

    def figures(self) -> Mapping[str, Callable[[], Figure]]:
        """Return the figures, by the name of their files: a waterfall and a heatmap of pairs for each scenario."""
        from sim.plots.interactions import heatmap_figure, waterfall_figure

        made: dict[str, Callable[[], Figure]] = {}
        for scenario in dict.fromkeys(self.bundle["scenario"]) if len(self.bundle) else ():
            bundle, shares, pairs = (table[table["scenario"] == scenario] for table in (self.bundle, self.shapley, self.pairs))
            study = self.study(scenario)
            start = study.title(scenario) if self.from_standing else "All at their low ends"
            made[f"waterfall_{scenario}"] = partial(waterfall_figure, bundle, shares, study, start)
            made[f"heatmap_{scenario}"] = partial(heatmap_figure, bundle, pairs, study)
        return made

    def write(self, path: Path) -> None:
        """Write tables and figures into the results directory of the experiment."""
        tables = (self.bundle, self.shapley, self.by_seed, self.pairs)
        write_analysis(path, dict(zip(INTERACTIONS, tables, strict=True)), self.figures())


def check_bundle(asked: Exploration) -> None:
    """Raise `ScenarioError` for a design that does not have every combination of a few levers."""
    faults = []
    if asked.design.kind != FACTORIAL:
        wanted = f"is no design for `abm interactions`; it must be {FACTORIAL}: every combination of the levers, low and high"
        faults.append(Fault(asked.where, "design.kind", show(asked.design.kind), wanted))
    k = len(asked.factors)
    if not FEWEST_LEVERS <= k <= MOST_LEVERS:
        wanted = f"holds {k} factor{'s' if k > 1 else ''}; `abm interactions` takes {FEWEST_LEVERS} to {MOST_LEVERS}"
        faults.append(Fault(asked.where, FACTORS, "", f"{wanted}, as it runs every combination (2 to the power of their number)"))
    for number, factor in enumerate(asked.factors, start=1):
        if not (factor.key.startswith("policies.") and factor.key.endswith(".strength")):
            faults.append(Fault(asked.where, f"{FACTORS}[{number}].key", show(factor.key), "is no lever, and a bundle is one of levers"))
    if faults:
        raise ScenarioError(faults)


def interactions(done: Explored) -> Interactions:
    """Share out what a bundle does among its levers, from the finished runs of a factorial design.

    The game of a seed is the outcome in each combination of the levers, all on that seed: shares are exact for each seed, since no
    combination is left out, and intervals are over seeds. Raises `ScenarioError` for another design, fewer than `FEWEST_LEVERS` or more
    than `MOST_LEVERS` factors, or when a run failed.
    """
    asked = done.layout.asked
    check_bundle(asked)
    check_whole(done)
    bundle: list[dict[str, Any]] = []
    shares: list[dict[str, Any]] = []
    by_seed: list[dict[str, Any]] = []
    pairs: list[dict[str, Any]] = []
    unknown: list[str] = []
    for k, scenario in enumerate(asked.scenarios):
        for outcome in asked.outcomes:
            values = _game(done, outcome, k)
            if not np.isfinite(values).all():  # a lifetime where nobody left
                unknown.append(outcome)
                continue
            about = {"scenario": scenario.name, "outcome": outcome, "unit": unit_of(outcome)}
            count, base = {"replications": values.shape[1]}, _base(values)
            bundle.append({**about, **_bundle(values, base), **count})
            shares += [{**about, **row, **count} for row in _shares(asked, values, base)]
            by_seed += [{**about, **row} for row in _by_seed(asked, values, done.layout.plan.seed)]
            pairs += [{**about, **row, **count} for row in _pairs(asked, values, base)]
    whole, levers, seeds, two = (pd.DataFrame(rows) for rows in (bundle, shares, by_seed, pairs))
    return Interactions(done, whole, levers, seeds, two, tuple(dict.fromkeys(unknown)))


def _game(done: Explored, outcome: str, scenario: int) -> Reals:
    """Return an outcome of a scenario in every combination, `(2**k, replications)`, as `shapley.shares` takes it."""
    asked = done.layout.asked
    inside = cube(done, outcome)[1 if has_own(done) else 0 :, :, scenario]
    number = unit_points(asked.design, asked.factors) @ 2.0 ** np.arange(len(asked.factors))
    values = np.empty_like(inside)
    values[number.astype(np.int64)] = inside
    return values


def _ends(name: str, by_seed: Reals) -> dict[str, float]:
    """Return the mean of values by seed, `(n,)`, and the ends of its interval, as columns of a table."""
    found = t_intervals(by_seed)
    return {name: float(found.value[0]), f"{name}_low": float(found.low[0]), f"{name}_high": float(found.high[0])}


def _ratio(name: str, by_seed: Reals, of: Reals) -> dict[str, float]:
    """Return the ratio of two means with the ends of its interval; NaN where the lower one may be 0."""
    below, ends = t_intervals(of), [float(part[0]) for part in ratio_intervals(by_seed, of)]
    known = len(of) == 1 or below.low[0] > 0.0 or below.high[0] < 0.0
    return dict(zip((name, f"{name}_low", f"{name}_high"), ends if known else [np.nan] * 3, strict=True))


def _base(values: Reals) -> Reals:
    """Return the baseline that changes are parts of, by seed; zeros, of which there are no parts, where one would say nothing.

    That is so where the baseline is not above 0 or so little known that what all levers do has an interval of no use as a part of it.
    """
    base: Reals = values[0]
    if base.mean() > 0.0 and (len(base) == 1 or np.isfinite(relative_change(values[-1], base).low)):
        return base
    return np.zeros_like(base)


def _bundle(values: Reals, base: Reals) -> dict[str, float]:
    effect, more = values[-1] - values[0], shapley.excess(values)
    return {
        "baseline_mean": float(values[0].mean()),
        "bundle_mean": float(values[-1].mean()),
        **_ends("effect", effect),
        **_ratio("relative", effect, base),
        "sum_alone": float(shapley.alone(values).sum(axis=0).mean()),
        **_ends("excess", more),
        **_ratio("relative_excess", more, base),
    }


def _shares(asked: Exploration, values: Reals, base: Reals) -> Iterator[dict[str, Any]]:
    effect, parts = values[-1] - values[0], shapley.shares(values)
    for factor, share, first, final in zip(asked.factors, parts, shapley.alone(values), shapley.last(values), strict=True):
        yield {
            "factor": factor.key,
            "label": factor.label,
            "low": factor.low,
            "high": factor.high,
            "factor_unit": factor.unit,
            **_ends("share", share),
            **_ratio("relative", share, base),
            **_ratio("of_bundle", share, effect),
            **_ends("alone", first),
            **_ends("last", final),
        }


def _by_seed(asked: Exploration, values: Reals, seed: int) -> Iterator[dict[str, Any]]:
    effect, parts = values[-1] - values[0], shapley.shares(values)
    for n in range(values.shape[1]):
        for factor, share in zip(asked.factors, parts, strict=True):
            yield {"replication": n, "seed": seed + n, "factor": factor.key, "share": float(share[n]), "effect": float(effect[n])}


def _pairs(asked: Exploration, values: Reals, base: Reals) -> Iterator[dict[str, Any]]:
    for (i, j), index in zip(shapley.pairs_of(len(asked.factors)), shapley.interactions(values), strict=True):
        first, second = asked.factors[i], asked.factors[j]
        yield {
            "first": first.key,
            "second": second.key,
            "first_label": first.label,
            "second_label": second.label,
            **_ends("interaction", index),
            **_ratio("relative", index, base),
        }
