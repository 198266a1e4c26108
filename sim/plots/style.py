"""What all figures share: colours of channels and policies, units, captions, grids of panels."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axes._secondary_axes import SecondaryAxis
from matplotlib.figure import Figure
from matplotlib.ticker import Formatter, MaxNLocator
from numpy.typing import NDArray

from sim.analysis.words import percent, unit_of
from sim.plots.text import Sheet, literal, readable, wrapped

MINUS = "\N{MINUS SIGN}"

BLACK, GREY, PALE = "#000000", "#6E6E6E", "#C8C8C8"
ORANGE, SKY, GREEN, YELLOW = "#E69F00", "#56B4E9", "#009E73", "#F0E442"
BLUE, VERMILLION, PURPLE = "#0072B2", "#D55E00", "#CC79A7"
# The eight colours of Okabe & Ito (2008), which people with any common colour blindness tell apart.

CHANNEL_COLOURS: dict[str, str] = {
    "registered": BLUE,
    "unsealed": SKY,
    "rented": VERMILLION,
    "bought": ORANGE,
    "stolen": GREEN,
}
"""One colour a supply channel, in every figure."""

SEGMENT_COLOURS: dict[str, str] = {"student": PURPLE, "stay_at_home_parent": YELLOW, "freelancer": GREEN, "other": GREY}
"""One colour a segment of users, in every figure."""


class PolicyStyle(NamedTuple):
    """Colour and marker of a policy: markers tell apart those that share a colour."""

    colour: str
    marker: str


POLICY_STYLES: dict[str, PolicyStyle] = {
    "baseline": PolicyStyle(GREY, "o"),
    "registration_crackdown": PolicyStyle(BLUE, "o"),
    "unsealing_crackdown": PolicyStyle(SKY, "s"),
    "supply_squeeze": PolicyStyle(VERMILLION, "D"),
    "lure_squeeze": PolicyStyle(GREEN, "^"),
    "combined": PolicyStyle(BLACK, "P"),
    "account_audit": PolicyStyle(PURPLE, "v"),
    "friend_confirmation": PolicyStyle(ORANGE, "X"),
    "helper_controls": PolicyStyle(YELLOW, "h"),
    "awareness_campaign": PolicyStyle(GREEN, "<"),
    "purge": PolicyStyle(BLUE, "*"),
    "owner_amnesty": PolicyStyle(SKY, ">"),
    "crackdown_2019": PolicyStyle(VERMILLION, "p"),
}
"""One colour and marker a shipped scenario, in every figure."""

_SPARE = [PolicyStyle(c, m) for m in ("d", "H", "8") for c in (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, BLACK)]

_HANDLE_INCHES, _LETTER_INCHES, _TITLE_INCHES = 0.53, 0.065, 0.2
# In a legend of 8 points: handle with its gaps, a letter; a line of a title of 12 points.

_SHORT_UNITS = {"account-days/day": "EAD/day", "yuan per effective account-day": "yuan/EAD"}


Reals = NDArray[np.float64]
Share = bool | Literal["none", "all", "row", "col"]


@dataclass(frozen=True)
class Study:
    """What a caption says of the runs behind a figure.

    `titles` names scenarios in the order of display, the baseline among them or not; `window_days` are first day and day after the last;
    `policy_days` is the day each scenario's policies start, where it has any.
    """

    baseline: str
    titles: Mapping[str, str]
    users: int
    seeds: Sequence[int]
    window_days: tuple[int, int]
    policy_days: Mapping[str, int] = field(default_factory=dict)
    burn_in_days: int = 0

    def title(self, scenario: str) -> str:
        """Return the title of a scenario, or its name in words where it has none that can be drawn."""
        words = scenario.replace("_", " ")
        return readable(self.titles.get(scenario, words), words)

    def start(self, scenario: str) -> int:
        """Return the day from which a figure counts: that of the policy, or the first after the burn-in."""
        return self.policy_days.get(scenario, self.burn_in_days)

    def since(self, scenario: str) -> str:
        """Say from when on `start` counts."""
        return "the policy started" if scenario in self.policy_days else "the burn-in ended"

    def order(self, present: Sequence[str]) -> list[str]:
        """Return the scenarios other than the baseline: those titled first, in their order."""
        names = [name for name in self.titles if name in present]
        names += [name for name in present if name not in names]
        return [name for name in names if name != self.baseline]

    def styles(self, scenarios: Sequence[str]) -> dict[str, PolicyStyle]:
        """Return colour and marker of each scenario; scenarios of the user's own get spare ones in order."""
        spare = iter(_SPARE * (1 + len(scenarios) // len(_SPARE)))
        return {name: POLICY_STYLES[name] if name in POLICY_STYLES else next(spare) for name in scenarios}

    def caption(self, replications: int, note: str, window: bool = True) -> str:
        """Return the caption: what is drawn, replications, seeds, users, days."""
        seeds = sorted(set(self.seeds))
        if not seeds:
            which = ""
        elif len(seeds) == 1:
            which = f", seed {seeds[0]}"
        elif seeds == list(range(seeds[0], seeds[-1] + 1)):
            which = f" on common seeds {seeds[0]}-{seeds[-1]}"
        else:
            which = f" on common seeds {', '.join(map(str, seeds))}"
        first, last = self.window_days
        days = f" Means of days {first}-{last - 1}." if window else ""
        runs = "1 replication" if replications == 1 else f"n = {replications} replications"
        return f"{note} {runs} a scenario{which}; {self.users:,} users.{days}"


def short_unit(outcome: str) -> str:
    """Return the unit of an outcome, short enough for an axis (EAD: effective account-days)."""
    return _SHORT_UNITS.get(unit_of(outcome), unit_of(outcome))


def compact(value: float, signed: bool = False, more: int = 0) -> str:
    """Write a number for a tick or a label: 0.45, 12.3, 1,234, 45.6k, 1.2M; three digits at least, and `more`."""
    if not np.isfinite(value):
        return "?"
    size, suffix = abs(value), ""
    for limit, scale, letter in ((999.5e6, 1e9, "G"), (999.5e3, 1e6, "M"), (9999.5, 1e3, "k")):
        if size >= limit:
            size, suffix = size / scale, letter
            break
    if size < 1e-9:
        size = 0.0
    digits = 0 if size >= 99.95 or size == 0.0 else 1 if size >= 9.995 else 2 if size >= 0.995 else 2 - math.floor(math.log10(size))
    text = f"{size:,.{digits + more}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    zero = text == "0"
    sign = "" if zero else MINUS if value < 0.0 else "+" if signed else ""
    return f"{sign}{text}{suffix}"


def share_text(share: float, signed: bool = True) -> str:
    """Write a share as per cent, with a typographic minus."""
    return percent(share, signed).replace("-", MINUS)


def grid(rows: int, columns: int, width: float, height: float, share_x: bool = False, share_y: Share = False) -> tuple[Figure, list[Axes]]:
    """Return a new figure of `width` x `height` inches and its panels, row by row."""
    figure = Sheet(figsize=(width, height), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, sharex=share_x, sharey=share_y)
    return figure, list(axes.flat)


def owner(axes: Sequence[Axes], needed: int) -> Figure:
    """Return the figure that given axes stand in; raises `ValueError` when there are fewer than `needed`."""
    if len(axes) < needed:
        raise ValueError(f"{needed} axes are needed, {len(axes)} were given")
    figure = axes[0].get_figure(root=True)
    if figure is None:
        raise ValueError("the axes given stand in no figure")
    literal(axes)
    return figure


def finish(figure: Figure, title: str, caption: str, handles: Sequence[Artist] = (), labels: Sequence[str] = ()) -> None:
    """Write title, legend and caption of a new figure; the legend stands beside the title where there is room, else below it."""
    width, height = figure.get_size_inches().tolist()
    title = wrapped(title, int(width * 8.5), 3)
    entries = [_HANDLE_INCHES + _LETTER_INCHES * len(label) for label in labels]
    if entries and "\n" not in title and len(title) / 8.5 + sum(entries) + 0.3 < width:
        figure.legend(handles, labels, loc="outside upper right", ncols=len(labels), frameon=False, fontsize=8)
    elif entries:
        columns = int(np.clip((width - 0.2) / max(entries), 1, len(entries)))
        top = 1.0 - (0.08 + _TITLE_INCHES * len(title.split("\n"))) / height
        place = {"bbox_to_anchor": (0.0, top), "borderaxespad": 0.0}
        figure.legend(handles, labels, loc="upper left", ncols=columns, frameon=False, fontsize=8, **place)
        title += "\n" * -(-len(entries) // columns)
    figure.suptitle(title, x=0.01, ha="left", fontsize=12, fontweight="bold")
    figure.supxlabel(wrapped(caption, int(width * 16.5)), x=0.01, ha="left", fontsize=7.5, color=GREY)


class Compact(Formatter):
    """Writes ticks compactly, with as many digits as it takes to tell them apart."""

    def __call__(self, x: float, pos: int | None = None) -> str:  # noqa: ARG002 - matplotlib passes it
        """Write one number."""
        return compact(x)

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        """Write all ticks of an axis."""
        step = float(np.diff(np.sort(values)).min(initial=np.inf))
        texts = [compact(value) for value in values]
        for more in range(4):
            texts = [compact(value, more=more) for value in values]
            if all(abs(_read(text) - value) < 0.05 * step for text, value in zip(texts, values, strict=True)):
                break
        return texts


def _read(text: str) -> float:
    """Return the number that `compact` wrote."""
    scale = {"G": 1e9, "M": 1e6, "k": 1e3}.get(text[-1], 1.0)
    return scale * float(text.rstrip("GMk").replace(",", "").replace(MINUS, "-"))


def ticks(count: int) -> MaxNLocator:
    """Return a locator of at most `count` + 1 round ticks."""
    return MaxNLocator(count, steps=[1, 2, 2.5, 5, 10])


def tidy(ax: Axes, x_ticks: int = 0, y_ticks: int = 0) -> None:
    """Take away the upper and right spines, thin out the ticks and write them compactly."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(labelsize=7.5)
    for axis, count in ((ax.xaxis, x_ticks), (ax.yaxis, y_ticks)):
        if count:
            axis.set_major_locator(ticks(count))
            axis.set_major_formatter(Compact())


class View(NamedTuple):
    """The ends of an axis, and whether anything is cut there."""

    low: float
    high: float
    cut: bool


def view(low: Reals, high: Reals, wide_low: Reals, wide_high: Reals) -> View | None:
    """Return the ends of an axis that shows intervals whole and wider ones as far as they leave the former room; None without a width."""
    if not np.isfinite(low).any() or not np.nanmax(high) > np.nanmin(low):
        return None
    bottom, top = float(np.nanmin(low)), float(np.nanmax(high))
    room = 0.6 * (top - bottom)
    widest = float(np.nanmin(np.append(wide_low, bottom))), float(np.nanmax(np.append(wide_high, top)))
    first, last = max(widest[0], bottom - room), min(widest[1], top + room)
    margin = 0.05 * (last - first)
    return View(first - margin, last + margin, (first, last) != widest)


def linked_axis(ax: Axes, forth: Callable[[Reals], Reals], back: Callable[[Reals], Reals], count: int) -> SecondaryAxis:
    """Add a right axis in grey that reads the left one in another unit."""
    twin = ax.secondary_yaxis("right", functions=(forth, back))  # type: ignore[arg-type]  # only arrays ever come here
    twin.tick_params(labelsize=7.5, colors=GREY)
    twin.yaxis.set_major_locator(ticks(count))
    twin.yaxis.set_major_formatter(Compact())
    return twin


def replications_of(table: pd.DataFrame, outcomes: Sequence[str] | None = None) -> int:
    """Return the number of replications that a table says of the outcomes drawn (the fewest, when rows differ)."""
    rows = table if outcomes is None else table[table["outcome"].isin(list(outcomes))]
    return int(rows["replications"].min()) if len(rows) else 0
