"""The report as a page: which sections it has, and the template that writes it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from sim.report import ground, over, pictures, policies
from sim.report.answer import answer, robust_answer, run_answer
from sim.report.blocks import Page, Paragraph, Section, say
from sim.report.material import Material

_RUN_SHOWN = (
    "stock_rented", "supply_account_days", "price_yuan", "commission_yuan", "expected_harm_yuan", "victims", "owners_banned",
    "innocents_sanctioned", "enforcement_cost_yuan",
)  # fmt: skip
_SPECIAL = re.compile(r"([\\`*\[\]<>|~#])|(?<!\w)(_)|(_)(?!\w)")


def page_of(material: Material) -> Page:
    """Return the report of finished runs: the sections that apply, in the order in which a reader needs them."""
    plan = material.plan
    if material.comparison is not None:
        own = [answer(material), policies.side_by_side(material)]
        own += [] if plan.axes else [policies.one_by_one(material)]
        own += [*([] if plan.axes else [over.robustness(material)]), over.thresholds(material)]
    elif material.robust is not None:
        own = [robust_answer(material), over.robustness(material)]
    elif plan.baseline is not None:
        text = "Nothing can be compared: no run of a policy and its twin of the baseline both finished. The manifest has the tracebacks."
        own = [Section("answer", "The answer", [Paragraph(say(text))])]
    else:
        own = [run_answer(material, _RUN_SHOWN)]
    sections = [*own, pictures.figures(material), ground.evidence(material), ground.limits()]
    return Page(
        plan.title or plan.name, plan.question, _about(material), [s for s in sections if s.blocks], ground.facts(material), ground.FOOT
    )


def _about(material: Material) -> str:
    """Say in a sentence what was run."""
    plan = material.plan
    runs = "one run" if plan.replications == 1 else f"{plan.replications} runs"
    shared = " with the same luck" if plan.baseline is not None else ""
    failed = f" {len(material.done.failures)} runs failed and are left out." if material.done.failures else ""
    each = " of each scenario" if len(plan.scenarios) > 1 else ""
    return f"{material.users:,} users, {material.first.run.days} days, {runs}{each}{shared}.{failed}"


def written(page: Page, kind: str, place: Path) -> str:
    """Write a page as `html`, with everything it needs in it, or as `md`, with figures as links from the file `place`."""
    environment = Environment(
        loader=PackageLoader("sim.report"),
        autoescape=select_autoescape(("html.jinja",)),  # what stands in a page of Markdown goes through `plain`
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"md": plain, "keep": _kept, "link": _linked(place)}
    return environment.get_template(f"page.{kind}.jinja").render(page=page)


def plain(text: str) -> str:
    """Return a text so that Markdown shows it as it is."""
    return _SPECIAL.sub(lambda match: "\\" + match[0], " ".join(str(text).split()))


def _kept(text: str) -> str:
    """Return a text in which no line ends between a number and its per cent."""
    return text.replace(" %", "\N{NO-BREAK SPACE}%")


def _linked(place: Path) -> Callable[[str], str]:
    """Return a filter that writes the path of a figure as a link from the folder of `place`."""
    folder = place.resolve().parent
    return lambda file: Path(os.path.relpath(Path(file).resolve(), folder)).as_posix().replace(" ", "%20")
