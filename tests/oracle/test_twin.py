"""Engine and twin are two programs of one description: what they say of the same market must agree."""

from __future__ import annotations

import ast
import time
from pathlib import Path

import numpy as np
import pytest
from agreement import ENGINE_RUNS_PER_TWIN_RUN, Sample, collect, compare, compare_lifetimes, compare_means, holm, run_engine, run_twin
from laboratory import scenario
from twin import Twin

from sim.levers import CHANNELS, LEVERS
from sim.outcomes import OUTCOMES

ALLOWED = {"sim.scenario", "sim.parameters", "sim.levers"}
FEW_DAYS = 6

CI_TWIN_RUNS, CI_ENGINE_RUNS = 5, 15
CI_RELATIVE_MARGIN = 0.1
CI_MARGIN_IN_SD = 3.0
"""With 5 and 15 runs the difference of means has a standard error of .52 sd of a run and its 90 % interval a half-width of about 1 sd.
Two equal programs are within 3 sd on an outcome with probability above .99; a difference of 3 sd passes with probability .05 at most. In
ratios, whose sd is a few per cent, the larger margin is 10 %."""
CI_MARKET = (
    *(f"stock_{channel}" for channel in CHANNELS),
    *(f"exits_per_day_{channel}" for channel in CHANNELS),
    *(f"detections_per_day_{channel}" for channel in CHANNELS),
    *(f"quality_{channel}" for channel in CHANNELS),
    *("price_yuan", "commission_yuan", "helper_price_yuan", "dealers_active", "dealer_evasion", "dealer_pool", "review_backlog"),
    *("helpers_per_request", "unsealed_per_attempt", "reports_per_account_day", "swept_per_detection", "purged_per_account_day"),
    *("helpers_sanctioned_per_detection", "helper_cases_per_detection", "harm_per_account_day", "fraud_share", "victims"),
    *("innocents_sanctioned", "signups_blocked", "helpers_refused", "travellers_challenged", "arrests_dealer"),
)
CI_OWNERS = (
    *("stock_rented", "inflow_rented", "detected_rented", "rentals_per_approach", "referrals_per_renter_day", "returns_per_sanction"),
    *("repeats_per_sanction", "losses_per_sanction", "harm_per_sanction", "appeals_per_sanction", "appeals_upheld", "challenges_per_day"),
    *("self_reports_per_renter_day", "owner_cases_per_sanction", "exits_per_day_rented", "quality_rented", "unseals_refused"),
)


