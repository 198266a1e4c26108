"""Sign-ups and unsealings with the helpers found, and the taking over of accounts."""

from __future__ import annotations

import math
from typing import Any

from sim.levers import SEGMENTS
from twin.accounts import Account, Claim
from twin.users import BANNED, FREE, RENTING, ROBBED, SOLD

ABUSES = ("batch", "scripted", "false_data", "fake_friend", "third_party")


def own_requests(model: Any) -> list[Any]:
    """Banned owners try on the next day to get their account back; returns those who ask a friend."""
    rules, with_friend = model.rules.unsealing, []
    for user in model.banned_yesterday:
        if user.status == BANNED and user.until > model.day and model.random.random() < rules.self_attempt_share:
            model.book.own_requests += 1
            if model.random.random() < rules.self_bought_share:
                model.requests.append(("own", user))
            else:
                with_friend.append(user)
    model.banned_yesterday = []
    return with_friend


def decide(model: Any, answers: list[tuple[str, Any, Any]], with_friend: list[Any]) -> None:
    """Decide sign-ups and unsealings for which a helper was sought."""
    for kind, who, helper in answers:
        if kind in ("registered", "unsealed") and helper is not None:
            who.today.assists[kind] += 1
        if helper is None:
            continue
        if kind == "registered":
            model.claims.append(Claim("registered", who, helper=helper))
        elif kind == "unsealed":
            _decide_unsealing(model, who, helper)
        else:
            _decide_own(model, who)
    for user in with_friend:
        _decide_own(model, user)


def _decide_unsealing(model: Any, dealer: Any, helper: Any) -> None:
    rules, strictness = model.rules.unsealing, model.levers["unsealing_strictness"]
    dealer.pays(rules.attempt_cost_yuan)
    model.book.count["unseal_attempts"] += 1
    shares = [rules.prevalence_batch, rules.prevalence_scripted, rules.prevalence_false_data, rules.prevalence_fake_friend]
    abuse = model.random.choices(ABUSES, [*shares, 1 - sum(shares)])[0]
    caught = model.random.random() < getattr(rules, f"catch_{abuse}") * strictness
    if caught and abuse in ("batch", "scripted"):
        dealer.pool -= 1
        return
    if caught and abuse in ("false_data", "fake_friend"):
        return
    if model.random.random() < rules.success_share:
        dealer.pool -= 1
        late = model.day + int(rules.reseal_days) if caught else None
        model.claims.append(Claim("unsealed", dealer, helper=helper, late_catch=late))


def _decide_own(model: Any, user: Any) -> None:
    """End an owner's ban unless the request is refused."""
    refused = model.rules.unsealing.legitimate_refused_share * model.levers["unsealing_strictness"]
    if model.random.random() < refused:
        model.book.count["unseals_refused"] += 1
        return
    model.book.saved_ban_days += user.until - model.day
    user.until = model.day


def innocent_requests(model: Any) -> None:
    """Ordinary people sign up and unseal, and suffer their share."""
    people, rules, levers, book = model.rules.population, model.rules, model.levers, model.book
    helping = rules.helping
    signups = people.signups_per_user_day * len(model.users)
    blocked = rules.registration.blocked_share
    blocked *= (levers["registration_audit"] / rules.registration.blocked_reference) ** rules.registration.blocked_power
    needs = rules.registration.verified_base + rules.registration.verified_span * levers["assisted_verification"]
    book.count["signups_blocked"] += model.poisson(signups * blocked)
    book.count["signups_delayed"] += model.poisson(signups * needs)
    strictness = levers["helper_cap"] / helping.cap_reference
    age = helping.cap_age_days * min(1.0, strictness)
    young = people.young_account_share * min(1.0, age / people.young_account_days)
    refused = 1 - (1 - young) * math.exp(-helping.cap_window_days * strictness * helping.honest_assists_per_day)
    book.count["helpers_refused"] += model.poisson(signups * needs * refused)
    book.honest_assists = signups * needs * (1 - refused)
    book.signups = signups
    requests = people.unseal_requests_per_user_day * len(model.users)
    book.unseal_requests = requests
    book.count["unseals_refused"] += model.poisson(requests * rules.unsealing.legitimate_refused_share * levers["unsealing_strictness"])


def take_over(model: Any) -> None:
    """Take over the accounts claimed today, in random order; nobody is taken twice."""
    model.random.shuffle(model.claims)
    rules, book = model.rules, model.book
    for claim in model.claims:
        user, dealer, channel = claim.user, claim.dealer, claim.channel
        if user is not None and not user.is_free():
            continue
        size = getattr(rules.account, f"batch_{channel}")
        if model.random.random() < 2 / (size + 1):
            dealer.batches[channel] += 1
        account = Account(model, claim, model.day, dealer.batches[channel])
        model.accounts.append(account)
        book.count[f"inflow_{channel}"] += 1
        if channel != "rented" or claim.how == "advert":
            dealer.today.successes[channel] += 1
        if channel == "rented":
            user.status, user.account = RENTING, account
            user.rented_to = None
            user.community.renters += 1
            dealer.pays(-rules.renting.identity_resale_yuan)
            book.count[f"rented_by_{claim.how}"] += 1
            book.count[f"rented_{SEGMENTS[user.segment]}"] += 1
            if claim.how == "advert":
                dealer.today.recruits[user.segment] += 1
            if model.random.random() < rules.harm.leak_share:
                book.count["harm_privacy_yuan"] += rules.harm.leak_yuan
            if claim.referrer is not None:
                credit(model, claim.referrer)
        elif channel == "bought":
            user.status = SOLD
            dealer.pays(model.market.asked_price)
        elif channel == "stolen":
            user.status = ROBBED
            dealer.pays(rules.trading.theft_cost_yuan)
    model.claims = []


def credit(model: Any, referrer: Any) -> None:
    """Count a successful referral; after some a renter may become a dealer."""
    renting = model.rules.renting
    referrer.referrals += 1
    if referrer.referrals == int(renting.dealer_after_referrals) and model.random.random() < renting.dealer_share:
        model.new_dealers_from_renters.append(referrer)


def gives_back(account: Any) -> None:
    """End a dealer's hold on an account; its owner, if not under a sanction, is free."""
    user = account.owner
    if account.channel == "rented":
        user.community.renters -= 1
        user.account = None
        if user.status == RENTING:
            user.status = FREE
    elif account.channel == "stolen" and user.status == ROBBED:
        user.status = FREE
