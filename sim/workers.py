"""Calls in other processes, through an executor; blame for the call that kills its process.

Without another executor they are started here: one thread each, gone when the parent goes. On Linux a server that has the package
imported forks them, in hundredths of a second; elsewhere each is spawned and imports what it needs.
"""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from sim.starting import context, quiet_start, set_apart

Key = TypeVar("Key")
Result = TypeVar("Result")

Workers = int | Executor
"""Processes of this machine, or an executor of another kind, such as a cluster's: what makes many runs takes either."""


class StartError(RuntimeError):
    """Processes ended before they took up any work."""

    def __init__(self) -> None:
        super().__init__(
            "processes that were to make runs ended at once. A script that asks for several workers must be a file, whose calls stand"
            " under `if __name__ == '__main__':`, since each process imports it; with workers=1 all runs are made in this process"
        )


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
    pool = ProcessPoolExecutor(workers, mp_context=context(), initializer=set_apart)
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
