"""Worlds made by hand, in which one process can be watched alone, and the cases with known answers."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import known_worlds  # beside this file, a folder that pytest does not put on the path by itself


@pytest.fixture(scope="session")
def tools() -> Any:
    """The functions of `known_worlds`, for the tests beside it."""

    class Tools:
        no_dealers, nobody_leaves = known_worlds.NO_DEALERS, known_worlds.NOBODY_LEAVES

    for function in (known_worlds.scenario, known_worlds.ran, known_worlds.levers, known_worlds.world, known_worlds.hold):
        setattr(Tools, function.__name__, staticmethod(function))
    return Tools
