"""Cases 11 and 12: awareness, adverts, referral."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from known_rows import Row, binomial, exact, fits, holds, within
from known_worlds import (
    Settings,
    advert_survival_share,
    hold,
    law_logit,
    ledger,
    levers,
    mean_acceptance,
    merged,
    only,
    ran,
    segment_logits,
    started,
    steady,
    world,
)
from scipy.optimize import brentq

from sim.agents.enforcer import Session
from sim.luck import words
from sim.processes import sanctions, unsealing
from sim.processes.renting import refer, return_owners
from sim.processes.unsealing import SelfRequests
from sim.world.accounts import AUDITED, RENTED, STOLEN

USERS = 12_000_000


def case_11(seed: int = 1111) -> list[Row]:
    """A <- (A + (1-A) r) f, r = u .02 .4, f = 2^(-1/HL): A* = r f/(1 - f + r f), approach ((1-r) f)^t, half-life HL; informed x .21."""
    a = ledger().awareness
    fade = 0.5 ** (1 / a.half_life_days)

    def fixed(u: float) -> float:
        reach = u * a.reach_per_day * a.remember_share
        return reach * fade / (1 - fade + reach * fade)

    rows = []
    for u in (0.1, 0.8):
        share = ran(seed, users=50_000, days=20, levers={"awareness_campaign": u})["informed_share"]
        rows.append(exact(f"informed share at its fixed point, campaign {u}", fixed(u), float(share[-1]), 1e-12))
    days = int(a.half_life_days)
    campaign = {"awareness_campaign": {"strength": 1.0, "start_day": 5, "end_day": 45}}
    share = ran(seed, users=50_000, days=45 + days, policies=campaign)["informed_share"]
    keep = (1 - a.reach_per_day * a.remember_share) * fade
    rows.append(exact("informed share after 40 days of a campaign", fixed(1) + (fixed(0.1) - fixed(1)) * keep**40, float(share[44]), 1e-12))
    off = ran(seed, users=50_000, days=60 + days, levers={"awareness_campaign": 0.0}, policies=campaign)["informed_share"]
    rows.append(exact("share left a half-life later", 0.5, float(off[44 + days] / off[44]), 1e-9))
    parameters = merged(steady(400.0, 10.0), only(STOLEN))
    daily = ran(seed, users=USERS, days=4, parameters=parameters, levers={"awareness_campaign": 1.0}, adaptive=False, burn_in=0)
    tried = 400.0 * 120 * ledger().trading.thefts_per_effort * 4
    chance = 1 - fixed(1) * (1 - a.informed_factor)
    rows.append(binomial("thefts that succeed where A* know the message", float(daily["inflow_stolen"].sum()), tried, chance))
    made, _ = world(users=USERS)
    made.informed[:] = fixed(1)
    users = np.arange(0, USERS, 97)
    knows = made.population.quantile(users) < made.informed[made.population.segment(users)]
    rows.append(binomial("users who know", float(knows.sum()), users.size, fixed(1)))
    return rows


def _referring(logit: float) -> Settings:
    """Return parameters under which renting spreads by word of mouth, and by adverts that takedown stops but for one in a billion."""
    renting = {"acceptance_logit": logit, "commission_speed": 0.0, "community_weight": 0.0, "return_share": 0.0, "dealer_share": 0.0}
    renting |= {"exposures_per_effort": 30.0, "takedown_effect": 1.0 - 1e-9, "loan_share": 0.0, **dict.fromkeys(_SEGMENT_LOGITS, 0.0)}
    parameters = merged(steady(20.0, 25.0), only(RENTED), {"renting": renting, "population": {"community_size": 20_000.0}})
    return merged(parameters, {"detection": {"threshold": 1e3}, "start": {"hazard_rented": 0.07}})


_SEGMENT_LOGITS = ("student_logit", "stay_at_home_parent_logit", "freelancer_logit", "other_logit")


def reproduction(logit: float) -> float:
    """Return R0: asks a day x chance that a friend agrees x days on which a renter can ask, (1 - h)/h with h = quit + theft."""
    p = ledger(_referring(logit))
    usual = np.log(p.start.commission_yuan / p.population.reservation_median_yuan) * p.renting.commission_weight
    agrees = mean_acceptance(p, logit + p.renting.referral_logit + usual, [0.0], [1.0])
    ends = p.renting.quit_per_day + p.renting.theft_per_day
    return float(p.renting.referral_per_day * agrees * (1 - ends) / ends)


@lru_cache(maxsize=8)
def _logit_for(r0: float) -> float:
    return float(brentq(lambda logit: reproduction(logit) - r0, -20, 10))


def case_12(seed: int = 1212) -> list[Row]:
    """R0 = beta pi (1-h)/h: D direct recruits end as D/(1-R0) in all; a stock left to itself grows by 1 + h(R0-1) a day, tipping at 1."""
    quiet = {"cluster_sweep": 0.0, "awareness_campaign": 0.0, "ad_takedown": 0.0, "helper_sanctions": 0.0}
    rows = []
    for r0 in (0.4, 0.6):
        parameters, stopped = _referring(_logit_for(r0)), {"ad_takedown": {"strength": 1.0, "start_day": 4}}
        model = started(seed, users=USERS, days=150, parameters=parameters, levers=quiet, policies=stopped, adaptive=False, burn_in=0)
        dealers, accounts = model.world.dealers, model.world.accounts
        brought, direct = np.zeros(dealers.size), np.zeros(dealers.size)
        while model.running:
            renting = np.bincount(accounts.dealer[: accounts.size], minlength=dealers.size)
            model.step()
            brought += dealers.at_risk[: dealers.size, RENTED] - renting
            direct += dealers.wins[: dealers.size, RENTED]
        renting = np.bincount(accounts.dealer[: accounts.size], minlength=dealers.size)
        come = brought + renting * r0 / (1 - _ends(parameters)) / (1 - r0)  # those still renting will bring that many more
        error = float(np.sqrt(((come - direct / (1 - r0)) ** 2).sum()))
        what = f"all recruits for one by advert, R0 = {r0}"
        rows.append(within(what, 1 / (1 - r0), float(come.sum() / direct.sum()), error / float(direct.sum())))
        by_word = model.daily["rented_by_referral"].sum()
        rows.append(exact(f"recruits by word = all less direct, R0 = {r0}", float(brought.sum() - direct.sum()), float(by_word)))
    quiet["ad_takedown"] = 1.0
    for r0 in (0.8, 1.0, 1.2):
        parameters = merged(_referring(_logit_for(r0)), {"start": {"stock_rented_per_million": 250.0}})
        model = started(seed, users=USERS, days=41, parameters=parameters, levers=quiet, adaptive=False, burn_in=0)
        dealers, held = model.world.dealers, []
        while model.running:
            model.step()
            held.append(dealers.at_risk[: dealers.size, RENTED].copy())
        growth, begun = (1 + _ends(parameters) * (r0 - 1)) ** 40, float(held[0].sum())
        error = float(np.sqrt(((held[40] - growth * held[0]) ** 2).sum())) / begun
        rows.append(within(f"stock after 40 days over that of day 0, R0 = {r0}", growth, float(held[40].sum()) / begun, error))
    return rows


def _ends(parameters: Settings) -> float:
    """Return the daily hazard of a rental that nobody detects: the owner quits or the dealer empties the purse."""
    renting = ledger(parameters).renting
    return float(renting.quit_per_day + renting.theft_per_day)


def case_12_adverts(seed: int = 1222) -> list[Row]:
    """Direct recruits a day = exposures x adverts that survive x mean acceptance, by segment shown; each referral is credited."""
    strict = {"ad_takedown": 0.5, "legal_certainty": 0.6, "owner_amnesty": 0.5, "awareness_campaign": 0.0}
    fixed = {"renting": {"commission_speed": 0.0, "referral_per_day": 0.0, "return_share": 0.0}, "detection": {"threshold": 1e3}}
    still = {"detection": {"amnesty_rate": 0.0}}
    parameters = merged(steady(40.0, 5.0), only(RENTED), fixed, still)
    model = started(seed, users=100_000_000, days=6, parameters=parameters, levers=strict, adaptive=False, burn_in=0)
    p, weights = ledger(parameters), model.world.dealers.weights[0].tolist()
    model.run()
    logit = p.renting.acceptance_logit + law_logit(p, 0.6, 0.2) + p.renting.amnesty_hazard_logit * 0.5
    logit += p.renting.commission_weight * float(np.log(p.start.commission_yuan / p.population.reservation_median_yuan))
    agreed = mean_acceptance(p, logit, segment_logits(p), weights, p.renting.thinning_cap)
    shown = 500 * p.dealer.capacity_mean * p.renting.exposures_per_effort * 6
    mean = shown * advert_survival_share(p, 0.5, 0.3) * agreed
    recruits = float(model.daily["rented_by_advert"].sum())
    rows = [within("recruits by advert in six days", mean, recruits, float(np.sqrt(mean)))]
    noticed = shown * advert_survival_share(p, 0.5, 0.3) * p.renting.noticed_share
    rows.append(exact("users who notice an advert", noticed, float(model.daily["owners_approached"].sum()), 1e-6 * noticed))
    trade = {"dealer_after_referrals": 1.0, "dealer_share": 1.0, "home_approach_per_day": 0.0}
    parameters = merged(_referring(_logit_for(0.8)), {"start": {"stock_rented_per_million": 100.0}, "renting": trade})
    model = started(seed, users=USERS, days=10, parameters=parameters, levers={"ad_takedown": 1.0}, adaptive=False, burn_in=0)
    begun = model.world.dealers.rows().size
    model.run()
    touched = model.world.users.touched
    brought, credited = float(model.daily["rented_by_referral"].sum()), touched.referrals[: touched.size]
    rows.append(exact("referrals credited", brought, float(credited.sum())))
    rows.append(exact("renters who went into business", float((credited > 0).sum()), model.daily["dealers_active"][-1] - begun))
    return [*rows, holds("nobody referred", brought < 20)]


_WILLING = {"referral_per_day": 1.0, "home_approach_per_day": 0.0, "return_share": 1.0, "acceptance_logit": 1e6}
"""Every renter asks, every dealer asks again, and whoever is asked agrees."""


def case_12_asks(seed: int = 1232) -> list[Row]:
    """A renter who asks reaches one of the B - 1 others of the community, each as likely, never himself."""
    n, size = 4000, 5
    made, luck = world(seed=seed, parameters={"renting": _WILLING, "population": {"community_size": float(size)}})
    hold(made, luck, RENTED, n)
    claims, asked, _ = refer(made, levers(), luck, 1)
    ahead = (claims.owner - claims.referrer) % size
    rows = [exact("asks", n, float(asked)), exact("asked who are free to agree", n, float(claims.owner.size))]
    rows.append(holds("asked in other communities", claims.owner // size != claims.referrer // size))
    return [
        *rows,
        fits("asked, by their place after the asker's", np.bincount(ahead, minlength=size)[1:], np.full(size - 1, n / (size - 1))),
    ]


def case_12_returns(seed: int = 1242) -> list[Row]:
    """An owner is asked again once, on the day the sanction ends: in time, on the day of own unsealing, or the day after the appeal."""
    n, day = 3000, 10
    for_all = {"appeal_owner": 1.0, "upheld_owner": 0.4, "permanent_base": 0.0, "permanent_span": 0.0}
    made, luck = world(seed=seed, parameters={"renting": _WILLING, "sanction": for_all})
    at = hold(made, luck, RENTED, n)
    owner, touched = made.accounts.owner[at], made.users.touched
    made.accounts.fate[at] = AUDITED
    sanctions.sanction(made, levers(), luck, day)
    people = made.users.rows(owner)
    ends, unsealed = touched.until[people].astype(np.int64), np.arange(n) % 3 == 0
    rows = [holds("bans that end within two days", ends <= day + 2)]
    nobody = np.zeros(0, dtype=np.int64)
    own = SelfRequests(owner[unsealed], words(owner[unsealed]), np.zeros(int(unsealed.sum()), dtype=np.bool_))
    unsealing.complete_own(made, levers(unsealing_strictness=0.0), luck, day + 1, own, nobody)
    when = {int(user): day + 1 for user in owner[unsealed]}
    seen = {day + 1: return_owners(made, levers(), luck, day + 1).owner}
    made.docket.owners[day] = np.sort(owner)  # those who are free already appeal too, and nothing more comes of it
    filed = np.eye(day + 1, dtype=np.int64)[day] * n
    upheld = sanctions.decide_cases(made, luck, day + 1, Session(nobody, 0, 0 * filed, 0 * filed, filed, int(filed.sum()), 0.0)).upheld
    rows.append(binomial("appeals upheld", upheld, float(filed.sum()), made.parameters.sanction.upheld_owner))
    freed = (touched.until[people] == day + 2) & ~unsealed
    when |= {int(user): day + 2 for user in owner[freed]}
    when |= {int(user): int(end) for user, end in zip(owner, ends, strict=True) if int(user) not in when}
    for later in range(day + 2, int(ends.max()) + 2):
        seen[later] = return_owners(made, levers(), luck, later).owner
    asked = [(int(user), on) for on, users in seen.items() for user in users]
    for what, group in (("own unsealing", unsealed), ("an upheld appeal", freed), ("the end of the ban", ~unsealed & ~freed)):
        theirs = set(owner[group].tolist())
        days = [on - when[user] for user, on in asked if user in theirs]
        rows.append(exact(f"asked again after {what}", float(len(theirs)), float(len(days))))
        rows.append(holds(f"asked on another day after {what}", np.array(days) != 0))
    return rows
