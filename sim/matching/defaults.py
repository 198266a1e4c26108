"""What `abm calibrate` does where nothing else is asked for; imports nothing, so that the command line can tell it at once."""

from __future__ import annotations

WAVES, POINTS, REPLICATIONS, MEMBERS = 3, 160, 1, 40
"""Waves at most, new vectors a wave, runs of a vector, members of the set."""

WORLD_POINTS = 160
"""Vectors that the emulators of parameter recovery are made of."""

SMALL: dict[str, object] = {"population.users": 2_000_000, "run.days": 300, "run.burn_in_days": 120, "run.settle_days": 0}
"""The world of parameter recovery: its emulators are made in it, so it need be neither large nor settled."""
