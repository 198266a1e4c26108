"""What each pattern is called, on the page of the scorecard and in its figure."""

from __future__ import annotations

PATTERN_TITLES = {
    "P1": "Squeezed sign-up pushes dealers to renting",
    "P2": "Real accounts are worth more, and their price rises",
    "P3": "How much price passes on depends on entry",
    "P4": "Takedowns are V-shaped and short-lived",
    "P5": "Substitutes decide what a control does",
    "P6": "Sanctions fall on petty helpers; law jumps, dips, stays",
    "P7": "Many would, few do; knowledge keeps four in five out",
    "P8": "Renting spreads among friends; few dealers hold much",
    "P9": "Trusted accounts are scarce and far more harmful",
}
