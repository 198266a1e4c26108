"""Accounts, owners, renters, money and cases balance on every day, whatever is going on."""

from __future__ import annotations

import numpy as np
import pytest

from sim.agents.dealer import Dealer
from sim.agents.enforcer import Enforcer
from sim.agents.recruiter import Recruiter
from sim.levers import CHANNELS, SEGMENTS, USES
from sim.model import AccountMarket
from sim.world.accounts import BOUGHT, LIVE, RENTED, STOLEN
from sim.world.users import RENTING, ROBBED, SOLD

DAYS = 80


@pytest.fixture(scope="module", params=["standing", "busy", "frozen", "everything at once"])
def day_by_day(request, tools):
    """A run of each kind, with what it held after every day."""
    settings = {
        "standing": {},
        "busy": {"levers": tools.busy, "parameters": tools.stirred},
        "frozen": {"adaptive": False, "parameters": tools.stirred},
        "everything at once": {
            "policies": {"purge": {"strength": 0.8, "days": [30, 45]}, "review_capacity": {"strength": 1.0, "end_day": 50}},
            "levers": {**tools.busy, "review_capacity": 0.02},
            "parameters": tools.stirred,
        },
    }[request.param]
    model = AccountMarket(tools.scenario(days=DAYS, **settings), 4)
    held = [look(model)]
    for _ in range(DAYS):
        model.step()
        held.append(look(model))
    return model, held


def look(model):
    """Return what must balance, after a day."""
    world = model.world
    accounts, users, market = world.accounts, world.users, world.market
    n = accounts.size
    owner, channel = accounts.owner[:n].copy(), accounts.channel[:n].copy()
    touched, ids = users.touched, users.registry.ids[: users.registry.size]
    rows = world.dealers.rows()
    return {
        "channel": channel,
        "owner": owner,
        "fate": accounts.fate[:n].copy(),
        "dealers of accounts": np.unique(accounts.dealer[:n]),
        "dealers": rows,
        "pool": world.dealers.pool[rows].copy(),
        "keys": accounts.key[:n].copy(),
        **{
            status: ids[touched.status[: ids.size] == code].copy()
            for status, code in {"renting": RENTING, "robbed": ROBBED, "sold": SOLD}.items()
        },
        "renters": users.communities.renters.copy(),
        "size": users.population.community_size,
        "balances": dict(market.balances),
        "dealers' cash": float(world.dealers.cash[: world.dealers.size].sum()),
        "recruiters' cash": float(world.recruiters.cash[: world.recruiters.size].sum()),
        "idle cash": np.delete(world.dealers.cash[: world.dealers.size], rows),
        "backlog": world.docket.waiting(model.day - 1) + int((accounts.case_day[:n] >= 0).sum()) if model.day else 0,
        "agents": {kind: len(model.agents_by_type.get(kind, ())) for kind in (Dealer, Recruiter, Enforcer)},
        "agents' rows": sorted(agent.row for agent in model.agents_by_type.get(Dealer, ())),
    }


def test_stocks_change_by_inflow_and_exits_alone(day_by_day):
    """Stock at clearing tomorrow = stock today + inflow tomorrow - exits today, by channel."""
    model, held = day_by_day
    daily = model.daily
    for number, channel in enumerate(CHANNELS):
        stock, inflow, exits = (daily[f"{name}_{channel}"] for name in ("stock", "inflow", "exits"))
        assert np.array_equal(stock[1:], stock[:-1] + inflow[1:] - exits[:-1])
        assert stock[0] == (held[0]["channel"] == number).sum() + inflow[0]
        left = [(day["channel"] == number).sum() for day in held[1:]]
        assert np.array_equal(left, stock - exits)
        assert (daily[f"detected_{channel}"] <= exits).all()
        assert (daily[f"exit_age_{channel}"] >= exits).all()


def test_parts_sum_to_wholes(day_by_day):
    model, _ = day_by_day
    daily = model.daily
    for whole, prefix, parts in [
        ("supply_account_days", "supply", CHANNELS),
        ("supply_account_days", "supply", USES),
        ("owners_banned", "owners_banned", SEGMENTS),
        ("inflow_rented", "rented", SEGMENTS),
        ("inflow_rented", "rented_by", ("advert", "referral", "return")),
        ("enforcement_cost_yuan", "cost", [name[5:-5] + "_yuan" for name in daily if name.startswith("cost_")]),
    ]:
        assert np.allclose(daily[whole], sum(daily[f"{prefix}_{part}"] for part in parts), rtol=1e-12), whole
    harms = [name for name in daily if name.startswith("harm_") and name != "harm_total_yuan"]
    assert np.allclose(daily["harm_total_yuan"], sum(daily[name] for name in harms), rtol=1e-12)
    assert np.array_equal(daily["owners_banned"], daily["detected_rented"] + daily["detected_stolen"])


