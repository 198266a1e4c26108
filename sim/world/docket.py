"""The review queue's cases that are not accounts under dealer control, by the day they came in.

Reports of controlled accounts wait in the accounts table (`case_day`); here wait reports of innocents and appeals.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class Docket:
    """Cases waiting, by day of arrival; those older than `life` days lapse.

    | column | unit | meaning |
    |---|---|---|
    | mistaken | cases | reports of innocents |
    | innocents | cases | appeals of innocents |
    | owners | lists of user ids | appeals of lured owners, in the order in which they are heard |
    """

    def __init__(self, days: int, life: int) -> None:
        self.life = life
        self.mistaken: NDArray[np.int64] = np.zeros(days + 1, dtype=np.int64)
        self.innocents: NDArray[np.int64] = np.zeros(days + 1, dtype=np.int64)
        self.owners: dict[int, NDArray[np.int64]] = {}

    def first_day(self, day: int) -> int:
        """Return the earliest day whose cases have not lapsed."""
        return max(0, day - self.life + 1)

    def lapse(self, day: int) -> None:
        """Drop cases that have become too old by a day."""
        first = self.first_day(day)
        self.mistaken[:first] = 0
        self.innocents[:first] = 0
        for filed in [filed for filed in self.owners if filed < first]:
            del self.owners[filed]

    def remove(
        self, first: int, mistaken: NDArray[np.int64], innocents: NDArray[np.int64], owners: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Take cases off by day of arrival from day `first`; returns the owners whose appeals they were, and the days these came in."""
        last = first + mistaken.size
        self.mistaken[first:last] -= mistaken
        self.innocents[first:last] -= innocents
        taken, days = [], []
        for filed in sorted(filed for filed in self.owners if filed >= first and owners[filed - first] > 0):
            count = int(owners[filed - first])
            waiting = self.owners.pop(filed)
            taken.append(waiting[:count])
            days.append(np.full(count, filed))
            if count < waiting.size:
                self.owners[filed] = waiting[count:]
        if not taken:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        return np.concatenate(taken), np.concatenate(days)

    def waiting(self, day: int) -> int:
        """Return the number of cases that wait."""
        first = self.first_day(day)
        return int(self.mistaken[first : day + 1].sum() + self.innocents[first : day + 1].sum()) + sum(a.size for a in self.owners.values())
