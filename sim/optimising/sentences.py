"""What an optimisation found, in plain sentences with the numbers of its tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sim.analysis.rows import records
from sim.analysis.words import number, percent, unit_of
from sim.names import name_of
from sim.optimising.file import COST
from sim.optimising.judged import BASELINE, CHEAPEST, KNEE, LEAST_HARM, RIVAL, WINNER

if TYPE_CHECKING:
    from sim.optimising.command import Optimised

_CALLED = {CHEAPEST: "the cheapest", LEAST_HARM: "of least harm", KNEE: "the knee (nearest to the best of all objectives at once)"}


def answer(done: Optimised) -> list[str]:
    """Say how much was searched, who wins, how it stands against each rival at equal cost, and what is regretted."""
    said = [_searched(done)]
    if not done.found:
        return [*said, "No mix that was tried keeps the guardrails: widen the ranges, loosen a limit, or try more mixes."]
    said += [_winner(done, policy.name) for policy in done.policies if set(policy.roles) & set(_CALLED)]
    said += [_duel(done, row) for row in records(done.equal_cost)]
    if len(done.equal_cost):
        said.append(_all_duels(done.equal_cost))
    return [*said, _curse(done), *_regret(done)]


def _searched(done: Optimised) -> str:
    asked, trials = done.asked, done.trials
    rails = "; ".join(f"{name_of(rail.outcome)} {rail.words}" for rail in asked.guardrails) or "none"
    chance = ", ".join(f"{number(value)} {unit_of(name)} of {name_of(name)}" for name, value in done.epsilon.items())
    return (
        f"{len(trials)} mixes of {len(asked.levers)} levers tried, {asked.search.seeds} runs each in {_worlds(len(asked.worlds))}: "
        f"{_sum(trials, 'keeps')} keep the guardrails ({rails}), {_sum(trials, 'efficient')} of them are efficient within chance, "
        f"{_sum(trials, 'pareto')} by their means. A mix is efficient within chance if no other one that keeps the guardrails is better in "
        f"all objectives, in each by more than two standard errors of a difference: {chance}."
    )


def _winner(done: Optimised, name: str) -> str:
    rows = {row["outcome"]: row for row in records(done.winners[done.winners["policy"] == name])}
    first = rows[done.asked.harm]
    roles = " and ".join(_CALLED[role] for role in first["roles"].split("; ") if role in _CALLED)
    mix = ", ".join(f"{lever.replace('_', ' ')} {first[lever]:.2g}" for lever in done.asked.levers)
    found = "; ".join(_level(rows[outcome]) for outcome in done.asked.outcomes)
    kept = "" if first["keeps"] else " On fresh seeds it misses a guardrail."
    return f"{_title(name)}, {roles}: {mix}. On fresh seeds: {found}.{kept}"


def _level(row: Mapping[str, Any]) -> str:
    value = f"{name_of(row['outcome'])} {number(row['fresh'])} +- {number(row['fresh_standard_error'])} {row['unit']}"
    return f"{value} ({percent(row['relative'])} %)" if np.isfinite(row["relative"]) else value


def _duel(done: Optimised, row: Mapping[str, Any]) -> str:
    title = done.study.title(row["rival"])
    misses = "" if row["rival_keeps"] else " (which misses a guardrail)"
    if not isinstance(row["winner"], str):
        return f"Against '{title}'{misses}: no mix that keeps the guardrails costs as little."
    harm, cost = name_of(done.asked.harm), row["cost_difference"]
    change = row["harm_difference"] / row["harm_rival"] if row["harm_rival"] else np.nan
    ends = f"{number(row['harm_low'])} to {number(row['harm_high'])}"
    sure = "less" if row["harm_high"] < 0.0 else "more" if row["harm_low"] > 0.0 else "not clearly different"
    amount = f"{percent(abs(change), signed=False)} % {sure}" if sure != "not clearly different" else sure
    spent = f"it costs {number(abs(cost))} yuan/day {'less' if cost <= 0.0 else 'more'}"
    where = f"lower in {int(row['worlds_better'])} of {_worlds(int(row['worlds']))}"
    return (
        f"Against '{title}'{misses}: {_title(row['winner'])} has {harm} {amount} ({ends} {unit_of(done.asked.harm)}; {where}), and {spent}."
        + ("" if row["winner_keeps"] else " On fresh seeds it misses a guardrail.")
    )


def _all_duels(duels: pd.DataFrame) -> str:
    held = duels.dropna(subset="winner")
    beaten = held[held["beats"].astype(bool)]
    together = beaten[beaten["harm_high_simultaneous"] < 0.0]
    without = len(duels) - len(held)
    words = f"At equal cost or less the search beats {len(beaten)} of {len(duels)} rivals on fresh seeds"
    cheaper = together[together["cost_high_simultaneous"] <= 0.0]
    words += f", {len(together)} of them also with intervals of harm that hold for all rivals at once"
    words += f" ({len(cheaper)} with such intervals of cost too)"
    return words + (f"; {without} are cheaper than any mix that keeps the guardrails." if without else ".")


def _curse(done: Optimised) -> str:
    rows = done.winners[done.winners["outcome"] == done.asked.harm]
    base, won = (rows[rows["kind"] == kind] for kind in (BASELINE, WINNER))
    share = won["curse"] / float(base["fresh"].iloc[0])
    clear = int((won["curse_low"] > 0.0).sum())
    worst, best = (percent(float(end)) for end in (share.max(), share.min()))
    return (
        f"Optimiser's curse: on fresh seeds the winners' {name_of(done.asked.harm)}, less the baseline's, differs from the search's by "
        f"{percent(float(share.mean()))} % of the baseline's on average ({best} to {worst} %; above 0 the search promised too much), "
        f"above 0 beyond chance for {clear} of {len(won)}."
    )


def _regret(done: Optimised) -> list[str]:
    said = []
    for outcome in (done.asked.harm, COST):
        rows = done.regret[done.regret["outcome"] == outcome]
        parts = []
        for kind in (WINNER, RIVAL, BASELINE):
            part = rows[rows["kind"] == kind]
            if len(part):
                row = records(part.sort_values("worst_regret", kind="stable"))[0]
                called = _title(row["policy"]) if kind == WINNER else f"'{done.study.title(row['policy'])}'"
                parts.append(f"{number(row['worst_regret'])} ({kind}{'' if kind == BASELINE else 's'}: {called})")
        said.append(f"Least worst regret in {name_of(outcome)}, {unit_of(outcome)}: {', '.join(parts)}.")
    return said


def _sum(trials: pd.DataFrame, flag: str) -> int:
    return int(trials[flag].sum())


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _worlds(count: int) -> str:
    return f"{count} world{'s' if count != 1 else ''}"
