"""What this machine can do at all: hash, look up, copy, spin."""

from __future__ import annotations

import sys
import time
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
from answering import serve
from numpy.typing import NDArray

_M1, _M2, _GOLDEN = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB), np.uint64(0x9E3779B97F4A7C15)
_S30, _S27, _S31 = np.uint64(30), np.uint64(27), np.uint64(31)


def _mixed(z: NDArray[np.uint64], spare: NDArray[np.uint64]) -> None:
    """Mix words in place (SplitMix64), without allocating."""
    np.multiply(z, _GOLDEN, out=z)
    for shift, factor in ((_S30, _M1), (_S27, _M2)):
        np.right_shift(z, shift, out=spare)
        np.bitwise_xor(z, spare, out=z)
        np.multiply(z, factor, out=z)
    np.right_shift(z, _S31, out=spare)
    np.bitwise_xor(z, spare, out=z)


def hashing(size: int, seconds: float) -> float:
    """Return words mixed a second, in arrays of `size`."""
    z, spare = np.arange(size, dtype=np.uint64), np.empty(size, dtype=np.uint64)
    _mixed(z, spare)
    rounds, start = 0, time.perf_counter()
    while (spent := time.perf_counter() - start) < seconds:
        _mixed(z, spare)
        rounds += 1
    return rounds * size / spent


def gathering(size: int, rows: int, seconds: float) -> float:
    """Return random look-ups a second in a column of `rows` 4-byte numbers, by arrays of `size` indices."""
    z = np.arange(size, dtype=np.uint64)
    _mixed(z, np.empty(size, dtype=np.uint64))
    at = (z % np.uint64(rows)).astype(np.int64)
    column, out = np.ones(rows, dtype=np.int32), np.empty(size, dtype=np.int32)
    np.take(column, at, out=out, mode="clip")
    rounds, start = 0, time.perf_counter()
    while (spent := time.perf_counter() - start) < seconds:
        np.take(column, at, out=out, mode="clip")
        rounds += 1
    return rounds * size / spent


def copying(size: int, seconds: float) -> float:
    """Return 8-byte words copied a second, in arrays of `size`."""
    source, target = np.ones(size, dtype=np.uint64), np.empty(size, dtype=np.uint64)
    np.copyto(target, source)
    rounds, start = 0, time.perf_counter()
    while (spent := time.perf_counter() - start) < seconds:
        np.copyto(target, source)
        rounds += 1
    return rounds * size / spent


def spin(seconds: float) -> float:
    """Return rounds of an idle loop a second."""
    rounds, start = 0, time.perf_counter()
    while (spent := time.perf_counter() - start) < seconds:
        for _ in range(10_000):
            pass
        rounds += 1
    return rounds / spent


if __name__ == "__main__":
    serve({f.__name__: f for f in (hashing, gathering, copying, spin)})
