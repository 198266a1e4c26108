"""Figures of a results directory, made ready to stand in a page."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path

from sim.comparison import Runs
from sim.report.blocks import Block, Command, Paragraph, Picture, Section, say
from sim.report.material import Material
from sim.report.phrases import called

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

_ID = re.compile(r'(?<=\bid=")([^"]+)(?=")')
_REFERENCE = re.compile(r'(?<=url\(#)([^)]+)(?=\))|(?<=href="#)([^"]+)(?=")')
_DROPPED = re.compile(r"<metadata>.*?</metadata>\s*|<style\b.*?</style>\s*", re.DOTALL)  # a style would hold for the whole page
_SIZE = re.compile(r'<svg\b[^>]*?\bviewBox="0 0 (?P<width>[\d.]+) (?P<height>[\d.]+)"[^>]*>', re.DOTALL)


def figures(material: Material) -> Section:
    """Return every figure that applies, or the command that draws what is missing."""
    section = Section("figures", "Figures")
    found = [material.done, *((material.robust,) if material.robust not in {None, material.done} else ()), *material.sweeps]
    missing = []
    for k, done in enumerate(found):
        if done is None or done.directory is None:
            continue
        names = list(done.plot.all())
        drawn = [name for name in names if (done.directory / "figures" / f"{name}.svg").is_file()]
        section.blocks.extend([_picture(done.directory, name, f"f{k}-{name}-", done) for name in drawn])
        if len(drawn) < len(names):
            missing.append(f"results/{done.plan.name}")
    section.blocks.extend(_draw(missing))
    return section


def _draw(missing: list[str]) -> list[Block]:
    if not missing:
        return []
    return [Paragraph(say("Some figures are not drawn; this draws them:")), Command("\n".join(f"abm plot {path}" for path in missing))]


def _picture(directory: Path, name: str, prefix: str, done: Runs) -> Picture:
    path = directory / "figures" / f"{name}.svg"
    shows = (
        _SHOWS.get(name) or f"{called(name.removeprefix('interaction_')).capitalize()} over the levels of the two keys that were varied."
    )
    if done.plan.axes:
        shows = f"{shows} Varied: {', '.join(vary.key for vary in done.plan.axes)}."
    return Picture(str(path.with_suffix(".png")), shows, shows, inline(path.read_text(encoding="utf-8"), prefix, shows))


def inline(svg: str, prefix: str, alt: str) -> str:
    """Return the text of an SVG file as an element of a page: scalable, with a description, its ids its own, nothing of when it was made.

    Raises `ValueError` for what is no SVG of matplotlib's.
    """
    found = _SIZE.search(svg)
    if found is None:
        raise ValueError("no SVG element with a view box")
    body = _DROPPED.sub("", svg[found.end() :])
    body = _ID.sub(lambda match: prefix + match[1], body)
    body = _REFERENCE.sub(lambda match: prefix + (match[1] or match[2]), body)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" role="img" aria-label="{escape(alt)}"'
    size = (
        f'viewBox="0 0 {found["width"]} {found["height"]}" style="min-width:{float(found["width"]):.0f}px"'  # or its letters are too small
    )
    return f"{head} {size}>{body.strip()}"
