"""Patterns of the market, P1 to P5: channels, prices, recovery, substitutes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.levers import CHANNELS
from sim.measures import worth
from sim.patterns.experiments import CLOSED, QUARTER, SIGN_UP_LEVELS, SQUEEZE_LEVELS, WEEK, at
from sim.patterns.scoring import A_TENTH, EVIDENCE, NOTICEABLE, Criterion, Evidence, Measured, change_of, mean_of, ratio_of, rises

Reals = NDArray[np.float64]

_SIGN_UP = ("baseline", *(at("sign_up", level) for level in SIGN_UP_LEVELS))
_SQUEEZE = ("baseline", *(at("squeeze", level) for level in SQUEEZE_LEVELS))
_ENTRY = ("entry_low", "baseline", "entry_high")
_SQUEEZED = ("entry_low_squeeze", "squeeze_90", "entry_high_squeeze")
_ARRESTS = ("arrests_entry_low", "arrests", "arrests_entry_high")


def _rented_share(seen: Evidence, scenario: str) -> Reals:
    return np.asarray(seen.mean(scenario, "supply_rented") / seen.mean(scenario, "supply_account_days"))


def _share_by_sign_up(seen: Evidence) -> Measured:
    shares = [_rented_share(seen, name) for name in _SIGN_UP]
    return change_of(shares[-1], shares[0], rises(shares), _levels("rented share of supply", shares))


def _commission_by_sign_up(seen: Evidence) -> Measured:
    yuan = [seen.mean(name, "commission_yuan") for name in _SIGN_UP]
    return change_of(yuan[-1], yuan[0], None, _levels("yuan a day", yuan))


def _share_in_squeeze(seen: Evidence) -> Measured:
    shares = [_rented_share(seen, name) for name in ("baseline", _SQUEEZE[-1])]
    return change_of(shares[1], shares[0], None, _levels("rented share of supply", shares))


def _commission_in_squeeze(seen: Evidence) -> Measured:
    yuan = [seen.mean(name, "commission_yuan") for name in ("baseline", _SQUEEZE[-1])]
    return change_of(yuan[1], yuan[0], None, _levels("yuan a day", yuan))


def _worth(seen: Evidence, scenario: str, channel: str) -> Reals:
    """Return what an account earns in its life, in yuan, one number a replication."""
    life = seen.mean(scenario, f"exit_age_{channel}") / seen.mean(scenario, f"exits_{channel}")
    price, used = (seen.mean(scenario, name) for name in ("price_yuan", "utilisation_share"))
    return worth(price, used, seen.mean(scenario, f"supply_{channel}"), seen.mean(scenario, f"stock_{channel}"), life)


def _aged_over_fresh(seen: Evidence) -> Measured:
    dealt = ("unsealed", "bought")
    inflow = {channel: seen.mean("baseline", f"inflow_{channel}") for channel in dealt}
    aged = sum(_worth(seen, "baseline", channel) * inflow[channel] for channel in dealt) / sum(inflow.values())
    each = ", ".join(f"{channel} {_worth(seen, 'baseline', channel).mean():.0f}" for channel in CHANNELS[:4])
    return ratio_of(np.asarray(aged), _worth(seen, "baseline", "registered"), detail=f"worth in yuan: {each}")


def _name_premium(seen: Evidence) -> Measured:
    old, young = ([seen.counted("census", f"worth_{age}_{name}") for name in ("named", "unnamed")] for age in ("old", "young"))
    return ratio_of(old[0], old[1], detail=f"young accounts {float((young[0] / young[1]).mean()):.2f}")


def _name_premium_falls(seen: Evidence) -> Measured:
    by_age = [seen.counted("census", f"worth_{age}_named") / seen.counted("census", f"worth_{age}_unnamed") for age in ("young", "old")]
    return mean_of(by_age[0] - by_age[1], None, f"young {by_age[0].mean():.2f}, two years old {by_age[1].mean():.2f}")


def _payment_premium(seen: Evidence) -> Measured:
    return ratio_of(seen.counted("census", "worth_paying"), seen.counted("census", "worth_not_paying"))


def _price_by_squeeze(seen: Evidence) -> Measured:
    yuan = [seen.mean(name, "price_yuan") for name in _SQUEEZE]
    return change_of(yuan[-1], yuan[0], rises(yuan), _levels("yuan an account-day", yuan))


def price_after_squeeze(seen: Evidence) -> list[Reals]:
    """Return the log price rise under the supply squeeze at low, standing and high entry, `(n,)` each."""
    pairs = zip(_ENTRY, _SQUEEZED, strict=True)
    return [np.log(seen.mean(after, "price_yuan") / seen.mean(before, "price_yuan")) for before, after in pairs]


def _pass_through(seen: Evidence) -> Measured:
    passed = price_after_squeeze(seen)
    return ratio_of(passed[2], passed[0], rises(passed[::-1]), _levels("log price at low, standing and high entry", passed))


def price_after_arrests(seen: Evidence) -> list[Reals]:
    """Return the mean log price rise in the quarter after half of the dealers are arrested, at low, standing and high entry."""
    since, until = seen.burn_in_days, seen.burn_in_days + QUARTER
    return [
        np.log(seen.followed(after, "price_yuan")[:, since:until] / seen.days(before, "price_yuan")[:, since:until]).mean(axis=1)
        for before, after in zip(_ENTRY, _ARRESTS, strict=True)
    ]


def _price_after_arrests_by_entry(seen: Evidence) -> Measured:
    passed = price_after_arrests(seen)
    return ratio_of(passed[2], passed[0], rises(passed[::-1]), _levels("log price over 13 weeks at low, standing and high entry", passed))


def _price_with_bypass(seen: Evidence) -> Measured:
    fresh = [_worth(seen, name, "registered") for name in ("baseline", "bypass")]
    per_day = [seen.mean(name, "price_yuan") for name in ("baseline", "bypass")]
    return change_of(fresh[1], fresh[0], None, f"{_levels('worth of a fresh account in yuan', fresh)}; {_levels('account-day', per_day)}")


def relative_to_baseline(seen: Evidence, after: Reals) -> Reals:
    """Return the relative change of supply, as means of the seven days from each day on, `(n, days)`; NaN where there was none."""
    before = seen.days("baseline", "supply_account_days")
    days = min(before.shape[1], after.shape[1])
    sums = [np.cumsum(np.pad(values[:, :days], ((0, 0), (1, 0))), axis=1) for values in (after, before)]
    weekly = [total[:, WEEK:] - total[:, :-WEEK] for total in sums]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(weekly[1] > 0.0, weekly[0] / weekly[1], np.nan) - 1.0)


def _lowest(quarter: Reals) -> int:
    """Return the day of the lowest of means `(days,)`; the first where none is known."""
    return int(np.argmin(np.where(np.isnan(quarter), np.inf, quarter)))


def _dip(seen: Evidence) -> tuple[Reals, int, Reals]:
    """Return the relative change of supply after the purge, the day of the largest dip of the mean, and the dip by replication."""
    change = relative_to_baseline(seen, seen.days("purge", "supply_account_days"))
    first = seen.burn_in_days
    day = first + _lowest(change[:, first : first + QUARTER].mean(axis=0))
    return change, day, -change[:, day]


def deepest_day(seen: Evidence) -> int:
    """Return the first day of the week in which supply is lowest after the purge."""
    return _dip(seen)[1]


def _purge_dip(seen: Evidence) -> Measured:
    _, day, dip = _dip(seen)
    return mean_of(dip, None, f"deepest in the week from day {day - seen.burn_in_days} after the purge")


def _left_after_a_quarter(seen: Evidence, change: Reals) -> Reals:
    return -change[:, seen.burn_in_days + QUARTER - WEEK]


def _purge_recovery(seen: Evidence) -> Measured:
    change, _, dip = _dip(seen)
    mean = change.mean(axis=0)[seen.burn_in_days :]
    back = np.flatnonzero(mean >= -0.2 * dip.mean())
    after = back[back > _lowest(mean[:QUARTER])]
    when = f"{after[0] // WEEK + 1} weeks" if after.size else "not within the run"
    return ratio_of(dip - _left_after_a_quarter(seen, change), dip, None, f"80 % back after {when}")


def _recovery_without_dealers(seen: Evidence) -> Measured:
    change, _, dip = _dip(seen)
    both = relative_to_baseline(seen, seen.followed("purge_and_arrests", "supply_account_days"))
    first = seen.burn_in_days
    mean = both.mean(axis=0)[first : first + QUARTER]
    low = _lowest(mean)
    half = np.flatnonzero(mean[low:] >= mean[low] / 2.0)
    when = f"half of it back after {(low + int(half[0])) // WEEK + 1} weeks" if half.size else "half of it not back in a quarter"
    alone = ratio_of(dip - _left_after_a_quarter(seen, change), dip).interval.value
    deepest = -both[:, first + low]
    detail = f"dip {deepest.mean():.0%}, {when}; after the purge alone {alone:.0%} is back in the thirteenth week"
    return ratio_of(deepest - _left_after_a_quarter(seen, both), deepest, None, detail)


def cuts(seen: Evidence) -> dict[str, Reals]:
    """Return what closing each source, and all, takes from effective supply, `(n,)` each."""
    supply = seen.mean("baseline", "supply_account_days")
    return {source: supply - seen.mean(f"without_{source}", "supply_account_days") for source in (*CLOSED, "all")}


def _one_against_all(seen: Evidence) -> Measured:
    cut = cuts(seen)
    largest = max(CLOSED, key=lambda source: float(cut[source].mean()))
    supply = seen.mean("baseline", "supply_account_days").mean()
    return ratio_of(cut[largest], cut["all"], None, ", ".join(f"{name} {one.mean() / supply:.1%}" for name, one in cut.items()))


def _more_than_the_sum(seen: Evidence) -> Measured:
    cut = cuts(seen)
    return ratio_of(cut["all"] - sum(cut[source] for source in CLOSED), cut["all"])


def _levels(what: str, values: list[Reals]) -> str:
    return f"{what}: {', '.join(f'{value.mean():.3g}' for value in values)}"


CRITERIA = (
    Criterion(
        "P1a", "Squeezed sign-up pushes dealers to renting; >10,000 appeals of owners in half a year", "[Seed2], [WXrent20], E1, E2",
        f"audit of sign-ups .3 to .9: rented share of supply rises at each of four steps, by at least {A_TENTH} in all",
        "relative change", NOTICEABLE, np.inf, _share_by_sign_up,
    ),
    Criterion(
        "P1b", "Rents advertised from 33 up to 180 yuan a day as the squeeze went on", "[WXrent20], [Xinhua20], B1",
        f"the same: commission at .9 at least {A_TENTH} higher", "relative change", NOTICEABLE, np.inf, _commission_by_sign_up,
    ),
    Criterion(
        "P1c", "Sign-up, assisted sign-up and unsealing were squeezed together; renting became the way out", "[Seed2], [WX20]",
        f"all three to .9: rented share of supply at least {A_TENTH} higher",
        "relative change", NOTICEABLE, np.inf, _share_in_squeeze,
    ),
    Criterion(
        "P1d", "The same, as to the rent", "[WXrent20], B1",
        f"all three to .9: commission at least {A_TENTH} higher", "relative change", NOTICEABLE, np.inf, _commission_in_squeeze,
    ),
    Criterion(
        "P2a", "Aged accounts cost 2.1 to 3.6 times what fresh ones do", "[AcctShop19], [JJCKB18], B4, B5",
        "worth of a dealt aged account (unsealed, bought) over a fresh one between 2 and 4", "ratio", 2.0, 4.0, _aged_over_fresh,
        note="The worth of each kind is a soft target of the calibration.", bound=EVIDENCE,
    ),
    Criterion(
        "P2b", "A verified name adds 15 % to an account of two years, up to 73 % to a new one", "[AcctShop19], B4",
        "worth with over without a verified name, accounts of two years and more: 1.15 to 1.73", "ratio", 1.15, 1.73, _name_premium,
        note="The premium is a parameter set from this source.", bound=EVIDENCE,
    ),
    Criterion(
        "P2c", "The premium of a verified name falls with age: +73 %, +34 %, +15 %", "[AcctShop19], B4",
        f"premium of new accounts at least {A_TENTH} of the price above that of old ones",
        "difference of ratios", NOTICEABLE, np.inf,
        _name_premium_falls,
        "Name and age multiply in the quality of an account. They would have to stand in for each other: both are signs of a real person.",
    ),
    Criterion(
        "P2d", "Accounts with a bank card or large transfers rent highest", "[Xinhua20], B3",
        f"worth of payment-enabled over other accounts at least {1 + NOTICEABLE:g}", "ratio", 1 + NOTICEABLE, np.inf, _payment_premium,
        "Payment matters to theft only. Abusers who move money would have to be a use of their own, that needs payment and pays for it.",
    ),
    Criterion(
        "P2e", "Price of real accounts rose with the crackdown", "[JJCKB18], [cnBeta19], [Jinshan], B5, B6",
        f"all three to .5, .7, .9: price of an account-day rises at each step, by at least {A_TENTH} in all", "relative change",
        NOTICEABLE, np.inf, _price_by_squeeze,
        "The price levels off once sign-up and unsealing yield next to nothing and dealers have gone over to renting. Enforcement would "
        "have to reach the last way out too, as it does in the world.",
    ),
    Criterion(
        "P2f", "Aged accounts 200 yuan in 2018, 400 from 2019", "[JJCKB18], [cnBeta19], B5, B6", "doubling of the price of like accounts",
        note="Single prices that reporters saw, of different kinds of accounts; the trend at equal quality is unknown.",
    ),
    Criterion(
        "P3a", "Price rises where input is scarce, little where dealers re-enter", "[COTSI25], [Dobkin09], [Décary17]",
        "supply squeeze to .9: log price rise falls from low to standing to high entry, and is at least a tenth smaller at high entry",
        "ratio high to low entry", -np.inf, 1 - NOTICEABLE, _pass_through,
        "A squeeze of sign-up and unsealing raises the cost of every account, and free entry passes a common cost on in full; entry "
        "absorbs blows to the number of dealers. Dealers who enter would have to bring sources of their own.",
    ),
    Criterion(
        "P3b", "After an operation against dealers prices did not rise: others came", "[Décary17], H3",
        "half of the dealers arrested at once: log price rise over 13 weeks falls with entry, at least a tenth smaller at high entry",
        "ratio high to low entry", -np.inf, 1 - NOTICEABLE, _price_after_arrests_by_entry,
        "Newcomers would have to come sooner than profits show: within days, with the stock and customers of those arrested.",
    ),
    Criterion(
        "P3c", "A free bypass of phone verification: price of accounts down 30 to 40 %", "[Thomas14], B14",
        f"numbers for .6 instead of 12 yuan: worth of a fresh account down by at least {A_TENTH}", "relative change",
        -np.inf, -NOTICEABLE, _price_with_bypass,
        "The price is that of an account-day, and all channels share it. Fresh accounts would need a price of their own, tied to their "
        "cost.",
    ),
    Criterion(
        "P4a", "Takedowns cut activity by 20 to 40 %, purges by up to 90 %", "[Collier19], [Vu25], [Thomas13], H1",
        "one purge at strength .8: largest dip of the 7-day mean of supply 20 to 90 %", "share", 0.2, 0.9, _purge_dip, bound=EVIDENCE,
    ),
    Criterion(
        "P4b", "Back within weeks, at most about 13", "[Collier19], [Vu25], H1",
        "at least 80 % of the dip regained in the thirteenth week", "share", 0.8, np.inf, _purge_recovery,
    ),
    Criterion(
        "P4c", "Longer where those behind it are removed too", "[Collier19], H1",
        "the same purge with 80 % of the dealers arrested: less than 80 % of the dip regained in the thirteenth week", "share",
        -np.inf, 0.8, _recovery_without_dealers,
        "Those who stay and newcomers fill the gap too fast: capacity, learning of the trade and customers' trust take no time to build.",
    ),
    Criterion(
        "P5a", "7 of 15 controls of an input worked, none where another source was at hand", "[McKetin11], [Dray08], H6",
        "closing sign-up, unsealing or owners alone cuts supply by at most half of what closing all three does", "ratio",
        -np.inf, 0.5, _one_against_all,
        "One source carries too much of supply, or the others expand too little when it closes.",
    ),
    Criterion(
        "P5b", "The same: substitutes decide", "[McKetin11], [Dray08], H6",
        f"all three together cut supply by more than the sum of each alone, by at least {A_TENTH} of the joint cut", "share",
        NOTICEABLE, np.inf, _more_than_the_sum,
        "Sources would have to replace each other more freely: a closed one is made good only in part even while the others are open.",
    ),
)  # fmt: skip
"""What P1 to P5 ask for, stated before the runs."""
