"""One writer at a time: the lock of a results directory."""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sim.store.files import StoreError, writing

LOCK = ".lock"
"""The file that is locked: on NFS and Lustre other machines do not see the lock of a directory."""


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep other writers out of a directory; raises `StoreError` when one is at work there.

    Where the file system has no locks (as Lustre without `-o flock`), that the file is there is the lock. Nobody takes it over: whether
    its writer was killed cannot be told from another machine or container, and two writers would take away each other's runs.
    """
    file = path / LOCK
    with writing(file):
        handle = _taken(file)
    try:
        with writing(file):
            os.truncate(handle, 0)
            os.write(handle, f"process {os.getpid()} on {socket.gethostname()}".encode())
        yield
    finally:
        with suppress(OSError):  # while it is ours: after that it may be the next writer's
            file.unlink()
        os.close(handle)


def _taken(file: Path) -> int:
    """Return the open file once it is this process's."""
    while True:
        handle, made = _opened(file)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError) as error:
            os.close(handle)
            raise StoreError(_in_use(file)) from error
        except OSError as error:
            if made:
                return handle
            os.close(handle)
            told = f"the file system has no locks, so if that process is no longer at work, remove {file} and give the command again"
            raise StoreError(f"{_in_use(file)}; {told}") from error
        if _is_there(file, handle):
            return handle
        os.close(handle)  # its writer has taken it away in the meantime


def _opened(file: Path) -> tuple[int, bool]:
    """Open a file for writing; say whether it was made for that."""
    while True:
        with suppress(FileExistsError):
            return os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666), True
        with suppress(FileNotFoundError):
            return os.open(file, os.O_RDWR), False


def _is_there(file: Path, handle: int) -> bool:
    """Say whether an open file still has its name."""
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(handle), file.stat())
    return False


def _in_use(file: Path) -> str:
    with suppress(OSError):
        if who := file.read_text(encoding="utf-8"):
            return f"{file.parent} is in use by another abm process ({who}); wait for it, or choose another directory with --out"
    return f"{file.parent} is in use by another abm process; wait for it, or choose another directory with --out"
