"""Processes that make runs: whose model they import, and what is said when they cannot be started."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

WHERE = """
import sys
from collections import deque
from sim.workers import in_processes

def where(key):
    import sim
    return "sim.model" in sys.modules, sim.__file__

if __name__ == "__main__":
    import script
    found = {}
    in_processes(script.where, deque((k, ()) for k in range(4)), 2, found.__setitem__)
    assert "sim.model" not in sys.modules
    for one in found.values():
        print(*one)
"""

COMPANION = """
import multiprocessing.forkserver
import sys
from sim.companion import Companion
from sim.starting import prepare

def has(line):
    line.send(["sim.model" in sys.modules, line.recv()])

if __name__ == "__main__":
    import script
    prepare()
    ready = multiprocessing.forkserver._forkserver._forkserver_pid is not None
    beside = Companion(script.has)
    beside.line.send("heard")
    print(ready, *beside.line.recv())
    beside.end()
"""

ORPHAN = """
import multiprocessing.forkserver
import os, signal, threading, time
import psutil
from sim.companion import Companion

def told(line):
    line.send(os.getpid())
    line.recv()

if __name__ == "__main__":
    import script
    beside = Companion(script.told)
    process = psutil.Process(beside.line.recv())
    ended = threading.Event()
    threading.Thread(target=lambda: (beside.line.poll(None), ended.set()), daemon=True).start()
    os.kill(multiprocessing.forkserver._forkserver._forkserver_pid, signal.SIGKILL)
    other = Companion(script.told)  # of another server, which is when this process notices
    beside.end()
    psutil.wait_procs([process], timeout=60)
    print(process.is_running(), ended.wait(60))
    other.end()
"""

TOGETHER = """
import os, threading
from sim.companion import Companion

def told(line):
    line.send(os.environ["OMP_NUM_THREADS"])
    line.recv()

def begin(begun):
    begun.append(Companion(script.told))

if __name__ == "__main__":
    import script
    before, begun = dict(os.environ), []
    threads = [threading.Thread(target=begin, args=(begun,)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print([one.line.recv() for one in begun], dict(os.environ) == before)
    for one in begun:
        one.end()
"""

RUN = """
import sim

{guard}
    small = {{"population.users": 200_000, "run.days": 20, "run.burn_in_days": 5, "run.settle_days": 0}}
    done = sim.run(sim.load_scenario({scenario!r}, small), replications=2, workers=2, out="r")
    print(len(done.runs))
"""


@pytest.fixture
def python(tmp_path, environment):
    """Run Python in the test's folder on a script, or on what it reads from its standard input."""

    def call(text: str, as_file: bool = True, **more: str) -> subprocess.CompletedProcess[str]:
        folder = tmp_path / "scripts"
        folder.mkdir(exist_ok=True)
        (folder / "script.py").write_text(text)
        line, given = ([sys.executable, str(folder / "script.py")], None) if as_file else ([sys.executable, "-"], text)
        place = {**environment, "PYTHONPATH": f"{environment['PYTHONPATH']}:{folder}", **more}
        return subprocess.run(line, input=given, cwd=tmp_path, env=place, capture_output=True, text=True, timeout=120, check=False)

    return call


def test_they_have_the_model_of_the_process_that_starts_them(python, environment, tmp_path):
    """Another package of that name in the folder is not theirs; on Linux the model is imported before they take a call."""
    (tmp_path / "sim").mkdir()
    (tmp_path / "sim" / "__init__.py").write_text("raise ImportError('of another project')\n")
    done = python(WHERE)
    ours = Path(environment["PYTHONPATH"]) / "sim" / "__init__.py"
    assert done.stdout.splitlines() == [f"{sys.platform == 'linux'} {ours}"] * 4, done.stderr


def test_a_folder_for_temporary_files_may_have_a_long_path(python, tmp_path):
    folder = tmp_path / ("x" * 120)
    folder.mkdir()
    done = python(script(GUARD), TMPDIR=str(folder))
    assert (done.returncode, done.stdout) == (0, "2\n"), done.stderr


@pytest.mark.parametrize("long", [False, True], ids=["forked", "spawned"])
def test_one_that_works_beside_has_the_model_where_it_can_be_forked(python, tmp_path, long):
    folder = tmp_path / ("x" * 120)
    folder.mkdir()
    done = python(COMPANION, **({"TMPDIR": str(folder)} if long else {}))
    assert done.returncode == 0, done.stderr
    forked = sys.platform == "linux" and not long
    assert done.stdout == f"{forked} {forked} heard\n"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is no server")
def test_one_that_works_beside_ends_though_its_server_has_died(python):
    done = python(ORPHAN)
    assert done.stdout == "False True\n", done.stderr


@pytest.mark.parametrize("long", [False, True], ids=["forked", "spawned"])
def test_those_that_start_together_leave_the_environment_as_it_was(python, tmp_path, long):
    folder = tmp_path / ("x" * 120)
    folder.mkdir()
    done = python(TOGETHER, **({"TMPDIR": str(folder)} if long else {}))
    assert done.stdout == f"{['1'] * 6} True\n", done.stderr


def script(guard: str) -> str:
    return RUN.format(guard=guard, scenario=str(Path(__file__).parents[2] / "scenarios" / "baseline.toml"))


GUARD = "if __name__ == '__main__':"


@pytest.mark.parametrize(("guard", "as_file"), [("if True:", True), (GUARD, False)], ids=["without a guard", "from a pipe"])
def test_a_script_that_cannot_be_imported_is_told_and_no_run_has_failed(python, tmp_path, guard, as_file):
    done = python(script(guard), as_file)
    assert done.returncode == 1
    assert "sim.workers.StartError: processes that were to make runs ended at once" in done.stderr.splitlines()[-1]
    assert not list(tmp_path.rglob("*.failed.json"))
    again = python(script(GUARD))
    assert (again.returncode, again.stdout) == (0, "2\n"), again.stderr
