"""Patterns of trade, P8 and P9: how renting spreads, how large dealers are, what accounts do."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sim.patterns.scoring import EVIDENCE, Criterion, Evidence, Measured, mean_of, ratio_of

Reals = NDArray[np.float64]


def _clusters(seen: Evidence) -> Measured:
    pairs, chance = (seen.counted("census", name) for name in ("pairs", "pairs_by_chance"))
    largest = seen.counted("census", "largest_cluster").max()
    return ratio_of(
        pairs, chance, None, f"{pairs.mean():.0f} pairs against {chance.mean():.1f}; largest cluster {largest:.0f} in two months"
    )


def holdings(seen: Evidence) -> list[list[Reals]]:
    """Return what dealers hold, largest first, by replication and day of the count."""
    return [[values for name, values in one.items() if name.startswith("holdings_")] for one in seen.seen["census"]]


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else np.nan


def _variation(seen: Evidence) -> Measured:
    return mean_of(np.array([_mean([held.std() / held.mean() for held in counts if held.any()]) for counts in holdings(seen)]))


def _largest(seen: Evidence) -> Measured:
    by_run = np.array([_mean([held[0] / max(float(np.median(held)), 1.0) for held in counts if held.size]) for counts in holdings(seen)])
    most = _mean([counts[0].max(initial=0.0) for counts in holdings(seen) if counts])
    return mean_of(by_run, None, f"the largest holds about {most:.0f} accounts")


def _top_tenth(seen: Evidence) -> Measured:
    return mean_of(seen.mean("baseline", "dealer_top_share"))


def _risen(seen: Evidence) -> Measured:
    return mean_of(seen.counted("census", "renters_turned_dealers"))


def _harm_ratio(seen: Evidence) -> Measured:
    yuan = {name: seen.counted("census", f"harm_yuan_{name}") for name in ("registered", "unsealed", "rented")}
    detail = ", ".join(f"{name} {value.mean():.0f}" for name, value in yuan.items())
    return ratio_of(yuan["rented"], yuan["registered"], None, f"yuan an account-day: {detail}")


def _averted(seen: Evidence, watch: str) -> Reals:
    """Return the expected harm averted in four weeks, per account that fell, in yuan."""
    after, first = seen.followed(watch, "expected_harm_yuan"), seen.burn_in_days
    before = seen.days("baseline", "expected_harm_yuan")[:, first : after.shape[1]]
    return np.asarray((before - after[:, first:]).sum(axis=1) / np.maximum(seen.counted(watch, "struck"), 1.0))


def _averts_more(seen: Evidence) -> Measured:
    rented, registered = (_averted(seen, f"fewer_{name}") for name in ("rented", "registered"))
    return mean_of(rented - registered, None, f"yuan averted per account: rented {rented.mean():.0f}, registered {registered.mean():.0f}")


def _cases(seen: Evidence, channel: str) -> Measured:
    life = seen.mean("baseline", f"exit_age_{channel}") / seen.mean("baseline", f"exits_{channel}")
    return mean_of(seen.counted("census", f"cases_{channel}") * life)


def _cases_unsealed(seen: Evidence) -> Measured:
    return _cases(seen, "unsealed")


def _cases_registered(seen: Evidence) -> Measured:
    return _cases(seen, "registered")


CRITERIA = (
    Criterion(
        "P8a", "Renting spreads among friends and classmates", "[Guiyang20], C14",
        "pairs of recruits in one community within two months at least twice those of chance within segments", "ratio", 2.0, np.inf,
        _clusters, note="The share of recruits who come by a friend is a target of the calibration; how they cluster is not.",
    ),
    Criterion(
        "P8b", "Rings from 100 to 3,300 accounts: a heavy tail", "[Xinhua20], [Super], C20",
        "coefficient of variation of dealers' holdings above 1, that of the exponential distribution", "ratio", 1.0, np.inf, _variation,
        "Sizes at entry have a heavy tail, but effort caps them and growth is bounded. Success would have to breed success.",
        "Capacity at entry is log-normal by assumption, from this source.",
    ),
    Criterion(
        "P8c", "The same: the largest ring 33 times the smallest that was seen", "[Xinhua20], [Super], C20",
        "the largest dealer holds at least ten times the median", "ratio", 10.0, np.inf, _largest,
        "Here the largest of some 75 dealers stands for the largest ring of a country: with ten times the users the ratio is about twice "
        "as large. At this size rings would have to grow beyond the bound that follows profit, by hiring and by taking others over.",
    ),
    Criterion(
        "P8d", "27 merchants behind 10 to 20 % of all spam accounts", "[Thomas13], E13",
        "the largest tenth of dealers holds at least 20 % of the accounts, twice its part", "share", 0.2, 1.0, _top_tenth,
    ),
    Criterion(
        "P8e", "Renters become sub-collectors", "[Xinhua20], C14",
        "at least one dealer in a hundred began as a renter", "share", 0.01, 1.0, _risen,
        "A rental ends within a week and a renter brings in far fewer than three friends, so the way up is closed. Sub-collectors would "
        "have to be dealers of a second tier, who need no account of their own to go on recruiting.",
    ),
    Criterion(
        "P8f", "One pupil brought in thirteen in two months", "[Guiyang20], C14", "the growth of such a cluster",
        note="One case that reporters chose out of 1.2 billion users; a community of 50 in 12 million users shows no such extreme.",
    ),
    Criterion(
        "P8g", "10 to 18 mules for each recruiter", "[EMMA], C19", "owners for each dealer",
        note="Depends on the months an investigation covers, which the source does not give.",
    ),
    Criterion(
        "P9a", "A friend's account deceives 72 %, a stranger's 16 %; dealt accounts do far more harm than mass-made ones",
        "[Jagatic07], [Super], [SIMCARTEL], D6, D8, D10",
        "harm to victims a day of a rented over a registered account at least 10", "ratio", 10.0, np.inf, _harm_ratio,
        note="Incidents by channel are parameters, one of them (4.5) from this source; quality, use and friends make the rest.",
    ),
    Criterion(
        "P9b", "Trusted accounts are the scarce input", "[Thomas13], D6",
        "as many accounts as half of the rented ones fall: the loss averted in four weeks is larger when they are rented ones",
        "yuan per account", 0.0, np.inf, _averts_more, bound=EVIDENCE,
    ),
    Criterion(
        "P9c", "More than 300 cases of fraud for 3,315 unsealed accounts", "[Super], D8",
        "cases of fraud in the life of an unsealed account .009 to .9 (order of magnitude)", "cases per account", 0.009, 0.9,
        _cases_unsealed, bound=EVIDENCE,
    ),
    Criterion(
        "P9d", "3,200 known cases for 49 million mass-made accounts", "[SIMCARTEL], D10",
        "cases of fraud in the life of a registered account .0000065 to .00065 (order of magnitude)", "cases per account", 6.5e-6, 6.5e-4,
        _cases_registered,
        "Every registered account that passes is put to use. Most mass-made accounts would have to lie idle or be spent on numbers "
        "(likes, followers), and cases known to the police be told apart from all cases.", bound=EVIDENCE,
    ),
)  # fmt: skip
"""What P8 and P9 ask for, stated before the runs."""
