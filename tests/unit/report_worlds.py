"""Results of the shipped comparison with effects made by hand, which take no time to make."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from sim import luck
from sim.comparison import Kept, Runs
from sim.jobs import Job
from sim.outcomes import OUTCOMES, window_means
from sim.plan import Plan
from sim.report.blocks import Items, Line, Page, Paragraph
from sim.scenario import load_scenario
from sim.store import Memory, Parts, RunResult

Finished = TypeVar("Finished", bound=Runs)

SCENARIOS = Path(__file__).parents[2] / "scenarios"
SMALL = {"run.days": 30, "run.burn_in_days": 10, "run.settle_days": 2, "population.users": 2_000_000}
HEADLINE = ("stock_rented", "supply_account_days", "expected_harm_yuan")
SHOWN = (*HEADLINE, "price_yuan", "owners_banned", "innocents_sanctioned", "enforcement_cost_yuan")

EFFECTS: dict[str, dict[str, float]] = {
    "supply_squeeze": {
        "stock_rented": 2.8, "supply_registered": 0.2, "supply_unsealed": 0.1, "supply_rented": 2.6, "supply_account_days": 0.8,
        "inflow_registered": 0.3, "commission_yuan": 1.2, "expected_harm_yuan": 1.5, "signups_blocked": 5.0, "owners_banned": 3.0,
    },
    "lure_squeeze": {
        "stock_rented": 0.1, "supply_rented": 0.1, "supply_account_days": 0.9, "expected_harm_yuan": 0.5, "enforcement_cost_yuan": 2.7,
        "sanctions_legal_owner": 1.5, "owners_banned": 0.2, "harm_friend_fraud_yuan": 0.3, "rented_by_advert": 0.1,
    },
    "account_audit": {"supply_account_days": 0.7, "innocents_sanctioned": 3.65, "lifetime_days_rented": 0.8},
    "friend_confirmation": {"harm_friend_fraud_yuan": 0.2, "expected_harm_yuan": 0.96, "friction_hours": 1.7},
}  # fmt: skip
"""What each policy multiplies; all else only wavers."""

UNMOVED = {"friend_confirmation": ("stock_rented", "supply_account_days", "price_yuan", "owners_banned", "commission_yuan")}
"""What a policy leaves as it is, to the bit."""

RARE = {"baseline": (0, 1), "lure_squeeze": (2, 3)}
"""Sanctions of helpers by law in a run, of the policies that have any: the least, and how many there may be more in some runs."""


def plan_of(*names: str, replications: int = 6, **changes: object) -> Plan:
    """Return the plan of a comparison of shipped scenarios."""
    scenarios = {name: load_scenario(SCENARIOS / f"{name}.toml", {**SMALL, **changes}) for name in ("baseline", *names)}
    about = {"title": "Policies <compared> & more", "question": "Which of them leaves least harm?"}
    return Plan(
        "compare", "policies", scenarios, replications, seed=3, baseline="baseline", outcomes=SHOWN, headline=HEADLINE, **about
    )  # fmt: skip


def filled(
    plan: Plan,
    parts: Parts,
    effects: Mapping[str, Mapping[str, float]] = EFFECTS,
    noise: float = 0.03,
    failed: Callable[[Job], bool] = lambda job: False,
    rare: Mapping[str, tuple[int, int]] = {},  # read only
) -> Plan:
    """Put a finished run of every job of a plan, or of those not `failed`, among `parts`; its copies in members have its effects.

    `rare` is as `RARE`.
    """
    for job in plan.jobs:
        if failed(job):
            continue
        days = job.scenario.run.days
        own, start = plan.members.get(job.scenario_name, (job.scenario_name, 0))[0], job.scenario.run.burn_in_days
        daily = {}
        for k, name in enumerate(OUTCOMES):
            shared = luck.normals(job.seed, f"{name} shared", days)
            still = own == plan.baseline or name in UNMOVED.get(own, ())
            apart = 0.0 if still else luck.normals(job.seed, f"{name} {own}", days)
            factor = np.where(np.arange(days) < start, 1.0, effects.get(own, {}).get(name, 1.0))
            apart = np.where(np.arange(days) < start, 0.0, apart)
            if name == "sanctions_legal_helper" and own in rare:
                least, more = rare[own]
                daily[name] = np.where(np.arange(days) == job.scenario.run.window[0], float(least + job.seed % (more + 1)), 0.0)
                continue
            daily[name] = (50.0 + 7.0 * k) * factor * (1.0 + noise * (shared + apart))
        parts.write(job.run_id, RunResult(daily, window_means(daily, *job.scenario.run.window), 0.1))
    return plan


def swept(replications: int = 6) -> Plan:
    """Return the plan of a sweep of one lever, with levels on both sides of the baseline's own."""
    from sim.plan import swept as sweep
    from sim.plan import varies_of

    asked = sweep(SCENARIOS / "baseline.toml", varies_of(["ad_takedown=0:1:5"]), SMALL)
    return replace(asked, replications=replications, seed=3)


def in_memory(kind: type[Finished], plan: Plan, **options: object) -> Finished:
    """Return finished runs of a plan with effects made by hand; `options` are those of `filled`."""
    memory = Memory()
    return kind(plan, Kept(filled(plan, memory, **options), memory), [])


def lines_of(page: Page, *keys: str) -> Iterator[Line]:
    """Return the lines of sections, all if none is named."""
    for section in page.sections:
        for block in section.blocks if not keys or section.key in keys else ():
            if isinstance(block, Items):
                yield from block.lines
            elif isinstance(block, Paragraph):
                yield block.line
