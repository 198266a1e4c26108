"""The policies of a scenario file: read, dated, and checked against the run and each other."""

from __future__ import annotations

import re
from itertools import combinations

from sim.faults import MISSING, Fault, corrected, nearest, one_of
from sim.levers import LEVERS, SEGMENTS
from sim.scenario_file import Source
from sim.scenario_tables import Policy, Run, checked


def read_policies(run: Run | None, source: Source, faults: list[Fault]) -> dict[str, Policy]:
    """Read the policies, give each its start, and note those that cannot be carried out."""
    policies: dict[str, Policy] = {}
    for name in source.table(("policies",), faults) or ():
        key = ("policies", name)
        found = source.table(key, faults)
        if found is None:
            continue
        table = dict(found)
        if not re.fullmatch(r"[a-z0-9_]{1,64}", name):
            faults.append(source.fault(key, table, "a policy's id must be 1 to 64 of the characters a-z, 0-9 and _"))
            continue
        if name in LEVERS:
            table.setdefault("lever", name)
        elif "lever" not in table:
            others = [other for other in source.data["policies"] if other != name]
            near = corrected(nearest(name, [*others, *LEVERS]), f"it must be {one_of(LEVERS)}")
            here = f"; other policies here: {', '.join(others)}" if others else ""
            faults.append(source.fault((*key, "lever"), MISSING, f"is missing; {near}{here}"))
            continue
        policy = checked(Policy, source, key, faults, table)
        if policy is not None:
            before = len(faults)
            _check_policy(name, policy, run, source, faults)
            if run is not None and len(faults) == before:
                policies[name] = _dated(policy, run)
    for (first_name, first), (name, policy) in combinations(policies.items(), 2):
        _check_overlap(first_name, first, name, policy, source, faults)
    return policies


def _check_policy(name: str, policy: Policy, run: Run | None, source: Source, faults: list[Fault]) -> None:
    """Note what is wrong with one policy whose keys are each valid."""

    def fault(field: str, problem: str) -> None:
        faults.append(source.fault(("policies", name, field), getattr(policy, field), problem))

    lever = LEVERS[policy.lever]
    set_by = source.origin(("run", "days"))
    until = "" if run is None else f"whose last day is {run.days - 1} (run.days = {run.days}{f', set in {set_by}' if set_by else ''})"
    if policy.segments is not None and not lever.by_segment:
        aimed = [row.name for row in LEVERS.values() if row.by_segment]
        fault("segments", f"{policy.lever} acts on all users alike; segments are allowed for {', '.join(aimed)}")
    if twice := [name for name in SEGMENTS if (policy.segments or []).count(name) > 1]:
        fault("segments", f"names {', '.join(twice)} twice; name each segment once")
    if lever.only_policy:
        for field in ("ramp_days", "end_day"):
            if getattr(policy, field):
                fault(field, f"{policy.lever} acts on its listed `days` only; {field} is not allowed")
        if policy.days is not None and policy.start_day is not None:
            fault("start_day", f"{policy.lever} acts on its listed `days`; start_day is allowed only without them")
        late = [day for day in policy.days or () if run is not None and day >= run.days]
        if late:
            fault("days", f"day {late[0]} is after the run, {until}")
    elif policy.days is not None:
        fault("days", f"{policy.lever} has a start_day and an end_day; `days` is allowed for purge only")
    if run is None or policy.days is not None:
        return
    start = run.burn_in_days if policy.start_day is None else policy.start_day
    by_default = " (run.burn_in_days, as start_day is not given)" if policy.start_day is None else ""
    if start >= run.days and policy.start_day is not None:
        fault("start_day", f"is after the run, {until}")
    if policy.end_day is not None and policy.end_day <= start:
        fault("end_day", f"ends before it starts: must be above its start day {start}{by_default}")


def _dated(policy: Policy, run: Run) -> Policy:
    """Fill in the day on which a policy starts, and put its lists in order."""
    start = run.burn_in_days if policy.start_day is None else policy.start_day
    if LEVERS[policy.lever].only_policy:
        return policy.model_copy(update={"start_day": None, "days": sorted(set(policy.days or [start]))})
    aimed = None if policy.segments is None else [name for name in SEGMENTS if name in policy.segments]
    return policy.model_copy(update={"start_day": start, "segments": None if aimed == list(SEGMENTS) else aimed})


def _check_overlap(first_name: str, first: Policy, name: str, policy: Policy, source: Source, faults: list[Fault]) -> None:
    """Note two policies on one lever at one time; on segments that have none in common they may."""
    if first.lever != policy.lever or not set(first.segments or SEGMENTS) & set(policy.segments or SEGMENTS):
        return
    if first.days and policy.days:
        shared = sorted(set(first.days) & set(policy.days))
        when = f"on day {shared[0]}" if shared else ""
    else:
        since, until = max(first.first_day, policy.first_day), min(_end(first), _end(policy))
        when = f"from day {since}" if since < until else ""
    if when:
        problem = f"two policies on one lever at one time: policies.{first_name} acts on it too {when}; end one before the other starts"
        faults.append(source.fault(("policies", name, "lever"), policy.lever, problem))


def _end(policy: Policy) -> float:
    return float("inf") if policy.end_day is None else policy.end_day
