"""Calls in other processes, through an executor; blame for the call that kills its process.

Without another executor they are started here: one thread each, gone when the parent goes. On Linux a server that has the package
imported forks them, in hundredths of a second; elsewhere each is spawned and imports what it needs.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, SpawnContext
from multiprocessing.util import get_temp_dir
from pathlib import Path
from typing import Any, TypeVar

Key = TypeVar("Key")
Result = TypeVar("Result")

Workers = int | Executor
"""Processes of this machine, or an executor of another kind, such as a cluster's: what makes many runs takes either."""

ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "VECLIB_MAXIMUM", "ARROW")} | {
    "JE_ARROW_MALLOC_CONF": "background_thread:false"
}
"""Environment in which numerical libraries start no threads of their own: the processes are the parallelism, and one is forked."""


class StartError(RuntimeError):
    """Processes ended before they took up any work."""

    def __init__(self) -> None:
        super().__init__(
            "processes that were to make runs ended at once. A script that asks for several workers must be a file, whose calls stand"
            " under `if __name__ == '__main__':`, since each process imports it; with workers=1 all runs are made in this process"
        )


class Terminated(KeyboardInterrupt):
    """The process was asked to end, by SIGTERM; to be dealt with as a Ctrl-C."""


@dataclass(frozen=True)
class Crash:
    """What stands in for the result of a call whose process died."""

    def __str__(self) -> str:
        return "The worker process died: killed, or out of memory."


def count(workers: Workers) -> int:
    """Return how many calls are made at a time."""
    if isinstance(workers, Executor):
        return max(1, int(getattr(workers, "_max_workers", None) or 1))
    return workers


def at_most(workers: Workers, calls: int) -> Workers:
    """Return no more processes of this machine than there are calls; another executor as it is."""
    return workers if isinstance(workers, Executor) else min(workers, max(calls, 1))


def in_processes(
    function: Callable[..., Result],
    calls: deque[tuple[Key, tuple[Any, ...]]],
    workers: Workers,
    finished: Callable[[Key, Result | Crash], None],
) -> None:
    """Call a function with each of `calls` (key and arguments) in processes; `finished` gets key and result in this one.

    `finished` may add to `calls`.
    When a process dies, the calls that were under way are made again one at a time, so that the one to blame is known; an executor that
    makes calls again by itself raises `BrokenExecutor` in the future of one that does not end. Raises `StartError` where processes that are
    started here cannot even begin.
    An exception, `KeyboardInterrupt` included, ends the processes at once and passes through.
    """
    suspects: deque[tuple[Key, tuple[Any, ...]]] = deque()
    while calls or suspects:
        alone = bool(suspects)
        source = suspects if alone else calls
        flying: dict[Future[Result], tuple[Key, tuple[Any, ...]]] = {}
        broken = False
        with _pool(at_most(workers, 1) if alone else workers, flying) as pool:
            first: Future[None] | None = None
            while flying or (source and not broken):
                most = 1 if alone else 2 * count(workers)  # a call waits for each process, so that none is idle while results are kept
                while source and len(flying) < most and not broken:
                    try:
                        with quiet_start():
                            if first is None and not isinstance(workers, Executor):
                                first = pool.submit(_begun)
                            future = pool.submit(function, source[0][0], *source[0][1])
                    except BrokenExecutor:
                        broken = True
                    else:
                        flying[future] = source.popleft()
                done, _ = wait(flying, timeout=_SECONDS_A_LOOK, return_when=FIRST_COMPLETED)
                if not done and isinstance(pool, ProcessPoolExecutor):
                    _free(pool)
                for future in done:
                    call = flying.pop(future)
                    try:
                        result = future.result()
                    except BrokenExecutor:
                        broken = True
                        if alone:
                            finished(call[0], Crash())
                        else:
                            suspects.append(call)
                    else:
                        finished(call[0], result)
                if broken and first is not None and isinstance(first.exception(), BrokenExecutor):
                    raise StartError


def _begun() -> None:
    """Do nothing, as the first call of new processes: they could be started."""


