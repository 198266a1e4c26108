"""Dealers: a Mesa agent each, deciding from own experience what to supply next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import mesa
import numpy as np
from numpy.typing import NDArray

from sim.levers import CHANNELS
from sim.world.accounts import REGISTERED, RENTED, UNSEALED
from sim.world.dealers import IDLE
from sim.world.world import World

if TYPE_CHECKING:
    from mesa import Model

Reals = NDArray[np.float64]
Ints = NDArray[np.int64]


class Dealer(mesa.Agent):  # type: ignore[misc]  # Mesa is not typed
    """One dealer in business: an agent whose state is a row of `world.dealers`."""

    def __init__(self, model: Model, world: World, row: int) -> None:
        super().__init__(model)
        self._dealers = world.dealers
        self.row = row

    @property
    def cash(self) -> float:
        """Money in yuan."""
        return float(self._dealers.cash[self.row])

    @property
    def evasion(self) -> float:
        """Effort put into evasion, in [0, 1]."""
        return float(self._dealers.evasion[self.row])

    @property
    def capacity(self) -> float:
        """Effort units a day."""
        return float(self._dealers.capacity[self.row])

    @property
    def pool(self) -> int:
        """Sealed accounts held."""
        return int(self._dealers.pool[self.row])

    @property
    def plan(self) -> dict[str, float]:
        """Shares of effort by channel; what is missing to 1 is idle."""
        return dict(zip(CHANNELS, self._dealers.shares[self.row, :IDLE].tolist(), strict=True))


@dataclass(frozen=True)
class Plans:
    """New plans of some dealers: `shares` (n, 6) of effort by channel and idle, `weights` (n, 4) of adverts by segment."""

    rows: Ints
    shares: Reals
    weights: Reals


def due(world: World, day: int) -> Ints:
    """Return the dealers who review their plan today: every seventh day, staggered by their key."""
    rows = world.dealers.rows()
    every = int(world.parameters.dealer.review_days)
    phase = (world.dealers.key[rows] % np.uint64(every)).astype(np.int64)
    return np.asarray(rows[phase == day % every])


def beliefs(world: World, rows: Ints) -> tuple[Reals, Reals]:
    """Return believed daily hazards and conversions, each (n, 5): own experience shrunk to the market's."""
    p, dealers, market = world.parameters.dealer, world.dealers, world.market
    hazard = (dealers.exits[rows] + p.prior_weight * market.hazards()) / (dealers.at_risk[rows] + p.prior_weight)
    pooled = market.wins / np.maximum(market.tries, 1e-9)
    prior = p.prior_effort * world.traits.tries_per_effort
    wins = (dealers.wins[rows] + prior * pooled) / (dealers.tries[rows] + prior)
    return np.clip(hazard, 1e-3, 1.0), wins


def expected_profit(world: World, rows: Ints) -> Reals:
    """Return the profit in yuan that each dealer expects from a unit of effort in each channel, (n, 5).

    conversion x (daily margin x expected life - price of the account) - price of a try; the margin has the cost of evasion inside.
    """
    p, market = world.parameters, world.market
    hazard, conversion = beliefs(world, rows)
    evasion = world.dealers.evasion[rows][:, None]
    worth = market.price * market.utilisation - p.dealer.evasion_cost_yuan * evasion**2
    margin = world.traits.quality * worth
    margin[:, RENTED] += p.renting.theft_per_day * p.population.payment_share * p.harm.theft_loss_yuan - market.commission
    life = 1.0 / hazard
    per_account = np.array([0.0, 0.0, -p.renting.identity_resale_yuan, market.purchase_price, p.trading.theft_cost_yuan])
    per_try = np.zeros(5)
    per_try[REGISTERED] = p.registration.sim_cost_yuan
    per_try[:RENTED] += market.assisted / np.maximum(market.tries[:RENTED], 1e-9) * market.helper_price
    per_try[UNSEALED] += market.assisted[UNSEALED] / max(market.tries[UNSEALED], 1e-9) * p.unsealing.attempt_cost_yuan
    return np.asarray(world.traits.tries_per_effort * (conversion * (margin * life - per_account) - per_try))


def plan(world: World, rows: Ints) -> Plans:
    """Decide how dealers spread their effort: a multinomial logit on expected profit with idleness as outside option.

    A tremble keeps every channel tried; unsealing is bounded by the pool of sealed accounts and what it cannot take goes to the others.
    Adverts go to segments in proportion to audience times the conversion seen there, plus exploration.
    """
    p, dealers = world.parameters, world.dealers
    utility = np.empty((rows.size, IDLE + 1))
    utility[:, :IDLE] = expected_profit(world, rows)
    utility[:, IDLE] = p.dealer.outside_yuan
    utility -= utility.max(axis=1, keepdims=True)
    shares = np.exp(p.dealer.choice_weight * utility)
    shares /= shares.sum(axis=1, keepdims=True)
    shares = (1 - p.dealer.tremble) * shares + p.dealer.tremble / (IDLE + 1)
    room = dealers.pool[rows] * p.unsealing.attempts_per_month / 30.0 / (p.unsealing.attempts_per_effort * dealers.capacity[rows])
    unsealing = np.minimum(shares[:, UNSEALED], room)
    others = 1.0 - shares[:, UNSEALED]
    shares *= ((1.0 - unsealing) / others)[:, None]
    shares[:, UNSEALED] = unsealing
    return Plans(rows, shares, advert_weights(world, rows))


def advert_weights(world: World, rows: Ints) -> Reals:
    """Return the shares of adverts by segment, (n, 4)."""
    p, dealers, market = world.parameters, world.dealers, world.market
    pooled = (market.recruits + 1e-4) / (market.shown + 1.0)
    weight = p.dealer.prior_effort * p.renting.exposures_per_effort
    seen = (dealers.recruits[rows] + weight * pooled) / (dealers.shown[rows] + weight)
    audience = world.population.shares
    weights = audience * seen
    weights /= weights.sum(axis=1, keepdims=True)
    return np.asarray((1 - p.renting.exploration) * weights + p.renting.exploration * audience)
