"""What the numbers rest on, what the model cannot show, and where the results come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sim.given import open_folders
from sim.levers import LEVERS
from sim.matching.targets import read_problem
from sim.parameters import KINDS, LEDGER, Entry
from sim.report.blocks import Block, Grid, Items, Paragraph, Section, say
from sim.report.material import Material, manifest_of
from sim.scenario import Scenario

_RESTS = {"fit": "a fit to targets", "numerical": "arithmetic of the model", "assumption": "assumption alone"}

LIMITS: dict[str, str] = {
    "Levels": (
        "Nobody publishes the number of rented accounts, how many passers-by scan, or how long a rented account lives. Levels are "
        "fitted to a few aggregates; differences between scenarios are what the model is for."
    ),
    "Age and income": "Sanctions fall on segments, not on ages; P6 is matched for dealers against owners and helpers only.",
    "Who the innocents are": (
        "False positives are counts by rate; they do not fall on users of the model, so their later behaviour does not change."
    ),
    "Friendship beyond the community": (
        "Communities of equal size replace a graph; contacts scale friend fraud but are no edges. There is no geography."
    ),
    "Strategy of the law-breaking side beyond routine": (
        "No collusion, vertical integration, violence, or migration to other platforms; no invention of new methods. Evasion is one number."
    ),
    "Strategy of the platform": "The enforcer applies levers and learns nothing; detectors do not improve with data.",
    "Uses that react": (
        "Demand is one curve; the shares of fraud, vice, spam and false advertising are fixed by suitability, and prices do not "
        "differ by use."
    ),
    "Sellers": "They are gone for good after one sale, and face no sanction of their own.",
    "Deterrent news": "Off by default, since evidence differs even in sign.",
    "Welfare": "Vice, spam, privacy and ban days stand at shadow prices; incident counts are reported beside them.",
}
"""What the model cannot show, as MODEL.md says it."""

FOOT = (
    "Written from the tables of the results directory by rules. A number in a sentence is a table's, rounded; a count of cases is a table's"
    " mean times the days and runs that are told with it, a count of parameter vectors a table's share times their number; strengths and"
    " days of policies are the scenarios'. Entities are synthetic, results are aggregates."
)
"""What the numbers in sentences are."""


def evidence(material: Material) -> Section:
    """Return what the values used rest on: counts by kind, the values that decide most, costs of levers, what is set otherwise."""
    entries = [entry for rows in LEDGER.values() for entry in rows.values()]
    counts = ", ".join(f"{sum(entry.kind == kind for entry in entries)} on {_RESTS.get(kind, kind)}" for kind in KINDS)
    text = (
        f"The ledger has {len(entries)} values, which rest: {counts}. Rows such as E12 are those of the table of evidence in MODEL.md;"
        " abm parameters lists all values, abm parameters --assumptions those that are assumed."
    )
    blocks: list[Block] = [Paragraph(say(text, "ledger")), _decisive(material), *_costs(material)]
    if own := _set_otherwise(material):
        blocks.append(Grid("Values that scenarios set themselves", ("scenario", "parameter", "value", "in the ledger", "unit"), own))
    return Section("evidence", "What the numbers rest on", blocks)


def _decisive(material: Material) -> Grid:
    rows = []
    for key in read_problem().parameters:
        group, name = key.split(".")
        value = material.first.parameters.get(group, {}).get(name, LEDGER[group][name].value)
        rows.append(_row(key, value, LEDGER[group][name]))
    return Grid(
        "Values that decide most and that are known least", ("parameter", "value", "unit", "range", "rests on", "why"), rows, numbers=False
    )


def _row(key: str, value: float, entry: Entry) -> list[str]:
    return [key, f"{value:g}", entry.unit, f"{entry.low:g} to {entry.high:g}", entry.source, entry.note]


def _costs(material: Material) -> list[Block]:
    """Return the costs of the levers that policies move, which are all that enforcement costs."""
    moved = {policy.lever for scenario in material.plan.scenarios.values() for policy in scenario.policies.values()}
    rows = []
    for name in LEVERS:
        for part in ("fixed", "event") if name in moved else ():
            key = f"{name}_{part}"
            if LEVERS[name].event != "none" or part == "fixed":
                value = material.first.parameters.get("cost", {}).get(key, LEDGER["cost"][key].value)
                rows.append(_row(f"cost.{key}", value, LEDGER["cost"][key]))
    columns = ("cost", "value", "unit", "range", "rests on", "why")
    width = len(columns) if any(row[-1] for row in rows) else len(columns) - 1
    caption = "What the levers that policies move cost"
    return [Grid(caption, columns[:width], [row[:width] for row in rows], numbers=False)] if rows else []


def _set_otherwise(material: Material) -> list[list[str]]:
    rows = []
    for scenario in material.plan.scenarios.values():
        if scenario.name in material.plan.members:
            continue
        for group, names in scenario.parameters.items():
            for name, value in names.items():
                entry = LEDGER[group][name]
                rows.append([material.title(scenario.name), f"{group}.{name}", f"{value:g}", f"{entry.value:g}", entry.unit])
    return rows


def limits() -> Section:
    """Return what the model cannot show."""
    return Section("limits", "What the model cannot show", [Items([say(text, lead=lead) for lead, text in LIMITS.items()])])


def facts(material: Material) -> Sequence[tuple[str, str]]:
    """Return where the results come from: scenarios with their hashes, seeds, versions, commit, machine."""
    manifest = manifest_of(material.done)
    plan = material.plan
    seeds = f"{plan.seed} to {plan.seed + plan.replications - 1}" if plan.replications > 1 else str(plan.seed)
    left = open_folders([*plan.given.files, plan.given.out])
    found = [
        ("Command", plan.given.line(plan.command) if plan.given.files else f"abm {plan.command}"),
        *([("In the command", f"{left}.")] if left else []),
        ("Replications", f"{plan.replications} a scenario, seeds {seeds}"),
        ("Days", _days(material.first)),
        ("Users", f"{material.users:,}"),
    ]
    if manifest:
        found += [
            ("Version", f"abm {manifest.get('abm_version')}, source of the model {str(manifest.get('model_source'))[:16]}"),
            ("Commit", _commit(manifest)),
            ("Python and machine", f"{manifest.get('python')}, {manifest.get('platform')}"),
            ("Libraries", _libraries(manifest)),
            ("Scenarios", "; ".join(f"{name} {entry['hash']}" for name, entry in _scenarios(manifest).items() if name not in plan.members)),
        ]
    for label, other in (("Over parameters", material.robust), *(("Sweep", sweep) for sweep in material.sweeps)):
        if other is not None and other is not material.done:
            about = manifest_of(other)
            found.append((label, f"{other.plan.name}, {other.plan.replications} a scenario, {_commit(about)}"))
    return found


def _days(scenario: Scenario) -> str:
    first, last = scenario.run.window
    return (
        f"{scenario.run.days}, policies from day {scenario.run.burn_in_days} unless they say otherwise, means of days {first} to {last - 1}"
    )


def _commit(manifest: Mapping[str, Any]) -> str:
    if manifest.get("git_commit") is None:
        return "no commit known"
    return f"commit {manifest['git_commit']}{' with changes since' if manifest.get('git_dirty') else ''}"


def _libraries(manifest: Mapping[str, Any]) -> str:
    libraries: Mapping[str, Any] = manifest.get("libraries") or {}
    return ", ".join(f"{name} {version}" for name, version in libraries.items() if version)


def _scenarios(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    scenarios: Mapping[str, Any] = manifest.get("scenarios") or {}
    return scenarios
