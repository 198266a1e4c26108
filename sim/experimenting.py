"""The commands of experiments with a design and of optimisations: run the points, say what moves the outcomes, find worlds and mixes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple, Protocol

import typer

from sim.faults import SETTING
from sim.options import ClusterAddress, Out, Quiet, Replications, RetryFailed, Seed, Settings, Workers, whole
from sim.runner import conclude, kept_if_interrupted, overrides_of, team

if TYPE_CHECKING:
    from sim.exploring.carrying import Explored
    from sim.exploring.file import Exploration

File = Annotated[Path, typer.Argument(metavar="FILE", help="An experiment file with a [design].")]


class Analysis(Protocol):
    """What an analysis of an experiment's runs has to say."""

    @property
    def answer(self) -> list[str]:
        """Plain sentences."""

    def write(self, path: Path) -> None:
        """Write tables and figures into a results directory."""


class How(NamedTuple):
    """Where results go, what makes the runs, whether those that failed are made again, and whether anything is printed."""

    out: Path | None
    workers: int | None
    cluster: str | None
    retry_failed: bool
    quiet: bool

    def target(self, name: str) -> Path:
        """Return the results directory of an experiment."""
        return self.out or Path("results") / name


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
    how = How(out, workers, cluster, retry_failed, quiet)
    target, done = _explored(asked, how)
    if not quiet:
        print_points(done.points, asked.outcomes, {factor.key: factor.label for factor in asked.factors})
        if asked.question:
            show(asked.question)
    conclude(done, target, quiet, "a row a point is in points.csv, a row a run in runs.parquet; both are in")


def _explored(asked: Exploration, how: How) -> tuple[Path, Explored]:
    """Make the runs that are missing; returns the results directory and all runs."""
    from sim.exploring.carrying import carry_out, lay_out
    from sim.reporter import Reporter

    reporter = Reporter(how.quiet)
    layout, target = lay_out(asked), how.target(asked.name)
    with kept_if_interrupted(reporter, target), team(how.workers, how.cluster) as hands:
        return target, carry_out(layout, target, hands, reporter, retry_failed=how.retry_failed)


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

    asked = load_exploration(file, overrides_of(set_, replications, seed), SETTING)
    check_design(asked)
    require_extra(asked.design)
    _analysed(asked, analyse, How(out, workers, cluster, retry_failed, quiet))


def interactions(
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
    """Say what each lever of a bundle contributes, and which work together."""
    from sim.exploring.file import load_exploration
    from sim.exploring.interactions import check_bundle
    from sim.exploring.interactions import interactions as analyse

    asked = load_exploration(file, overrides_of(set_, replications, seed), SETTING)
    check_bundle(asked)
    _analysed(asked, analyse, How(out, workers, cluster, retry_failed, quiet))


def discover(
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
    """Say in which uncertain worlds a policy fails, by the file's rule."""
    from sim.discovery.boxes import ema
    from sim.discovery.discovery import check_rule
    from sim.discovery.discovery import discover as analyse
    from sim.exploring.file import load_exploration

    asked = load_exploration(file, overrides_of(set_, replications, seed), SETTING)
    check_rule(asked)
    ema()
    _analysed(asked, analyse, How(out, workers, cluster, retry_failed, quiet))


def _analysed(asked: Exploration, analyse: Callable[[Explored], Analysis], how: How) -> None:
    """Make the runs that are missing, analyse them, write tables and figures, and print the answer."""
    from sim.screen import say, show

    target, done = _explored(asked, how)
    quiet = how.quiet
    if done.failures:
        say("abm: an analysis needs every point, so there is none")
        conclude(done, target, quiet)
    if not quiet:
        say("analysis and figures ...")
    found = analyse(done)
    found.write(target)
    if not quiet:
        if asked.question:
            show(asked.question)
        show("\n".join(found.answer))
    conclude(done, target, quiet)


def optimise(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An optimisation file, with a [search].")],
    set_: Settings = None,
    trials: Annotated[
        int | None, typer.Option(parser=whole("--trials", 2, 10_000), metavar="N", help="Mixes to try; the file's if not given.")
    ] = None,
    seed: Seed = None,
    workers: Workers = None,
    cluster: ClusterAddress = None,
    retry_failed: RetryFailed = False,
    out: Out = None,
    quiet: Quiet = False,
) -> None:
    """Find the cheapest mixes of levers that keep guardrails; exit 1 if none does."""
    from sim.optimising.file import load_optimisation
    from sim.screen import say, show

    asked = load_optimisation(file, overrides_of(set_, None, seed), trials, SETTING)
    from sim.optimising.bench import SearchFailedError
    from sim.optimising.command import carry_out
    from sim.reporter import Reporter

    target, reporter = How(out, workers, cluster, retry_failed, quiet).target(asked.name), Reporter(quiet)
    try:
        with kept_if_interrupted(reporter, target), team(workers, cluster) as hands:
            done = carry_out(asked, target, hands, reporter, retry_failed=retry_failed)
    except SearchFailedError as error:
        say(f"abm: {error}")
        conclude(error, target, quiet)
        return
    if not quiet:
        if asked.question:
            show(asked.question)
        show("\n".join(done.answer))
        say(f"tables and figures are in {target}")
    if not done.found:
        raise typer.Exit(1)


COMMANDS = (experiment, sensitivity, interactions, discover, optimise)
