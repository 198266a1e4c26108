"""What moves the outcomes, in plain sentences with the numbers of the tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from sim.analysis.uncertain import SHARE
from sim.analysis.words import number, percent, unit_of
from sim.exploring.quantities import ORDER, REVERSED
from sim.names import name_of

_NAMED = 3  # factors a sentence names
_SMALL = 0.1  # of the largest: below it a factor hardly matters

_ONE = "with one replication a point, luck cannot be told"
_WIDE = 0.2  # half an interval of a total index that is too wide to rank factors by


def answer(indices: pd.DataFrame, luck: pd.DataFrame, ranking: pd.DataFrame, titles: Mapping[str, str]) -> list[str]:
    """Say of each outcome what moves it, what moves the effects of policies and their order, and how much is luck."""
    said = []
    for row in _records(luck):
        part = indices[(indices["outcome"] == row["outcome"]) & (indices["subject"] == row["subject"])]
        if row["subject"] == ORDER:
            said.append(_order(row, part, ranking, titles))
        else:
            said.append(f"{_subject(row, titles)}: {_moved(part, row['unit'])}; {_luck(row)}.")
    widest = float(((indices["total_high"] - indices["total_low"]) / 2.0).max()) if "total_high" in indices else 0.0
    if widest > _WIDE:
        said.append(f"Total indices are known to within {percent(widest, signed=False)} % only: take more base points (design.points).")
    return said


def _subject(row: Mapping[str, Any], titles: Mapping[str, str]) -> str:
    title, name = titles.get(row["subject"], row["subject"]), name_of(row["outcome"])
    if row["unit"] == SHARE or _is_effect(row, titles):
        return f"What '{title}' does to {name}"
    return f"{name[:1].upper()}{name[1:]} under '{title}'"


def _is_effect(row: Mapping[str, Any], titles: Mapping[str, str]) -> bool:
    """Say whether a row in an outcome's unit is the effect of a policy: the baseline is the first that has a title."""
    return bool(row["subject"] != next(iter(titles), row["subject"]))


def _moved(part: pd.DataFrame, unit: str) -> str:
    """Say which factors move a quantity most, as far as chance lets that be told, and which hardly do."""
    measure = "mu_star" if "mu_star" in part else "total"
    if not np.isfinite(part[measure]).all() or part[measure].max() <= 0.0:
        return "no factor moves it"
    if measure == "total" and np.isfinite(part["total_of_run"]).all():
        measure = "total_of_run"  # without the luck that is left in means
    rows = _records(part.sort_values(measure, ascending=False, kind="stable"))
    most = [row for row in rows if row[measure] >= _SMALL * rows[0][measure]]
    beyond = [row for row in most if _beyond_luck(row, measure)]
    perhaps = [row for row in most if not _beyond_luck(row, measure)]
    least = [row["label"] for row in rows if row[f"{measure}_high"] < _SMALL * rows[0][measure]]
    said = _beyond(beyond, rows[0], measure, unit) if beyond else "no factor is known to move it"
    if perhaps:
        shown = perhaps[: max(1, _NAMED - len(beyond))]
        more = [f"{len(perhaps) - len(shown)} more"] if len(perhaps) > len(shown) else []
        reach = "whose interval reaches 0" if len(perhaps) == 1 else "whose intervals reach 0"
        why = "which may be luck alone" if any(row[f"{measure}_low"] > 0.0 for row in perhaps) else reach
        said += f"; perhaps moved by {_listed([*(_one(row, measure, unit) for row in shown), *more])}, {why}"
    return f"{said}; hardly moved by {_listed(least)}" if least else said


def _beyond_luck(row: Mapping[str, Any], measure: str) -> bool:
    """Say whether a factor moves a quantity beyond chance: luck alone gives some mu*, and none of a total index of a run."""
    luck_known = measure == "mu_star" and np.isfinite(row["mu_star_beyond_low"])
    return bool(row["mu_star_beyond_low" if luck_known else f"{measure}_low"] > 0.0)


