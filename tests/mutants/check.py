"""Break one mechanism of the engine at a time and see which known answers notice.

    python tests/mutants/check.py                      each mutant against the part of a case recorded as its catcher
    python tests/mutants/check.py --against quick      against every part that takes seconds (or all, or parts by name)
    python tests/mutants/check.py --out results/reference/mutants.csv

Each mutant is a copy of `sim/` in a folder of its own, with the patch applied, imported anew in this process before the cases are.
A mutant that no case notices, or whose patch no longer applies, is an error.
"""

from __future__ import annotations

import argparse
import csv
import importlib
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from mutant import Mutant
from mutants_of_control import CONTROL
from mutants_of_dealing import DEALING

ROOT = Path(__file__).parents[2]
MUTANTS = (*DEALING, *CONTROL)
CASES = ROOT / "tests" / "statistical"
HEAD = ("mutant", "file", "caught_by", "tried", "first_row", "verdict")
TOO_LONG = {"8", "9", "17", "18", "19_workers", "20_shift"}
"""Parts that take more than a few seconds, or start processes."""


class PatchError(ValueError):
    """A mutant's old text is not found exactly once."""


def patched(mutant: Mutant | None, folder: Path) -> Path:
    """Copy `sim/` into a folder and break it; returns what to put on the path. Raises `PatchError` if a patch does not apply."""
    home = folder / "mutated"
    shutil.copytree(ROOT / "sim", home / "sim", ignore=shutil.ignore_patterns("__pycache__"))
    for file, old, new in mutant.patches if mutant else ():
        path = home / "sim" / file
        text = path.read_text(encoding="utf-8")
        if text.count(old) != 1:
            raise PatchError(f"{mutant.name if mutant else ''}: in sim/{file} the text {old!r} occurs {text.count(old)} times, not once")
        path.write_text(text.replace(old, new), encoding="utf-8")
    return home


def _forget() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "sim" or name.startswith(("known_", "cases_"))]:
        del sys.modules[name]


@contextmanager
def engine(home: Path) -> Iterator[ModuleType]:
    """Import the known answers on top of the engine found in a folder; forget both afterwards."""
    before = sys.path.copy()
    _forget()
    sys.path[:0] = [str(home), str(CASES)]
    importlib.invalidate_caches()
    try:
        answers = importlib.import_module("known_answers")
        if not str(importlib.import_module("sim").__file__).startswith(str(home)):
            raise ImportError(f"the engine was not imported from {home}")
        yield answers
    finally:
        sys.path[:] = before
        _forget()


def parts(answers: ModuleType) -> dict[str, object]:
    """Return the parts of all cases by name, such as 2_books."""
    return {part.__name__.removeprefix("case_"): part for case in answers.CASES for part in case.parts}


def noticed(home: Path, names: Sequence[str]) -> dict[str, str]:
    """Return, for each part that fails on the engine in a folder, the first row that does, or what was raised."""
    found = {}
    with engine(home) as answers:
        known = parts(answers)
        for name in names:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    failed = [row for row in known[name]() if not row.passed]
                except Exception as error:  # noqa: BLE001  # a broken engine may raise anything, which is noticed too
                    found[name] = f"raised {type(error).__name__}: {error}"[:120]
                    continue
            if failed:
                found[name] = f"{failed[0].what}: z {failed[0].z:.3g}"
    return found


def check(mutants: Sequence[Mutant], against: Sequence[str] | None = None) -> Iterator[tuple[Mutant, dict[str, str], int]]:
    """Yield each mutant with the parts that notice it and how many were tried: its catcher, and those of `against`."""
    for mutant in mutants:
        with tempfile.TemporaryDirectory() as folder:
            home = patched(mutant, Path(folder))
            names = list(dict.fromkeys([mutant.catcher, *(against or ())]))
            yield mutant, noticed(home, names), len(names)


def everything() -> list[str]:
    """Return the names of all parts."""
    with engine(ROOT) as answers:
        return list(parts(answers))


def main(arguments: list[str]) -> int:
    """Check mutants, print and write the table; returns how many nobody noticed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--against", nargs="*", default=[], help="parts of cases to try besides the recorded catcher: quick, all, or names")
    parser.add_argument("--only", default="", help="check only mutants whose name contains this text")
    parser.add_argument(
        "--share", type=int, nargs=2, default=(0, 1), metavar=("K", "N"), help="check only each N-th mutant from the K-th on"
    )
    parser.add_argument("--trust", action="store_true", help="do not try the cases on the sound engine first")
    parser.add_argument("--out", type=Path, help="file for the table, CSV")
    asked = parser.parse_args(arguments)
    first, each = asked.share
    chosen = [mutant for mutant in MUTANTS if asked.only in mutant.name][first::each]
    against = asked.against
    if against in (["quick"], ["all"]):
        against = [name for name in everything() if against == ["all"] or name not in TOO_LONG]
    for mutant in chosen:
        with tempfile.TemporaryDirectory() as folder:
            patched(mutant, Path(folder))  # fails before anything is computed
    begun = time.process_time()
    sound = {} if asked.trust else noticed(ROOT, sorted({mutant.catcher for mutant in chosen} | set(against)))
    if sound:
        _say(f"the sound engine fails {sound}; mend that first")
        return len(chosen)
    table, missed = [], 0
    for mutant, found, tried in check(chosen, against):
        caught = mutant.catcher in found
        missed += not caught
        verdict = "caught" if caught else "caught by others only" if found else "MISSED"
        first = found.get(mutant.catcher) or next(iter(found.values()), "")
        table.append((mutant.name, mutant.files, " ".join(found), str(tried), first, verdict))
        _say(f"{verdict:<8} {mutant.name:<55} {mutant.catcher:<12} {first}" + (f"  [also {' '.join(found)}]" if len(found) > 1 else ""))
    _say(f"{len(chosen) - missed} of {len(chosen)} mutants caught by the part recorded; {time.process_time() - begun:.0f} s CPU")
    if asked.out is not None:
        with asked.out.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows([HEAD, *table])
    return missed


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201  # a script's answer


if __name__ == "__main__":
    sys.exit(min(1, main(sys.argv[1:])))
