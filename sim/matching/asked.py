"""What a calibration is asked for: whether that makes sense, and what of it is other than in the directory that it goes on from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sim.faults import Fault, ScenarioError, show
from sim.jobs import too_late
from sim.matching.emulator import FEWEST
from sim.matching.members import CHECKS, MOST_TRIED
from sim.matching.recovery import LAST_STAGE
from sim.matching.targets import Problem
from sim.matching.waves import STRIDE
from sim.scenario import Scenario

MOST_WAVES = 90
"""Seeds of later waves would be those of candidates for the set."""

_MOST_TOLD = 8


@dataclass(frozen=True)
class Asked:
    """What `calibrate` was asked for."""

    waves: int
    points: int
    replications: int
    members: int
    recovery: int
    recovery_points: int


def check(asked: Asked, problem: Problem, scenario: Scenario) -> None:
    """Raise `ScenarioError` for numbers that make no sense, and for a scenario that sets what is to be matched."""
    least = {
        "waves": 1,
        "points": max(FEWEST, len(problem.parameters)),
        "replications": 1,
        "members": 0,
        "recovery": 0,
        "recovery_points": FEWEST,
    }
    faults = [
        Fault("", _option(name), show(value), f"must be a whole number, at least {least[name]}")
        for name, value in asdict(asked).items()
        if value < least[name]
    ]
    if asked.recovery == 1:
        faults.append(Fault("", _option("recovery"), "1", "must be 0 for none, or at least 2: one world has no coverage"))
    if asked.waves > MOST_WAVES:
        faults.append(Fault("", _option("waves"), show(asked.waves), f"must be at most {MOST_WAVES}"))
    candidates = MOST_TRIED * asked.members * max(CHECKS, asked.replications)
    runs = {"points": asked.points * asked.replications, "members": candidates, "recovery": asked.recovery}
    too_many = f"runs with --replications = {asked.replications}, more than the {STRIDE} of a stage that have seeds of their own"
    faults += [
        Fault("", _option(name), show(getattr(asked, name)), f"asks for up to {count} {too_many}")
        for name, count in {**runs, "recovery_points": asked.recovery_points}.items()
        if count > STRIDE
    ]
    faults += [
        Fault("", f"parameters.{name}", "", "is matched; a scenario that sets it leaves nothing to match")
        for name in problem.parameters
        if name.split(".")[1] in scenario.parameters.get(name.split(".")[0], {})
    ]
    seed = scenario.run.seed
    if late := too_late(seed, seed + (LAST_STAGE + 1) * STRIDE - 1):
        faults.append(Fault("", "seed", show(seed), late))
    if faults:
        raise ScenarioError(faults)


def _option(name: str) -> str:
    """Return what an argument is called on the command line, where it has an option."""
    return name if name == "recovery_points" else f"--{name}"


def settings_of(asked: Asked, problem: Problem, scenario: Scenario) -> dict[str, Any]:
    """Return all that results depend on, as the manifest keeps it."""
    return {
        **asdict(asked),
        "parameters": list(problem.parameters),
        "targets": [asdict(target) for target in problem.targets],
        "scenario": scenario.model_dump(mode="json", exclude={"name", "title", "description"}),
    }


def changes(before: object, now: Mapping[str, Any]) -> str:
    """Say which settings are other than those of an earlier manifest, such as `points (16, now 20)`; nothing if none is."""
    if not isinstance(before, Mapping):
        return ""
    old, new = (dict(_flat(settings)) for settings in (before, now))
    if "scenario" not in before:  # directories of earlier versions do not say
        new = {key: value for key, value in new.items() if key in old}
    told = [
        f"{key} ({show(old.get(key))}, now {show(new.get(key))})" if _plain(old.get(key)) and _plain(new.get(key)) else key
        for key in dict.fromkeys([*new, *old])
        if old.get(key) != new.get(key)
    ]
    more = [f"{len(told) - _MOST_TOLD} others"] if len(told) > _MOST_TOLD else []
    return ", ".join([*told[:_MOST_TOLD], *more])


def _flat(settings: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield settings by name: targets by theirs, values of the scenario by their dotted path."""
    for key, value in settings.items():
        if key == "targets" and isinstance(value, list) and all(isinstance(one, Mapping) for one in value):
            yield from ((f"target {one.get('name')}", dict(one)) for one in value)
        elif key == "scenario" and isinstance(value, Mapping):
            yield from _leaves(value)
        else:
            yield key, value


def _leaves(table: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", value


def _plain(value: object) -> bool:
    """Say whether a value is short enough to be told."""
    return isinstance(value, bool | int | float | str)
