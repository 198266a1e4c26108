"""Patterns of people, P6 and P7: who is sanctioned, who takes part."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.analysis.intervals import Interval, ratio_intervals
from sim.measures import LURED, YEAR, at_least_once_a_year, lured_users
from sim.patterns.experiments import LAW_BURN_IN, QUARTER
from sim.patterns.scoring import A_TENTH, EVIDENCE, NOTICEABLE, Criterion, Evidence, Measured, mean_of, ratio_of

Reals = NDArray[np.float64]

_PLATFORM = ("owners_banned", "helpers_sanctioned")
_LAW = ("sanctions_legal_owner", "sanctions_legal_helper", "arrests_dealer")
_RENTED = [f"rented_{name}" for name in LURED]
_FULL = 2  # quarters after the step until every case opened on its first day has ended


def _law_days(seen: Evidence, outcomes: tuple[str, ...]) -> Reals:
    return np.asarray(sum(seen.days("law", outcome) for outcome in outcomes))


def _steady(days: Reals) -> Reals:
    """Return the mean of the last year of the run with the step in the law."""
    return np.asarray(days[:, -round(YEAR) :].mean(axis=1))


def _dealers_of_all(seen: Evidence) -> Measured:
    return ratio_of(_steady(_law_days(seen, ("arrests_dealer",))), _steady(_law_days(seen, (*_PLATFORM, *_LAW))))


def _dealers_of_law(seen: Evidence) -> Measured:
    return ratio_of(_steady(_law_days(seen, ("arrests_dealer",))), _steady(_law_days(seen, _LAW)))


def quarters(seen: Evidence) -> tuple[Reals, Reals]:
    """Return people sanctioned by law a day: in the quarter before the step `(n,)`, and in each quarter after `(n, k)`."""
    days = _law_days(seen, _LAW)
    before, after = days[:, LAW_BURN_IN - QUARTER : LAW_BURN_IN], days[:, LAW_BURN_IN:]
    whole = after.shape[1] // QUARTER
    return before.mean(axis=1), after[:, : whole * QUARTER].reshape(len(after), whole, QUARTER).mean(axis=2)


def _jump(seen: Evidence) -> Measured:
    before, after = quarters(seen)
    return ratio_of(after[:, _FULL:].mean(axis=1), before, None, _shape(before, after))


def _delay(seen: Evidence) -> Measured:
    days = _law_days(seen, _LAW)
    before, after = quarters(seen)
    first = days[:, LAW_BURN_IN : LAW_BURN_IN + 60].mean(axis=1)
    return ratio_of(first - before, after[:, _FULL:].mean(axis=1) - before)


def largest_fall(after: Reals) -> Interval:
    """Return the largest relative fall from a quarter to the next, from the third on, of `(n, k)`; the third is the first in full force.

    Its interval covers all these falls together (Bonferroni), since the largest of several is low by chance too.
    """
    now, following = after[:, _FULL:-1], after[:, _FULL + 1 :]
    steps = ratio_intervals(following, now, level=1.0 - 0.05 / now.shape[1])
    if np.isnan(steps.value).all():  # nobody sanctioned
        return Interval(np.nan, np.nan, np.nan)
    least = int(np.nanargmin(steps.value))
    return Interval(*(float(end[least]) - 1.0 for end in steps))


def _dips(seen: Evidence) -> Measured:
    before, after = quarters(seen)
    return Measured(largest_fall(after), len(after), None, _shape(before, after))


def _stays(seen: Evidence) -> Measured:
    before, after = quarters(seen)
    return ratio_of(after[:, -2:].mean(axis=1), after[:, _FULL : _FULL + 2].mean(axis=1), None, _shape(before, after))


def _shape(before: Reals, after: Reals) -> str:
    return f"a quarter: {before.mean() * QUARTER:.0f} before, then {', '.join(f'{q:.0f}' for q in after.mean(axis=0) * QUARTER)}"


def _prosecuted(seen: Evidence) -> Measured:
    return ratio_of(_steady(_law_days(seen, ("sanctions_legal_owner",))), _steady(_law_days(seen, ("inflow_rented",))))


def _over_represented(seen: Evidence) -> Measured:
    two = ("student", "freelancer")
    share = sum(seen.shares[name] for name in two)
    each = {name: seen.mean("baseline", f"owners_banned_{name}").mean() / seen.mean("baseline", "owners_banned").mean() for name in two}
    detail = ", ".join(f"{name} {value:.0%} of {seen.shares[name]:.0%} of users" for name, value in each.items())
    sanctioned = seen.total("baseline", [f"owners_banned_{name}" for name in two])
    return ratio_of(sanctioned / share, seen.mean("baseline", "owners_banned"), None, detail)


def _first_offenders(seen: Evidence) -> Measured:
    sanctioned, again = (seen.mean("baseline", name) for name in ("owners_banned", "owners_repeat"))
    return ratio_of(sanctioned - again, sanctioned)


def _accept_less(seen: Evidence) -> Measured:
    informed = float(seen.counted("campaign", "informed_share").mean())
    return mean_of(1.0 - seen.counted("campaign", "informed_ratio"), None, f"{informed:.0%} of users informed")


def _accept_less_at_once(seen: Evidence) -> Measured:
    return mean_of(1.0 - seen.counted("campaign", "informed_ratio_early"))


def approached(seen: Evidence) -> Reals:
    """Return the share of the lured who are approached in a year, `(n,)`."""
    return at_least_once_a_year(seen.mean("baseline", "at_risk_approached"), lured_users(seen.users, seen.shares))


def rent_out(seen: Evidence) -> Reals:
    """Return the share of the lured who rent out in a year, `(n,)`."""
    return seen.total("baseline", _RENTED) * YEAR / lured_users(seen.users, seen.shares)


def converted(seen: Evidence) -> tuple[Reals, Reals]:
    """Return rentals and approaches of the lured a day, `(n,)` each."""
    return seen.total("baseline", _RENTED), seen.mean("baseline", "at_risk_approached")


def _exposed(seen: Evidence) -> Measured:
    return mean_of(approached(seen))


def _take_part(seen: Evidence) -> Measured:
    rented = rent_out(seen)
    sold = seen.mean("baseline", "inflow_bought") * YEAR / lured_users(seen.users, seen.shares)  # of whatever segment: an upper bound
    return mean_of(rented + sold, None, f"{rented.mean():.2%} rent out, at most {sold.mean():.2%} sell")


def _converted(seen: Evidence) -> Measured:
    return ratio_of(*converted(seen))


CRITERIA = (
    Criterion(
        "P6a", "Sanctions fall on petty helpers and owners: 10 to 18 of them for each recruiter", "[EMMA], [SPP22], C19",
        "dealers' share of all whom platform or law sanctions, law at full certainty, below 10 %", "share", 0.0, 0.1, _dealers_of_all,
    ),
    Criterion(
        "P6b", "The same among those whom the police identify: 5 to 9 % are organisers", "[EMMA], C19",
        "dealers' share of those sanctioned by law below 10 %", "share", 0.0, 0.1, _dealers_of_law,
        "Cases against owners and helpers are too rare beside those against dealers, or organisers too easily reached.", bound=EVIDENCE,
    ),
    Criterion(
        "P6c", "Prosecutions up about tenfold in a year", "[SPP22], F1",
        "certainty of law .2 to 1: people sanctioned by law at least threefold from the third quarter on (the size of the step is ours)",
        "ratio", 3.0, np.inf, _jump,
    ),
    Criterion(
        "P6d", "Two to six months from the first rental to the arrest", "[Xinhua20], [Guiyang20], F12",
        "at most a tenth of the later rise in the first 60 days", "share", -np.inf, 0.1, _delay,
        note="The length of a case is a parameter.",
    ),
    Criterion(
        "P6e", "After the peak -33 % in a quarter, and -6 % in the next", "[SPP22h1], F2",
        f"from the third quarter on, some quarter at least {A_TENTH} below the one before", "relative change", -np.inf, -NOTICEABLE,
        _dips,
        "Cases open only for what happens after the step. A backlog would have to be worked off: owners, helpers and dealers of earlier "
        "years who are still known when the law turns to them, and investigators whose number is limited.",
    ),
    Criterion(
        "P6f", "Then they stay high: about 130,000 and 147,000 in the next two years", "[SPP22], [SPPblue24], F1",
        "the last two of six quarters at least two thirds of the third and fourth", "ratio", 2 / 3, np.inf, _stays,
    ),
    Criterion(
        "P6g", "About one lured user in a thousand is prosecuted in a campaign", "[Huaian], [Jixi22], F6",
        "law at full certainty: owners sanctioned over rentals begun .0001 to .01", "share", 1e-4, 1e-2,
        _prosecuted, note="Set from this source.", bound=EVIDENCE,
    ),
    Criterion(
        "P6h", "Students, parents at home and those without a fixed job stand out", "[Seed2], [SPP22h1], C15, F3",
        f"students' and freelancers' share of sanctioned owners at least {1 + NOTICEABLE:g} times that of users", "ratio",
        1 + NOTICEABLE, np.inf, _over_represented, note="Segments differ in willingness by assumption, in this direction.",
    ),
    Criterion(
        "P6i", "About 90 % first offenders", "[SPP22h1], F3", "first sanctions at least 80 % of owners' sanctions", "share", 0.8, 1.0,
        _first_offenders,
    ),
    Criterion(
        "P6j", "65 % under 30, two thirds with no more than junior high school, 92 % men", "[SPP22h1], [Henan22], F3, F5",
        "the same among those sanctioned", note="Age, schooling, income and sex are not modelled.",
    ),
    Criterion(
        "P7a", "33 % would take the job, 7 % once told that it is criminal: a fall by four fifths", "[Paypers18], C5",
        "campaign at .9: informed users rent out 50 to 85 % less often than others of their segment", "share", 0.5, 0.85, _accept_less,
        note="The factor is a parameter set from stated willingness; how many more are reached again is not.",
    ),
    Criterion(
        "P7b", "At once among those reached", "[Paypers18], C5", "the same in the first 30 days of the campaign", "share", 0.5, 0.85,
        _accept_less_at_once,
    ),
    Criterion(
        "P7c", "About 10 % were ever approached", "[Bekkers23], C1",
        "share of students, parents at home and freelancers approached in a year 5 to 20 %", "share", 0.05, 0.2, _exposed,
        note="A soft target of the calibration.",
    ),
    Criterion(
        "P7d", "Fewer than 1 % took part", "[Bekkers23], C2", "share of them who rent out or sell in a year below 1 %", "share", 0.0, 0.01,
        _take_part, bound=EVIDENCE,
    ),
    Criterion(
        "P7e", "Of those approached fewer than 10 % took part", "[Bekkers23], C2", "rentals over approaches below 10 %", "share", 0.0, 0.1,
        _converted, bound=EVIDENCE,
    ),
    Criterion(
        "P7f", "25 to 33 % say they would consider it", "[BPFI25], [Nationwide21], C3, C4", "stated far above revealed willingness",
        note="Nobody in the model states an intention; only acceptance is modelled.",
    ),
)  # fmt: skip
"""What P6 and P7 ask for, stated before the runs."""
