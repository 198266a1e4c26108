"""All state of the mean-field market, and the decisions taken on it."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtr, ndtri

from limit.accounts import NODES, RENTED, UNSEALED, WEIGHTS, Accounts
from limit.recruiters import Recruiters
from sim.levers import CHANNELS, LEVERS, SEGMENTS, Levers
from sim.parameters import resolve
from sim.policies import levers_in_force
from sim.scenario import Scenario

Reals = NDArray[np.float64]


def _sizes(mean: float, sigma: float, edges: Reals) -> tuple[Reals, Reals]:
    """Return shares of a normal logarithm of size in bins, `(bins,)`, and normal deviates that fill each bin evenly, `(bins, 64)`."""
    if sigma == 0:
        return np.histogram(mean, edges)[0].astype(float), np.zeros((edges.size - 1, 64))
    below = ndtr((edges - mean) / sigma)
    share = np.diff(below)
    return share, ndtri(np.clip(below[:-1, None] + share[:, None] * (np.arange(64) + 0.5) / 64, 1e-12, 1 - 1e-12))


class State:
    """What there is on a day, per million users, with `classes` of dealers by size at entry, and what people decide on it."""

    def __init__(self, scenario: Scenario, classes: int = 15) -> None:
        p = self.p = resolve(scenario.parameters)
        self.scenario, self.millions, self.day = scenario, scenario.population.users / 1e6, 0
        self.rows: dict[str, list[float]] = {}
        s, d = p.start, p.dealer
        self.audience = np.array([scenario.population.segments[x].share for x in SEGMENTS])
        self.segment = np.array([getattr(p.renting, f"{x}_logit") for x in SEGMENTS])
        r, u, t = p.renting, p.unsealing, p.trading
        self.per_effort = np.array(
            [p.registration.attempts_per_effort, u.attempts_per_effort, r.exposures_per_effort, t.exposures_per_effort, t.thefts_per_effort]
        )
        # dealers: numbers, and sums over each class
        edges = np.linspace(0.0, np.log(d.capacity_cap), classes + 1)
        edges[0], edges[-1] = -60.0, 60.0
        share, z = _sizes(s.size_log_mean, s.size_log_sigma, edges)
        self.n = s.dealers_per_million * share
        size = np.minimum(np.exp(s.size_log_mean + s.size_log_sigma * z), d.capacity_cap)
        grown = np.clip(size * np.exp(s.growth_log_mean + s.growth_log_slope * s.size_log_sigma * z), 1.0, d.capacity_cap)
        self.first, self.size = self.n * size.mean(axis=1), self.n * grown.mean(axis=1)
        median = np.log(d.capacity_mean) - d.capacity_sigma**2 / 2
        self.enter_share, z = _sizes(median, d.capacity_sigma, edges)
        self.enter_size = np.minimum(np.exp(median + d.capacity_sigma * z), d.capacity_cap).mean(axis=1)
        part = self.size / max(self.size.sum(), 1e-12)
        self.evasion, self.profit = np.full(classes, s.evasion), s.dealer_profit_yuan * self.n.sum() * part
        self.pool = np.minimum(s.pool_per_million * part, u.pool_cap * self.n)
        self.openings = deque([0.0] * 400, maxlen=400)  # dealers' cases opened, latest first
        stock, self.hazard0, win = (
            np.array([getattr(s, name.format(c)) for c in CHANNELS]) for name in ("stock_{}_per_million", "hazard_{}", "conversion_{}")
        )
        held = part[:, None] * stock * (1 - self.hazard0)
        self.accounts = Accounts(p, classes)
        self.accounts.begin(held, self.hazard0, s.case_share)
        risk, pooled = held / (1 - d.memory), stock / (1 - d.memory) + d.prior_weight / self.millions
        self.own, self.pooled = (
            {"at_risk": x, "exits": x * self.hazard0, "tries": x * self.hazard0 / win, "wins": x * self.hazard0} for x in (risk, pooled)
        )
        self.own |= {"recruits": np.zeros((classes, 4)), "shown": np.zeros((classes, 4))}
        self.pooled["recruits"] = self.pooled["wins"][RENTED] * self.audience * np.exp(self.segment)
        self.pooled["shown"] = self.pooled["tries"][RENTED] * self.audience
        self.pooled["assisted"] = self.pooled["tries"][:2] * np.array([s.assisted_registered, s.assisted_unsealed])
        # prices and users
        self.price, self.commission, self.helper_price, self.util = (
            s.price_yuan,
            s.commission_yuan,
            s.helper_price_yuan,
            s.utilisation_share,
        )
        self.purchases, self.realised = s.purchases_per_million, s.dealer_profit_yuan
        standing = Levers.of({name: lever.standing for name, lever in LEVERS.items()})
        self.standing_ease, self.ease = 1.0, 1.0
        self.standing_ease = self._settle(standing)
        self.ease = self._settle(levers_in_force(scenario, 0))
        self.asked = self.asked_price()
        lured = self.audience * np.exp(self.segment)
        self.renters = held[:, RENTED].sum() * lured / lured.sum()  # by segment
        self.repeat, self.unpaid, self.pairs = 0.0, 0.0, 0.0  # renters with a strike, without pay; ordered pairs in one community
        self.sanctioned = deque([np.zeros(3)] * 400, maxlen=400)  # owners by step of the ladder, latest first
        self.linked = np.zeros(2)  # registered and unsealed accounts with a helper
        self.closing = 0.0
        self.recruiters = Recruiters(p, float(self.audience @ self.informed))
        shares, weights = self.plan()
        self.plans, self.adverts = (
            deque([x.copy() for _ in range(int(d.review_days))], maxlen=int(d.review_days)) for x in (shares, weights)
        )

    # ---- what people and dealers make of the day --------------------------------------------------------------------------------

    def _settle(self, levers: Levers) -> float:
        """Put informed shares at their fixed point; returns the ease of selling relative to `standing_ease`."""
        a = self.p.awareness
        reach, keep = levers.awareness_campaign * a.reach_per_day * a.remember_share, 0.5 ** (1 / a.half_life_days)
        self.informed = reach * keep / (1 - keep + reach * keep)
        return self.selling_ease(levers)

    def selling_ease(self, levers: Levers) -> float:
        """Return how easily users sell, relative to the standing regime."""
        lured = self.audience * np.exp(self.segment)
        know = 1 - self.informed * (1 - self.p.awareness.informed_factor)
        return float(lured @ (self.adverts_surviving(levers) * know * np.exp(self.law(levers))) / lured.sum()) / self.standing_ease

    def asked_price(self) -> float:
        """Return what sellers ask, in yuan."""
        t = self.p.trading
        volume = self.purchases / (t.reference_per_million_day * self.ease)
        return float(t.asked_yuan * max(volume, t.volume_floor) ** (1 / t.supply_elasticity))

    def law(self, levers: Levers) -> Reals:
        """Return what law adds to the logit of acceptance, by segment."""
        r = self.p.renting
        certainty, severity = (
            np.log(np.maximum(u, r.law_floor) / r.law_reference) for u in (levers.legal_certainty, levers.legal_severity)
        )
        return -r.legal_weight * (certainty + r.severity_share * severity)

    def adverts_surviving(self, levers: Levers) -> Reals:
        """Return the share of adverts that survive takedown, by segment."""
        r, d = self.p.renting, self.p.detection
        reports = d.report_base + d.report_span * levers.user_reporting
        return (1 - r.takedown_effect * levers.ad_takedown) * (1 - r.advert_report_weight * reports)

    def accept(self, logit: Reals, met: Reals | None = None) -> Reals:
        """Return acceptance by segment, over reservations and knowledge; `met`: the logit at which they accepted before."""
        f, informed, weight = self.p.awareness.informed_factor, self.informed, np.tile(WEIGHTS, (4, 1))
        spread = -self.p.renting.commission_weight * self.p.population.reservation_sigma * NODES
        if met is not None:
            weight = weight * expit(met[:, None] + spread)
            weight, informed = weight / weight.sum(axis=1, keepdims=True), informed * f / (1 - informed + informed * f)
        return (weight * expit(logit[:, None] + spread)).sum(axis=1) * (1 - informed * (1 - f))

    def market_hazard(self) -> Reals:
        """Return the market's pooled hazards."""
        prior = self.p.dealer.prior_weight / self.millions
        return np.clip((self.pooled["exits"] + prior * self.hazard0) / (self.pooled["at_risk"] + prior), 0.005, 1)

    def hazard(self) -> Reals:
        """Return believed hazards, own experience shrunk to the market's."""
        prior = self.p.dealer.prior_weight * self.n[:, None]
        return (self.own["exits"] + prior * self.market_hazard()) / np.maximum(self.own["at_risk"] + prior, 1e-300)

    def plan(self) -> tuple[Reals, Reals]:
        """Return effort by channel and idle, and adverts by segment, that each class would choose today."""
        p, d, m, n = self.p, self.p.dealer, self.pooled, np.maximum(self.n, 1e-300)[:, None]
        prior = d.prior_effort * self.per_effort * n
        conversion = (self.own["wins"] + prior * m["wins"] / np.maximum(m["tries"], 1e-9)) / (self.own["tries"] + prior)
        margin = self.accounts.quality * (self.price * self.util - d.evasion_cost_yuan * self.evasion[:, None] ** 2)
        margin[:, RENTED] += p.renting.theft_per_day * p.population.payment_share * p.harm.theft_loss_yuan - self.commission
        account = np.array([0, 0, -p.renting.identity_resale_yuan, self.asked, p.trading.theft_cost_yuan])
        assisted = m["assisted"] / np.maximum(m["tries"][:2], 1e-9)
        once = np.array([p.registration.sim_cost_yuan, assisted[1] * p.unsealing.attempt_cost_yuan, 0, 0, 0])
        once[:2] += assisted * self.helper_price
        value = np.full((n.size, 6), d.outside_yuan)
        value[:, :5] = self.per_effort * (conversion * (margin / np.clip(self.hazard(), 1e-3, 1) - account) - once)
        shares = np.exp(d.choice_weight * (value - value.max(axis=1, keepdims=True)))
        shares = (1 - d.tremble) * shares / shares.sum(axis=1, keepdims=True) + d.tremble / 6
        room = self.pool * p.unsealing.attempts_per_month / 30 / np.maximum(p.unsealing.attempts_per_effort * self.size, 1e-300)
        kept = np.minimum(shares[:, UNSEALED], room)
        shares *= ((1 - kept) / (1 - shares[:, UNSEALED]))[:, None]
        shares[:, UNSEALED] = kept
        weight = d.prior_effort * p.renting.exposures_per_effort * n
        pooled = (m["recruits"] + 1e-4 / self.millions) / (m["shown"] + 1 / self.millions)
        seen = self.audience * (self.own["recruits"] + weight * pooled) / (self.own["shown"] + weight)
        return shares, (1 - p.renting.exploration) * seen / seen.sum(axis=1, keepdims=True) + p.renting.exploration * self.audience
