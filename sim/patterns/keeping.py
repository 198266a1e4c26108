"""Watched runs in a results directory, so that the same command does not make them twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.patterns.experiments import Strike
from sim.provenance import run_id
from sim.scenario import Scenario
from sim.store import StoreError, damaged, read_table, write_table

Reals = NDArray[np.float64]

FOLDER = "watched"
_COLUMNS = ["name", "place", "value"]
_EMPTY = -1
"""Place of the one row that stands for an array without values."""


def watch_id(scenario: Scenario, seed: int, strike: Strike | None) -> str:
    """Return the id of a watched run: a hash of scenario, seed, blow, and of the source of the model and of what is noted."""
    noted = hashlib.sha256(Path(__file__).with_name("watching.py").read_bytes()).hexdigest()
    return run_id(json.dumps([scenario.identity(), None if strike is None else asdict(strike), noted]), seed)


class Watched:
    """The watched runs of a results directory, one Parquet file each in a folder of their own."""

    def __init__(self, directory: Path) -> None:
        self._folder = directory / FOLDER

    def read(self, name: str) -> dict[str, Reals] | None:
        """Return what a watched run saw; None if it is not there. Raises `StoreError` when its file is damaged."""
        path = self._folder / f"{name}.parquet"
        if not path.is_file():
            return None
        table = read_table(path)
        if list(table.columns) != _COLUMNS:
            raise StoreError(damaged(path, "it holds no watched run"))
        groups = table.groupby("name", sort=False)
        return {str(what): part.loc[part["place"] != _EMPTY, "value"].to_numpy(dtype=np.float64, copy=True) for what, part in groups}

    def write(self, name: str, seen: Mapping[str, Reals]) -> None:
        """Keep what a watched run saw, whole or not at all."""
        rows = [(what, place, float(value)) for what, values in seen.items() for place, value in enumerate(values)]
        rows += [(what, _EMPTY, np.nan) for what, values in seen.items() if not values.size]
        write_table(self._folder / f"{name}.parquet", pd.DataFrame(rows, columns=_COLUMNS))
