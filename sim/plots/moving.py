"""The moving picture of a market: stocks by channel, price and commission day by day, and the answer on its last frame."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.animation import FFMpegWriter
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.transforms import Bbox, TransformedBbox
from numpy.typing import NDArray
from PIL import Image

from sim.analysis.rows import rows as rows_of
from sim.levers import CHANNELS
from sim.names import title_of
from sim.plots.style import (
    BLACK,
    CHANNEL_COLOURS,
    GREY,
    PALE,
    Study,
    compact,
    finish,
    replications_of,
    share_text,
    short_unit,
    tidy,
)
from sim.plots.text import Sheet, calm, drawn

STOCKS: tuple[str, ...] = tuple(f"stock_{channel}" for channel in CHANNELS)
PRICES: tuple[str, ...] = ("price_yuan", "commission_yuan")

FILM: tuple[str, ...] = (*STOCKS, *PRICES)
"""Daily outcomes that the film shows."""

ANSWER: tuple[str, ...] = ("stock_registered", "stock_unsealed", "stock_rented", "supply_account_days", "expected_harm_yuan", *PRICES)
"""Outcomes whose changes stand on its last frame."""

GIF, MP4 = "gif", "mp4"
KINDS = (GIF, MP4)
"""Formats of a film."""

STEPS = 70
"""Frames that move, unless there are fewer days."""

_DAYS_BEFORE, _SMOOTH = 60, 7
_WIDTH, _HEIGHT, _DOTS = 8.2, 4.9, 130
_FRAME_MS, _HOLD_MS = 100, 4000
_COLOURS = 128
_ANSWER = (0.42, 0.91)  # where the answer stands, as parts of the height of the panel of stocks

Codes = NDArray[np.int64]
Days = NDArray[np.int64]
Pixels = NDArray[np.uint8]


class Film:
    """A figure in which days pass: `frames` gives it day by day, the last one with the answer."""

    def __init__(self, figure: Figure, days: Sequence[int], curtains: Sequence[Bbox], head: Axes, answer: Axes, since: str) -> None:
        self.figure = figure
        self.days = list(days)
        self._curtains = list(curtains)
        self._head = head
        self._answer = answer
        self._since = since

    def at(self, k: int) -> Figure:
        """Set the figure to the frame `k` of its days; the last one shows the answer."""
        day = self.days[k]
        for curtain in self._curtains:
            curtain.x1 = float(day)
        when = f"{abs(day)} day{'' if abs(day) == 1 else 's'} {'before' if day < 0 else 'after'}"
        self._head.set_title(f"{when} {self._since}", fontsize=10, loc="left", fontweight="bold")
        self._answer.set_visible(k == len(self.days) - 1 or k == -1)
        return self.figure

    def settle(self) -> None:
        """Settle where things stand, with all that is ever shown."""
        self.at(-1)
        self.figure.draw_without_rendering()
        self.figure.set_layout_engine("none")

    def frames(self) -> Iterator[Pixels]:
        """Give each frame as a picture, `(height, width, 3)`."""
        canvas = FigureCanvasAgg(self.figure)
        with calm():
            self.settle()
            for k in range(len(self.days)):
                self.at(k)
                data, (width, height) = canvas.print_to_buffer()  # type: ignore[no-untyped-call]  # matplotlib types no canvas
                yield np.frombuffer(data, dtype=np.uint8).reshape(height, width, 4)[..., :3]


@drawn
def film(means: pd.DataFrame, table: pd.DataFrame, study: Study, policy: str, steps: int = STEPS) -> Film:
    """Return the film of a policy beside the baseline: stocks by channel stacked, price and commission, days since the policy started.

    `means` is `analysis.mean_daily(daily, FILM)` of both scenarios, `table` their comparison, whose rows of `ANSWER` stand on the last
    frame. `steps` is the number of frames that move.
    """
    own, base = (_from(means, name, study.start(policy)) for name in (policy, study.baseline))
    days = own["day"].to_numpy(dtype=np.int64)
    figure = Sheet(figsize=(_WIDTH, _HEIGHT), layout="constrained", dpi=_DOTS)
    grid = figure.add_gridspec(2, 2, width_ratios=[1.75, 1.0])
    stocks = figure.add_subplot(grid[:, 0])
    prices = [figure.add_subplot(grid[k, 1]) for k in range(2)]
    ghost = base[list(STOCKS)].sum(axis=1).to_numpy()
    areas = stocks.stackplot(days, own[list(STOCKS)].to_numpy().T, colors=list(CHANNEL_COLOURS.values()), alpha=0.85, lw=0)
    stocks.plot(base["day"], ghost, color=BLACK, lw=1.2, ls="--")
    total = own[list(STOCKS)].sum(axis=1).to_numpy()
    stocks.set_ylim(0.0, 1.04 * max(float(ghost.max()), float(total.max()), 1e-9))
    if float(total[len(total) // 3 :].max()) > 0.95 * _ANSWER[0] * stocks.get_ylim()[1]:
        stocks.set_ylim(0.0, stocks.get_ylim()[1] / (0.95 * _ANSWER[0]))  # room above for the answer
    stocks.set_ylabel("accounts in use", fontsize=8.5)
    curtains = [_curtain(stocks, days, areas)]
    for ax, outcome in zip(prices, PRICES, strict=True):
        ax.plot(base["day"], base[outcome], color=BLACK, lw=1.2, ls="--")
        values = np.concatenate([own[outcome], base[outcome]])
        room = 0.12 * float(np.ptp(values)) or 1.0
        ax.set_ylim(float(values.min()) - room, float(values.max()) + room)
        curtains.append(_curtain(ax, days, ax.plot(days, own[outcome], color=CHANNEL_COLOURS["rented"], lw=2.0)))
        ax.set_title(f"{title_of(outcome)}, {short_unit(outcome)}", fontsize=8.5, loc="left")
        ax.grid(axis="y", color=PALE, lw=0.4)
    for ax in (stocks, *prices):
        ax.axvline(0.0, color=BLACK, lw=0.9)
        ax.set_xlim(float(days[0]), float(days[-1]))
        tidy(ax, x_ticks=5, y_ticks=4)
    for ax in (stocks, prices[-1]):
        ax.set_xlabel(f"days since {study.since(policy)}", fontsize=8)
    answer = _answer(stocks, table[table["scenario"] == policy], study)
    handles = [*(Patch(facecolor=colour, alpha=0.85) for colour in CHANNEL_COLOURS.values()), Line2D([], [], color=BLACK, lw=1.2, ls="--")]
    note = f"Means of replications, trailing {_SMOOTH}-day means; vertical line: the policy starts. EAD: effective account-days."
    caption = study.caption(replications_of(means), note, window=False)
    finish(figure, f"The market under '{study.title(policy)}'", caption, handles, [*CHANNEL_COLOURS, "baseline"])
    chosen = np.unique(np.linspace(0, len(days) - 1, min(steps, len(days))).round().astype(np.int64))
    return Film(figure, days[chosen].tolist(), curtains, stocks, answer, study.since(policy))


def _from(means: pd.DataFrame, scenario: str, start: int) -> pd.DataFrame:
    """Return trailing means of a scenario's days, counted from `start`, from some time before it on."""
    rows = means[means["scenario"] == scenario].sort_values("day")
    smooth = rows[list(FILM)].rolling(_SMOOTH, min_periods=1).mean().assign(day=rows["day"] - start)
    return smooth[smooth["day"] >= -_DAYS_BEFORE]


