"""Nominal agent-steps a second against Starsim's default SIR model and Covasim's default, in their own environments.

An agent-step of ours is a user-day, and does less than one of theirs for most users: that cost follows what happens, not who exists, is
what the ratio shows. So events stand beside it: theirs are infections and what follows from them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median

from children import Child, Setting, daily_draws
from ratios import Aim, Rates, Row, compared

BASELINE, PLATFORM = "scenarios/baseline.toml", "scenarios/wechat_full.toml"
PEERS = {"Starsim 3.7 SIR": ("starsim", "starsim_sir"), "Covasim 3.1.7": ("covasim", "covasim_default")}
AIMS = {"Starsim 3.7 SIR": Aim(100), "Covasim 3.1.7": Aim(50)}


@dataclass
class Speeds:
    """Measurements of one program at one size: steps and events a second."""

    steps: list[float] = field(default_factory=list)
    events: list[float] = field(default_factory=list)

    def note(self, steps: float, events: float, seconds: float) -> None:
        """Add a measurement."""
        self.steps.append(steps / seconds)
        self.events.append(events / seconds)

    def rates(self, draws_per_step: float | None = None) -> Rates:
        """Return the medians."""
        steps = median(self.steps)
        return Rates(steps, median(self.events), None if draws_per_step is None else steps * draws_per_step)


def measure(setting: Setting) -> list[Row]:
    """Run all in turn, so that none has the quiet minutes to itself."""
    million = setting.of(1_000_000, 100_000)
    agents = {
        "Starsim 3.7 SIR": setting.of([100_000, 1_000_000], [10_000, 100_000]),
        "Covasim 3.1.7": setting.of([20_000, 100_000, 1_000_000], [10_000, 20_000, 100_000]),
    }
    days, stretch, repeats = setting.of((540, 20, 5), (120, 5, 2))
    whole_users = setting.of(None, 120_000_000)
    ours, whole = Speeds(), Speeds()
    theirs = {(peer, size): Speeds() for peer, sizes in agents.items() for size in sizes}
    with (
        Child("markets") as engine,
        Child("markets") as platform,
        Child("starsim_sir", setting.python_of("starsim")) as starsim,
        Child("covasim_default", setting.python_of("covasim")) as covasim,
    ):
        children = dict(zip(PEERS, (starsim, covasim), strict=True))
        for child in children.values():
            child.ask("run", agents=2_000)  # compiles, and builds caches of fonts
        engine.ask("build", name="warm", scenario=BASELINE, users=million, days=30)
        engine.ask("step", name="warm", days=30)
        platform.ask("build", name="whole", scenario=PLATFORM, users=whole_users)
        people = platform.ask("step", name="whole", days=20)["users"]
        for seed in range(repeats):
            for (peer, size), speeds in theirs.items():
                done = children[peer].ask("run", agents=size, seed=seed)
                speeds.note(done["steps"], done["events"], done["seconds"])
                engine.ask("build", name="million", scenario=BASELINE, users=million, days=days, seed=seed)
                done = engine.ask("step", name="million", days=days)
                ours.note(million * days, done["events"], done["seconds"])
            done = platform.ask("step", name="whole", days=stretch)
            whole.note(people * stretch, done["events"], done["seconds"])
            setting.say(f"round {seed + 1} of {repeats} done")
    for (peer, size), speeds in theirs.items():
        setting.say(f"{peer}, {size:,} agents: {median(speeds.steps):.3g} agent-steps/s, {median(speeds.events):.3g} events/s")
    own_draws = daily_draws(days, 0, scenario=BASELINE, users=million, days=days)["draws"] / million
    whole_draws = daily_draws(stretch, 20, scenario=PLATFORM, users=whole_users)["draws"] / people
    rows = []
    order = list(theirs)
    for (peer, size), speeds in theirs.items():
        beside = [ours.steps[k * len(order) + order.index((peer, size))] for k in range(repeats)]  # those that ran just after
        rows.append(
            compared(
                "peers", f"{million:,} users, {days} days", "user-days/s", beside, f"{peer}, {size:,} agents", speeds.steps, "ours/peer",
                AIMS[peer] if size == max(agents[peer]) else None, ours.rates(own_draws), speeds.rates(),
            )
        )  # fmt: skip
    for peer, sizes in agents.items():
        best = max(sizes, key=lambda size: median(theirs[peer, size].steps))
        speeds = theirs[peer, best]
        rows.append(
            compared(
                "peers", f"{people:,} users, stretches of {stretch} days", "user-days/s", whole.steps,
                f"{peer} at its best, {best:,} agents", speeds.steps, "ours/peer", Aim(1000), whole.rates(whole_draws), speeds.rates(),
            )
        )  # fmt: skip
    return rows
