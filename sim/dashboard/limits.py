"""What can be typed into the fields of the page, and what of it cannot be run, in the page's own words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sim.scenario_tables import People, Run

_DAYS = Run.model_fields["days"].metadata[1].le

LIMITS: dict[str, tuple[int, int]] = {
    "day": (0, _DAYS),
    "ramp": (0, _DAYS),
    "users": (People.model_fields["users"].metadata[0].ge, People.model_fields["users"].metadata[1].le),
    "days": (1, _DAYS),
    "seed": (0, Run.model_fields["seed"].metadata[1].le),
}
"""Whole numbers that are chosen, with the least and the greatest that a scenario's file takes."""

_FIELDS = {"day": "Policy day", "ramp": "Ramp", "users": "Users", "days": "Days", "seed": "Seed"}
"""What they are called on the page."""


def unfit(chosen: Mapping[str, int | None], run: Run, policies: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield what cannot be run, a sentence each, however many levers it concerns.

    `chosen` has the numbers of `LIMITS`, None where they are as in the file; `run` is the file's; `policies` are tables of a file.
    """
    settled = run.burn_in_days + run.settle_days
    wrong = set[str]()
    for name, (low, high) in LIMITS.items():
        number, least = chosen[name], settled + 1 if name == "days" else low
        if number is not None and not least <= number <= high:
            wrong.add(name)
            why = f": means are taken from day {settled} on" if low <= number < least else ""
            yield f"{_FIELDS[name]} must be {least:,} to {high:,}, not {number:,}{why}."
    policies = list(policies)
    days = run.days if chosen["days"] is None else chosen["days"]
    starts = {day for table in policies for day in table.get("days") or [table["start_day"]]}
    if not wrong & {"day", "days"}:
        yield from (f"The policy day {day} is after the run, whose last day is {days - 1}." for day in sorted(starts) if day >= days)
    if any(table.get("segments") == [] for table in policies):
        yield "Tick at least one segment of users: the policy is aimed at nobody."
