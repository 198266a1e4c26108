"""What is run to see the patterns: scenarios of the plan, and runs that are watched from within."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sim.faults import Fault, ScenarioError, one_of, show
from sim.levers import LEVERS
from sim.parameters import LEDGER
from sim.pattern_titles import PATTERN_TITLES
from sim.plan import Plan
from sim.scenario import Scenario

PATTERNS = tuple(PATTERN_TITLES)

SHORTER: dict[str, object] = {"run.days": 390, "run.burn_in_days": 90, "run.settle_days": 60}
"""Less than the default duration: 240 days to average over, a year less its first quarter after a change."""

QUARTER, WEEK = 91, 7
"""Days. Observed recoveries and court statistics come by the quarter."""

LAW_DAYS, LAW_BURN_IN = 270 + 6 * QUARTER, 270
"""The step in the law: cases take up to 180 days, so the quarter before the step begins then; six quarters follow."""

SIGN_UP_LEVELS = (0.45, 0.6, 0.75, 0.9)
SQUEEZE_LEVELS = (0.5, 0.7, 0.9)
SQUEEZE = ("registration_audit", "assisted_verification", "unsealing_strictness")
"""What the platform tightened in 2019 and 2020: sign-up, assisted sign-up, unsealing."""

CLOSED = {
    "sign_up": ("registration_audit", "assisted_verification"),
    "unsealing": ("unsealing_strictness",),
    "owners": ("ad_takedown", "awareness_campaign", "legal_certainty"),
}
"""Sources that can be closed, with the levers that do, at full strength; owners rent out and sell through the same adverts."""

ENTRY = "parameters.dealer.entry_per_12_million_day"
PURGE_STRENGTH = 0.8
"""As in the shipped scenario."""


def at(name: str, level: float) -> str:
    """Return the name of a scenario at a level, in hundredths."""
    return f"{name}_{round(100 * level)}"


@dataclass(frozen=True)
class Strike:
    """A blow that no lever deals: on the last day of burn-in some accounts of a channel fall, or a share of dealers is arrested."""

    channel: str = ""
    accounts_share: float = 0.0
    """Accounts that fall, as a share of the *rented* accounts of that day, whatever the channel."""
    dealers_share: float = 0.0
    days: int = QUARTER + WEEK
    """Days simulated after it."""


@dataclass(frozen=True)
class Watch:
    """A run that is watched: which scenario, for a census of accounts and communities, or for what follows a strike."""

    scenario: str
    strike: Strike | None = None


STRUCK_SHARE = 0.5
"""Half of the dealers arrested, or as many accounts as half of the rented ones: a blow that is large, and leaves a market."""

_MONTH = 28

WATCHES: dict[str, Watch] = {
    "census": Watch("baseline"),
    "campaign": Watch("campaign"),
    "purge_and_arrests": Watch("purge", Strike(dealers_share=PURGE_STRENGTH)),
    "arrests_entry_low": Watch("entry_low", Strike(dealers_share=STRUCK_SHARE)),
    "arrests": Watch("baseline", Strike(dealers_share=STRUCK_SHARE)),
    "arrests_entry_high": Watch("entry_high", Strike(dealers_share=STRUCK_SHARE)),
    "fewer_rented": Watch("baseline", Strike("rented", STRUCK_SHARE, days=_MONTH)),
    "fewer_registered": Watch("baseline", Strike("registered", STRUCK_SHARE, days=_MONTH)),
}

NEEDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "P1": ((*(at("sign_up", level) for level in SIGN_UP_LEVELS), "squeeze_90"), ()),
    "P2": (tuple(at("squeeze", level) for level in SQUEEZE_LEVELS), ("census",)),
    "P3": (
        ("squeeze_90", "entry_low", "entry_low_squeeze", "entry_high", "entry_high_squeeze", "bypass"),
        ("arrests_entry_low", "arrests", "arrests_entry_high"),
    ),
    "P4": (("purge",), ("purge_and_arrests",)),
    "P5": ((*(f"without_{source}" for source in CLOSED), "without_all"), ()),
    "P6": (("law",), ()),
    "P7": ((), ("campaign",)),
    "P8": ((), ("census",)),
    "P9": ((), ("census", "fewer_rented", "fewer_registered")),
}
"""Scenarios beside the baseline, and watched runs, that each pattern needs."""


def plan(baseline: Scenario, replications: int, only: Iterable[str] = PATTERNS) -> Plan:
    """Return the plan: the baseline and the scenarios of the patterns asked for, all with the parameters of `baseline`.

    Two things are varied that are no lever: free entry of dealers, over the ledger's range, and the price of a number for the bypass.
    Raises `ScenarioError` when runs are too short for a recovery to show, too few for an interval, or a pattern is unknown.
    """
    asked = tuple(only)
    faults = [Fault("--only", "", show(name), one_of(PATTERNS, "")) for name in asked if name not in PATTERNS]
    first, last = baseline.run.window
    least = baseline.run.burn_in_days + QUARTER + WEEK
    if last < least or last - first < 2 * QUARTER:
        problem = f"must reach day {least} and leave {2 * QUARTER} days to average over, so that recoveries and rates can be seen"
        faults.append(Fault("", "run.days", show(baseline.run.days), problem))
    if replications < 2:
        faults.append(Fault("", "replications", show(replications), "must be at least 2, or there is no interval"))
    if faults:
        raise ScenarioError(faults)
    wanted = {name for pattern in asked for name in NEEDS[pattern][0]}
    base = baseline.model_copy(update={"name": "baseline"})
    scenarios = {"baseline": base, **{name: scenario_of(base, name) for name in _changes(base) if name in wanted}}
    return Plan(
        command="validate",
        name="validation",
        scenarios=scenarios,
        replications=replications,
        seed=baseline.run.seed,
        title="The patterns that the model must reproduce",
        outcomes=("stock_rented", "supply_account_days", "price_yuan"),
    )


def watches(patterns: Iterable[str]) -> dict[str, Watch]:
    """Return the watched runs that patterns need, by name."""
    wanted = {name for pattern in patterns for name in NEEDS[pattern][1]}
    return {name: watch for name, watch in WATCHES.items() if name in wanted}


def scenario_of(baseline: Scenario, name: str) -> Scenario:
    """Return a scenario of the experiments by name: the baseline with what that one changes."""
    if name == "baseline":
        return baseline
    return baseline.changed(_changes(baseline)[name]).model_copy(update={"name": name, "title": name.replace("_", " ")})


def _changes(base: Scenario) -> dict[str, Mapping[str, object]]:
    """Return what each scenario changes in the baseline."""
    entry, number = LEDGER["dealer"]["entry_per_12_million_day"], LEDGER["registration"]["sim_cost_yuan"]
    squeeze = _strengths(SQUEEZE, SQUEEZE_LEVELS[-1])
    made: dict[str, Mapping[str, object]] = {
        **{at("sign_up", level): _strengths(("registration_audit",), level) for level in SIGN_UP_LEVELS},
        **{at("squeeze", level): _strengths(SQUEEZE, level) for level in SQUEEZE_LEVELS},
        "entry_low": {ENTRY: entry.low},
        "entry_low_squeeze": {ENTRY: entry.low, **squeeze},
        "entry_high": {ENTRY: entry.high},
        "entry_high_squeeze": {ENTRY: entry.high, **squeeze},
        "bypass": {"parameters.registration.sim_cost_yuan": number.low},
        "purge": {
            "policies.purge.lever": "purge",
            "policies.purge.strength": PURGE_STRENGTH,
            "policies.purge.days": [base.run.burn_in_days],
        },
        **{f"without_{source}": _strengths(levers, 1.0) for source, levers in CLOSED.items()},
        "without_all": _strengths(tuple(lever for levers in CLOSED.values() for lever in levers), 1.0),
        "law": {"run.days": LAW_DAYS, "run.burn_in_days": LAW_BURN_IN, **_strengths(("legal_certainty",), 1.0)},
        "campaign": _strengths(("awareness_campaign",), 0.9),
    }
    return made


def _strengths(levers: Iterable[str], strength: float) -> dict[str, object]:
    return {f"policies.{LEVERS[lever].name}.strength": strength for lever in levers}
