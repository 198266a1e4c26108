"""Figures of a results directory, made ready to stand in a page."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from textwrap import shorten
from xml.etree import ElementTree as ET

from sim.comparison import Runs
from sim.given import open_folders
from sim.names import name_of
from sim.report.blocks import Block, Command, Paragraph, Picture, Section, say
from sim.report.material import Material, place_of

_SHOWS = {
    "forest": "What every policy does to every outcome asked for: change in per cent of the baseline, a panel an outcome.",
    "harm_against_cost": "Expected harm against enforcement cost, a bubble a policy; its area is the number of innocents sanctioned.",
    "who_is_hurt": "Who is hurt under each policy: owners banned by segment, innocents, helpers, victims; means a day.",
    "supply_by_channel": "Effective supply by channel over days, stacked, with the baseline's in the background.",
    "difference_over_time": "Paired differences from the baseline day by day, with bands: rented accounts, supply, price, expected harm.",
    "shared_luck": "How many times as many independent runs it takes to tell as much as pairs on the same seeds, with intervals.",
    "robustness": "Each effect at the ledger's own values with its interval over luck and, below it, its spread over parameters.",
    "dose_response": "Outcomes against the level of the one key that was varied, with bands; a panel an outcome.",
}
"""What each figure shows: its caption, and its description for those who cannot see it."""

_SVG, _XLINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}"
_LEFT = {"metadata", "style"}  # when it was made, and a style that would hold for the whole page
_DRAWS = {
    "svg", "g", "defs", "use", "symbol", "clipPath", "pattern", "marker", "linearGradient", "radialGradient", "stop", "path", "rect",
    "circle", "ellipse", "line", "polyline", "polygon", "text", "tspan", "image",
}  # fmt: skip
"""Elements that draw and do nothing else."""
_TURNS = {"matrix", "translate", "scale", "rotate", "skewX", "skewY", "rgb", "rgba"}
_CALL = re.compile(r"([\w-]*)\(\s*(.?)")
_SCALES = (1.0, 1.3)
"""Pixels a point of a figure may have: letters of all figures are about equal, none too small to read."""
_BROAD = 620.0
"""Points from which a figure is printed on a page of its own, laid across."""
_SIZE = re.compile(r"0 0 ([\d.]+) ([\d.]+)")


def figures(material: Material) -> Section:
    """Return every figure that applies, or the command that draws what is missing."""
    section = Section("figures", "Figures")
    found = [material.done, *((material.robust,) if material.robust not in {None, material.done} else ()), *material.sweeps]
    missing: list[str] = []
    refused: list[str] = []
    for k, done in enumerate(found):
        if done is None or done.directory is None:
            continue
        names = list(done.plot.all())
        drawn = [name for name in names if (done.directory / "figures" / f"{name}.svg").is_file()]
        before = len(refused)
        for name in drawn:
            try:
                section.blocks.append(_picture(done.directory, name, f"f{k}-{name}-", done))
            except ValueError as problem:
                refused.append(f"{name}.svg of {done.plan.name} {problem}")
        if len(drawn) < len(names) or len(refused) > before:
            missing.append(place_of(done))
    section.blocks.extend(_draw(missing, refused))
    return section


def _draw(missing: Sequence[str], refused: Sequence[str]) -> list[Block]:
    """Say which figures are left out, and return the command that draws them."""
    if not missing:
        return []
    why = f"Left out, since a figure of abm does not do this: {'; '.join(refused)}." if refused else "Some figures are not drawn."
    typed: list[Block] = [
        Paragraph(say(f"{why} This draws them:")),
        Command("\n".join(shlex.join(["abm", "plot", path]) for path in missing)),
    ]
    left = open_folders(missing)
    return [*typed, Paragraph(say(f"{left}."))] if left else typed


def _picture(directory: Path, name: str, prefix: str, done: Runs) -> Picture:
    path = directory / "figures" / f"{name}.svg"
    shows = (
        _SHOWS.get(name) or f"{name_of(name.removeprefix('interaction_')).capitalize()} over the levels of the two keys that were varied."
    )
    if done.plan.baseline is None:
        shows = shows.replace(", with the baseline's in the background", "")
    if done.plan.axes:
        shows = f"{shows} Varied: {', '.join(vary.key for vary in done.plan.axes)}."
    key = f"{prefix}caption"
    drawing = inline(path.read_text(encoding="utf-8", errors="replace"), prefix, key)
    return Picture(str(path.with_suffix(".png")), shows, drawing, key, broad=_width(drawing) > _BROAD)


def _width(drawing: str) -> float:
    """Return how many points wide a drawing that `inline` returned is."""
    found = _SIZE.search(drawing)
    return float(found[1]) if found else 0.0


def inline(svg: str, prefix: str, caption: str) -> str:
    """Return the text of an SVG file as an element of a page: scalable, its ids its own, nothing of when it was made.

    The element with the id `caption` names it.

    What is written is what was read and looked at, element by element. Raises `ValueError` for what is no SVG of matplotlib's, and for one
    that holds more than a drawing: elements that do something else, and attributes that act or reach out of the page.
    """
    try:
        root = ET.fromstring(svg)  # noqa: S314  # reads no file and no address; entities are limited by expat, and written out
    except ET.ParseError as problem:
        raise ValueError("holds no SVG element") from problem
    size = _SIZE.fullmatch(root.get("viewBox", ""))
    if root.tag != f"{_SVG}svg" or size is None:
        raise ValueError("holds no SVG element with a view box")
    for element in root.iter():
        for child in [child for child in element if child.tag.removeprefix(_SVG) in _LEFT]:
            element.remove(child)
        name = element.tag.removeprefix(_SVG)
        if name == element.tag or name not in _DRAWS:
            raise ValueError(f"holds an element <{element.tag.rpartition('}')[2]}>")
        given = list(element.attrib.items())
        element.tag = name
        element.attrib.clear()
        element.attrib.update(_attribute(name, key, value, prefix) for key, value in given)
    width, height = size.groups()
    root.attrib.clear()
    root.attrib.update({"xmlns": _SVG[1:-1], "xmlns:xlink": _XLINK[1:-1], "role": "img", "aria-labelledby": caption})
    least, most = (round(float(width) * scale) for scale in _SCALES)
    root.attrib.update({"viewBox": f"0 0 {width} {height}", "style": f"min-width:{least}px;max-width:{most}px"})
    root.tail = None
    return ET.tostring(root, encoding="unicode")


def _attribute(element: str, key: str, value: str, prefix: str) -> tuple[str, str]:
    """Return an attribute as it stands in the page, with ids that begin with `prefix`; raises `ValueError` for one that does more."""
    name = key.replace(_XLINK, "xlink:")
    if name.lower() in {"href", "xlink:href"}:
        if value.startswith("#"):
            return name, f"#{prefix}{value[1:]}"
        if element == "image" and value.startswith("data:image/"):
            return name, value
    elif not (name.lower().startswith(("on", "{")) or "\\" in value or any(_reaches(*call) for call in _CALL.findall(value))):
        return name, prefix + value if name == "id" else value.replace("url(#", f"url(#{prefix}")
    raise ValueError(f"has an attribute {name.rpartition('}')[2]} that does more than draw: {shorten(value, 60)}")


def _reaches(function: str, first: str) -> bool:
    """Say whether a function in the value of an attribute may lead out of the drawing."""
    return function not in _TURNS and (function, first) != ("url", "#")
