"""Rows for the few entities to whom something happened, found by id without memory for the others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.luck import GOLDEN, words

Ids = NDArray[np.int64]
Rows = NDArray[np.int64]

_EMPTY = -1
_ROOM = 4


def distinct(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return each value once, ascending; for thousands of values a sort is quicker than the hash table of `np.unique`."""
    ordered = np.sort(values)
    first = np.ones(ordered.size, dtype=np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    return np.asarray(ordered[first])


def among(values: NDArray[np.int64], wanted: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the positions of the values that are in `wanted`, which is ascending.

    Most values are ruled out by a table of a few bits of their hash, before the search.
    """
    shift = np.uint64(64 - max(10, (8 * wanted.size).bit_length()))
    marked = np.zeros(1 << (64 - int(shift)), dtype=np.bool_)
    marked[(words(wanted) * GOLDEN) >> shift] = True
    likely = (marked[(words(values) * GOLDEN) >> shift]).nonzero()[0]
    found = values[likely]
    there = wanted[np.minimum(np.searchsorted(wanted, found), wanted.size - 1)] == found
    return np.asarray(likely[there])


def winners(users: Ids, keys: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Say who wins: of those who want the same user, the one with the lowest key."""
    wins = np.ones(users.size, dtype=np.bool_)
    order = np.argsort(users)
    ordered = users[order]
    again = ordered[1:] == ordered[:-1]
    if again.any():
        contested = np.zeros(users.size, dtype=np.bool_)
        contested[1:] = again
        contested[:-1] |= again
        rivals = order[contested]
        rivals = rivals[np.lexsort((keys[rivals], users[rivals]))]
        wins[rivals[1:][users[rivals[1:]] == users[rivals[:-1]]]] = False
    return wins


def _shift(slots: int) -> np.uint64:
    """Return by how much a hash of 64 bits is shifted to number that many slots, a power of 2."""
    return np.uint64(65 - slots.bit_length())


class Registry:
    """Open-addressing index from ids to consecutive rows, vectorised.

    Rows are never given back: a run touches a few ids per event. Memory is at most 48 bytes an id; at most a quarter of the slots
    is in use, so that a look-up seldom needs a second probe.
    """

    def __init__(self, capacity: int = 1024) -> None:
        size = 1 << max(4, int(capacity * _ROOM - 1).bit_length())
        self._slots = np.full(size, _EMPTY, dtype=np.int32)
        self._shift = _shift(size)
        self.ids: Ids = np.zeros(size // _ROOM, dtype=np.int64)
        self.size = 0

    def find(self, ids: Ids) -> Rows:
        """Return the row of each id, -1 where the id is unknown; shape of `ids`, duplicates allowed."""
        if self.size == 0 or ids.size == 0:
            return np.full(ids.shape, _EMPTY, dtype=np.int64)
        mask = self._slots.size - 1
        slots = self._first_slots(ids)
        rows = self._slots[slots].astype(np.int64)
        pending = (rows >= 0).nonzero()[0]
        if pending.size:
            pending = pending[self.ids[rows[pending]] != ids[pending]]
        while pending.size:
            slots[pending] = (slots[pending] + 1) & mask
            found = self._slots[slots[pending]].astype(np.int64)
            rows[pending] = found
            pending = pending[found >= 0]
            pending = pending[self.ids[rows[pending]] != ids[pending]]
        return rows

    def _first_slots(self, ids: Ids) -> Rows:
        """Return where the search for each id begins: multiplicative hashing, which spreads runs of ids (Knuth 1998, section 6.4)."""
        return ((words(ids) * GOLDEN) >> self._shift).view(np.int64)

    def claim(self, ids: Ids) -> Rows:
        """Return the row of each id, giving new rows to unknown ids in ascending order of id."""
        rows = self.find(ids)
        unknown = rows < 0
        if unknown.any():
            fresh = distinct(ids[unknown])
            self._reserve(fresh.size)
            first = self.size
            self.ids[first : first + fresh.size] = fresh
            self.size += fresh.size
            self._insert(np.arange(first, self.size))
            rows[unknown] = first + np.searchsorted(fresh, ids[unknown])
        return rows

    def _reserve(self, extra: int) -> None:
        needed = self.size + extra
        if needed <= self.ids.size:
            return
        size = self._slots.size
        while size // _ROOM < needed:
            size *= 2
        grown = np.zeros(size // _ROOM, dtype=np.int64)
        grown[: self.size] = self.ids[: self.size]
        self.ids = grown
        self._slots = np.full(size, _EMPTY, dtype=np.int32)
        self._shift = _shift(size)
        self._insert(np.arange(self.size))

    def _insert(self, rows: Rows) -> None:
        mask = self._slots.size - 1
        slots = self._first_slots(self.ids[rows])
        while rows.size:
            free = self._slots[slots] == _EMPTY
            self._slots[slots[free]] = rows[free]
            lost = self._slots[slots] != rows
            rows, slots = rows[lost], (slots[lost] + 1) & mask
