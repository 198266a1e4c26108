"""The sensitivity of outcomes, of effects of policies and of their order to the factors of an experiment, and to luck."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sim.exploring import sentences
from sim.exploring.carrying import SENSITIVITY, Explored, check_whole, write_analysis
from sim.exploring.design import MORRIS, NEEDS_EXTRA, SALTELLI
from sim.exploring.file import Exploration
from sim.exploring.indices import independent, morris, sobol
from sim.exploring.points import parts_of, problem
from sim.exploring.quantities import ORDER, quantities, ranking
from sim.exploring.variance import variance
from sim.faults import Fault, ScenarioError, show
from sim.plots.style import Study

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Sensitivity:
    """What moves the outcomes of an experiment.

    `indices` has a row an outcome, subject and factor; `luck` a row an outcome and subject with the parts of the variance; `ranking` a row
    an outcome with how often policies rank otherwise than with the ledger's values. A subject is the baseline, a policy (its effect as a
    share of the baseline), or `ORDER` (the share of pairs of policies that stand the other way round).
    """

    done: Explored
    indices: pd.DataFrame
    luck: pd.DataFrame
    ranking: pd.DataFrame

    @property
    def titles(self) -> dict[str, str]:
        """Return what figures and sentences call each subject."""
        named = {scenario.name: scenario.title for scenario in self.done.layout.asked.scenarios}
        return {**named, ORDER: "order of policies"}

    @property
    def answer(self) -> list[str]:
        """Say in plain sentences what matters, with the numbers of the tables."""
        return sentences.answer(self.indices, self.luck, self.ranking, self.titles)

    @property
    def study(self) -> Study:
        """Return what captions say of the runs."""
        plan, base = self.done.layout.plan, self.done.layout.asked.baseline
        seeds = [plan.seed + k for k in range(plan.replications)]
        return Study(base.name, self.titles, base.population.users, seeds, base.run.window)

    def figures(self) -> Mapping[str, Callable[[], Figure]]:
        """Return the figures, by the name of their files: bars and a tornado for each outcome."""
        from sim.plots.sensitivity import bars_figure, tornado_figure

        made: dict[str, Callable[[], Figure]] = {}
        for outcome in dict.fromkeys(self.indices["outcome"]):
            rows, luck = (table[table["outcome"] == outcome] for table in (self.indices, self.luck))
            made[f"sensitivity_{outcome}"] = partial(bars_figure, rows, luck, self.study)
            made[f"tornado_{outcome}"] = partial(tornado_figure, rows, luck, self.study)
        return made

    def write(self, path: Path) -> None:
        """Write tables, sentences' numbers and figures into the results directory of the experiment."""
        write_analysis(path, dict(zip(SENSITIVITY, (self.indices, self.luck, self.ranking), strict=True)), self.figures())


def check_design(asked: Exploration) -> None:
    """Raise `ScenarioError` for a design that says nothing of sensitivity."""
    if asked.design.kind not in NEEDS_EXTRA:
        wanted = f"is no design for `abm sensitivity`; it must be {MORRIS} (screening) or {SALTELLI} (Sobol indices)"
        raise ScenarioError([Fault(asked.where, "design.kind", show(asked.design.kind), wanted)])


def sensitivity(done: Explored) -> Sensitivity:
    """Analyse the finished runs of an experiment whose design is morris or saltelli.

    Raises `ScenarioError` for another design, when SALib is missing, or when a run failed: these analyses need every point.
    """
    asked = done.layout.asked
    check_design(asked)
    check_whole(done)
    points = parts_of(asked.factors, done.layout.values)
    saltelli = asked.design.kind == SALTELLI
    indices, luck = [], []
    for outcome in asked.outcomes:
        for found in quantities(done, outcome):
            if not np.isfinite(found.runs).all():  # a lifetime where nobody left
                continue
            parts = variance(independent(points, found.runs)) if saltelli else variance(found.runs, together=len(asked.factors) + 1)
            about = {"outcome": outcome, "subject": found.subject, "unit": found.unit}
            columns = sobol(problem(asked.factors), points, found.runs, parts) if saltelli else morris(points, found.runs)
            for k, factor in enumerate(asked.factors):
                range_ = {"label": factor.label, "low": factor.low, "high": factor.high, "factor_unit": factor.unit}
                indices.append({**about, "factor": factor.key, **range_, **{name: float(row[k]) for name, row in columns.items()}})
            luck.append(
                {
                    **about,
                    "mean": parts.mean,
                    "variance_points": parts.of_points,
                    "variance_seeds": parts.of_seeds,
                    "variance_both": parts.of_both,
                    "luck_share": parts.luck_share,
                    "luck_share_low": parts.luck_low,
                    "luck_share_high": parts.luck_high,
                    "seed_difference": parts.seed_difference,
                    "points": len(found.runs),
                    "replications": done.layout.plan.replications,
                }
            )
    return Sensitivity(done, pd.DataFrame(indices), pd.DataFrame(luck), ranking(done, asked.outcomes))
