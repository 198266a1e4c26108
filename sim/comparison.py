"""Finished runs as tables, sentences and figures, from memory or from a results directory."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from sim import analysis, notebook
from sim.figures import write_figures
from sim.jobs import Failure
from sim.levers import LEVERS
from sim.outcomes import OUTCOMES
from sim.plan import Plan
from sim.provenance import provenance
from sim.scenario import Scenario
from sim.store import DONE, KEYS, Parts, Results, Store, daily_tables, runs_table, write_csv, write_table, writing

if TYPE_CHECKING:
    from sim.plots.gallery import Gallery

ALL_TABLES = (
    *("summary", "comparison", "best", "displacement", "recovery", "dose_response", "thresholds", "interaction"),
    *("robustness", "ranking", "ranking_pairs", "member_effects"),
)
"""Tables made of the runs, whichever command makes them."""

RECOVERS = "supply_account_days"  # after a pulse
REPORTS = ("html", "md")
"""Formats of the report, which stands beside the tables as `report.html` or `report.md`."""


class Kept:
    """The tables of runs that are kept in memory."""

    def __init__(self, plan: Plan, parts: Parts) -> None:
        self.parts = parts
        self._rows = [job.row for job in plan.sorted_jobs]

    @cached_property
    def runs(self) -> pd.DataFrame:
        """One row a run."""
        return _frame(runs_table(self._rows, self.parts))

    @cached_property
    def daily(self) -> pd.DataFrame:
        """One row a run and day."""
        tables = [_frame(table) for table in daily_tables(self._rows, self.parts)]
        return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=[*KEYS, "day", *OUTCOMES])

    def days_of(self, outcomes: Sequence[str]) -> pd.DataFrame:
        """Return `daily` with some of the outcomes."""
        return self.daily[[*KEYS, "day", *outcomes]]


def _frame(table: Any) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pandas()
    return frame


class Runs:
    """Finished runs of one scenario or more.

    `plan` says what was asked for, `failures` which runs raised.
    """

    def __init__(self, plan: Plan, tables: Kept | Results, failures: Sequence[Failure]) -> None:
        self.plan = plan
        self.failures = list(failures)
        self._tables = tables

    @property
    def directory(self) -> Path | None:
        """The results directory; None for runs that are kept in memory."""
        return self._tables.path if isinstance(self._tables, Results) else None

    @property
    def runs(self) -> pd.DataFrame:
        """One row a run: run_id, scenario, replication, seed, seconds, status, and each outcome's mean over the window."""
        return self._tables.runs

    @property
    def daily(self) -> pd.DataFrame:
        """One row a run and day: run_id, scenario, replication, seed, day, and the outcomes."""
        return self._tables.daily

    def days_of(self, outcomes: Sequence[str]) -> pd.DataFrame:
        """Return `daily` with some of the outcomes, which needs the memory of those only."""
        return self._tables.days_of(outcomes)

    @property
    def _finished(self) -> set[str]:
        return set(self.runs.loc[self.runs["status"] == DONE, "scenario"])

    @cached_property
    def summary(self) -> pd.DataFrame:
        """Mean over replications with its 95 % interval: scenario, outcome, unit, mean, low, high, replications."""
        return analysis.summary(self.runs)

    @property
    def at_a_glance(self) -> pd.DataFrame:
        """A short table of what was asked for, as a notebook shows it: cells are text."""
        return notebook.of_means(self.summary, self.plan.outcomes, self.plan.titles)

    def _repr_html_(self) -> str:
        """Return a short table and a figure for a notebook."""
        return notebook.shown(self)

    @property
    def plot(self) -> Gallery:
        """The figures, one method each; they return a matplotlib `Figure`."""
        from sim.plots.gallery import Gallery

        return Gallery(self)

    def save(self, path: Path | str) -> Path:
        """Write tables, figures and manifest to a results directory, which later commands can go on from; returns its path."""
        target = Path(path)
        if isinstance(self._tables, Results):
            if target.resolve() != self._tables.path.resolve():
                with Store(target, self.plan.daily) as store, writing(target):
                    store.goes_on_with(self._tables.manifest)
                    shutil.copytree(self._tables.path, target, dirs_exist_ok=True)
            return target
        with Store(target, self.plan.daily) as store:
            store.goes_on_with(self.plan.manifest(self._tables.parts, self.failures, finished=True))
            for job in self.plan.jobs:
                if self._tables.parts.has(job.run_id):
                    store.write(job.run_id, self._tables.parts.read(job.run_id))
            for failure in self.failures:
                store.fail(vars(failure))
            store.write_tables([job.row for job in self.plan.sorted_jobs], daily=self.plan.daily)
            self.write_tables(target)
            store.write_manifest({**self.plan.manifest(store, self.failures, finished=True), **provenance()})
            self.write_figures(target)
        return target

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """The tables made of the runs, by the name of their files."""
        return {"summary": self.summary}

    def write_tables(self, path: Path) -> None:
        """Write the tables made of the runs as Parquet and CSV; take away those that an earlier command left and this one has not.

        A report that an earlier command left goes as well: it is about other tables.
        """
        for suffix in REPORTS:
            (path / f"report.{suffix}").unlink(missing_ok=True)
        made = {name: table for name, table in self.tables.items() if len(table)}
        for name in ALL_TABLES:
            if name not in made:
                for suffix in (".parquet", ".csv"):
                    (path / f"{name}{suffix}").unlink(missing_ok=True)
        for name, table in made.items():
            write_table(path / f"{name}.parquet", table)
            write_csv(path / f"{name}.csv", table)

    def write_figures(self, path: Path) -> None:
        """Draw every figure that applies, as PNG and SVG, and take away those that an earlier command left."""
        figures = self.plot.all()
        for old in (path / "figures").glob("*.*"):
            if old.suffix in {".png", ".svg"} and old.stem not in figures:
                old.unlink()
        write_figures(path, figures)


