"""Runs whose outcome is known beforehand, beside the twenty cases of `known_answers.py`."""

from __future__ import annotations

import numpy as np
import pytest

from sim.levers import CHANNELS
from sim.parameters import LEDGER

LIMIT = 3.3


def z_of_poisson(counts, mean):
    """Return standard errors of the mean count from `mean`, and of the dispersion from 1."""
    n = counts.size
    of_mean = (counts.mean() - mean) / np.sqrt(mean / n)
    of_dispersion = (((counts - counts.mean()) ** 2).sum() / counts.mean() - (n - 1)) / np.sqrt(2 * (n - 1))
    return of_mean, of_dispersion


def test_innocents_suffer_as_the_levers_say(tools):
    """Blocked and delayed sign-ups, travellers, refused requests, removed adverts, mistaken reports: Poisson as stated."""
    users = 20_000
    u = {"registration_audit": 0.6, "login_check": 0.7, "unsealing_strictness": 0.9, "ad_takedown": 0.8, "user_reporting": 0.5}
    per_day = 12_000_000 / users
    people = {**{k: v.value for k, v in LEDGER["population"].items()}}
    scaled = {
        name: people[name] * per_day
        for name in ("unseal_requests_per_user_day", "logins_new_device_per_user_day", "honest_adverts_per_million_day")
    }
    daily = tools.ran(users=users, days=300, levers=u, parameters={**tools.no_dealers, "population": scaled})
    p = {group: {name: entry.value for name, entry in rows.items()} for group, rows in LEDGER.items()}
    signups = users * people["signups_per_user_day"]
    means = {
        "signups_blocked": signups * p["registration"]["blocked_share"] * 2 ** p["registration"]["blocked_power"],
        "signups_delayed": signups * (p["registration"]["verified_base"] + p["registration"]["verified_span"] * 0.3),
        "travellers_challenged": users * scaled["logins_new_device_per_user_day"] * p["detection"]["traveller_share"] * 0.7,
        "unseals_refused": users * scaled["unseal_requests_per_user_day"] * p["unsealing"]["legitimate_refused_share"] * 0.9,
        "honest_adverts_removed": users / 1e6 * scaled["honest_adverts_per_million_day"] * 0.1 * 0.8,
        "reports_mistaken": users
        / 1e6
        * p["detection"]["mistaken_per_million_day"]
        * (p["detection"]["report_base"] + 0.5 * p["detection"]["report_span"])
        / 0.5,
    }
    for name, mean in means.items():
        for z in z_of_poisson(daily[name], mean):
            assert abs(z) < LIMIT, name


@pytest.mark.slow
def test_reviewers_find_what_is_reported(tools):
    """Without audit, sweep and late catches all detections come of reviewed reports: none without reviewers."""
    quiet = {"detection": {"threshold": 1e3}, "unsealing": {"catch_third_party": 0.0}}
    found, blind = (
        sum(tools.ran(levers={"cluster_sweep": 0.0, "review_capacity": u}, parameters=quiet)[f"detected_{c}"].sum() for c in CHANNELS)
        for u in (1.0, 0.0)
    )
    assert found > 0
    assert blind <= 1, "capacity below a case a day is a case by lot"


def test_expected_harm_is_the_harm_where_there_is_no_chance(tools):
    """With frauds, thefts and deceptions switched off and leaks certain, realised and expected harm are the same sum."""
    certain = {f"fraud_{channel}": 0.0 for channel in CHANNELS} | {
        "friend_success": 0.0,
        "false_ad_victims": 0.0,
        "leak_share": 1.0,
        "theft_loss_yuan": 0.0,
        "harassment_yuan": 3.0,
    }
    law = {"legal_owner": 0.5, "case_days_low": 5.0, "case_days_high": 20.0}
    daily = tools.ran(parameters={"harm": certain, "sanction": law}, levers={"legal_certainty": 1.0, "legal_severity": 0.7})
    assert np.allclose(daily["expected_harm_yuan"], daily["harm_total_yuan"], rtol=1e-9)
    assert daily["sanctions_legal_owner"].sum() > 0
    assert daily["harm_privacy_yuan"].sum() > 0
    assert daily["owners_lost"].sum() > 0
