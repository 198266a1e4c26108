"""The command `abm`: reads arguments, calls the package, prints."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sim import experimenting, judging, listings, reporting
from sim.faults import SETTING
from sim.options import (
    ClusterAddress,
    NoDaily,
    Out,
    Precision,
    Quiet,
    Replications,
    RetryFailed,
    ScenarioFile,
    Seed,
    Settings,
    UsageError,
    Version,
    Workers,
    complaint,
    whole,
)
from sim.runner import carried_out, conclude, kept_if_interrupted, left, overrides_of, reported, team

if TYPE_CHECKING:
    from sim.plan import Plan

app = typer.Typer(
    help="An agent-based simulator of the account black market.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


@app.callback()
def _abm(version: Version = False) -> None: ...


@app.command()
def run(
    scenario: ScenarioFile,
    set_: Settings = None,
    replications: Replications = None,
    seed: Seed = None,
    workers: Workers = None,
    cluster: ClusterAddress = None,
    retry_failed: RetryFailed = False,
    no_daily: NoDaily = False,
    out: Out = None,
    quiet: Quiet = False,
) -> None:
    """Run replications of one scenario; print a summary."""
    from sim.given import Given
    from sim.plan import single
    from sim.scenario import load_scenario
    from sim.screen import print_summary

    plan = replace(single(load_scenario(scenario, overrides_of(set_, replications, seed), SETTING)), daily=not no_daily)
    plan = replace(plan, given=Given.of([scenario], out, set_, _options(replications, seed, no_daily)))
    done = carried_out(plan, out, workers, quiet, cluster, retry_failed)
    if not quiet:
        print_summary(done.summary)
    target = out or Path("results") / plan.name
    conclude(done, target, quiet, left(done, target))


@app.command()
def compare(
    files: Annotated[list[Path], typer.Argument(metavar="EXPERIMENT | BASELINE POLICY...", help="An experiment file, or scenario files.")],
    set_: Settings = None,
    replications: Replications = None,
    precision: Precision = None,
    over_uncertainty: Annotated[
        int | None,
        typer.Option(
            parser=whole("--over-uncertainty", 2, 10_000),
            metavar="N",
            help="Run the comparison in N members of the set of parameter vectors beside the ledger's own, --replications runs each "
            "(2 if not given); tell which conclusions hold.",
        ),
    ] = None,
    over_learning: Annotated[
        bool, typer.Option("--over-learning", help="Run the comparison under each rule by which dealers may learn.")
    ] = False,
    seed: Seed = None,
    workers: Workers = None,
    cluster: ClusterAddress = None,
    retry_failed: RetryFailed = False,
    no_daily: NoDaily = False,
    out: Out = None,
    quiet: Quiet = False,
) -> None:
    """Run scenarios on the same seeds; print what differs, draw figures."""
    from sim.experiment_file import experiment_of, load_experiment
    from sim.faults import Fault, ScenarioError
    from sim.given import Given
    from sim.plan import planned
    from sim.scenario_file import is_experiment, read_toml

    overrides = overrides_of(set_, replications, seed)
    if len(files) == 1 and not is_experiment(read_toml(files[0])):
        problem = "is a scenario; `abm compare` takes an experiment file, or a baseline and policies to compare with it"
        raise ScenarioError([Fault(str(files[0]), "", "", problem)])
    name = "_".join([files[0].stem, "against", *(file.stem for file in files[1:])])[:100]
    if over_learning and over_uncertainty:
        raise ScenarioError([Fault("", "--over-learning", "", "does not go with --over-uncertainty; give one at a time")])
    if over_learning and "dealers.learning" in overrides:
        raise ScenarioError([Fault(SETTING, "dealers.learning", "", "does not go with --over-learning, which sets it")])
    one = len(files) == 1
    found = load_experiment(files[0], overrides, SETTING) if one else experiment_of(files[0], files[1:], overrides, name, SETTING)
    options = _options(replications, seed, no_daily) | {"--precision": precision, "--over-uncertainty": over_uncertainty}
    asked = replace(planned(found, precision), daily=not no_daily, given=Given.of(files, out, set_, options, found.file))
    how = _How(out, workers, quiet, cluster, retry_failed)
    if over_learning:
        _over_learning(asked, how)
    elif over_uncertainty:
        _over_uncertainty(asked, over_uncertainty, replications, how)
    else:
        _compare(asked, how)


def _options(replications: int | None, seed: int | None, no_daily: bool) -> dict[str, int | float | bool | None]:
    """Return the options that change what is run, by name."""
    return {"--replications": replications, "--seed": seed, "--no-daily": no_daily}


@dataclass(frozen=True)
class _How:
    """Where runs are made and kept, and what is said of them."""

    out: Path | None
    workers: int | None
    quiet: bool
    cluster: str | None
    retry_failed: bool


def _over_uncertainty(asked: Plan, count: int, replications: int | None, how: _How) -> None:
    from sim.comparison import Robust
    from sim.robustness import fixed, plan, shipped
    from sim.screen import print_robustness, say, show

    members = shipped(count)
    for key, scenarios in fixed(asked, members).items():
        say(f"abm: {key} stays as {', '.join(scenarios)} sets it, in every member")
    plan_ = plan(asked, members, replications)
    done = carried_out(plan_, how.out, how.workers, how.quiet, how.cluster, how.retry_failed)
    if isinstance(done, Robust) and not done.failures and not how.quiet:
        print_robustness(done.robustness, done.plan.titles)
        if plan_.question:
            show(plan_.question)
        show("\n".join(done.answer))
    reported(done, how.out or Path("results") / plan_.name, how.quiet)


def _over_learning(asked: Plan, how: _How) -> None:
    from sim.given import Given
    from sim.reporter import Reporter
    from sim.screen import print_structure, say, show
    from sim.structure import TABLE, over_rules

    target, reporter = how.out or Path("results") / f"{asked.name}_over_learning", Reporter(how.quiet)
    with kept_if_interrupted(reporter, target), team(how.workers, how.cluster) as hands:
        own = replace(asked, given=Given())  # a rule's directory is none that was named
        done = over_rules(own, target, hands, reporter, how.retry_failed)
    for rule, runs in done.runs.items():
        if runs.failures:
            conclude(runs, target / rule, how.quiet)
    if not how.quiet:
        print_structure(done.table, asked.titles, tuple(done.runs))
        show("\n".join(done.answer))
        say(f"the effects side by side are in {target / TABLE}; each rule has its tables and figures in a directory there")


@app.command()
def sweep(
    scenario: ScenarioFile,
    vary: Annotated[
        list[str],
        typer.Option(metavar="KEY=LOW:HIGH:LEVELS", help="A key and its levels, once or twice; the name of a lever means a policy on it."),
    ],
    set_: Settings = None,
    replications: Replications = None,
    seed: Seed = None,
    workers: Workers = None,
    cluster: ClusterAddress = None,
    retry_failed: RetryFailed = False,
    no_daily: NoDaily = False,
    out: Out = None,
    quiet: Quiet = False,
) -> None:
    """Vary one key (dose-response) or two (interaction)."""
    from sim.given import Given
    from sim.plan import swept, varies_of

    plan = replace(swept(scenario, varies_of(vary), overrides_of(set_, replications, seed), SETTING), daily=not no_daily)
    given = Given.of([scenario], out, set_, _options(replications, seed, no_daily))
    plan = replace(plan, given=replace(given, options=(*(word for text in vary for word in ("--vary", text)), *given.options)))
    _compare(plan, _How(out, workers, quiet, cluster, retry_failed))


def _compare(plan: Plan, how: _How) -> None:
    from sim.comparison import Comparison
    from sim.screen import print_comparison, say, show

    done = carried_out(plan, how.out, how.workers, how.quiet, how.cluster, how.retry_failed)
    if isinstance(done, Comparison) and done.comparable:
        if not how.quiet:
            print_comparison(done.asked, done.plan.titles, done.baseline)
            if plan.question:
                show(plan.question)
            show("\n".join(done.answer))
        if done.plan.precision is not None and done.plan.widest is not None and not done.plan.widest < done.plan.precision:
            widest, wanted = f"{done.plan.widest:.3g}", f"{done.plan.precision:g}"
            say(f"abm: stopped at {done.plan.replications} replications with the widest half-width at {widest} of the mean, not {wanted}")
    reported(done, how.out or Path("results") / plan.name, how.quiet)


for _command in (*experimenting.COMMANDS, *judging.COMMANDS, *listings.COMMANDS, *reporting.COMMANDS):
    app.command()(_command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return the exit code: 0 done, 1 failed, 2 bad input, 130 and 143 interrupted, 141 when nobody reads the output."""
    from sim.starting import ONE_THREAD, Terminated, terminable
    from sim.streams import opened, unprinted

    for name, value in ONE_THREAD.items():  # before the numerical libraries are imported
        os.environ.setdefault(name, value)
    closed = opened()
    try:
        with terminable():
            code = _called(list(sys.argv[1:] if arguments is None else arguments))
            sys.stdout.flush()
    except KeyboardInterrupt as stop:
        return 143 if isinstance(stop, Terminated) else 130
    except BrokenPipeError:
        with open(os.devnull, "w") as nowhere:  # noqa: PTH123  # what is left to be flushed goes nowhere
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
        return 141
    except OSError as error:
        if closed and error.errno == errno.EBADF:
            return unprinted("standard output is closed")
        if error.errno not in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}:
            raise
        return unprinted(error.strerror)
    return code


def _called(arguments: list[str]) -> int:
    """Run a command; say what is wrong in one message."""
    from sim.screen import say

    command: Any = typer.main.get_command(app)
    try:
        with command.make_context("abm", arguments) as context:
            command.invoke(context)
    except typer.Exit as end:
        return end.exit_code
    except UsageError as error:
        say(complaint(error) if arguments else error.format_message())
        return 2
    except (ValueError, RuntimeError) as error:
        from sim.cluster import ClusterError
        from sim.faults import ScenarioError
        from sim.store import StoreError, WriteError
        from sim.workers import StartError

        failed = isinstance(error, WriteError | ClusterError | StartError)
        if not failed and not isinstance(error, ScenarioError | StoreError):
            raise
        say(f"abm: {error}")
        return 1 if failed else 2
    return 0
