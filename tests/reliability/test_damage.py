"""Damaged or foreign results directories are refused with one message; a disk that refuses loses nothing."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture
def results(finished, tmp_path):
    return shutil.copytree(finished(4)[0], tmp_path / "r")


def snapshot(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*") if path.is_file()}


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def of_another_version(path: Path) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 99}))


DAMAGE = {
    "truncated_daily": ("daily.parquet", truncated, "daily.parquet is damaged"),
    "truncated_runs": ("runs.parquet", truncated, "runs.parquet is damaged"),
    "empty_runs": ("runs.parquet", lambda path: path.write_bytes(b""), "runs.parquet is damaged"),
    "truncated_part": ("parts/*.parquet", truncated, "is damaged"),
    "broken_manifest": ("manifest.json", truncated, "manifest.json is damaged"),
    "binary_manifest": ("manifest.json", lambda path: path.write_bytes(b"\xff\xfe\x00"), "manifest.json is damaged"),
    "other_version": ("manifest.json", of_another_version, "format version 99"),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_damage_exits_with_2_and_writes_nothing(abm, pair, results, damage):
    where, spoil, message = damage
    spoil(next(results.glob(where)))
    before = snapshot(results)
    commands = [["compare", *pair, "--replications", 5, "--out", "r"]]
    commands += [["plot", "r"]] if where != "parts/*.parquet" else []
    for command in commands:
        done = abm(*command)
        assert done.returncode == 2, done.stderr
        assert message in done.stderr
        assert done.stderr.count("\n") == 1
        assert snapshot(results) == before


def test_a_manifest_that_makes_no_sense_is_damaged(abm, results):
    path = results / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["scenarios"]["small"]["resolved"]["run"]["days"] = "many"
    path.write_text(json.dumps(manifest))
    for command in (["plot", "r"], ["replay", manifest["runs"][0]["run_id"], "--out", "r"]):
        done = abm(*command)
        assert done.returncode == 2, done.stderr
        assert "is damaged" in done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["manifest.json", "runs.parquet", "daily.parquet", "parts"])
def test_the_advice_for_a_damaged_file_works(abm, pair, results, finished, assert_same_tables, name):
    path = next(results.glob("parts/*.parquet")) if name == "parts" else results / name
    truncated(path)
    command = ["compare", *pair, "--replications", 4, "--out", "r"]
    refused = abm(*command)
    assert refused.returncode == 2
    assert f"{path.relative_to(results.parent)} is damaged" in refused.stderr
    assert "remove that file and give the command again" in refused.stderr
    path.unlink()
    again = abm(*command)
    assert again.returncode == 0, again.stderr
    assert f"{7 if name == 'parts' else 8} of them before" in again.stderr
    assert_same_tables(results, finished(4)[0])


def test_a_directory_of_a_comparison_is_not_taken_by_another_command(abm, pair, results):
    before = snapshot(results)
    done = abm("run", pair[0], "--out", "r")
    assert done.returncode == 2
    assert "r holds the results of `abm compare` small_against_small_audit" in done.stderr
    assert done.stderr.count("\n") == 1
    assert snapshot(results) == before
    changed = abm("compare", *pair, "--set", "run.settle_days=6", "--out", "r")
    assert changed.returncode == 0
    assert "its tables and figures are replaced, its finished runs are kept" in changed.stderr


@pytest.mark.skipif(os.name != "posix", reason="limits of processes are POSIX's")
def test_a_full_disk_loses_nothing(abm, pair, tmp_path, results, environment):
    """A limit on the size of files stands in for the full disk: parts still fit, the table of all days does not."""
    most = max(path.stat().st_size for path in (results / "parts").iterdir()) + 4096

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

    command = ["compare", *pair, "--replications", "12", "--workers", "1", "--out", "full"]
    line = [sys.executable, "-m", "sim", *command]
    done = subprocess.run(line, cwd=tmp_path, env=environment, preexec_fn=limit, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert "abm: cannot write" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list((tmp_path / "full").rglob("*.tmp"))
    again = abm(*command)
    assert again.returncode == 0, again.stderr
    assert "24 of 24 runs done, 24 of them before" in again.stderr


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 400 kB; returns the call that changes how it is mounted."""
    disk = tmp_path / "disk"
    disk.mkdir()

    def mount(options: str) -> None:
        line = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(disk)]
        if subprocess.run(line, capture_output=True, check=False).returncode:
            pytest.skip("this user may not mount a disk")

    mount("size=400k")
    yield mount
    subprocess.run(["umount", "--lazy", str(disk)], check=False)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_disk_that_fills_up_and_one_that_is_read_only_lose_nothing(
    abm, pair, tmp_path, small_disk, finished, assert_same_tables, workers
):
    command = ["compare", *pair, "--replications", 10, "--workers", workers, "--out", "disk/r"]
    full = abm(*command)
    assert full.returncode == 1, full.stderr
    last = full.stderr.splitlines()[-1]
    assert last.startswith("abm: cannot write")
    assert "No space left on device" in last
    assert "runs are finished and kept in disk/r" in last
    assert "Traceback" not in full.stderr
    kept = len(list((tmp_path / "disk" / "r" / "parts").glob("*.parquet")))
    assert 0 < kept < 20
    small_disk("remount,ro")
    before = snapshot(tmp_path / "disk")
    refused = abm(*command)
    assert refused.returncode == 1, refused.stderr
    assert "Read-only file system" in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert snapshot(tmp_path / "disk") == before
    small_disk("remount,rw,size=60m")
    again = abm("compare", *pair, "--replications", 4, "--out", "disk/r")
    assert again.returncode == 0, again.stderr
    assert "of them before" in again.stderr
    assert_same_tables(tmp_path / "disk" / "r", finished(4)[0])


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full is Linux's")
@pytest.mark.parametrize("streams", [["stdout"], ["stdout", "stderr"]])
def test_output_that_cannot_be_printed_is_told_in_a_line(tmp_path, environment, streams):
    with Path("/dev/full").open("w") as full:
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **dict.fromkeys(streams, full)}
        done = subprocess.run([sys.executable, "-m", "sim", "levers"], cwd=tmp_path, env=environment, text=True, check=False, **pipes)
    assert done.returncode == 1
    if "stderr" not in streams:
        assert done.stderr == "abm: cannot print: No space left on device\n"


def test_a_failed_run_stays_failed_until_it_is_asked_for_again(abm, pair, results):
    manifest = json.loads((results / "manifest.json").read_text())
    run = manifest["runs"][3]
    (results / "parts" / f"{run['run_id']}.parquet").unlink()
    record = {
        **{key: run[key] for key in ("run_id", "scenario", "replication", "seed")},
        "traceback": "Traceback ...\nMemoryError: no room\n",
    }
    (results / "parts" / f"{run['run_id']}.failed.json").write_text(json.dumps(record))
    command = ["compare", *pair, "--out", "r"]
    still = abm(*command)
    assert still.returncode == 1
    assert f"run {run['run_id']} failed (small, replication 3, seed {run['seed']}): MemoryError: no room" in still.stderr
    assert "--retry-failed" in still.stderr
    assert "1 failed" in still.stderr
    again = abm(*command, "--retry-failed")
    assert again.returncode == 0, again.stderr
    assert "8 of 8 runs done" in again.stderr
    assert not list((results / "parts").glob("*.failed.json"))
