"""Event-keyed luck: every random number is a pure function of (seed, process, day, entity key), without the day for what happens once.

There is no sequential stream. A key is a 64-bit word per entity; a process and a day pick a stream; the two are mixed by the
finaliser of SplitMix64 (Steele, Lea & Flood 2014). Two worlds with the same seed therefore share all luck except that
of entities which only one of them has.
"""

from __future__ import annotations

import zlib
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from sim.inversion import counted

Keys = NDArray[np.uint64]
Reals = NDArray[np.float64]

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15
_M1, _M2 = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
GOLDEN = np.uint64(_GOLDEN)
"""Multiplier that spreads the bits of a key."""
_M1_U, _M2_U = np.uint64(_M1), np.uint64(_M2)
_S30, _S27, _S31, _S11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)
_HALF = 2.0**-54
_STEP = 2.0**-53
_BELOW_ONE = 1.0 - 2.0**-53
_CHILD = 0xA5A5_5A5A_C3C3_3C3C
"""Sets the stream of `children` apart from that of `bits`, so that a child's key says nothing of its parent's draw."""

_BLOCK = 1 << 14
"""Keys drawn at a time: what is passed over again and again stays in the processor's cache."""
_SPAN = 6
"""Days whose streams are worked out at once, as a power of 2."""
_NO_SPAN: tuple[int | None, Keys] = (None, np.zeros(0, dtype=np.uint64))
_NO_DAYS: tuple[int | None, bytes, Reals] = (None, b"", np.zeros((0, 0)))
_FEW = 64
"""Up to how many are drawn for a span of days at once."""
ONCE = 0
"""In place of the day, in draws about what happens once: traits, and what a policy may bring about on another day."""


def mix_word(word: int) -> int:
    """Mix one 64-bit word (SplitMix64 finaliser)."""
    word &= _MASK
    word = ((word ^ (word >> 30)) * _M1) & _MASK
    word = ((word ^ (word >> 27)) * _M2) & _MASK
    return word ^ (word >> 31)


def mixed(z: Keys) -> Keys:
    """Mix an array of 64-bit words in place and return it."""
    shifted = z >> _S30
    z ^= shifted
    z *= _M1_U
    np.right_shift(z, _S27, out=shifted)
    z ^= shifted
    z *= _M2_U
    np.right_shift(z, _S31, out=shifted)
    z ^= shifted
    return z


@lru_cache(maxsize=4096)
def name_word(name: str) -> int:
    """Return the 64-bit word of a process name."""
    data = name.encode()
    return mix_word((zlib.crc32(data) << 32) ^ zlib.adler32(data) ^ len(data))


def words(values: ArrayLike) -> Keys:
    """Return integers as 64-bit words; not to be written to, as they may be the integers themselves."""
    if isinstance(values, np.ndarray) and values.dtype == np.int64:
        return values.view(np.uint64)
    return np.asarray(values).astype(np.uint64)


def join(keys: Keys, *parts: ArrayLike) -> Keys:
    """Derive new keys from keys and further integers, elementwise with broadcasting."""
    out = keys
    for part in parts:
        out = mixed(out * GOLDEN + words(part) + GOLDEN)
    return out


def _keyed(keys: Keys, stream: np.uint64 | Keys) -> Keys:
    """Return 64 random bits of a stream, or of several `(streams, 1)`, for each key."""
    return mixed(keys * GOLDEN + stream)


def _uniform(z: Keys) -> Reals:
    """Turn random bits, which are used up, into uniforms in (0, 1)."""
    z >>= _S11
    u = z * _STEP
    u += _HALF
    return np.asarray(np.minimum(u, _BELOW_ONE, out=u))


