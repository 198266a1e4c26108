"""The commands that look and do not run: check, diff, schema, levers, outcomes, parameters, new."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

Settings = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Set a value of the scenario by its dotted path.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")]


def check(
    files: Annotated[list[Path], typer.Argument(metavar="SCENARIO...", help="Scenario or experiment files.")],
    set_: Settings = None,
    quiet: Quiet = False,
) -> None:
    """Validate files; print values and where they come from."""
    from sim.experiment_file import load_experiment
    from sim.explain import explain
    from sim.faults import Fault, ScenarioError
    from sim.scenario_file import parse_settings, read_toml
    from sim.screen import print_table

    overrides = parse_settings(set_ or [])
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


def parameters() -> None:
    """List the parameters: value, unit, range, source."""
    from sim.screen import print_parameters

    print_parameters()


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


COMMANDS = (check, diff, schema, outcomes, parameters, new)
