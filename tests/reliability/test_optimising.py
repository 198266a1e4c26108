"""An optimisation that is killed goes on where it stopped, and finds what one finds that was not, on any number of processes."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pandas as pd
import pytest

pytest.importorskip("optuna")
pytestmark = pytest.mark.slow

TABLES = ("trials", "front", "winners", "equal_cost", "regret")


@pytest.fixture
def file(pair, tmp_path) -> str:
    levers = "".join(f'[[levers]]\nlever = "{name}"\n' for name in ("ad_takedown", "registration_audit"))
    head = f"baseline = '{pair[0]}'\nrivals = ['{pair[1]}']\nobjectives = ['expected_harm_yuan', 'enforcement_cost_yuan']\n"
    search = "[search]\ntrials = 7\nbatch = 3\nworlds = 0\nseeds = 2\nfresh_seeds = 2\n"
    (tmp_path / "mix.toml").write_text(head + search + levers)
    return "mix.toml"


def told(journal: Path) -> int:
    """Return how many trials a journal has."""
    return journal.read_text().count('"values"') if journal.is_file() else 0


def test_one_that_is_killed_finds_the_same(abm, start, file, tmp_path):
    whole = abm("optimise", file, "--workers", 1, "--out", "whole")
    assert whole.returncode == 0, whole.stderr
    process = start("optimise", file, "--workers", 2, "--out", "cut")
    journal = tmp_path / "cut" / "search.journal"
    for _ in range(6000):
        if told(journal) >= 3:
            break
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    kept = told(journal)
    assert 3 <= kept < 7
    with journal.open("ab") as torn:
        torn.write(b'{"op_code":4,"work')
    resumed = abm("optimise", file, "--workers", 2, "--out", "cut")
    assert resumed.returncode == 0, resumed.stderr
    assert f"the {kept} trials of before" in resumed.stderr
    assert resumed.stdout.replace("cut", "whole") == whole.stdout
    for name in TABLES:
        assert (tmp_path / "cut" / f"{name}.csv").read_bytes() == (tmp_path / "whole" / f"{name}.csv").read_bytes(), name
    runs = [
        pd.read_parquet(tmp_path / where / "runs.parquet").drop(columns="seconds").sort_values(["run_id"]) for where in ("cut", "whole")
    ]
    pd.testing.assert_frame_equal(*(table.reset_index(drop=True) for table in runs), check_exact=True)
