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
    """New plans of some dealers: `attraction` and `shares` (n, 6) of effort by channel and idle, `weights` (n, 4) of adverts by segment."""

    rows: Ints
    attraction: Reals
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


def daily_margin(world: World, rows: Ints) -> Reals:
    """Return what an average account of each channel brings its dealer a day in yuan, the cost of evasion inside, (n, 5)."""
    p, market = world.parameters, world.market
    evasion = world.dealers.evasion[rows][:, None]
    worth = market.price * market.utilisation - p.dealer.evasion_cost_yuan * evasion**2
    margin = world.traits.quality * worth
    margin[:, RENTED] += p.renting.theft_per_day * p.population.payment_share * p.harm.theft_loss_yuan - market.commission
    return np.asarray(margin)


def prices(world: World) -> tuple[Reals, Reals]:
    """Return what an account gained costs in each channel beside the tries, and what a try costs, in yuan, each (5,)."""
    p, market = world.parameters, world.market
    per_account = np.array([0.0, 0.0, -p.renting.identity_resale_yuan, market.purchase_price, p.trading.theft_cost_yuan])
    per_try = np.zeros(5)
    per_try[REGISTERED] = p.registration.sim_cost_yuan
    per_try[:RENTED] += market.assisted / np.maximum(market.tries[:RENTED], 1e-9) * market.helper_price
    per_try[UNSEALED] += market.assisted[UNSEALED] / max(market.tries[UNSEALED], 1e-9) * p.unsealing.attempt_cost_yuan
    return per_account, per_try


def expected_profit(world: World, rows: Ints) -> Reals:
    """Return the profit in yuan that each dealer expects from a unit of effort in each channel, (n, 5).

    conversion x (daily margin x expected life - price of the account) - price of a try.
    """
    hazard, conversion = beliefs(world, rows)
    per_account, per_try = prices(world)
    life = 1.0 / hazard
    return np.asarray(world.traits.tries_per_effort * (conversion * (daily_margin(world, rows) * life - per_account) - per_try))


def remembered_profit(world: World, rows: Ints) -> Reals:
    """Return the profit in yuan that a unit of effort brought in each channel, (n, 5): own, shrunk to the market's."""
    p, dealers, market = world.parameters.dealer, world.dealers, world.market
    pooled = market.earned / np.maximum(market.effort, 1e-9)
    return np.asarray((dealers.earned[rows] + p.prior_effort * pooled) / (dealers.effort[rows] + p.prior_effort))


def attraction(world: World, rows: Ints) -> Reals:
    """Return how dealers are drawn to each channel and to idleness, (n, 6), summing to 1: the rule by which they learn.

    *logit*: softmax of expected profit, forward-looking. *exp3*: exponential weights of the profit that a dealer's own effort brought,
    with a fixed share spread anew (in the manner of EXP3.S; Auer, Cesa-Bianchi, Freund & Schapire 2002); as effort is divided, every
    channel is played, and its profit per effort over the fading memory stands for the importance-weighted payoff. *replicator*: shares
    grow with the profit that the market's effort brought (imitation; Taylor & Jonker 1978), with mutation. Under the last two a first
    plan is the logit's.
    """
    p, dealers, market = world.parameters.dealer, world.dealers, world.market
    if world.learning == "logit":
        return _softmax(p.choice_weight, expected_profit(world, rows), p.outside_yuan)
    before = dealers.attraction[rows]
    new = before.sum(axis=1) == 0
    if new.any():
        before[new] = _softmax(p.choice_weight, expected_profit(world, rows[new]), p.outside_yuan)
    if world.learning == "exp3":
        rate, spread, payoff = p.exp3_rate, p.exp3_share, remembered_profit(world, rows)
    else:
        pooled = market.earned / np.maximum(market.effort, 1e-9)
        rate, spread, payoff = p.replicator_rate, p.replicator_mutation, np.broadcast_to(pooled, (rows.size, pooled.size))
    grown = before * _softmax(rate, payoff, p.outside_yuan)
    grown /= grown.sum(axis=1, keepdims=True)
    after = (1 - spread) * grown + spread / (IDLE + 1)
    return np.asarray(np.where(new[:, None], before, after))


def _softmax(weight: float, payoff: Reals, outside: float) -> Reals:
    """Return exponential weights of payoffs, (n, 6), those of `outside` last."""
    utility = np.empty((payoff.shape[0], IDLE + 1))
    utility[:, :IDLE] = payoff
    utility[:, IDLE] = outside
    utility -= utility.max(axis=1, keepdims=True)
    weights = np.exp(weight * utility)
    weights /= weights.sum(axis=1, keepdims=True)
    return np.asarray(weights)


def plan(world: World, rows: Ints) -> Plans:
    """Decide how dealers spread their effort: by attraction, with a tremble that keeps every channel tried.

    Unsealing is bounded by the pool of sealed accounts and what it cannot take goes to the others.
    Adverts go to segments in proportion to audience times the conversion seen there, plus exploration.
    """
    p, dealers = world.parameters, world.dealers
    drawn = attraction(world, rows)
    shares = (1 - p.dealer.tremble) * drawn + p.dealer.tremble / (IDLE + 1)
    room = dealers.pool[rows] * p.unsealing.attempts_per_month / 30.0 / (p.unsealing.attempts_per_effort * dealers.capacity[rows])
    unsealing = np.minimum(shares[:, UNSEALED], room)
    others = 1.0 - shares[:, UNSEALED]
    shares *= ((1.0 - unsealing) / others)[:, None]
    shares[:, UNSEALED] = unsealing
    return Plans(rows, drawn, shares, advert_weights(world, rows))


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
