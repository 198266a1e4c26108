"""Files that are written whole or not at all, and Parquet tables as such files."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq


class StoreError(ValueError):
    """A results directory that cannot be used as it is: damaged, of another version, or in use."""


class WriteError(RuntimeError):
    """The disk refuses: read-only, full, or no permission."""


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Raise `WriteError` when the disk refuses what the block writes."""
    try:
        yield
    except OSError as error:
        raise WriteError(f"cannot write {path}: {error.strerror or error}") from error


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path in the same directory that takes the place of `path` when the block ends well.

    Raises `WriteError` when the disk refuses; `path` then is as it was.
    """
    temporary = path.with_name(f".{path.name}.{uuid4().hex}.tmp")  # two machines may have processes of one number
    try:
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            yield temporary
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            temporary.replace(path)
    finally:
        # a disk that has just refused may refuse this as well; the next writer clears it away
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Write a table as CSV, whole or not at all."""
    with replacing(path) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n")


def write_table(path: Path, table: pd.DataFrame | pa.Table) -> None:
    """Write a table as Parquet, whole or not at all."""
    import pyarrow as pa

    if not isinstance(table, pa.Table):
        table = pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(None)
    with parquet_writer(path, table.schema) as writer:
        writer.write_table(table)


@contextmanager
def parquet_writer(path: Path, schema: pa.Schema, lean: bool = False) -> Iterator[pq.ParquetWriter]:
    """Give a writer of a Parquet table that is there whole or not at all; a lean one has no more in its foot than a reader needs."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    floats = [field.name for field in schema if pa.types.is_float64(field.type)]
    others = [field.name for field in schema if field.name not in floats]
    with (
        replacing(path) as temporary,
        pq.ParquetWriter(
            temporary,
            schema,
            compression="zstd",
            use_dictionary=others or False,
            use_byte_stream_split=floats or False,
            write_page_checksum=True,
            write_statistics=not lean,
            store_schema=not lean,
        ) as writer,
    ):
        yield writer


def read_table(path: Path) -> pd.DataFrame:
    """Read a Parquet table; raises `StoreError` when it is missing or damaged."""
    table: pd.DataFrame = read_arrow(path).to_pandas()
    return table


def read_arrow(path: Path) -> pa.Table:
    """Read a Parquet table as Arrow has it; raises `StoreError` when it is missing or damaged."""
    return read_columns(path, None)


def read_columns(path: Path, columns: Sequence[str] | None, where: tuple[str, str] | None = None) -> pa.Table:
    """Read some columns of a Parquet table, or all; `where` is a column and the value it has in the rows that are wanted.

    Other columns are not read, nor row groups without a wanted row. Raises `StoreError` when the table or a column is missing or damaged.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    if not path.is_file():
        raise StoreError(f"{path.parent} holds no {path.name}: the command that makes it has not finished; give it again and it goes on")
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            names = file.schema_arrow.names
            if missing := [column for column in columns or () if column not in names]:
                raise StoreError(damaged(path, f"no column {', '.join(missing[:5])}"))
            groups = range(file.num_row_groups)
            if where is None:
                return file.read(columns)
            key, value = where
            holding = [k for k in groups if pc.any(pc.equal(file.read_row_group(k, [key])[key], value)).as_py()]
            table = file.read_row_groups(holding, columns)
            return table.filter(pc.equal(table[key], value))
    except (pa.ArrowException, OSError) as error:
        raise StoreError(damaged(path, error)) from error


def read_schema(path: Path) -> pa.Schema:
    """Return the foot of a Parquet file; raises `StoreError` when it is damaged, as a truncated file's is."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.read_schema(path)
    except (pa.ArrowException, OSError) as error:
        raise StoreError(damaged(path, error)) from error


def damaged(path: Path, error: Exception | str) -> str:
    """Return the message for a damaged file; what is lost with it, the next command makes again."""
    reason = " ".join(str(error).split())
    return f"{path} is damaged ({reason[:200]}); remove that file and give the command again, or choose another directory with --out"
