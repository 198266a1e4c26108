"""The commands that show: a results directory as a page, a flow and a moving picture; levers to be moved by hand."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sim.options import Quiet, Workers, file, folder, whole

if TYPE_CHECKING:
    from sim.plan import Plan

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


def watch(
    directory: Annotated[Path, typer.Argument(metavar="RESULTS_DIR", help="A results directory of runs, or of a comparison.")],
    policy: Annotated[
        str | None, typer.Option(metavar="NAME", help="The scenario to watch beside the baseline, where there are several.")
    ] = None,
    format_: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="Of the moving picture: gif, or mp4, which needs ffmpeg.")
    ] = "gif",
    out: Annotated[
        Path | None, typer.Option(parser=folder("--out"), metavar="DIR", help="Where pictures go; watch/ in there if not given.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Draw a mean day as a flow, and the days around a policy as a moving picture."""
    from sim.store import read_manifest

    read_manifest(directory)
    from sim.conduct import open_results
    from sim.faults import Fault, ScenarioError, corrected, nearest, one_of, show
    from sim.plots.gallery import rendered
    from sim.plots.moving import KINDS, MP4, can_encode
    from sim.screen import say
    from sim.store import replacing

    if format_ not in KINDS:
        raise ScenarioError([Fault("", "--format", show(format_), corrected(nearest(format_, KINDS), f"it must be {one_of(KINDS)}"))])
    if format_ == MP4 and not can_encode():
        raise ScenarioError([Fault("", "--format", show(format_), "needs ffmpeg, which is not on the path; install it, or take gif")])
    done = open_results(directory)
    chosen, target = _watched(done.plan, policy), out or directory / "watch"
    name = chosen or next(iter(done.plan.scenarios))
    figure = done.plot.day_flow(chosen)
    pictures = {f"{name}_flow.{kind}": rendered(figure, kind) for kind in ("png", "svg")}
    if chosen is not None and done.plan.daily:
        if not quiet:
            say("the moving picture ...")
        pictures[f"{name}.{format_}"] = done.plot.film(chosen, format_)
    for file_name, data in pictures.items():
        with replacing(target / file_name) as temporary:
            temporary.write_bytes(data)
    if not quiet:
        why = "days of runs were not kept" if chosen else "there is no policy beside it"
        say(f"{', '.join(pictures)} are in {target}{'' if len(pictures) > 2 else f'; there is no moving picture, as {why}'}")


def _watched(plan: Plan, asked: str | None) -> str | None:
    """Return the policy to watch, None for runs of one scenario; raises `ScenarioError` when it is not there, or not the only one."""
    from sim.faults import Fault, ScenarioError, corrected, nearest, one_of, show

    names = [name for name in plan.scenarios if name != plan.baseline and name not in plan.members]
    if plan.baseline is None:
        names = []
    if asked is None and len(names) > 1:
        raise ScenarioError([Fault("", "--policy", "", f"is needed, as there are several; it must be {one_of(names)}")])
    if asked is not None and asked not in names:
        problem = f"it must be {one_of(names)}" if names else "there is no policy, these are runs of one scenario"
        raise ScenarioError([Fault("", "--policy", show(asked), corrected(nearest(asked, names), problem))])
    return asked or (names[0] if names else None)


COMMANDS = (dashboard, report, watch)
