"""Many runs of a stand-in that takes no time: each once whatever is killed, in order, in little memory."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

WORK = '''
import json, os, resource, sys, time
from pathlib import Path
import numpy as np

HERE = Path({folder!r})


def noted(scenario, seed):
    """Note in a file that the run was begun, and make it up."""
    from sim import luck
    from sim.outcomes import OUTCOMES, window_means

    noise = luck.uniforms(seed, "stand-in", (scenario.run.days,))
    daily = {{name: 100.0 + 10.0 * noise + scenario.levers["account_audit"] for name in OUTCOMES}}
    time.sleep({pause})
    with open(HERE / "log", "a") as log:
        log.write(f"{{scenario.name}} {{seed}} {{os.getpid()}}\\n")
    return daily, window_means(daily, *scenario.run.window), 0.01


def plan(count):
    from sim.plan import Plan
    from sim.scenario import scenario_from

    about = {{"run": {{"days": 20, "burn_in_days": 10, "settle_days": 5}}}}
    pair = {{name: scenario_from({{"name": name, **about, "levers": {{"account_audit": level}}}}, name)
            for name, level in (("base", 0.1), ("policy", 0.5))}}
    return Plan("compare", "pair", pair, count // 2, 1, baseline="base", outcomes=("price_yuan",), headline=("price_yuan",))


if __name__ == "__main__":
    import work
    from contextlib import nullcontext
    from sim import conduct, jobs, store
    from sim.cluster import on_cluster

    count, out, address = int(sys.argv[1]), HERE / sys.argv[2], sys.argv[3]
    store.shelf.RUNS_A_PACK = int(sys.argv[4])
    jobs.simulate = work.noted
    with on_cluster(address) if address != "-" else nullcontext(2) as workers:
        conduct.carry_out(work.plan(count), out, workers)
    print(json.dumps({{"peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}}))
'''


class Work:
    """Commands on the stand-in in a folder."""

    def __init__(self, folder: Path, environment: dict[str, str], pause: float) -> None:
        self.folder = folder
        self.environment = {**environment, "PYTHONPATH": f"{environment['PYTHONPATH']}:{folder}"}
        (folder / "work.py").write_text(WORK.format(folder=str(folder), pause=pause))

    def start(self, count: int, out: str, address: str = "-", runs_a_pack: int = 1000) -> subprocess.Popen[str]:
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        line = [sys.executable, str(self.folder / "work.py"), str(count), out, address, str(runs_a_pack)]
        return subprocess.Popen(line, cwd=self.folder, env=self.environment, text=True, start_new_session=True, **pipes)

    def finish(self, process: subprocess.Popen[str]) -> dict[str, int]:
        out, err = process.communicate(timeout=1200)
        assert process.returncode == 0, err
        return json.loads(out.splitlines()[-1])

    @property
    def log(self) -> list[tuple[str, int, int]]:
        """Return the runs that were made: scenario, seed, process."""
        path = self.folder / "log"
        lines = [line.split() for line in path.read_text().splitlines()] if path.exists() else []
        return [(name, int(seed), int(pid)) for name, seed, pid in lines]

    def wait(self, count: int, process: subprocess.Popen[str]) -> None:
        for _ in range(60_000):
            if len(self.log) >= count:
                return
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)
        pytest.fail("runs are not made")

    def kill_a_worker(self) -> None:
        os.kill(self.log[-1][2], signal.SIGKILL)


@pytest.fixture
def work(tmp_path, environment):
    return lambda name, pause=0.0: Work(_made(tmp_path / name), environment, pause)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def assert_once_and_the_same(one: Work, other: Work, count: int, kills: int) -> None:
    """Check tables against those of an undisturbed command, and that no run was made twice but those in flight."""
    for name in ("daily.parquet", "comparison.parquet", "summary.csv"):
        assert (one.folder / "r" / name).read_bytes() == (other.folder / "r" / name).read_bytes(), name
    runs = pd.read_parquet(one.folder / "r" / "runs.parquet")
    assert len(runs) == count == runs["run_id"].nunique()
    assert (runs["status"] == "done").all()
    made = Counter((name, seed) for name, seed, _ in one.log)
    assert len(made) == count
    assert len(one.log) - count <= 4 * kills, "runs were made again that were finished"
    done = Counter()
    for name, _ in dict.fromkeys((name, seed) for name, seed, _ in one.log):
        done[name] += 1
        assert abs(done["base"] - done["policy"]) <= 8, "scenarios are not interleaved"


@pytest.mark.parametrize("count", [pytest.param(60, marks=pytest.mark.nightly), pytest.param(2000, marks=pytest.mark.nightly)])
def test_killed_workers_and_a_killed_command_lose_nothing(work, count):
    one, other = work("one", 0.03), work("other")
    process = one.start(count, "r", runs_a_pack=count // 4)
    for share in (0.2, 0.4):
        one.wait(int(share * count), process)
        one.kill_a_worker()
    one.wait(int(0.6 * count), process)
    process.kill()
    process.communicate()
    time.sleep(1)  # for its processes to end
    one.finish(one.start(count, "r", runs_a_pack=count // 4))
    other.finish(other.start(count, "r"))
    assert_once_and_the_same(one, other, count, 3)
    assert list((one.folder / "r" / "packs").glob("*.parquet"))


@pytest.mark.parametrize("count", [pytest.param(40, marks=pytest.mark.slow), pytest.param(2000, marks=pytest.mark.nightly)])
def test_a_cluster_of_two_with_one_killed_loses_nothing(work, count, cluster):
    one, other = work("one", 0.03), work("other")
    process = one.start(count, "r", cluster(one.environment).address)
    one.wait(int(0.4 * count), process)
    one.kill_a_worker()
    one.finish(process)
    other.finish(other.start(count, "r"))
    assert_once_and_the_same(one, other, count, 1)


@pytest.mark.nightly
def test_ten_times_the_runs_need_no_more_memory(work):
    few, many = work("few"), work("many")
    peaks = [one.finish(one.start(count, "r"))["peak"] for one, count in ((few, 200), (many, 2000))]
    assert (len(few.log), len(many.log)) == (200, 2000)
    found = f"{peaks[0] / 1024:.0f} MB at 200 runs, {peaks[1] / 1024:.0f} MB at 2,000"
    print(f"peak memory of the caller: {found}, {peaks[1] / peaks[0]:.3f}")  # noqa: T201  # what the night found
    assert peaks[1] < 1.3 * peaks[0]


HALF = """
import os, signal
from collections import deque
from multiprocessing import connection
from sim.workers import Crash, in_processes

def half(key):
    if key == 3:
        def send(self, data, write=os.write):
            write(self.fileno(), bytes(data)[:1000])
            os.kill(os.getpid(), signal.SIGKILL)
        connection.Connection._send = send
    return bytes(1_000_000)

if __name__ == "__main__":
    import script
    found = {}
    in_processes(script.half, deque((k, ()) for k in range(8)), 2, found.__setitem__)
    assert {key for key, result in found.items() if isinstance(result, Crash)} == {3}
    assert len(found) == 8
    print("ended")
"""


@pytest.mark.slow
def test_a_process_killed_in_the_middle_of_a_result_holds_nobody_up(tmp_path, environment):
    (tmp_path / "script.py").write_text(HALF)
    line = [sys.executable, str(tmp_path / "script.py")]
    place = {**environment, "PYTHONPATH": f"{environment['PYTHONPATH']}:{tmp_path}"}
    done = subprocess.run(line, env=place, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout == "ended\n", done.stderr
