"""All parts in a results directory, loose and put together by the thousand.

A pack is two files in `packs/`: `N.parts`, parts one after another, and `N.parquet`, a row a part with where it is, its seconds and its
means. A pack is there when its `N.parquet` is; the loose parts in it are taken away after that. Who looks at loose parts first and at
packs second misses none.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim.store.files import StoreError, damaged, read_arrow, replacing, write_table, writing
from sim.store.parts import About, about_of, table_of
from sim.store.tables import MEANS

if TYPE_CHECKING:
    import pyarrow as pa

RUNS_A_PACK = 1000
"""So many loose parts are put together: few enough to be read quickly when a directory is opened, and packs are few as well."""

_ADDRESS = ("start", "size", "days")


class _Pack:
    """A pack whose `N.parquet` is at `path`; raises `StoreError` when it is damaged."""

    def __init__(self, path: Path) -> None:
        import pyarrow.compute as pc

        self.path, self.data = path, path.with_suffix(".parts")
        self._table = read_arrow(path)
        if missing := {"run_id", "seconds", *_ADDRESS, *MEANS}.difference(self._table.column_names):
            raise StoreError(damaged(path, f"no column {min(missing)}"))
        self.ids: list[str] = self._table["run_id"].to_pylist()
        self.days: NDArray[np.int64] = self._table["days"].to_numpy()
        whole = pc.max(pc.add(self._table["start"], self._table["size"])).as_py() or 0
        if self.data.stat().st_size != whole:
            raise StoreError(damaged(self.data, f"it has {self.data.stat().st_size} bytes, not {whole}"))

    def summaries(self, rows: Sequence[int]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return seconds, shape `(n,)`, and means, shape `(n, len(MEANS))`, of rows."""
        some = self._table.select(["seconds", *MEANS]).take(rows)
        return some["seconds"].to_numpy(), np.column_stack([some[name].to_numpy() for name in MEANS])

    def about(self, row: int) -> About:
        seconds, means = self.summaries([row])
        return About(int(self.days[row]), float(seconds[0]), dict(zip(MEANS, means[0].tolist(), strict=True)))

    def read(self, row: int) -> pa.Table:
        start, size = self._table["start"][row].as_py(), self._table["size"][row].as_py()
        with self.data.open("rb") as file:
            file.seek(start)
            return table_of(file.read(size), self.data, self.ids[row])


