"""The command `abm`: reads arguments, calls the package, prints."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sim import listings
from sim.faults import SETTING
from sim.options import Out, Precision, Quiet, Replications, ScenarioFile, Seed, Settings, UsageError, Version, Workers, complaint

if TYPE_CHECKING:
    import pandas as pd

    from sim.comparison import Runs
    from sim.plan import Plan

SCENARIOS = Path("scenarios")
"""Where the shipped scenarios are, from a checkout."""

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


def _overrides(settings: list[str] | None, replications: int | None = None, seed: int | None = None) -> dict[str, object]:
    from sim.scenario_file import parse_settings

    overrides = parse_settings(settings or [])
    given = {"run.replications": replications, "run.seed": seed}
    return {**overrides, **{key: value for key, value in given.items() if value is not None}}


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _carry_out(plan: Plan, out: Path | None, workers: int | None, quiet: bool) -> Runs:
    """Carry out a plan with progress on standard error; say where an interrupted one goes on."""
    from sim.conduct import carry_out
    from sim.screen import Reporter, say
    from sim.store import WriteError
    from sim.workers import Terminated

    target = out or Path("results") / plan.name
    reporter = Reporter(quiet)

    def kept() -> str:
        if (state := reporter.last) is None:
            return ""
        return f"; {state.skipped + state.computed} of {state.total} runs are finished and kept in {target}"

    try:
        return carry_out(plan, target, workers or _processors(), reporter)
    except KeyboardInterrupt as stop:
        reporter.close()
        say(f"abm: interrupted{kept()}; the same command goes on from there")
        raise typer.Exit(143 if isinstance(stop, Terminated) else 130) from None
    except WriteError as error:
        raise WriteError(f"{error}{kept()}") from error
    finally:
        reporter.close()


def _conclude(done: Runs, target: Path, quiet: bool) -> None:
    """Say where the results are and which runs failed; exit with 1 if one did."""
    from sim.screen import say

    for failure in done.failures:
        reason = failure.traceback.strip().splitlines()[-1]
        say(f"abm: run {failure.run_id} failed ({failure.scenario}, replication {failure.replication}, seed {failure.seed}): {reason}")
    if done.failures:
        say(f"abm: {len(done.failures)} runs failed; their tracebacks are in {target / 'manifest.json'}, the other runs are kept")
        raise typer.Exit(1)
    if not quiet:
        say(f"tables and figures are in {target}")


@app.command()
def run(
    scenario: ScenarioFile,
    set_: Settings = None,
    replications: Replications = None,
    seed: Seed = None,
    workers: Workers = None,
    out: Out = None,
    quiet: Quiet = False,
) -> None:
    """Run replications of one scenario; print a summary."""
    from sim.plan import single
    from sim.scenario import load_scenario
    from sim.screen import print_summary

    plan = single(load_scenario(scenario, _overrides(set_, replications, seed), SETTING))
    done = _carry_out(plan, out, workers, quiet)
    if not quiet:
        print_summary(done.summary)
    _conclude(done, out or Path("results") / plan.name, quiet)


@app.command()
def compare(
    files: Annotated[list[Path], typer.Argument(metavar="EXPERIMENT | BASELINE POLICY...", help="An experiment file, or scenario files.")],
    set_: Settings = None,
    replications: Replications = None,
    precision: Precision = None,
    seed: Seed = None,
    workers: Workers = None,
    out: Out = None,
    quiet: Quiet = False,
) -> None:
    """Run scenarios on the same seeds; print what differs, draw figures."""
    from sim.experiment_file import experiment_of, load_experiment
    from sim.faults import Fault, ScenarioError
    from sim.plan import planned
    from sim.scenario_file import is_experiment, read_toml

    overrides = _overrides(set_, replications, seed)
    if len(files) == 1 and not is_experiment(read_toml(files[0])):
        problem = "is a scenario; `abm compare` takes an experiment file, or a baseline and policies to compare with it"
        raise ScenarioError([Fault(str(files[0]), "", "", problem)])
    if len(files) == 1:
        experiment = load_experiment(files[0], overrides, SETTING)
    else:
        name = "_".join([files[0].stem, "against", *(file.stem for file in files[1:])])[:100]
        experiment = experiment_of(files[0], files[1:], overrides, name, SETTING)
    _compare(planned(experiment, precision), out, workers, quiet)


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
    out: Out = None,
    quiet: Quiet = False,
) -> None:
    """Vary one key (dose-response) or two (interaction)."""
    from sim.plan import swept, varies_of

    _compare(swept(scenario, varies_of(vary), _overrides(set_, replications, seed), SETTING), out, workers, quiet)


def _compare(plan: Plan, out: Path | None, workers: int | None, quiet: bool) -> None:
    from sim.comparison import Comparison
    from sim.screen import print_comparison, say, show

    done = _carry_out(plan, out, workers, quiet)
    if isinstance(done, Comparison) and done.comparable:
        if not quiet:
            print_comparison(done.asked, done.plan.titles, done.baseline)
            if plan.question:
                show(plan.question)
            show("\n".join(done.answer))
        if done.plan.precision is not None and done.plan.widest is not None and not done.plan.widest < done.plan.precision:
            widest, wanted = f"{done.plan.widest:.3g}", f"{done.plan.precision:g}"
            say(f"abm: stopped at {done.plan.replications} replications with the widest half-width at {widest} of the mean, not {wanted}")
    _conclude(done, out or Path("results") / plan.name, quiet)


@app.command()
def levers(
    effects: Annotated[bool, typer.Option("--effects", help="Measure the effect of each lever from its standing strength to 1.")] = False,
    set_: Settings = None,
    replications: Replications = None,
    workers: Workers = None,
    out: Out = None,
    quiet: Quiet = False,
) -> None:
    """List the levers: meaning, standing strength, cost; with --effects, what each does."""
    from sim.screen import print_effects, print_levers

    if not effects:
        if set_ or replications or workers or out:
            raise typer.BadParameter("only goes with --effects", param_hint="--set, --replications, --workers, --out")
        print_levers()
        return
    from sim.effects import SHORTER, plan, table
    from sim.scenario import load_scenario

    baseline = load_scenario(SCENARIOS / "baseline.toml", {**SHORTER, **_overrides(set_)}, SETTING)
    measured = _with_table(plan(baseline, replications or 6), out, workers, quiet, table)
    if not quiet:
        print_effects(measured)
    if not measured["holds"].all():
        raise typer.Exit(1)


@app.command()
def calibration(
    scenario: Annotated[Path | None, typer.Argument(metavar="[SCENARIO]", help="A scenario file; the whole platform if not given.")] = None,
    set_: Settings = None,
    replications: Replications = None,
    workers: Workers = None,
    out: Out = None,
    quiet: Quiet = False,
) -> None:
    """Hold the baseline against its targets; exit 1 if a hard one is missed."""
    from sim.calibration import plan, table
    from sim.scenario import load_scenario
    from sim.screen import print_targets

    asked = load_scenario(scenario or SCENARIOS / "wechat_full.toml", _overrides(set_), SETTING)
    measured = _with_table(plan(asked, replications or 4), out, workers, quiet, table)
    if not quiet:
        print_targets(measured)
    if not measured.loc[measured["kind"] == "hard", "inside"].all():
        raise typer.Exit(1)


def _with_table(plan: Plan, out: Path | None, workers: int | None, quiet: bool, table: Callable[[Runs], pd.DataFrame]) -> pd.DataFrame:
    """Carry out a plan and write the table made of its runs beside the others."""
    from sim.store import replacing

    target = out or Path("results") / plan.name
    done = _carry_out(plan, target, workers, quiet)
    if done.failures:
        _conclude(done, target, quiet)
    made = table(done)
    with replacing(target / f"{plan.name}.csv") as temporary:
        made.to_csv(temporary, index=False, lineterminator="\n")
    return made


for _command in listings.COMMANDS:
    app.command()(_command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return the exit code: 0 done, 1 failed, 2 bad input, 130 and 143 interrupted, 141 when nobody reads the output."""
    from sim.workers import ONE_THREAD, Terminated, terminable

    for name, value in ONE_THREAD.items():  # before the numerical libraries are imported
        os.environ.setdefault(name, value)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
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
        from sim.faults import ScenarioError
        from sim.store import StoreError, WriteError

        if not isinstance(error, ScenarioError | StoreError | WriteError):
            raise
        say(f"abm: {error}")
        return 1 if isinstance(error, WriteError) else 2
    return 0
