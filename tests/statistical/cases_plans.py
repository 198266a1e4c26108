"""Case 10: the limits of the logit, plans made anew, what dealers remember and how they evade."""

from __future__ import annotations

import numpy as np
from known_rows import Row, exact, holds
from known_worlds import ledger, levers, started, world

from sim.agents.user import acceptance, interest_in_renting, interest_in_selling
from sim.levers import CHANNELS
from sim.model import AccountMarket
from sim.world.accounts import REGISTERED, RENTED, UNSEALED


def case_10(seed: int = 1010) -> list[Row]:
    """Logit: no weight, equal shares; a great weight, all on the best; between, exp(beta profit) of MODEL.md 7.9; acceptance 0 and 1."""
    rows = []
    tremble = ledger().dealer.tremble
    for weight, what in ((0.0, "equal shares"), (1e6, "all on the best but for the tremble")):
        dealer = {"choice_weight": weight}
        model = started(seed, days=10, parameters={"dealer": dealer, "start": {"pool_per_million": 5000.0}})
        at = model.world.dealers.rows()
        shares, profit = model.world.dealers.shares[at], believed_profit(model, at)
        best = profit == profit.max(axis=1, keepdims=True)
        wanted = np.full_like(profit, 1 / 6) if weight == 0 else (1 - tremble) * best + tremble / 6
        rows.append(exact(f"{what}: largest gap", 0.0, float(np.abs(shares - bounded(model, at, wanted)).max()), 1e-9))
    model, gap, seen = started(seed, days=40, levers={"account_audit": 0.2}), 0.0, 0
    p = model.world.parameters.dealer
    while model.running:
        at = model.world.dealers.rows()
        at = at[model.world.dealers.key[at] % np.uint64(p.review_days) == model.day % int(p.review_days)]
        odds = np.exp(p.choice_weight * (believed_profit(model, at) - p.outside_yuan))
        wanted = bounded(model, at, (1 - p.tremble) * odds / odds.sum(axis=1, keepdims=True) + p.tremble / 6)
        key = model.world.dealers.key[at].copy()
        model.step()
        same = model.world.dealers.active[at] & (model.world.dealers.key[at] == key)
        gap = max(gap, float(np.abs(model.world.dealers.shares[at] - wanted)[same].max(initial=0.0)))
        seen += int(same.sum())
    rows += [exact("plans made anew: largest gap", 0.0, gap, 1e-9), holds("plans were reviewed", seen < 50)]
    users = np.arange(0, 2_000_000, 997)
    for shift, limit in ((-1e3, 0.0), (1e3, 1.0)):
        made, _ = world(parameters={"renting": {"acceptance_logit": shift}, "trading": {"selling_logit": shift}})
        segments = made.population.segment(users)
        for name, interest in (("renting", interest_in_renting), ("selling", interest_in_selling)):
            chance = acceptance(made, users, segments, interest(made, levers(), users, segments), 1)
            rows.append(exact(f"acceptance of {name}, logit {shift:g}", limit, float(chance.mean())))
    return rows


