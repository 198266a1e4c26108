"""Prices, what the market remembers in common, and the ledger of money."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.parameters import Parameters
from sim.world.dealers import Dealers
from sim.world.recruiters import Recruiters

Reals = NDArray[np.float64]

PARTIES = ("dealers", "recruiters", "abusers", "owners", "helpers", "sellers", "suppliers", "law", "escrow", "outside")
"""Who can hold money; dealers and recruiters have a purse each, the others one together."""


class Market:
    """Prices of the day, pooled experience, and money, which moves only through `transfer`."""

    def __init__(self, parameters: Parameters, dealers: Dealers, recruiters: Recruiters, millions: float) -> None:
        start = parameters.start
        self.price = start.price_yuan
        self.commission = start.commission_yuan
        self.helper_price = start.helper_price_yuan
        self.utilisation = start.utilisation_share
        self.demand = 0.0
        self.supply = 0.0
        self.purchases = start.purchases_per_million * millions
        """Moving mean of purchases a day."""
        trading = parameters.trading
        volume = start.purchases_per_million / trading.reference_per_million_day
        self.purchase_price = trading.asked_yuan * max(volume, 0.05) ** (1.0 / trading.supply_elasticity)
        self.exits = np.zeros(5)
        """Pooled remembered exits by channel; like `at_risk`, `wins`, `tries` (5,) and `recruits`, `shown` (4,)."""
        self.at_risk = np.zeros(5)
        self.wins = np.zeros(5)
        self.tries = np.zeros(5)
        self.assisted = np.zeros(2)
        """Remembered assists bought for registering and for unsealing."""
        self.recruits = np.zeros(4)
        self.shown = np.zeros(4)
        self.realised_profit = start.dealer_profit_yuan
        """Mean profit of a dealer over the last month, which entrants hear of."""
        self.per_candidate = start.per_candidate
        """Moving mean of helpers found per serious contact, over all recruiters."""
        self.news = np.zeros(4)
        """Sanctioned owners a day per million users by segment, fading: what the news tells."""
        self.balances = dict.fromkeys(PARTIES, 0.0)
        self._purses: dict[str, Dealers | Recruiters] = {"dealers": dealers, "recruiters": recruiters}

    def transfer(self, payer: str, payee: str, amounts: Reals | float) -> float:
        """Move money between two parties; the one way in which money moves.

        `amounts` has one entry a row when a party is 'dealers' or 'recruiters' (never both sides at once), else it is a number.
        Returns the total. Raises `KeyError` for an unknown party.
        """
        total = float(np.sum(amounts))
        self.balances[payer] -= total
        self.balances[payee] += total
        for party, sign in ((payer, -1.0), (payee, 1.0)):
            purse = self._purses.get(party)
            if purse is not None:
                purse.cash[: purse.size] += sign * amounts
                if {payer, payee}.isdisjoint({"outside"}):
                    purse.today[: purse.size] += sign * amounts
        return total

    def hazards(self) -> Reals:
        """Return the market's pooled daily hazard by channel, shape `(5,)`."""
        return np.clip(self.exits / np.maximum(self.at_risk, 1e-9), 0.005, 1.0)
