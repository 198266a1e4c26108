"""The same comparison under each rule by which dealers may learn, each in a directory of its own, and put side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from sim.analysis.structure import in_words, side_by_side
from sim.comparison import Comparison, Runs
from sim.conduct import Tell, asked_of, carry_out
from sim.experiment_file import HEADLINE, SHOWN
from sim.faults import Fault, ScenarioError, show
from sim.jobs import Progress
from sim.levers import LEARNING
from sim.plan import Plan
from sim.scenario import Scenario
from sim.store import write_csv, writing
from sim.workers import Workers

OPTION, KEY = "--over-learning", "dealers.learning"

TABLE = "learning.csv"
"""The effects side by side, beside the directories of the rules."""


@dataclass(frozen=True)
class OverLearning:
    """Finished runs by rule of learning, and `table`: effects side by side (`analysis.structure.side_by_side`), empty if any failed."""

    runs: Mapping[str, Runs]
    table: pd.DataFrame

    @property
    def answer(self) -> list[str]:
        """Which effects keep their sign under all rules, in plain sentences."""
        return in_words(self.table) if len(self.table) else ["Runs failed, so there is nothing to put side by side."]


def over_learning(
    baseline: Scenario,
    policies: Sequence[Scenario],
    replications: int | None = None,
    seed: int | None = None,
    outcomes: Sequence[str] = SHOWN,
    headline: Sequence[str] = HEADLINE,
    workers: int = 1,
    out: Path | str | None = None,
    progress: Tell | None = None,
    retry_failed: bool = False,
) -> OverLearning:
    """Compare policies with a baseline under each rule of learning; arguments and errors as in `compare` and `over_rules`."""
    return over_rules(asked_of(baseline, policies, replications, seed, outcomes, headline), out, workers, progress, retry_failed)


def plans(asked: Plan) -> dict[str, Plan]:
    """Return the comparison under each rule of learning, by rule.

    Raises `ScenarioError` when a scenario sets another rule than the one that dealers have by themselves, which would be lost.
    """
    faults = [
        Fault("", f"{name}: {KEY}", show(scenario.dealers.learning), f"does not go with {OPTION}, which sets it")
        for name, scenario in asked.scenarios.items()
        if scenario.dealers.learning != LEARNING[0]
    ]
    if faults:
        raise ScenarioError(faults)
    return {
        rule: replace(asked, scenarios={name: scenario.changed({KEY: rule}) for name, scenario in asked.scenarios.items()})
        for rule in LEARNING
    }


def over_rules(
    asked: Plan, out: Path | str | None = None, workers: Workers = 1, progress: Tell | None = None, retry_failed: bool = False
) -> OverLearning:
    """Carry a comparison out under each rule of learning, in `out` each in a directory named after it, with `TABLE` beside them.

    Raises `ScenarioError` when a scenario sets a rule itself or `out` holds something else, and what `carry_out` raises.
    """
    each, target = plans(asked), None if out is None else Path(out)
    if target is not None:
        _check_place(target)
        with writing(target / TABLE):
            (target / TABLE).unlink(missing_ok=True)
    runs = {}
    for rule, plan in each.items():
        if progress:
            progress(Progress(1, stage=f"dealers learn by {rule}"))
        runs[rule] = carry_out(plan, None if target is None else target / rule, workers, progress, retry_failed=retry_failed)
    tables = {rule: done.asked for rule, done in runs.items() if isinstance(done, Comparison) and not done.failures}
    table = side_by_side(tables, asked.outcomes) if len(tables) == len(each) else pd.DataFrame()
    if target is not None and len(table):
        write_csv(target / TABLE, table)
    return OverLearning(runs, table)


def _check_place(target: Path) -> None:
    """Raise `ScenarioError` for a directory that holds something else."""
    if target.exists() and not target.is_dir():
        raise ScenarioError([Fault("", "--out", str(target), "is a file, not a directory")])
    others = sorted(path.name for path in target.iterdir() if path.name not in {*LEARNING, TABLE}) if target.is_dir() else []
    if others:
        raise ScenarioError([Fault("", "--out", str(target), f"holds {others[0]}, which is none of its results; name another")])
