"""Runs made on a Dask cluster are those made here, whatever becomes of its workers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest

pytestmark = pytest.mark.slow
pytest.importorskip("distributed")


def test_a_cluster_gives_the_same_bits_and_a_lost_worker_is_made_up_for(
    start, pair, finished, tmp_path, environment, cluster, assert_same_tables, parts
):
    far = cluster(environment)
    process = start("compare", *pair, "--replications", 6, "--cluster", far.address, "--out", "r")
    parts.wait(tmp_path / "r", 3, process)
    os.kill(far.workers[0], signal.SIGKILL)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    whole, printed = finished(6)
    assert_same_tables(tmp_path / "r", whole)
    assert out == printed
    assert not list((tmp_path / "r" / "parts").glob(".*.tmp"))


@pytest.mark.parametrize("to_all", [False, True])
def test_a_local_cluster_ends_with_ctrl_c_and_the_same_command_goes_on(
    abm, start, pair, finished, tmp_path, assert_same_tables, parts, to_all
):
    command = ["compare", *pair, "--replications", 6, "--workers", 2, "--out", "cut"]
    process = start(*command, "--cluster", "local")
    parts.wait(tmp_path / "cut", 3, process)
    (os.killpg if to_all else os.kill)(process.pid, signal.SIGINT)
    begun = time.monotonic()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert time.monotonic() - begun < 20
    assert err.strip().splitlines()[-1].endswith("runs are finished and kept in cut; the same command goes on from there")
    assert "Traceback" not in err
    parts.wait_until_gone(process.pid)
    again = abm(*command)  # in processes of this machine
    assert again.returncode == 0, again.stderr
    assert_same_tables(tmp_path / "cut", finished(6)[0])


def test_a_lost_cluster_is_told_and_what_is_finished_is_kept(abm, start, pair, tmp_path, environment, cluster, parts):
    command = ["compare", *pair, "--replications", 6, "--out", "r"]
    far = cluster(environment)
    process = start(*command, "--cluster", far.address)
    parts.wait(tmp_path / "r", 3, process)
    os.killpg(far.process.pid, signal.SIGKILL)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 1, err
    assert err.strip().splitlines()[-1].startswith("abm: the cluster is lost")
    assert "Traceback" not in err
    again = abm(*command)
    assert again.returncode == 0
    assert "of them before" in again.stderr


def test_a_run_that_raises_or_kills_its_worker_is_recorded(tmp_path, environment, pair):
    """A run with seed 2 raises and one with seed 3 kills every worker that tries it, as in local processes."""
    script = tmp_path / "script.py"
    script.write_text(FAILING.format(folder=str(tmp_path), pair=pair))
    done = subprocess.run([sys.executable, script], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["done"] == [[1], [1]]
    assert (
        found["local"] == found["cluster"] == {"2": "ZeroDivisionError: no luck", "3": "The worker process died: killed, or out of memory."}
    )


FAILING = """
import json, os, signal, sys
sys.path.insert(0, {folder!r})

def fails(scenario, seed):
    from sim.burn_in import Simulation
    if seed == 2:
        raise ZeroDivisionError("no luck")
    if seed == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return Simulation()(scenario, seed)

if __name__ == "__main__":
    import script, sim
    from sim.jobs import jobs_of, run_jobs
    from sim.store import Memory
    scenario = sim.load_scenario({pair[0]!r}, {{"run.days": 30}})
    jobs = jobs_of({{"small": scenario}}, 3, 1)
    said = lambda report: {{failure.seed: failure.traceback.strip().splitlines()[-1] for failure in report.failed}}
    local = run_jobs(jobs, Memory(), 2, how=script.fails)
    with sim.on_cluster("local", 2) as workers:
        far = run_jobs(jobs, Memory(), workers, how=script.fails)
    print(json.dumps({{"done": [[len(r.done)] for r in (local, far)], "local": said(local), "cluster": said(far)}}))
"""


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nowhere", "tcp://"])
def test_an_address_without_a_scheduler_is_bad_input(abm, pair, tmp_path, address):
    done = abm("compare", *pair, "--replications", 4, "--cluster", address, "--out", "r")
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1
    assert f"--cluster = {address}" in done.stderr or "--cluster" in done.stderr
    assert not (tmp_path / "r").exists()


def test_python_takes_a_cluster_where_it_takes_workers(tmp_path, environment, pair):
    script = tmp_path / "script.py"
    script.write_text(
        "import sim\n"
        "if __name__ == '__main__':\n"
        f"    one, other = map(sim.load_scenario, {pair!r})\n"
        "    with sim.on_cluster('local', 2) as workers:\n"
        "        sim.compare(one, [other], 3, workers=workers).runs.to_parquet('far.parquet')\n"
        "    sim.compare(one, [other], 3).runs.to_parquet('here.parquet')\n"
    )
    done = subprocess.run([sys.executable, script], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    far, here = (pd.read_parquet(tmp_path / f"{name}.parquet").drop(columns="seconds") for name in ("far", "here"))
    pd.testing.assert_frame_equal(far, here, check_exact=True)
