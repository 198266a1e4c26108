"""Two workers on many runs, against what two spinning processes gain over one in the same minutes: machines seldom give two."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from statistics import median

from children import Child, Setting
from ratios import Aim, Rates, Row, compared


def speed_up(first: Child, second: Child, both: ThreadPoolExecutor, seconds: float) -> float:
    """Return how many times the rounds of one spinning process two have together."""
    alone = first.ask("spin", seconds=seconds)
    return sum(both.map(lambda child: child.ask("spin", seconds=seconds), (first, second))) / alone


def measure(setting: Setting) -> list[Row]:
    """Time spinning and running with one and with two in turn, spinning before and after."""
    runs, users, days = setting.of((100, 1_000_000, 120), (12, 200_000, 60))
    repeats, seconds = setting.of((5, 2.0), (2, 0.3))
    spun: list[float] = []
    gained: list[float] = []
    spent: list[float] = []
    events = 0.0
    with Child("jobs") as jobs, Child("floors") as first, Child("floors") as second, ThreadPoolExecutor(2) as both:
        jobs.ask("many", workers=2, runs=2, users=users, days=10)  # imports, and what is compiled on the way
        for _ in range(repeats):
            before = speed_up(first, second, both, seconds)
            one = jobs.ask("many", workers=1, runs=runs, users=users, days=days)
            two = jobs.ask("many", workers=2, runs=runs, users=users, days=days)
            spun.append((before + speed_up(first, second, both, seconds)) / 2)
            gained.append(one["seconds"] / two["seconds"])
            spent.append(two["seconds"])
            events = two["events"]
    rates = Rates(users * days * runs / median(spent), events / median(spent))
    what = f"speed-up of 2 workers, {runs} runs of {users:,} users, {days} days"
    return [compared("workers", what, "times", gained, "two spinning processes over one", spun, "ours/peer", Aim(0.9), rates)]
