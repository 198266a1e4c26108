"""The dashboard as a person has it, the command and a browser; for its tests, its times and its picture."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

SECONDS_TO_ANSWER = 120
"""Before a page is given up: a machine may have more to do. No test waits so long for what does come."""

SIZES = {"desktop": {"width": 1440, "height": 900}, "phone": {"width": 390, "height": 844}}


class NoBrowserError(RuntimeError):
    """There is no browser, or nothing to drive it with."""


@dataclass
class Served:
    """A command that serves: its address, its process, and what it said between the address and its end."""

    address: str
    process: subprocess.Popen[str]
    rest: str = ""


@contextmanager
def served(line: Sequence[str], **how: Any) -> Iterator[Served]:
    """Start a command in a process group of its own, give its address once it is told, and end it by Ctrl-C."""
    heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # also where a shell started us to ignore it
    with subprocess.Popen(line, stderr=subprocess.PIPE, text=True, start_new_session=True, preexec_fn=heed, **how) as process:  # noqa: PLW1509  # no threads here
        assert process.stderr is not None
        said = process.stderr.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+/", said)
        if found is None:
            raise RuntimeError(said + process.stderr.read())
        command = Served(found[0], process)
        try:
            yield command
        finally:
            process.send_signal(signal.SIGINT)
            command.rest = process.stderr.read()
            process.wait(SECONDS_TO_ANSWER)


def chromium() -> str | None:
    """Return the program of the browser, if there is one."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@contextmanager
def browsers() -> Iterator[Any]:
    """Start the browser; raises `NoBrowserError` where there is none, or no library to drive it."""
    program = chromium()
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        program = None
    if program is None:
        raise NoBrowserError("there is no chromium, or playwright is not installed")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        try:
            yield started
        finally:
            started.close()


def opened(browser: Any, size: str = "desktop") -> Any:
    """Return an empty page."""
    page = browser.new_page(viewport=SIZES[size], accept_downloads=True)
    page.set_default_timeout(1000 * SECONDS_TO_ANSWER)
    return page
