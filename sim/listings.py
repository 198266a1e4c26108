"""The commands that make no comparison: check, diff, schema, outcomes, parameters, new, plot, replay."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from sim.options import Place, Quiet, Seed, Settings, whole


def check(
    files: Annotated[list[Path], typer.Argument(metavar="SCENARIO...", help="Scenario or experiment files.")],
    set_: Settings = None,
    quiet: Quiet = False,
) -> None:
    """Validate files; print values and where they come from."""
    from sim.experiment_file import load_experiment
    from sim.explain import explain
    from sim.exploring.file import has_design, load_exploration
    from sim.faults import SETTING, Fault, ScenarioError
    from sim.optimising.file import has_search, load_optimisation
    from sim.scenario_file import is_experiment, parse_settings, read_toml
    from sim.screen import print_table

    overrides = parse_settings(set_ or [])
    faults: list[Fault] = []
    rows: list[Any]
    columns: tuple[str, ...]
    for file in files:
        try:
            table, title = read_toml(file), f"{file}: valid"
            if has_design(table):
                asked = load_exploration(file, overrides, SETTING)
                rows, columns = asked.rows, ("factor", "low", "high", "unit")
                title += f": {asked.in_words}"
            elif has_search(table):
                mixing = load_optimisation(file, overrides, origin=SETTING)
                rows = [(lever, f"{low:g}", f"{high:g}") for lever, (low, high) in mixing.levers.items()]
                columns = ("lever", "low", "high")
                title += f": {mixing.in_words}"
            elif is_experiment(table):
                experiment = load_experiment(file, overrides, SETTING)
                rows = [(s.name, s.title, str(s.run.replications)) for s in (experiment.baseline, *experiment.scenarios)]
                columns = ("scenario", "title", "replications")
            else:
                rows, columns = list(explain(file, overrides, SETTING)), ("key", "value", "comes from")
        except ScenarioError as error:
            faults += error.faults
        else:
            if not quiet:
                print_table(columns, rows, title)
    if faults:
        raise ScenarioError(faults)


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


def schema() -> None:
    """Print the JSON Schema of the scenario file."""
    import json

    from sim.explain import json_schema
    from sim.screen import show

    show(json.dumps(json_schema(), indent=2))


def outcomes() -> None:
    """List the outcomes: unit, meaning, what is better."""
    from sim.screen import print_outcomes

    print_outcomes()


def parameters(
    assumptions: Annotated[
        bool, typer.Option("--assumptions", help="Count what values rest on, by group, and list those that are assumed.")
    ] = False,
) -> None:
    """List the parameters: value, unit, range, source."""
    from sim.screen import print_assumptions, print_parameters

    (print_assumptions if assumptions else print_parameters)()


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


def plot(directory: Annotated[Path, typer.Argument(metavar="RESULTS_DIR", help="A results directory.")], quiet: Quiet = False) -> None:
    """Draw the figures again from the tables."""
    from sim.store import read_manifest

    read_manifest(directory)  # a wrong directory is told before what draws is imported
    from sim.conduct import redraw
    from sim.runner import no_figure
    from sim.screen import say

    why = no_figure(redraw(directory), directory)
    if not quiet:
        say(f"there is no figure to draw in {directory}: {why}" if why else f"figures are in {directory / 'figures'}")


def results(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="A results directory, finished or not.")],
    sql: Annotated[
        str | None,
        typer.Option(metavar="QUESTION", help="Ask its tables, runs and daily: SELECT scenario, avg(price_yuan) FROM runs GROUP BY ALL."),
    ] = None,
) -> None:
    """Say how far the runs in a results directory are; with --sql, ask its tables."""
    from sim.screen import print_answer, print_standings, say
    from sim.store import Results, answered, standings

    found = Results(directory)
    if sql is None:
        print_standings(standings(found), _MOST_SCENARIOS)
        about, shelf = found.manifest, found.shelf
        state = "finished" if about.get("finished") else "not finished: the same command goes on"
        days = "" if about.get("daily", True) else ", days of runs are not kept"
        kept = f"{shelf.packs} packs, {len(shelf.loose)} loose parts"
        say(f"`abm {about.get('command')}` {about.get('name')}, {state}{days}; {kept}")
        return
    columns, rows, more = answered(found, sql, _MOST_ROWS)
    print_answer(columns, rows)
    if more:
        say(f"these are the first {_MOST_ROWS:,} rows; ask for fewer, or open the .parquet files")


_MOST_ROWS, _MOST_SCENARIOS = 1000, 40


def replay(run_id: Annotated[str, typer.Argument(help="The run's id, or the beginning of it.")], out: Place = Path("results")) -> None:
    """Make one run again; say whether the result is identical."""
    from sim.replaying import replay as make_again
    from sim.screen import say, show

    again = make_again(run_id, out)
    which = f"run {again.run_id} ({again.scenario}, seed {again.seed})"
    if again.identical:
        same = "every outcome of every day" if again.by_days else "every mean over the window (its days were not kept)"
        show(f"identical: {which}: {same} is the same to the bit")
        return
    if again.failure:
        say(f"abm: {which} failed: {again.failure.strip().splitlines()[-1]}")
        raise typer.Exit(1)
    days = [f"{name} from day {day}" if again.by_days else name for name, day in list(again.differs.items())[:5]]
    show(f"not identical: {which}: {len(again.differs)} outcomes differ, {', '.join(days)}{' ...' if len(again.differs) > 5 else ''}")
    if again.source_changed:
        show("the source of the model has changed since the run was made")
    raise typer.Exit(1)


def trace(
    first: Annotated[Path, typer.Argument(metavar="BASELINE", help="A scenario file.")],
    second: Annotated[Path, typer.Argument(metavar="POLICY", help="Another, to be run with the same luck.")],
    set_: Settings = None,
    seed: Seed = None,
    days: Annotated[int | None, typer.Option(parser=whole("--days", 1, 100_000), metavar="N", help="Days; all if not given.")] = None,
    quiet: Quiet = False,
) -> None:
    """Find the first draw in which two runs with the same luck part, and how much they share from that day on."""
    from sim.faults import SETTING
    from sim.plan import check_pairs
    from sim.scenario import load_scenario
    from sim.scenario_file import parse_settings
    from sim.screen import print_table, say, show
    from sim.tracing import trace as follow

    overrides = parse_settings(set_ or [])
    one, other = (load_scenario(file, overrides, SETTING) for file in (first, second))
    check_pairs(one, [other])

    def tell(done: int, total: int) -> None:
        if not quiet and done % 60 == 0:
            say(f"{done} of {total} days done")

    found = follow(one, other, one.run.seed if seed is None else seed, days, tell)
    if not quiet:
        if found.event is not None:  # before it there is nothing to count
            rows = [
                (
                    parting.process,
                    str(parting.first_day) if parting.first_day >= 0 else "never",
                    *map(str, counts),
                    f"{100 * parting.shared:.1f} %",
                )
                for parting in found.partings.values()
                for counts in [(parting.both, parting.only_first, parting.only_second)]
            ]
            print_table(("process", "parts on day", "draws of both", f"of {one.name} alone", f"of {other.name} alone", "shared"), rows, "")
        show("\n".join(found.sentences))


COMMANDS = (trace, check, diff, schema, outcomes, parameters, new, plot, results, replay)
