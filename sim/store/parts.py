"""The part of a finished run: a Parquet file of its days, or of none, whose foot has its seconds and means.

Whichever process made the run writes it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from sim.outcomes import OUTCOMES
from sim.store.files import StoreError, damaged, parquet_writer, writing
from sim.store.tables import MEANS, RunResult

if TYPE_CHECKING:
    import pyarrow as pa

FORMAT = 1
"""Version of the layout of a results directory; another one is refused."""


@dataclass(frozen=True)
class Place:
    """Where a process keeps the runs it makes: a results directory that is open for writing, as any process may know it.

    `mark` is a file that is there as long as the directory is open, so that a machine that does not share its disk is noticed.
    """

    folder: str
    mark: str
    days: bool

    @property
    def in_sight(self) -> bool:
        """Say whether this process sees the directory."""
        return Path(self.folder, self.mark).is_file()

    def has(self, run_id: str) -> bool:
        """Say whether the run has been kept, as a process does that is lost before it can say so; with its days if they are kept."""
        part = Path(self.folder, f"{run_id}.parquet")
        try:
            return about_of(part, part, run_id).days > 0 or not self.days
        except (FileNotFoundError, StoreError):
            return False

    def write(self, run_id: str, result: RunResult) -> None:
        """Keep a finished run."""
        write_part(Path(self.folder), run_id, result, self.days)

    def put(self, data: bytes) -> str:
        """Keep what other processes need for a while; returns its path. It is gone at the latest when the directory is closed."""
        path = Path(self.folder, f".{uuid4().hex}.tmp")
        try:
            with writing(path):
                path.write_bytes(data)
        except BaseException:
            with suppress(OSError):
                path.unlink(missing_ok=True)
            raise
        return str(path)


def write_part(folder: Path, run_id: str, result: RunResult, days: bool) -> None:
    """Write the part of a run, with its days or without, in place of the record that it failed."""
    import pyarrow as pa

    about = json.dumps({"format": FORMAT, "run_id": run_id, "seconds": result.seconds, "means": dict(result.means)})
    columns = {name: values if days else values[:0] for name, values in result.daily.items()}
    table = pa.table(columns)
    with parquet_writer(folder / f"{run_id}.parquet", table.schema, lean=True) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata({"abm": about})
    (folder / f"{run_id}.failed.json").unlink(missing_ok=True)


@dataclass(frozen=True)
class About:
    """What is known of a finished run without its days: how many `days` are kept, its `seconds` and its `means`."""

    days: int
    seconds: float
    means: Mapping[str, float]


def about_of(source: bytes | Path, path: Path, run_id: str) -> About:
    """Return what the foot of a part says, given as bytes or where it is; raises `StoreError` when it is damaged or another run's."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        foot = pq.read_metadata(pa.BufferReader(source) if isinstance(source, bytes) else source)
        about = json.loads((foot.metadata or {})[b"abm"])
        if about["run_id"] != run_id:
            raise StoreError(damaged(path, f"it holds run {about['run_id']}"))
        return About(foot.num_rows, float(about["seconds"]), {name: about["means"][name] for name in MEANS})
    except FileNotFoundError:
        raise
    except (KeyError, TypeError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise StoreError(damaged(path, "it holds no run")) from error
    except (pa.ArrowException, OSError) as error:
        raise StoreError(damaged(path, error)) from error


def table_of(data: bytes, path: Path, run_id: str) -> pa.Table:
    """Return the days in a part; raises `StoreError` when it is damaged or another run's."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    about_of(data, path, run_id)
    try:
        table = pq.ParquetFile(pa.BufferReader(data), page_checksum_verification=True).read()
    except (pa.ArrowException, OSError) as error:
        raise StoreError(damaged(path, error)) from error
    if missing := [name for name in OUTCOMES if name not in table.column_names]:
        raise StoreError(damaged(path, f"no column {missing[0]}"))
    return table
