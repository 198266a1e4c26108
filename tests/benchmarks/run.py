"""Time the engine against peers and floors of the same minutes; print the table, write it and the figure of growth.

    python tests/benchmarks/run.py                       all sections but main_job, about 20 minutes on 2 quiet cores
    python tests/benchmarks/run.py --only laboratory     one section; its rows replace those in the table (--only can be repeated)
    python tests/benchmarks/run.py --quick               small sizes, few repeats: does it work? The table says so and goes elsewhere
    python tests/benchmarks/run.py --only main_job       README's first command in a fresh clone, by stages
    ... --only main_job --before COMMIT                  the same of this version and an older one in turn, three times

What counts. A user-day is nominal: a user of the population for a day, whatever happens to him. An event is consequential: an account is
acquired or leaves, a helper assists, an owner or helper is sanctioned. A draw is a keyed random number that a decision uses; draws are
counted in a process of their own, as counting takes time. Ratios are of measurements next to each other in time: median, least, largest.
"""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "dashboard"), str(Path(__file__).parents[2])]

from children import ROOT, Setting
from environments import prepared
from ratios import MISSED, NOT_MEASURED, Row, fact, lines, merged, missing, read, sized, write
from sections import ASKED_FOR, ORDER

from sim.provenance import model_source

TABLE = ROOT / "results" / "reference" / "benchmarks.csv"
QUICK_TABLE = ROOT / "results" / "benchmarks_quick" / "benchmarks.csv"


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def machine() -> list[Row]:
    """Return what matters of this machine, without its name."""
    from importlib.metadata import version

    facts = {
        "processors": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()),
        "architecture": platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
        **{library: version(library) for library in ("numpy", "scipy", "mesa")},
    }
    if hasattr(os, "sysconf"):
        facts["memory, GB"] = f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1e9:.0f}"
    return [fact(what, value) for what, value in facts.items()]


def asked(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=ORDER, metavar="SECTION", help=f"one of {', '.join(ORDER)}")
    parser.add_argument("--quick", action="store_true", help="small sizes and few repeats")
    parser.add_argument("--out", type=Path, default=None, help="the table; the figure goes beside it")
    parser.add_argument("--before", default="", metavar="COMMIT", help="an older version that main_job is held against")
    for name in ("starsim", "covasim"):
        parser.add_argument(
            f"--{name}", type=Path, default=None, metavar="PYTHON", help=f"a Python that has {name}, instead of .venv-{name}"
        )
    made = parser.parse_args(arguments)
    made.only = made.only or [name for name in ORDER if name not in ASKED_FOR]
    made.out = made.out or (QUICK_TABLE if made.quick else TABLE)
    folder = next(path for path in (made.out.absolute().parent, *made.out.absolute().parents) if path.exists())
    if made.out.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):  # told before time is spent
        parser.error(f"--out {made.out}: cannot be written")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print and write; a section is written when it is done, so that a later failure loses nothing."""
    made = asked(arguments)

    def python_of(name: str) -> Path:
        given: Path | None = getattr(made, name)
        return prepared(name, say) if given is None else given

    setting = Setting(made.quick, say, python_of, made.out.parent, made.before)
    facts = machine()
    say("; ".join(f"{row.what} {row.ours}" for row in facts))
    engine = model_source()[:12]
    rows: list[Row] = []
    for name in [name for name in ORDER if name in made.only]:
        say(f"\n== {name}")
        start = time.perf_counter()
        try:
            measured = importlib.import_module(f"sections.{name}").measure(setting)
        except (RuntimeError, OSError, subprocess.SubprocessError) as error:  # the other sections go on
            say(str(error))
            measured = [missing(name, "all of it", f"failed: {type(error).__name__}")]
        found = sized(measured, made.quick, engine)
        say("\n".join(lines(found)))
        say(f"({time.perf_counter() - start:.0f} s)")
        rows += found
        table = merged(read(made.out), [*facts, *found], ORDER)
        write(table, made.out)
        if old := sorted({row.section for row in table if row.engine not in {engine, ""}}):
            say(f"the table still has rows of another version of the engine: {', '.join(old)}")
    say(f"\nthe table is in {made.out}")
    missed = [f"{row.section}: {row.what}" for row in rows if row.verdict == MISSED]
    say(f"\n{len(rows)} rows, {len(missed)} missed{': ' if missed else ''}{'; '.join(missed)}")
    return int(any(row.verdict == NOT_MEASURED for row in rows))


if __name__ == "__main__":
    sys.exit(main())
