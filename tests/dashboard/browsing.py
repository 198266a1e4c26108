"""The dashboard as a person has it, the command and a browser; for its tests, its times and its picture."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import threading
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
    """A command that serves: its address, its process, and what it said beside the address until its end."""

    address: str
    process: subprocess.Popen[str]
    rest: str = ""


class _Heard:
    """What a command says, read as it comes so that it never waits for a reader."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.address = ""
        self.others: list[str] = []
        self.known = threading.Event()
        self._process = process
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self._process.stderr or ():
            found = None if self.address else re.search(r"http://127\.0\.0\.1:\d+/", line)
            if found is None:
                self.others.append(line)
            else:
                self.address = found[0]
                self.known.set()
        self.known.set()

    @property
    def rest(self) -> str:
        """Return what was said beside the address, to its end."""
        self._reader.join(SECONDS_TO_ANSWER)
        return "".join(self.others)


@contextmanager
def served(line: Sequence[str], **how: Any) -> Iterator[Served]:
    """Start a command in a process group of its own, give its address once it is told, and end it by Ctrl-C."""
    heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # also where a shell started us to ignore it
    how |= {"stderr": subprocess.PIPE, "text": True, "start_new_session": True, "preexec_fn": heed}  # which does nothing but that
    with subprocess.Popen(line, **how) as process:
        heard = _Heard(process)
        try:
            heard.known.wait(SECONDS_TO_ANSWER)
            if not heard.address:
                process.kill()
                raise RuntimeError(f"the command told no address: {heard.rest}")
            command = Served(heard.address, process)
            yield command
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(SECONDS_TO_ANSWER)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
        command.rest = heard.rest


def chromium() -> str | None:
    """Return the program of the browser, if there is one."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@contextmanager
def browsers() -> Iterator[Any]:
    """Start the browser; raises `NoBrowserError` where there is none, or no library to drive it."""
    program = chromium()
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        raise NoBrowserError("playwright is not installed") from None
    if program is None:
        raise NoBrowserError("there is no chromium")
    with sync_playwright() as playwright:
        try:
            started = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        except Error as error:
            raise NoBrowserError(f"{program} does not start: {str(error).splitlines()[0]}") from error
        try:
            yield started
        finally:
            started.close()


def opened(browser: Any, size: str = "desktop") -> Any:
    """Return an empty page."""
    page = browser.new_page(viewport=SIZES[size], accept_downloads=True)
    page.set_default_timeout(1000 * SECONDS_TO_ANSWER)
    return page
