"""The results have not moved: two short runs give the numbers that were written down.

Run as a script, writes them: `make baseline` is the only way to change them.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sim.model import AccountMarket
from sim.outcomes import window_means
from sim.scenario import load_scenario

ROOT = Path(__file__).parents[2]
FILE = Path(__file__).with_name("numbers.json")
OUTCOMES = (
    *("stock_registered", "stock_unsealed", "stock_rented", "stock_bought", "stock_stolen"),
    *("supply_account_days", "price_yuan", "commission_yuan", "dealers_active", "expected_harm_yuan", "owners_banned"),
    *("innocents_sanctioned", "enforcement_cost_yuan"),
)
SMALL = {"population.users": 4_000_000, "run.days": 200, "run.burn_in_days": 60, "run.settle_days": 20}
NAMES = ("baseline", "combined")


def compute() -> dict[str, dict[str, float]]:
    """Return the window means of two short runs, under no policy and under many: 26 numbers."""
    numbers = {}
    for name in NAMES:
        scenario = load_scenario(ROOT / "scenarios" / f"{name}.toml", SMALL)
        model = AccountMarket(scenario, seed=1)
        model.run()
        means = window_means(model.daily, *scenario.run.window)
        numbers[name] = {outcome: means[outcome] for outcome in OUTCOMES}
    return numbers


@pytest.fixture(scope="module")
def computed() -> dict[str, dict[str, float]]:
    return compute()


@pytest.mark.parametrize("name", NAMES)
def test_numbers_are_those_written_down(computed, name):
    """All but the last digits: another processor may round differently."""
    written = json.loads(FILE.read_text(encoding="utf-8"))
    assert computed[name] == pytest.approx(written[name], rel=1e-9)


def test_every_number_is_there_and_most_are_not_zero(computed):
    assert sum(len(numbers) for numbers in computed.values()) == 26
    assert sum(value > 0 for numbers in computed.values() for value in numbers.values()) >= 24


if __name__ == "__main__":
    FILE.write_text(json.dumps(compute(), indent=2) + "\n", encoding="utf-8")
    print(f"wrote {FILE.relative_to(ROOT)}; mark the change in CHANGELOG.md with [results move]")  # noqa: T201  # a script's answer
