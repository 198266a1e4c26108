"""Calibration by history matching: targets, designs, emulators, waves, the set that ships, recovery of known parameters.

`load_plausible` reads the shipped set and imports nothing heavy; `calibrate` makes one anew and needs the extra `analysis`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.matching.command import Calibration, RunsFailedError, calibrate
    from sim.matching.emulator import TooFewError
    from sim.matching.plausible import load_plausible

_HOMES = {
    "Calibration": "sim.matching.command",
    "RunsFailedError": "sim.matching.command",
    "TooFewError": "sim.matching.emulator",
    "calibrate": "sim.matching.command",
    "load_plausible": "sim.matching.plausible",
}

__all__ = ["Calibration", "RunsFailedError", "TooFewError", "calibrate", "load_plausible"]


def __getattr__(name: str) -> Any:
    """Import what needs more libraries when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module 'sim.matching' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
