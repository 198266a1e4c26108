"""The gallery of README: what each shipped experiment asks, its command, one figure, and a conclusion whose numbers come from its tables.

Sentences are words with numbers of `results/reference`; where the tables do not bear a sentence out, making it raises `ValueError`.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sim.exhibits import answers

_WIDTH = 140


@dataclass(frozen=True)
class Exhibit:
    """A shipped experiment in the gallery: question, command with what it takes, figure with its description, and what it answers."""

    question: str
    command: str
    name: str
    takes: str
    figure: str
    alt: str
    answer: Callable[[Path], str]

    @property
    def path(self) -> str:
        """Return where the figure is in `results/reference`."""
        return f"{self.name}/figures/{self.figure}.png"

    @property
    def written(self) -> str:
        """Return the command as one types it."""
        return f"abm {self.command} scenarios/experiments/{self.name}.toml"


EXHIBITS: Sequence[Exhibit] = (
    Exhibit(
        "How strictly should sign-ups be audited?",
        "compare",
        "policy_strength",
        "6 strengths beside that of today on 10 seeds, two minutes on 2 cores",
        "dose_response",
        "Rented accounts, supply, price, harm, blocked sign-ups and cost against the strength of the audit of sign-ups",
        answers.strength,
    ),
    Exhibit(
        "Which levers drive dealers to real people, and are two more than their sum?",
        "interactions",
        "supply_levers_factorial",
        "16 combinations of four levers on 4 seeds",
        "heatmap_baseline",
        "By how much pairs of four levers do more or less together than apart, by outcome",
        answers.levers,
    ),
    Exhibit(
        "Which lever of a package does the work?",
        "interactions",
        "package_shares",
        "32 combinations of five levers on 8 seeds, six minutes on 2 busy cores",
        "waterfall_baseline",
        "Shapley share of each lever in what the package does, by outcome",
        answers.package,
    ),
    Exhibit(
        "Which unknown numbers matter?",
        "sensitivity",
        "screening_morris",
        "six numbers of the ledger moved one after another from 35 points, four scenarios, 2 seeds each",
        "sensitivity_expected_harm_yuan",
        "How far each of six unknown numbers moves expected harm, what three policies do to it, and their order, beside luck",
        answers.screening,
    ),
    Exhibit(
        "Where does a policy fail?",
        "discover",
        "combined_discovery",
        "128 worlds from the ranges of eight uncertain numbers, 2 seeds each",
        "discovery_box_1",
        "Box of worlds in which both squeezes together fail",
        answers.worlds,
    ),
    Exhibit(
        "Which mix of levers is best?",
        "optimise",
        "cheapest_mix",
        "144 mixes of six levers in 3 members of the set of parameter vectors, winners and shipped policies again on 8 fresh seeds",
        "front",
        "Expected harm against cost of the mixes tried, with the shipped policies",
        answers.mix,
    ),
    Exhibit(
        "What does shared luck save?",
        "compare",
        "paired_variance",
        "four levers, each stronger by .1, 60 pairs each",
        "shared_luck",
        "How many times as many independent runs it takes to know the effects of small changes as well, by outcome and lever",
        answers.luck,
    ),
)
"""The shipped experiments in the order of the gallery; the comparison of policies opens README."""


def gallery(results: Path, exhibits: Iterable[Exhibit] = EXHIBITS) -> str:
    """Return the gallery in Markdown; raises `ValueError` where a sentence is not borne out by the tables."""
    return "\n".join(_shown(exhibit, results) for exhibit in exhibits)


def watched(results: Path) -> str:
    """Return what the pictures of the supply squeeze show, in Markdown."""
    return "\n".join([*_wrapped(answers.squeeze(results)), ""])


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False)


def _shown(exhibit: Exhibit, results: Path) -> str:
    try:
        answer = exhibit.answer(results)
    except FileNotFoundError as error:
        answer = f"*Not yet computed: `{Path(str(error.filename)).name}` does not exist.*"
    text = f"**{exhibit.question}** `{exhibit.written}` ({exhibit.takes}): {answer}"
    return "\n".join([*_wrapped(text), "", f"![{exhibit.alt}](results/reference/{exhibit.path})", ""])
