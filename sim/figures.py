"""Figures as files of a results directory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sim.store import replacing

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def write_figures(path: Path, figures: Mapping[str, Callable[[], Figure]]) -> None:
    """Draw figures into the results directory `path` as PNG and SVG, whole or not at all, by the name of their files."""
    from sim.plots.gallery import rendered

    for name, draw in figures.items():
        figure = draw()
        for kind in ("png", "svg"):
            with replacing(path / "figures" / f"{name}.{kind}") as temporary:
                temporary.write_bytes(rendered(figure, kind))
