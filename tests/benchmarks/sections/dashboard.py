"""How soon the dashboard shows a chart, and how soon it answers while 12 million users run, in a real browser."""

from __future__ import annotations

import sys
import time
from contextlib import AbstractContextManager
from statistics import median
from typing import TYPE_CHECKING

from browsing import NoBrowserError, Served, browsers, opened, served
from children import ROOT, Setting, clean_environment
from ratios import Row, compared, missing

from sections.start_up import ABM, seconds

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PEER = "python -c 'import solara'"
LEVER = "Registration audit"


def command() -> AbstractContextManager[Served]:
    """Return what starts the command, as a user of this checkout has it."""
    line = [sys.executable, "-c", ABM, "dashboard", "--port", "0", "--no-browser"]
    return served(line, cwd=ROOT, env=clean_environment(ours=True))


def shown(browser: Browser, address: str) -> Page:
    """Open the page; return it when its first chart is there."""
    page = opened(browser)
    page.goto(address)
    page.locator('img[alt*="days 0 to"]').first.wait_for()
    return page


def reaction(page: Page) -> float:
    """Press a key on a slider; return the seconds until its label says so, which the command has to tell it."""
    slider = page.get_by_role("slider", name=LEVER)
    slider.focus()
    label = page.locator(f'label[for="{slider.get_attribute("id")}"]').element_handle()
    before = label.inner_text()
    key = "ArrowRight" if float(slider.input_value()) <= 0.5 else "ArrowLeft"  # however many, none at the slider's end, where nothing moves
    start = time.perf_counter()
    page.keyboard.press(key)
    page.wait_for_function("([label, before]) => label.innerText !== before", arg=[label, before])
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
    try:
        with browsers() as browser:
            return measured(setting, browser)
    except NoBrowserError as error:
        return [missing("dashboard", "first chart, reaction", str(error))]


def measured(setting: Setting, browser: Browser) -> list[Row]:
    """Time all in a browser."""
    starts, keys = setting.of((5, 20), (1, 4))
    query = setting.of("", "?users=200000")
    told: list[float] = []
    first: list[float] = []
    alone: list[float] = []
    idle: list[float] = []
    busy: list[float] = []
    for _ in range(starts):
        alone.append(seconds(("-c", "import solara")))
        start = time.perf_counter()
        with command() as started:
            told.append(time.perf_counter() - start)
            page = shown(browser, started.address + query)
            first.append(time.perf_counter() - start)
            page.close()
    with command() as started:
        page = shown(browser, started.address + query)
        page.locator(".abm-state", has_text="ready for the policy").wait_for()
        for _ in range(2):
            idle += reactions(page, keys, runs=False)
            busy += reactions(page, keys, runs=True)
            page.get_by_role("button", name="Reset").click()
            page.locator(".abm-state", has_text="ready for the policy").wait_for()
        page.close()
    users = setting.of("12,000,000", "200,000")
    what = f"a key on a slider until its label says so, a pair of {users} users running"
    setting.say(f"the address is told after {median(told):.2f} s; the slowest key while running took {max(busy):.3f} s")
    return [
        compared("dashboard", "abm dashboard, command to first chart", "s", first, PEER, alone, "ours/peer"),
        compared("dashboard", what, "s", busy, "the same, nothing running", idle, "ours/peer"),
    ]
