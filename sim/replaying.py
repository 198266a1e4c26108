"""Make a finished run again and see whether it gives the same bits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sim import jobs
from sim.outcomes import OUTCOMES
from sim.provenance import model_source
from sim.scenario import ScenarioError, scenario_from
from sim.store import MEANS, About, Results, RunResult, StoreError, damaged


@dataclass(frozen=True)
class Replay:
    """A run made again: `differs` gives outcomes and the first day on which each has another value.

    `source_changed` says that the model has changed since, `failure` is the traceback if the run raises now. Where the days of runs are
    not kept, `by_days` is false: means are compared, and the day is 0.
    """

    run_id: str
    scenario: str
    seed: int
    differs: Mapping[str, int]
    source_changed: bool
    failure: str = ""
    by_days: bool = True

    @property
    def identical(self) -> bool:
        """Say whether every outcome of every day is the same to the bit."""
        return not self.differs and not self.failure


def replay(wanted: str, directory: Path | str = "results") -> Replay:
    """Make a run again from its manifest and compare it with what is stored to the bit, day by day or, where days are not kept, by means.

    `wanted` is a run id or the beginning of one; `directory` is a results directory or one that holds some.
    Raises `StoreError` when no finished run has that id, or several have.
    """
    results, entry = find_run(wanted, Path(directory))
    stored, about = results.run_days(entry["run_id"]), results.about_run(entry["run_id"])
    if stored is None and about is None:
        raise StoreError(f"run {entry['run_id']} of {results.path} is not finished; there is nothing to compare with")
    manifest = results.path / "manifest.json"
    try:
        resolved, seed = results.manifest["scenarios"][entry["scenario"]]["resolved"], int(entry["seed"])
        policies = {name: {k: v for k, v in policy.items() if v is not None} for name, policy in resolved["policies"].items()}
        scenario = scenario_from({**resolved, "policies": policies}, f"scenario {entry['scenario']}")
    except ScenarioError as error:
        raise StoreError(damaged(manifest, error)) from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StoreError(damaged(manifest, f"no scenario and seed of run {entry['run_id']}")) from error
    changed = results.manifest.get("model_source") != model_source()
    again = jobs.attempt(jobs.simulate, scenario, seed)
    if not isinstance(again, RunResult):
        return Replay(entry["run_id"], entry["scenario"], seed, {}, changed, str(again))
    if stored is None:
        return Replay(entry["run_id"], entry["scenario"], seed, _other_means(again.means, about), changed, by_days=False)
    differs = {}
    for name in OUTCOMES:
        ours, theirs = np.asarray(again.daily[name]), stored[name]
        if ours.shape != theirs.shape:
            differs[name] = min(len(ours), len(theirs))
        elif ours.tobytes() != theirs.tobytes():
            differs[name] = int(np.argmax(ours.view(np.uint64) != np.ascontiguousarray(theirs).view(np.uint64)))
    return Replay(entry["run_id"], entry["scenario"], seed, differs, changed)


def _other_means(means: Mapping[str, float], about: About | None) -> dict[str, int]:
    """Return the means over the window that are not the same to the bit, each with the first day, as no other is known."""
    stored = {} if about is None else about.means
    return {name: 0 for name in MEANS if np.float64(means[name]).tobytes() != np.float64(stored.get(name, np.nan)).tobytes()}


def find_run(wanted: str, directory: Path) -> tuple[Results, dict[str, Any]]:
    """Return the results directory and manifest entry of a run; raises `StoreError` when there is none, or several."""
    if (directory / "manifest.json").exists():
        places = [directory]
    elif directory.is_dir():
        places = sorted(path.parent for path in directory.glob("**/manifest.json"))
    else:
        raise StoreError(f"{directory}: no such results directory; name one with --out")
    found: dict[str, tuple[Results, dict[str, Any]]] = {}
    known = 0
    unreadable: list[str] = []
    for place in places:
        try:
            results = Results(place)
            entries = _entries(results)
        except StoreError as error:
            if place == directory:
                raise
            unreadable.append(str(error))
            continue
        known += len(entries)
        for entry in entries:
            if wanted and entry["run_id"].startswith(wanted):
                found.setdefault(entry["run_id"], (results, entry))
    if len(found) == 1:
        return next(iter(found.values()))
    if found:
        raise StoreError(f"run id {wanted} is the beginning of {len(found)} run ids: {', '.join(sorted(found)[:5])}; give more of it")
    message = f"no run {wanted} among the {known} runs under {directory}; run ids stand in runs.parquet and manifest.json"
    raise StoreError("; ".join([message, *unreadable]))


def _entries(results: Results) -> list[dict[str, Any]]:
    """Return the runs that a manifest lists; raises `StoreError` when they are no runs."""
    entries = results.manifest.get("runs")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) and isinstance(entry.get("run_id"), str) for entry in entries):
        raise StoreError(damaged(results.path / "manifest.json", "no list of runs"))
    return entries
