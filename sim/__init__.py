"""abm: an agent-based simulator of the account black market.

>>> import sim
>>> scenario = sim.load_scenario("scenarios/baseline.toml", {"population.users": 1_000_000})  # doctest: +SKIP
>>> comparison = sim.compare(scenario, [policy], replications=10)  # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.calling import MarketFunction, as_function
    from sim.cluster import ClusterError, on_cluster
    from sim.comparison import Comparison, Robust, Runs
    from sim.conduct import compare, open_results, run, sweep
    from sim.discovery.discovery import Discovery, discover
    from sim.exploring.carrying import Explored, experiment
    from sim.exploring.interactions import Interactions, interactions
    from sim.exploring.sensitivity import Sensitivity, sensitivity
    from sim.faults import ScenarioError
    from sim.model import AccountMarket
    from sim.optimising.command import Optimised, optimise
    from sim.replaying import replay
    from sim.report import write_report
    from sim.scenario import Scenario, load_scenario
    from sim.store import Results, StoreError, WriteError
    from sim.structure import OverLearning, over_learning

__version__ = "0.1.0"

_HOMES = {
    "AccountMarket": "sim.model",
    "ClusterError": "sim.cluster",
    "Comparison": "sim.comparison",
    "Discovery": "sim.discovery.discovery",
    "Explored": "sim.exploring.carrying",
    "Interactions": "sim.exploring.interactions",
    "MarketFunction": "sim.calling",
    "Optimised": "sim.optimising.command",
    "OverLearning": "sim.structure",
    "Results": "sim.store",
    "Robust": "sim.comparison",
    "Runs": "sim.comparison",
    "Scenario": "sim.scenario",
    "ScenarioError": "sim.faults",
    "Sensitivity": "sim.exploring.sensitivity",
    "StoreError": "sim.store",
    "WriteError": "sim.store",
    "as_function": "sim.calling",
    "compare": "sim.conduct",
    "discover": "sim.discovery.discovery",
    "experiment": "sim.exploring.carrying",
    "interactions": "sim.exploring.interactions",
    "load_scenario": "sim.scenario",
    "on_cluster": "sim.cluster",
    "open_results": "sim.conduct",
    "optimise": "sim.optimising.command",
    "over_learning": "sim.structure",
    "replay": "sim.replaying",
    "run": "sim.conduct",
    "sensitivity": "sim.exploring.sensitivity",
    "sweep": "sim.conduct",
    "write_report": "sim.report",
}

__all__ = [
    "AccountMarket",
    "ClusterError",
    "Comparison",
    "Discovery",
    "Explored",
    "Interactions",
    "MarketFunction",
    "Optimised",
    "OverLearning",
    "Results",
    "Robust",
    "Runs",
    "Scenario",
    "ScenarioError",
    "Sensitivity",
    "StoreError",
    "WriteError",
    "__version__",
    "as_function",
    "compare",
    "discover",
    "experiment",
    "interactions",
    "load_scenario",
    "on_cluster",
    "open_results",
    "optimise",
    "over_learning",
    "replay",
    "run",
    "sensitivity",
    "sweep",
    "write_report",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that `import sim` itself is cheap."""
    if name not in _HOMES:
        raise AttributeError(f"module 'sim' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return list(__all__)
