"""Covasim's default model, initialised and compiled before it is timed."""

from __future__ import annotations

import sys
import time
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))

import covasim as cv
from answering import serve

FLOWS = ("new_infections", "new_symptomatic", "new_severe", "new_critical", "new_recoveries", "new_deaths")


def run(agents: int, seed: int = 1) -> dict[str, float]:
    """Time one run; returns seconds, agent-steps, and changes of a person's state as events."""
    sim = cv.Sim(pop_size=agents, verbose=0, rand_seed=seed)
    sim.initialize()
    start = time.perf_counter()
    sim.run()
    seconds = time.perf_counter() - start
    events = float(sum(sim.results[name].values.sum() for name in FLOWS))
    return {"seconds": seconds, "steps": agents * sim.npts, "events": events}


if __name__ == "__main__":
    serve({"run": run})
