"""Prices, what the market remembers in common, and the ledger of money.

| attribute | unit | written by |
|---|---|---|
| price, commission, helper_price, purchase_price, purchases | yuan (purchases: accounts a day) | learning |
| demand, supply, utilisation | effective account-days, share | clearing |
| exits, at_risk, wins, tries, assisted, recruits, shown, earned, effort, realised_profit | counts that fade, yuan a day | learning |
| selling_ease | relative to the standing regime | trading |
| per_candidate | helpers per serious contact | verification |
| news | owners a day per million users | sanctions |
| balances, and the purses of dealers and recruiters | yuan | `transfer` alone |
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.levers import CHANNELS
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
        self.standing_ease = 1.0
        """How easily users sell under the standing regime, and (`selling_ease`) relative to it now."""
        self.selling_ease = 1.0
        self._first_hazards = np.array([getattr(start, f"hazard_{c}") for c in CHANNELS])
        self._prior_weight = parameters.dealer.prior_weight
        self._trading, self._millions = parameters.trading, millions
        self.purchase_price = self.asked_price()
        self.exits = np.zeros(5)
        """Pooled remembered exits by channel; like `at_risk`, `wins`, `tries` (5,) and `recruits`, `shown` (4,)."""
        self.at_risk = np.zeros(5)
        self.wins = np.zeros(5)
        self.tries = np.zeros(5)
        self.assisted = np.zeros(2)
        """Remembered assists bought for registering and for unsealing."""
        self.recruits = np.zeros(4)
        self.shown = np.zeros(4)
        self.earned = np.zeros(5)
        """Remembered yuan that effort brought by channel, and that effort."""
        self.effort = np.zeros(5)
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
        total = float(amounts.sum()) if isinstance(amounts, np.ndarray) else float(amounts)
        self.balances[payer] -= total
        self.balances[payee] += total
        earned = "outside" not in (payer, payee)
        if (purse := self._purses.get(payer)) is not None:
            purse.cash[: purse.size] -= amounts
            if earned:
                purse.today[: purse.size] -= amounts
        if (purse := self._purses.get(payee)) is not None:
            purse.cash[: purse.size] += amounts
            if earned:
                purse.today[: purse.size] += amounts
        return total

    def asked_price(self) -> float:
        """Return what sellers ask in yuan: it rises with volume, relative to how many would sell."""
        p = self._trading
        volume = self.purchases / (p.reference_per_million_day * self._millions * self.selling_ease)
        return float(p.asked_yuan * max(volume, p.volume_floor) ** (1.0 / p.supply_elasticity))

    def hazards(self) -> Reals:
        """Return the market's pooled daily hazard by channel, shape `(5,)`, with a little weight on what it was on day 0."""
        weight = self._prior_weight
        return np.clip((self.exits + weight * self._first_hazards) / (self.at_risk + weight), 0.005, 1.0)
