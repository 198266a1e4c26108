"""What README says about speed beside the benchmark's table: sentences with the table's numbers, which must bear them out."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from pathlib import Path

from sim.exhibits.numbers import Row, Table, borne_out, per_cent, plain

_WIDTH = 140
_SIZES = ("12,000,000 users", "1,200,000,000 users")
_ROOMS = {
    "looking touched users up": "world/registry.py",
    "their risk and traits": "world/users.py",
    "their decisions": "agents/user.py",
}
"""Where time goes beside draws, in words."""

_STAGES = {
    "installation": "installing",
    "first import, which compiles": "first import",
    "burn-in": "burn-in",
    "runs after the burn-in": "runs after it",
    "figures": "figures",
    "start, tables, waiting for processes": "start, tables and waiting for processes",
}
"""Stages of the main job, and how README calls them."""

_OPPONENTS = """\
*Against whom.* The twin is held against the whole platform twice: on the dense laboratory, where it has a market, and on the standing
regime, which is the platform's own, but in which at the sizes that the twin can have nothing happens, so that a user-day costs it {faster}
times less. There the 5,000 times are missed. Starsim and Covasim are faster with 100,000 agents than with a million: of that, a million
users are {starsim} and {covasim} times as fast.
"""
_FLOOR = """\
*Why not nearer to the floor.* The floor is one hash and one look-up for each draw. A day takes {small} times as long with 12 million users
and {large} times with 1.2 billion, but the draws themselves, with the counts and choices made of them, only {draws} of it under the
profiler, that is {times} times the floor. The rest is what draws are for: {rest}, examining accounts, dealers' books; no other file has a
tenth. With 12 million users a draw call has {keys} keys, so that most of its time is the fixed cost of a dozen NumPy calls. Nothing is
compiled with Numba: the dearest file has {dearest} % of the time, and if all draws and look-ups cost nothing, a run would take {saved}
times less time, not the three times that a second language in the engine should be worth. To compile the engine as a whole was not tried.
"""
_MAIN_JOB = """\
*Where the time of `make compare` goes* (`make bench FLAGS='--only main_job --before {before}'`, 2 workers; in brackets the version before
burn-in was shared and days were made cheaper, in turn with this one, medians of {runs}): {all} seconds in all, of which {parts}.
"""
_DASHBOARD = """\
*The dashboard* shows its first chart {first} seconds after the command, and answers a key on a slider in {busy} seconds while a pair of
runs with 12 million users is going, in {idle} while nothing is.
"""


def speed(results: Path) -> str:
    """Return the paragraphs; raises `ValueError` where a row is missing or does not bear out what is said."""
    if not (results / "benchmarks.csv").is_file():
        return "*Not yet computed: `results/reference/benchmarks.csv` does not exist.*\n"
    table = Table(results / "benchmarks.csv")
    told = (say(table).replace(" %", "\N{NO-BREAK SPACE}%") for say in (_opponents, _floor, _main_job, _dashboard))
    filled = (textwrap.fill(text, _WIDTH, break_on_hyphens=False, break_long_words=False) for text in told)
    return "\n\n".join(filled).replace("\N{NO-BREAK SPACE}", " ") + "\n"


def _opponents(table: Table) -> str:
    what = "user-days/s, 1,200,000,000 users, stretches of 20 days"
    twins = {row["peer"].partition(",")[0].removeprefix("the twin on the "): row for row in table.rows if row["what"] == what}
    dense, standing = twins["dense laboratory"], twins["standing regime"]
    borne_out(float(standing["peer_events_per_s"]) == 0.0 < float(dense["peer_events_per_s"]), "nothing happens in the small regime")
    borne_out(standing["verdict"] == "missed" != dense["verdict"], "only one of the two ratios is missed")
    best = {
        name: table.one(what="1,000,000 users, 540 days", peer=f"{name}, 100,000 agents") for name in ("Starsim 3.7 SIR", "Covasim 3.1.7")
    }
    starsim, covasim = (f"{float(row['ratio']):.0f}" for row in best.values())
    faster = float(standing["peer_value"]) / float(dense["peer_value"])
    return _OPPONENTS.format(faster=f"{faster:.1f}", starsim=starsim, covasim=covasim)


def _floor(table: Table) -> str:
    rows = [table.one(section="floor", what=f"draws/s, {size}", peer="a hash and a look-up each, calls of mean size") for size in _SIZES]
    shares = [_profile(table, size) for size in _SIZES]
    draws = [share["luck.py"] + share["inversion.py"] for share in shares]
    saved = [1.0 / (1.0 - drawn - share["world/registry.py"]) for drawn, share in zip(draws, shares, strict=True)]
    ratios = [float(row["ratio"]) for row in rows]
    keys = re.match(r"([\d,]+) a call", rows[0]["note"])
    for share in shares:
        others = [part for room, part in share.items() if room not in {"luck.py", "libraries"}]
        borne_out(max(others) < 0.1 < share["luck.py"], "beside draws no file has a tenth")
    borne_out(max(saved) < 3.0, "draws and look-ups are less than two thirds of a run")
    if keys is None:
        raise ValueError("README says how many keys a draw call has, which the row of the floor does not")
    return _FLOOR.format(
        small=f"{ratios[0]:.0f}",
        large=f"{ratios[1]:.0f}",
        draws=_both(draws),
        times=" and ".join(f"{ratio * share:.1f}" for ratio, share in zip(ratios, draws, strict=True)),
        rest=", ".join(f"{told} ({_both([share[room] for share in shares])})" for told, room in _ROOMS.items()),
        keys=keys[1],
        dearest=per_cent(max(share["luck.py"] for share in shares)),
        saved=" and ".join(f"{times:.1f}" for times in saved),
    )


def _profile(table: Table, size: str) -> dict[str, float]:
    """Return the share of a day's time in each file."""
    end = f", {size}, under the profiler"
    return {row["what"].removesuffix(end): float(row["ours"]) for row in table.rows if row["what"].endswith(end)}


def _both(shares: Sequence[float]) -> str:
    return f"{per_cent(shares[0])} and {per_cent(shares[1])} %"


def _main_job(table: Table) -> str:
    rows = {stage: table.one(section="main_job", what=f"{stage}, now and before") for stage in ("all stages", *_STAGES)}
    (before,) = {row["peer"].removeprefix("version ") for row in rows.values()}
    borne_out(float(rows["burn-in"]["ratio_low"]) > 2.0, "burn-in takes much less than it did")

    def told(row: Row) -> str:
        return f"{float(row['ours']):.0f} ({float(row['peer_value']):.0f})"

    parts = ", ".join(f"{name} {told(rows[stage])}" for stage, name in _STAGES.items())
    return _MAIN_JOB.format(before=before, runs=rows["burn-in"]["runs"], all=told(rows["all stages"]), parts=parts)


def _dashboard(table: Table) -> str:
    first = table.one(section="dashboard", what="abm dashboard, command to first chart")
    key = table.one(section="dashboard", what="a key on a slider until its label says so, a pair of 12,000,000 users running")
    busy, idle = (plain(float(key[name])) for name in ("ours", "peer_value"))
    return _DASHBOARD.format(first=f"{float(first['ours']):.1f}", busy=busy, idle=idle)
