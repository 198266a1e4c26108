"""Standard output and error when they are closed, or refuse what is printed."""

from __future__ import annotations

import os
import sys

from sim.screen import say


def opened() -> bool:
    """Put streams in the place of standard output and error if these are closed, and let both take any text; say if the output is closed.

    It gets one that cannot be written to, so that a command which has something to print does not pass for done; errors go nowhere. Both
    keep the numbers of the streams, which the next file would get otherwise.
    """
    closed = sys.stdout is None
    if closed:
        sys.stdout = open(os.open(os.devnull, os.O_RDONLY), "w")  # noqa: PTH123, SIM115  # for as long as the process lives
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115  # as above
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    return closed


def unprinted(why: str | None) -> int:
    """Say that what was to be printed could not be; files say so themselves."""
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123  # what is left to be flushed goes nowhere
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
        try:
            say(f"abm: cannot print: {why}")
        except OSError:
            os.dup2(nowhere.fileno(), sys.stderr.fileno())
    return 1