class Comparison(Runs):
    """Finished runs of a baseline and other scenarios on the same seeds."""

    @property
    def baseline(self) -> str:
        """Name of the scenario that the others are compared with."""
        return self.plan.baseline or next(iter(self.plan.scenarios))

    @property
    def comparable(self) -> bool:
        """Say whether the baseline and another scenario have a replication in common that did not fail."""
        done = self.runs[self.runs["status"] == DONE]
        base = set(done.loc[done["scenario"] == self.baseline, "replication"])
        return bool(((done["scenario"] != self.baseline) & done["replication"].isin(base)).any())

    @cached_property
    def table(self) -> pd.DataFrame:
        """Paired differences, one row an outcome and scenario; the outcomes asked for first.

        Column `family` says what a row's simultaneous interval covers: `asked`, the outcomes asked for in all scenarios together; or, for
        the other outcomes, `table`, all outcomes in all scenarios.
        """
        asked = analysis.comparison(self.runs, self.baseline, self.plan.outcomes)
        whole = analysis.comparison(self.runs, self.baseline)
        rest = whole[~whole["outcome"].isin(self.plan.outcomes)]
        return pd.concat([asked.assign(family="asked"), rest.assign(family="table")], ignore_index=True)

    @property
    def asked(self) -> pd.DataFrame:
        """The rows of `table` for the outcomes asked for."""
        return self.table[self.table["outcome"].isin(self.plan.outcomes)]

    @cached_property
    def best(self) -> pd.DataFrame:
        """How sure it is which scenario is best, by each headline outcome: one row an outcome and scenario, the best first."""
        return analysis.best(self.runs, self.baseline, self.plan.headline or self.plan.outcomes)

    @property
    def at_a_glance(self) -> pd.DataFrame:
        """Changes from the baseline in the outcomes asked for, as a notebook shows them: cells are text."""
        asked = self.plan
        return notebook.of_changes(self.table, asked.outcomes, asked.titles) if self.comparable else super().at_a_glance

    @cached_property
    def displacement(self) -> pd.DataFrame:
        """Displacement index of each scenario that names target channels; NaN where it does not apply."""
        targets = {name: scenario.targets for name, scenario in self._others() if scenario.targets}
        return analysis.displacement(self.runs, self.baseline, targets)

    @cached_property
    def recovery(self) -> pd.DataFrame:
        """Days until supply is back after a pulse: scenario, pulse_day, recovery_days (NaN: not by the last day)."""
        rows: list[tuple[str, int, float]] = []
        for name, scenario in self._others():
            pulses = [max(p.days) for p in scenario.policies.values() if p.days and LEVERS[p.lever].only_policy]
            if pulses and self.plan.daily:
                days = analysis.recovery_days(self.days_of([RECOVERS]), self.baseline, name, max(pulses), RECOVERS)
                rows.append((name, max(pulses), math.nan if days is None else float(days)))
        return pd.DataFrame(rows, columns=["scenario", "pulse_day", "recovery_days"])

    def _others(self) -> Iterator[tuple[str, Scenario]]:
        """Go through the scenarios that were compared with the baseline."""
        present = set(self.table["scenario"])
        yield from ((name, scenario) for name, scenario in self.plan.scenarios.items() if name in present)

    @cached_property
    def levels_table(self) -> pd.DataFrame:
        """The comparison of a sweep with the levels as columns: `level` for one key, `x` and `y` for two."""
        base, outcomes = self.baseline, self.plan.outcomes
        levels = {name: at for name, at in self.plan.levels.items() if name != base and name in self._finished}
        if len(self.plan.axes) == 1:
            own = self.plan.levels[base][0]
            return analysis.dose_response(self.runs, base, {name: at[0] for name, at in levels.items()}, own, outcomes)
        return analysis.interaction(self.runs, base, {name: (at[0], at[1]) for name, at in levels.items()}, outcomes)

    @cached_property
    def thresholds(self) -> pd.DataFrame:
        """From which level on effects are beyond chance, and where they reach half of what they can: of a sweep of one key."""
        return analysis.thresholds(self.levels_table, self.baseline, self.plan.outcomes)

    @cached_property
    def answer(self) -> list[str]:
        """What the comparison says, in plain sentences."""
        days = zip(self.recovery["scenario"].astype(str), self.recovery["recovery_days"].astype(float), strict=True)
        recovery = {name: None if math.isnan(value) else int(value) for name, value in days}
        return analysis.answer(self.asked, self.displacement, self.plan.titles, recovery, self.plan.outcomes)

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """The tables made of the runs, by the name of their files."""
        if not self.comparable:
            return super().tables
        made = {"comparison": self.table, "best": self.best, "displacement": self.displacement, "recovery": self.recovery}
        if len(self.plan.axes) == 1:
            made |= {"dose_response": self.levels_table, "thresholds": self.thresholds}
        elif self.plan.axes:
            made["interaction"] = self.levels_table
        return {**super().tables, **made}