def _curtain(ax: Axes, days: Days, artists: Sequence[Artist]) -> Bbox:
    """Show artists only over the days of a box, whose right edge is moved as days pass."""
    curtain = Bbox([[float(days[0]), ax.get_ylim()[0]], [float(days[-1]), ax.get_ylim()[1]]])
    for artist in artists:
        artist.set_clip_box(TransformedBbox(curtain, ax.transData))
    return curtain


def _answer(ax: Axes, rows: pd.DataFrame, study: Study) -> Axes:
    """Write what changed on a panel of its own over another; without intervals where there is one replication."""
    cells = rows_of(rows)
    lines = []
    for outcome in ANSWER:
        row = next((cell for (name, _), cell in cells.items() if name == outcome), None)
        if row is None:
            continue
        if row.unchanged or row.in_units:
            said = "unchanged" if row.unchanged else f"{compact(row.difference, signed=True)} {short_unit(outcome)}"
        else:
            value, low, high = (share_text(number) for number in (row.relative, row.relative_low, row.relative_high))
            said = f"{value} %" + (f"  [{low}, {high}]" if np.isfinite(row.low) else "")
        lines.append((f"{outcome.removeprefix('stock_')} accounts in use" if outcome in STOCKS else title_of(outcome).lower(), said))
    first, last = study.window_days
    alone = "" if any(np.isfinite(row.low) for row in cells.values()) else ", of one pair: may be chance"
    box = ax.inset_axes((0.3, _ANSWER[0], 0.69, _ANSWER[1] - _ANSWER[0]))
    box.set(xticks=[], yticks=[], xlim=(0.0, 1.0), ylim=(len(lines) + 0.8, -0.4))
    box.spines[:].set_color(GREY)
    box.text(0.03, 0.25, f"Change from the baseline, days {first}-{last - 1}{alone}", fontsize=7.5, va="center", color=GREY)
    for y, (name, said) in enumerate(lines, start=1):
        weight = "bold" if "rented" in name else "normal"
        box.text(0.03, y + 0.25, name, fontsize=8, va="center", fontweight=weight)
        box.text(0.98, y + 0.25, said, fontsize=8, va="center", ha="right", fontweight=weight)
    return box


