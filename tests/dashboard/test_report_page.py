"""The report of real runs: its sentences say what its tables say, and a browser shows it to anybody, on any screen and on paper."""

from __future__ import annotations

import re
import sys
from html import unescape
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))  # as their own tests have it

from browsing import SIZES
from report_numbers import NUMBER, Tables, hold, is_about_reading
from report_worlds import lines_of

from sim.cli import main
from sim.report.material import read
from sim.report.page import page_of, plain
from sim.report.writing import write_report

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
EXPERIMENT = ROOT / "scenarios" / "experiments" / "policy_comparison.toml"
EXPONENT = re.compile(r"\d[eE][+-]?\d")

CONTRASTS = """() => {
  const parsed = text => { const n = text.match(/[\\d.]+/g).map(Number); return n.length > 3 ? n : [...n, 1]; };
  const over = (top, under) => [0, 1, 2].map(k => top[k] * top[3] + under[k] * (1 - top[3])).concat(1);
  const part = c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const light = c => 0.2126 * part(c[0]) + 0.7152 * part(c[1]) + 0.0722 * part(c[2]);
  const ground = element => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) layers.push(parsed(getComputedStyle(at).backgroundColor));
    return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255, 1]);
  };
  const found = [];
  const look = (text, element, style) => {
    const under = ground(element), ink = over(parsed(style.color), under);
    const [low, high] = [light(ink), light(under)].sort((a, b) => a - b);
    const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    found.push({text: text.slice(0, 60), ratio: (high + 0.05) / (low + 0.05), least: large ? 3 : 4.5});
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const seen = walker.currentNode.textContent.trim() && !element.closest("svg") && element.checkVisibility({visibilityProperty: true});
    if (seen) look(walker.currentNode.textContent.trim(), element, getComputedStyle(element));
  }
  for (const cell of document.querySelectorAll(".wide td")) {
    const style = getComputedStyle(cell, "::before");
    if (style.content.startsWith('"')) look(style.content, cell, style);
  }
  return found;
}"""
"""Contrast of every visible text with what is painted behind it, and the least that WCAG AA asks for; figures have their own ground."""


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """Return the results directory of the shipped comparison, of fewer users and runs, made in another folder than this one."""
    place = tmp_path_factory.mktemp("report") / "policies"
    words = [
        str(EXPERIMENT),
        "--set",
        "population.users=200000",
        "--set",
        "run.days=360",
        "--replications",
        "4",
        "--workers",
        "2",
        "--out",
        str(place),
        "--quiet",
    ]
    assert main(["compare", *words]) == 0
    write_report(place, kind="md")
    return place


def told(html):
    """Return the lines of a page that name rows: their texts, and the rows."""
    for cited, text in re.findall(r'<span data-rows="([^"]+)">(.*?)</span>', html, re.DOTALL):
        yield unescape(re.sub("<[^>]+>", "", text)).replace("\N{NO-BREAK SPACE}", " "), cited.split()


def test_every_sentence_of_real_runs_says_what_its_rows_say(real):
    material = read(real)
    html, markdown = ((real / f"report.{kind}").read_text() for kind in ("html", "md"))
    tables, lines, numbers, clauses = Tables.of(material), list(told(html)), 0, 0
    for text, cited in lines:
        if cited != ["ledger"]:
            found = hold(text, cited, tables, (str(len(material.policies)), "4"))
            numbers, clauses = numbers + found[0], clauses + found[1]
    assert numbers > 300
    assert clauses > 100
    assert [line for line, _ in lines if "cases to" in line]
    page = page_of(material)
    assert [(f"{line.lead}. " if line.lead else "") + line.text for line in lines_of(page) if line.rows] == [text for text, _ in lines]
    assert all(plain(line.text) in markdown for line in lines_of(page))
    quiet = [line.text for line in lines_of(page, "answer", "each") if not line.rows and not is_about_reading(line.text)]
    assert not [text for text in quiet if NUMBER.search(text)]


def test_numbers_are_written_out_and_no_path_of_a_machine_is_told(real):
    for kind in ("html", "md"):
        text = (real / f"report.{kind}").read_text()
        said = re.sub(r"<svg.*?</svg>|<style>.*?</style>", "", text, flags=re.DOTALL)
        assert not EXPONENT.findall(re.sub(r"\b[0-9a-f]{12,}\b", "", said))  # hashes are no numbers
        assert str(real.parent) not in text
        assert str(ROOT) not in text
        assert "--out DIR/policies" in text
        assert text.count("DIR stands for the folder in which the results directory named after it lies") == 3


@pytest.fixture
def open_report(new_page, real):
    """Open the report in a page; it may ask for nothing but itself and complain of nothing."""
    asked, wrong, address = [], [], (real / "report.html").as_uri()

    def open_(size):
        page = new_page(size)
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda message: wrong.append(message.text) if message.type in {"error", "warning"} else None)
        page.goto(address)
        return page

    yield open_
    assert set(asked) == {address}
    assert not wrong


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_a_browser_shows_it_whole_and_anybody_can_read_it(open_report, picture, size, scheme):
    page = open_report(size)
    page.emulate_media(color_scheme=scheme)
    wide = page.evaluate("[document.documentElement.scrollWidth, document.body.scrollWidth, innerWidth]")
    assert max(wide[:2]) <= wide[2] == SIZES[size]["width"]
    contrasts = page.evaluate(CONTRASTS)
    assert len(contrasts) > 500
    assert not [found for found in contrasts if found["ratio"] < found["least"]]
    picture(page, f"report_{size}_{scheme}", "html")
    page.close()


def test_a_screen_reader_names_each_figure_once(open_report):
    page = open_report("desktop")
    captions = [caption.inner_text() for caption in page.locator("figcaption").all()]
    assert len(captions) == page.locator("figure").count() == page.locator("figure svg").count() >= 5
    for caption in captions:
        assert page.get_by_role("img", name=caption, exact=True).count() == 1
        assert page.get_by_role("region", name=caption).count() == 0
    page.close()


def test_it_prints(open_report, tmp_path):
    page = open_report("desktop")
    paper = tmp_path / "report.pdf"
    page.pdf(path=paper, format="A4", prefer_css_page_size=True)
    sheets = re.findall(rb"/Type\s*/Page\b", paper.read_bytes())
    assert paper.read_bytes().startswith(b"%PDF-")
    assert 5 <= len(sheets) <= 60
    page.close()
