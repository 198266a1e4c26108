"""Look into a results directory, finished or not: how far its runs are, and questions in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sim.faults import Fault, ScenarioError, show
from sim.store.directory import Results
from sim.store.files import StoreError, damaged
from sim.store.tables import Row, runs_table

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_LOCKED = {"enable_external_access": "false", "python_enable_replacements": "false", "lock_configuration": "true"}
"""A question reaches the tables, and no file or variable beside them."""


@dataclass(frozen=True)
class Standing:
    """How far the runs of a scenario are: how many the command asks for, are done and failed, and how many days are kept of them."""

    scenario: str
    runs: int
    done: int
    failed: int
    days: int

    @property
    def missing(self) -> int:
        """Return how many are still to be made."""
        return self.runs - self.done - self.failed


def standings(results: Results) -> list[Standing]:
    """Return how far the runs of each scenario are, those of all together last. Raises `StoreError` for a damaged directory."""
    counts: dict[str, list[int]] = {}
    for row in _rows(results):
        days = results.shelf.days(row.run_id)
        failed = days is None and results.shelf.failed(row.run_id)
        for name in (row.scenario, ""):
            of = counts.setdefault(name, [0, 0, 0, 0])
            for k, more in enumerate((1, days is not None, failed, days or 0)):
                of[k] += more
    total = counts.pop("", [0, 0, 0, 0])
    return [*(Standing(name, *of) for name, of in counts.items()), Standing("all", *total)]


def answered(results: Results, question: str, most: int) -> tuple[list[str], list[tuple[Any, ...]], bool]:
    """Return columns and at most `most` rows of the answer to a question in SQL, and whether there are more.

    Tables are `runs`, with the runs finished so far, and `daily`, which is read as far as the question needs it and is there when the
    command has finished. Nothing can be written. Raises `ScenarioError` when DuckDB is not installed or cannot answer, `StoreError` for a
    damaged directory.
    """
    try:
        import duckdb
    except ImportError as error:
        raise ScenarioError([Fault("", "--sql", "", "needs DuckDB; install it with: pip install 'abm[sql]'")]) from error
    with duckdb.connect(":memory:") as connection:
        _register(connection, results)
        for name, value in _LOCKED.items():
            connection.execute(f"SET {name} = {value}")
        try:
            cursor = connection.execute(question)
            rows = cursor.fetchmany(most + 1)
            columns = [str(column[0]) for column in cursor.description or ()]
        except duckdb.Error as error:
            problem = " ".join(str(error).split())
            if "daily" in problem and not _has_days(results):
                problem = "asks for daily, which is there when the command has finished, unless days are not kept"
            raise ScenarioError([Fault("", "--sql", show(question), problem[:500])]) from error
    return columns, rows[:most], len(rows) > most


def _register(connection: duckdb.DuckDBPyConnection, results: Results) -> None:
    import pyarrow.dataset as ds

    finished = bool(results.manifest.get("finished"))
    runs = results.path / "runs.parquet"
    connection.register("runs", ds.dataset(runs) if finished and runs.is_file() else _runs_so_far(results))
    if _has_days(results):
        connection.register("daily", ds.dataset(results.path / "daily.parquet"))


def _has_days(results: Results) -> bool:
    return bool(results.manifest.get("finished")) and (results.path / "daily.parquet").is_file()


def _runs_so_far(results: Results) -> pa.Table:
    shelf = results.shelf
    return runs_table([row for row in _rows(results) if shelf.has(row.run_id) or shelf.failed(row.run_id)], shelf)


def _rows(results: Results) -> Sequence[Row]:
    """Return which runs the command asks for."""
    try:
        return [Row(*(run[key] for key in ("run_id", "scenario", "replication", "seed"))) for run in results.manifest["runs"]]
    except (KeyError, TypeError) as error:
        raise StoreError(damaged(results.path / "manifest.json", "no list of runs")) from error
