"""In which worlds a policy fails: verdicts, boxes, tables and figures of an experiment whose file says when it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sim.discovery import words
from sim.discovery.boxes import Again, Box, find_boxes, found_again
from sim.discovery.verdicts import verdicts
from sim.exploring.carrying import DISCOVERY, OWN, Explored, check_whole, write_analysis
from sim.exploring.design import HYPERCUBE, PLAUSIBLE, SOBOL, TABLE
from sim.exploring.file import Exploration
from sim.exploring.rule import CONDITIONS, FAILS, Rule
from sim.faults import Fault, ScenarioError, show
from sim.plots.style import Study

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SPREAD = (HYPERCUBE, SOBOL, TABLE, PLAUSIBLE)
"""Designs whose points are spread over the ranges, as shares of worlds take for granted."""


@dataclass(frozen=True)
class Discovery:
    """In which worlds the policy of an experiment fails.

    `worlds` has a row a world: factors, changes with intervals, whether the policy fails, whether chance leaves that open, and in which
    box it is (0 for none). `boxes` has a row a box and factor; `peeling` a row a box and step of its trajectory.
    """

    done: Explored
    rule: Rule
    worlds: pd.DataFrame
    boxes: pd.DataFrame
    peeling: pd.DataFrame

    @property
    def policy(self) -> str:
        """Return what sentences and figures call the policy."""
        scenario = self.done.layout.asked.scenarios[1]
        return scenario.title or scenario.name.replace("_", " ")

    @property
    def answer(self) -> list[str]:
        """Say in plain sentences where the policy fails, with the numbers of the tables."""
        sampled = self.done.layout.asked.design.kind != TABLE
        return words.answer(self.policy, self.rule, self.worlds, self.boxes, sampled=sampled)

    @property
    def study(self) -> Study:
        """Return what captions say of the runs."""
        plan, base = self.done.layout.plan, self.done.layout.asked.baseline
        titles = {scenario.name: scenario.title for scenario in self.done.layout.asked.scenarios}
        return Study(base.name, titles, base.population.users, [plan.seed + k for k in range(plan.replications)], base.run.window)

    def figures(self) -> Mapping[str, Callable[[], Figure]]:
        """Return the figures, by the name of their files: one a box."""
        from sim.plots.discovery import box_figure

        replications, log = self.done.layout.plan.replications, {f.key for f in self.done.layout.asked.factors if f.log}
        return {
            f"discovery_box_{number}": partial(
                box_figure,
                self.worlds,
                part,
                self.peeling[self.peeling["box"] == number],
                self.policy,
                self.rule.in_words,
                self.study,
                log,
                replications,
            )
            for number, part in self.boxes.groupby("box")
        }

    def write(self, path: Path) -> None:
        """Write tables and figures into the results directory of the experiment."""
        write_analysis(path, dict(zip(DISCOVERY, (self.worlds, self.boxes, self.peeling), strict=True)), self.figures())


def check_rule(asked: Exploration) -> Rule:
    """Return the rule of an experiment that can be asked where its one policy fails; raises `ScenarioError` with all that is in the way."""
    faults = []
    if asked.rule is None:
        problem = f'is missing; `abm discover` needs [[{FAILS}.{CONDITIONS}]] with, say: outcome = "expected_harm_yuan", at_least = -0.1'
        faults.append(Fault(asked.where, FAILS, "", problem))
    if len(asked.scenarios) != 2:
        names = [scenario.name for scenario in asked.scenarios[1:]]
        faults.append(Fault(asked.where, "scenarios", show(names), "must be one policy, which `abm discover` holds against the baseline"))
    if asked.design.kind not in SPREAD:
        problem = f"does not spread worlds over the ranges; `abm discover` takes {', '.join(SPREAD)}"
        faults.append(Fault(asked.where, "design.kind", show(asked.design.kind), problem))
    if faults or asked.rule is None:
        raise ScenarioError(faults)
    return asked.rule


def discover(done: Explored) -> Discovery:
    """Find out in which worlds the policy of a finished experiment fails.

    Raises `ScenarioError` when the file has no rule, not one policy or another design, when the EMA workbench is missing, or when a run
    failed: a world without its runs has no verdict.
    """
    asked = done.layout.asked
    rule = check_rule(asked)
    check_whole(done)
    table = verdicts(done, rule)
    tried = (table["world"] != OWN).to_numpy()
    factors = [factor.key for factor in asked.factors]
    worlds, failed = table.loc[tried, factors].reset_index(drop=True), table.loc[tried, "failed"].to_numpy(dtype=bool)
    found = find_boxes(worlds, failed)
    left, rows, steps, numbers = np.ones(len(failed), dtype=bool), [], [], np.zeros(len(failed), dtype=np.int64)
    for number, box in enumerate(found, start=1):
        rest = worlds[left].reset_index(drop=True), failed[left]
        again = found_again(*rest, asked.design.seed, among=None if left.all() else failed)
        rows += _rows(number, box, again, asked, failed, left)
        steps.append(box.path.assign(box=number, step=range(len(box.path)), chosen=np.arange(len(box.path)) == box.step))
        numbers[box.inside] = number
        left &= ~box.inside
    inside = np.zeros(len(table), dtype=np.int64)
    inside[tried] = numbers
    peeling = pd.concat(steps, ignore_index=True) if steps else pd.DataFrame(columns=["box", "step"])
    return Discovery(done, rule, table.assign(box=inside), pd.DataFrame(rows, columns=list(BOXES)), peeling)


BOXES = (
    "box", "factor", "label", "unit", "restricted", "low", "high", "range_low", "range_high", "quasi_p_low", "quasi_p_high",
    "reproduced", "boxes_found", "coverage", "density", "mass", "worlds", "failing", "unseen_coverage", "unseen_density",
)  # fmt: skip


def _rows(number: int, box: Box, again: Again, asked: Exploration, failed: np.ndarray, left: np.ndarray) -> list[dict[str, object]]:
    """Return a row a factor: limits, where it is restricted, or the ends of its range; how sure that is; and what the box is worth.

    `left` are the worlds in no box before; both coverages are parts of all failing worlds.
    """
    about = {
        "coverage": box.coverage,
        "density": box.density,
        "mass": box.mass,
        "worlds": int(box.inside.sum()),
        "failing": int((box.inside & failed).sum()),
        "unseen_coverage": again.unseen_coverage * float((left & failed).sum() / failed.sum()),
        "unseen_density": again.unseen_density,
    }
    made: list[dict[str, object]] = []
    for factor in asked.factors:
        key = factor.key
        low, high = box.limits.get(key, (-np.inf, np.inf))
        p_low, p_high = box.quasi_p.get(key, (np.nan, np.nan))
        ends = {"low": max(low, factor.low), "high": min(high, factor.high), "range_low": factor.low, "range_high": factor.high}
        sure = {"reproduced": again.factors[key], "boxes_found": again.found}
        row = {"box": number, "factor": key, "label": factor.label, "unit": factor.unit, "restricted": key in box.limits}
        made.append({**row, **ends, "quasi_p_low": p_low, "quasi_p_high": p_high, **sure, **about})
    return made
