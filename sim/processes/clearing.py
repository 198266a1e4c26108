"""Clear the market of account-days: demand at the price of the day, revenue, commissions, upkeep."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.levers import CHANNELS, USES
from sim.world.accounts import RENTED
from sim.world.world import World


@dataclass(frozen=True)
class MarketFlows:
    """Prices of a day, and what is deployed and sold at them."""

    price: float
    commission: float
    helper_price: float
    purchase_price: float
    stock: NDArray[np.int64]
    supply: NDArray[np.float64]
    by_use: NDArray[np.float64]
    demand: float
    utilisation: float
    holdings: NDArray[np.float64]
    evasion: float
    top_share: float


def clear(world: World) -> MarketFlows:
    """Sell account-days: D = d (p/12)^-eps, K the quality-weighted stock, all suppliers at utilisation min(1, D/K).

    Dealers earn p q util an account, pay the commission to owners and 12 e^2 an effective account-day for evasion.
    """
    accounts, dealers, market, p = world.accounts, world.dealers, world.market, world.parameters
    n = accounts.size
    channel, dealer, quality = accounts.channel[:n], accounts.dealer[:n], accounts.quality[:n]
    supply = np.bincount(channel, weights=quality, minlength=len(CHANNELS)).astype(np.float64)
    total = float(supply.sum())
    demand = (
        p.market.demand_per_million
        * world.population.millions
        * (market.price / p.market.reference_price_yuan) ** -p.market.demand_elasticity
    )
    utilisation = min(1.0, demand / total) if total > 0 else 1.0  # whoever comes first sells all
    by_dealer = dealers.per_dealer(dealer, quality)
    market.transfer("abusers", "dealers", by_dealer * (market.price * utilisation))
    paid = (channel == RENTED) & ~accounts.unpaid[:n]
    market.transfer("dealers", "owners", dealers.per_dealer(dealer[paid]) * market.commission)
    upkeep = p.dealer.evasion_cost_yuan * dealers.evasion[: dealers.size] ** 2
    market.transfer("dealers", "suppliers", by_dealer * upkeep)
    market.utilisation, market.demand, market.supply = utilisation, demand, total
    holdings = dealers.per_channel(dealer, channel)
    held = np.sort(holdings.sum(axis=1)[dealers.rows()])[::-1]
    weight = by_dealer.sum()
    return MarketFlows(
        price=market.price,
        commission=market.commission,
        helper_price=market.helper_price,
        purchase_price=market.purchase_price,
        stock=np.bincount(channel, minlength=len(CHANNELS)),
        supply=supply,
        by_use=np.bincount(accounts.use[:n], weights=quality, minlength=len(USES)).astype(np.float64),
        demand=demand,
        utilisation=utilisation,
        holdings=holdings,
        evasion=float((by_dealer * dealers.evasion[: dealers.size]).sum() / weight) if weight > 0 else 0.0,
        top_share=float(held[: -(-held.size // 10)].sum() / held.sum()) if n else 0.0,
    )