def believed_profit(model: AccountMarket, at: np.ndarray) -> np.ndarray:
    """Return what a unit of effort is believed to bring by channel and idle, `(n, 6)`: MODEL.md 7.9, written a second time."""
    world = model.world
    p, d, m = world.parameters, world.dealers, world.market
    n0, profit = p.dealer.prior_weight, np.empty((at.size, 6))
    profit[:, 5] = p.dealer.outside_yuan
    tries = {0: p.registration.attempts_per_effort, 1: p.unsealing.attempts_per_effort, 2: p.renting.exposures_per_effort}
    tries |= {3: p.trading.exposures_per_effort, 4: p.trading.thefts_per_effort}
    for k, name in enumerate(CHANNELS):
        first = getattr(p.start, f"hazard_{name}")
        market = min(max((m.exits[k] + n0 * first) / (m.at_risk[k] + n0), 0.005), 1.0)
        hazard = np.clip((d.exits[at, k] + n0 * market) / (d.at_risk[at, k] + n0), 0.001, 1.0)
        n1 = p.dealer.prior_effort * tries[k]
        conversion = (d.wins[at, k] + n1 * m.wins[k] / m.tries[k]) / (d.tries[at, k] + n1)
        margin = getattr(p.account, f"quality_{name}") * (m.price * m.utilisation - p.dealer.evasion_cost_yuan * d.evasion[at] ** 2)
        account = try_ = 0.0
        if k == REGISTERED:
            try_ = p.registration.sim_cost_yuan + m.assisted[0] / m.tries[0] * m.helper_price
        elif k == UNSEALED:
            try_ = m.assisted[1] / m.tries[1] * (m.helper_price + p.unsealing.attempt_cost_yuan)
        elif k == RENTED:
            margin = margin - m.commission + p.renting.theft_per_day * p.population.payment_share * p.harm.theft_loss_yuan
            account = -p.renting.identity_resale_yuan
        else:
            account = m.purchase_price if name == "bought" else p.trading.theft_cost_yuan
        profit[:, k] = tries[k] * (conversion * (margin / hazard - account) - try_)
    return profit


def bounded(model: AccountMarket, at: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Return shares in which unsealing takes no more than the pool can use; what is left goes to the others in proportion."""
    p, d = model.world.parameters.unsealing, model.world.dealers
    most = d.pool[at] * p.attempts_per_month / 30 / (p.attempts_per_effort * d.capacity[at])
    out = shares.copy()
    out[:, UNSEALED] = np.minimum(shares[:, UNSEALED], most)
    rest = [k for k in range(6) if k != UNSEALED]
    out[:, rest] *= ((1 - out[:, UNSEALED]) / (1 - shares[:, UNSEALED]))[:, None]
    return out


def case_10_memory(seed: int = 1020) -> list[Row]:
    """Counts fade by .97 a day and today's are added whole; e drifts by at most .01 towards clip(3 x mean hazard, 0, 1) but for shocks."""
    stay = {"exit_per_day": 0.0, "retire_per_day": 0.0, "bankrupt_yuan": 1e15, "entry_per_12_million_day": 0.0, "evasion_jump": 0.0}
    model = started(seed, days=30, parameters={"dealer": stay, "sanction": {"legal_dealer": 0.0}, "renting": {"dealer_share": 0.0}})
    market, dealers, p = model.world.market, model.world.dealers, model.world.parameters.dealer
    gaps = np.zeros(3)
    while model.running:
        risk, left, at, evasion = market.at_risk.copy(), market.exits.copy(), dealers.at_risk.copy(), dealers.evasion.copy()
        model.step()
        stock, exits = (np.array([model.daily[f"{kind}_{name}"][-1] for name in CHANNELS]) for kind in ("stock", "exits"))
        gaps[0] = max(gaps[0], np.abs(market.at_risk - p.memory * risk - stock).max())
        gaps[1] = max(gaps[1], np.abs(market.exits - p.memory * left - exits).max())
        n, n0 = dealers.size, p.prior_weight
        holdings = dealers.at_risk[:n] - p.memory * at[:n]
        pooled = (market.exits + n0 * np.array([getattr(model.world.parameters.start, f"hazard_{c}") for c in CHANNELS])) / (
            market.at_risk + n0
        )
        hazard = (dealers.exits[:n] + n0 * pooled) / (dealers.at_risk[:n] + n0)
        weights = np.where(holdings.sum(axis=1, keepdims=True) > 0.5, holdings, 1.0)
        aim = np.clip(p.evasion_target * np.minimum(1.0, (hazard * weights).sum(axis=1) / weights.sum(axis=1)), 0.0, 1.0)
        drifted = evasion[:n] + np.clip(aim - evasion[:n], -p.evasion_drift, p.evasion_drift)
        gaps[2] = max(gaps[2], np.abs(dealers.evasion[:n] - drifted).max())
    names = ("remembered account-days", "remembered exits", "evasion")
    return [exact(f"{name}: largest gap", 0.0, float(gap), 1e-6) for name, gap in zip(names, gaps, strict=True)]
