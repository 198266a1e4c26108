"""How cost grows: with users at the same total of events, with events at the same users, and with both."""

from __future__ import annotations

from pathlib import Path
from statistics import median

from children import Child, Setting, daily_draws
from ratios import Aim, Rates, Row, compared

BASELINE = "scenarios/baseline.toml"
WARM_UP = 20
FIGURE = "benchmarks_growth.png"
"""Its table is a CSV file of the same name."""


def factors(setting: Setting) -> list[Row]:
    """Time three markets in turn: one, one of ten times the users and as many events, one of as many users and ten times the events."""
    users, stretch, repeats = setting.of((12_000_000, 20, 9), (1_200_000, 5, 3))
    markets = {
        "one": {"users": users},
        "users": {"users": 10 * users, "density": 0.1},
        "events": {"users": users, "density": 10.0},
    }
    drawn = {name: daily_draws(stretch, WARM_UP, scenario=BASELINE, **sizes) for name, sizes in markets.items()}
    seconds: dict[str, list[float]] = {name: [] for name in markets}
    with Child("markets") as child:
        for name, sizes in markets.items():
            child.ask("build", name=name, scenario=BASELINE, **sizes)
            child.ask("step", name=name, days=WARM_UP)
        for _ in range(repeats):
            for name, spent in seconds.items():
                spent.append(child.ask("step", name=name, days=stretch)["seconds"] / stretch)
    rates = {
        name: Rates(sizes["users"] / median(seconds[name]), *(drawn[name][key] / median(seconds[name]) for key in ("events", "draws")))
        for name, sizes in markets.items()
    }
    rows = []
    for name, what, aim in (
        ("users", f"users x 10 ({10 * users:,}), as many events", Aim(1.2, side="below")),
        ("events", f"events x 10, {users:,} users", Aim(10, side="below")),
    ):
        told = ", ".join(f"{key} x {drawn[name][key] / drawn['one'][key]:.2f}" for key in ("events", "draws"))
        rows.append(
            compared(
                "growth", what, "s/day", seconds[name], f"the standing regime, {users:,} users", seconds["one"], "ours/peer", aim,
                rates[name], rates["one"], f"measured: {told}",
            )
        )  # fmt: skip
    return rows


def curve(setting: Setting) -> tuple[list[Row], dict[str, list[float]]]:
    """Time the standing regime from 100,000 users to the whole platform; returns rows and the table of the figure."""
    sizes = setting.of(
        [100_000, 300_000, 1_000_000, 3_000_000, 12_000_000, 30_000_000, 120_000_000, 400_000_000, 1_200_000_000],
        [100_000, 1_000_000, 12_000_000, 120_000_000],
    )
    stretch, repeats = setting.of((10, 7), (3, 3))
    seconds: dict[int, list[float]] = {size: [] for size in sizes}
    events: dict[int, float] = dict.fromkeys(sizes, 0.0)
    with Child("markets") as child:
        for size in sizes:
            child.ask("build", name=str(size), scenario=BASELINE, users=size)
            child.ask("step", name=str(size), days=WARM_UP)
        for _ in range(repeats):
            for size in sizes:
                done = child.ask("step", name=str(size), days=stretch)
                seconds[size].append(done["seconds"] / stretch)
                events[size] += done["events"] / stretch / repeats
    rows = []
    table: dict[str, list[float]] = {name: [] for name in ("users", "seconds", "seconds_low", "seconds_high", "events")}
    first = sizes[0]
    for size in sizes:
        spent = seconds[size]
        middle = median(spent)
        per_s = [size / x for x in spent]
        rates = Rates(size / middle, events[size] / middle, daily_draws(stretch, WARM_UP, scenario=BASELINE, users=size)["draws"] / middle)
        told = f"{middle:.4g} seconds a day ({min(spent):.4g} to {max(spent):.4g})"
        rows.append(
            compared(
                "growth", f"curve, {size:,} users", "user-days/s", per_s, f"{first:,} users", [first / x for x in seconds[first]],
                "ours/peer", None, rates, note=told,
            )
        )  # fmt: skip
        for name, value in zip(table, (size, middle, min(spent), max(spent), events[size]), strict=True):
            table[name].append(float(value))
    return rows, table


def note_of(stretches: int) -> str:
    """Return the caption of the figure."""
    return f"Standing regime, one process; medians of {stretches} stretches in turn, least and largest."


def draw(table: dict[str, list[float]], path: Path, stretches: int) -> None:
    """Draw the curve into a file, and write its points beside it."""
    import pandas as pd

    from sim import plots
    from sim.plots.gallery import rendered
    from sim.store import write_csv

    points = pd.DataFrame(table).assign(stretches=stretches)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(rendered(plots.growth(points, note_of(stretches)), "png"))
    write_csv(path.with_suffix(".csv"), points)


def measure(setting: Setting) -> list[Row]:
    """Measure the two factors and the curve, and draw the curve beside the table."""
    rows = factors(setting)
    points, table = curve(setting)
    draw(table, setting.figures / FIGURE, points[0].runs)
    return rows + points
