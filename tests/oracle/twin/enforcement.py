"""Examinations, review, sweep, sanctions, appeals and law."""

from __future__ import annotations

from typing import Any

from scipy.special import ndtr

from sim.levers import CHANNELS, SEGMENTS
from twin.users import BANNED, LOST

DEALER_MADE = ("registered", "unsealed", "bought")


def examine(model: Any) -> None:
    """Late catches, purge, amnesty, login check, audit, in this order."""
    rules, levers, book, draw = model.rules.detection, model.levers, model.book, model.random.random
    users = len(model.users)
    for account in model.accounts:
        if account.late_catch == model.day:
            account.falls("late")
    threshold = rules.threshold - levers["account_audit"]
    if levers["purge"] > 0:
        for account in model.accounts:
            if account.live and draw() < levers["purge"] * (1 - account.dealer.evasion):
                account.falls("purge")
                book.count["purged"] += 1
        flagged = rules.purge_innocents * levers["purge"] * users * rules.audit_rate * float(ndtr(-threshold))
        book.flagged_by_purge = model.poisson(flagged)
        model.sanction_innocents(book.flagged_by_purge)
    _amnesty(model)
    for account in model.accounts:
        if account.live and account.channel in ("rented", "stolen"):
            shield = 1 - model.rules.dealer.evasion_shield * account.dealer.evasion
            if draw() < rules.login_rate * levers["login_check"] * shield:
                account.falls("login")
                book.count["challenged"] += 1
    travellers = model.rules.population.logins_new_device_per_user_day * users * rules.traveller_share * levers["login_check"]
    book.count["travellers_challenged"] += model.poisson(travellers)
    cover = {c: getattr(rules, f"cover_{c}") for c in CHANNELS}
    for account in model.accounts:
        if not account.live:
            continue
        signal = cover[account.channel] + getattr(rules, f"use_{account.use}") - rules.evasion_effect * account.dealer.evasion
        if account.channel == "unsealed" and model.day - account.acquired < model.rules.unsealing.watch_days:
            signal += model.rules.unsealing.watch_sensitivity
        if draw() < rules.audit_rate * float(ndtr(signal - threshold)):
            account.falls("audit")
    flagged = model.poisson(users * rules.audit_rate * float(ndtr(-threshold)))
    book.flagged_by_audit = flagged
    model.sanction_innocents(flagged)


def _amnesty(model: Any) -> None:
    """Renting owners report themselves; the accounts of the dealers named are examined."""
    rules, levers, draw = model.rules.detection, model.levers["owner_amnesty"], model.random.random
    named = []
    for account in model.accounts:
        if account.live and account.channel == "rented":
            g = account.owner.segment
            if draw() < rules.amnesty_rate * levers[g] * (model.awareness[g] + rules.amnesty_base):
                account.fate = "reported by its owner"
                model.book.count["self_reports"] += 1
                if account.dealer not in named:
                    named.append(account.dealer)
    for account in model.accounts:
        if account.live and account.dealer in named and draw() < rules.amnesty_examined:
            account.falls("amnesty")


def review(model: Any) -> list[list[Any]]:
    """Take up cases within capacity, oldest day first; returns those that are not about live accounts."""
    rules, book = model.rules.detection, model.book
    capacity = model.whole(rules.cases_per_million_day * model.levers["review_capacity"] * model.millions)
    cases: list[list[Any]] = [["report", a.report_day, a, 1] for a in model.accounts if a.report_day is not None]
    for kind, day, person, number in model.docket:
        cases.extend([[kind, day, person, 1] for _ in range(number)])
    cases = [case for case in cases if model.day - case[1] < rules.case_life_days]
    model.random.shuffle(cases)
    cases.sort(key=lambda case: case[1])
    taken, left = cases[:capacity], cases[capacity:]
    book.reviewed = len(taken)
    if taken:
        book.count["review_days"] = sum(model.day - case[1] for case in taken) / len(taken)
    elif left:
        book.count["review_days"] = sum(model.day - case[1] for case in left) / len(left)
    waiting = {id(case[2]) for case in left if case[0] == "report"}
    for account in model.accounts:
        if account.report_day is not None and id(account) not in waiting:
            account.report_day = None
    model.docket = [case for case in left if case[0] != "report"]
    others = []
    for case in taken:
        if case[0] == "report":
            account = case[2]
            if account.live and model.random.random() < rules.confirm_share:
                account.falls("review")
        else:
            others.append(case)
    return others


def sweep(model: Any) -> None:
    """Batch-mates of accounts that audit or review caught today fall, one generation."""
    rules, draw = model.rules.detection, model.random.random
    hit = {(id(a.dealer), a.channel, a.batch) for a in model.accounts if a.caught_by in ("audit", "review")}
    swept = 0
    for account in model.accounts:
        if account.live and (id(account.dealer), account.channel, account.batch) in hit:
            shield = 1 - model.rules.dealer.evasion_shield * account.dealer.evasion
            if draw() < rules.sweep_rate * model.levers["cluster_sweep"] * shield:
                account.falls("sweep")
                swept += 1
    model.book.count["swept"] += swept
    model.sanction_innocents(model.poisson(rules.innocents_per_swept * swept))


