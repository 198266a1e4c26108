"""The results directory: whole files, tables as promised, damage noticed, one writer at a time."""

import errno
import fcntl
import json
import os
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from sim.outcomes import OUTCOMES
from sim.store import FORMAT, MEANS, Results, Row, RunResult, Store, StoreError, WriteError, read_table, write_table, write_text

DAYS = 5
ROWS = [Row("a" * 16, "base", 0, 7), Row("b" * 16, "policy", 0, 7)]


def result(shift: float = 0.0) -> RunResult:
    daily = {name: np.arange(DAYS) / 3.0 + k + shift for k, name in enumerate(OUTCOMES)}
    means = {name: float("nan") if name == "lifetime_days_stolen" else k + shift / 3.0 for k, name in enumerate(MEANS)}
    return RunResult(daily, means, 1.25)


def filled(path: Path) -> Path:
    with Store(path) as store:
        for k, row in enumerate(ROWS):
            store.write(row.run_id, result(k))
        store.write_tables(ROWS)
        store.write_manifest({"finished": True})
    return path


def test_a_part_comes_back_to_the_bit(tmp_path: Path) -> None:
    with Store(tmp_path / "r") as store:
        assert not store.has("x")
        store.write("x", result())
        assert store.has("x")
        again = store.read("x")
    assert again.seconds == 1.25
    assert list(again.daily) == list(OUTCOMES)
    assert all(again.daily[name].tobytes() == days.tobytes() for name, days in result().daily.items())
    assert np.array_equal(list(again.means.values()), list(result().means.values()), equal_nan=True)


def test_tables_have_the_promised_columns_and_rows_in_order(tmp_path: Path) -> None:
    results = Results(filled(tmp_path / "r"))
    assert list(results.runs.columns) == ["run_id", "scenario", "replication", "seed", "seconds", "status", *MEANS]
    assert list(results.daily.columns) == ["run_id", "scenario", "replication", "seed", "day", *OUTCOMES]
    assert results.runs["status"].tolist() == ["done", "done"]
    assert results.daily["day"].tolist() == [*range(DAYS)] * 2
    assert results.daily["scenario"].tolist() == ["base"] * DAYS + ["policy"] * DAYS
    assert results.daily["seed"].dtype == np.int64
    assert results.daily[next(iter(OUTCOMES))].dtype == np.float64


def test_the_same_runs_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("daily.parquet", "runs.parquet"):
        assert (filled(tmp_path / "one") / name).read_bytes() == (filled(tmp_path / "two") / name).read_bytes()


def test_a_run_without_part_is_a_failed_row(tmp_path: Path) -> None:
    with Store(tmp_path / "r") as store:
        store.write(ROWS[0].run_id, result())
        store.fail({"run_id": ROWS[1].run_id, "traceback": "..."})
        store.write_tables(ROWS)
        store.write_manifest({})
    results = Results(tmp_path / "r")
    assert results.runs["status"].tolist() == ["done", "failed"]
    assert results.runs.loc[1, list(MEANS)].isna().all()
    assert set(results.daily["scenario"]) == {"base"}


def test_tables_without_a_finished_run_are_empty_but_whole(tmp_path: Path) -> None:
    with Store(tmp_path / "r") as store:
        store.write_tables(ROWS)
        store.write_manifest({})
    results = Results(tmp_path / "r")
    assert len(results.runs) == 2
    assert len(results.daily) == 0


def test_a_second_writer_is_refused_until_the_first_is_done(tmp_path: Path) -> None:
    filled(tmp_path / "r")
    with Store(tmp_path / "r"), pytest.raises(StoreError, match="in use by another abm process"):
        Store(tmp_path / "r")
    Store(tmp_path / "r").close()


@pytest.fixture(params=[errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP])
def without_locks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: int) -> None:
        raise OSError(request.param, os.strerror(request.param))

    monkeypatch.setattr(fcntl, "flock", refused)


@pytest.mark.usefixtures("without_locks")
def test_where_there_are_no_locks_a_second_writer_is_refused_and_takes_nothing_away(tmp_path: Path) -> None:
    with Store(filled(tmp_path / "r")) as store:
        place = store.place
        state = Path(place.put(b"days that runs share"))
        with pytest.raises(StoreError, match=rf"in use by another abm process \(process {os.getpid()} on .*no locks.* remove .*r/\.lock"):
            Store(tmp_path / "r")
        assert place.in_sight
        assert state.is_file()
        store.write("c" * 16, result())
    with Store(tmp_path / "r") as store:
        assert store.has("c" * 16)
    assert not (tmp_path / "r" / ".lock").exists()


