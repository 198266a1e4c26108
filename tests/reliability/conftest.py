"""Small scenarios, and the command as users start it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def pair(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """A small baseline and a policy, as files."""
    folder = tmp_path_factory.mktemp("scenarios")
    base, policy = folder / "small.toml", folder / "small_audit.toml"
    base.write_text(
        f"extends = '{ROOT / 'scenarios' / 'baseline.toml'}'\nname = 'small'\n"
        "[run]\ndays = 40\nburn_in_days = 15\nsettle_days = 5\nreplications = 4\n[population]\nusers = 200_000\n"
    )
    policy.write_text("extends = 'small.toml'\nname = 'small_audit'\n[policies.registration_audit]\nstrength = 0.9\n")
    return [str(base), str(policy)]


@pytest.fixture
def abm(tmp_path: Path) -> Command:
    """Run the command to its end in the test's folder."""

    return lambda *arguments: run_abm(tmp_path, *arguments)


def run_abm(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "sim", *map(str, arguments)]
    return subprocess.run(line, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture(scope="session")
def finished(pair: list[str], tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], tuple[Path, str]]:
    """Return the results directory of an uninterrupted comparison of some replications, and what it printed."""

    @cache
    def make(replications: int) -> tuple[Path, str]:
        folder = tmp_path_factory.mktemp("finished")
        done = run_abm(folder, "compare", *pair, "--replications", replications, "--out", "r")
        assert done.returncode == 0, done.stderr
        return folder / "r", done.stdout

    return make


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Start the command in a process group of its own, heeding Ctrl-C even where the tests were started to ignore it (by a shell's `&`)."""

    def call(*arguments: object) -> subprocess.Popen[str]:
        line = [sys.executable, "-m", "sim", *map(str, arguments)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
        return subprocess.Popen(line, cwd=tmp_path, env=ENVIRONMENT, text=True, start_new_session=True, preexec_fn=heed, **pipes)  # noqa: PLW1509  # no threads here

    return call


class PartsOf:
    """What can be seen of a command from outside."""

    @staticmethod
    def wait(folder: Path, count: int, process: subprocess.Popen[str]) -> None:
        """Wait until some runs are finished; fail when the process ends before."""
        for _ in range(9000):
            if len(list((folder / "parts").glob("*.parquet"))) >= count:
                return
            assert process.poll() is None, process.communicate()
            time.sleep(0.02)
        pytest.fail("no run was finished in time")

    @staticmethod
    def wait_until_gone(group: int) -> None:
        """Wait until every process of a group has ended."""
        for _ in range(200):
            try:
                os.killpg(group, 0)
            except ProcessLookupError:
                return
            time.sleep(0.05)
        pytest.fail("workers outlive the command")


@pytest.fixture
def parts() -> type[PartsOf]:
    """Return what waits for a command's runs and for its end."""
    return PartsOf


STARTED = """
import os, sys
from distributed import Client, LocalCluster
if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None) as cluster, Client(cluster) as client:
        print(cluster.scheduler_address, *client.run(os.getpid).values(), flush=True)
        sys.stdin.read()
"""


@dataclass
class Started:
    """A Dask cluster of two worker processes."""

    process: subprocess.Popen[str]
    address: str
    workers: list[int]


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Callable[[dict[str, str]], Started]]:
    """Start a cluster in an environment; it ends with the test."""
    pytest.importorskip("distributed")
    (tmp_path / "started.py").write_text(STARTED)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with ExitStack() as stack:

        def call(environment: dict[str, str]) -> Started:
            line = [sys.executable, str(tmp_path / "started.py")]
            process = stack.enter_context(subprocess.Popen(line, env=environment, text=True, start_new_session=True, **pipes))
            stack.callback(process.stdin.close)
            address, *workers = process.stdout.readline().split()
            return Started(process, address, [int(pid) for pid in workers])

        yield call


@pytest.fixture
def environment() -> dict[str, str]:
    """Return the environment in which the command is found."""
    return ENVIRONMENT


@pytest.fixture
def assert_same_tables() -> Callable[[Path, Path], None]:
    """Compare results byte by byte; of the runs all but the seconds they took."""
    return _compare


def _compare(one: Path, other: Path) -> None:
    for name in ("daily.parquet", "comparison.csv", "comparison.parquet", "summary.csv", "best.csv", "figures/forest.svg"):
        assert (one / name).read_bytes() == (other / name).read_bytes(), name
    assert _page(one) == _page(other)
    first, second = (pd.read_parquet(path / "runs.parquet").drop(columns="seconds") for path in (one, other))
    pd.testing.assert_frame_equal(first, second, check_exact=True)


def _page(path: Path) -> str:
    """Return a report down to its footer, which names a commit, with the directory that its commands name called DIR."""
    page = (path / "report.html").read_text(encoding="utf-8").partition("<footer")[0]
    place = re.escape(json.loads((path / "manifest.json").read_text(encoding="utf-8"))["given"]["out"])
    commands = re.findall(r"<pre>.*?</pre>", page, flags=re.DOTALL)
    assert commands
    assert place
    assert any(place in typed for typed in commands)
    for typed in commands:
        page = page.replace(typed, re.sub(rf"(?<=[ >]){place}(?=[ <_])", "DIR", typed))
    return page
