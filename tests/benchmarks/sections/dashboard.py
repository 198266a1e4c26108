"""How soon the dashboard shows a chart, and how soon it answers while 12 million users run, in a real browser."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from statistics import median
from typing import TYPE_CHECKING

from children import ROOT, Setting, clean_environment
from ratios import Row, compared, missing

from sections.start_up import ABM, seconds

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PEER = "python -c 'import solara'"
LEVER = "Registration audit"
_MOST_MILLISECONDS = 120_000


@contextmanager
def served() -> Iterator[str]:
    """Start the command; give the address of the page once it is told."""
    line = [sys.executable, "-c", ABM, "dashboard", "--port", "0", "--no-browser"]
    with subprocess.Popen(line, cwd=ROOT, env=clean_environment(ours=True), stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = process.stderr.readline()
        found = re.search(r"http://\S+/", said)
        if found is None:
            raise RuntimeError(said + process.stderr.read())
        try:
            yield found[0]
        finally:
            process.send_signal(signal.SIGINT)
            process.stderr.read()


def opened(browser: Browser, address: str, query: str) -> Page:
    """Open the page; return it when its first chart is there."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(_MOST_MILLISECONDS)
    page.goto(address + query)
    page.locator('img[alt*="days 0 to"]').first.wait_for()
    return page


def reaction(page: Page) -> float:
    """Press a key on a slider; return the seconds until its label says so, which the command has to tell it."""
    page.get_by_role("slider", name=LEVER).focus()
    before = page.locator(".abm-lever label").first.inner_text()
    start = time.perf_counter()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("before => document.querySelector('.abm-lever label').innerText !== before", arg=before)
    return time.perf_counter() - start


def reactions(page: Page, count: int, runs: bool) -> list[float]:
    """Return how long a key takes while nothing runs, or while the pair does."""
    spent = []
    for _ in range(count):
        if runs:
            play = page.get_by_role("button", name="Play")
            if play.count():
                play.click()
            page.locator(".abm-state", has_text="both runs are going").wait_for()
        spent.append(reaction(page))
    return spent


def measure(setting: Setting) -> list[Row]:
    """Time the first chart from a start of the command, and the keys of one page, idle and running in turn."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None or find_spec("playwright") is None:
        return [missing("dashboard", "first chart, reaction", "no chromium, or playwright is not installed")]
    from playwright.sync_api import sync_playwright

    starts, keys = setting.of((5, 20), (1, 3))
    query = setting.of("", "?users=200000")
    told: list[float] = []
    first: list[float] = []
    alone: list[float] = []
    idle: list[float] = []
    busy: list[float] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        for _ in range(starts):
            alone.append(seconds(("-c", "import solara")))
            start = time.perf_counter()
            with served() as address:
                told.append(time.perf_counter() - start)
                page = opened(browser, address, query)
                first.append(time.perf_counter() - start)
                page.close()
        with served() as address:
            page = opened(browser, address, query)
            page.locator(".abm-state", has_text="ready for the policy").wait_for()
            for _ in range(2):
                idle += reactions(page, keys, runs=False)
                busy += reactions(page, keys, runs=True)
                page.get_by_role("button", name="Reset").click()
                page.locator(".abm-state", has_text="ready for the policy").wait_for()
            page.close()
        browser.close()
    users = setting.of("12,000,000", "200,000")
    what = f"a key on a slider until its label says so, a pair of {users} users running"
    setting.say(f"the address is told after {median(told):.2f} s; the slowest key while running took {max(busy):.3f} s")
    return [
        compared("dashboard", "abm dashboard, command to first chart", "s", first, PEER, alone, "ours/peer"),
        compared("dashboard", what, "s", busy, "the same, nothing running", idle, "ours/peer"),
    ]