_SECONDS_TO_END = 5.0
_SECONDS_A_LOOK = 2.0


def _free(pool: ProcessPoolExecutor) -> None:
    """Let a pool notice that a process died in the middle of a result; it waits for the rest, and the others for their turn to write."""
    children = dict(getattr(pool, "_processes", None) or {})
    if all(child.is_alive() for child in children.values()):
        return
    for child in children.values():
        child.terminate()
    for child in children.values():
        child.join(_SECONDS_TO_END)
    _end_of_results(pool)


def _end_of_results(pool: ProcessPoolExecutor) -> None:
    """Let the pool's thread read to the end of what its processes, which have ended, wrote.

    One that ended in the middle of a large result leaves that thread waiting for the rest as long as anybody could write it: this process.
    """
    writer = getattr(getattr(pool, "_result_queue", None), "_writer", None)
    if writer is not None:
        writer.close()


_LONGEST_PATH = 80  # bytes of a folder's
_SLOW_TO_IMPORT = "sim.model"  # which no process has that only hands out work


def _context() -> SpawnContext | ForkServerContext:
    """Return how processes are started; the server, which starts with the first of them, imports what this one has and the model.

    It listens on a socket in the folder of temporary files, whose path a system cuts off at about a hundred bytes.
    """
    if sys.platform != "linux" or len(os.fsencode(get_temp_dir())) > _LONGEST_PATH:
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([_SLOW_TO_IMPORT, *(name for name in sys.modules if name.startswith("sim."))])
    return context


def prepare() -> None:
    """Start the server that forks processes, where there is one, so that it has imported what they need before the first is asked for."""
    with quiet_start():
        if _context().get_start_method() == "forkserver":
            forkserver.ensure_running()


@contextmanager
def _pool(workers: Workers, flying: Mapping[Future[Result], object]) -> Iterator[Executor]:
    """Give an executor; an exception ends the processes that were started for it, and on another one gives up the calls that are flying."""
    if isinstance(workers, Executor):
        try:
            yield workers
        except BaseException:
            for future in flying:
                future.cancel()
            raise
        return
    before = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(workers, mp_context=_context(), initializer=_start)
    try:
        yield pool
    except BaseException:
        children = set(multiprocessing.active_children()) - before
        for child in children:
            child.terminate()
        for child in children:
            child.join(_SECONDS_TO_END)
        _end_of_results(pool)
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def quiet_start() -> Iterator[None]:
    """Let processes that start in this block inherit one thread a library and a blocked Ctrl-C: the parent deals with that.

    They import from where this one does, not from the folder it is in. What asks this process to end waits until they have started, so
    that none is left half made.
    """
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


def _start() -> None:
    """Make a worker ignore Ctrl-C and end with its parent, however that ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


class Companion:
    """A process that works beside this one and talks with it by `line`: what one side sends, the other receives.

    `function` is called there with its end of the line. With `leads` it may start processes of its own. The line raises `EOFError` or
    `OSError` when the process is gone.
    """

    def __init__(self, function: Callable[[Connection], None], leads: bool = False) -> None:
        context = _context()
        self.line, theirs = multiprocessing.Pipe()
        self._process = context.Process(target=_accompany, args=(function, theirs, leads), daemon=not leads)
        with quiet_start():
            self._process.start()
        theirs.close()
        atexit.register(self.end)  # which comes before Python waits for processes that are no daemons

    def end(self) -> None:
        """End the process at once, whatever it does; what it started ends with it.

        The line is left to be closed when nobody holds it any more, since a thread that reads it would read what is opened in its place.
        """
        atexit.unregister(self.end)
        self._process.terminate()
        self._process.join(_SECONDS_TO_END)
        self._process.kill()  # if it is still there


def _accompany(function: Callable[[Connection], None], line: Connection, leads: bool) -> None:
    """Work for the other end of a line; one that leads ends its own processes when it is to end, so that nothing of them is left."""
    _start()
    with suppress(EOFError, OSError, Terminated), terminable() if leads else nullcontext():  # or the other end is closed
        function(line)


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