def is_above(first: Sequence[float], second: Sequence[float]) -> bool:
    """Say whether a value is known to be above another, from both with the ends of their 95 % intervals, taken as independent."""
    return first[0] - second[0] > float(np.hypot(first[2] - first[0], second[2] - second[0]))


def _beyond(beyond: list[dict[str, Any]], first: Mapping[str, Any], measure: str, unit: str) -> str:
    """Name the factors that move a quantity beyond chance, the most first, and say whether that order is known."""
    named = beyond[:_NAMED]
    alike = sum(row[measure] >= named[-1][measure] for row in beyond[_NAMED:])
    words = [*(_one(row, measure, unit) for row in named), *([f"{alike} more"] if alike else [])]
    said = f"{'moved most by' if named[0][measure] >= first[measure] else 'moved beyond chance by'} {_listed(words)}"
    if len(named) == 1:
        return said
    if named[-1][measure] >= named[0][measure]:
        return f"{said}, in equal measure"
    first_, *others = ([row[f"{measure}{end}"] for end in ("", "_low", "_high")] for row in beyond)
    return said if all(is_above(first_, other) for other in others) else f"{said}, in what order chance leaves open"


def _one(row: Mapping[str, Any], measure: str, unit: str) -> str:
    if measure == "mu_star":
        ends = f"{_size(row['mu_star_low'], unit)} to {_size(row['mu_star_high'], unit)}"
        return f"{row['label']} (mu* {_size(row['mu_star'], unit)}, {ends} {_unit(row, unit)})"
    first, total, low, high = (
        percent(row[name], signed=False) for name in (measure.replace("total", "first"), measure, f"{measure}_low", f"{measure}_high")
    )
    of = " of a run's variance" if measure == "total_of_run" else ""
    return f"{row['label']} (total index {total} %{of}, {low} to {high}; alone {first} %)"


def _unit(row: Mapping[str, Any], unit: str) -> str:
    return {SHARE: "percentage points", REVERSED: "percentage points of pairs"}.get(unit, unit_of(row["outcome"]))


def _size(value: float, unit: str) -> str:
    return percent(value, signed=False) if unit in (SHARE, REVERSED) else number(value)


def _luck(row: Mapping[str, Any]) -> str:
    share, low, high = (float(row[name]) for name in ("luck_share", "luck_share_low", "luck_share_high"))
    if row["replications"] < 2:
        return _ONE
    if not np.isfinite(share):
        return "it does not vary, so there is no luck"
    ends = f" ({percent(low, signed=False)} to {percent(high, signed=False)} %)" if np.isfinite(low) and np.isfinite(high) else ""
    return f"luck is {percent(share, signed=False)} %{ends} of the variance of a run"


def _order(row: Mapping[str, Any], part: pd.DataFrame, ranking: pd.DataFrame, titles: Mapping[str, str]) -> str:
    name = name_of(row["outcome"])
    found = _records(ranking[ranking["outcome"] == row["outcome"]])
    if not found:
        return f"By {name} the order of policies is not known"
    rank = found[0]
    names = " > ".join(titles.get(policy, policy) for policy in rank["ledger_order"].split(" > "))
    n = int(rank["points"])
    changed, clear, best = (round(float(rank[key]) * n) for key in ("changed_share", "changed_clear_share", "best_share"))
    head = f"By {name}, {rank['best_is']} first, the ledger's order is {names}"
    beyond, unknown = (f", beyond chance at {clear}, judged all at once", "") if row["replications"] > 1 else ("", f"; {_ONE}")
    if changed == 0:
        return f"{head}; it is the same at all {n} points{unknown}."
    first = titles.get(rank["best"], rank["best"])
    moved = _moved(part, row["unit"])
    return f"{head}; another one at {changed} of {n} points{beyond}; '{first}' stays first at {best}; {moved}{unknown}."


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]
