"""What accounts do to people in a day, and who reports it."""

from __future__ import annotations

import math
from typing import Any

from sim.levers import CHANNELS


def abuse(model: Any) -> None:
    """Every account is used; harm follows, and reports."""
    rules, book, levers, draw = model.rules.harm, model.book, model.levers, model.random
    detection = model.rules.detection
    util = model.market.utilisation
    spread = math.exp(rules.loss_sigma**2 / 2)
    stopped = rules.friend_success * (1 - rules.confirmation_effect * levers["friend_confirmation"])
    report = detection.report_base + detection.report_span * levers["user_reporting"]
    nuisance = (detection.nuisance_base + detection.nuisance_span * levers["user_reporting"]) * util
    incident = {c: getattr(rules, f"fraud_{c}") for c in CHANNELS}
    for account in model.accounts:
        used = account.quality * util
        reported = nuisance
        if account.use == "fraud":
            approaches = rules.stranger_approaches * util
            p = min(1.0, incident[account.channel] * used)
            book.expected_harm += p * rules.fraud_loss_median_yuan * spread
            if draw.random() < p:
                book.count["victims"] += 1
                book.count["harm_fraud_yuan"] += rules.fraud_loss_median_yuan * math.exp(rules.loss_sigma * draw.gauss(0, 1))
            if account.channel in ("rented", "stolen"):
                mean = rules.friend_approaches * account.contacts * util
                approaches += mean
                p = min(1.0, mean * stopped)
                book.expected_harm += p * rules.friend_loss_median_yuan * spread + mean * rules.harassment_yuan
                book.count["harm_owner_yuan"] += mean * rules.harassment_yuan
                if draw.random() < p:
                    book.count["victims"] += 1
                    loss = rules.friend_loss_median_yuan * math.exp(rules.loss_sigma * draw.gauss(0, 1))
                    book.count["harm_friend_fraud_yuan"] += loss
            reported = 1 - math.exp(-report * approaches)
        elif account.use == "false_ads":
            p = min(1.0, rules.false_ad_victims * used)
            book.expected_harm += p * rules.false_ad_loss_yuan
            if draw.random() < p:
                book.count["victims"] += 1
                book.count["harm_false_ads_yuan"] += rules.false_ad_loss_yuan
        elif account.use == "vice":
            book.count["vice_exposures"] += rules.vice_exposures * used
        else:
            book.count["spam_messages"] += rules.spam_messages * used
        if draw.random() < reported:
            book.count["reports"] += 1
            if account.report_day is None:
                account.report_day = model.day
    book.count["harm_vice_yuan"] = book.count["vice_exposures"] * rules.vice_yuan
    book.count["harm_spam_yuan"] = book.count["spam_messages"] * rules.spam_yuan
    mistaken = model.poisson(detection.mistaken_per_million_day * model.millions * report)
    book.count["reports_mistaken"] += mistaken
    if mistaken:
        model.docket.append(["mistaken", model.day, None, mistaken])
