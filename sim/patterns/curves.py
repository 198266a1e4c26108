"""The numbers behind the figure of the scorecard: one line or set of points a pattern, with intervals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.analysis.intervals import ratio_intervals, t_intervals
from sim.levers import LEVERS
from sim.parameters import LEDGER
from sim.patterns import market, people, trade
from sim.patterns.experiments import CLOSED, PATTERNS, QUARTER, SIGN_UP_LEVELS, SQUEEZE_LEVELS, at
from sim.patterns.scoring import Evidence

Reals = NDArray[np.float64]
Point = tuple[str, str, float, str, float, float, float]
Band = tuple[float, float]

COLUMNS = ("pattern", "series", "x", "label", "y", "low", "high", "asked_low", "asked_high")
"""`label` names a point whose `x` is only a place; where it is empty `x` is a number. A criterion asks for values from `asked_low` to
`asked_high` at this point: infinite where it bounds one side only, NaN where no criterion is about the point itself.
"""

_ASKED = {one.name: (one.low, one.high) for one in (*market.CRITERIA, *people.CRITERIA, *trade.CRITERIA)}


def curves(evidence: Evidence, only: Iterable[str] = PATTERNS) -> pd.DataFrame:
    """Return the points of the figure (`COLUMNS`): means over replications with 95 % intervals."""
    wanted = frozenset(only)
    with np.errstate(divide="ignore", invalid="ignore"):  # a market too small to count in has shares of nothing
        points = [point for pattern, draw in _DRAWN.items() if pattern in wanted for point in draw(evidence)]
        bands = {pattern: _BANDS[pattern](evidence) for pattern in wanted & _BANDS.keys()}
    asked = [bands.get(point[0], {}).get((point[1], point[2]), (np.nan, np.nan)) for point in points]
    return pd.DataFrame([(*point, *band) for point, band in zip(points, asked, strict=True)], columns=list(COLUMNS))


def _points(pattern: str, series: str, xs: Sequence[float], values: Sequence[Reals], labels: Sequence[str] = ()) -> list[Point]:
    ends = t_intervals(np.stack(values, axis=1))
    names = labels or [""] * len(xs)
    rows = zip(xs, names, ends.value, ends.low, ends.high, strict=True)
    return [(pattern, series, float(x), name, float(y), float(low), float(high)) for x, name, y, low, high in rows]


def _p1(seen: Evidence) -> list[Point]:
    names = ("baseline", *(at("sign_up", level) for level in SIGN_UP_LEVELS))
    shares = [seen.mean(name, "supply_rented") / seen.mean(name, "supply_account_days") for name in names]
    return _points("P1", "rented share of supply", (LEVERS["registration_audit"].standing, *SIGN_UP_LEVELS), shares)


def _p2(seen: Evidence) -> list[Point]:
    names = ("baseline", *(at("squeeze", level) for level in SQUEEZE_LEVELS))
    prices = [seen.mean(name, "price_yuan") for name in names]
    return _points("P2", "price of an account-day", (LEVERS["registration_audit"].standing, *SQUEEZE_LEVELS), prices)


def _p3(seen: Evidence) -> list[Point]:
    entry = LEDGER["dealer"]["entry_per_12_million_day"]
    levels = (entry.low, entry.value, entry.high)
    blows = {"supply squeeze": market.price_after_squeeze(seen), "half of the dealers arrested": market.price_after_arrests(seen)}
    return [point for name, passed in blows.items() for point in _points("P3", name, levels, [np.expm1(one) for one in passed])]


_PURGE, _BEFORE = "purge", 14


def _p4(seen: Evidence) -> list[Point]:
    first = seen.burn_in_days
    after = {
        _PURGE: seen.days("purge", "supply_account_days"),
        "and 80 % of dealers": seen.followed("purge_and_arrests", "supply_account_days"),
    }
    points: list[Point] = []
    for name, supply in after.items():
        change = 1.0 + market.relative_to_baseline(seen, supply)[:, first - _BEFORE : first + QUARTER]
        points += _points("P4", name, [float(day) for day in range(-_BEFORE, change.shape[1] - _BEFORE)], list(change.T))
    return points


def _p5(seen: Evidence) -> list[Point]:
    supply, cuts = seen.mean("baseline", "supply_account_days"), market.cuts(seen)
    shares = [cuts[source] / supply for source in CLOSED]
    shares += [np.asarray(sum(shares)), cuts["all"] / supply]
    return _points("P5", "cut in supply", range(5), shares, (*(source.replace("_", "-") for source in CLOSED), "their sum", "all three"))


def _p6(seen: Evidence) -> list[Point]:
    before, after = people.quarters(seen)
    values = [quarter * QUARTER for quarter in (before, *after.T)]
    return _points("P6", "people sanctioned by law", range(len(values)), values)


def _p7(seen: Evidence) -> list[Point]:
    rented, approached = people.converted(seen)
    shares = [people.approached(seen), people.rent_out(seen), rented / approached, seen.counted("campaign", "informed_ratio")]
    labels = ("approached\nin a year", "rent out\nin a year", "rent out, of\napproached", "informed\nover others")
    return _points("P7", "share", range(4), shares, labels)


def _p8(seen: Evidence) -> list[Point]:
    runs = [np.concatenate([np.zeros(0), *counts]) for counts in trade.holdings(seen)]
    most = max(float(run.max(initial=2.0)) for run in runs)
    sizes = np.unique(np.round(np.geomspace(1.0, most, 40)))
    shares = [np.array([(run >= size).sum() / run.size if run.size else np.nan for run in runs]) for size in sizes]
    return _points("P8", "dealers who hold at least so many", sizes.tolist(), shares)


def _p9(seen: Evidence) -> list[Point]:
    kinds = ("registered", "unsealed", "rented")
    base = seen.counted("census", "harm_yuan_registered")
    points: list[Point] = []
    for k, kind in enumerate(kinds):
        ends = ratio_intervals(seen.counted("census", f"harm_yuan_{kind}"), base)
        points.append(("P9", "harm", float(k), kind, float(ends.value[0]), float(ends.low[0]), float(ends.high[0])))
    return points


_DRAWN: dict[str, Callable[[Evidence], list[Point]]] = {
    "P1": _p1, "P2": _p2, "P3": _p3, "P4": _p4, "P5": _p5, "P6": _p6, "P7": _p7, "P8": _p8, "P9": _p9,
}  # fmt: skip


def _less(band: Band, whole: float = 1.0) -> Band:
    """Return what a band on the part that is missing asks of the part that is left."""
    return whole - band[1], whole - band[0]


def _asked_p4(seen: Evidence) -> Mapping[tuple[str, float], Band]:
    deepest = market.deepest_day(seen) - seen.burn_in_days
    return {(_PURGE, float(day)): _less(_ASKED["P4a"]) for day in range(deepest - 3, deepest + 4)}


def _asked_p7(_: Evidence) -> Mapping[tuple[str, float], Band]:
    bands = (_ASKED["P7c"], _ASKED["P7d"], _ASKED["P7e"], _less(_ASKED["P7a"]))
    return {("share", float(k)): band for k, band in enumerate(bands)}


def _asked_p9(_: Evidence) -> Mapping[tuple[str, float], Band]:
    return {("harm", 2.0): _ASKED["P9a"]}


_BANDS: dict[str, Callable[[Evidence], Mapping[tuple[str, float], Band]]] = {"P4": _asked_p4, "P7": _asked_p7, "P9": _asked_p9}
"""What criteria ask of single points, by series and x; the others are about changes, or several points together."""
