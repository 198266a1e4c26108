"""Small scenarios, and the command as users start it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
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
    pages = [(path / "report.html").read_text(encoding="utf-8").partition("<footer")[0] for path in (one, other)]  # below: the commit
    assert pages[0] == pages[1]
    first, second = (pd.read_parquet(path / "runs.parquet").drop(columns="seconds") for path in (one, other))
    pd.testing.assert_frame_equal(first, second, check_exact=True)
