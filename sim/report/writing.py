"""Write the report of a results directory beside its tables, or wherever it is wanted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sim.comparison import REPORTS, Runs
from sim.faults import Fault, ScenarioError, corrected, nearest, one_of, show
from sim.report.material import Material, gathered, read
from sim.report.page import page_of, written
from sim.store import Store, write_text

NAME = "report"


def write_report(path: Path | str, out: Path | str | None = None, kind: str = "html", beside: Sequence[Path | str] = ()) -> Path:
    """Write the report of the results directory `path` as one `html` file that needs nothing else, or as `md`; return the file's path.

    `out` is that file, `report.html` or `report.md` in the directory if not given. `beside` are results directories with the same baseline
    whose answers it shows too: a comparison over parameters, sweeps. Raises `StoreError` for a directory that cannot be used or does not
    belong here, `ScenarioError` for another kind or an `out` that is a directory, `WriteError` when the disk refuses.
    """
    if kind not in REPORTS:
        problem = corrected(nearest(kind, REPORTS), f"it must be {one_of(REPORTS)}")
        raise ScenarioError([Fault("", "--format", show(kind), problem)])
    if out is not None and Path(out).is_dir():
        raise ScenarioError([Fault("", "--out", str(out), "is a directory; name the file to write")])
    return _write(read(Path(path), [Path(other) for other in beside]), Path(path), kind, None if out is None else Path(out))


def leave_report(done: Runs) -> Path | None:
    """Write `report.html` into the results directory of finished runs; None where they are kept in memory."""
    return None if done.directory is None else _write(gathered(done), done.directory, "html", None)


def _write(material: Material, directory: Path, kind: str, out: Path | None) -> Path:
    place = directory / f"{NAME}.{kind}" if out is None else out
    text = written(page_of(material), kind, place)
    if out is not None:
        write_text(place, text)
        return place
    with Store(directory):
        write_text(place, text)
    return place
