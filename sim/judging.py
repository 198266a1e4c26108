"""The commands that hold the model against something: its levers' stated effects, its targets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sim.faults import SETTING
from sim.options import Out, Quiet, Replications, Settings, Workers
from sim.runner import SCENARIOS, overrides_of, with_table


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

    baseline = load_scenario(SCENARIOS / "baseline.toml", {**SHORTER, **overrides_of(set_)}, SETTING)
    measured = with_table(plan(baseline, replications or 6), out, workers, quiet, table)
    if not quiet:
        print_effects(measured)
    if not measured["holds"].all():
        raise typer.Exit(1)


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

    asked = load_scenario(scenario or SCENARIOS / "wechat_full.toml", overrides_of(set_), SETTING)
    measured = with_table(plan(asked, replications or 4), out, workers, quiet, table)
    if not quiet:
        print_targets(measured)
    if not measured.loc[measured["kind"] == "hard", "inside"].all():
        raise typer.Exit(1)


COMMANDS = (levers, calibration)
