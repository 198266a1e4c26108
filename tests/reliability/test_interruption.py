"""A command that is interrupted goes on where it stopped, and ends with the tables of one that was not."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest

pytestmark = pytest.mark.slow
REPLICATIONS = 10


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_the_same_command_finishes_the_rest(abm, start, pair, finished, tmp_path, assert_same_tables, how, workers, parts):
    command = ["compare", *pair, "--replications", REPLICATIONS, "--workers", workers]
    process = start(*command, "--out", "cut")
    parts.wait(tmp_path / "cut", 3, process)
    begun = time.monotonic()
    if how == signal.SIGINT:
        os.killpg(process.pid, signal.SIGINT)  # a terminal sends Ctrl-C to the whole group
    else:
        process.send_signal(how)
    _, err = process.communicate(timeout=60)
    if how != signal.SIGKILL:
        assert process.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143}[how]
        assert time.monotonic() - begun < 10
        assert "runs are finished and kept in cut; the same command goes on from there" in err
        assert "Traceback" not in err
    parts.wait_until_gone(process.pid)
    kept = len(list((tmp_path / "cut" / "parts").glob("*.parquet")))
    assert 3 <= kept < 2 * REPLICATIONS
    assert abm("plot", "cut").returncode == 2  # nothing to draw yet, and it says so

    resumed = abm(*command, "--out", "cut")
    assert resumed.returncode == 0, resumed.stderr
    assert f"{kept} of them before" in resumed.stderr
    whole, printed = finished(REPLICATIONS)
    assert_same_tables(tmp_path / "cut", whole)
    assert resumed.stdout == printed


def test_ctrl_c_sent_to_the_command_alone_ends_it_as_well(start, pair, tmp_path, parts):
    process = start("compare", *pair, "--replications", 30, "--workers", 2, "--out", "cut")
    parts.wait(tmp_path / "cut", 2, process)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err


LARGE = """
import operator, os, signal, threading
from collections import deque
from sim.workers import in_processes
signal.signal(signal.SIGINT, signal.default_int_handler)  # also where the tests were started to ignore it
threading.Timer(1.5, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    in_processes(operator.mul, deque([(b"x", (60_000_000,))] * 400), 2, lambda *_: None)
except KeyboardInterrupt:
    print("ended")
"""


def test_ctrl_c_ends_it_while_a_large_result_is_on_its_way():
    """A process that ends in the middle of writing leaves half a result, for whose rest nobody may wait."""
    done = subprocess.run([sys.executable, "-c", LARGE], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "ended\n"


def test_more_replications_compute_only_what_is_missing(abm, pair, finished, tmp_path):
    shutil.copytree(finished(4)[0], tmp_path / "r")
    parts = {path: path.stat().st_mtime_ns for path in (tmp_path / "r" / "parts").iterdir()}
    assert len(parts) == 8
    more = abm("compare", *pair, "--replications", 6, "--out", "r")
    assert "8 of 12 runs done, 8 of them before" in more.stderr
    assert len(list((tmp_path / "r" / "parts").iterdir())) == 12
    assert all(path.stat().st_mtime_ns == changed for path, changed in parts.items())
    again = abm("compare", *pair, "--replications", 6, "--out", "r")
    assert "12 of 12 runs done, 12 of them before" in again.stderr
    assert again.stdout == more.stdout
    assert pd.read_parquet(tmp_path / "r" / "runs.parquet")["replication"].tolist() == [*range(6)] * 2


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_make_no_difference(abm, pair, finished, tmp_path, assert_same_tables, workers):
    done = abm("compare", *pair, "--replications", 4, "--workers", workers, "--out", "r", "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert_same_tables(tmp_path / "r", finished(4)[0])


def test_replay_confirms_a_run(abm, finished, tmp_path):
    shutil.copytree(finished(4)[0], tmp_path / "results" / "small")
    wanted = json.loads((tmp_path / "results" / "small" / "manifest.json").read_text())["runs"][1]["run_id"]
    done = abm("replay", wanted)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"identical: run {wanted}")


def test_two_commands_do_not_share_a_directory(abm, start, pair, tmp_path, parts):
    process = start("compare", *pair, "--replications", 30, "--workers", 1, "--out", "r")
    parts.wait(tmp_path / "r", 1, process)
    second = abm("compare", *pair, "--out", "r")
    assert second.returncode == 2
    assert "in use by another abm process" in second.stderr
    process.kill()
    process.communicate()
