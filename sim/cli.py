"""The command `abm`: reads arguments, calls the package, prints."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from sim.comparison import Runs
    from sim.plan import Plan

app = typer.Typer(
    help="An agent-based simulator of the account black market.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)

Settings = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Set a value of the scenario by its dotted path.")]
Replications = Annotated[int | None, typer.Option(min=1, max=100_000, help="Replications of each scenario.")]
Seed = Annotated[int | None, typer.Option(min=0, max=2**53, help="Seed of the first replication; replication k has SEED + k.")]
Workers = Annotated[int | None, typer.Option(min=1, max=4096, help="Processes; as many as there are processors if not given.")]
Out = Annotated[Path | None, typer.Option(help="Results directory; results/NAME if not given.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")]
ScenarioFile = Annotated[Path, typer.Argument(metavar="SCENARIO", help="A scenario file.")]


def _overrides(settings: list[str] | None, replications: int | None = None, seed: int | None = None) -> dict[str, object]:
    from sim.scenario import parse_settings

    overrides = parse_settings(settings or [])
    given = {"run.replications": replications, "run.seed": seed}
    return {**overrides, **{key: value for key, value in given.items() if value is not None}}


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _carry_out(plan: Plan, out: Path | None, workers: int | None, quiet: bool) -> Runs:
    """Carry out a plan with progress on standard error; say where an interrupted one goes on."""
    from sim.conduct import carry_out
    from sim.screen import Reporter, say

    target = out or Path("results") / plan.name
    reporter = Reporter(quiet)
    try:
        return carry_out(plan, target, workers or _processors(), reporter)
    except KeyboardInterrupt:
        reporter.close()
        if (state := reporter.last) is not None:
            done = f"{state.skipped + state.computed} of {state.total} runs are finished and kept in {target}"
            say(f"abm: interrupted; {done}; the same command goes on from there")
        raise typer.Exit(130) from None
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

    plan = single(load_scenario(scenario, _overrides(set_, replications, seed)))
    done = _carry_out(plan, out, workers, quiet)
    if not quiet:
        print_summary(done.summary)
    _conclude(done, out or Path("results") / plan.name, quiet)


@app.command()
def compare(
    files: Annotated[list[Path], typer.Argument(metavar="EXPERIMENT | BASELINE POLICY...", help="An experiment file, or scenario files.")],
    set_: Settings = None,
    replications: Replications = None,
    precision: Annotated[
        float | None,
        typer.Option(min=1e-6, max=10.0, help="Add replications until each headline effect is known to this share of the baseline's mean."),
    ] = None,
    seed: Seed = None,
    workers: Workers = None,
    out: Out = None,
    quiet: Quiet = False,
) -> None:
    """Run scenarios on the same seeds; print what differs, draw figures."""
    from sim.experiment_file import experiment_of, load_experiment
    from sim.faults import Fault, ScenarioError
    from sim.plan import planned
    from sim.scenario_file import read_toml

    overrides = _overrides(set_, replications, seed)
    if len(files) == 1 and "baseline" not in read_toml(files[0]):
        problem = "is a scenario; `abm compare` takes an experiment file, or a baseline and policies to compare with it"
        raise ScenarioError([Fault(str(files[0]), "", "", problem)])
    if len(files) == 1:
        experiment = load_experiment(files[0], overrides)
    else:
        name = "_".join([files[0].stem, "against", *(file.stem for file in files[1:])])[:100]
        experiment = experiment_of(files[0], files[1:], overrides, name)
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

    _compare(swept(scenario, varies_of(vary), _overrides(set_, replications, seed)), out, workers, quiet)


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
def plot(directory: Annotated[Path, typer.Argument(metavar="RESULTS_DIR", help="A results directory.")], quiet: Quiet = False) -> None:
    """Draw the figures again from the tables."""
    from sim.conduct import redraw
    from sim.screen import say

    redraw(directory)
    if not quiet:
        say(f"figures are in {directory / 'figures'}")


@app.command()
def replay(
    run_id: Annotated[str, typer.Argument(help="The run's id, or the beginning of it.")],
    out: Annotated[Path, typer.Option(help="Results directory, or a directory that holds some.")] = Path("results"),
) -> None:
    """Make one run again; say whether the result is identical."""
    from sim.experiment import replay as make_again
    from sim.screen import say, show

    again = make_again(run_id, out)
    which = f"run {again.run_id} ({again.scenario}, seed {again.seed})"
    if again.identical:
        show(f"identical: {which}: every outcome of every day is the same to the bit")
        return
    if again.failure:
        say(f"abm: {which} failed: {again.failure.strip().splitlines()[-1]}")
        raise typer.Exit(1)
    days = [f"{name} from day {day}" for name, day in list(again.differs.items())[:5]]
    show(f"not identical: {which}: {len(again.differs)} outcomes differ, {', '.join(days)}{' ...' if len(again.differs) > 5 else ''}")
    if again.source_changed:
        show("the source of the model has changed since the run was made")
    raise typer.Exit(1)


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(metavar="SCENARIO...", help="Scenario or experiment files.")],
    set_: Settings = None,
    quiet: Quiet = False,
) -> None:
    """Validate files; print values and where they come from."""
    from sim.experiment_file import load_experiment
    from sim.explain import explain
    from sim.faults import Fault, ScenarioError
    from sim.scenario_file import read_toml
    from sim.screen import print_table

    overrides = _overrides(set_)
    faults: list[Fault] = []
    for file in files:
        try:
            if "baseline" in read_toml(file):
                experiment = load_experiment(file, overrides)
                rows: list[Any] = [(s.name, s.title, str(s.run.replications)) for s in (experiment.baseline, *experiment.scenarios)]
                columns = ("scenario", "title", "replications")
            else:
                rows, columns = list(explain(file, overrides)), ("key", "value", "comes from")
        except ScenarioError as error:
            faults += error.faults
        else:
            if not quiet:
                print_table(columns, rows, f"{file}: valid")
    if faults:
        raise ScenarioError(faults)


@app.command()
def diff(
    a: Annotated[Path, typer.Argument(metavar="A", help="A scenario file.")],
    b: Annotated[Path, typer.Argument(metavar="B", help="Another.")],
) -> None:
    """Say what differs between two scenarios."""
    from sim.explain import differences
    from sim.scenario import load_scenario
    from sim.screen import show

    lines = differences(load_scenario(a), load_scenario(b))
    show("\n".join(lines) or "no difference that a run would show")


@app.command()
def schema() -> None:
    """Print the JSON Schema of the scenario file."""
    import json

    from sim.explain import json_schema
    from sim.screen import show

    show(json.dumps(json_schema(), indent=2))


@app.command()
def levers() -> None:
    """List the levers: meaning, standing strength, cost."""
    from sim.screen import print_levers

    print_levers()


@app.command()
def outcomes() -> None:
    """List the outcomes: unit, meaning, what is better."""
    from sim.screen import print_outcomes

    print_outcomes()


@app.command()
def parameters() -> None:
    """List the parameters: value, unit, range, source."""
    from sim.screen import print_parameters

    print_parameters()


@app.command()
def new(name: Annotated[str, typer.Argument(help="Name of the scenario; the file is NAME.toml.")]) -> None:
    """Write a commented starter scenario."""
    from sim.explain import starter
    from sim.faults import Fault, ScenarioError
    from sim.screen import show
    from sim.store import write_text

    text, path = starter(name), Path(f"{name}.toml")
    if path.exists():
        raise ScenarioError([Fault(str(path), "", "", "exists already; choose another name")])
    write_text(path, text)
    show(f"wrote {path}; check it with: abm check {path}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return the exit code: 0 done, 1 failed, 2 bad input, 130 interrupted."""
    from sim.workers import ONE_THREAD

    for name, value in ONE_THREAD.items():  # before the numerical libraries are imported
        os.environ.setdefault(name, value)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    command: Callable[..., Any] = typer.main.get_command(app)
    try:
        command(args=None if arguments is None else list(arguments), prog_name="abm")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    except KeyboardInterrupt:
        return 130
    except (ValueError, RuntimeError) as error:
        from sim.faults import ScenarioError
        from sim.screen import say
        from sim.store import StoreError, WriteError

        if not isinstance(error, ScenarioError | StoreError | WriteError):
            raise
        say(f"abm: {error}")
        return 1 if isinstance(error, WriteError) else 2
    return 0