def test_only_live_accounts_of_dealers_in_business_are_kept(day_by_day):
    _, held = day_by_day
    for day in held:
        assert (day["fate"] == LIVE).all()
        assert np.isin(day["dealers of accounts"], day["dealers"]).all()
        assert np.unique(day["keys"]).size == day["keys"].size
        assert (day["pool"] >= 0).all()


def test_each_owner_has_one_account_in_dealers_hands(day_by_day):
    """Users marked as renting or robbed are exactly the owners of rented and stolen accounts, each once."""
    _, held = day_by_day
    for day in held:
        owned = day["owner"][day["owner"] >= 0]
        assert np.unique(owned).size == owned.size
        assert np.array_equal(np.sort(day["renting"]), np.sort(day["owner"][day["channel"] == RENTED]))
        assert np.array_equal(np.sort(day["robbed"]), np.sort(day["owner"][day["channel"] == STOLEN]))
        assert np.isin(day["owner"][day["channel"] == BOUGHT], day["sold"]).all()
        assert (day["owner"][day["channel"] < RENTED] == -1).all()


def test_communities_count_their_renters(day_by_day):
    _, held = day_by_day
    for day in held:
        places = day["owner"][day["channel"] == RENTED] // day["size"]
        assert np.array_equal(day["renters"], np.bincount(places, minlength=day["renters"].size))


def test_money_is_neither_made_nor_lost(day_by_day):
    """Balances sum to nothing, purses to the balance of their party, and nothing stays in escrow or with those out of business."""
    _, held = day_by_day
    turned_over = 0.0
    for day in held[1:]:
        balances = day["balances"]
        turned_over = max(turned_over, sum(abs(balance) for balance in balances.values()))
        least = 1e-9 * turned_over
        assert abs(sum(balances.values())) < least
        assert abs(day["dealers' cash"] - balances["dealers"]) < least
        assert abs(day["recruiters' cash"] - balances["recruiters"]) < least
        assert abs(balances["escrow"]) < least
        assert not day["idle cash"].any()
    assert balances["abusers"] < 0 < min(balances["owners"], balances["helpers"], balances["sellers"], balances["suppliers"])


def test_each_dealer_recruiter_and_enforcer_is_one_mesa_agent(day_by_day):
    model, held = day_by_day
    for day, active in zip(held[1:], model.daily["dealers_active"], strict=True):
        assert day["agents"] == {Dealer: active, Recruiter: model.world.recruiters.size, Enforcer: 1}
        assert day["agents' rows"] == day["dealers"].tolist()


def test_cases_waiting_are_the_backlog(day_by_day):
    model, held = day_by_day
    assert np.array_equal(model.daily["review_backlog"], [day["backlog"] for day in held[1:]])


def test_the_busy_runs_were_busy(tools):
    """What the balances above are checked against does happen."""
    model = tools.ran(days=DAYS, levers=tools.busy, parameters=tools.stirred, seed=4)
    total = {name: column.sum() for name, column in model.daily.items()}
    for name in (
        "arrests_dealer",
        "self_reports",
        "challenged",
        "swept",
        "rented_by_return",
        "rented_by_referral",
        "helpers_sanctioned",
        "owners_repeat",
    ):
        assert total[name] > 0, name
    assert np.unique(model.world.dealers.home).size > 1


def test_entrants_know_nothing_of_who_had_their_row_before(tools):
    """Whoever enters on a row that was given up starts without experience, accounts, pool or plan."""
    busy = {"dealer": {"entry_per_12_million_day": 60.0, "retire_per_day": 0.1}}
    model = AccountMarket(tools.scenario(users=12_000_000, parameters=busy), 1)
    dealers, used = model.world.dealers, False
    for _ in range(8):
        had = dealers.size
        model.step()
        rows = dealers.rows()
        new = rows[dealers.entered[rows] == model.day - 1]
        used |= bool((new < had).any())
        for name in ("exits", "at_risk", "tries", "wins", "shown", "recruits", "pool", "batches", "shares"):
            assert not getattr(dealers, name)[new].any(), name
    assert used, "no row was used again"


def test_owners_of_day_0_have_one_account_each(tools):
    """Also where so many accounts are held that chance picks a user twice."""
    for seed in range(1, 6):
        model = AccountMarket(tools.scenario(users=12_000_000, parameters={"start": {"stock_rented_per_million": 500.0}}), seed)
        owner = look(model)["owner"]
        assert np.unique(owner[owner >= 0]).size == (owner >= 0).sum() > 4_000