@pytest.mark.usefixtures("without_locks")
def test_where_there_are_no_locks_a_killed_writer_is_told_from_none_by_who_removes_its_file(tmp_path: Path) -> None:
    lock = filled(tmp_path / "r") / ".lock"
    lock.write_text("")  # killed before it could say who it is
    with pytest.raises(StoreError, match=r"in use by another abm process; wait for it.* remove .*\.lock"):
        Store(tmp_path / "r")
    lock.unlink()
    Store(tmp_path / "r").close()


def test_where_there_are_locks_a_killed_writer_is_in_nobodys_way(tmp_path: Path) -> None:
    (filled(tmp_path / "r") / ".lock").write_text("process 1 on another machine")
    Store(tmp_path / "r").close()
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / ".lock").touch()
    Store(tmp_path / "empty").close()
    assert not list(tmp_path.glob("*/.lock"))


def test_a_lock_that_is_let_go_of_while_another_writer_comes_is_not_taken_for_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, flock = Store(tmp_path / "r"), fcntl.flock

    def after_it(handle: int, operation: int) -> None:
        monkeypatch.setattr(fcntl, "flock", flock)
        first.close()
        flock(handle, operation)

    monkeypatch.setattr(fcntl, "flock", after_it)
    with Store(tmp_path / "r"), pytest.raises(StoreError, match="in use"):
        Store(tmp_path / "r")


def test_leftovers_of_a_killed_writer_are_cleared_away(tmp_path: Path) -> None:
    filled(tmp_path / "r")
    leftover = tmp_path / "r" / "parts" / ".abc.parquet.123.tmp"
    leftover.write_bytes(b"half a file")
    Store(tmp_path / "r").close()
    assert not leftover.exists()


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def test_a_truncated_table_is_refused(tmp_path: Path) -> None:
    truncate(filled(tmp_path / "r") / "daily.parquet")
    with pytest.raises(StoreError, match=r"daily\.parquet is damaged"):
        Store(tmp_path / "r")
    with pytest.raises(StoreError, match=r"daily\.parquet is damaged"):
        _ = Results(tmp_path / "r").daily


def test_a_truncated_part_is_refused(tmp_path: Path) -> None:
    truncate(filled(tmp_path / "r") / "parts" / f"{ROWS[0].run_id}.parquet")
    with Store(tmp_path / "r") as store, pytest.raises(StoreError, match="is damaged"):
        store.has(ROWS[0].run_id)


def test_a_flipped_byte_inside_a_table_is_noticed(tmp_path: Path) -> None:
    path = filled(tmp_path / "r") / "daily.parquet"
    column = pq.read_metadata(path).row_group(0).column(9)
    data = bytearray(path.read_bytes())
    data[column.data_page_offset + column.total_compressed_size - 3] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(StoreError, match="is damaged"):
        _ = Results(tmp_path / "r").daily


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        ('{"format": 99}', f"format version 99, but this version of abm reads and writes {FORMAT}"),
        ('{"format": 1, "na', "is damaged"),
        ("[1]", "is damaged"),
        ("{}", "no format version"),
    ],
)
def test_a_manifest_of_another_kind_is_refused(tmp_path: Path, manifest: str, message: str) -> None:
    (filled(tmp_path / "r") / "manifest.json").write_text(manifest)
    for opened in (Store, Results):
        with pytest.raises(StoreError, match=message):
            opened(tmp_path / "r")


def test_a_directory_of_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.doc").write_text("precious")
    with pytest.raises(StoreError, match="no results directory"):
        Store(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.doc"]


def test_a_directory_that_holds_results_directories_says_which(tmp_path: Path) -> None:
    for rule in ("logit", "exp3"):
        filled(tmp_path / rule)
    with pytest.raises(StoreError, match=r"holds some: exp3, logit; name one of them, such as .*exp3"):
        Results(tmp_path)


def test_a_file_in_the_place_of_the_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "r").write_text("")
    with pytest.raises(StoreError, match="is a file"):
        Store(tmp_path / "r")


def test_a_missing_table_says_that_the_command_has_not_finished(tmp_path: Path) -> None:
    (filled(tmp_path / "r") / "runs.parquet").unlink()
    with pytest.raises(StoreError, match="has not finished"):
        _ = Results(tmp_path / "r").runs


