"""The commands of experiments with a design: run the points, and say what moves the outcomes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sim.faults import SETTING
from sim.options import ClusterAddress, Out, Quiet, Replications, RetryFailed, Seed, Settings, Workers
from sim.runner import conclude, forget_failures, kept_if_interrupted, overrides_of, team

if TYPE_CHECKING:
    from sim.exploring.carrying import Explored
    from sim.exploring.file import Exploration

File = Annotated[Path, typer.Argument(metavar="FILE", help="An experiment file with a [design].")]


def experiment(
    file: File,
    set_: Settings = None,
    replications: Replications = None,
    seed: Seed = None,
    workers: Workers = None,
    cluster: ClusterAddress = None,
    retry_failed: RetryFailed = False,
    out: Out = None,
    quiet: Quiet = False,
) -> None:
    """Run a scenario at every point of a design; write a row a point."""
    from sim.exploring.file import load_exploration
    from sim.screen import print_points, show

    asked = load_exploration(file, overrides_of(set_, replications, seed), SETTING)
    target = out or Path("results") / asked.name
    done = _explored(asked, target, workers, quiet, cluster, retry_failed)
    if not quiet:
        print_points(done.points, asked.outcomes, {factor.key: factor.label for factor in asked.factors})
        if asked.question:
            show(asked.question)
    conclude(done, target, quiet, "a row a point is in points.csv, a row a run in runs.parquet; both are in")


def _explored(asked: Exploration, target: Path, workers: int | None, quiet: bool, cluster: str | None, retry_failed: bool) -> Explored:
    from sim.exploring.carrying import carry_out, lay_out
    from sim.reporter import Reporter

    reporter = Reporter(quiet)
    layout = lay_out(asked)
    if retry_failed:
        forget_failures(target)
    with kept_if_interrupted(reporter, target), team(workers, cluster) as hands:
        return carry_out(layout, target, hands, reporter)


def sensitivity(
    file: File,
    set_: Settings = None,
    replications: Replications = None,
    seed: Seed = None,
    workers: Workers = None,
    cluster: ClusterAddress = None,
    retry_failed: RetryFailed = False,
    out: Out = None,
    quiet: Quiet = False,
) -> None:
    """Say which factors of a design move the outcomes, and how much is luck."""
    from sim.exploring.file import load_exploration
    from sim.exploring.points import require_extra
    from sim.exploring.sensitivity import check_design
    from sim.exploring.sensitivity import sensitivity as analyse
    from sim.screen import say, show

    asked = load_exploration(file, overrides_of(set_, replications, seed), SETTING)
    check_design(asked)
    require_extra(asked.design)
    target = out or Path("results") / asked.name
    done = _explored(asked, target, workers, quiet, cluster, retry_failed)
    if done.failures:
        say("abm: an analysis needs every point, so there is none")
        conclude(done, target, quiet)
    found = analyse(done)
    if not quiet:
        say("figures ...")
    found.write(target)
    if not quiet:
        if asked.question:
            show(asked.question)
        show("\n".join(found.answer))
    conclude(done, target, quiet)


COMMANDS = (experiment, sensitivity)
