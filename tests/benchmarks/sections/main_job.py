"""Where the time of README's first command goes, in a fresh clone of what is committed: install, import, burn-in, runs, figures.

Not an opponent but the whole is the peer, each ratio a stage's share of all, and an older version where one is named.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

from children import ROOT, Setting
from ratios import Rates, Row, compared

OUT = Path("results") / "policy_comparison"
READ_RUNS = """
import json, sys
sys.path.insert(0, "tests/benchmarks/probes")
from worlds import consequential
from sim.store import Results
results = Results("{}")
events = results.daily[[name for name in results.daily.columns if consequential(name)]].to_numpy().sum()
about = {{key: results.manifest[key] for key in ("wall_seconds", "workers")}}
print(json.dumps([results.runs["seconds"].to_list(), results.runs["seed"].to_list(), float(events), about]))
"""
BURN_IN = """
import inspect, json, time, sim
try:
    from sim.jobs import run_jobs
except ModuleNotFoundError:  # its place in older versions
    from sim.experiment import run_jobs
from sim.model import AccountMarket
scenario = sim.load_scenario("scenarios/baseline.toml", {})
start = time.perf_counter()
model = AccountMarket(scenario)
while model.day < scenario.run.burn_in_days:
    model.step()
shared = "share_burn_in" in inspect.signature(run_jobs).parameters
print(json.dumps([time.perf_counter() - start, shared, scenario.population.users, scenario.run.days]))
"""


ALL, RUNS = "all stages", "runs after the burn-in"
INHERITED = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MFLAGS", "FLAGS", "EXPERIMENT"}
"""What a benchmark has of the `make` that started it and the environment that it runs in, and a new user has not."""


def timed(clone: Path, *command: str) -> tuple[float, str]:
    """Run a command in the clone; returns seconds and what it printed."""
    environment = {name: value for name, value in os.environ.items() if name not in INHERITED}
    start = time.perf_counter()
    done = subprocess.run(command, cwd=clone, env=environment, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - start
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command[:3])} failed\n{done.stdout[-1000:]}{done.stderr[-2000:]}")
    return seconds, done.stdout


def measure(setting: Setting) -> list[Row]:
    """Do the job stage by stage: once, or with an older version in turn, three times each."""
    versions = ["HEAD", setting.before] if setting.before else ["HEAD"]
    spent: dict[str, list[dict[str, float]]] = {version: [] for version in versions}
    rates, notes = Rates(), dict[str, str]()
    for _ in range(setting.of(3, 1) if setting.before else 1):
        for version in versions:
            stages, found, told = by_stages(setting, version)
            spent[version].append(stages)
            if version == "HEAD":
                rates, notes = found, told
    ours = {stage: [stages[stage] for stages in spent["HEAD"]] for stage in spent["HEAD"][0]}
    rows = [
        compared(
            "main_job", stage, "s", seconds, ALL, ours[ALL], "ours/peer", None, rates if stage == RUNS else None, note=notes.get(stage, "")
        )
        for stage, seconds in ours.items()
        if stage != ALL
    ]
    for stage, seconds in ours.items() if setting.before else ():
        theirs = [stages[stage] for stages in spent[setting.before]]
        rows.append(compared("main_job", f"{stage}, now and before", "s", seconds, f"version {setting.before}", theirs, "peer/ours"))
    return rows


def by_stages(setting: Setting, version: str) -> tuple[dict[str, float], Rates, dict[str, str]]:
    """Do the job of a version in a clone; returns the seconds of each stage, and of all, the rates of whole runs, and notes by stage."""
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "abm"
        subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(clone)], check=True)
        subprocess.run(["git", "checkout", "--quiet", "--detach", version], cwd=clone, check=True)
        python = str(clone / ".venv" / "bin" / "python")
        stages: dict[str, float] = {"installation": timed(clone, "make", ".venv/bin/abm")[0]}
        setting.say(f"{version}: installed in {stages['installation']:.1f} s")
        stages["first import, which compiles"] = timed(clone, python, "-c", "import sim.cli, sim.comparison, sim.model")[0]
        import_again = timed(clone, python, "-c", "import sim.cli, sim.comparison, sim.model")[0]
        flags = setting.of([], ["FLAGS=--set population.users=200000 --replications 1"])
        overrides = setting.of({}, {"population.users": 200_000})
        command, _ = timed(clone, "make", "compare", *flags)
        spent, seeds, events, about = json.loads(timed(clone, python, "-c", READ_RUNS.format(OUT))[1])
        one, shared, users, days = json.loads(timed(clone, python, "-c", BURN_IN.replace("{}", repr(overrides)))[1])
        figures = timed(clone, str(clone / ".venv" / "bin" / "abm"), "plot", str(OUT))[0] - import_again
    burn_ins = len(set(seeds)) if shared else len(spent)
    workers, wall = about["workers"], about["wall_seconds"]
    runs = sum(spent) / workers
    stages["burn-in"] = burn_in = min(one * burn_ins / workers, runs)
    stages[RUNS] = runs - burn_in
    stages["figures"] = max(figures, 0.0)
    stages["start, tables, waiting for processes"] = max(command - runs - stages["figures"], 0.0)
    stages[ALL] = sum(stages.values())
    setting.say(f"`make compare` took {command:.1f} s when installed ({wall:.1f} s by its manifest), {len(spent)} runs, {workers} workers")
    notes = {
        RUNS: "speeds are of whole runs",
        "burn-in": f"{burn_ins} burn-ins, {workers} workers; one is timed alone",
        "figures": "drawn again by `abm plot`, less its imports",
    }
    return stages, Rates(users * days * len(spent) / runs, events / runs), notes
