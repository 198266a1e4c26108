"""The dashboard in a real browser: what a person does with it, and what is then on the page."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from sim.dashboard.choice import GROUPS
from sim.dashboard.numbers import NUMBERS
from sim.dashboard.pictures import CHARTS
from sim.store import Results

pytestmark = pytest.mark.slow

SQUEEZE = ("Registration audit", "Assisted verification", "Unsealing strictness")
QUICK = "?scenario=two_million&users=200000&days=260"
STATE = ".abm-state"

LATE = """
const Native = window.WebSocket;
window.WebSocket = class extends Native {
  set onmessage(hear) { super.onmessage = (event) => setTimeout(() => hear(event), 500); }
};
"""
"""Lets everything that Python says come to the page half a second late."""


def numbers(page, column: str) -> dict[str, float]:
    """Return a column of the table of numbers, to the last digit."""
    rows = page.locator("tr[data-outcome]").evaluate_all(
        "(rows, column) => rows.map(row => [row.dataset.outcome, row.querySelector(`[data-column=${column}]`).title])", column
    )
    return {name: float(text) for name, text in rows}


def expect(locator):
    from playwright.sync_api import expect as expected

    return expected(locator)


def pictures_of(page, days: int, pairs: str = "one pair of runs"):
    return page.locator(f'img[alt$="days 0 to {days - 1} of {pairs}"]')


def played(page, days: int = 540) -> None:
    """Play to the end, and wait for every picture of it."""
    page.get_by_role("button", name="Play").click()
    expect(page.locator(STATE)).to_have_text(f"day {days} of {days}: done")
    expect(pictures_of(page, days)).to_have_count(2 * len(CHARTS))


def moved(page, lever: str, presses: int) -> None:
    """Move a lever by the keyboard, a tenth a press."""
    slider = page.get_by_role("slider", name=lever)
    slider.focus()
    for _ in range(abs(presses)):
        page.keyboard.press("PageUp" if presses > 0 else "PageDown")


def test_a_supply_squeeze_from_the_first_look_to_the_file(visit, picture, abm, folder):
    page = visit()
    expect(pictures_of(page, 180)).to_have_count(2 * len(CHARTS))  # the days before the policy, without a click
    expect(page.locator(STATE)).to_have_text("day 180 of 540: paused, ready for the policy")
    for lever in SQUEEZE:
        moved(page, lever, 6)
        expect(page.get_by_role("slider", name=f"{lever}: 0.90, standing 0.30")).to_have_value("0.9")
    page.get_by_label("Pace").select_option("10 days a second")
    page.get_by_role("button", name="Play").click()
    expect(page.locator(STATE)).to_have_text(re.compile(r"day (18[1-9]|19\d) of 540: both runs are going"))
    page.get_by_role("button", name="Pause").click()
    expect(page.locator(STATE)).to_have_text(re.compile(r"of 540: paused$"))
    stopped = page.locator(STATE).inner_text()
    page.get_by_role("button", name="Step").click()
    expect(page.locator(STATE)).to_have_text(f"day {int(stopped.split()[1]) + 1} of 540: paused")
    page.get_by_label("Pace").select_option("as fast as it goes")
    played(page)
    picture(page, "desktop")
    policy, baseline = numbers(page, "policy"), numbers(page, "baseline")
    assert policy["stock_rented"] > 1.5 * baseline["stock_rented"]
    assert policy["stock_registered"] < 0.5 * baseline["stock_registered"]

    page.get_by_label("Name of the scenario").fill("squeezed")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download squeezed.toml").click()
    page.get_by_role("button", name="Write squeezed.toml").click()
    expect(page.get_by_text("squeezed.toml is written")).to_be_visible()
    assert download.value.path().read_text() == (folder / "squeezed.toml").read_text()
    page.get_by_role("button", name="Write squeezed.toml").click()
    expect(page.get_by_text("is there already; choose another name")).to_be_visible()

    abm("check", "squeezed.toml")
    abm("run", "squeezed.toml", "--seed", 1, "--replications", 1, "--out", "squeezed")
    run = Results(folder / "squeezed").runs.iloc[0]
    assert policy == {name: run[name] for name in NUMBERS}
    abm("run", "two_million.toml", "--seed", 1, "--replications", 1, "--out", "standing")
    run = pd.read_parquet(folder / "standing" / "runs.parquet").iloc[0]
    assert baseline == {name: run[name] for name in NUMBERS}

    page.get_by_role("button", name="Reset").click()
    expect(page.locator(STATE)).to_have_text("day 180 of 540: paused, ready for the policy")
    expect(pictures_of(page, 180)).to_have_count(2 * len(CHARTS))
    link = page.get_by_label("Link that restores this page").input_value()
    assert link == page.url
    assert link.endswith("?scenario=two_million&registration_audit=0.9&assisted_verification=0.9&unsealing_strictness=0.9")
    page.reload()
    expect(page.get_by_role("slider", name="Registration audit: 0.90, standing 0.30")).to_be_visible()
    for lever in SQUEEZE:
        expect(page.get_by_role("slider", name=lever)).to_have_value("0.9")


def test_a_lever_stays_where_it_is_moved_however_late_answers_come(visit):
    page = visit(QUICK, script=LATE)
    slider = page.get_by_role("slider", name="Registration audit")
    slider.focus()
    for value in ("0.4", "0.5", "0.6", "0.7", "0.8", "0.9"):
        page.keyboard.press("PageUp")
        page.wait_for_timeout(200)  # the answer to the press before the last comes in between
        assert slider.input_value() == value
    expect(page.get_by_text("Registration audit: 0.90, standing 0.30")).to_be_visible()
    page.wait_for_url("**&registration_audit=0.9")
    assert slider.input_value() == "0.9"


def test_a_lever_is_moved_by_the_mouse_put_back_and_moved_there_again(visit):
    page = visit(QUICK)
    slider = page.get_by_role("slider", name="Registration audit")
    box = slider.bounding_box()
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 1, box["y"] + box["height"] / 2, steps=60)
    page.mouse.up()
    expect(slider).to_have_value("1")
    expect(page.get_by_text("Registration audit: 1.00, standing 0.30")).to_be_visible()
    page.get_by_role("button", name="Everything as in the file").click()
    expect(page.get_by_text("Registration audit: 0.30, as standing")).to_be_visible()
    expect(slider).to_have_value("0.3")
    slider.press("End")
    expect(page.get_by_text("Registration audit: 1.00, standing 0.30")).to_be_visible()
    expect(slider).to_have_value("1")


def test_nothing_moved_changes_nothing(visit):
    page = visit(QUICK)
    played(page, 260)
    assert numbers(page, "baseline") == numbers(page, "policy")
    assert set(page.locator('td[data-column="difference"]').all_inner_texts()) == {"0"}
    assert set(numbers(page, "difference").values()) == {0.0}


def test_replications_give_intervals_and_can_be_given_up(visit, picture):
    page = visit(f"{QUICK}&registration_audit=0.9&ad_takedown=0.9")
    page.get_by_label("Pairs of runs").fill("4")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Run 4 pairs").click()
    expect(page.get_by_text("Means of days 240 to 259 over 4 pairs of runs")).to_be_visible()
    expect(pictures_of(page, 260, "4 pairs of runs")).to_have_count(2 * len(CHARTS))
    assert re.fullmatch(
        r"[-+][\d,.]+ \(-?[\d,.]+ to -?[\d,.]+\)", page.locator('[data-outcome="stock_registered"] [data-column="difference"]').inner_text()
    )
    expect(page.get_by_text("Your policy: ")).to_be_visible()
    picture(page, "replications")
    page.get_by_label("Pairs of runs").fill("200")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Run 200 pairs").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Run 200 pairs")).to_be_enabled()
    moved(page, "Registration audit", -1)
    expect(page.get_by_text("pairs of runs, with 95 %")).to_have_count(0)


def test_a_long_run_keeps_no_click_waiting(visit, market):
    page = visit(QUICK)
    expect(page.locator(STATE)).to_have_text("day 180 of 260: paused, ready for the policy")
    long_at_work = market()
    long_at_work.suspend()  # a day that lasts as long as this test
    try:
        moved(page, "Registration audit", 1)
        expect(page.get_by_role("slider", name="Registration audit: 0.40")).to_be_visible()
        page.get_by_text("Law: 2 levers").click()
        moved(page, "Legal certainty", 1)
        expect(page.get_by_text("Law: 2 levers, 1 moved")).to_be_visible()
        expect(page.locator(STATE)).to_have_text("day 0 of 260: the days before the policy, the same in both runs")
    finally:
        long_at_work.resume()
    expect(page.locator(STATE)).to_have_text("day 180 of 260: paused, ready for the policy")


def test_what_is_typed_stays_while_days_come_in(visit):
    page = visit(QUICK)
    page.get_by_label("Pace").select_option("10 days a second")
    page.get_by_role("button", name="Play").click()
    expect(page.locator(STATE)).to_have_text(re.compile("both runs are going"))
    field = page.get_by_label("Policy day")
    field.press("ControlOrMeta+a")
    before = page.locator(STATE).inner_text()
    field.press_sequentially("195", delay=400)
    assert page.locator(STATE).inner_text() != before, "no day came in while it was typed"
    expect(field).to_have_value("195")
    field.press("Enter")
    page.wait_for_url(re.compile("day=195"))
    field.fill("")
    field.press("Enter")
    expect(field).to_have_value("195")
    pairs = page.get_by_label("Pairs of runs")
    pairs.fill("1")
    pairs.press("Enter")
    expect(pairs).to_have_value("2")
    expect(pairs).to_have_accessible_description("2 to 200")
    name = page.get_by_label("Name of the scenario")
    name.press("ControlOrMeta+a")
    name.press_sequentially("as_i_typed_it", delay=20)
    expect(name).to_have_value("as_i_typed_it")
    expect(page.get_by_role("link", name="Download as_i_typed_it.toml")).to_be_visible()


def test_a_field_that_is_left_as_it_was_shows_what_is_chosen_later(visit):
    page = visit("?scenario=two_million&day=200")
    field = page.get_by_label("Policy day")
    for key in ("5", "Backspace", "Tab"):
        field.press(key)
    expect(field).to_have_value("200")
    page.get_by_role("button", name="Everything as in the file").click()
    expect(field).to_have_value("180")


def test_what_cannot_be_run_leaves_no_picture_of_what_was(visit, picture):
    page = visit(QUICK)
    expect(pictures_of(page, 180)).to_have_count(2 * len(CHARTS))
    page.get_by_text("Users, days and luck").click()
    for name, least in (("Days", "241"), ("Users", "1,000")):
        field = page.get_by_label(name, exact=True)
        field.fill("0")
        field.press("Enter")
        expect(page.get_by_text(re.compile(f"^{name} must be {least} to .*, not 0"))).to_be_visible()
        expect(field).to_have_value("0")
    expect(page.locator(STATE)).to_have_text("nothing is run")
    expect(page.locator('img[alt$=", nothing is run"]')).to_have_count(2 * len(CHARTS))
    picture(page, "nothing_is_run")
    for name, number in (("Days", "540"), ("Users", "2000000")):  # as the file has them
        field = page.get_by_label(name, exact=True)
        field.fill(number)
        field.press("Enter")
        expect(page.get_by_text(re.compile(f"^{name} must be"))).to_have_count(0)
        expect(field).to_have_value(number)
    page.wait_for_url("**/?scenario=two_million")
    expect(page.locator(STATE)).to_have_text("day 180 of 540: paused, ready for the policy")


def test_what_cannot_be_run_is_said_once_in_words_of_the_page(visit, picture):
    page = visit("?scenario=combined&users=200000&days=260")
    page.get_by_label("Policy day").fill("900")
    page.keyboard.press("Enter")
    page.get_by_text("Segments of users aimed at").click()
    for segment in ("Student", "Stay at home parent", "Freelancer", "Other"):
        page.get_by_label(segment).uncheck()
    said = (
        "The policy day 900 is after the run, whose last day is 259.",
        "Tick at least one segment of users: the policy is aimed at nobody.",
        "what is chosen cannot be run, so it is no scenario",  # where it is kept
    )
    expect(page.locator(".abm-fault")).to_have_text(said)
    picture(page, "said_once")


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_the_bar_stays_in_reach_and_keeps_the_focus_when_a_run_dies(visit, market, picture, size):
    page = visit(QUICK, size=size)
    expect(page.locator(STATE)).to_have_text("day 180 of 260: paused, ready for the policy")
    play = page.get_by_role("button", name="Play")
    play.focus()
    market().kill()
    expect(page.get_by_text("The process of the run died")).to_be_visible()
    expect(play).to_be_focused()
    picture(page, f"died_{size}")
    page.get_by_label("Name of the scenario").scroll_into_view_if_needed()
    expect(page.get_by_role("heading", level=1)).not_to_be_in_viewport()
    expect(play).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator(STATE)).to_have_text("day 260 of 260: done")


def test_the_page_says_which_language_it_speaks_and_may_be_zoomed(visit):
    page = visit(QUICK)
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("meta[name=viewport]")).to_have_attribute("content", "width=device-width, initial-scale=1")


def test_what_a_link_cannot_have_is_said(visit):
    page = visit("?scenario=supply_squeezed&registration_audit=1.5&nonsense=1&users=200000")
    for said in (
        'The link: scenario = "supply_squeezed": did you mean "supply_squeeze"?',
        'The link: registration_audit = "1.5": must be a number from 0 to 1',
        'The link: "nonsense" is nothing that a link sets',
    ):
        expect(page.get_by_text(said)).to_be_visible()
    expect(page.get_by_role("slider", name="Registration audit: 0.30, as standing")).to_be_visible()
    assert "users=200000" in page.url
    page.get_by_label("Policy day").fill("9999")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("day=9999"))  # the page has taken it over, and draws its levers anew
    moved(page, "Registration audit", 1)
    expect(page.get_by_text("is after the run, whose last day is 539")).to_be_visible()
    expect(page.locator(STATE)).to_have_text("nothing is run")
    page.get_by_role("button", name="Everything as in the file").click()
    expect(page.locator(STATE)).to_have_text("day 180 of 540: paused, ready for the policy")


def test_another_scenario_is_opened_as_its_file_has_it(visit):
    page = visit(QUICK)
    page.get_by_label("Scenario", exact=True).select_option("campus_campaign")
    page.get_by_text("Segments of users aimed at: 2 of 4").click()
    expect(page.get_by_label("Student")).to_be_checked()
    expect(page.get_by_label("Stay at home parent")).not_to_be_checked()
    expect(page.get_by_role("slider", name="Ad takedown: 0.60, standing 0.10")).to_be_visible()
    page.get_by_label("Freelancer").uncheck()
    expect(page.get_by_text("Segments of users aimed at: 1 of 4")).to_be_visible()
    page.wait_for_url("**/?scenario=campus_campaign&segments=student")


def test_a_phone_has_it_all_in_its_width_and_within_reach_of_the_keyboard(visit, picture):
    page = visit(f"{QUICK}&registration_audit=0.9", size="phone")
    expect(pictures_of(page, 180)).to_have_count(2 * len(CHARTS))
    picture(page, "phone")
    widths = page.evaluate("[document.documentElement.scrollWidth, document.querySelector('.abm').scrollWidth, window.innerWidth]")
    assert max(widths) == 390
    for group, names in GROUPS.items():
        summary = page.locator("summary", has_text=f"{group}: ")
        if not summary.evaluate("summary => summary.parentElement.open"):
            summary.focus()
            page.keyboard.press("Enter")
        for name in names:
            expect(page.get_by_role("slider", name=name.replace("_", " ").capitalize())).to_be_visible()
    page.get_by_role("button", name="Play").focus()
    page.keyboard.press("Enter")
    expect(page.locator(STATE)).to_have_text("day 260 of 260: done")
