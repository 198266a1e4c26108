"""A Dask cluster as an executor: one that is there, or one of this machine that is started and ended."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from sim.faults import Fault, ScenarioError
from sim.provenance import model_source, version_of
from sim.starting import quiet_start

if TYPE_CHECKING:
    from distributed import Client

LOCAL = "local"
"""The address of a cluster that is started on this machine."""

_SECONDS_TO_CONNECT = 10
_SECONDS_TO_START = 60
_LOST = "the cluster is lost: its scheduler has ended or cannot be reached"
_LIBRARIES = ("numpy", "scipy", "mesa")
_SETTINGS = {
    "distributed.admin.large-graph-warning-threshold": "1GB",  # states of burn-in, where there is no results directory to keep them in
    "distributed.comm.timeouts.connect": f"{_SECONDS_TO_CONNECT}s",
}


class ClusterError(RuntimeError):
    """A cluster that is not there any more, or whose workers have another model than this process."""


class Cluster(Executor):
    """The workers of a Dask cluster, as they come and go; calls of a lost worker are made again by another.

    A future raises `BrokenExecutor` for a call that keeps killing its worker, `ClusterError` when the cluster is lost or a worker has
    another version of the model.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._of_dask = client.get_executor(pure=False)
        self._about = _about()

    @property
    def _max_workers(self) -> int:
        """Return how many calls the cluster makes at a time now."""
        with _answering():
            return sum(self._client.nthreads().values())

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Have a function called by one of the workers."""
        passed: Future[Any] = Future()
        with _answering():
            future = self._of_dask.submit(_called, self._about, fn, args, kwargs)
        future.add_done_callback(lambda done: _pass_on(done, passed))
        passed.add_done_callback(lambda done: future.cancel() if done.cancelled() else None)
        return passed

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more calls."""
        self._of_dask.shutdown(wait=wait and not cancel_futures)


@contextmanager
def _answering() -> Iterator[None]:
    """Raise `ClusterError` when the scheduler does not answer."""
    try:
        yield
    except (OSError, TimeoutError, CancelledError) as error:
        raise ClusterError(_LOST) from error


def _pass_on(done: Future[Any], passed: Future[Any]) -> None:
    """Hand over how a call ended, in words that do not depend on Dask."""
    from distributed import KilledWorker

    if passed.cancelled():
        return
    if done.cancelled():
        passed.set_exception(ClusterError(_LOST))
    elif (error := done.exception()) is None:
        passed.set_result(done.result())
    elif isinstance(error, KilledWorker):
        passed.set_exception(BrokenExecutor(str(error)))
    elif isinstance(error, CancelledError):
        passed.set_exception(ClusterError(_LOST))
    else:
        passed.set_exception(error)


def _about() -> dict[str, str | None]:
    """Return what has to be the same everywhere for results to be the same to the bit."""
    return {"source of the model": model_source(), **{f"version of {library}": version_of(library) for library in _LIBRARIES}}


def _called(about: dict[str, str | None], function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    for name, ours in _about().items():
        if ours != about[name]:
            raise ClusterError(f"a worker has another {name} than this machine: {ours}, not {about[name]}; install the same there")
    return function(*args, **kwargs)


@contextmanager
def _silent() -> Iterator[None]:
    """Keep from the screen what Dask logs of workers that are lost: what a user has to know, the command says."""
    names = [name for name in logging.root.manager.loggerDict if name.partition(".")[0] in {"distributed", "tornado", "asyncio"}]
    loggers = [logging.getLogger(name) for name in names]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


@contextmanager
def on_cluster(address: str, workers: int = 1) -> Iterator[Cluster]:
    """Give an executor on a Dask cluster: that of the scheduler at an address, such as `tcp://10.0.0.1:8786`, or `LOCAL`.

    `LOCAL` starts `workers` processes of one thread each on this machine, which end with the block. Raises `ScenarioError` when Dask is not
    installed, the address is none, or nobody answers there.
    """
    try:
        import dask
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise ScenarioError([Fault("", "--cluster", "", "needs Dask; install it with: pip install 'abm[cluster]'")]) from error
    with ExitStack() as stack:
        stack.enter_context(_silent())
        stack.enter_context(dask.config.set(_SETTINGS))
        if address == LOCAL:
            with quiet_start():  # of the thread as well that starts workers in place of lost ones
                cluster = LocalCluster(
                    n_workers=workers, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None, memory_limit=0,
                    silence_logs=logging.CRITICAL,
                )  # fmt: skip
            client = Client(stack.enter_context(cluster))
        else:
            try:
                client = Client(address, timeout=_SECONDS_TO_CONNECT)
            except (OSError, ValueError, TypeError) as error:
                problem = "is no Dask scheduler that answers; give its address, such as tcp://10.0.0.1:8786, or: local"
                raise ScenarioError([Fault("", "--cluster", address, problem)]) from error
        stack.enter_context(client)
        try:
            client.wait_for_workers(1, timeout=_SECONDS_TO_START)
        except TimeoutError as error:
            problem = f"has no worker, and none came in {_SECONDS_TO_START} seconds; start some with: dask worker {address}"
            raise ScenarioError([Fault("", "--cluster", address, problem)]) from error
        yield Cluster(client)
