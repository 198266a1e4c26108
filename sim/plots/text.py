"""Texts in figures: what the user wrote is drawn literally, in fonts that have its characters."""

from __future__ import annotations

import logging
import textwrap
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache, wraps
from io import BytesIO
from typing import ParamSpec, TypeVar

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font
from matplotlib.text import Text

P = ParamSpec("P")
R = TypeVar("R")

_HAN_FONTS = (
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN", "PingFang SC", "Microsoft YaHei", "Hiragino Sans GB",
    "Heiti SC", "STHeiti", "SimHei", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Droid Sans Fallback", "Noto Sans CJK JP",
    "Noto Sans CJK TC", "Arial Unicode MS",
)  # fmt: skip


def families() -> list[str]:
    """Return the font families to draw with: matplotlib's own, then any installed one that has Chinese."""
    own, installed = list(mpl.rcParams["font.family"]), {font.name for font in fontManager.ttflist}
    return own + [name for name in _HAN_FONTS if name in installed and name not in own]


@contextmanager
def calm() -> Iterator[None]:
    """Keep quiet that a font has no bold letters."""
    log = logging.getLogger("matplotlib.font_manager")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(level)


class Sheet(Figure):
    """A figure that a notebook shows by itself, whether pyplot is in use or not."""

    def _repr_png_(self) -> bytes:
        """Return the figure as the bytes of a PNG file."""
        file = BytesIO()
        with calm():
            self.savefig(file, format="png")
        return file.getvalue()


def drawn(draw: Callable[P, R]) -> Callable[P, R]:
    """Make a figure function draw all text literally (no `$` for mathematics) and with `families`."""

    @wraps(draw)
    def literally(*args: P.args, **options: P.kwargs) -> R:
        with calm(), mpl.rc_context({"text.parse_math": False, "text.usetex": False, "font.family": families()}):
            return draw(*args, **options)

    return literally


def literal(axes: Iterable[Axes]) -> None:
    """Do the same for the texts that given axes already have, such as their title."""
    for ax in axes:
        for text in ax.findobj(Text):
            if isinstance(text, Text):
                text.set(parse_math=False, usetex=False, family=families())


@lru_cache(maxsize=8)
def _characters(names: tuple[str, ...]) -> frozenset[int]:
    """Return the characters that some family has both in regular and in bold."""
    found: set[int] = set()
    for name in names:
        with calm():
            regular, bold = (get_font(findfont(FontProperties(family=[name], weight=weight))) for weight in ("normal", "bold"))
        found |= regular.get_charmap().keys() & bold.get_charmap().keys()
    return frozenset(found)


def readable(text: str, instead: str) -> str:
    """Return a text on one line as the fonts at hand can draw it: without symbols they lack, or `instead` where they lack letters."""
    text = " ".join(text.split())
    if text.isascii() and text.isprintable():
        return text or instead
    missing = {character for character in text if ord(character) not in _characters(tuple(families()))}
    if any(character.isalnum() for character in missing):
        return instead
    return " ".join("".join(character for character in text if character not in missing).split()) or instead


def wrapped(text: str, width: int, lines: int | None = None) -> str:
    """Break a text into lines of at most `width` characters, Chinese ones counting two; what is beyond `lines` lines is left out."""
    cells = sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
    narrow = max(4, width * len(text) // max(cells, 1))
    broken = textwrap.wrap(text, narrow)
    if lines is not None and len(broken) > lines:
        broken = [*broken[: lines - 1], broken[lines - 1][: narrow - 1] + "\N{HORIZONTAL ELLIPSIS}"]
    return "\n".join(broken) or text
