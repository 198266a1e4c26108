"""Parts put together by the thousand: each run once, whoever reads or dies at whatever moment."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from sim.outcomes import OUTCOMES
from sim.store import MEANS, Results, Row, RunResult, Shelf, Store, StoreError, WriteError, shelf, standings

DAYS = 3
IDS = [f"{k:016x}" for k in range(10)]
ROWS = [Row(run_id, "base" if k % 2 else "policy", k // 2, k // 2) for k, run_id in enumerate(IDS)]


def result(k: int) -> RunResult:
    daily = {name: np.arange(DAYS) / 3.0 + k + j for j, name in enumerate(OUTCOMES)}
    return RunResult(daily, {name: (k + j) / 7.0 for j, name in enumerate(MEANS)}, 1.0 + k)


@pytest.fixture(autouse=True)
def few_a_pack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "RUNS_A_PACK", 4)


def filled(path: Path, days: bool = True, count: int = len(IDS)) -> Path:
    with Store(path, days) as store:
        for k, run_id in enumerate(IDS[:count]):
            store.write(run_id, result(k))
        store.write_tables(ROWS, daily=days)
        store.write_manifest({"finished": True, "daily": days, "runs": [vars(row) for row in ROWS]})
    return path


def assert_all_there(path: Path) -> None:
    with Store(path) as store:
        assert all(map(store.has, IDS))
        for k, run_id in enumerate(IDS):
            again, first = store.read(run_id), result(k)
            assert (again.means, again.seconds) == (first.means, first.seconds)
            assert all(again.daily[name].tobytes() == first.daily[name].tobytes() for name in OUTCOMES)
    found = Shelf(path)
    assert sorted(found.ids) == IDS
    seconds, means = found.summaries([*IDS, "missing"])
    assert seconds[:-1].tolist() == [1.0 + k for k in range(len(IDS))]
    assert means[:-1].tolist() == [list(result(k).means.values()) for k in range(len(IDS))]
    assert np.isnan(means[-1]).all()


def test_packs_hold_what_loose_parts_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(tmp_path / "packed")
    assert {path.name for path in (tmp_path / "packed" / "packs").iterdir()} == {
        *("000001.parquet", "000001.parts", "000002.parquet", "000002.parts")
    }
    assert len(list((tmp_path / "packed" / "parts").iterdir())) == 2
    assert_all_there(tmp_path / "packed")
    monkeypatch.setattr(shelf, "RUNS_A_PACK", 1000)
    filled(tmp_path / "loose")
    assert not (tmp_path / "loose" / "packs").exists()
    for name in ("daily.parquet", "runs.parquet"):
        assert (tmp_path / "packed" / name).read_bytes() == (tmp_path / "loose" / name).read_bytes()
    with Store(tmp_path / "packed"):
        pass
    (tmp_path / "packed" / "manifest.json").unlink()
    with Store(tmp_path / "packed") as store:  # it is known for a results directory by its parts and packs alone
        assert store.has(IDS[0])


def test_who_looked_before_parts_were_packed_finds_them_in_the_pack(tmp_path: Path) -> None:
    path = filled(tmp_path / "r", count=3)
    one, other = Shelf(path), Shelf(path)
    assert one.packs == other.packs == 0
    filled(path)
    assert one.about(IDS[0]).seconds == 1.0
    assert other.read(IDS[1])["price_yuan"].to_pylist() == result(1).daily["price_yuan"].tolist()
    assert one.packs == other.packs == 2


@pytest.mark.parametrize("harm", ["gone", "short"])
def test_a_pack_that_cannot_be_read_costs_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harm: str) -> None:
    path, write = filled(tmp_path / "r", count=3), shelf.write_table

    def harmed(table: Path, *columns: object) -> None:
        write(table, *columns)
        data = table.with_suffix(".parts")
        data.unlink() if harm == "gone" else data.write_bytes(data.read_bytes()[:-1])

    with Store(path) as store:
        assert store.has(IDS[0])
        monkeypatch.setattr(shelf, "write_table", harmed)
        with pytest.raises((StoreError, WriteError), match=r"No such file|000001\.parts is damaged"):
            store.write(IDS[3], result(3))
    monkeypatch.setattr(shelf, "write_table", write)
    assert len(list((path / "parts").glob("*.parquet"))) == 4
    for left in (path / "packs").iterdir():  # as the message says
        left.unlink()
    filled(path)
    assert_all_there(path)


def test_what_a_killed_writer_left_is_no_run_twice_and_none_lost(tmp_path: Path) -> None:
    before = filled(tmp_path / "before", count=3)
    path = filled(tmp_path / "r")
    for run_id in IDS[:3]:  # killed after the pack was there, before its loose parts were taken away
        shutil.copy(before / "parts" / f"{run_id}.parquet", path / "parts")
    (path / "packs" / "000003.parts").write_bytes(b"half of a pack")  # killed before the next one was there
    reader = Shelf(path)
    assert sorted(reader.ids) == IDS
    assert reader.loose == set(IDS[8:])
    assert_all_there(path)
    assert len(list((path / "parts").iterdir())) == 2
    assert not (path / "packs" / "000003.parts").exists()


@pytest.mark.parametrize("name", ["000001.parquet", "000001.parts"])
def test_a_damaged_pack_is_refused_and_the_advice_works(tmp_path: Path, name: str) -> None:
    path = filled(tmp_path / "r") / "packs" / name
    path.write_bytes(path.read_bytes()[:-50])
    with (
        Store(tmp_path / "r") as store,
        pytest.raises(StoreError, match=rf"{name} is damaged .* remove that file and give the command again"),
    ):
        store.has(IDS[0])
    path.unlink()
    with Store(tmp_path / "r") as store:
        assert [store.has(run_id) for run_id in IDS] == [False] * 4 + [True] * 6
    filled(tmp_path / "r")
    assert_all_there(tmp_path / "r")


def test_a_flipped_byte_in_a_pack_is_noticed(tmp_path: Path) -> None:
    path = filled(tmp_path / "r") / "packs" / "000001.parts"
    data = bytearray(path.read_bytes())
    data[100] ^= 0xFF
    path.write_bytes(data)
    with Store(tmp_path / "r") as store, pytest.raises(StoreError, match=r"000001\.parts is damaged"):
        store.read(IDS[0])


def test_runs_without_days_are_smaller_and_made_again_when_days_are_wanted(tmp_path: Path) -> None:
    path = filled(tmp_path / "r", days=False)
    assert not (path / "daily.parquet").exists()
    with Store(path, days=False) as store:
        assert store.has(IDS[0])
        assert store.summary(IDS[9])[1] == result(9).means
    with Store(path) as store:
        assert not store.has(IDS[0])
    results = Results(path)
    assert len(results.runs) == 10
    assert results.run_days(IDS[0]) is None
    with pytest.raises(StoreError, match="holds no days"):
        _ = results.daily
    filled(path)
    assert_all_there(path)
    assert Results(path).run_days(IDS[0])["price_yuan"].tolist() == result(0).daily["price_yuan"].tolist()


def test_a_directory_says_how_far_its_runs_are(tmp_path: Path) -> None:
    path = filled(tmp_path / "r", count=5)
    with Store(path) as store:
        store.fail({"run_id": IDS[6], "traceback": "..."})
    found = {one.scenario: (one.runs, one.done, one.failed, one.missing, one.days) for one in standings(Results(path))}
    assert found == {"policy": (5, 3, 1, 1, 9), "base": (5, 2, 0, 3, 6), "all": (10, 5, 1, 4, 15)}
