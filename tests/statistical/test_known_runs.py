"""Runs whose outcome is known beforehand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from sim.levers import CHANNELS
from sim.outcomes import OUTCOMES
from sim.parameters import LEDGER

LIMIT = 3.3


def z_of_poisson(counts, mean):
    """Return standard errors of the mean count from `mean`, and of the dispersion from 1."""
    n = counts.size
    of_mean = (counts.mean() - mean) / np.sqrt(mean / n)
    of_dispersion = (((counts - counts.mean()) ** 2).sum() / counts.mean() - (n - 1)) / np.sqrt(2 * (n - 1))
    return of_mean, of_dispersion


def test_no_dealers_and_no_entry_is_no_market(tools):
    """Supply, harm and everything that comes of dealers are exactly nothing."""
    daily = tools.ran(users=12_000_000, parameters=tools.no_dealers)
    nothing = [
        name
        for name in OUTCOMES
        if name.startswith(
            (
                "stock_",
                "inflow_",
                "detected_",
                "exits_",
                "supply_",
                "harm_",
                "owners_",
                "dealers_",
                "rented_",
                "helpers_by",
                "swept",
                "sanctions_",
            )
        )
    ]
    nothing += [
        "expected_harm_yuan",
        "victims",
        "reports",
        "appeals_owner",
        "helpers_sanctioned",
        "assists_wanted",
        "dealer_pool",
        "arrests_dealer",
    ]
    assert {name: daily[name].sum() for name in nothing} == dict.fromkeys(nothing, 0.0)


@pytest.mark.parametrize("audit", [0.0, 0.5])
def test_false_positives_without_dealers_are_poisson(tools, audit):
    """Innocents flagged: users x rate x Phi(-c) a day, c = c0 - u."""
    daily = tools.ran(
        users=12_000_000,
        days=300,
        levers={"account_audit": audit},
        parameters={**tools.no_dealers, "detection": {"mistaken_per_million_day": 0.0}},
    )
    p = LEDGER["detection"]
    mean = 12e6 * p["audit_rate"].value * stats.norm.sf(p["threshold"].value - audit)
    for z in z_of_poisson(daily["innocents_sanctioned"], mean):
        assert abs(z) < LIMIT


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


def test_no_lure_is_no_rental(tools):
    """If nobody ever accepts, nothing is rented, and what was rented at the start runs out."""
    refuse = {"renting": {"acceptance_logit": -1e4}, "start": {"stock_rented_per_million": 50.0}}
    daily = tools.ran(parameters=refuse, days=150)
    assert not daily["inflow_rented"].any()
    assert not daily["rented_by_advert"].any()
    assert daily["stock_rented"][0] > 50
    assert daily["stock_rented"][-1] == 0
    assert daily["inflow_registered"].sum() > 0


def test_no_selling_user_is_no_purchase(tools):
    daily = tools.ran(parameters={"trading": {"selling_logit": -1e4}})
    assert not daily["inflow_bought"].any()


def test_certain_detection_leaves_each_account_one_day(tools):
    """With a detector that misses nothing all that is deployed falls that day."""
    daily = tools.ran(parameters={"detection": {"threshold": -1e3}}, days=30)
    for channel in CHANNELS:
        assert np.array_equal(daily[f"detected_{channel}"], daily[f"stock_{channel}"])
        assert np.array_equal(daily[f"exits_{channel}"], daily[f"stock_{channel}"])
        assert np.array_equal(daily[f"stock_{channel}"][1:], daily[f"inflow_{channel}"][1:])
        assert np.array_equal(daily[f"exit_age_{channel}"][1:], daily[f"exits_{channel}"][1:])
    assert daily["stock_registered"][1:].sum() > 0


def test_no_sweep_without_the_lever(tools):
    """Sweep off: none; on: some."""
    assert not tools.ran(levers={"cluster_sweep": 0.0})["swept"].any()
    assert tools.ran(levers={"cluster_sweep": 1.0})["swept"].sum() > 0


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


def test_one_assist_a_user_ever_is_no_repeat_helper(tools):
    """When the cap lets nobody help twice, there is nobody for helper sanctions to hit."""
    strict = {"helper_sanctions": 1.0, "legal_certainty": 1.0}
    p = {
        "helping": {"cap_window_days": 300.0, "cap_age_days": 0.0, "honest_link_share": 0.0},
        "sanction": {"legal_helper": 1.0, "case_days_low": 1.0, "case_days_high": 2.0},
    }
    once = tools.ran(users=4_000_000, levers={**strict, "helper_cap": 1.0}, parameters=p)
    often = tools.ran(users=4_000_000, levers={**strict, "helper_cap": 0.0}, parameters=p)
    assert once["helpers_by_stall"].sum() + once["helpers_by_task_platform"].sum() > 0
    assert not once["helpers_sanctioned"].any()
    assert not once["sanctions_legal_helper"].any()
    assert often["helpers_sanctioned"].sum() > 10
    assert often["sanctions_legal_helper"].sum() > 10


def test_stocks_fall_to_inflow_over_hazard(tools):
    """Stolen accounts under one constant hazard h and no detection: at clearing mean inflow / h."""
    quiet = {"threshold": 1e3, "report_base": 0.0, "report_span": 0.0, "nuisance_base": 0.0, "nuisance_span": 0.0}
    undisturbed = {"detection": quiet, "dealer": tools.nobody_leaves, "sanction": {"legal_dealer": 0.0}, "start": {"case_share": 0.0}}
    daily = tools.ran(users=12_000_000, days=120, parameters=undisturbed)
    hazard = LEDGER["trading"]["recovery_per_day"].value
    stock, inflow, exits = (daily[f"{name}_stolen"] for name in ("stock", "inflow", "exits"))
    assert not daily["detected_stolen"].any()
    z = (exits.sum() - hazard * stock.sum()) / np.sqrt(hazard * (1 - hazard) * stock.sum())
    assert abs(z) < LIMIT
    # of the accounts that ever came, each is deployed 1/h days on average, with a variance of (1 - h)/h^2
    came = stock[0] + inflow[1:].sum()
    left_over = stock[-1] / hazard
    assert abs(stock.sum() + left_over - stock[-1] - came / hazard) < LIMIT * np.sqrt(came * (1 - hazard)) / hazard


@pytest.mark.slow
def test_intensive_means_do_not_depend_on_scale(tools):
    """Four times the users: prices and everything per user agree within the sampling error of seeds."""
    names = ("price_yuan", "commission_yuan", "helper_price_yuan", "dealer_evasion", "utilisation_share", "informed_share")
    per_user = (
        "supply_account_days",
        "stock_registered",
        "stock_unsealed",
        "stock_rented",
        "stock_bought",
        "reports",
        "signups_blocked",
        "dealers_active",
    )
    means = {}
    for users, seeds in ((6_000_000, 16), (24_000_000, 8)):
        rows = []
        for seed in range(seeds):
            daily = tools.ran(seed=100 + seed, users=users, days=90)
            rows.append([daily[name][30:].mean() for name in names] + [daily[name][30:].mean() / users for name in per_user])
        means[users] = np.array(rows)
    small, large = means.values()
    for k, name in enumerate((*names, *per_user)):
        if np.ptp(small[:, k]) == 0:
            assert np.array_equal(small[0, k], large[0, k]), name
        else:
            assert stats.ttest_ind(small[:, k], large[:, k], equal_var=False).pvalue > 1e-3, name
    assert large[:, 6].std() < small[:, 6].std()
