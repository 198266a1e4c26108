"""A process that holds markets of the engine or of the twin and steps them."""

from __future__ import annotations

import gc
import inspect
import sys
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
from answering import peak_bytes, serve
from worlds import consequential, world

from sim.luck import Luck
from sim.model import AccountMarket

MODELS: dict[str, Any] = {}
COUNTS = {"draws": 0, "calls": 0}
NOT_DRAWING = ("stream",)
"""Methods of `Luck` that only name a stream; all other public ones draw. A draw is a keyed number that one returns, a call one of them."""


def build(name: str, scenario: str, market: str = "engine", seed: int = 1, **sizes: Any) -> dict[str, float]:
    """Make a market of day 0; returns seconds and bytes of memory at most, before and after."""
    if name in MODELS:
        forget(name)
    before = peak_bytes()
    made = world(scenario, **sizes)
    if market == "twin":
        from twin import Twin as Market
    else:
        Market = AccountMarket  # noqa: N806  # it is a class
    start = time.perf_counter()
    MODELS[name] = Market(made, seed)
    seconds = time.perf_counter() - start
    gc.collect()
    gc.freeze()  # what lives as long as the market is not looked through again on every collection: it would slow the twin
    return {"seconds": seconds, "bytes_before": before, "bytes": peak_bytes(), "users": made.population.users}


def forget(name: str) -> None:
    """Let a market go."""
    del MODELS[name]
    gc.unfreeze()
    gc.collect()


def step(name: str, days: int) -> dict[str, float]:
    """Simulate days; returns seconds, consequential events, draws and calls (0 unless counted)."""
    model = MODELS[name]
    before = dict(COUNTS)
    first = model.day
    start = time.perf_counter()
    for _ in range(days):
        model.step()
    seconds = time.perf_counter() - start
    drawn = {key: COUNTS[key] - before[key] for key in COUNTS}
    return {"seconds": seconds, "events": _events(model, first), "users": model.scenario.population.users, **drawn}


def _events(model: Any, first: int) -> float:
    if isinstance(model, AccountMarket):
        return float(sum(column[first:].sum() for outcome, column in model.daily.items() if consequential(outcome)))
    return float(sum(value for row in model.rows[first:] for outcome, value in row.items() if consequential(outcome)))


def memory() -> dict[str, int]:
    """Return the most bytes that this process ever had."""
    return {"bytes": peak_bytes()}


def table_rows(name: str) -> dict[str, int]:
    """Return the sizes that random access meets: users touched and accounts in the table."""
    model = MODELS[name]
    return {"touched": int(model.world.users.registry.size), "accounts": int(model.world.accounts.size)}


def count_draws() -> None:
    """Count from now on what the engine draws; the process is of no use for timing any more."""
    depth = 0

    def counting(method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)
        def counted(*args: Any, **options: Any) -> Any:
            nonlocal depth
            depth += 1
            try:
                result = method(*args, **options)
            finally:
                depth -= 1
            if depth == 0:  # `uniforms` draws by way of `bits`: the outermost call counts
                COUNTS["calls"] += 1
                COUNTS["draws"] += sum(map(np.size, result)) if isinstance(result, tuple) else int(np.size(result))
            return result

        return counted

    for name, method in list(vars(Luck).items()):
        if inspect.isfunction(method) and not name.startswith("_") and name not in NOT_DRAWING:
            setattr(Luck, name, counting(method))


def profile(name: str, days: int) -> list[tuple[str, float]]:
    """Return the share of each file of the package, and of what it calls in libraries, in the time of some days."""
    import cProfile
    import pstats

    watch = cProfile.Profile()
    model = MODELS[name]
    watch.runcall(lambda: [model.step() for _ in range(days)])
    shares: dict[str, float] = {}
    for (file, _, _), (_, _, own, _, callers) in pstats.Stats(watch).stats.items():  # type: ignore[attr-defined]  # no stubs
        parts = {file: own} if "sim" in Path(file).parts else {caller[0]: spent[2] for caller, spent in callers.items()}
        for place, seconds in parts.items():
            known = Path(place).parts
            room = "/".join(known[len(known) - known[::-1].index("sim") :]) if "sim" in known else "libraries"
            shares[room] = shares.get(room, 0.0) + seconds
    total = sum(shares.values())
    return sorted(((room, seconds / total) for room, seconds in shares.items()), key=lambda pair: -pair[1])


if __name__ == "__main__":
    serve({f.__name__: f for f in (build, forget, step, memory, table_rows, count_draws, profile)})
