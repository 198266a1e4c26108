"""What of a figure's file comes into the page: a drawing, and nothing that acts or reaches out."""

from __future__ import annotations

import re
from pathlib import Path

import html5lib
import pytest
from report_worlds import filled, plan_of

from sim.conduct import carry_out
from sim.report import write_report
from sim.report.pictures import _BROAD, _width, inline
from sim.store import Store

SVG = """<?xml version="1.0"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">
<svg xmlns:xlink="http://www.w3.org/1999/xlink" width="72pt" height="36pt" viewBox="0 0 72 36"
 xmlns="http://www.w3.org/2000/svg" version="1.1">
 <metadata><date>2020-01-01</date></metadata><defs><style type="text/css">*{stroke-linejoin: round}</style></defs>
 <defs><clipPath id="p1"/></defs>
 <g id="a" clip-path="url(#p1)"><use xlink:href="#a"/></g></svg>
"""


def test_two_figures_in_a_page_do_not_share_names():
    first, second = (inline(SVG, prefix, f"{prefix}caption") for prefix in ("f0-", "f1-"))
    assert re.findall(r'id="([^"]+)"|url\(#([^)]+)\)|href="#([^"]+)"', first) == [
        ("f0-p1", "", ""), ("f0-a", "", ""), ("", "f0-p1", ""), ("", "", "f0-a"),
    ]  # fmt: skip
    assert not set(re.findall(r'id="([^"]+)"', first)) & set(re.findall(r'id="([^"]+)"', second))
    assert 'role="img" aria-labelledby="f0-caption"' in first
    assert "2020" not in first
    assert "<style" not in first
    assert "DOCTYPE" not in first


def holding(inner):
    return SVG.replace("</svg>", f"{inner}</svg>")


IMAGE = '<image xlink:href="data:image/png;base64,iVBORw0KGgo//+=" width="9" height="9"/>'


def test_what_drawings_need_comes_in():
    drawn = '<g transform="translate(3 4) rotate(-90)" style="fill: #ff0000"><text x="1">a &lt; b (c)</text></g>'
    text = inline(holding(drawn + IMAGE), "f-", "")
    assert drawn in text
    assert "data:image/png;base64,iVBORw0KGgo//+=" in text
    html5lib.HTMLParser(strict=True).parse(f"<!DOCTYPE html><html><head><title>t</title></head><body>{text}</body></html>")


REFUSED = {
    "a script": ("<script>alert(1)</script>", "an element <script>"),
    "a script by another name": ('<s:script xmlns:s="http://www.w3.org/2000/svg">1</s:script>', "an element <script>"),
    "a page": ('<foreignObject><p xmlns="http://www.w3.org/1999/xhtml">x</p></foreignObject>', "an element <foreignObject>"),
    "an element of a page": ('<img xmlns="http://www.w3.org/1999/xhtml" src="x"/>', "an element <img>"),
    "what changes links": ('<set attributeName="href" to="javascript:1"/>', "an element <set>"),
    "a link": ('<a xlink:href="#a"><path d="M 0 0"/></a>', "an element <a>"),
    "what acts": ('<g onload="alert(1)"/>', "an attribute onload"),
    "what acts, in capitals": ('<g ONCLICK="alert(1)"/>', "an attribute ONCLICK"),
    "an address": ('<image href="http://example.org/x.png"/>', "an attribute href"),
    "an address of old": ('<use xlink:href="http://example.org/x.svg#a"/>', "an attribute xlink:href"),
    "a file": ('<image xlink:href="x.png"/>', "an attribute xlink:href"),
    "code": ('<use href="javascript:alert(1)"/>', "an attribute href"),
    "a page as data": ('<image href="data:text/html,x"/>', "an attribute href"),
    "a drawing as data": ('<use href="data:image/svg+xml,x#a"/>', "an attribute href"),
    "an address in a style": ('<g style="fill: url(http://example.org/x)"/>', "an attribute style"),
    "an address in quotes": ("<g style=\"fill: url('http://example.org/x')\"/>", "an attribute style"),
    "an address in capitals": ('<g style="fill: URL(//example.org/x)"/>', "an attribute style"),
    "an address in disguise": (r'<g style="fill: u\72l(http://example.org/x)"/>', "an attribute style"),
    "a set of images": ("<g style=\"mask-image: image-set('x.png' 1x)\"/>", "an attribute style"),
    "another base": ('<g xml:base="http://example.org"/>', "an attribute base"),
}


@pytest.mark.parametrize("which", REFUSED)
def test_what_does_more_than_draw_is_refused(which):
    inner, why = REFUSED[which]
    with pytest.raises(ValueError, match=f"(holds|has) {why}"):
        inline(holding(inner), "f-", "")


def test_the_outermost_element_is_looked_at_too():
    with pytest.raises(ValueError, match="has an attribute onload"):
        inline(SVG.replace(' version="1.1"', ' onload="alert(1)"'), "f-", "")


@pytest.mark.parametrize("text", ["<p>", "<p/>", "", "<svg viewBox='0 0 1 1'/>", SVG.replace("0 0 72 36", "0 0 a b")])
def test_what_is_no_figure_is_refused(text):
    with pytest.raises(ValueError, match="holds no SVG element"):
        inline(text, "f", "")


def test_comments_and_instructions_stay_outside():
    text = inline(holding('<!-- --><?xml-stylesheet href="http://example.org/x.css"?><text><![CDATA[<script>]]></text>'), "f-", "")
    assert not re.search("<!|<[?]|<script|example", text)
    assert "<text>&lt;script&gt;</text>" in text


def directory(path: Path) -> Path:
    plan = plan_of("lure_squeeze", replications=2)
    with Store(path) as store:
        filled(plan, store)
        store.write_manifest(plan.manifest(store, (), finished=False))
    carry_out(plan, path)
    return path


@pytest.mark.slow
def test_a_figure_that_does_more_than_draw_is_left_out_and_named(tmp_path):
    own = directory(tmp_path / "own")
    whole = write_report(own, tmp_path / "whole.html").read_text()
    forest = own / "figures" / "forest.svg"
    forest.write_text(forest.read_text().replace("</svg>", "<script>alert(1)</script></svg>"))
    (own / "figures" / "who_is_hurt.svg").write_bytes(b"\xff\xfe")
    for kind in ("html", "md"):
        text = write_report(own, tmp_path / f"less.{kind}", kind).read_text().replace("\\", "").replace("&lt;", "<").replace("&gt;", ">")
        assert "Left out, since a figure of abm does not do this: forest.svg of policies holds an element <script>;" in text
        assert "who_is_hurt.svg of policies holds no SVG element. This draws them:" in text
        assert "abm plot DIR/own" in text
        assert "DIR stands for the folder in which the results directory named after it lies." in text
    less = (tmp_path / "less.html").read_text()
    assert less.count("<svg") == whole.count("<svg") - 2
    assert "<script" not in less


@pytest.mark.parametrize(("points", "least", "most", "broad"), [(381.6, 382, 496, False), (1000.8, 1001, 1301, True)])
def test_letters_of_all_figures_are_about_equal(points, least, most, broad):
    text = inline(SVG.replace("0 0 72 36", f"0 0 {points} 300"), "f-", "")
    assert f'style="min-width:{least}px;max-width:{most}px"' in text
    assert (_width(text) > _BROAD) is broad
