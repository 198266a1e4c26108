"""A process that works beside this one, for as long as it is wanted: what the dashboard leaves to others, so that no page waits."""

from __future__ import annotations

import atexit
import multiprocessing
import os
import socket
import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from multiprocessing.connection import Connection

from sim.starting import Terminated, context, quiet_start, set_apart, terminable

_NICER = 5  # the page goes before what it shows
_SECONDS_TO_END = 5.0
_SECONDS_BETWEEN = (0.01, 0.1, 1.0)


class Companion:
    """A process that works beside this one and talks with it by `line`: what one side sends, the other receives.

    `function` is called there with its end of the line. With `leads` it may start processes of its own. The line raises `EOFError` or
    `OSError` when the process is gone.
    """

    def __init__(self, function: Callable[[Connection], None], leads: bool = False) -> None:
        self.line, theirs = multiprocessing.Pipe()
        self._process = context().Process(target=_accompany, args=(function, theirs, leads), daemon=not leads)
        with quiet_start():
            self._begin()
        theirs.close()
        atexit.register(self.end)  # which comes before Python waits for processes that are no daemons

    def _begin(self) -> None:
        """Start the process, again where the server that forks it has just died, which is not known at once: then there is another one."""
        for seconds in _SECONDS_BETWEEN:
            try:
                self._process.start()
            except (EOFError, OSError):
                time.sleep(seconds)
            else:
                return
        self._process.start()

    def end(self) -> None:
        """End the process at once, whatever it does; what it started ends with it.

        Both sides are told that the other has gone, also where the server that forked the process has died and nobody knows its state. The
        line is left to be closed when nobody holds it any more, since a thread that reads it would read what is opened in its place.
        """
        atexit.unregister(self.end)
        with suppress(OSError), socket.socket(fileno=os.dup(self.line.fileno())) as line:
            line.shutdown(socket.SHUT_RDWR)
        if self._process.is_alive():
            self._process.terminate()
            self._process.join(_SECONDS_TO_END)
            self._process.kill()  # if it is still there


def _accompany(function: Callable[[Connection], None], line: Connection, leads: bool) -> None:
    """Work for the other end of a line; one that leads ends its own processes when it is to end, so that nothing of them is left."""
    set_apart()
    if hasattr(os, "nice"):
        os.nice(_NICER)
    with suppress(EOFError, OSError, Terminated), terminable() if leads else nullcontext():  # or the other end is closed
        function(line)
