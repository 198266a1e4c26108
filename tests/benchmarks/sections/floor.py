"""The hot path against its floor: what hashing and random access cost on this machine if nothing else were done.

An event here is a keyed draw: a hash of an entity's key, and, at its least, a look-up in a column of those to whom something happened. The
floor is a hash and a look-up for each draw of the day: in arrays of the size of a mean call, where NumPy's cost a call counts too, and in
large ones, where it does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median

from children import Child, Setting, daily_draws
from ratios import Aim, Rates, Row, compared

BASELINE = "scenarios/baseline.toml"
WARM_UP = 20
LARGE = 1 << 22
SHARE = "of the time"
HASH_AND_LOOK_UP = Aim(5, side="below")


def floors(child: Child, size: int, rows: int, seconds: float) -> dict[str, float]:
    """Return words hashed, looked up and copied a second in arrays of `size`, and hash and look-up together."""
    measured = {
        "hash": child.ask("hashing", size=size, seconds=seconds),
        "look-up": child.ask("gathering", size=size, rows=rows, seconds=seconds),
        "copy": child.ask("copying", size=size, seconds=seconds),
    }
    return measured | {"both": 1.0 / (1.0 / measured["hash"] + 1.0 / measured["look-up"])}


def measure(setting: Setting) -> list[Row]:
    """Measure engine and floors in turn at the default size and at that of the whole platform."""
    rows: list[Row] = []
    for users in setting.of((12_000_000, 1_200_000_000), (12_000_000,)):
        rows += at_size(setting, users)
    return rows


def at_size(setting: Setting, users: int) -> list[Row]:
    """Measure the engine and its floors at one size, and say where the time of a day goes."""
    stretch, repeats, seconds = setting.of((20, 7, 0.3), (5, 3, 0.05))
    drawn = daily_draws(stretch * repeats, WARM_UP, scenario=BASELINE, users=users)
    size = max(1, round(drawn["draws"] / drawn["calls"]))
    ours: list[float] = []
    found: dict[str, list[Mapping[str, float]]] = {"calls of mean size": [], "large arrays": []}
    with Child("markets") as engine, Child("floors") as machine:
        engine.ask("build", name="market", scenario=BASELINE, users=users)
        engine.ask("step", name="market", days=WARM_UP)
        for _ in range(repeats):
            ours.append(drawn["draws"] * stretch / engine.ask("step", name="market", days=stretch)["seconds"])
            touched = engine.ask("table_rows", name="market")["touched"]
            found["calls of mean size"].append(floors(machine, size, touched, seconds))
            found["large arrays"].append(floors(machine, LARGE, touched, seconds))
        shares = engine.ask("profile", name="market", days=stretch)
    setting.say(f"{users:,} users: {drawn['draws']:,.0f} draws a day in {drawn['calls']:.0f} calls, mean size {size:,}")
    setting.say("time by file, under the profiler:")
    for room, share in shares[:12]:
        setting.say(f"    {share:6.1%}  {room}")
    per_draw = median(ours) / drawn["draws"]
    rates = Rates(users * per_draw, drawn["events"] * per_draw, median(ours))
    rows = []
    for how, measured in found.items():
        for part, told, aim in (
            ("both", "a hash and a look-up each", HASH_AND_LOOK_UP),
            ("hash", "a hash each", None),
            ("look-up", "a look-up each", None),
            ("copy", "a copy of 8 bytes each", None),
        ):
            rows.append(
                compared(
                    "floor", f"draws/s, {users:,} users", "draws/s", ours, f"{told}, {how}", [x[part] for x in measured], "peer/ours", aim,
                    rates, note=f"{size:,} a call, {touched:,} users touched" if part == "both" else "",
                )
            )  # fmt: skip
    part = [
        compared("floor", f"{room}, {users:,} users, under the profiler", SHARE, [x], "a day", [1.0], "ours/peer")
        for room, x in shares[:12]
    ]
    return rows + part
