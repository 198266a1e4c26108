"""Learn from the day: beliefs, evasion, growth; prices move towards balance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.agents.dealer import daily_margin, prices
from sim.world.accounts import RENTED
from sim.world.dealers import IDLE
from sim.world.world import World

Reals = NDArray[np.float64]


@dataclass(frozen=True)
class Experience:
    """What dealers saw in a day.

    `holdings`, `exits`, `wins`, `tries` by dealer and channel `(dealers, 5)`; `recruits`, `shown` by dealer and segment `(dealers, 4)`;
    `assisted`: assists bought for registering and unsealing, `(2,)`.
    """

    holdings: Reals
    exits: Reals
    wins: Reals
    tries: Reals
    recruits: Reals
    shown: Reals
    assisted: Reals


def remember(world: World, seen: Experience) -> None:
    """Add the day to each dealer's and the market's experience, which fades by 3 % a day.

    Dealers who closed today teach nobody: their exits were no detections.
    """
    dealers, market, keep = world.dealers, world.market, world.parameters.dealer.memory
    known = {"at_risk": seen.holdings, "exits": seen.exits, "wins": seen.wins, "tries": seen.tries}
    known |= {"recruits": seen.recruits, "shown": seen.shown}
    known |= {"earned": _earned(world, seen), "effort": dealers.capacity[: dealers.size, None] * dealers.shares[: dealers.size, :IDLE]}
    in_business = dealers.active[: dealers.size]
    for name, of_all in known.items():
        today = np.where(in_business[:, None], of_all, 0.0)
        own, pooled = getattr(dealers, name), getattr(market, name)
        own[: dealers.size] *= keep
        own[: dealers.size] += today
        pooled *= keep
        pooled += today.sum(axis=0)
    market.assisted *= keep
    market.assisted += seen.assisted


def _earned(world: World, seen: Experience) -> Reals:
    """Return what the accounts, gains and tries of a day brought each dealer in yuan by channel, `(dealers, 5)`, at the day's prices."""
    per_account, per_try = prices(world)
    margin = daily_margin(world, np.arange(world.dealers.size))
    return np.asarray(seen.holdings * margin - seen.wins * per_account - seen.tries * per_try)


def adapt(world: World, seen: Experience, frozen: bool) -> None:
    """Move evasion and capacity: e drifts by .01 a day to clip(3 x mean hazard) and jumps after losses above twice the believed hazard.

    The log of capacity over that at entry follows profit per effort relative to the reserve's, within one. `frozen` keeps evasion.
    """
    p, dealers = world.parameters.dealer, world.dealers
    n = dealers.size
    profit = dealers.profit[:n]
    profit += np.where(dealers.active[:n], (dealers.today[:n] - profit) / p.profit_memory_days, 0.0)
    dealers.today[:n] = 0.0
    rows = dealers.rows()
    world.market.realised_profit = float(profit[rows].mean()) if rows.size else (1.0 + p.entry_limit) * p.reserve_yuan
    per_effort = profit[rows] / dealers.capacity[rows] / (p.reserve_yuan / p.capacity_mean)
    aim = np.clip(per_effort - 1.0, -1.0, 1.0) - np.log(dealers.capacity[rows] / dealers.entry_capacity[rows])
    grown = dealers.capacity[rows] * np.exp(p.growth_per_day * aim)
    dealers.capacity[rows] = np.clip(grown, 1.0, p.capacity_cap)
    if frozen:
        return
    hazard = (dealers.exits[:n] + p.prior_weight * world.market.hazards()) / (dealers.at_risk[:n] + p.prior_weight)
    held = seen.holdings.sum(axis=1)
    weights = np.where(held[:, None] > 0, seen.holdings, 1.0)
    mean = np.minimum(1.0, (hazard * weights).sum(axis=1) / weights.sum(axis=1))
    evasion = dealers.evasion[:n]
    target = np.clip(p.evasion_target * mean, 0.0, 1.0)
    evasion += np.clip(target - evasion, -p.evasion_drift, p.evasion_drift)
    loss = seen.exits.sum(axis=1) / np.maximum(held, 1.0)
    weight = held / (held + p.prior_weight)
    evasion += weight * p.evasion_jump * np.maximum(0.0, loss - p.shock_multiple * mean) * (1.0 - evasion)


def reprice(world: World, bought: float, assists_wanted: float, assists_offered: float) -> None:
    """Move prices: account-days and assists by excess demand, the commission towards psi p q util, the asked price with volume."""
    market, p = world.market, world.parameters
    m, h, r, t = p.market, p.helping, p.renting, p.trading
    larger = max(market.demand, market.supply)
    if larger > 0:
        market.price *= float(np.exp(m.price_speed * (market.demand - market.supply) / larger))
    market.price = min(max(market.price, m.price_floor_yuan), m.price_ceiling_yuan)
    value = market.price * market.utilisation * world.traits.quality[RENTED]
    wage = max(r.psi * value, r.commission_floor_yuan)
    market.commission *= (wage / market.commission) ** r.commission_speed
    market.commission = min(max(market.commission, r.commission_floor_yuan), r.commission_ceiling_yuan)
    busier = max(assists_wanted, assists_offered)
    if busier > 0:
        market.helper_price *= float(np.exp(h.price_speed * (assists_wanted - assists_offered) / busier))
    market.helper_price = min(max(market.helper_price, h.price_floor_yuan), h.price_ceiling_yuan)
    market.purchases += (1.0 - 0.5 ** (1.0 / t.volume_half_life_days)) * (bought - market.purchases)
    market.purchase_price = market.asked_price()
