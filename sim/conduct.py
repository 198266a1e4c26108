"""From scenarios to results: make the runs that are missing, then write tables, figures and manifest."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from sim import analysis
from sim.burn_in import not_shared
from sim.comparison import Comparison, Kept, Robust, Runs
from sim.experiment_file import HEADLINE, SHOWN, Experiment
from sim.faults import Fault, ScenarioError, corrected, nearest, one_of, show, whole_number
from sim.jobs import MOST_SEED, Failure, Progress, run_jobs, too_late
from sim.names import against
from sim.plan import Plan, check_pairs, planned, single, swept, varies_of
from sim.provenance import provenance
from sim.scenario import Scenario
from sim.store import MEANS, Memory, Parts, Results, Store, StoreError, damaged
from sim.workers import Workers, count

MOST_RUNS, MOST_WORKERS = 100_000, 4096
"""Replications of one scenario and processes; more are taken for a slip."""

MOST_REPLICATIONS = 200
"""`precision` stops adding replications here."""

Tell = Callable[[Progress], None]


def carry_out(
    plan: Plan,
    out: Path | str | None = None,
    workers: Workers = 1,
    progress: Tell | None = None,
    share_burn_in: bool = True,
    retry_failed: bool = False,
) -> Runs:
    """Make the runs of a plan that are missing and, in a results directory, write tables, figures and manifest.

    Runs that are alike until policies start share their burn-in, to the same bits, unless `share_burn_in` is false.
    In a results directory a run that failed in an earlier command stays failed, unless `retry_failed`.
    Returns a `Comparison` when the plan has a baseline, a `Robust` when it has members of a set of parameter vectors too.
    Raises `StoreError` for a directory that cannot be used, `WriteError` when the disk refuses, `KeyboardInterrupt` when interrupted; what
    was finished is kept. Runs that raise are listed in `failures`.
    """
    check_seeds(plan)
    check_workers(workers)
    if out is None:
        memory = Memory(plan.daily)
        plan, failures = _make(plan, memory, workers, progress, share_burn_in)
        return _opened(plan, Kept(plan, memory), failures)
    start = time.perf_counter()
    with Store(Path(out), plan.daily, retry_failed) as store:
        for job in plan.jobs:  # a damaged part is found before anything is written
            store.has(job.run_id)
        about = {**provenance(), "workers": count(workers)}
        manifest = plan.manifest(store, (), finished=False)
        if not store.goes_on_with(manifest) and progress:
            told = "had other settings: its tables and figures are replaced, its finished runs are kept"
            progress(Progress(1, stage=f"{plan.name} in {out} {told}"))
        store.write_manifest({**manifest, **about})
        plan, failures = _make(plan, store, workers, progress, share_burn_in)
        if progress and not plan.daily and (store.path / "daily.parquet").is_file():
            told = (
                "the days that were there are taken away, with the figures over days; the same command without --no-daily makes them again"
            )
            progress(Progress(1, stage=told))
        if progress:
            progress(Progress(1, stage="tables and figures ..."))
        store.write_tables([job.row for job in plan.sorted_jobs], daily=plan.daily)
        done = _opened(plan, Results(store.path), failures)
        done.write_tables(store.path)
        about["wall_seconds"] = round(time.perf_counter() - start, 3)
        store.write_manifest({**plan.manifest(store, failures, finished=True), **about})
        done.write_figures(store.path)
    return done


def _opened(plan: Plan, tables: Kept | Results, failures: Sequence[Failure]) -> Runs:
    kind = Runs if plan.baseline is None else Robust if plan.members else Comparison
    return kind(plan, tables, failures)


def _make(plan: Plan, parts: Parts, workers: Workers, progress: Tell | None, share_burn_in: bool) -> tuple[Plan, list[Failure]]:
    """Make the missing runs; with a precision asked for, add replications until it is reached, a run fails or there are too many."""
    missing = {job.scenario_name: job.scenario for job in plan.jobs if not parts.has(job.run_id)}
    if progress and share_burn_in and (reason := not_shared(missing.values())):
        progress(Progress(1, stage=reason))
    while True:
        failures = run_jobs(plan.jobs, parts, workers, progress, share_burn_in=share_burn_in).failed
        if plan.precision is None or failures:
            return plan, failures
        runs = Kept(plan, parts).runs
        widest = float(analysis.precision(runs, plan.baseline or "", plan.headline)["half_width_share"].max())
        if widest < plan.precision or plan.replications >= MOST_REPLICATIONS:
            return replace(plan, widest=widest), failures
        plan = replace(plan, replications=analysis.next_replications(plan.replications, widest, plan.precision, MOST_REPLICATIONS))


def run(
    scenario: Scenario,
    replications: int | None = None,
    seed: int | None = None,
    workers: Workers = 1,
    out: Path | str | None = None,
    progress: Tell | None = None,
    daily: bool = True,
    retry_failed: bool = False,
) -> Runs:
    """Run replications of one scenario; how many and from which seed is in the scenario unless given.

    `workers` is a number of processes or an executor; above 1 a script needs the guard `if __name__ == "__main__":`. Without `daily` the
    days of runs are not kept, only their means. `retry_failed` makes runs again that failed when an earlier call or command with the same
    `out` made them; else they stay failed.
    """
    plan = replace(_with(single(scenario), replications, seed), daily=daily)
    return carry_out(plan, out, workers, progress, retry_failed=retry_failed)


def compare(
    baseline: Scenario,
    policies: Sequence[Scenario],
    replications: int | None = None,
    seed: int | None = None,
    outcomes: Sequence[str] = SHOWN,
    headline: Sequence[str] = HEADLINE,
    precision: float | None = None,
    workers: Workers = 1,
    out: Path | str | None = None,
    progress: Tell | None = None,
    share_burn_in: bool = True,
    daily: bool = True,
    retry_failed: bool = False,
) -> Comparison:
    """Run a baseline and policies on the same seeds and compare them; how often and from which seed is in the baseline unless given.

    `precision` adds replications until the 95 % half-width of each effect on `headline` outcomes is below that share of the baseline's
    mean, or there are `MOST_REPLICATIONS`. `share_burn_in=False` makes every run whole, to the same bits in more time. Without `daily` the
    days of runs are not kept, only their means, and there is no figure over days. `workers` is a number of processes or an executor.
    `retry_failed` as in `run`.
    Raises `ScenarioError` when there is no policy, two scenarios have one name or cannot be paired, or there is no such outcome.
    """
    asked = asked_of(baseline, policies, replications, seed, outcomes, headline, precision)
    done = carry_out(replace(asked, daily=daily), out, workers, progress, share_burn_in, retry_failed)
    assert isinstance(done, Comparison)
    return done


def asked_of(
    baseline: Scenario,
    policies: Sequence[Scenario],
    replications: int | None = None,
    seed: int | None = None,
    outcomes: Sequence[str] = SHOWN,
    headline: Sequence[str] = HEADLINE,
    precision: float | None = None,
) -> Plan:
    """Return the plan of a comparison; arguments and errors as in `compare`."""
    if not policies:
        raise ScenarioError([Fault("", "policies", "[]", "must hold at least one scenario to compare with the baseline")])
    check_pairs(baseline, policies)
    if faults := [Fault("", "outcomes", show(name), _outcome(name)) for name in (*outcomes, *headline) if name not in MEANS]:
        raise ScenarioError(faults)
    name = "_".join([baseline.name, "against", *(policy.name for policy in policies)])[:100]
    title = against([scenario.name for scenario in (baseline, *policies)], [scenario.title for scenario in (baseline, *policies)])
    experiment = Experiment(name, title, "", baseline, tuple(policies), tuple(outcomes), tuple(headline))
    return _with(planned(experiment, precision), replications, seed)


def sweep(
    scenario: str | Path,
    vary: Sequence[str],
    replications: int | None = None,
    seed: int | None = None,
    overrides: Mapping[str, object] | None = None,
    workers: Workers = 1,
    out: Path | str | None = None,
    progress: Tell | None = None,
    daily: bool = True,
    retry_failed: bool = False,
) -> Comparison:
    """Compare a scenario file with itself under other levels of one key or two, each given as `KEY=LOW:HIGH:LEVELS`.

    The name of a lever stands for the strength of a policy on it from the end of burn-in. `daily` as in `compare`, `retry_failed` as in
    `run`. Raises `ScenarioError`.
    """
    plan = replace(_with(swept(scenario, varies_of(vary), overrides), replications, seed), daily=daily)
    done = carry_out(plan, out, workers, progress, retry_failed=retry_failed)
    assert isinstance(done, Comparison)
    return done


def open_results(path: Path | str) -> Runs:
    """Open a results directory, as `carry_out` returned it. Raises `StoreError` when it is damaged or of another version."""
    results = Results(path)
    plan = Plan.of(results.manifest, results.path)
    if not results.manifest.get("finished"):
        raise StoreError(f"{path}: the last command has not finished; give it again and it goes on from there")
    try:
        failures = [Failure(**failure) for failure in results.manifest.get("failures", [])]
    except TypeError as error:
        raise StoreError(damaged(results.path / "manifest.json", "failures are not a list of runs")) from error
    return _opened(plan, results, failures)


def redraw(path: Path | str) -> Runs:
    """Draw every figure of a results directory again, from its tables."""
    done = open_results(path)
    with Store(Path(path)):
        done.write_figures(Path(path))
    return done


def _with(plan: Plan, replications: int | None, seed: int | None) -> Plan:
    return replace(
        plan,
        replications=plan.replications if replications is None else _whole("replications", replications, 1, MOST_RUNS),
        seed=plan.seed if seed is None else _whole("seed", seed, 0, MOST_SEED),
    )


def check_seeds(plan: Plan) -> None:
    """Raise `ScenarioError` for replications or a seed that cannot be, or with which the last run would have a seed that cannot."""
    _whole("replications", plan.replications, 1, MOST_RUNS)
    _whole("seed", plan.seed, 0, MOST_SEED)
    if problem := too_late(plan.seed, plan.last_seed):
        raise ScenarioError([Fault("", "seed", show(plan.seed), problem)])


def check_workers(workers: Workers) -> None:
    """Raise `ScenarioError` for what is neither a number of processes nor an executor."""
    _whole("workers", count(workers), 1, MOST_WORKERS)


def _outcome(name: str) -> str:
    return corrected(nearest(name, MEANS), f"it must be {one_of(MEANS, 'abm outcomes')}")


def _whole(name: str, value: object, low: int, high: int) -> int:
    """Return a whole number as Python's own; raises `ScenarioError` for what is none, or out of range."""
    faults: list[Fault] = []
    number = whole_number("", name, value, low, high, faults)
    if faults:
        raise ScenarioError(faults)
    return number
