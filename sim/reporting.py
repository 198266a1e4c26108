"""The command that writes a page about a results directory."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sim.options import Quiet, file


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


COMMANDS = (report,)
