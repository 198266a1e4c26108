"""Rebuild the committed figures: from the committed tables, or from the runs behind them.

    python tests/gallery/rebuild.py                     draw every figure from its table (a minute), and say which differ
    python tests/gallery/rebuild.py --check             the same into a temporary folder; exit 1 if one differs
    python tests/gallery/rebuild.py --run               make the runs again first (hours), then tables and figures
    python tests/gallery/rebuild.py --run --only policy_strength
    python tests/gallery/rebuild.py --list              which command makes which figure

Runs go to `results/NAME` and are kept: the same command goes on from there. After `--run` make the documents' tables anew: `make tables`.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "dashboard"), str(Path(__file__).parents[2])]

from browsing import NoBrowserError
from comparing import unlike
from drawing import GROUPS, REFERENCE, ROOT, days_kept, film_kept
from figures import FIGURES, JOBS

from sim.conduct import open_results
from sim.store import write_table

NOT_DRAWN = "not drawn"

MADE_WHEN_DRAWN = {"supply_squeeze", "dashboard"}
"""Jobs without runs of their own: drawn from the comparison's days, or by the page that runs what it shows."""

WATCHED = "policy_comparison"
"""The comparison whose days figures are drawn from."""


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def redraw(names: Sequence[str], reference: Path = REFERENCE, target: Path = REFERENCE) -> dict[str, str]:
    """Draw the figures of some jobs from the tables in `reference` into `target`; return for each how it differs from what was there.

    A figure that is the same to the pixel is left as it is, and so is one that cannot be drawn here, which is said.
    """
    found = {}
    for name in names:
        for path, draw in GROUPS[name](reference).items():
            old = reference / path
            try:
                data = draw()
            except NoBrowserError as error:
                found[path] = f"{NOT_DRAWN}: {error}"
                continue
            found[path] = unlike(old.read_bytes(), data) if old.is_file() else "new"
            if found[path] or target != reference:
                (target / path).parent.mkdir(parents=True, exist_ok=True)
                (target / path).write_bytes(data)
    return found


def run(name: str, results: Path, reference: Path = REFERENCE, options: Sequence[str] = ()) -> None:
    """Carry out the command of a job and put its tables into `reference`; raises `RuntimeError` if it fails.

    Pictures of days are drawn from days that the comparison's job keeps, and that of the dashboard from runs of its own, so that there is
    nothing to run for them.
    """
    job = JOBS[name]
    if name in MADE_WHEN_DRAWN:
        return
    say(f"\n== {name}: {job.written}")
    ours = [sys.executable, "-m", "sim", *job.command, "--out", str(results / name), *options]
    others = [sys.executable, *job.command[1:], "--out", str(reference / "benchmarks.csv")]
    done = subprocess.run(others if job.command[0] == "python" else ours, cwd=ROOT, check=False)
    if done.returncode not in job.ends:
        raise RuntimeError(f"{job.written} ended with {done.returncode}")
    for file in job.keeps:
        (reference / name).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(results / name / file, reference / name / file)
    if name == WATCHED:
        keep_days(results, reference)


def keep_days(results: Path, reference: Path) -> None:
    """Put the tables of days that figures are drawn from into `reference`."""
    done = open_results(results / WATCHED)
    for table, rows in days_kept(done).items():
        write_table(reference / WATCHED / f"{table}.parquet", rows)
    write_table(reference / "supply_squeeze_days.parquet", film_kept(done, "supply_squeeze"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Rebuild, and say which figures differ."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=JOBS, metavar="NAME", help=f"one of {', '.join(JOBS)}; repeatable")
    parser.add_argument("--check", action="store_true", help="draw into a temporary folder and write nothing else")
    parser.add_argument("--run", action="store_true", help="make the runs behind the tables again")
    parser.add_argument("--workers", metavar="W", help="processes, for --run")
    parser.add_argument("--list", action="store_true", help="print which command makes which figure")
    asked = parser.parse_args(arguments)
    names = asked.only or list(JOBS)
    if asked.list:
        for path, (name, about) in FIGURES.items():
            say(f"{path}\n    {JOBS[name].written}{f' ({JOBS[name].runs:,} runs)' if JOBS[name].runs else ''}\n    {about}")
        return 0
    if asked.run:
        for name in names:
            run(name, ROOT / "results", options=("--workers", asked.workers) if asked.workers else ())
    if asked.check:
        with tempfile.TemporaryDirectory() as folder:
            found = redraw(names, target=Path(folder))
    else:
        found = redraw(names)
    differ = {path: how for path, how in found.items() if how}
    for path, how in differ.items():
        say(f"{path}: {how}")
    left = sum(how.startswith(NOT_DRAWN) for how in differ.values())
    ended = f"{len(differ) - left} {'differ' if asked.check else 'written'}" + (f", {left} not drawn" if left else "")
    say(f"{len(found) - left} figures drawn, {len(found) - len(differ)} the same to the pixel, {ended}")
    return int(asked.check and len(differ) > left)


if __name__ == "__main__":
    sys.exit(main())
