"""Starsim's default SIR model, initialised and compiled before it is timed."""

from __future__ import annotations

import sys
import time
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))

import starsim as ss
from answering import serve


def run(agents: int, seed: int = 1) -> dict[str, float]:
    """Time one run; returns seconds, agent-steps, and new infections as events."""
    sim = ss.Sim(n_agents=agents, diseases="sir", networks="random", verbose=0, rand_seed=seed)
    sim.init()
    start = time.perf_counter()
    sim.run()
    seconds = time.perf_counter() - start
    infections = float(sim.results.sir.new_infections.values.sum())
    return {"seconds": seconds, "steps": agents * len(sim.t.timevec), "events": infections}


if __name__ == "__main__":
    serve({"run": run})
