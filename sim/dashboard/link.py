"""A choice as the query of a link, and back: what differs from the scenario's file, in words that can be read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

from sim.dashboard.choice import Choice, faults_of
from sim.dashboard.limits import LIMITS
from sim.dashboard.offer import Offer
from sim.faults import ScenarioError, corrected, nearest, one_of, show
from sim.levers import LEVERS, SEGMENTS

_MOST_KEYS = 100
_KEYS = ("scenario", *LIMITS, "segments", *LEVERS)


def query_of(choice: Choice) -> str:
    """Return the query of the link that restores a choice."""
    fields: dict[str, Any] = {"scenario": choice.scenario}
    fields |= {name: getattr(choice, name) for name in LIMITS if getattr(choice, name) is not None}
    if choice.segments is not None:
        fields["segments"] = ",".join(choice.segments)
    fields |= {lever: f"{strength:.12g}" for lever, strength in choice.strengths.items()}
    return urlencode(fields, safe=",")


def choice_of(query: str, offer: Offer) -> tuple[Choice, list[str]]:
    """Read a query; returns the choice and, in words, what could not be taken over. It never raises for what a link may hold."""
    try:
        pairs = parse_qsl(query.removeprefix("?"), keep_blank_values=True, max_num_fields=_MOST_KEYS)
    except ValueError:
        return offer.choice, [f"the link has more than {_MOST_KEYS} values; none is taken over"]
    problems: list[str] = []
    fields: dict[str, Any] = {}
    strengths: dict[str, float] = {}
    for key, text in pairs:
        if key not in _KEYS:
            problems.append(f"{show(key)} is nothing that a link sets{nearest(key, _KEYS)}")
        elif key in LEVERS:
            strength = _number(text)
            if strength is None or not 0.0 <= strength <= 1.0:
                problems.append(f"{key} = {show(text)}: must be a number from 0 to 1")
            else:
                strengths[key] = strength
        elif key in LIMITS:
            low, high = LIMITS[key]
            if text.isascii() and text.isdigit() and len(text) < 20 and low <= int(text) <= high:
                fields[key] = int(text)
            else:
                problems.append(f"{key} = {show(text)}: must be a whole number from {low} to {high}")
        elif key == "segments":
            named = text.split(",") if text else []
            if wrong := [name for name in named if name not in SEGMENTS]:
                problems.append(f"segments = {show(text)}: {corrected(nearest(wrong[0], SEGMENTS), f'each must be {one_of(SEGMENTS)}')}")
            else:
                fields[key] = tuple(name for name in SEGMENTS if name in named)
        else:
            fields[key] = text
    return _checked(fields, strengths, offer, problems), problems


def _checked(fields: dict[str, Any], strengths: dict[str, float], offer: Offer, problems: list[str]) -> Choice:
    """Return the choice as far as it can be run; note what is left out."""
    try:
        opened = offer.open(fields.get("scenario", offer.first))
    except ScenarioError as error:
        problems += faults_of(error)
        fields["scenario"] = offer.first
        opened = offer.open(offer.first)
    plain = Choice(fields.get("scenario", offer.first))
    choice = replace(plain, **{name: value for name, value in fields.items() if name != "scenario"})
    for lever in LEVERS:
        if lever in strengths:
            choice = opened.moved(choice, lever, strengths[lever])
    try:
        opened.pair(choice)
    except ScenarioError as error:
        problems += [*faults_of(error), "the scenario is shown as its file has it"]
        return plain
    return choice


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