class Luck:
    """The luck of one run, picked by its seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._root = mix_word(seed * _GOLDEN + 0x2545F4914F6CDD1D)
        self._processes: dict[str, int] = {}
        self._spans: dict[str, tuple[int, Keys]] = {}
        self._joint: dict[tuple[str, ...], tuple[int, Keys]] = {}
        self._daily: dict[str, tuple[int, bytes, Reals]] = {}

    def stream(self, process: str, day: int = 0) -> int:
        """Return the 64-bit word of a process on a day."""
        return mix_word(self._word(process) + day * _GOLDEN)

    def _word(self, process: str) -> int:
        word = self._processes.get(process)
        if word is None:
            word = self._processes[process] = mix_word(self._root ^ name_word(process))
        return word

    def _stream(self, process: str, day: int) -> np.uint64:
        """Return `stream` for use with arrays, worked out for a span of days at once."""
        word: np.uint64 = self._span(process, day)[day & ((1 << _SPAN) - 1)]
        return word

    def _span(self, process: str, day: int) -> Keys:
        """Return `stream` for all days of the span that a day is in."""
        span, streams = self._spans.get(process, _NO_SPAN)
        if span != day >> _SPAN:
            span = day >> _SPAN
            days = np.arange(span << _SPAN, (span + 1) << _SPAN)
            streams = _keyed(words(days), np.uint64(self._word(process)))
            self._spans[process] = span, streams
        return streams

    def _streams(self, processes: tuple[str, ...], day: int) -> Keys:
        """Return `_stream` of several processes, shape `(processes, 1)`."""
        span, streams = self._joint.get(processes, _NO_SPAN)
        if span != day >> _SPAN:
            span = day >> _SPAN
            streams = np.stack([self._span(process, day) for process in processes], axis=1)[:, :, None]
            self._joint[processes] = span, streams
        return np.asarray(streams[day & ((1 << _SPAN) - 1)])

    def bits(self, process: str, day: int, keys: Keys) -> Keys:
        """Return 64 random bits for each key."""
        return _keyed(keys, self._stream(process, day))

    def uniforms(self, process: str, day: int, keys: Keys) -> Reals:
        """Return a uniform in the open interval (0, 1) for each key; same shape as `keys`."""
        if keys.size == 0:
            return np.empty(keys.shape)
        if keys.size <= _BLOCK:
            return _uniform(self.bits(process, day, keys))
        u = np.empty(keys.shape)
        flat, of = u.reshape(-1), keys.reshape(-1)
        for first in range(0, flat.size, _BLOCK):
            flat[first : first + _BLOCK] = _uniform(self.bits(process, day, of[first : first + _BLOCK]))
        return u

    def daily(self, process: str, day: int, keys: Keys) -> Reals:
        """Return `uniforms` for the few who draw day after day `(n,)`, not to be written to.

        They are drawn for a span of days at once, and kept until the span ends or others draw.
        """
        if keys.size > _FEW:
            return self.uniforms(process, day, keys)
        span, who, draws = self._daily.get(process, _NO_DAYS)
        now, same = day >> _SPAN, keys.tobytes()
        if span != now or who != same:
            draws = _uniform(_keyed(keys, self._span(process, day)[:, None]))
            draws.setflags(write=False)
            self._daily[process] = now, same, draws
        return np.asarray(draws[day & ((1 << _SPAN) - 1)])

    def each(self, processes: tuple[str, ...], day: int, keys: Keys) -> Reals:
        """Return the uniforms of several processes for the same keys `(n,)`, shape `(processes, n)`, in fewer steps than one by one."""
        if 0 < len(processes) * keys.size <= _BLOCK:
            return _uniform(_keyed(keys, self._streams(processes, day)))
        u = np.empty((len(processes), keys.size))
        for row, process in zip(u, processes, strict=True):
            row[:] = self.uniforms(process, day, keys)
        return u

    def uniform(self, process: str, day: int, key: int = 0) -> float:
        """Return one uniform in (0, 1) for one integer key."""
        word = mix_word(key * _GOLDEN + self.stream(process, day))
        return min((word >> 11) * _STEP + _HALF, _BELOW_ONE)

    def children(self, process: str, day: int, keys: Keys, ordinals: NDArray[np.integer[Any]]) -> Keys:
        """Return keys of the events that entities bring about on a day, by their ordinal within it."""
        return mixed(keys * GOLDEN + words(ordinals) * _M2_U + np.uint64(self.stream(process, day) ^ _CHILD))

    def count(self, process: str, day: int, mean: float) -> int:
        """Return one Poisson count of the whole population, by inversion, as `poisson` does."""
        return counted(self.uniform(process, day), mean) if mean > 0 else 0

    def normals(self, process: str, day: int, keys: Keys) -> Reals:
        """Return a standard normal for each key, by inversion."""
        return np.asarray(ndtri(self.uniforms(process, day, keys)), dtype=np.float64)


def uniforms(seed: int, process: str, shape: int | tuple[int, ...]) -> Reals:
    """Return keyed uniforms of any shape, for resampling in analysis."""
    size = int(np.prod(shape))
    return Luck(seed).uniforms(process, 0, np.arange(size, dtype=np.uint64)).reshape(shape)


def normals(seed: int, process: str, shape: int | tuple[int, ...]) -> Reals:
    """Return keyed standard normals of any shape."""
    return np.asarray(ndtri(uniforms(seed, process, shape)), dtype=np.float64)
