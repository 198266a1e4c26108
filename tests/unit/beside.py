"""What the dashboard starts as a process, as a thread: the same lines, and nothing to wait for."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import Pipe


class Thread:
    """A companion that is a thread."""

    def __init__(self, function: Callable[[object], None]) -> None:
        self.line, self._theirs = Pipe()
        self.ended = False
        threading.Thread(target=self._run, args=(function,), daemon=True).start()

    def _run(self, function: Callable[[object], None]) -> None:
        with suppress(EOFError, OSError):
            function(self._theirs)
        self.die()

    def die(self) -> None:
        """End as a process that is killed: both ends of the line are at their end."""
        with socket.socket(fileno=os.dup(self._theirs.fileno())) as line, suppress(OSError):
            line.shutdown(socket.SHUT_RDWR)

    def end(self) -> None:
        """End at once."""
        self.ended = True
        self.die()
