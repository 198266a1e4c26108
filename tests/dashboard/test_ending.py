"""The end of the dashboard while it is at work."""

from __future__ import annotations

import os
import re
import signal

import pytest

pytestmark = pytest.mark.slow


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


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_a_page_whose_server_has_gone_says_so(new_page, serve, picture, size):
    from playwright.sync_api import expect

    page = new_page(size)
    with serve() as (address, _):
        page.goto(f"{address}?scenario=two_million&users=200000&days=260&registration_audit=0.9")
        alert = page.get_by_role("alert").get_by_text("The dashboard has ended")
        expect(page.get_by_text(re.compile("ready for the policy"))).to_be_visible()
        page.get_by_label("Name of the scenario").scroll_into_view_if_needed()
        with page.expect_response("**/readyz") as answer:
            pass
        assert answer.value.ok
        expect(alert).to_have_count(0)
    expect(alert).to_be_in_viewport()
    expect(alert).to_contain_text("start abm dashboard again; the link in the address restores this page")
    picture(page, f"ended_{size}")
    page.close()


@pytest.mark.parametrize("opened", [True, False], ids=["with a page", "before any page"])
def test_ctrl_c_again_and_again_ends_as_one_does(new_page, serve, opened):
    page = new_page()
    with serve() as (address, process):
        if opened:
            page.goto(f"{address}?scenario=two_million")
            page.get_by_role("button", name="Play").wait_for()
        for _ in range(3):
            os.kill(process, signal.SIGINT)
            page.wait_for_timeout(30)
    page.close()
