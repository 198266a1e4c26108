"""Where the dashboard listens, whom it answers, and what the command says."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from sim.cli import main
from sim.dashboard.serving import bound, guarded, is_loopback
from sim.faults import ScenarioError

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.8.8.8"])
def test_this_machine_goes_by_these_names(host):
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "example.org", ""])  # not listened at
def test_others_do_not(host):
    assert not is_loopback(host)


def test_any_free_port_is_found_and_one_in_use_is_told():
    with bound("127.0.0.1", 0) as listening:
        host, port = listening.getsockname()
        assert (host, port > 0) == ("127.0.0.1", True)
        with pytest.raises(ScenarioError, match=f"--port = {port}: cannot be had"):
            bound("127.0.0.1", port)
    with pytest.raises(ScenarioError, match="no address of this machine"):
        bound("no such host.invalid", 0)


def answered(kind: str, at_home: bool, **headers: str) -> bool:
    """Say whether a request gets through to the page."""
    reached: list[str] = []

    async def app(scope, receive, send):
        reached.append(scope["type"])

    async def nothing(*_):
        return {}

    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    asyncio.run(guarded(app, at_home)({"type": kind, "headers": pairs}, nothing, nothing))
    return reached == [kind]


@pytest.mark.parametrize(
    ("kind", "headers", "at_home", "away"),
    [
        ("http", {"host": "127.0.0.1:8765"}, True, True),
        ("http", {"host": "localhost:8765"}, True, True),
        ("http", {"host": "[::1]:8765"}, True, True),
        ("http", {"host": "rebound.example.org:8765"}, False, True),
        ("http", {}, False, True),
        ("websocket", {"host": "127.0.0.1:8765", "origin": "http://127.0.0.1:8765"}, True, True),
        ("websocket", {"host": "127.0.0.1:8765", "origin": "https://example.org"}, False, False),
        ("websocket", {"host": "127.0.0.1:8765", "origin": "http://127.0.0.1:9999"}, False, False),
        ("websocket", {"host": "127.0.0.1:8765"}, False, False),
        ("lifespan", {}, True, True),
    ],
)
def test_only_pages_of_ours_are_answered(kind, headers, at_home, away):
    assert answered(kind, True, **headers) == at_home
    assert answered(kind, False, **headers) == away


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.toml"], "no such file"),
        (["--port", "70000"], "must be a whole number from 0 to 65535"),
        (["--host", "no such host.invalid"], "no address of this machine"),
    ],
)
def test_bad_input_exits_with_2_and_one_line(arguments, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["dashboard", "--no-browser", *arguments]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert said in err


def test_a_missing_extra_is_told_in_one_line(tmp_path):
    program = (
        "import sys; sys.modules['solara'] = None\nfrom sim.cli import main\nsys.exit(main(['dashboard', '--no-browser', '--port', '0']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr == "abm: abm dashboard: needs Solara and what its pages are made of; install it with: pip install 'abm[dashboard]'\n"


def test_what_needs_no_page_imports_no_solara():
    modules = "choice, desk, link, market, numbers, offer, pictures, replicating, saving, serving, session"
    heavy = {"solara", "mesa", "matplotlib", "uvicorn", "pandas"}
    program = f"import sys\nfrom sim.dashboard import {modules}\nsys.exit(' '.join({heavy!r} & sys.modules.keys()) or 0)"
    subprocess.run([sys.executable, "-c", program], env={"PYTHONPATH": str(ROOT)}, check=True)
