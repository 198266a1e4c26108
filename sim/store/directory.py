"""The results directory, open for writing (`Store`) or for reading (`Results`)."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from sim.outcomes import OUTCOMES
from sim.store.files import StoreError, damaged, parquet_writer, read_arrow, read_schema, write_table, write_text, writing
from sim.store.tables import KEYS, MEANS, Row, RunResult, daily_tables, days_table, runs_table

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_PART = re.compile(r"[0-9a-f]{16}\.(parquet|failed\.json)")
FORMAT = 1
"""Version of the layout of a results directory; another one is refused."""


def read_manifest(directory: Path) -> dict[str, Any]:
    """Return the manifest of a results directory.

    Raises `StoreError` when there is none, it is damaged, or its format version is not `FORMAT`.
    """
    path = directory / "manifest.json"
    if not directory.is_dir():
        raise StoreError(f"{directory}: no such results directory")
    if not path.is_file():
        if _holds_parts(directory):
            raise StoreError(f"{directory} holds finished runs but no manifest.json; give the command that made them again, it goes on")
        if held := sorted(found.parent.name for found in directory.glob("*/manifest.json")):
            few = f"{', '.join(held[:5])}{', ...' if len(held) > 5 else ''}"
            raise StoreError(f"{directory} is no results directory, but holds some: {few}; name one of them, such as {directory / held[0]}")
        raise StoreError(f"{directory} is no results directory: it holds no manifest.json")
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise StoreError(damaged(path, error)) from error
    if not isinstance(manifest, dict) or "format" not in manifest:
        raise StoreError(damaged(path, "no format version"))
    if manifest["format"] != FORMAT:
        raise StoreError(
            f"{path}: format version {manifest['format']!r}, but this version of abm reads and writes {FORMAT}; "
            "choose another directory with --out"
        )
    return manifest


def _holds_parts(directory: Path) -> bool:
    """Say whether a directory has a folder of parts with nothing else in it."""
    folder = directory / "parts"
    names = [entry.name for entry in folder.iterdir() if not entry.name.endswith(".tmp")] if folder.is_dir() else []
    return bool(names) and all(_PART.fullmatch(name) for name in names)


def _about(part: Path) -> dict[str, Any]:
    """Return what the foot of a part says of its run; raises `StoreError` when it is damaged or another run's."""
    try:
        about: dict[str, Any] = json.loads((read_schema(part).metadata or {})[b"abm"])
        if about["run_id"] != part.stem:
            raise StoreError(damaged(part, f"it holds run {about['run_id']}"))
    except (KeyError, TypeError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise StoreError(damaged(part, "it holds no run")) from error
    return about


class Store:
    """A results directory open for writing, locked against other writers until closed; `held` is the manifest that was there, if any.

    Raises `StoreError` when the directory is damaged, of another version, in use, or not ours; nothing is written then.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.held: dict[str, Any] | None = None
        with writing(path):
            if path.exists():
                self._check_usable()
            path.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(path, os.O_RDONLY)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                os.close(self._lock)
                raise StoreError(f"{path} is in use by another abm process; wait for it, or choose another directory with --out") from error
            # file systems without locks: parts are written under names of their own, so two writers merely do work twice
        with writing(path):
            for folder in (path, path / "parts", path / "figures"):
                for leftover in folder.glob(".*.tmp"):
                    leftover.unlink(missing_ok=True)
        self._known: dict[str, bool] = {}

    def _check_usable(self) -> None:
        if not self.path.is_dir():
            raise StoreError(f"{self.path} is a file, not a directory")
        entries = {entry.name for entry in self.path.iterdir() if not entry.name.endswith(".tmp")}
        if not entries:
            return
        if (self.path / "manifest.json").exists() or not _holds_parts(self.path):
            self.held = read_manifest(self.path)
        for table in self.path.glob("*.parquet"):
            read_schema(table)

    def goes_on_with(self, manifest: Mapping[str, Any]) -> bool:
        """Say whether what the directory holds was made with the same scenarios and seed as what is now to be written, or is nothing.

        Raises `StoreError` when it is what another command made, or one of another name: its tables would be lost.
        """
        if self.held is None:
            return True
        before, now = (tuple(str(about.get(key)) for key in ("command", "name")) for about in (self.held, manifest))
        if before != now:
            held, asked = (f"`abm {command}` {name}" for command, name in (before, now))
            raise StoreError(f"{self.path} holds the results of {held}, which {asked} would replace; choose another directory with --out")
        scenarios, others = self.held.get("scenarios"), manifest["scenarios"]
        if not isinstance(scenarios, dict) or self.held.get("seed") != manifest["seed"]:
            return False
        return scenarios.keys() == others.keys() and all(
            isinstance(scenarios[name], dict) and scenarios[name].get("hash") == others[name]["hash"] for name in others
        )

    def close(self) -> None:
        """Let other processes write."""
        os.close(self._lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _part(self, run_id: str) -> Path:
        return self.path / "parts" / f"{run_id}.parquet"

    def has(self, run_id: str) -> bool:
        """Say whether the run is finished; raises `StoreError` when its part is damaged or another run's."""
        if run_id not in self._known:
            part = self._part(run_id)
            if exists := part.is_file():
                _about(part)
            self._known[run_id] = exists
        return self._known[run_id]

    def write(self, run_id: str, result: RunResult) -> None:
        """Keep a finished run."""
        import pyarrow as pa

        about = json.dumps({"format": FORMAT, "run_id": run_id, "seconds": result.seconds, "means": dict(result.means)})
        write_table(self._part(run_id), pa.table(dict(result.daily), metadata={"abm": about}))
        self._failure(run_id).unlink(missing_ok=True)
        self._known[run_id] = True

    def read(self, run_id: str) -> RunResult:
        """Return a finished run; raises `StoreError` when its part is damaged."""
        seconds, means = self.summary(run_id)
        return RunResult(_days(_whole(self._part(run_id), OUTCOMES)), means, seconds)

    def summary(self, run_id: str) -> tuple[float, Mapping[str, float]]:
        """Return the seconds and the means of a finished run, from the foot of its part."""
        part = self._part(run_id)
        about = _about(part)
        try:
            return about["seconds"], {name: about["means"][name] for name in MEANS}
        except (KeyError, TypeError, ValueError) as error:
            raise StoreError(damaged(part, error)) from error

    def _failure(self, run_id: str) -> Path:
        return self.path / "parts" / f"{run_id}.failed.json"

    def fail(self, failure: Mapping[str, Any]) -> None:
        """Keep the record of a failed run; it is tried again by the next command."""
        write_text(self._failure(failure["run_id"]), json.dumps(failure, indent=1) + "\n")

    def write_manifest(self, manifest: Mapping[str, Any]) -> None:
        """Write `manifest.json`, with the format version first."""
        write_text(self.path / "manifest.json", json.dumps({"format": FORMAT, **manifest}, indent=1) + "\n")

    def write_tables(self, rows: Sequence[Row], daily: bool = True) -> None:
        """Write `runs.parquet` and, if `daily`, `daily.parquet` from the parts, in the order of `rows`; else take that one away."""
        if daily:
            with parquet_writer(self.path / "daily.parquet", days_table([]).schema) as writer:
                for chunk in daily_tables(rows, self):
                    writer.write_table(chunk)
        else:
            with writing(self.path / "daily.parquet"):
                (self.path / "daily.parquet").unlink(missing_ok=True)
        write_table(self.path / "runs.parquet", runs_table(rows, self))


class Results:
    """A results directory open for reading; raises `StoreError` when it is missing, damaged or of another version."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.manifest = read_manifest(self.path)

    @cached_property
    def runs(self) -> pd.DataFrame:
        """One row a run: run_id, scenario, replication, seed, seconds, status, and each outcome's mean over the window."""
        return self._checked("runs.parquet", (*KEYS, "seconds", "status", *MEANS))

    @cached_property
    def daily(self) -> pd.DataFrame:
        """One row a run and day: run_id, scenario, replication, seed, day, and the outcomes."""
        return self._checked("daily.parquet", (*KEYS, "day", *OUTCOMES))

    def _checked(self, name: str, columns: Sequence[str]) -> pd.DataFrame:
        table: pd.DataFrame = _whole(self.path / name, columns).to_pandas()
        return table

    def run_days(self, run_id: str) -> dict[str, NDArray[np.float64]] | None:
        """Return the days of one run, from the table or, while that is not written, from its part; None when it is not finished."""
        import pyarrow.compute as pc

        if (self.path / "daily.parquet").is_file():
            table = _whole(self.path / "daily.parquet", (*KEYS, "day", *OUTCOMES))
            days = table.filter(pc.equal(table["run_id"], run_id))
            if days.num_rows:
                # a run that stands for two scenarios is in the table twice
                days = days.filter(pc.equal(days["scenario"], days["scenario"][0]))
                return _days(days)
        part = self.path / "parts" / f"{run_id}.parquet"
        if not part.is_file():
            return None
        _about(part)
        return _days(_whole(part, OUTCOMES))


def _whole(path: Path, columns: Iterable[str]) -> pa.Table:
    """Read a table; raises `StoreError` when a column is missing."""
    table = read_arrow(path)
    if missing := [column for column in columns if column not in table.column_names]:
        raise StoreError(damaged(path, f"no column {', '.join(missing[:5])}"))
    return table


def _days(table: pa.Table) -> dict[str, NDArray[np.float64]]:
    return {name: table.column(name).to_numpy() for name in OUTCOMES}