class Robust(Runs):
    """Finished runs of a baseline and policies with the ledger's values and in members of the set of parameter vectors."""

    @property
    def worlds(self) -> analysis.Worlds:
        """Which runs belong together: the same baseline and policies in each world."""
        return analysis.Worlds.of(self.plan.baseline or "", self.plan.members)

    @cached_property
    def summary(self) -> pd.DataFrame:
        """The summary of the scenarios as they are, with the ledger's values."""
        return analysis.summary(self.runs[~self.runs["scenario"].isin(list(self.plan.members))])

    @cached_property
    def table(self) -> pd.DataFrame:
        """Paired differences of the scenarios as they are, with the ledger's values."""
        return analysis.comparison(self.runs[~self.runs["scenario"].isin(list(self.plan.members))], self.plan.baseline or "")

    @cached_property
    def robustness(self) -> pd.DataFrame:
        """One row an outcome asked for and policy: chance, parameters, and the share of members in which the sign holds."""
        return analysis.robustness(self.runs, self.worlds, self.plan.outcomes)

    @cached_property
    def member_effects(self) -> pd.DataFrame:
        """One row an outcome, policy and world: the effect there, with its Monte-Carlo interval."""
        return analysis.member_effects(self.runs, self.worlds, self.plan.outcomes)

    @cached_property
    def ranking(self) -> pd.DataFrame:
        """One row a headline outcome: in what share of members policies rank otherwise."""
        return analysis.ranking(self.runs, self.worlds, self.plan.headline)

    @cached_property
    def ranking_pairs(self) -> pd.DataFrame:
        """One row a headline outcome and pair of policies: where one stays better than the other."""
        return analysis.ranking_pairs(self.runs, self.worlds, self.plan.headline)

    @cached_property
    def answer(self) -> list[str]:
        """Which conclusions hold over the parameters and which do not, in plain sentences."""
        return analysis.robust_answer(self.robustness, self.ranking, self.plan.titles)

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """The tables made of the runs, by the name of their files."""
        made = {"robustness": self.robustness, "member_effects": self.member_effects}
        return {**super().tables, **made, "ranking": self.ranking, "ranking_pairs": self.ranking_pairs}
