"""The end of the dashboard while it is at work."""

from __future__ import annotations

import re

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("dashboard")]


def test_ctrl_c_ends_pairs_of_runs_that_are_under_way(new_page, serve):
    from playwright.sync_api import expect

    page = new_page()
    with serve() as (address, _):  # which looks how it ends, and that nothing outlives it
        page.goto(f"{address}?scenario=two_million&registration_audit=0.9")
        page.get_by_label("Pairs of runs").fill("200")
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Run 200 pairs").click()
        expect(page.get_by_text(re.compile(r"^[1-9]\d* of 400 runs done"))).to_be_visible()
    page.close()
