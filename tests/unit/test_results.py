"""`abm results`: how far runs are, and questions in SQL that can change nothing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from sim.cli import main
from sim.outcomes import OUTCOMES
from sim.store import MEANS, Row, RunResult, Store

ROWS = [Row(f"{k:016x}", name, k, 7 + k) for name in ("base", "policy") for k in (0 if name == "base" else 3, 1 if name == "base" else 4)]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    with Store(tmp_path / "r") as store:
        for k, row in enumerate(ROWS):
            days = {name: np.full(2, float(k)) for name in OUTCOMES}
            store.write(row.run_id, RunResult(days, dict.fromkeys(MEANS, float(k)), 1.0))
        store.write_tables(ROWS)
        store.write_manifest({"command": "compare", "name": "pair", "finished": True, "runs": [vars(row) for row in ROWS]})
    return tmp_path / "r"


def test_it_says_how_far_the_runs_are(directory, capsys):
    assert main(["results", str(directory)]) == 0
    out, err = capsys.readouterr()
    lines = [line.split() for line in out.splitlines() if line.strip()]
    assert ["base", "2", "2", "0", "0", "4"] in lines
    assert ["all", "4", "4", "0", "0", "8"] in lines
    assert "`abm compare` pair, finished; 0 packs, 4 loose parts" in err


def test_a_question_is_answered_from_both_tables(directory, capsys):
    pytest.importorskip("duckdb")
    question = (
        "SELECT r.scenario, avg(r.price_yuan) AS mean, count(*) AS days FROM runs r JOIN daily d USING (run_id) GROUP BY 1 ORDER BY 1"
    )
    assert main(["results", str(directory), "--sql", question]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["base", "0.5", "4"] in lines
    assert ["policy", "2.5", "4"] in lines


def test_a_directory_that_is_not_finished_has_the_runs_so_far(directory, capsys):
    pytest.importorskip("duckdb")
    manifest = json.loads((directory / "manifest.json").read_text())
    manifest["finished"] = False
    manifest["runs"].append({"run_id": "e" * 16, "scenario": "policy", "replication": 5, "seed": 12})
    (directory / "manifest.json").write_text(json.dumps(manifest))
    (directory / "runs.parquet").unlink()
    assert main(["results", str(directory), "--sql", "SELECT count(*) AS n, sum(price_yuan) AS yuan FROM runs"]) == 0
    assert ["4", "6"] in [line.split() for line in capsys.readouterr().out.splitlines()]
    assert main(["results", str(directory), "--sql", "SELECT * FROM daily"]) == 2
    assert "daily, which is there when the command has finished" in capsys.readouterr().err


@pytest.mark.parametrize(
    "question",
    [
        "SELECT nothing FROM runs",
        "SELEC 1",
        "COPY runs TO 'copy.csv'",
        "SELECT * FROM read_csv('/etc/passwd')",
        "ATTACH 'x.db'",
        "DROP TABLE daily",
        "CREATE TABLE copy AS SELECT 1",
    ],
)
def test_a_question_that_cannot_be_answered_is_bad_input_and_nothing_is_written(directory, capsys, monkeypatch, question):
    pytest.importorskip("duckdb")
    monkeypatch.chdir(directory)
    before = {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()}
    assert main(["results", str(directory), "--sql", question]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("abm: --sql")
    assert err.count("\n") == 1
    assert {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()} == before


def asked(capsys, directory: Path, question: str) -> str:
    """Return the one line that a question which is bad input brings."""
    assert main(["results", str(directory), "--sql", question]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return err


@pytest.mark.parametrize("question", ["", " ", ";", "-- x", "/* */"])
def test_no_question_is_told(directory, capsys, question):
    pytest.importorskip("duckdb")
    assert "holds no question; ask one, such as SELECT scenario" in asked(capsys, directory, question)


def test_several_questions_are_refused_and_one_that_duckdb_takes_apart_is_not(directory, capsys):
    pytest.importorskip("duckdb")
    assert "holds 2 statements; ask one, such as SELECT" in asked(capsys, directory, "SELECT 1; SELECT 2")
    assert main(["results", str(directory), "--sql", "PIVOT runs ON scenario USING avg(price_yuan) GROUP BY status;"]) == 0
    assert ["done", "0.5", "2.5"] in [line.split() for line in capsys.readouterr().out.splitlines()]


def test_what_is_wrong_with_a_question_is_told_without_a_drawing(directory, capsys):
    pytest.importorskip("duckdb")
    for question in ("SELEC 1", "SELECT nothing FROM runs", "SELECT\n  nothing\nFROM runs"):
        told = asked(capsys, directory, question)
        assert "^" not in told
        assert "LINE" not in told
    assert 'Referenced column "nothing" not found in FROM clause!' in told


@pytest.mark.parametrize("name", ["runs", "daily"])
@pytest.mark.parametrize("where", ["foot", "page"])
def test_a_damaged_table_is_told_like_elsewhere(directory, capsys, name, where):
    pytest.importorskip("duckdb", minversion="2.0" if where == "page" else None)  # it said not which table it was before
    path = directory / f"{name}.parquet"
    if where == "foot":
        path.write_text("garbage\n")
    else:
        data = bytearray(path.read_bytes())
        data[4:400] = bytes(396)
        path.write_bytes(data)
    told = asked(capsys, directory, f"SELECT * FROM {name}")
    assert f"{name}.parquet is damaged (" in told
    assert "remove that file and give the command again" in told


@pytest.mark.parametrize(
    ("about", "told"),
    [
        ({"command": "compare", "daily": False}, "days of runs were not kept; the same command without --no-daily keeps them"),
        ({"command": "experiment", "daily": False}, "days of runs were not kept; daily = true in its file keeps them"),
        ({"command": "compare", "daily": True}, "daily.parquet is gone; give the command again"),
        ({"command": "calibrate"}, "which `abm calibrate` does not make"),
        ({"command": "compare", "finished": False}, "which is there when the command has finished"),
    ],
)
def test_why_there_are_no_days_is_told(directory, capsys, about, told):
    pytest.importorskip("duckdb")
    manifest = json.loads((directory / "manifest.json").read_text())
    (directory / "manifest.json").write_text(json.dumps({**manifest, **about}))
    (directory / "daily.parquet").unlink()
    assert told in asked(capsys, directory, "SELECT count(*) FROM Daily")
    assert "not found" in asked(capsys, directory, "SELECT daily FROM runs")  # a column is another matter


def test_a_wrong_directory_is_told(tmp_path, capsys):
    assert main(["results", str(tmp_path / "nowhere")]) == 2
    assert "no such results directory" in capsys.readouterr().err
