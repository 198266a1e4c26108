"""The dense laboratory: engine and twin live the same days of the same market, in turn, a few days at a time."""

from __future__ import annotations

from statistics import median

from children import Child, Setting, daily_draws
from ratios import Aim, Rates, Row, compared


def measure(setting: Setting) -> list[Row]:
    """Time the same days, and hold the events of both against each other: a ratio says nothing where the work is not the same."""
    users, warm_up, block, blocks = setting.of((1_000_000, 3, 3, 7), (100_000, 2, 2, 3))
    days = block * blocks
    market = {"scenario": "laboratory", "users": users, "days": warm_up + days}
    drawn = daily_draws(days, warm_up, **market)
    seconds: dict[str, list[float]] = {"engine": [], "twin": []}
    events: dict[str, list[float]] = {"engine": [], "twin": []}
    with Child("markets") as engine, Child("markets") as twin:
        sides = {"engine": engine, "twin": twin}
        for name, child in sides.items():
            made = child.ask("build", name="laboratory", market=name, **market)
            setting.say(f"{name}: made in {made['seconds']:.1f} s, {made['bytes'] / 1e9:.2f} GB")
            child.ask("step", name="laboratory", days=warm_up)
        for _ in range(blocks):
            for name, child in sides.items():
                done = child.ask("step", name="laboratory", days=block)
                seconds[name].append(done["seconds"] / block)
                events[name].append(done["events"] / block)
    rates = {name: Rates(users / median(seconds[name]), sum(events[name]) / sum(seconds[name])) for name in sides}
    rates["engine"] = Rates(rates["engine"].user_days, rates["engine"].events, drawn["draws"] / median(seconds["engine"]))
    where = f"dense laboratory, {users:,} users"
    told = f"days {warm_up} to {warm_up + days - 1}, {block} at a time in turn"
    return [
        compared(
            "laboratory", f"seconds a day, {where}", "s/day", seconds["engine"], "the twin", seconds["twin"], "peer/ours", Aim(200, 100),
            rates["engine"], rates["twin"], told,
        ),
        compared(
            "laboratory", f"events a day, {where}", "events/day", events["engine"], "the twin", events["twin"], "ours/peer", None,
            rates["engine"], rates["twin"], "near 1: both do the same",
        ),
    ]  # fmt: skip
