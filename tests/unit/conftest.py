"""Worlds and tables made by hand that several tests share, and days of every scenario of the patterns."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import pytest

# a folder that pytest does not put on the path by itself
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def days() -> pd.DataFrame:
    """Return days of the experiments of the patterns, in which every criterion holds."""
    import pattern_worlds

    return pattern_worlds.made()
