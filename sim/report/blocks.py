"""What a page is made of, whichever format it is written in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar


@dataclass(frozen=True)
class Line:
    """A sentence or more; `rows` name the rows of tables that its numbers come from, as `table/outcome/scenario`."""

    text: str
    lead: str = ""
    rows: tuple[str, ...] = ()


@dataclass(frozen=True)
class Paragraph:
    """A paragraph."""

    kind: ClassVar[str] = "paragraph"
    line: Line


@dataclass(frozen=True)
class Items:
    """A list."""

    kind: ClassVar[str] = "items"
    lines: Sequence[Line]


@dataclass(frozen=True)
class Heading:
    """A heading below that of a section."""

    kind: ClassVar[str] = "heading"
    text: str


@dataclass(frozen=True)
class Grid:
    """A table: cells as text, the first column heads its rows; with `numbers` the others are aligned to the right."""

    kind: ClassVar[str] = "grid"
    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: bool = True


@dataclass(frozen=True)
class Picture:
    """A figure with its caption; `file` is its path in the results directory, `svg` its drawing, ready to stand in a page.

    `key` is the anchor of the caption, which names the drawing to those who cannot see it.

    One that is `broad` is printed on a page laid across.
    """

    kind: ClassVar[str] = "picture"
    file: str
    caption: str
    svg: str
    key: str
    broad: bool = False


@dataclass(frozen=True)
class Command:
    """A command to type."""

    kind: ClassVar[str] = "command"
    text: str


Block = Paragraph | Items | Heading | Grid | Picture | Command


@dataclass(frozen=True)
class Section:
    """A part of the page with a heading; `key` is its anchor."""

    key: str
    title: str
    blocks: list[Block] = field(default_factory=list)


@dataclass(frozen=True)
class Page:
    """A whole page: `question` and `about` stand below the title, `facts` and `foot` at the foot."""

    title: str
    question: str
    about: str
    sections: Sequence[Section]
    facts: Sequence[tuple[str, str]]
    foot: str


def say(text: str, *rows: str, lead: str = "") -> Line:
    """Return a line whose numbers come from `rows`."""
    return Line(text, lead, rows)
