"""The patterns P1 to P9: observed in the world, asked of the model with the parameters that ship."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pandas as pd

from sim.comparison import Runs
from sim.patterns.curves import curves
from sim.patterns.experiments import PATTERNS, SHORTER, plan, scenario_of, watches
from sim.patterns.keeping import Watched
from sim.patterns.market import CRITERIA as _OF_MARKET
from sim.patterns.page import markdown, page, summary, tallies
from sim.patterns.people import CRITERIA as _OF_PEOPLE
from sim.patterns.scoring import COLUMNS, FAIL, NOT_TESTABLE, PASS, Criterion, Evidence, scorecard
from sim.patterns.trade import CRITERIA as _OF_TRADE
from sim.patterns.watching import watch_all
from sim.workers import Workers

__all__ = [
    "COLUMNS",
    "CRITERIA",
    "FAIL",
    "NOT_TESTABLE",
    "PASS",
    "PATTERNS",
    "SHORTER",
    "Criterion",
    "Evidence",
    "curves",
    "gathered",
    "judged",
    "markdown",
    "page",
    "plan",
    "summary",
    "table",
    "tallies",
]

CRITERIA: tuple[Criterion, ...] = (*_OF_MARKET, *_OF_PEOPLE, *_OF_TRADE)
"""Every criterion, in the order of the scorecard."""


def gathered(done: Runs, only: Iterable[str] = PATTERNS, workers: Workers = 1, tell: Callable[[int, int], None] | None = None) -> Evidence:
    """Make the watched runs that the patterns asked for need, and return what they saw with the finished runs.

    `tell` hears how many watched runs of how many are done. Runs of a results directory have theirs kept there too.
    """
    base = done.plan.scenarios["baseline"]
    wanted = watches(only)
    seeds = range(done.plan.seed, done.plan.seed + done.plan.replications)
    return Evidence(
        daily=done.daily,
        window=base.run.window,
        burn_in_days=base.run.burn_in_days,
        users=base.population.users,
        shares={name: segment.share for name, segment in base.population.segments.items()},
        seen=watch_all(
            wanted,
            {one.scenario: scenario_of(base, one.scenario) for one in wanted.values()},
            seeds,
            workers,
            tell,
            None if done.directory is None else Watched(done.directory),
        ),
    )


def judged(evidence: Evidence, only: Iterable[str] = PATTERNS) -> pd.DataFrame:
    """Return the scorecard of the patterns asked for: one row a criterion (`COLUMNS`)."""
    patterns = frozenset(only)
    return scorecard([one for one in CRITERIA if one.pattern in patterns], evidence)


def table(done: Runs, only: Iterable[str] = PATTERNS, workers: int = 1) -> pd.DataFrame:
    """Return the scorecard of finished runs, with the watched runs made now: one row a criterion (`COLUMNS`)."""
    patterns = tuple(only)
    return judged(gathered(done, patterns, workers), patterns)
