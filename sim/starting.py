"""How processes are started, and what Ctrl-C and SIGTERM do while they are: on Linux a server that has the package imported forks them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import forkserver, resource_tracker
from multiprocessing.util import get_temp_dir
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerContext, SpawnContext

ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "VECLIB_MAXIMUM", "ARROW")} | {
    "JE_ARROW_MALLOC_CONF": "background_thread:false"
}
"""Environment in which numerical libraries start no threads of their own: the processes are the parallelism, and one is forked."""


class Terminated(KeyboardInterrupt):
    """The process was asked to end, by SIGTERM; to be dealt with as a Ctrl-C."""


_LONGEST_PATH = 80  # bytes of a folder's
_SLOW_TO_IMPORT = "sim.model"  # which no process has that only hands out work


def context() -> SpawnContext | ForkServerContext:
    """Return how processes are started; the server, which starts with the first of them or before, imports what this one has and the model.

    It listens on a socket in the folder of temporary files, whose path a system cuts off at about a hundred bytes.
    """
    if sys.platform != "linux" or len(os.fsencode(get_temp_dir())) > _LONGEST_PATH:
        return multiprocessing.get_context("spawn")
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload([_SLOW_TO_IMPORT, *(name for name in list(sys.modules) if name.startswith("sim."))])
    return server


def prepare() -> None:
    """Start the server that forks processes, where there is one, so that it has imported what they need before the first is asked for."""
    with quiet_start():
        if context().get_start_method() == "forkserver":
            forkserver.ensure_running()


_ONE_START_AT_A_TIME = threading.RLock()  # the environment is that of all threads


@contextmanager
def quiet_start() -> Iterator[None]:
    """Let processes that start in this block inherit one thread a library and a blocked Ctrl-C: the parent deals with that.

    They import from where this one does, not from the folder it is in. What asks this process to end waits until they have started, so
    that none is left half made.
    """
    with _ONE_START_AT_A_TIME:
        environment = ONE_THREAD | {"PYTHONSAFEPATH": "1", "PYTHONPATH": os.pathsep.join(path or str(Path.cwd()) for path in sys.path)}
        before = {name: os.environ.get(name) for name in environment}
        resource_tracker.ensure_running()  # which else starts with the first process, and unblocks what is blocked
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        os.environ.update(environment)
        try:
            with interrupts_held():
                yield
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def set_apart() -> None:
    """Make a worker ignore Ctrl-C and end with its parent, however that ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Put off Ctrl-C and SIGTERM until the block is over, so that a finished run is kept."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held: list[int] = []
    previous = {number: signal.signal(number, lambda number, _: held.append(number)) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler or signal.SIG_DFL)
    if held:
        signal.raise_signal(held[0])


@contextmanager
def terminable() -> Iterator[None]:
    """Raise `Terminated` in the block when SIGTERM asks this process to end."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(*_: object) -> None:
        raise Terminated

    previous = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous or signal.SIG_DFL)