def test_a_table_with_a_column_missing_is_damaged(tmp_path: Path) -> None:
    path = filled(tmp_path / "r") / "runs.parquet"
    write_table(path, read_table(path).drop(columns="price_yuan"))
    with pytest.raises(StoreError, match="no column price_yuan"):
        _ = Results(tmp_path / "r").runs


def test_a_full_disk_is_reported_and_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(tmp_path / "r")
    before = (tmp_path / "r" / "manifest.json").read_text()

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with Store(tmp_path / "r") as store:
        with pytest.raises(WriteError, match=r"cannot write .*No space left on device"):
            store.write("c" * 16, result())
        with pytest.raises(WriteError, match="No space left"):
            store.write_manifest({"finished": False})
        assert not store.has("c" * 16)
        assert store.has(ROWS[0].run_id)
    assert (tmp_path / "r" / "manifest.json").read_text() == before
    assert not list((tmp_path / "r").glob("**/.*.tmp"))


def test_a_place_that_cannot_be_written_is_reported() -> None:
    with pytest.raises(WriteError, match="cannot write"):
        Store(Path("/proc/abm/results"))


def test_manifests_are_readable_text(tmp_path: Path) -> None:
    manifest = json.loads((filled(tmp_path / "r") / "manifest.json").read_text())
    assert next(iter(manifest.items())) == ("format", FORMAT)


def test_text_is_written_whole(tmp_path: Path) -> None:
    write_text(tmp_path / "new" / "file.txt", "words\n")
    assert (tmp_path / "new" / "file.txt").read_text() == "words\n"


def test_a_part_of_another_run_is_refused(tmp_path: Path) -> None:
    parts = filled(tmp_path / "r") / "parts"
    (parts / f"{ROWS[1].run_id}.parquet").write_bytes((parts / f"{ROWS[0].run_id}.parquet").read_bytes())
    with Store(tmp_path / "r") as store, pytest.raises(StoreError, match=f"it holds run {ROWS[0].run_id}"):
        store.has(ROWS[1].run_id)
    (tmp_path / "r" / "daily.parquet").unlink()
    with pytest.raises(StoreError, match="it holds run"):
        Results(tmp_path / "r").run_days(ROWS[1].run_id)
    write_table(parts / f"{ROWS[1].run_id}.parquet", read_table(parts / f"{ROWS[0].run_id}.parquet"))
    with Store(tmp_path / "r") as store, pytest.raises(StoreError, match="it holds no run"):
        store.has(ROWS[1].run_id)


def test_parts_without_a_manifest_are_gone_on_from(tmp_path: Path) -> None:
    (filled(tmp_path / "r") / "manifest.json").unlink()
    with Store(tmp_path / "r") as store:
        assert store.has(ROWS[0].run_id)
        assert store.goes_on_with(about())
    with pytest.raises(StoreError, match="holds finished runs but no manifest"):
        Results(tmp_path / "r")
    (tmp_path / "r" / "parts" / "thesis.doc").write_text("precious")
    with pytest.raises(StoreError, match="no results directory"):
        Store(tmp_path / "r")


def about(**changes: object) -> dict[str, object]:
    whole = {"command": "compare", "name": "pair", "seed": 1, "replications": 2, "scenarios": {"base": {"hash": "abc"}}}
    return {**whole, **changes}


def test_a_directory_of_another_command_is_refused_and_of_other_settings_is_told(tmp_path: Path) -> None:
    with Store(filled(tmp_path / "r")) as store:
        store.write_manifest(about())
    with Store(tmp_path / "r") as store:
        assert store.goes_on_with(about())
        assert store.goes_on_with(about(replications=30))
        assert not store.goes_on_with(about(seed=2))
        assert not store.goes_on_with(about(scenarios={"base": {"hash": "abd"}}))
        assert not store.goes_on_with(about(scenarios={"base": {"hash": "abc"}, "more": {"hash": "abc"}}))
        for change in ({"command": "run"}, {"name": "other"}):
            with pytest.raises(StoreError, match=r"holds the results of `abm compare` pair, which .* --out"):
                store.goes_on_with(about(**change))


def test_a_table_of_days_with_a_column_missing_is_damaged(tmp_path: Path) -> None:
    path = filled(tmp_path / "r") / "daily.parquet"
    write_table(path, read_table(path).drop(columns="scenario"))
    with pytest.raises(StoreError, match="no column scenario"):
        Results(tmp_path / "r").run_days(ROWS[0].run_id)
