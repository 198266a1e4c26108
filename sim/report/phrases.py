"""Sentences of the report about rows of its tables: every number in them is the table's, rounded by one rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sim.analysis import Row
from sim.analysis.intervals import FEW
from sim.analysis.words import amount, in_all_pairs, interval, is_probable, number, percent, unit_of
from sim.names import is_plural, name_of
from sim.outcomes import OUTCOMES

MODEL_SAYS = "In the model, given its assumptions"

_FEW_CASES = 30
"""Of so many or fewer the number is told, since a share of them says more than it knows."""

LURED = ("owners_banned", "owners_lost", "sanctions_legal_owner", "harm_owner_yuan", "harm_friend_fraud_yuan")
"""What befalls owners who were lured, and their friends."""

HELPERS = ("sanctions_legal_helper",)
"""What befalls those who help for pay; their sanctions by the platform are neither good nor bad."""

VICTIMS = ("victims",)
"""Whom accounts of the market are used against."""

INNOCENT = (
    "innocents_sanctioned", "helpers_sanctioned_honest", "signups_blocked", "signups_delayed", "unseals_refused", "helpers_refused",
    "travellers_challenged", "honest_adverts_removed", "friction_hours",
)  # fmt: skip
"""What befalls users who have done nothing wrong."""


def source(row: Row) -> str:
    """Name the row of the comparison table."""
    return f"comparison/{row.outcome}/{row.scenario}"


def moves(row: Row) -> int:
    """Return 1 for a rise beyond chance, -1 for a fall, 0 for neither, and where nobody can tell it from chance (`untold`)."""
    return int(np.sign(row.difference)) if row.clear else 0


def untold(row: Row) -> bool:
    """Say whether a difference has no interval that says anything: one pair of runs, or too few that happen to be equal."""
    return not np.isfinite(row.low) or (row.same and not row.clear)


def worse(row: Row) -> int:
    """Return 1 where an outcome moves for the worse beyond chance, -1 where for the better, 0 where neither or nobody can say."""
    better = OUTCOMES[row.outcome].better if row.outcome in OUTCOMES else "neither"
    return moves(row) * {"lower": 1, "higher": -1, "neither": 0}[better]


def said(row: Row, days: int = 0) -> str:
    """Say one row of the comparison table: falls, rises, or does not move beyond chance; with its interval, and `cases` if few."""
    text, few = _said(row), cases(row, days)
    return f"{text}, {few}" if few else text


def _said(row: Row) -> str:
    name, plural = name_of(row.outcome), is_plural(row.outcome)
    if not np.isfinite(row.difference):
        return f"of {name} nothing is known"
    seen = "" if np.isfinite(row.low) else " in one pair of runs"
    if row.difference == 0.0 and (row.unchanged or seen):
        return f"{name} {'do' if plural else 'does'} not move at all{seen}"
    if np.isfinite(row.low) and not row.clear and not row.same:
        return f"{name} {'do' if plural else 'does'} not move beyond chance ({interval(row)})"
    verb = ("rise" if row.difference > 0.0 else "fall") + ("" if plural else "s")
    text = f"{name} {'probably ' if is_probable(row) else ''}{verb} {amount(row)}"
    if row.same:
        return f"{text}, {in_all_pairs(row)}"
    return f"{text}{seen}" if seen else f"{text} ({interval(row)})"


def told(row: Row, days: int = 0) -> str:
    """Say one row as `said` does, from what to what the mean goes, with its unit, and how many cases that are, if few in all `days`."""
    text = said(row, days)
    if moves(row) == 0 or row.in_units:  # nothing to say, or said already
        return text
    return f"{text}, from {number(row.baseline_mean)} to {number(row.mean)} {unit_of(row.outcome)}"


def cases(row: Row, days: int) -> str:
    """Say how many cases a change stands on, where the runs of one side have few in all `days` that means are taken of; else nothing."""
    if not days or row.outcome not in OUTCOMES or OUTCOMES[row.outcome].kind != "flow" or row.outcome.endswith("_yuan"):
        return ""
    before, after = (mean * days * row.replications for mean in (row.baseline_mean, row.mean))
    whole = np.allclose([before, after], np.round([before, after]), rtol=0.0, atol=1e-6)  # amounts and expected numbers are no cases
    if not whole or min(before, after) > _FEW_CASES or row.unchanged:
        return ""
    return f"{before:,.0f} cases to {after:,.0f} in {row.replications} run{'s' if row.replications > 1 else ''} of {days} days"


def share(value: float) -> str:
    """Write a share of resamples: 97 %; only all is 100 %, and only none is 0 %."""
    if 0.0 < value < 0.001:
        return "less than 0.1 %"
    if 0.999 < value < 1.0:
        return "more than 99.9 %"
    return f"{percent(value, signed=False)} %" if np.isfinite(value) else "unknown"


class Texts(NamedTuple):
    """A row of the comparison table as cells: mean, change with its interval, change per million users, change in per cent with its."""

    mean: str
    change: str
    interval: str
    per_million: str
    relative: str
    relative_interval: str


def texts(row: Row, users: int) -> Texts:
    """Write a row as cells; counts and amounts also per million users, prices, shares and durations not."""
    kind = OUTCOMES[row.outcome].kind if row.outcome in OUTCOMES else "duration"
    counted = kind in {"stock", "flow"}
    relative = "0 %" if row.unchanged else f"{percent(row.relative)} %" if np.isfinite(row.relative) else "-"
    ends = f"{_signed(row.low)} to {_signed(row.high)}" if np.isfinite(row.low) else "-"
    shares = f"{percent(row.relative_low)} to {percent(row.relative_high)} %" if row.has_relative else "-"
    scaled = _signed(row.difference * 1e6 / users) if counted else "-"
    return Texts(number(row.mean), _signed(row.difference), ends, scaled, relative, shares)


def _signed(value: float) -> str:
    if not np.isfinite(value):
        return "-"
    return "0" if value == 0.0 else f"{'+' if value > 0.0 else ''}{number(value)}"


def seeds_note(replications: int) -> str:
    """Warn where the resampled seeds are few."""
    return "; so few seeds know little of their own spread, so take it as a hint" if replications < FEW else ""


def joined(names: Sequence[str]) -> str:
    """Return names as a sentence lists them: a, b and c."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def upper(text: str) -> str:
    """Begin a text with a capital letter."""
    return text[:1].upper() + text[1:]
