"""What each lever of a bundle contributes, in plain sentences with the numbers of the tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from sim.analysis.intervals import clear
from sim.analysis.rows import records
from sim.analysis.words import listed, number, percent, unit_of
from sim.names import name_of

Row = Mapping[str, Any]

_NAMED = 3  # pairs a sentence names
_VAGUE = 0.5  # half the interval of an effect, as a part of it, beyond which shares are not told as parts of it
_MANIFOLD = 2.0  # nor where levers that cancel out are that many times the effect


def answer(
    bundle: pd.DataFrame, shapley: pd.DataFrame, pairs: pd.DataFrame, titles: Mapping[str, str], unknown: Sequence[str]
) -> list[str]:
    """Say of each outcome what the bundle does, which lever makes how much of it, and which pairs do more, or less, than apart.

    `titles` names the scenarios where there are several; `unknown` are outcomes that some run does not have.
    """
    said = []
    for row in records(bundle):
        title = f"{titles[row['scenario']]}: " if titles else ""
        said.append(title + " ".join(_outcome(row, _of(shapley, row), _of(pairs, row))))
    lost = "not known in every combination at every seed, so that there are no shares"
    said += [f"{_capital(name_of(outcome))}: {lost}." for outcome in unknown]
    if len(bundle):
        said.append(_note(int(bundle["replications"].iloc[0]), len(shapley) // len(bundle)))
    return said


def _of(table: pd.DataFrame, row: Row) -> list[dict[str, Any]]:
    return records(table[(table["scenario"] == row["scenario"]) & (table["outcome"] == row["outcome"])])


def _outcome(row: Row, shares: list[dict[str, Any]], pairs: list[dict[str, Any]]) -> list[str]:
    name, count = _capital(name_of(row["outcome"])), len(shares)
    if not any(share[part] for share in shares for part in ("share", "alone", "last")):
        return [f"{name}: exactly unchanged by each of the {count} levers."]
    if _seen(row, "effect"):
        move = "rise" if row["effect"] > 0.0 else "fall"
        many = "" if name.split()[0].endswith("s") or name.endswith("s") else "s"
        size = _amount(row, "effect", "relative", -1.0 if move == "fall" else 1.0)
        said = [f"{name} {move}{many} by {size} with all {count}.", _made(move, shares) if _steady(row, shares) else _moved(shares)]
    else:
        said = [f"{name}: no clear change with all {count}, {_amount(row, 'effect', 'relative')}.", _moved(shares)]
    if _seen(row, "excess"):
        base = row["baseline_mean"] if np.isfinite(row["relative"]) else np.nan
        total = _size(row["sum_alone"] / base, percent, " %") if np.isfinite(base) else _size(row["sum_alone"], number, _unit(row))
        said.append(
            f"Alone, their effects add up to {total}; together they differ from that by {_amount(row, 'excess', 'relative_excess')}."
        )
    return [*said, *_paired(pairs, {share["factor"]: share for share in shares})]


def _made(move: str, shares: list[dict[str, Any]]) -> str:
    """Say which levers make how much of a rise or fall, and which work against it."""
    ordered = sorted(shares, key=lambda share: -share["of_bundle"])
    named = [(share, f"{share['label']} {_amount(share, '', 'of_bundle')}") for share in ordered]
    making = [text for share, text in named if _seen(share, "share") and share["of_bundle"] > 0.0]
    against = [text for share, text in named[::-1] if _seen(share, "share") and share["of_bundle"] < 0.0]
    parts = [
        f"{listed(making)} of the {move}" if making else "",
        f"{listed(against)} work{'' if len(against) > 1 else 's'} against it" if against else "",
        *_rest([(share, text) for share, text in named if not _seen(share, "share")]),
    ]
    return f"Shares: {'; '.join(part for part in parts if part)}."


def _moved(shares: list[dict[str, Any]]) -> str:
    """Say which levers raise and which lower an outcome that all together hardly move."""
    ordered = sorted(shares, key=lambda share: -abs(share["share"]))
    seen = [share for share in ordered if _seen(share, "share")]
    up, down = ([_with_size(share) for share in seen if share["share"] * way > 0.0] for way in (1.0, -1.0))
    parts = [
        f"{listed(up)} raise{'' if len(up) > 1 else 's'} it" if up else "",
        f"{listed(down)} lower{'' if len(down) > 1 else 's'} it" if down else "",
        *_rest([(share, _with_size(share)) for share in ordered if not _seen(share, "share")]),
    ]
    return f"Shares: {'; '.join(part for part in parts if part)}."


def _rest(named: list[tuple[Row, str]]) -> list[str]:
    """Say of which levers the share is not clear, and which have none at all."""
    zero = [share["share"] == 0.0 and not share["share_low"] < 0.0 for share, _ in named]
    unclear = [text for (_, text), none in zip(named, zero, strict=True) if not none]
    nothing = [share["label"] for (share, _), none in zip(named, zero, strict=True) if none]
    return [
        f"no clear share: {listed(unclear)}" if unclear else "",
        f"none at all: {listed(nothing)}" if nothing else "",
    ]


def _with_size(share: Row) -> str:
    return f"{share['label']} {_amount(share, 'share', 'relative')}"


def _paired(pairs: list[dict[str, Any]], shares: Mapping[str, Row]) -> list[str]:
    """Say which pairs interact most."""
    found = sorted((pair for pair in pairs if _seen(pair, "interaction")), key=lambda pair: -abs(pair["interaction"]))
    said = [
        f"{pair['first_label']} and {pair['second_label']} {_verb(pair, shares)}: {_amount(pair, 'interaction', 'relative')}"
        for pair in found
    ]
    return [f"Pairs: {'; '.join(said[:_NAMED])}."] if said else []


def _verb(pair: Row, shares: Mapping[str, Row]) -> str:
    first, second = (shares[pair[name]] for name in ("first", "second"))
    both = first["share"] * second["share"] > 0.0 and _seen(first, "share") and _seen(second, "share")
    if not both:
        return f"{'raise' if pair['interaction'] > 0.0 else 'lower'} it more together than apart"
    return "strengthen each other" if pair["interaction"] * first["share"] > 0.0 else "overlap"


def _seen(row: Row, name: str) -> bool:
    """Say whether a value is clear of 0; of one seed, whether it is not 0."""
    if row["replications"] == 1:
        return bool(row[name] != 0.0)
    return clear(row[f"{name}_low"], row[f"{name}_high"], row["replications"])


def _steady(row: Row, shares: list[dict[str, Any]]) -> bool:
    """Say whether what all do together is large enough, and known well enough, to be cut into parts."""
    largest = max(abs(share["of_bundle"]) for share in shares)
    half = (row["effect_high"] - row["effect_low"]) / 2.0
    return bool(largest <= _MANIFOLD and (row["replications"] == 1 or half <= _VAGUE * abs(row["effect"])))


def _amount(row: Row, name: str, share: str, sign: float = 1.0) -> str:
    """Write a value with its interval: the share in per cent, or the value itself where there is no share."""
    relative = bool(np.isfinite(row[share]))
    chosen, write, unit = (share, percent, " %") if relative else (name, number, _unit(row))
    value, *ends = (sign * row[f"{chosen}{end}"] for end in ("", "_low", "_high"))
    text = _size(value, write, unit)
    if not np.isfinite(ends).all():
        return text
    low, high = sorted(ends)
    return f"{text} ({_size(low, write)} to {_size(high, write)})"


def _size(value: float, write: Any, unit: str = "") -> str:
    return f"{write(value, signed=False) if write is percent else write(value)}{unit}"


def _unit(row: Row) -> str:
    return f" {unit_of(row['outcome'])}"


def _note(replications: int, levers: int) -> str:
    of = f"Shares are Shapley's, exact at each seed over all {2**levers} combinations. Per cent not of a rise or fall are of the baseline."
    if replications == 1:
        return f"{of} One seed: no intervals, so that any of this may be chance."
    return f"{of} Brackets: 95 % intervals over {replications} seeds, each by itself."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
