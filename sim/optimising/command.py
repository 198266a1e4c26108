"""An optimisation from its file to its tables and figures: what `abm optimise` does."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.burn_in import Simulate, not_shared
from sim.conduct import check_workers
from sim.figures import write_figures
from sim.jobs import Progress
from sim.matching.asked import changes
from sim.optimising import front, judged, sentences
from sim.optimising.bench import Bench, SearchFailedError, Tell
from sim.optimising.file import COST, Optimisation, key_of, load_optimisation, settings
from sim.optimising.judged import BASELINE, RIVAL, WINNER, Policy
from sim.optimising.search import Mix, Search, Tried, optuna
from sim.plan import standing
from sim.plots.style import Study
from sim.provenance import model_source, provenance
from sim.scenario import Scenario
from sim.store import Memory, Store, runs_table, write_csv, write_table
from sim.workers import Workers, count

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Reals = NDArray[np.float64]

TABLES = ("trials", "front", "winners", "equal_cost", "regret")
"""Tables of a results directory, as CSV files."""


@dataclass(frozen=True)
class Optimised:
    """What an optimisation found, as tables.

    `trials` has a row a mix that was tried, `front` those of them that are efficient within chance, cheapest first, with `epsilon` the
    difference that chance is given for each objective; `winners` a row a policy run again on fresh seeds and outcome; `equal_cost` a row
    a rival; `regret` a row a policy and objective. Where no mix keeps the guardrails the last three know baseline and rivals alone.
    """

    asked: Optimisation
    policies: Sequence[Policy]
    epsilon: Mapping[str, float]
    trials: pd.DataFrame
    winners: pd.DataFrame
    equal_cost: pd.DataFrame
    regret: pd.DataFrame

    @property
    def front(self) -> pd.DataFrame:
        """Return the trials that are efficient within chance, cheapest first."""
        return self.trials[self.trials["efficient"]].sort_values(COST, kind="stable").reset_index(drop=True)

    @property
    def found(self) -> bool:
        """Say whether a mix keeps the guardrails."""
        return bool(self.trials["keeps"].any())

    @property
    def answer(self) -> list[str]:
        """Say in plain sentences what was found, with the numbers of the tables."""
        return sentences.answer(self)

    @property
    def study(self) -> Study:
        """Return what captions say of the runs."""
        base = self.asked.baseline
        titles = {policy.name: policy.scenario.title for policy in self.policies}
        return Study(base.name, titles, base.population.users, [], base.run.window)

    def figures(self) -> Mapping[str, Callable[[], Figure]]:
        """Return the figures, by the name of their files: harm against cost, and the mixes along the front."""
        from sim.plots.mixes import harm_front, mixes_along

        asked = self.asked
        today = {lever: standing(asked.baseline, key_of(lever)) for lever in asked.levers}
        about = f"{asked.in_words}; winners and rivals on {asked.search.fresh_seeds} fresh seeds in each."
        return {
            "front": partial(harm_front, self.trials, self.winners, self.equal_cost, asked.harm, self.study, about),
            "mixes": partial(mixes_along, self.trials, self.winners, asked.levers, today, self.study, about),
        }

    def write(self, path: Path) -> None:
        """Write tables and figures into a results directory that is open for writing."""
        for name, table in zip(TABLES, (self.trials, self.front, self.winners, self.equal_cost, self.regret), strict=True):
            write_csv(path / f"{name}.csv", table)
        write_figures(path, self.figures())


def optimise(
    file: str | Path,
    trials: int | None = None,
    seed: int | None = None,
    overrides: Mapping[str, object] | None = None,
    workers: Workers = 1,
    out: Path | str | None = None,
    progress: Tell | None = None,
    how: Simulate | None = None,
    retry_failed: bool = False,
) -> Optimised:
    """Search the mixes of levers that a file describes; how many and from which seed is in the file unless given.

    With a results directory `out` the same call goes on where it stopped, and more trials add to those that are there. `how` is a stand-in
    for the simulation: a function of scenario and seed that returns outcomes by day, their means and seconds. `retry_failed` makes runs
    again that failed when an earlier call or command with the same `out` made them; else they stay failed. With `workers` above 1 a
    script needs the guard `if __name__ == "__main__":`. Raises `ScenarioError` for bad input or a missing extra, `StoreError` for a
    directory that cannot be used, `WriteError` when the disk refuses, `SearchFailedError` when a run raises.
    """
    given = {**(overrides or {}), **({} if seed is None else {"run.seed": seed})}
    return carry_out(load_optimisation(file, given, trials), out, workers, progress, how, retry_failed)


def carry_out(
    asked: Optimisation,
    out: Path | str | None = None,
    workers: Workers = 1,
    progress: Tell | None = None,
    how: Simulate | None = None,
    retry_failed: bool = False,
) -> Optimised:
    """Search, run the winners again and, in a results directory, write tables, figures and manifest; errors as in `optimise`."""
    check_workers(workers)
    optuna()
    if (
        progress
        and how is None
        and (reason := not_shared([asked.baseline, *(_mixed(asked, k, mix) for k, (_, mix) in enumerate(asked.starts))]))
    ):
        progress(Progress(1, stage=reason))
    if out is None:
        return _found(asked, Bench(asked, Memory(), workers, progress, how), None)
    start = time.perf_counter()
    with Store(Path(out), retry_failed=retry_failed) as store:
        bench = Bench(asked, store, workers, progress, how)
        about: dict[str, Any] = {**provenance(), "workers": count(workers)}
        now = bench.manifest(finished=False)
        store.goes_on_with(now)  # refuses the directory of another command
        if progress and (changed := changes((store.held or {}).get("settings"), now["settings"])):
            told = f"had other settings: {changed}; its tables are replaced, its finished runs are kept"
            progress(Progress(1, stage=f"{asked.name} in {out} {told}"))
        bench.tell_all = lambda: store.write_manifest({**bench.manifest(finished=False), **about})
        try:
            done = _found(asked, bench, store.path)
        except SearchFailedError:
            bench.tell_all()
            raise
        if progress:
            progress(Progress(1, stage="tables and figures ..."))
        write_table(store.path / "runs.parquet", runs_table([job.row for job in bench.jobs.values()], store))
        done.write(store.path)
        about["wall_seconds"] = round(time.perf_counter() - start, 3)
        store.write_manifest({**bench.manifest(finished=True), **about})
    return done


def _found(asked: Optimisation, bench: Bench, path: Path | None) -> Optimised:
    own = [asked.baseline, *asked.rivals]
    before = bench.runs(own, "baseline and rivals")
    limits = judged.limits_of(asked, front.means(before)[0])
    tried, runs = _searched(asked, bench, limits, path)
    margin = judged.margin_of(tried, runs)
    trials = judged.trials_table(asked, tried, runs, margin)
    cost = front.means(before)[1:, asked.outcomes.index(COST)]
    winners = judged.chosen(asked, trials, {rival.name: float(at) for rival, at in zip(asked.rivals, cost, strict=True)})
    policies = [Policy(scenario, RIVAL if k else BASELINE) for k, scenario in enumerate(own)]
    policies += [Policy(_mixed(asked, k, tried[k].mix), WINNER, roles, k, tried[k].mix) for k, roles in winners.items()]
    fresh = bench.runs([policy.scenario for policy in policies], "winners and rivals on fresh seeds", fresh=True)
    search = np.concatenate([before, runs[np.array(list(winners), dtype=np.int64)]])
    return Optimised(
        asked=asked,
        policies=policies,
        epsilon=dict(zip(asked.objectives, margin.tolist(), strict=False)),
        trials=trials,
        winners=judged.winners_table(asked, policies, search, fresh),
        equal_cost=judged.duels_table(asked, policies, fresh),
        regret=judged.regret_table(asked, policies, fresh),
    )


def _searched(asked: Optimisation, bench: Bench, limits: Mapping[str, float], path: Path | None) -> tuple[list[Tried], Reals]:
    """Try mixes until there are as many as asked for; return them with their runs, `(trials, worlds, seeds, outcomes)`."""
    wanted = asked.search.trials
    starts = [mix for _, mix in asked.starts]
    search = Search(asked.levers, len(asked.objectives), starts, asked.search.batch, asked.search.seed, _digest(asked), path)
    found: list[Reals] = []
    if kept := search.tried[:wanted]:
        found.append(bench.runs([_mixed(asked, k, one.mix) for k, one in enumerate(kept)], f"the {len(kept)} trials of before"))
    while (done := len(search.tried)) < wanted:
        mixes: Sequence[Mix] = search.ask()[: wanted - done]
        scenarios = [_mixed(asked, done + k, mix) for k, mix in enumerate(mixes)]
        runs = bench.runs(scenarios, f"trials {done + 1} to {done + len(mixes)} of {wanted}")
        for mix, values in zip(mixes, front.means(runs), strict=True):
            search.tell(Tried(mix, tuple(map(float, values[: len(asked.objectives)])), judged.missed(asked, values, limits)))
        found.append(runs)
    return search.tried[:wanted], np.concatenate(found)


def _mixed(asked: Optimisation, number: int, mix: Mix) -> Scenario:
    return asked.mixed(mix, f"trial_{number}", f"Trial {number}")


def _digest(asked: Optimisation) -> str:
    """Return what a search is known by in the journal: trials of other settings, or of another model, are not of this one."""
    whole = json.dumps([settings(asked), model_source()], sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()[:16]