def imports(file: Path) -> set[str]:
    """Return the modules that a file imports anywhere."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


def test_twin_shares_nothing_with_the_engine_but_scenario_and_ledger():
    files = sorted((Path(__file__).parent / "twin").glob("*.py"))
    assert len(files) > 5
    for file in files:
        ours = {name for name in imports(file) if name == "sim" or name.startswith("sim.")}
        assert ours <= ALLOWED, f"{file.name} imports {sorted(ours - ALLOWED)}"
        assert not any(name.startswith(("importlib", "tests")) for name in imports(file)), file.name


def test_twin_fills_every_outcome_and_repeats_itself():
    rows = [Twin(scenario(days=FEW_DAYS, users=5_000), 3).run() for _ in range(2)]
    assert rows[0] == rows[1]
    assert all(row.keys() == OUTCOMES.keys() for row in rows[0])
    assert all(np.isfinite(list(row.values())).all() for row in rows[0])


def test_verdicts_tell_equal_from_different():
    """The statistics themselves, on samples whose law is known."""
    rng = np.random.default_rng(11)
    engine = rng.normal(100.0, 20.0, 400)
    same = compare_means("same", "", engine, rng.normal(100.0, 20.0, 200))
    apart = compare_means("apart", "", engine, rng.normal(115.0, 20.0, 200))
    wider = compare_means("wider", "", engine, rng.normal(100.0, 40.0, 200))
    few = compare_means("few", "", engine[:6], rng.normal(100.0, 20.0, 6))
    fixed = compare_means("fixed", "", np.full(5, 2.0), np.full(5, 2.0 + 1e-6))
    assert same.equivalent
    assert not apart.equivalent
    assert not few.equivalent
    assert apart.p_difference < 1e-6 < same.p_difference
    assert wider.p_spread < 1e-6 < same.p_spread
    assert not fixed.equivalent
    assert np.allclose(holm([0.01, np.nan, 0.5, 0.02]), [0.03, np.nan, 0.5, 0.04], equal_nan=True)


def test_permutation_of_runs_tells_laws_of_lifetimes_apart():
    """Geometric lifetimes of two hazards, and of one hazard that differs from run to run in the same way on both sides."""
    rng = np.random.default_rng(12)

    def runs(count: int, low: float, high: float) -> list[Sample]:
        return [Sample({}, {c: rng.geometric(rng.uniform(low, high), 60).tolist() for c in CHANNELS}) for _ in range(count)]

    equal = compare_lifetimes(runs(20, 0.1, 0.3), runs(12, 0.1, 0.3), draws=199)
    apart = compare_lifetimes(runs(20, 0.1, 0.3), runs(12, 0.3, 0.5), draws=199)
    assert min(p for _, p in equal.values()) > 0.005
    assert max(p for _, p in apart.values()) < 0.02


def test_laboratory_is_dense_and_moves_every_lever():
    made = scenario()
    moved = {policy.lever for policy in made.policies.values()} | {n for n, x in made.levers.items() if x != LEVERS[n].standing}
    assert {"login_check", "scan_confirmation", "owner_amnesty", "helper_sanctions", "purge", "ad_takedown", "legal_certainty"} <= moved
    model = Twin(scenario(days=FEW_DAYS), 1)
    row = model.run()[-1]
    live = sum(row[f"stock_{channel}"] for channel in CHANNELS)
    assert 60 < made.population.users / live < 180
    assert len(model.dealers) >= 12
    assert len(model.recruiters) >= 8


@pytest.mark.slow
@pytest.mark.parametrize(("owners", "outcomes"), [(False, CI_MARKET), (True, CI_OWNERS)], ids=["market", "owners"])
def test_engine_and_twin_agree_on_the_mechanisms(owners, outcomes):
    """Ratios in which the ups and downs of the market cancel, and the stocks and prices that all else depends on."""
    engine = collect(run_engine, range(800_000, 800_000 + CI_ENGINE_RUNS), owners)
    twin = collect(run_twin, range(900_000, 900_000 + CI_TWIN_RUNS), owners)
    rows = compare(engine, twin, outcomes)
    margins = [max(CI_RELATIVE_MARGIN * abs(row.engine_mean), CI_MARGIN_IN_SD * row.run_sd) for row in rows]
    assert not [row for row, margin in zip(rows, margins, strict=True) if row.low < -margin or row.high > margin]
    assert not [row for row in rows if "differ" in row.verdict]


@pytest.mark.nightly
@pytest.mark.parametrize("owners", [False, True], ids=["market", "owners"])
def test_engine_and_twin_agree_on_everything(capsys, owners):
    """Fresh seeds, every outcome: none is told apart, and at least two in three are shown equivalent by 40 and 160 runs.

    Their difference has a standard error of .18 sd of a run: an equal outcome is shown within half a sd with probability .75, and within
    5 % with more where the sd is small; a difference of 1 sd is told apart with probability .94 among 200 outcomes at 1 % (Holm).
    """
    first = int(time.time())
    engine = collect(run_engine, range(first, first + 40 * ENGINE_RUNS_PER_TWIN_RUN), owners)
    twin = collect(run_twin, range(first + 10**6, first + 10**6 + 40), owners)
    rows, lives = compare(engine, twin), compare_lifetimes(engine, twin)
    with capsys.disabled():
        for row in rows:
            if row.verdict != "equivalent":
                print(f"\nseed {first}: {row}", end="")  # noqa: T201  # what a nightly run found
    assert not [row for row in rows if "differ" in row.verdict]
    assert np.nanmin(holm([p for _, p in lives.values()])) > 0.01
    assert np.mean([row.equivalent for row in rows]) >= 2 / 3
