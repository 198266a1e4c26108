"""The picture of the dashboard: the page after a supply squeeze, as a browser draws it."""

from __future__ import annotations

import re
import sys
from importlib.metadata import version
from io import BytesIO
from pathlib import Path

from browsing import browsers, opened, served
from PIL import Image, PngImagePlugin

from sim.dashboard.pictures import CHARTS

ROOT = Path(__file__).parents[2]
SQUEEZE = "?registration_audit=0.9&assisted_verification=0.9&unsealing_strictness=0.9"
SIZE = {"width": 1440, "height": 1240}
"""As far down as the first two charts, with numbers and levers beside."""


def dashboard() -> bytes:
    """Start the command, play both runs to the end and return the page as a PNG; raises `NoBrowserError` where there is no browser."""
    line = [sys.executable, "-m", "sim", "dashboard", "--port", "0", "--no-browser"]
    with browsers() as browser, served(line, cwd=ROOT) as command:
        page = opened(browser)
        page.set_viewport_size(SIZE)
        page.goto(command.address + SQUEEZE)
        page.get_by_role("button", name="Play").click()
        page.locator(".abm-state", has_text=re.compile(r"day (\d+) of \1: done")).wait_for()
        last = page.locator(".abm-state").inner_text().split()[1]
        page.wait_for_function(
            "([ends, count]) => document.querySelectorAll(`img[alt*='${ends}']`).length === count",
            arg=[f"days 0 to {int(last) - 1} of", 2 * len(CHARTS)],
        )
        page.mouse.move(0, 0)
        page.evaluate("document.activeElement.blur()")
        page.wait_for_timeout(1000)  # what moves on a page comes to rest
        drawn = page.screenshot(animations="disabled")
        page.close()
        return _signed(drawn, f"Chromium {browser.version}+matplotlib-{version('matplotlib')}")


def _signed(png: bytes, by: str) -> bytes:
    """Write into a PNG what drew it, as matplotlib does, so that pictures by different browsers are not held to a pixel."""
    about, file = PngImagePlugin.PngInfo(), BytesIO()
    about.add_text("Software", by)
    with Image.open(BytesIO(png)) as picture:
        picture.convert("RGB").save(file, format="png", pnginfo=about, optimize=True)
    return file.getvalue()
