"""What the runs of an optimisation say: trials, their front, winners on fresh seeds, duels at equal cost, regret."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.analysis.words import unit_of
from sim.optimising import front
from sim.optimising.file import COST, Optimisation
from sim.optimising.search import Mix, Tried
from sim.scenario import Scenario

Reals = NDArray[np.float64]
Flags = NDArray[np.bool_]

ERROR = "_standard_error"
"""What the column of an outcome's Monte-Carlo standard error ends in."""

CHEAPEST, LEAST_HARM, KNEE, AGAINST = "cheapest", "least harm", "knee", "against "
"""What a winner is: of the trials that keep the guardrails the one of least cost, of least harm, the nearest to the best of all objectives
at once, or the one of least harm among those that cost no more than a rival, whose name follows."""

BASELINE, RIVAL, WINNER = "baseline", "rival", "winner"


@dataclass(frozen=True)
class Policy:
    """A policy that is run again on fresh seeds: `roles` of a winner, and the number and mix of its trial."""

    scenario: Scenario
    kind: str
    roles: tuple[str, ...] = ()
    trial: int | None = None
    mix: Mix = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Return what tables call it."""
        return self.scenario.name


def limits_of(asked: Optimisation, baseline: Reals) -> dict[str, float]:
    """Return the limit of each guardrail, from the means of the baseline, `(outcomes,)`."""
    return {rail.outcome: rail.limit(float(baseline[asked.outcomes.index(rail.outcome)])) for rail in asked.guardrails}


def missed(asked: Optimisation, values: Reals, limits: Mapping[str, float]) -> dict[str, float]:
    """Return by how much of its limit (or by how much, where that is 0) means `(outcomes,)` miss each guardrail; kept: 0 or less."""
    return {name: (float(values[asked.outcomes.index(name)]) - limit) / (abs(limit) or 1.0) for name, limit in limits.items()}


def trials_table(asked: Optimisation, tried: Sequence[Tried], runs: Reals, margin: Reals) -> pd.DataFrame:
    """Return one row a trial: the mix, means and standard errors of outcomes, whether it keeps the guardrails and is efficient.

    `start` names the scenario whose strengths the mix has, `batch` is the number of the batch in which it was proposed.
    """
    starts = [name for name, _ in asked.starts]
    means, errors = front.means(runs), front.errors(runs)
    keeps = np.array([all(by <= 0.0 for by in one.missed.values()) for one in tried], dtype=np.bool_)
    values, k = means[:, : len(asked.objectives)], len(asked.objectives)
    table: dict[str, Any] = {
        "trial": list(range(len(tried))),
        "batch": [number // asked.search.batch for number in range(len(tried))],
        "start": [starts[number] if number < len(starts) else "" for number in range(len(tried))],
        **{lever: [one.mix[lever] for one in tried] for lever in asked.levers},
    }
    for column, name in enumerate(asked.outcomes):
        table[name], table[name + ERROR] = means[:, column], errors[:, column]
    table |= {"keeps": keeps, "efficient": front.efficient(values, margin[:k], keeps), "pareto": front.pareto(values, keeps)}
    return pd.DataFrame(table)


def margin_of(tried: Sequence[Tried], runs: Reals) -> Reals:
    """Return `front.epsilon` over the trials that keep the guardrails, over all where fewer than two do."""
    keeps = [all(by <= 0.0 for by in one.missed.values()) for one in tried]
    return front.epsilon(runs[np.array(keeps)] if sum(keeps) > 1 else runs)


def chosen(asked: Optimisation, trials: pd.DataFrame, rival_costs: Mapping[str, float]) -> dict[int, tuple[str, ...]]:
    """Return the winners, the number of the trial with its roles; none where no trial keeps the guardrails."""
    kept = trials[trials["keeps"]]
    roles: dict[int, list[str]] = {}

    def give(rows: pd.DataFrame, by: Sequence[str], role: str) -> None:
        if len(rows):
            roles.setdefault(int(rows.sort_values(list(by), kind="stable")["trial"].iloc[0]), []).append(role)

    give(kept, (COST, asked.harm), CHEAPEST)
    give(kept, (asked.harm, COST), LEAST_HARM)
    middle = front.knee(trials[list(asked.objectives)].to_numpy(dtype=np.float64), trials["pareto"].to_numpy(dtype=np.bool_))
    if middle is not None:
        roles.setdefault(middle, []).append(KNEE)
    for rival, cost in rival_costs.items():
        give(kept[kept[COST] <= cost], (asked.harm, COST), AGAINST + rival)
    return {trial: tuple(names) for trial, names in roles.items()}


def winners_table(asked: Optimisation, policies: Sequence[Policy], search: Reals, fresh: Reals) -> pd.DataFrame:
    """Return one row a policy and outcome: its mean in the search and on fresh seeds, and what the search promised too much.

    `search` and `fresh` are the runs of the policies, the baseline first. `difference` is from the baseline on fresh seeds, paired, with
    its 95 % interval, and `relative` the same as a share of it; `curse` is by how much it is larger than the difference in the search,
    with an interval too. `limit` is that of a guardrail, NaN without one.
    """
    found = {"search": search, "fresh": fresh}
    means, errors = ({key: of(runs) for key, runs in found.items()} for of in (front.means, front.errors))
    limits = limits_of(asked, means["fresh"][0])
    rows = []
    for k, policy in enumerate(policies):
        for column, outcome in enumerate(asked.outcomes):
            effects = {key: runs[k, :, :, column] - runs[0, :, :, column] for key, runs in found.items()}
            effect, curse = front.interval(effects["fresh"]), front.interval(effects["fresh"], -effects["search"])
            rows.append(
                {
                    "policy": policy.name,
                    "kind": policy.kind,
                    "roles": "; ".join(policy.roles),
                    "trial": policy.trial,
                    **{lever: policy.mix.get(lever, np.nan) for lever in asked.levers},
                    "outcome": outcome,
                    "unit": unit_of(outcome),
                    "search": means["search"][k, column],
                    f"search{ERROR}": errors["search"][k, column],
                    "fresh": means["fresh"][k, column],
                    f"fresh{ERROR}": errors["fresh"][k, column],
                    "difference": effect.value,
                    "difference_low": effect.low,
                    "difference_high": effect.high,
                    "relative": effect.value / means["fresh"][0, column] if means["fresh"][0, column] else np.nan,
                    "curse": curse.value,
                    "curse_low": curse.low,
                    "curse_high": curse.high,
                    "limit": limits.get(outcome, np.nan),
                    "keeps": _keeps(asked, means["fresh"][k], limits),
                }
            )
    return pd.DataFrame(rows).astype({"trial": "Int64"})


def duels_table(asked: Optimisation, policies: Sequence[Policy], fresh: Reals) -> pd.DataFrame:
    """Return one row a rival: the winner of least harm that cost no more in the search, and their differences on fresh seeds.

    Differences are winner less rival, paired, with 95 % intervals over luck in these worlds, and with those of all rivals together
    (`..._simultaneous`, Bonferroni). It `beats` the rival when its harm is lower by a whole interval, it costs no more on average and it
    keeps the guardrails on these seeds.
    `worlds_better` counts worlds in which its mean harm is lower.
    """
    rivals = [k for k, policy in enumerate(policies) if policy.kind == RIVAL]
    harm, cost = asked.outcomes.index(asked.harm), asked.outcomes.index(COST)
    means = front.means(fresh)
    limits = limits_of(asked, means[0])
    rows: list[dict[str, Any]] = []
    for k in rivals:
        rival = policies[k].name
        row: dict[str, Any] = {"rival": rival, "rival_keeps": _keeps(asked, means[k], limits)}
        at = next((n for n, policy in enumerate(policies) if AGAINST + rival in policy.roles), None)
        if at is not None:
            row |= {"winner": policies[at].name, "winner_keeps": _keeps(asked, means[at], limits)}
            for name, column in (("cost", cost), ("harm", harm)):
                gap = fresh[at, :, :, column] - fresh[k, :, :, column]
                one, all_ = front.interval(gap), front.interval(gap, level=1.0 - 0.05 / len(rivals))
                row |= {f"{name}_winner": means[at, column], f"{name}_rival": means[k, column], f"{name}_difference": one.value}
                row |= {f"{name}_low": one.low, f"{name}_high": one.high}
                row |= {f"{name}_low_simultaneous": all_.low, f"{name}_high_simultaneous": all_.high}
            gap = fresh[at, :, :, harm] - fresh[k, :, :, harm]
            row |= {"worlds_better": int((gap.mean(axis=1) < 0.0).sum()), "worlds": len(gap)}
            row["beats"] = bool(row["harm_high"] < 0.0 and row["cost_difference"] <= 0.0 and row["winner_keeps"])
        rows.append(row)
    return pd.DataFrame(rows, columns=list(DUELS))


DUELS = (
    "rival", "winner", "cost_rival", "cost_winner", "cost_difference", "cost_low", "cost_high", "cost_low_simultaneous",
    "cost_high_simultaneous", "harm_rival", "harm_winner", "harm_difference", "harm_low", "harm_high", "harm_low_simultaneous",
    "harm_high_simultaneous", "worlds_better", "worlds", "beats", "winner_keeps", "rival_keeps",
)  # fmt: skip
"""Columns of the table of duels; those of the winner are empty where no mix that keeps the guardrails costs as little."""


def regret_table(asked: Optimisation, policies: Sequence[Policy], fresh: Reals) -> pd.DataFrame:
    """Return one row a policy and objective: how much worse it is than the best of these policies in each world, on fresh seeds.

    The best is that of the policies that keep the guardrails, of all where none does; a least of several means is low by chance, so that
    all regrets are a little high. Better than the best is below 0.
    Columns: policy, kind, outcome, unit, mean_regret and worst_regret over worlds, worst_world, and `regret_world_<member>`.
    """
    by_world = fresh.mean(axis=2)
    limits = limits_of(asked, front.means(fresh)[0])
    keeps = np.array([_keeps(asked, values, limits) for values in front.means(fresh)])
    regret = front.regrets(by_world, keeps)
    worlds = list(asked.worlds)
    rows = []
    for k, policy in enumerate(policies):
        for column, outcome in enumerate(asked.objectives):
            one = regret[k, :, column]
            about = {"policy": policy.name, "kind": policy.kind, "outcome": outcome, "unit": unit_of(outcome)}
            summary = {"mean_regret": one.mean(), "worst_regret": one.max(), "worst_world": worlds[int(np.argmax(one))]}
            rows.append({**about, **summary, **{f"regret_world_{world}": value for world, value in zip(worlds, one, strict=True)}})
    return pd.DataFrame(rows)


def _keeps(asked: Optimisation, values: Reals, limits: Mapping[str, float]) -> bool:
    return all(by <= 0.0 for by in missed(asked, values, limits).values())
