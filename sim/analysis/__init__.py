"""Statistics of finished runs: tables of rows in, tables and sentences out.

`runs` and `daily` are the result tables: one row a run, and one row a run and day.
"""

from sim.analysis.differences import COLUMNS, HEADLINE, comparison, comparison_of_baseline, precision, precision_reached
from sim.analysis.intervals import Equivalence, Interval, tost, variance_ratio
from sim.analysis.over_time import daily_differences, mean_daily, recovery_days
from sim.analysis.pairs import Pairs, pairs
from sim.analysis.rows import Row, rows
from sim.analysis.substitution import displacement, displacement_index, synergy
from sim.analysis.sweeps import dose_response, interaction, rising_ranges
from sim.analysis.words import answer

__all__ = [
    "COLUMNS",
    "HEADLINE",
    "Equivalence",
    "Interval",
    "Pairs",
    "Row",
    "answer",
    "comparison",
    "comparison_of_baseline",
    "daily_differences",
    "displacement",
    "displacement_index",
    "dose_response",
    "interaction",
    "mean_daily",
    "pairs",
    "precision",
    "precision_reached",
    "recovery_days",
    "rising_ranges",
    "rows",
    "synergy",
    "tost",
    "variance_ratio",
]
