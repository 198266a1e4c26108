"""Statistics of finished runs: tables of rows in, tables and sentences out.

`runs` and `daily` are the result tables: one row a run, and one row a run and day.
"""

from sim.analysis.best import best
from sim.analysis.differences import COLUMNS, HEADLINE, comparison, comparison_of_baseline, next_replications, precision, precision_reached
from sim.analysis.intervals import Equivalence, Interval, tost, variance_ratio
from sim.analysis.over_time import daily_differences, mean_daily, recovery_days
from sim.analysis.pairs import Pairs, pairs
from sim.analysis.rankings import ranking, ranking_pairs
from sim.analysis.robust_words import Conclusion, conclusions, robust_answer
from sim.analysis.rows import Row, rows
from sim.analysis.substitution import displacement, displacement_index, synergy
from sim.analysis.summaries import summary
from sim.analysis.sweeps import dose_response, interaction, rising_ranges
from sim.analysis.thresholds import thresholds
from sim.analysis.uncertain import Worlds, member_effects, robustness
from sim.analysis.words import answer

__all__ = [
    "COLUMNS",
    "HEADLINE",
    "Conclusion",
    "Equivalence",
    "Interval",
    "Pairs",
    "Row",
    "Worlds",
    "answer",
    "best",
    "comparison",
    "comparison_of_baseline",
    "conclusions",
    "daily_differences",
    "displacement",
    "displacement_index",
    "dose_response",
    "interaction",
    "mean_daily",
    "member_effects",
    "next_replications",
    "pairs",
    "precision",
    "precision_reached",
    "ranking",
    "ranking_pairs",
    "recovery_days",
    "rising_ranges",
    "robust_answer",
    "robustness",
    "rows",
    "summary",
    "synergy",
    "thresholds",
    "tost",
    "variance_ratio",
]
