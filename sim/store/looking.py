"""Look into a results directory, finished or not: how far its runs are, and questions in SQL."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.faults import Fault, ScenarioError, show
from sim.store.directory import Results
from sim.store.files import StoreError, damaged, read_schema
from sim.store.tables import Row, runs_table

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_LOCKED = {"enable_external_access": "false", "python_enable_replacements": "false", "lock_configuration": "true"}
"""A question reaches the tables, and no file or variable beside them."""

_EXAMPLE = "SELECT scenario, price_yuan FROM runs"
_POINTED_AT = re.compile(r"\s*^LINE \d+: .*\n\s*\^+", re.MULTILINE)  # drawn under the question, which a line cannot show
_UNREAD = re.compile(r"registered as '(runs|daily)' failed: (.*)", re.DOTALL)


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
    command has finished. Nothing can be written. Raises `ScenarioError` when DuckDB is not installed or cannot answer, or for no question
    or several; `StoreError` for a damaged directory.
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
            _check_one(connection, question)
            cursor = connection.execute(question)
            rows = cursor.fetchmany(most + 1)
            columns = [str(column[0]) for column in cursor.description or ()]
        except duckdb.Error as error:
            if unread := _UNREAD.search(str(error)):
                raise StoreError(damaged(results.path / f"{unread[1]}.parquet", unread[2])) from error
            problem = " ".join(_POINTED_AT.sub("", str(error)).split())
            if isinstance(error, duckdb.CatalogException) and "name daily " in problem.lower() and not _has_days(results):
                problem = f"asks for daily, {_why_no_days(results)}"
            raise ScenarioError([Fault("", "--sql", show(question), problem[:500])]) from error
    return columns, rows[:most], len(rows) > most


def _check_one(connection: duckdb.DuckDBPyConnection, question: str) -> None:
    """Raise `ScenarioError` for no statement or several, of which DuckDB would tell the last one's answer alone."""
    import duckdb

    # before DuckDB 2.0 a PIVOT is two statements, the first of which creates a type
    answers = [one for one in connection.extract_statements(question) if one.type != duckdb.StatementType.CREATE]
    if len(answers) != 1:
        held = "no question" if not answers else f"{len(answers)} statements"
        raise ScenarioError([Fault("", "--sql", show(question), f"holds {held}; ask one, such as {_EXAMPLE}")])


def _register(connection: duckdb.DuckDBPyConnection, results: Results) -> None:
    finished = bool(results.manifest.get("finished"))
    runs = results.path / "runs.parquet"
    connection.register("runs", _table(runs) if finished and runs.is_file() else _runs_so_far(results))
    if _has_days(results):
        connection.register("daily", _table(results.path / "daily.parquet"))


def _table(path: Path) -> Any:
    """Return a table that is read when and as far as a question needs it; raises `StoreError` when its foot is damaged."""
    import pyarrow.dataset as ds

    read_schema(path)
    whole = ds.ParquetFragmentScanOptions(page_checksum_verification=True)
    return ds.dataset(path, format=ds.ParquetFileFormat(default_fragment_scan_options=whole))


def _has_days(results: Results) -> bool:
    return bool(results.manifest.get("finished")) and (results.path / "daily.parquet").is_file()


def _why_no_days(results: Results) -> str:
    about = results.manifest
    if not about.get("finished"):
        return "which is there when the command has finished, unless days are not kept"
    if "daily" not in about:
        return f"which `abm {about.get('command')}` does not make"
    if about["daily"]:
        return "but daily.parquet is gone; give the command again and it is made again"
    how = (
        "daily = true in its file keeps them" if about.get("command") == "experiment" else "the same command without --no-daily keeps them"
    )
    return f"but days of runs were not kept; {how}"


def _runs_so_far(results: Results) -> pa.Table:
    shelf = results.shelf
    return runs_table([row for row in _rows(results) if shelf.has(row.run_id) or shelf.failed(row.run_id)], shelf)


def _rows(results: Results) -> Sequence[Row]:
    """Return which runs the command asks for."""
    try:
        return [Row(*(run[key] for key in ("run_id", "scenario", "replication", "seed"))) for run in results.manifest["runs"]]
    except (KeyError, TypeError) as error:
        raise StoreError(damaged(results.path / "manifest.json", "no list of runs")) from error
