"""The options that commands share, and what is said of a value that one cannot take."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from sim.faults import Fault, show

UsageError: Any = typer.BadParameter.__base__
"""What Typer raises for a command line that makes no sense."""


class OptionFault(typer.BadParameter):
    """A value that an option cannot take; the message is whole."""


def _fault(option: str, text: str, problem: str) -> OptionFault:
    return OptionFault(str(Fault("", option, text if text.isprintable() and text else show(text), problem)))


def complaint(error: Any) -> str:
    """Say in a line what is wrong with a command line."""
    if isinstance(error, OptionFault):
        return f"abm: {error.message}"
    path = error.ctx.command_path if error.ctx else "abm"
    text = " ".join(error.format_message().split()).rstrip(".")
    return f"abm: {text[:1].lower()}{text[1:]}; see {path} --help"


def _tell_version(asked: bool) -> None:
    if asked:
        from sim import __version__
        from sim.screen import show

        show(f"abm {__version__}")
        raise typer.Exit


def whole(option: str, low: int, high: int, or_none: str = "") -> Callable[[str], int]:
    """Return a reader of whole numbers in a range; where `or_none` says why fewer than `low` make no sense, 0 is allowed too."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = -1
        if not low <= value <= high and not (or_none and value == 0):
            allowed = f"must be a whole number from {low} to {high}"
            raise _fault(option, str(text), f"{allowed}, or 0 for none: {or_none}" if or_none else allowed)
        return value

    return read


def share(option: str, low: float, high: float) -> Callable[[str], float]:
    """Return a reader of numbers in a range."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            raise _fault(option, str(text), f"must be a number from {low:g} to {high:g}, for example 0.02 for 2 %")
        return value

    return read


def folder(option: str) -> Callable[[str | Path], Path]:
    """Return a reader of the path of a directory."""

    def read(text: str | Path) -> Path:
        if not str(text).strip() or "\0" in str(text):
            raise _fault(option, str(text), "must be the path of a directory")
        return Path(text)

    return read


def file(option: str) -> Callable[[str | Path], Path]:
    """Return a reader of the path of a file to write."""

    def read(text: str | Path) -> Path:
        if not str(text).strip() or "\0" in str(text) or Path(text).is_dir():
            raise _fault(option, str(text), "must be the path of a file, not of a directory")
        if str(text) == "-":
            raise _fault(option, "-", "nothing is written to standard output; name a file, such as report.md")
        return Path(text)

    return read


Settings = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Set a value of the scenario by its dotted path.")]
Replications = Annotated[
    int | None, typer.Option(parser=whole("--replications", 1, 100_000), metavar="N", help="Replications of each scenario.")
]
Precision = Annotated[
    float | None,
    typer.Option(
        parser=share("--precision", 1e-6, 10.0),
        metavar="SHARE",
        help="Add replications until each headline effect is known to this share of the baseline's mean.",
    ),
]
Seed = Annotated[
    int | None,
    typer.Option(parser=whole("--seed", 0, 2**53), metavar="SEED", help="Seed of the first replication; replication k has SEED + k."),
]
Workers = Annotated[
    int | None,
    typer.Option(parser=whole("--workers", 1, 4096), metavar="W", help="Processes; as many as there are processors if not given."),
]
ClusterAddress = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        metavar="ADDRESS",
        help="Make runs on the Dask cluster whose scheduler is there, such as tcp://10.0.0.1:8786; 'local' starts one with --workers.",
    ),
]
RetryFailed = Annotated[bool, typer.Option("--retry-failed", help="Make runs again that failed in an earlier command.")]
NoDaily = Annotated[bool, typer.Option("--no-daily", help="Keep means of runs only, no days: less disk, no figures over days.")]
Out = Annotated[Path | None, typer.Option(parser=folder("--out"), metavar="DIR", help="Results directory; results/NAME if not given.")]
Place = Annotated[Path, typer.Option("--out", parser=folder("--out"), metavar="DIR", help="Results directory, or one that holds some.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")]
ScenarioFile = Annotated[Path, typer.Argument(metavar="SCENARIO", help="A scenario file.")]
Version = Annotated[bool, typer.Option("--version", is_eager=True, callback=_tell_version, help="Print the version and exit.")]
