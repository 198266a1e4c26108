"""No luck but the keyed one: neither in the code nor while a run goes on."""

from __future__ import annotations

import ast
import random
from pathlib import Path

import numpy as np
import pytest

from sim.model import AccountMarket
from sim.scenario import scenario_from

SIM = Path(__file__).parents[2] / "sim"
ENGINE = sorted(
    path
    for path in [*SIM.glob("*.py"), *(SIM / "world").glob("*.py"), *(SIM / "agents").glob("*.py"), *(SIM / "processes").glob("*.py")]
    if path.parent != SIM or path.stem in {"luck", "inversion", "levers", "parameters", "policies", "rows", "outcomes", "model", "scenario"}
)
MODULES = {"random", "secrets", "time", "datetime", "uuid"}
CALLS = {"default_rng", "RandomState", "rvs", "urandom", "getrandbits", "shuffle", "permutation", "time_ns", "perf_counter"}


@pytest.mark.parametrize("path", ENGINE, ids=lambda path: str(path.relative_to(SIM)))
def test_engine_names_no_other_source(path):
    """No generator, no clock, no hash that changes from process to process."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            assert not {alias.name.split(".")[0] for alias in node.names} & MODULES
            assert not any(alias.name.startswith("numpy.random") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert (node.module or "").split(".")[0] not in MODULES
            assert not (node.module or "").startswith("numpy.random")
            assert not {alias.name for alias in node.names} & ({"random"} | CALLS)
        elif isinstance(node, ast.Attribute):
            assert node.attr not in CALLS | {"random"}, f"line {node.lineno}"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"hash", "id"}, f"line {node.lineno}"


def test_all_rooms_of_the_engine_are_read():
    assert len(ENGINE) > 30


def test_a_run_touches_no_generator():
    """Neither the global generators nor those that Mesa gives each model are drawn from."""
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002  # it is the global one that must stay as it is
    scenario = scenario_from(
        {"name": "t", "population": {"users": 300_000}, "run": {"days": 12, "burn_in_days": 4, "settle_days": 2}}, "t", Path()
    )
    model = AccountMarket(scenario, 5)
    before = (random.getstate(), repr(np.random.get_state()), model.random.getstate(), model.rng.bit_generator.state)  # noqa: NPY002
    model.run()
    after = (random.getstate(), repr(np.random.get_state()), model.random.getstate(), model.rng.bit_generator.state)  # noqa: NPY002
    assert before == after