class Shelf:
    """The parts in a results directory as they are when first asked for, loose and packed; raises `StoreError` when one is damaged.

    Loose parts that a writer packs in the meantime are found in its pack.
    """

    def __init__(self, path: Path) -> None:
        self.loose_folder, self.pack_folder = path / "parts", path / "packs"
        self._about: dict[str, About] = {}
        self.look()

    def look(self) -> None:
        """See what is there now."""
        loose = _names(self.loose_folder)
        self.loose = {name.removesuffix(".parquet") for name in loose if name.endswith(".parquet") and name[0] != "."}
        self._failed = {name.partition(".")[0] for name in loose if name.endswith(".failed.json")}
        names = sorted(name for name in _names(self.pack_folder) if name.endswith(".parquet") and name[0] != ".")
        self._packs = [_Pack(self.pack_folder / name) for name in names if (self.pack_folder / name).with_suffix(".parts").is_file()]
        self._where = {run_id: (pack, row) for pack in self._packs for row, run_id in enumerate(pack.ids)}
        for run_id in self.loose.intersection(self._where):
            pack, row = self._where[run_id]
            if pack.days[row] or not self._has_days(run_id):
                self.loose.discard(run_id)
            else:  # it was made again with its days
                del self._where[run_id]

    def _has_days(self, run_id: str) -> bool:
        part = self.loose_folder / f"{run_id}.parquet"
        try:
            return about_of(part, part, run_id).days > 0
        except FileNotFoundError:  # packed in the meantime
            return False

    @property
    def ids(self) -> list[str]:
        """Return which runs are there."""
        return [*self._where, *sorted(self.loose)]

    @property
    def packs(self) -> int:
        """Return how many packs there are."""
        return len(self._packs)

    def has(self, run_id: str) -> bool:
        """Say whether a run is there."""
        return run_id in self._where or run_id in self.loose

    def failed(self, run_id: str) -> bool:
        """Say whether there is the record that a run failed."""
        return run_id in self._failed

    def days(self, run_id: str) -> int | None:
        """Return how many days of a run are kept; None when it is not there."""
        if run_id in self._where:
            pack, row = self._where[run_id]
            return int(pack.days[row])
        return self.about(run_id).days if run_id in self.loose else None

    def about(self, run_id: str) -> About:
        """Return what is known of a run that is there."""
        if run_id not in self._where and run_id not in self._about:
            try:
                part = self.loose_folder / f"{run_id}.parquet"
                self._about[run_id] = about_of(part, part, run_id)
            except FileNotFoundError:
                self.look()
                if run_id not in self._where:
                    raise
        if run_id in self._where:
            pack, row = self._where[run_id]
            return pack.about(row)
        return self._about[run_id]

    def summaries(self, run_ids: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return seconds, shape `(n,)`, and means, shape `(n, len(MEANS))`; NaN for a run that is not there."""
        seconds, means = np.full(len(run_ids), np.nan), np.full((len(run_ids), len(MEANS)), np.nan)
        packed: dict[_Pack, list[tuple[int, int]]] = {}
        for k, run_id in enumerate(run_ids):
            if run_id in self._where:
                pack, row = self._where[run_id]
                packed.setdefault(pack, []).append((k, row))
            elif run_id in self.loose:
                about = self.about(run_id)
                seconds[k], means[k] = about.seconds, [about.means[name] for name in MEANS]
        for pack, found in packed.items():
            at, rows = (list(numbers) for numbers in zip(*found, strict=True))
            seconds[at], means[at] = pack.summaries(rows)
        return seconds, means

    def read(self, run_id: str) -> pa.Table:
        """Return the days of a run that is there."""
        if run_id not in self._where:
            try:
                path = self.loose_folder / f"{run_id}.parquet"
                return table_of(path.read_bytes(), path, run_id)
            except FileNotFoundError:
                self.look()
                if run_id not in self._where:
                    raise
        pack, row = self._where[run_id]
        return pack.read(row)

    def added(self, run_id: str) -> None:
        """Note a loose part that has been written."""
        self._about.pop(run_id, None)
        self._where.pop(run_id, None)
        self.loose.add(run_id)

    def pack(self) -> None:
        """Put loose parts together while there are enough of them; for the one process that may write."""
        while len(self.loose) >= RUNS_A_PACK:
            self._pack(sorted(self.loose)[:RUNS_A_PACK])

    def _pack(self, run_ids: Sequence[str]) -> None:
        import pyarrow as pa

        number = max((int(name.partition(".")[0]) for name in _names(self.pack_folder) if name[0].isdigit()), default=0) + 1
        path = self.pack_folder / f"{number:06d}.parquet"
        addresses, start = [], 0
        abouts = []
        with replacing(path.with_suffix(".parts")) as temporary, temporary.open("wb") as out:
            for run_id in run_ids:
                part = self.loose_folder / f"{run_id}.parquet"
                data = part.read_bytes()
                abouts.append(about_of(data, part, run_id))
                out.write(data)
                addresses.append((start, len(data), abouts[-1].days))
                start += len(data)
        columns: dict[str, Any] = {"run_id": list(run_ids), "seconds": [about.seconds for about in abouts]}
        columns |= {name: [address[k] for address in addresses] for k, name in enumerate(_ADDRESS)}
        columns |= {name: [about.means[name] for about in abouts] for name in MEANS}
        write_table(path, pa.table(columns))
        with writing(path):  # what cannot be read is no pack, and its loose parts stay
            pack = _Pack(path)
        with writing(self.loose_folder):
            for run_id in run_ids:
                (self.loose_folder / f"{run_id}.parquet").unlink(missing_ok=True)
        self._packs.append(pack)
        self._where.update({run_id: (pack, row) for row, run_id in enumerate(pack.ids)})
        for run_id in run_ids:
            self.loose.discard(run_id)
            self._about.pop(run_id, None)

    def clear(self) -> None:
        """Take away what a killed writer left: loose parts that are in a pack, and half of a pack; for the one that may write."""
        for name in _names(self.loose_folder):
            if name.removesuffix(".parquet") in self._where:
                (self.loose_folder / name).unlink(missing_ok=True)
        whole = {pack.path.stem for pack in self._packs}
        for name in _names(self.pack_folder):
            if name.partition(".")[0] not in whole:
                (self.pack_folder / name).unlink(missing_ok=True)


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208  # a name each, and no path, for a hundred thousand
    except FileNotFoundError:
        return []
