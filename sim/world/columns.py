"""Tables of equally long columns that grow by doubling."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Spec = dict[str, tuple[DTypeLike, object]]


class Columns:
    """Columns by attribute; `size` rows are in use, the rest is room to grow.

    `spec` maps a column to its dtype (or dtype and width as `(dtype, (width,))`) and the value of an unused cell.
    """

    def __init__(self, spec: Spec, room: int) -> None:
        self._spec = spec
        self.size = 0
        self.room = max(16, room)
        for name, (dtype, blank) in spec.items():
            setattr(self, name, self._blank(dtype, blank, self.room))

    @staticmethod
    def _blank(dtype: DTypeLike, blank: object, room: int) -> NDArray[Any]:
        base = np.dtype(dtype)
        column = np.empty((room, *base.shape), dtype=base.base)
        column[...] = blank
        return column

    def ensure(self, rows: int) -> None:
        """Make room for `rows` rows, doubling; contents are kept."""
        if rows <= self.room:
            return
        while self.room < rows:
            self.room *= 2
        for name, (dtype, blank) in self._spec.items():
            grown = self._blank(dtype, blank, self.room)
            grown[: self.size] = getattr(self, name)[: self.size]
            setattr(self, name, grown)

    def keep(self, rows: NDArray[np.int64]) -> None:
        """Keep only `rows` (ascending), in their order; the room behind them is blank again."""
        count = rows.size
        for name, (_, blank) in self._spec.items():
            column = getattr(self, name)
            column[:count] = column[rows]
            column[count : self.size] = blank
        self.size = count