def gif(shown: Film) -> bytes:
    """Return a film as the bytes of an animated GIF that begins again; the same film gives the same bytes."""
    pictures = list(shown.frames())
    colours, counts = np.unique(_codes(pictures[-1]), return_counts=True)
    palette = colours[np.argsort(-counts, kind="stable")[:_COLOURS]]  # areas and paper keep their own colours
    flat = [_flat(picture, palette) for picture in pictures]
    times = [_FRAME_MS] * (len(flat) - 1) + [_HOLD_MS]
    file = BytesIO()
    comment = f"Matplotlib {mpl.__version__}".encode()
    flat[0].save(file, format="GIF", save_all=True, append_images=flat[1:], duration=times, loop=0, optimize=True, comment=comment)
    return file.getvalue()


def _codes(picture: Pixels) -> Codes:
    """Return the colours of a picture as numbers, `(height, width)`."""
    return np.asarray(picture.astype(np.int64) @ [1 << 16, 1 << 8, 1], dtype=np.int64)


def _channels(codes: Codes) -> Codes:
    return np.stack([codes >> 16, (codes >> 8) & 255, codes & 255], axis=-1)


def _flat(picture: Pixels, palette: Codes) -> Image.Image:
    """Return a picture in the colours of a palette, each pixel in the nearest one."""
    colours, place = np.unique(_codes(picture), return_inverse=True)
    apart = ((_channels(colours)[:, None] - _channels(palette)[None]) ** 2).sum(axis=2)
    height, width, _ = picture.shape
    flat = Image.frombytes("P", (width, height), apart.argmin(axis=1).astype(np.uint8)[place].tobytes())
    flat.putpalette(_channels(palette).astype(np.uint8).tobytes())
    return flat


def can_encode() -> bool:
    """Say whether `mp4` can be called: whether there is `ffmpeg`."""
    return bool(FFMpegWriter.isAvailable())


def mp4(shown: Film) -> bytes:
    """Return a film as the bytes of an MP4 file; needs `ffmpeg`."""
    with tempfile.TemporaryDirectory() as folder, calm():
        path = Path(folder) / "film.mp4"
        writer = FFMpegWriter(fps=1000 // _FRAME_MS, codec="h264", extra_args=["-pix_fmt", "yuv420p"])
        with writer.saving(shown.figure, str(path), _DOTS):
            shown.settle()
            for k in range(len(shown.days)):
                shown.at(k)
                for _ in range(_HOLD_MS // _FRAME_MS if k == len(shown.days) - 1 else 1):
                    writer.grab_frame()
        return path.read_bytes()
