"""Nothing as large as the population, or as its communities, is copied or scanned in a day: shown without a clock.

The market is one of 120 million users in which no more happens than in a small one, so that whatever is large is large for its users.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from worlds import world

from sim.model import AccountMarket

USERS = 120_000_000
DENSITY = 0.01
DAYS, WARM_UP = 8, 3


class ScannedError(AssertionError):
    """A whole column of communities was read or copied."""


class Watched(np.ndarray):
    """A column that may be read and written at places, never as a whole."""

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        """Let `at` work on places; every other function of the column passes over all of it."""
        if method != "at":
            raise ScannedError(f"{ufunc.__name__} over {self.size:,} elements")
        return getattr(ufunc, method)(*(x.view(np.ndarray) if isinstance(x, Watched) else x for x in inputs), **options)

    def __array_function__(self, function, types, arguments, options):
        """Refuse all functions of NumPy but those by place."""
        raise ScannedError(f"{function.__name__} over {self.size:,} elements")

    def __getitem__(self, place):
        """Return what stands at places, as an ordinary array."""
        found = self.view(np.ndarray)[place]
        if np.size(found) >= self.size // 2:
            raise ScannedError(f"{np.size(found):,} of {self.size:,} elements read")
        return found

    def __iter__(self):
        raise ScannedError("iterated over")

    def _refused(self, *_: object, **__: object):
        raise ScannedError(f"a method over {self.size:,} elements")

    copy = astype = nonzero = tolist = tobytes = argmax = argmin = argsort = sort = take = repeat = fill = flatten = _refused


def arrays(holder: Any, seen: set[int]) -> Iterator[tuple[Any, Any, np.ndarray]]:
    """Yield the arrays that an object holds at any depth: holder, name or key, array."""
    if id(holder) in seen:
        return
    seen.add(id(holder))
    if isinstance(holder, dict):
        parts = list(holder.items())
    elif isinstance(holder, (list, tuple, set)):
        parts = list(enumerate(holder))
    elif type(holder).__module__.startswith("sim."):
        parts = list(getattr(holder, "__dict__", {}).items())
    else:
        return
    for name, part in parts:
        if isinstance(part, np.ndarray):
            yield holder, name, part
        else:
            yield from arrays(part, seen)


@pytest.fixture(scope="module")
def model() -> AccountMarket:
    made = AccountMarket(world("scenarios/baseline.toml", users=USERS, days=2 * DAYS + WARM_UP, density=DENSITY), 1)
    for _ in range(WARM_UP):
        made.step()
    return made


@pytest.fixture
def communities(model) -> int:
    return -(-USERS // int(model.world.parameters.population.community_size))


def test_nothing_is_kept_by_the_user(model, communities):
    """Columns by community, a fiftieth of the users, are the largest there are, at most 8 bytes in all."""
    held = [array for _, _, array in arrays(model.world, set())]
    large = [array for array in held if array.size > communities // 20]
    assert all(array.size <= communities for array in large)
    assert sum(array.nbytes for array in large) <= 8 * communities
    assert len(held) > 50


def test_a_day_allocates_nothing_of_the_size_of_the_communities(model, communities):
    """At its peak a day allocates less than one byte a community: no copy and no mask of them, nor of the users."""
    tracemalloc.start()
    try:
        peaks = []
        for _ in range(DAYS):
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            model.step()
            peaks.append(tracemalloc.get_traced_memory()[1] - before)
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        mask = np.zeros(communities, dtype=np.bool_)
        assert tracemalloc.get_traced_memory()[1] - before >= mask.nbytes, "NumPy's memory is not seen"
    finally:
        tracemalloc.stop()
    assert max(peaks) < communities


def test_a_day_reads_communities_only_at_places(model):
    """With columns that refuse to be passed over, days go on as before."""
    columns = [(holder, name, array) for holder, name, array in arrays(model.world, set()) if array.size > USERS // 1000]
    before = sum(model.daily["inflow_rented"])
    for holder, name, array in columns:
        assert not isinstance(holder, dict | list | tuple)
        setattr(holder, name, array.view(Watched))
    for _ in range(DAYS):
        model.step()
    assert sum(model.daily["inflow_rented"]) > before, "no renter came, so no community was read"


@pytest.mark.parametrize(
    "scan",
    [
        lambda column: column.sum(),
        lambda column: column + 1,
        lambda column: column[:],
        lambda column: column.copy(),
        np.flatnonzero,
        lambda column: np.where(column > 0),
        lambda column: column[column > 0],
        list,
    ],
)
def test_a_watched_column_notices_a_scan(scan):
    column = np.zeros(100, dtype=np.int16).view(Watched)
    column[[3, 5]] = 2
    np.add.at(column, [3], 1)
    assert column[[3, 5]].tolist() == [3, 2]
    with pytest.raises(ScannedError):
        scan(column)
