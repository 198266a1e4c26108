"""Cases 13 to 16: detector, sweep, one assist ever, the ladder."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
from cases_stocks import spread_evenly
from known_rows import Row, binomial, exact, fits, holds, of_square, within
from known_worlds import audit_hazard, hold, ledger, levers, merged, only, ran, steady, world
from scipy import stats

from sim.agents.enforcer import Session, take_up
from sim.levers import CHANNELS
from sim.luck import Luck
from sim.processes import detection, sanctions
from sim.processes.sanctions import PERMANENT, ladder
from sim.world.accounts import AUDITED, CHALLENGED, FRAUD, LIVE, NAMED, REGISTERED, RENTED, REVIEWED, STOLEN, SWEPT, VICE
from sim.world.users import BANNED, LOST

USERS = 12_000_000


def case_13(seed: int = 1313) -> list[Row]:
    """Caught a day: binomial(stock, rate Phi(d' - .6e - c)); hits and false alarms rise with u, c = c0 - u; reports likewise."""
    run = spread_evenly(seed)
    p, rows = ledger(run["settings"]["parameters"]), []
    for name in CHANNELS:
        chance = audit_hazard(p, name, run["evasion"], 0.2)
        hits, stock = run["daily"][f"detected_{name}"], run["daily"][f"stock_{name}"]
        rows.append(binomial(f"caught, {name}", hits.sum(), stock.sum(), chance))
        some = stock > 5
        square = ((hits - stock * chance)[some] ** 2 / (stock * chance * (1 - chance))[some]).sum()
        rows.append(of_square(f"caught by day, {name}", float(square), int(some.sum())))
    for name, lever, use in (("registered", 0.5, 1.0), ("rented", 0.0, 0.7)):
        made, luck = world(evasion=0.3, seed=seed, parameters={"unsealing": {"watch_sensitivity": 0.0}})
        at = hold(made, luck, CHANNELS.index(name), 6000)
        d = made.parameters.detection
        signal = getattr(d, f"cover_{name}") + np.array([d.use_fraud, d.use_vice, d.use_spam, d.use_false_ads])[made.accounts.use[at]]
        chance = d.audit_rate * stats.norm.cdf(signal - d.evasion_effect * 0.3 - d.threshold + lever)
        check = d.login_rate * use * (1 - made.parameters.dealer.evasion_shield * 0.3) if name == "rented" else 0.0
        flows = detection.examine(made, levers(account_audit=lever, login_check=use), luck, 4)
        expected, spread = (chance * (1 - check)).sum(), np.sqrt((chance * (1 - check) * (1 - chance * (1 - check))).sum())
        rows.append(
            within(f"caught by use and evasion, {name}", float(expected), float((made.accounts.fate[at] == AUDITED).sum()), float(spread))
        )
        rows.append(
            within(f"challenged at login, {name}", 6000 * check, flows.challenged, float(np.sqrt(6000 * check * (1 - check)) or 1e-9))
        )
        rows.append(exact(f"challenged is marked so, {name}", flows.challenged, float((made.accounts.fate[at] == CHALLENGED).sum())))
    first = [ran(seed, days=3, levers={"account_audit": u}) for u in (0.0, 0.25, 0.5, 0.75, 1.0)]
    for what, counts in (
        ("hits", [sum(daily[f"detected_{name}"][0] for name in CHANNELS) for daily in first]),
        ("false alarms", [daily["innocents_sanctioned"][0] for daily in first]),
    ):
        rows.append(
            holds(f"{what} of day 0 that do not rise with the lever", any(a > b for a, b in pairwise(counts)), counts[0] >= counts[-1])
        )
    return rows + _reviewed(seed)


def _reviewed(seed: int) -> list[Row]:
    """Count reports and what reviewers make of them where nothing else detects and nobody has to wait."""
    always = {"threshold": 1e3, "cases_per_million_day": 1e5}
    detect = {"report_base": 0.1, "report_span": 0.4, "nuisance_base": 0.002, "nuisance_span": 0.02, **always}
    parameters = merged(steady(40.0, 8.0), only(REGISTERED), {"detection": detect, "start": {"stock_registered_per_million": 100.0}})
    settings = {"levers": {"cluster_sweep": 0.0, "user_reporting": 0.6}, "adaptive": False, "burn_in": 0}
    daily = ran(seed, users=USERS, days=40, parameters=parameters, **settings)
    p = ledger(parameters)
    util, fraud = daily["utilisation_share"], daily["supply_fraud"]
    told = 1 - np.exp(-(p.detection.report_base + p.detection.report_span * 0.6) * p.harm.stranger_approaches * util)
    bothered = (p.detection.nuisance_base + p.detection.nuisance_span * 0.6) * util
    others = daily["stock_registered"] - fraud
    mean = (fraud * told + others * bothered).sum()
    spread = np.sqrt((fraud * told * (1 - told) + others * bothered * (1 - bothered)).sum())
    rows = [within("reports of accounts in fraud and other uses", float(mean), float(daily["reports"].sum()), float(spread))]
    rows.append(binomial("reports confirmed", daily["detected_registered"].sum(), daily["reports"].sum(), p.detection.confirm_share))
    exits = daily["exits_registered"].sum() - daily["detected_registered"].sum()
    return [*rows, exact("accounts that left undetected", 0.0, float(exits))]


def case_13_unsealing(seed: int = 1323) -> list[Row]:
    """An attempt succeeds with .75 unless its abuse is caught (prevalence x catch rate x u), sealed or refused; some are caught late."""
    strict, days = 0.6, 50
    quiet = {"detection": {"threshold": 1e3, "report_base": 0.0, "report_span": 0.0, "nuisance_base": 0.0, "nuisance_span": 0.0}}
    stay = {"start": {"case_share": 0.0}, "dealer": {"exit_per_day": 0.0, "retire_per_day": 0.0, "bankrupt_yuan": 1e15}}
    parameters = merged(quiet, stay, {"sanction": {"legal_dealer": 0.0}})
    daily = ran(seed, users=6_000_000, days=days, levers={"cluster_sweep": 0.0, "unsealing_strictness": strict}, parameters=parameters)
    p = ledger(parameters).unsealing
    stopped = sum(getattr(p, f"prevalence_{a}") * getattr(p, f"catch_{a}") for a in ("batch", "scripted", "false_data", "fake_friend"))
    third = 1 - sum(getattr(p, f"prevalence_{a}") for a in ("batch", "scripted", "false_data", "fake_friend"))
    tried, won = daily["unseal_attempts"], daily["inflow_unsealed"]
    rows = [binomial("attempts that succeed", won.sum(), tried.sum(), (1 - stopped * strict) * p.success_share)]
    late = third * p.catch_third_party * strict * p.success_share
    lag = int(p.reseal_days)
    rows.append(binomial("attempts caught late", daily["detected_unsealed"].sum(), tried[: days - lag].sum(), late))
    return [*rows, exact("caught before the days are over", 0.0, float(daily["detected_unsealed"][:lag].sum()))]


def case_13_purge(seed: int = 1333) -> list[Row]:
    """A purge takes u(1 - e) of every channel; renting owners report themselves with .05u(A + .2), accounts of those named fall at .3."""
    rows, n = [], 3000
    made, luck = world(dealers=2, evasion=0.4, seed=seed, parameters={"detection": {"threshold": 1e3}})
    at = [hold(made, luck, number, n) for number in range(5)]
    purged = detection.examine(made, levers(purge=0.6), luck, 4).purged
    rows.append(binomial("purged", float(purged), 5 * n, 0.6 * (1 - 0.4)))
    made.accounts.fate[: made.accounts.size] = LIVE
    other = hold(made, luck, REGISTERED, n, dealer=1)
    made.informed[:] = 0.3
    flows, p = detection.examine(made, levers(owner_amnesty=0.9), luck, 5), made.parameters.detection
    rows.append(binomial("owners who report themselves", flows.self_reports, n, p.amnesty_rate * 0.9 * (0.3 + p.amnesty_base)))
    named = float((made.accounts.fate[at[REGISTERED]] == NAMED).sum())
    rows.append(binomial("accounts of the dealer named", named, n, p.amnesty_examined))
    return [*rows, holds("accounts of others that fell", made.accounts.fate[other] != LIVE)]


def case_13_queue(seed: int = 1343) -> list[Row]:
    """On the day whose cases do not all fit, each of n waiting is reviewed with room/n, of whatever kind it is."""
    days, reported, room = 3000, 3, 4
    made, luck = world(seed=seed)
    rows = hold(made, luck, REGISTERED, reported)
    made.accounts.case_day[rows] = 7
    made.docket.mistaken[7], made.docket.innocents[7], made.docket.owners[7] = 5, 2, np.arange(1)
    waiting = {"reports of accounts": reported, "mistaken reports": 5, "appeals of innocents": 2, "appeals of owners": 1}
    taken = np.zeros((days, len(waiting)))
    for day in range(days):
        session = take_up(made, Luck(seed + day), room, 7)
        taken[day] = session.accounts.size, session.mistaken.sum(), session.innocents.sum(), session.owners.sum()
    rows_of = []
    for (kind, n), seen in zip(waiting.items(), taken.T, strict=True):
        mean = n * room / sum(waiting.values())
        up = mean % 1.0
        error = float(np.sqrt(up * (1.0 - up) / days))
        rows_of.append(within(f"{kind} reviewed a day, {n} of 11 waiting, {room} places", mean, float(seen.mean()), error))
    return [*rows_of, holds("days with a place left over", taken.sum(axis=1) != room), _heard(seed)]


def _heard(seed: int) -> Row:
    """Compare the mean rank, by id, of the owners who are heard first with that of all who appeal on a day."""
    made, luck = world(seed=seed, parameters={"sanction": {"appeal_owner": 0.5}})
    rows = hold(made, luck, RENTED, 2000)
    made.accounts.fate[rows] = AUDITED
    sanctions.sanction(made, levers(), luck, 7)
    ranks = np.argsort(np.argsort(made.docket.owners[7]))
    n, first = ranks.size, ranks[: ranks.size // 2]
    error = float(np.sqrt((n + 1) * (n - first.size) / (12 * first.size)))
    return within("mean rank by id of the owners heard first", (n - 1) / 2, float(first.mean()), error)


def case_14(seed: int = 1414) -> list[Row]:
    """Sweep off: none. On: each live mate of a caught account falls with .5u(1 - e/2), once, and no others; B - 1 mates on average."""
    rows = [exact("accounts swept in 40 days, lever off", 0.0, float(ran(seed, days=40, levers={"cluster_sweep": 0.0})["swept"].sum()))]
    for turn, (strength, evasion) in enumerate(((1.0, 0.0), (0.6, 0.5))):
        made, luck = world(evasion=evasion, seed=seed + turn)
        batch = made.parameters.account.batch_registered
        at = hold(made, luck, REGISTERED, 2000 * int(batch))
        _, number, sizes = np.unique(made.accounts.cluster[at], return_inverse=True, return_counts=True)
        rows += _batches(batch, number, sizes)
        fallen = np.arange(0, at.size // 2, 200)
        made.accounts.fate[at[fallen]] = AUDITED
        made.accounts.fate[at[fallen[::2]]] = REVIEWED
        swept, _ = detection.sweep(made, levers(cluster_sweep=strength), luck, 4)
        fate = made.accounts.fate[at]
        chance = made.parameters.detection.sweep_rate * strength * (1 - made.parameters.dealer.evasion_shield * evasion)
        mates = np.isin(number, number[fallen]).sum() - fallen.size
        rows.append(binomial(f"live mates swept, u {strength}, e {evasion}", float(swept), mates, chance))
        others = ~np.isin(number, number[fallen])
        rows.append(holds(f"swept in other batches, u {strength}", fate[others] == SWEPT, swept != (fate == SWEPT).sum()))
        again, _ = detection.sweep(made, levers(cluster_sweep=strength), luck, 5)
        rows.append(binomial(f"of those spared, swept the second time, u {strength}", float(again), mates - swept, chance))
    made.accounts.fate[at] = LIVE
    made.accounts.fate[at[::20]] = SWEPT
    rows.append(exact("swept by swept accounts", 0.0, float(detection.sweep(made, levers(cluster_sweep=1.0), luck, 5)[0])))
    swept = ran(seed, users=6_000_000, days=40, levers={"cluster_sweep": 1.0}, parameters={"detection": {"innocents_per_swept": 2.0}})
    quiet = swept["innocents_sanctioned"].sum() - 2.0 * swept["swept"].sum()
    others = _wrongly(6_000_000) * 40
    error = float(np.sqrt(2.0 * swept["swept"].sum() + others))
    return [*rows, within("innocents hit beside two for each account swept", others, float(quiet), error)]


def _wrongly(users: int) -> float:
    """Return innocents flagged by the standing audit a day, and those confirmed among mistaken reports if all are reviewed."""
    p = ledger().detection
    rate = users / 1e6 * p.mistaken_per_million_day * (p.report_base + 0.3 * p.report_span)
    return float(users * p.audit_rate * stats.norm.sf(p.threshold) + rate * p.confirm_innocent_share)


def _batches(batch: float, number: np.ndarray, sizes: np.ndarray) -> list[Row]:
    """Compare sizes of batches, which are geometric with mean (B + 1)/2, and mates of accounts far apart, with their laws."""
    begins = 2.0 / (batch + 1.0)
    edges = np.array([0, 2, 4, 6, 9, 13, 18, 25, 40])
    share = -np.diff(np.append((1.0 - begins) ** edges, 0.0))
    seen = np.bincount(np.searchsorted(edges, sizes[1:-1] - 1, side="right") - 1, minlength=share.size)
    mates = sizes[number[100::200]] - 1
    error = float(np.sqrt(2.0 * (1.0 - begins) / begins**2 / mates.size))
    return [fits("sizes of batches", seen, share * seen.sum()), within("mates of an account", batch - 1.0, float(mates.mean()), error)]


def case_15(seed: int = 1515) -> list[Row]:
    """Whoever can help once only is no repeat helper: no helper sanction and no case; without the cap there are many."""
    strict = {"helper_sanctions": 1.0, "legal_certainty": 1.0}
    once_ever = {"cap_window_days": 300.0, "cap_age_days": 0.0, "honest_link_share": 0.0}
    parameters = {"helping": once_ever, "sanction": {"legal_helper": 1.0, "case_days_low": 1.0, "case_days_high": 2.0}}
    rows = []
    for cap in (1.0, 0.0):
        daily = ran(seed, users=4_000_000, days=50, levers={**strict, "helper_cap": cap}, parameters=parameters)
        hit = [float(daily[name].sum()) for name in ("helpers_sanctioned", "sanctions_legal_helper")]
        helped = float((daily["helpers_by_stall"] + daily["helpers_by_task_platform"]).sum())
        if cap:
            rows += [exact("helpers sanctioned", 0.0, hit[0]), exact("helpers' cases", 0.0, hit[1]), holds("nobody helped", helped == 0)]
        else:
            rows.append(holds("without the cap nobody was hit", *(count <= 10 for count in hit)))
    return rows


def case_16(seed: int = 1616) -> list[Row]:
    """Step = min(3, gravity + heavier + strikes), for all inputs; each sanction adds a strike; permanent by its share; appeals."""
    inputs = list(product((False, True), (False, True), range(301)))
    grave, heavier, strikes = (np.array(column) for column in zip(*inputs, strict=True))
    steps = ladder(grave, heavier, strikes)
    rows = [exact("steps of the ladder that are wrong", 0.0, float((steps != [min(3, g + h + s) for g, h, s in inputs]).sum()))]
    n = 4000
    never = {"sanction": {"permanent_base": 0.0, "permanent_span": 0.0}}
    made, luck = world(seed=seed, parameters=never)
    at = hold(made, luck, RENTED, n)
    robbed = hold(made, luck, STOLEN, 200)
    s = made.parameters.sanction
    days = np.array([s.restriction_days, s.short_ban_days, s.long_ban_days, 0.0])
    grave, people = np.isin(made.accounts.use[at], (FRAUD, VICE)), made.users.rows(made.accounts.owner[at])
    touched = made.users.touched
    for strike, severity in enumerate((0.0, 1.0, 0.0, 1.0)):
        made.accounts.fate[at] = AUDITED
        made.accounts.fate[robbed] = AUDITED if strike == 0 else LIVE
        flows = sanctions.sanction(made, levers(sanction_severity=severity), luck, 10 + strike)
        step = np.minimum(grave + int(severity) + strike, PERMANENT)
        wrong = (touched.until[people] != 10 + strike + days[step], touched.strikes[people] != strike + 1)
        lost = touched.status[people] != np.where(step == PERMANENT, LOST, BANNED)
        rows.append(holds(f"owners on another step at sanction {strike + 1}", *wrong, lost, flows.owners_repeat != (n if strike else 0)))
        if strike == 0:
            victims = made.users.rows(made.accounts.owner[robbed])
            wrong = touched.strikes[victims] != 0, touched.until[victims] != 10 + s.restriction_days
            rows.append(holds("robbed owners punished beyond a restriction", *wrong, flows.robbed != 200))
    rows += _lost_for_good(seed, n) + _appeals(seed, n)
    return rows


def _lost_for_good(seed: int, n: int) -> list[Row]:
    """Compare permanent sanctions with .2 + .6u for dealer-made accounts, a quarter of it for owners, by the draws of one day."""
    made, luck = world(seed=seed, parameters={"unsealing": {"pool_cap": 1e6}})
    at = np.concatenate([hold(made, luck, REGISTERED, n), hold(made, luck, RENTED, n)])
    made.accounts.fate[at] = AUDITED
    flows = sanctions.sanction(made, levers(sanction_severity=0.5), luck, 10)
    s = made.parameters.sanction
    chance = s.permanent_base + s.permanent_span * 0.5
    rows = [binomial("dealer-made accounts sealed for good", n - float(made.dealers.pool[0]), n, chance)]
    rows.append(binomial("owners who lose the account at the first sanction", flows.owners_lost, n, chance * s.owner_permanent_ratio))
    return [*rows, binomial("lured owners who appeal", flows.owner_appeals, n, s.appeal_owner)]


def _appeals(seed: int, n: int) -> list[Row]:
    """Decide appeals of lured owners and of innocents: the stated shares are upheld, and an owner upheld is free."""
    made, luck = world(seed=seed, parameters={"sanction": {"appeal_owner": 1.0, "upheld_owner": 0.3}})
    at = hold(made, luck, RENTED, n)
    made.accounts.fate[at] = AUDITED
    filed = sanctions.sanction(made, levers(), luck, 10).owner_appeals
    made.docket.innocents[10] = 1000
    today = np.eye(11, dtype=np.int64)[10]
    session = Session(np.zeros(0, dtype=np.int64), 0, 0 * today, 1000 * today, filed * today, filed + 1000, 0.0)
    flows = sanctions.decide_cases(made, luck, 11, session)
    free = int(made.users.free(made.accounts.owner[at], 12).sum())  # the day after; no ban of day 10 is over by then
    s = made.parameters.sanction
    return [
        binomial("owners' appeals upheld", free, n, s.upheld_owner),
        exact("appeals of innocents upheld", 1000 * s.upheld_innocent, float(flows.upheld - free), 1.0),
    ]
