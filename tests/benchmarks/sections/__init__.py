"""The sections of the benchmark, a file each: `measure(setting)` returns rows of the table."""

ORDER = ("whole", "laboratory", "peers", "growth", "floor", "workers", "burn_in", "start_up", "dashboard", "main_job")
"""In the order of the table."""

ASKED_FOR = ("main_job",)
"""Sections that run only when they are named, since they download and install."""
