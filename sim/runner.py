"""Carry out plans for a command: overrides, progress on standard error, exit codes, tables beside the runs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import typer

from sim.faults import Fault, ScenarioError

if TYPE_CHECKING:
    import pandas as pd

    from sim.comparison import Runs
    from sim.jobs import Failure
    from sim.plan import Plan
    from sim.reporter import Reporter
    from sim.workers import Workers

SCENARIOS = Path("scenarios")
"""Where the shipped scenarios are, from a checkout."""


def shipped(name: str, command: str, instead: str = "") -> Path:
    """Return the path of a shipped scenario; raises `ScenarioError` outside a checkout, `instead` is another way to give one."""
    path = SCENARIOS / name
    if not path.is_file():
        problem = f"no such file; `{command}` takes it from the repository: give the command in that folder"
        raise ScenarioError([Fault(str(path), "", "", f"{problem}, or name a scenario: {instead}" if instead else problem)])
    return path


def overrides_of(settings: list[str] | None, replications: int | None = None, seed: int | None = None) -> dict[str, object]:
    """Read `--set`, `--replications` and `--seed` as overrides of a scenario."""
    from sim.scenario_file import parse_settings

    overrides = parse_settings(settings or [])
    given = {"run.replications": replications, "run.seed": seed}
    return {**overrides, **{key: value for key, value in given.items() if value is not None}}


def processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def team(workers: int | None, cluster: str | None) -> Iterator[Workers]:
    """Give what makes runs: processes of this machine, as many as it has processors if not said, or a cluster."""
    if cluster is None:
        yield workers or processors()
        return
    from sim.cluster import on_cluster

    with on_cluster(cluster, workers or processors()) as executor:
        yield executor


@contextmanager
def kept_if_interrupted(reporter: Reporter, target: Path) -> Iterator[None]:
    """Say where an interrupted command goes on, and take its bar away in any case."""
    from sim.cluster import ClusterError
    from sim.screen import say
    from sim.starting import Terminated
    from sim.store import WriteError

    def kept() -> str:
        if not reporter.done and reporter.last is None:
            return ""
        of_all = f" of {reporter.last.total}" if reporter.last and not reporter.earlier else ""
        return f"; {reporter.done}{of_all} runs are finished and kept in {target}"

    try:
        yield
    except KeyboardInterrupt as stop:
        reporter.close()
        say(f"abm: interrupted{kept()}; the same command goes on from there")
        raise typer.Exit(143 if isinstance(stop, Terminated) else 130) from None
    except (WriteError, ClusterError) as error:
        raise type(error)(f"{error}{kept()}") from error
    finally:
        reporter.close()


def carried_out(
    plan: Plan, out: Path | None, workers: int | None, quiet: bool, cluster: str | None = None, retry_failed: bool = False
) -> Runs:
    """Carry out a plan with progress on standard error; say where an interrupted one goes on."""
    from sim.conduct import carry_out
    from sim.reporter import Reporter

    target, reporter = out or Path("results") / plan.name, Reporter(quiet)
    with kept_if_interrupted(reporter, target), team(workers, cluster) as hands:
        return carry_out(plan, target, hands, reporter, retry_failed=retry_failed)


class Ended(Protocol):
    """What a command made."""

    @property
    def failures(self) -> Sequence[Failure]:
        """Runs that raised."""


def conclude(done: Ended, target: Path, quiet: bool, kept: str = "tables and figures are in") -> None:
    """Say where the results are and which runs failed; exit with 1 if one did."""
    from sim.screen import say

    for failure in done.failures:
        reason = failure.traceback.strip().splitlines()[-1]
        say(f"abm: run {failure.run_id} failed ({failure.scenario}, replication {failure.replication}, seed {failure.seed}): {reason}")
    if done.failures:
        say(f"abm: {len(done.failures)} runs failed; their tracebacks are in {target / 'manifest.json'}, the other runs are kept")
        say("abm: the same command makes them again if it has --retry-failed")
        raise typer.Exit(1)
    if not quiet:
        say(f"{kept} {target}")


def no_figure(done: Runs, target: Path) -> str:
    """Say why finished runs left no figure in a results directory; nothing if they did."""
    if any((target / "figures").glob("*.png")):
        return ""
    return "no days of runs are kept (--no-daily)" if done.plan.baseline is None and not done.plan.daily else "none applies"


def left(done: Runs, target: Path, *others: str) -> str:
    """Say what finished runs left in a results directory: tables, figures if there are any, and others."""
    from sim.analysis.words import listed

    why = no_figure(done, target)
    there = listed(["tables", *([] if why else ["figures"]), *others])
    return f"there are no figures, as {why}; {there} are in" if why else f"{there} are in"


def reported(done: Runs, target: Path, quiet: bool) -> None:
    """Write the report of finished runs beside their tables; then conclude."""
    from sim.report import leave_report

    leave_report(done)
    conclude(done, target, quiet, left(done, target, "report.html"))


def with_table(
    plan: Plan,
    out: Path | None,
    workers: int | None,
    quiet: bool,
    table: Callable[[Runs], pd.DataFrame],
    cluster: str | None = None,
    retry_failed: bool = False,
) -> pd.DataFrame:
    """Carry out a plan and write the table made of its runs beside the others."""
    from sim.store import write_csv

    target = out or Path("results") / plan.name
    done = carried_out(plan, target, workers, quiet, cluster, retry_failed)
    if done.failures:
        conclude(done, target, quiet)
    made = table(done)
    write_csv(target / f"{plan.name}.csv", made)
    return made
