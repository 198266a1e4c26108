"""The commands that make pages: of a results directory, and of levers to be moved by hand."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from sim.options import Quiet, Workers, file, whole

LOOPBACK = "127.0.0.1"


def report(
    directory: Annotated[Path, typer.Argument(metavar="RESULTS_DIR", help="A results directory.")],
    beside: Annotated[
        list[Path] | None,
        typer.Option("--with", metavar="DIR", help="Another one with the same baseline whose answers to show: over parameters, a sweep."),
    ] = None,
    format_: Annotated[str, typer.Option("--format", metavar="FORMAT", help="html, one file that needs nothing else, or md.")] = "html",
    out: Annotated[
        Path | None, typer.Option(parser=file("--out"), metavar="FILE", help="The file; report.html or report.md in there if not given.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Write the answer, tables, figures and evidence as one page."""
    from sim.store import read_manifest

    for path in (directory, *(beside or ())):
        read_manifest(path)  # a wrong directory is told before anything heavy is imported
    from sim.report import write_report
    from sim.screen import say

    place = write_report(directory, out, format_, beside or ())
    if not quiet:
        say(f"the report is {place}")


def dashboard(
    scenarios: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[SCENARIO...]", help="Scenario files; the first is open at the start. Those that ship are there too."),
    ] = None,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Where to listen; others than this machine reach only another one.")
    ] = LOOPBACK,
    port: Annotated[
        int, typer.Option(parser=whole("--port", 0, 65_535), metavar="PORT", help="Port to listen at; 0 is any that is free.")
    ] = 8765,
    open_: Annotated[
        bool | None, typer.Option("--open/--no-browser", help="Open a browser; by default on a terminal with a screen.", show_default=False)
    ] = None,
    workers: Workers = None,
    quiet: Quiet = False,
) -> None:
    """Move levers by hand in the browser; see baseline and policy side by side."""
    from sim.dashboard.offer import Offer
    from sim.dashboard.serving import bound, is_loopback, serve
    from sim.runner import SCENARIOS, processors
    from sim.screen import say

    folder = Path() if is_loopback(host) else None
    offer = Offer.of(scenarios or [], SCENARIOS, folder, workers or processors())
    listening = bound(host, port)
    opens = sys.stdout.isatty() and _has_screen() if open_ is None else open_
    with listening:
        serve(offer, listening, host, opens, (lambda _: None) if quiet else say)


def _has_screen() -> bool:
    """Say whether a browser that is opened would be seen, not one that takes over the terminal."""
    return sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


COMMANDS = (dashboard, report)
