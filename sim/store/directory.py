"""The results directory, open for writing (`Store`) or for reading (`Results`)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from sim.outcomes import OUTCOMES
from sim.store.files import StoreError, damaged, parquet_writer, read_columns, read_schema, write_table, write_text, writing
from sim.store.lock import LOCK, locked
from sim.store.parts import FORMAT, About, Place, write_part
from sim.store.shelf import Shelf
from sim.store.tables import KEYS, MEANS, Row, RunResult, daily_tables, days_table, runs_table

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_PART = re.compile(r"[0-9a-f]{16}\.(parquet|failed\.json)")
_PACK = re.compile(r"[0-9]{6}\.(parquet|parts)")


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
    """Say whether a directory has folders of parts and of packs with nothing else in them."""
    found = False
    for folder, kind in ((directory / "parts", _PART), (directory / "packs", _PACK)):
        names = [entry.name for entry in folder.iterdir() if not entry.name.endswith(".tmp")] if folder.is_dir() else []
        if not all(kind.fullmatch(name) for name in names):
            return False
        found = found or bool(names)
    return found


def manifest_text(manifest: Mapping[str, Any]) -> str:
    """Write a manifest as JSON, a line a run: there may be a hundred thousand."""
    if not manifest.get("runs"):
        return json.dumps(manifest, indent=1) + "\n"
    lines = ",\n  ".join(map(json.dumps, manifest["runs"]))
    return json.dumps({**manifest, "runs": None}, indent=1).replace('\n "runs": null', f'\n "runs": [\n  {lines}\n ]', 1) + "\n"


class Store:
    """A results directory open for writing, locked against other writers until closed; `held` is the manifest that was there, if any.

    Without `days` the days of finished runs are not kept, only their means. With `retry_failed` runs that failed in an earlier command
    are made again as if they had not.

    Raises `StoreError` when the directory is damaged, of another version, in use, or not ours; nothing is written then.
    """

    def __init__(self, path: Path, days: bool = True, retry_failed: bool = False) -> None:
        self.path = path
        self.days = days
        self.retry_failed = retry_failed
        self.held: dict[str, Any] | None = None
        with writing(path):
            if path.exists():
                self._check_usable()
            path.mkdir(parents=True, exist_ok=True)
        with ExitStack() as opening:
            opening.enter_context(locked(path))
            with writing(path):
                self._clear_away()
            self._lock = opening.pop_all()

    def _check_usable(self) -> None:
        if not self.path.is_dir():
            raise StoreError(f"{self.path} is a file, not a directory")
        entries = {entry.name for entry in self.path.iterdir() if entry.name != LOCK and not entry.name.endswith(".tmp")}
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

    @cached_property
    def place(self) -> Place:
        """Return where processes keep the runs they make."""
        mark = f".open.{uuid4().hex}.tmp"
        with writing(self.path):
            (self.path / "parts").mkdir(exist_ok=True)
            (self.path / "parts" / mark).touch()
        return Place(str((self.path / "parts").resolve()), mark, self.days)

    def close(self) -> None:
        """Let other processes write."""
        with suppress(OSError):  # what is left then, the next writer clears away
            self._clear_away()
        self._lock.close()

    def _clear_away(self) -> None:
        """Take away what a process that was killed, or is no longer needed, did not."""
        for folder in (self.path, self.path / "parts", self.path / "packs", self.path / "figures"):
            for leftover in folder.glob(".*.tmp"):
                leftover.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @cached_property
    def _shelf(self) -> Shelf:
        shelf = Shelf(self.path)
        with writing(self.path):
            shelf.clear()
        return shelf

    def has(self, run_id: str) -> bool:
        """Say whether the run is finished, with its days if they are to be kept; raises `StoreError` when its part is damaged."""
        days = self._shelf.days(run_id)
        return days is not None and (days > 0 or not self.days)

    def write(self, run_id: str, result: RunResult) -> None:
        """Keep a finished run."""
        with writing(self.path):
            write_part(self.path / "parts", run_id, result, self.days)
        self.written(run_id)

    def written(self, run_id: str) -> None:
        """Note that a process has kept a finished run; put parts together when there are many."""
        self._shelf.added(run_id)
        self._shelf.pack()

    def read(self, run_id: str) -> RunResult:
        """Return a finished run; raises `StoreError` when its part is damaged."""
        about = self._shelf.about(run_id)
        return RunResult(_days(self._shelf.read(run_id)), about.means, about.seconds)

    def summary(self, run_id: str) -> tuple[float, Mapping[str, float]]:
        """Return the seconds and the means of a finished run."""
        about = self._shelf.about(run_id)
        return about.seconds, about.means

    def summaries(self, run_ids: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return seconds, shape `(n,)`, and means, shape `(n, len(MEANS))`; NaN for a run that is not finished."""
        return self._shelf.summaries(run_ids)

    def fail(self, failure: Mapping[str, Any]) -> None:
        """Keep the record of a failed run."""
        write_text(self.path / "parts" / f"{failure['run_id']}.failed.json", json.dumps(failure, indent=1) + "\n")

    @cached_property
    def _failed(self) -> set[str]:
        """Which runs are known to fail; their records stay until they are made again."""
        return set() if self.retry_failed else {path.name.partition(".")[0] for path in (self.path / "parts").glob("*.failed.json")}

    def failure(self, run_id: str) -> dict[str, Any] | None:
        """Return the record of a run that failed in an earlier command; None when it is to be made again or none can be read."""
        if run_id not in self._failed:
            return None
        try:
            record = json.loads((self.path / "parts" / f"{run_id}.failed.json").read_text(encoding="utf-8"))
        except (ValueError, OSError):
            return None
        return record if isinstance(record, dict) else None

    def write_manifest(self, manifest: Mapping[str, Any]) -> None:
        """Write `manifest.json`, with the format version first."""
        write_text(self.path / "manifest.json", manifest_text({"format": FORMAT, **manifest}))

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
        return self.days_of(tuple(OUTCOMES))

    def days_of(self, outcomes: Sequence[str]) -> pd.DataFrame:
        """Return `daily` with some of the outcomes; the others are not read."""
        if self.manifest.get("daily") is False and not (self.path / "daily.parquet").is_file():
            raise StoreError(f"{self.path} holds no days: the command that made it left them out")
        return self._checked("daily.parquet", (*KEYS, "day", *outcomes))

    def _checked(self, name: str, columns: Sequence[str]) -> pd.DataFrame:
        table: pd.DataFrame = read_columns(self.path / name, columns).to_pandas()
        return table

    @cached_property
    def shelf(self) -> Shelf:
        """The runs that are finished, whether or not the command is."""
        return Shelf(self.path)

    def about_run(self, run_id: str) -> About | None:
        """Return what is known of a run without its days; None when it is not finished."""
        return None if self.shelf.days(run_id) is None else self.shelf.about(run_id)

    def run_days(self, run_id: str) -> dict[str, NDArray[np.float64]] | None:
        """Return the days of one run, from the table or, while that is not written, from its part; None where they are not kept."""
        import pyarrow.compute as pc

        if (self.path / "daily.parquet").is_file():
            table = read_columns(self.path / "daily.parquet", (*KEYS, "day", *OUTCOMES), ("run_id", run_id))
            if table.num_rows:
                # a run that stands for two scenarios is in the table twice
                return _days(table.filter(pc.equal(table["scenario"], table["scenario"][0])))
        return _days(self.shelf.read(run_id)) if self.shelf.days(run_id) else None


def _days(table: pa.Table) -> dict[str, NDArray[np.float64]]:
    return {name: table.column(name).to_numpy() for name in OUTCOMES}
