"""Which scenarios a page can open: those named on the command line and those that ship with a checkout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sim.dashboard.choice import Choice, Opened
from sim.faults import Fault, ScenarioError, corrected, nearest, one_of, show
from sim.scenario import load_scenario, scenario_from
from sim.scenario_file import is_experiment, read_toml

DEFAULT = "baseline"


@dataclass(frozen=True)
class Offer:
    """Scenarios by name: a file, or None for the standing regime that needs none; `first` is open when a page opens.

    `folder` is where a page may write scenarios, None where it may not; `workers` make replications.
    """

    files: Mapping[str, Path | None]
    first: str
    folder: Path | None = None
    workers: int = 1

    @classmethod
    def of(cls, given: Sequence[Path], shipped: Path, folder: Path | None, workers: int) -> Offer:
        """Offer the files given and those in the folder of shipped scenarios; raises `ScenarioError` when a given one cannot be opened."""
        files: dict[str, Path | None] = {}
        for path in given:
            load_scenario(path)
            name = next(name for name in (path.stem, *(f"{path.stem}_{k}" for k in range(2, 1000))) if name not in files)
            files[name] = path
        first = next(iter(files), DEFAULT)
        for path in sorted(shipped.glob("*.toml")):
            if path.stem not in files and not _is_experiment(path):
                files[path.stem] = path
        if not files:
            files[DEFAULT] = None
        return cls(files, first if first in files else next(iter(files)), folder, workers)

    def open(self, name: str) -> Opened:
        """Open a scenario by its name here; raises `ScenarioError` when there is none or it is not valid."""
        if name not in self.files:
            problem = corrected(nearest(name, self.files), f"it must be {one_of(self.files)}")
            raise ScenarioError([Fault("", "scenario", show(name), problem)])
        path = self.files[name]
        if path is None:
            return Opened(scenario_from({"name": DEFAULT, "title": "Standing regime"}, DEFAULT))
        return Opened(load_scenario(path))

    @property
    def choice(self) -> Choice:
        """Return what is chosen when a page opens."""
        return Choice(self.first)


def _is_experiment(path: Path) -> bool:
    """Say whether a file is an experiment's; of one that cannot be read, opening it says more."""
    try:
        return is_experiment(read_toml(path))
    except ScenarioError:
        return False
