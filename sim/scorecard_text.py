"""The scorecard of the patterns on the screen."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from sim.analysis.rows import records
from sim.patterns.page import BOUNDS, interval, summary
from sim.patterns.scoring import FAIL, NOT_TESTABLE
from sim.screen import print_table, show


def print_scorecard(table: pd.DataFrame) -> None:
    """Print the scorecard: a line a criterion, then why some fail or cannot be tested."""
    lines: list[Sequence[str]] = []
    for row in records(table):
        verdict = row["verdict"].upper() if row["verdict"] == FAIL else row["verdict"]
        lines.append((row["criterion"], f"{row['observed']} {row['source']}", row["test"], row["bound"], interval(row), verdict))
    print_table(
        ("", "observed", "asked of the model", "bound", "model, 95 % interval", "verdict"),
        lines,
        f"Patterns {', '.join(dict.fromkeys(row['pattern'] for row in records(table)))}",
    )
    for verdict, heading in ((FAIL, "What the failures would take"), (NOT_TESTABLE, "What cannot be tested")):
        told = [row for row in records(table) if row["verdict"] == verdict]
        if told:
            print_table(("", "why", "in numbers"), [(row["criterion"], row["why"], row["detail"]) for row in told], heading)
    show(f"{summary(table)}\n{BOUNDS.replace('`', '')}")
