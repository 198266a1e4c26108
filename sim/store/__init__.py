"""The results directory: parts of finished runs, Parquet tables and the manifest.

A directory holds `manifest.json`, the tables, `figures/` and `parts/`: one file a finished run, named by its run id and written by the
process that made it; `packs/` has them by the thousand. Every file is written under another name and then renamed, so that a process
killed at any moment leaves whole files only; one command at a time may write. Parts are what a later command goes on from; the tables
depend on the command alone, not on what was there before.
"""

from sim.store.directory import Results, Store, read_manifest
from sim.store.files import StoreError, WriteError, damaged, read_table, replacing, write_csv, write_table, write_text, writing
from sim.store.looking import Standing, answered, standings
from sim.store.parts import FORMAT, About, Place
from sim.store.shelf import RUNS_A_PACK, Shelf
from sim.store.tables import DONE, FAILED, KEYS, MEANS, Memory, Parts, Row, RunResult, daily_tables, runs_table

__all__ = [
    "DONE",
    "FAILED",
    "FORMAT",
    "KEYS",
    "MEANS",
    "Memory",
    "About",
    "Parts",
    "Place",
    "RUNS_A_PACK",
    "Results",
    "Row",
    "RunResult",
    "Shelf",
    "Standing",
    "answered",
    "standings",
    "Store",
    "StoreError",
    "WriteError",
    "daily_tables",
    "damaged",
    "read_manifest",
    "read_table",
    "replacing",
    "runs_table",
    "write_csv",
    "write_table",
    "write_text",
    "writing",
]
