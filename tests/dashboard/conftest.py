"""The dashboard as a person has it: the command, a browser, and a page of each test's own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path

import pytest

if str(Path(__file__).parent) not in sys.path:
    sys.path.insert(0, str(Path(__file__).parent))

import browsing

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
REQUIRED = "ABM_BROWSER"
"""Set to `required` where a missing browser is a failure: .ci/run does, since tests that are left out there would be nobody's."""


def needed() -> None:
    """Leave a test out where there is no browser."""
    if browsing.chromium() is None and os.environ.get(REQUIRED) == "required":
        pytest.fail(f"there is no chromium, and {REQUIRED}=required says that there must be")
    if browsing.chromium() is None:
        pytest.skip("there is no chromium to open the dashboard with: apt-get install chromium")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder where the command is started: a scenario for quick runs, and those that ship."""
    made = tmp_path_factory.mktemp("dashboard")
    (made / "scenarios").symlink_to(ROOT / "scenarios")
    (made / "two_million.toml").write_text('extends = "scenarios/baseline.toml"\n[population]\nusers = 2_000_000\n')
    return made


@contextmanager
def _served(folder: Path) -> Iterator[tuple[str, int]]:
    """Start `abm dashboard` and give its address and its process; it must end by Ctrl-C and take all that it started with it."""
    needed()
    line = [sys.executable, "-m", "sim", "dashboard", "two_million.toml", "--port", "0", "--no-browser", "--workers", "2"]
    with browsing.served(line, cwd=folder, env=ENVIRONMENT) as command:
        yield command.address, command.process.pid
    assert command.process.returncode == 130
    assert command.rest == "", "the command says something while it serves or ends"
    _wait_until_gone(command.process.pid)


@pytest.fixture(scope="module")
def command(folder: Path) -> Iterator[tuple[str, int]]:
    """Start the command for the tests of a module."""
    with _served(folder) as started:
        yield started


@pytest.fixture
def serve(folder: Path) -> Callable[[], AbstractContextManager[tuple[str, int]]]:
    """Return what starts a command for one test, and sees to how it ends."""
    return partial(_served, folder)


@pytest.fixture(scope="module")
def address(command: tuple[str, int]) -> str:
    """Return the address of the dashboard."""
    return command[0]


@pytest.fixture
def market(command: tuple[str, int]) -> Callable[[], object]:
    """Return the process that makes the days of the page opened last, which is the last that the command has started."""
    import psutil

    return lambda: max(psutil.Process(command[1]).children(recursive=True), key=lambda child: child.create_time())


def _wait_until_gone(group: int) -> None:
    for _ in range(10 * browsing.SECONDS_TO_ANSWER):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    pytest.fail("what the command started outlives it")


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    """Start the browser."""
    from playwright.sync_api import expect

    needed()
    expect.set_options(timeout=1000 * browsing.SECONDS_TO_ANSWER)
    with browsing.browsers() as started:
        yield started


@pytest.fixture
def new_page(browser) -> Callable[..., object]:
    """Return what makes an empty page."""
    return partial(browsing.opened, browser)


@pytest.fixture
def visit(new_page, address) -> Iterator[Callable[..., object]]:
    """Open the dashboard in a page of its own; nothing that the page asks for may be missing or come from elsewhere."""
    opened: list[object] = []
    wrong: list[str] = []

    def open_(query: str = "", size: str = "desktop", script: str = "") -> object:
        page = new_page(size)
        page.add_init_script(script)
        opened.append(page)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        ours = (address, f"blob:{address}", "data:")
        page.on("request", lambda asked: None if asked.url.startswith(ours) else wrong.append(f"asks elsewhere: {asked.url}"))
        page.on("response", lambda answer: wrong.append(f"{answer.status} {answer.url}") if answer.status >= 400 else None)
        page.goto(address + query)
        page.get_by_role("button", name="Play").wait_for()
        return page

    yield open_
    for page in opened:
        page.goto("about:blank")  # as a tab that is closed, which ends what the page has started
        page.close()
    assert not wrong


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Keep how a page looks, whole; the path is printed."""
    kept = tmp_path_factory.mktemp("screenshots")

    def keep(page, name: str, scrolls: str = ".abm") -> Path:
        size = page.viewport_size  # the dashboard scrolls in a part of its own
        page.set_viewport_size({**size, "height": page.locator(scrolls).evaluate("part => part.scrollHeight") + 40})
        path = kept / f"{name}.png"
        page.screenshot(path=path)
        page.set_viewport_size(size)
        sys.stdout.write(f"\nscreenshot: {path}\n")
        return path

    return keep


@pytest.fixture
def abm(folder: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run another command where the dashboard was started."""

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, "-m", "sim", *map(str, arguments)]
        return subprocess.run(line, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=600, check=True)

    return run
