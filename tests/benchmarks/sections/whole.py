"""The whole platform in one process: memory, bytes a user, user-days a second against the twin's.

The twin runs at the best of several sizes, on the dense laboratory, where it has a market, and on the standing regime, which is that of the
platform, but in which at the sizes that the twin can have nearly nothing happens, so that it is three times faster. Both are judged. Every
measurement of it is of a market made anew, some days after its start.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from children import Child, Setting, daily_draws
from ratios import Aim, Rates, Row, compared

PLATFORM = "scenarios/wechat_full.toml"
LIMIT_GB = 10.0
TWIN = {"laboratory": "the twin on the dense laboratory", "scenarios/baseline.toml": "the twin on the standing regime"}
WARM_UP = 5


def twin_speed(child: Child, scenario: str, users: int, days: int, seed: int) -> tuple[float, float, float]:
    """Return user-days and events a second of a new twin, and bytes a user while it is there."""
    made = child.ask("build", name="twin", market="twin", scenario=scenario, users=users, days=WARM_UP + days, seed=seed)
    child.ask("step", name="twin", days=WARM_UP)
    done = child.ask("step", name="twin", days=days)
    child.ask("forget", name="twin")
    return users * days / done["seconds"], done["events"] / done["seconds"], (made["bytes"] - made["bytes_before"]) / users


def best_size(scenario: str, sizes: Sequence[int], setting: Setting) -> tuple[int, float]:
    """Return the number of users at which the twin has most user-days a second, and the bytes a user at the last size tried."""
    best, fastest, bytes_per_user = 0, 0.0, 0.0
    for users in sizes:
        with Child("markets") as child:
            tries = [twin_speed(child, scenario, users, setting.of(40, 10), seed) for seed in range(setting.of(3, 1))]
        speed = median(speed for speed, _, _ in tries)
        bytes_per_user = tries[0][2]
        setting.say(f"{TWIN[scenario]}, {users:,} users: {speed:,.0f} user-days/s, {bytes_per_user:,.0f} bytes a user")
        if speed > fastest:
            best, fastest = users, speed
    return best, bytes_per_user


def measure(setting: Setting) -> list[Row]:
    """Time whole runs and stretches of one, the stretches in turn with the twin."""
    users, days = setting.of((None, None), (120_000_000, 30))
    stretch, warm_up, repeats = setting.of((20, 20, 7), (5, 5, 3))
    tried = setting.of((3_000, 10_000, 30_000, 100_000, 300_000), (3_000, 30_000))
    sizes = {scenario: best_size(scenario, tried, setting) for scenario in TWIN}
    with Child("markets") as engine:
        made = engine.ask("build", name="whole", scenario=PLATFORM, users=users, days=days)
        run = engine.ask("step", name="whole", days=days or 540)
        peak = engine.ask("memory")["bytes"]
    people, seconds = run["users"], run["seconds"] + made["seconds"]
    whole_speed, whole_events = people * (days or 540) / seconds, run["events"] / seconds
    setting.say(f"{people:,} users, {days or 540} days, in {seconds:.1f} s, {made['seconds']:.1f} s of it to fill day 0")
    drawn = daily_draws(stretch, warm_up, scenario=PLATFORM, users=users)
    ours: list[tuple[float, float]] = []
    theirs: dict[str, list[tuple[float, float]]] = {scenario: [] for scenario in TWIN}
    with Child("markets") as engine, Child("markets") as twin:
        engine.ask("build", name="whole", scenario=PLATFORM, users=users)
        engine.ask("step", name="whole", days=warm_up)
        for seed in range(repeats):
            done = engine.ask("step", name="whole", days=stretch)
            ours.append((people * stretch / done["seconds"], done["events"] / done["seconds"]))
            for scenario, (size, _) in sizes.items():
                theirs[scenario].append(twin_speed(twin, scenario, size, setting.of(50, 10), 100 + seed)[:2])
    speeds = [speed for speed, _ in ours]
    draws = median(speeds) / people * drawn["draws"]
    stretch_rates = Rates(median(speeds), median(events for _, events in ours), draws)
    run_rates = Rates(whole_speed, whole_events)
    rows = [
        compared(
            "whole", f"peak memory, {people:,} users, {days or 540} days", "GB", [peak / 1e9], "limit", [LIMIT_GB], "peer/ours",
            Aim(1), run_rates,
        ),
        compared(
            "whole", "memory a user, all told", "bytes", [peak / people], f"the twin's own, {tried[-1]:,} users",
            [sizes["laboratory"][1]], "peer/ours", None, run_rates,
        ),
    ]  # fmt: skip
    for scenario, told in TWIN.items():
        peer = [speed for speed, _ in theirs[scenario]]
        peer_rates = Rates(median(peer), median(events for _, events in theirs[scenario]))
        aim = Aim(12_000, 5_000)
        named = f"{told}, {sizes[scenario][0]:,} users"
        rows += [
            compared(
                "whole", f"user-days/s, {people:,} users, run of {days or 540} days", "user-days/s", [whole_speed], named, peer,
                "ours/peer", aim, run_rates, peer_rates, f"one run with its start, {len(peer)} of the twin",
            ),
            compared(
                "whole", f"user-days/s, {people:,} users, stretches of {stretch} days", "user-days/s", speeds, named, peer, "ours/peer",
                aim, stretch_rates, peer_rates, "in turn with the twin",
            ),
        ]  # fmt: skip
    events = [rate for _, rate in ours], [rate for _, rate in theirs["laboratory"]]
    peer_rates = Rates(median(speed for speed, _ in theirs["laboratory"]), median(events[1]))
    told = f"events/s, {people:,} users, stretches of {stretch} days"
    rows.append(
        compared(
            "whole", told, "events/s", events[0], TWIN["laboratory"], events[1], "ours/peer", None, stretch_rates, peer_rates,
        )
    )  # fmt: skip
    return rows