def sanction(model: Any, others: list[list[Any]]) -> None:
    """Seal accounts, sanction owners and helpers, decide appeals, and pass verdicts."""
    rules, levers, book, draw = model.rules.sanction, model.levers, model.book, model.random.random
    permanent = rules.permanent_base + rules.permanent_span * levers["sanction_severity"]
    helpers = []
    for account in model.accounts:
        if account.fate != "detected":
            continue
        book.count[f"detected_{account.channel}"] += 1
        if account.helper is not None and account.helper not in helpers:
            helpers.append(account.helper)
        if account.channel in DEALER_MADE:
            dealer = account.dealer
            if draw() >= permanent and dealer.pool < model.rules.unsealing.pool_cap:
                dealer.pool += 1
        else:
            _sanction_owner(model, account, permanent)
    for helper in helpers:
        _trace(model, helper)
    rate = model.rules.helping.honest_link_share * model.rules.helping.sanction_rate * levers["helper_sanctions"]
    book.count["helpers_sanctioned_honest"] += model.poisson(book.honest_assists * rate)
    _decide_others(model, others)
    _appeals_of_innocents(model)
    _verdicts(model)


def _sanction_owner(model: Any, account: Any, permanent: float) -> None:
    """Sanction a lured or robbed owner."""
    rules, owner, book, draw = model.rules.sanction, account.owner, model.book, model.random.random
    segment = SEGMENTS[owner.segment]
    book.count["owners_banned"] += 1
    book.count[f"owners_banned_{segment}"] += 1
    lured = account.channel == "rented"
    step = 0
    owner.rented_to = account.dealer if lured else None
    if lured:
        book.count["owners_repeat"] += owner.strikes > 0
        step = int(account.use in ("fraud", "vice")) + int(draw() < model.levers["sanction_severity"]) + owner.strikes
        owner.strikes += 1
        if draw() < rules.owner_permanent_ratio * permanent:
            step = 3
        if draw() < rules.legal_owner * model.levers["legal_certainty"][owner.segment]:
            model.open_case("owner", owner)
    if step >= 3:
        owner.status = LOST
        book.count["owners_lost"] += 1
        book.as_happened += model.rules.harm.account_loss_yuan
    else:
        days = int((rules.restriction_days, rules.short_ban_days, rules.long_ban_days)[step])
        owner.status, owner.until = BANNED, model.day + days
        book.as_happened += model.rules.harm.ban_day_yuan * days
        if step > 0:
            model.banned_today.append(owner)
    if lured:
        owner.remember(model.rules.awareness.own_ban_risk)
        owner.community_remembers(model.rules.awareness.community_ban_risk)
    if lured and draw() < rules.appeal_owner:
        book.count["appeals_owner"] += 1
        model.docket.append(["lured", model.day, owner, 1])
    elif not lured and draw() < rules.appeal_innocent:
        book.count["appeals_innocent"] += 1
        model.docket.append(["innocent", model.day, None, 1])


def _trace(model: Any, helper: Any) -> None:
    """Sanction a repeat helper of a malicious account."""
    helping, rules, draw = model.rules.helping, model.rules.sanction, model.random.random
    if model.day - helper.previous_assist > helping.repeat_window_days:
        return
    if draw() < rules.legal_helper * model.levers["legal_certainty"][helper.segment]:
        model.open_case("helper", helper)
    if draw() < helping.sanction_rate * model.levers["helper_sanctions"]:
        steps = (rules.restriction_days, rules.short_ban_days, rules.long_ban_days)
        helper.helper_until = model.day + int(steps[min(helper.helper_strikes, 2)])
        helper.helper_strikes += 1
        helper.remember(model.rules.awareness.own_ban_risk)
        model.book.count["helpers_sanctioned"] += 1


def _decide_others(model: Any, others: list[list[Any]]) -> None:
    """Decide the mistaken reports and the appeals taken up."""
    rules, book, draw = model.rules.sanction, model.book, model.random.random
    for kind, _, person, _ in others:
        if kind == "mistaken":
            if draw() < model.rules.detection.confirm_innocent_share:
                model.sanction_innocents(1)
        elif draw() < (rules.upheld_owner if kind == "lured" else rules.upheld_innocent):
            book.count["appeals_upheld"] += 1
            if person is not None and person.status in (BANNED, LOST):
                person.status, person.until = BANNED, model.day + 1


def _appeals_of_innocents(model: Any) -> None:
    """Innocents sanctioned today appeal."""
    appeals = sum(model.random.random() < model.rules.sanction.appeal_innocent for _ in range(model.book.count["innocents_sanctioned"]))
    model.book.count["appeals_innocent"] += appeals
    if appeals:
        model.docket.append(["innocent", model.day, None, appeals])


def _verdicts(model: Any) -> None:
    """Cases against owners and helpers that fall due end in a sanction."""
    rules, book = model.rules.sanction, model.book
    for kind, person in model.cases.pop(model.day, []):
        book.count[f"sanctions_legal_{kind}"] += 1
        person.remember(model.rules.awareness.own_ban_risk)
        if kind == "owner":
            severity = model.levers["legal_severity"][person.segment]
            book.as_happened += rules.legal_cost_yuan * (0.2 + 0.8 * severity)
