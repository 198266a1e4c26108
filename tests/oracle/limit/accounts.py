"""Accounts under dealer control in expectation: how many there are of each kind, and how they are found out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from sim.levers import CHANNELS, USES, Levers
from sim.parameters import Parameters

Reals = NDArray[np.float64]
REGISTERED, UNSEALED, RENTED, BOUGHT, STOLEN = range(5)
FRAUD, VICE = 0, 1
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(9)
WEIGHTS /= WEIGHTS.sum()


@dataclass(frozen=True)
class Found:
    """Accounts detected by class of dealer and kind, `(classes, kinds)`; reports and accounts swept a day."""

    detected: Reals
    reports: float
    swept: float


class Accounts:
    """Accounts per million users: `x` by class of dealer, kind and age of the open report (0: none, else days and one).

    A kind is channel, use, owner's contacts (nodes of a quadrature, where they matter) and, while it matters, days since the unsealing.
    """

    def __init__(self, p: Parameters, classes: int) -> None:
        self.p = p
        by = lambda group, name, of=CHANNELS: np.array([getattr(group, name.format(x)) for x in of])  # noqa: E731
        self.quality, self.batch = by(p.account, "quality_{}"), by(p.account, "batch_{}")
        fit = np.ones((5, 4))
        fit[2:, :2], fit[0, 2:] = p.account.trusted_fit, p.account.fresh_fit
        self.uses = fit * by(p.account, "demand_{}", USES)
        self.uses /= self.uses.sum(axis=1, keepdims=True)
        self.oldest = int(max(p.unsealing.watch_days, p.unsealing.reseal_days + 1))
        contacts = p.population.contacts_median * np.exp(p.population.contacts_sigma * NODES) / p.population.contacts_reference
        kinds = []
        for c in range(5):
            for u in range(4):
                close = c in (RENTED, STOLEN) and u == FRAUD  # whose contacts are approached
                for many, part in zip(contacts if close else [0.0], WEIGHTS if close else [1.0], strict=True):
                    ages = range(self.oldest + 1 if c == UNSEALED else 1)
                    kinds += [(c, u, many, age, part * self.uses[c, u] * (age == 0)) for age in ages]
        table = np.array(kinds)
        self.channel, self.use, self.age = (table[:, i].astype(int) for i in (0, 1, 3))
        self.contacts, self.new = table[:, 2], table[:, 4]
        self.of = np.eye(5)[self.channel]  # (kinds, 5)
        cover = by(p.detection, "cover_{}")[self.channel] + by(p.detection, "use_{}", USES)[self.use]
        self.cover = cover + p.unsealing.watch_sensitivity * ((self.channel == UNSEALED) & (self.age < p.unsealing.watch_days))
        life = int(p.detection.case_life_days)
        self.x = np.zeros((classes, self.channel.size, life + 1))
        self.docket = np.zeros((3, life))
        """Other cases that wait, by age: mistaken reports, appeals of innocents, appeals of owners."""

    def begin(self, held: Reals, hazard: Reals, reported: float) -> None:
        """Put `held` accounts (classes, 5) in place, ages geometric by hazard, a share reported on day 0."""
        ages = hazard[UNSEALED] * (1 - hazard[UNSEALED]) ** (np.arange(self.oldest + 1) - 1.0)
        ages[0] = 0.0
        ages[-1] = 1 - ages[:-1].sum()
        part = self.new.copy()
        for u in range(4):
            part[(self.channel == UNSEALED) & (self.use == u)] = self.uses[UNSEALED, u] * ages
        stock = held[:, self.channel] * part
        self.x[:, :, 0], self.x[:, :, 1] = stock * (1 - reported), stock * reported

    def held(self) -> Reals:
        """Return accounts by class and channel."""
        return self.x.sum(axis=2) @ self.of

    def examine(self, levers: Levers, util: float, evasion: Reals, late: float, inflow: Reals, dealers: Reals) -> Found:
        """Report, examine, review and sweep. `late`: share of unsealings caught late; `inflow` by class and channel; `dealers` by class."""
        p, d, x = self.p, self.p.detection, self.x
        held, hide = self.held(), evasion[:, None]
        shield = 1 - p.dealer.evasion_shield * hide
        willing = d.report_base + d.report_span * levers.user_reporting
        approaches = util * (p.harm.stranger_approaches + p.harm.friend_approaches * self.contacts)
        nuisance = (d.nuisance_base + d.nuisance_span * levers.user_reporting) * util
        report = np.where(self.use == FRAUD, -np.expm1(-willing * approaches), nuisance)
        start = x.sum(axis=2)
        fresh = x[:, :, 0] * report
        x[:, :, 0] -= fresh
        x[:, :, 1] += fresh
        self.docket[0, 0] += d.mistaken_per_million_day * willing
        waiting = x[:, :, 1:].sum(axis=(0, 1)) + self.docket.sum(axis=0)
        # examinations: late catches, purge, login check, audit
        owned, threshold = np.isin(self.channel, (RENTED, STOLEN)), d.threshold - levers.account_audit
        live = 1 - late * ((self.channel == UNSEALED) & (self.age == int(p.unsealing.reseal_days)))
        live = live * (1 - levers.purge * (1 - hide)) * (1 - d.login_rate * levers.login_check * shield * owned)
        audit = d.audit_rate * ndtr(self.cover - d.evasion_effect * hide - threshold)
        x *= (live * (1 - audit))[:, :, None]
        caught = start * live * audit
        # review: oldest day first; a case on an account that fell today takes a reviewer and needs no decision
        room = d.cases_per_million_day * levers.review_capacity - (np.cumsum(waiting[::-1])[::-1] - waiting)
        taken = np.clip(room / np.maximum(waiting, 1e-12), 0, 1)
        reviewed = x[:, :, 1:] * taken
        x[:, :, 1:] -= reviewed
        x[:, :, 0] += reviewed.sum(axis=2) * (1 - d.confirm_share)
        caught += reviewed.sum(axis=2) * d.confirm_share
        handled = self.docket * taken
        self.docket -= handled
        # sweep of live batch-mates of what audit or review caught
        mate = self._mate_caught(held, inflow, dealers, np.minimum((caught @ self.of) / np.maximum(held, 1e-12), 1))
        falls = (d.sweep_rate * levers.cluster_sweep * shield * mate)[:, self.channel]
        swept = x.sum(axis=2) * falls
        x *= (1 - falls)[:, :, None]
        detected = start - x.sum(axis=2)
        innocents = 1e6 * d.audit_rate * float(ndtr(-threshold)) * (1 + d.purge_innocents * levers.purge)
        innocents += handled[0].sum() * d.confirm_innocent_share + d.innocents_per_swept * swept.sum()
        self.docket[1, 0] += p.sanction.appeal_innocent * (innocents + (detected @ self.of)[:, STOLEN].sum())
        return Found(detected, float((start * report).sum()), float(swept.sum()))

    def _mate_caught(self, held: Reals, inflow: Reals, dealers: Reals, caught: Reals) -> Reals:
        """Return by class and channel the chance that a batch-mate of a live account was caught today.

        Accounts come at the dealer's even rate and fall at an even rate, each on its own; going back or forth from an account, each step
        leaves the batch with 2/(B + 1). The chance is the mean over the life of an account, weighted by those alive.
        """
        chance = np.zeros_like(held)
        rate = np.maximum(inflow, 1e-12) / np.maximum(dealers, 1e-12)[:, None]
        hazard = np.clip(inflow / np.maximum(held, 1e-12), 1e-3, 0.95)
        for c in np.flatnonzero(self.batch > 1):
            leaves = 2 / (self.batch[c] + 1)
            steps = np.arange(1, int(np.log(1e-3) / np.log1p(-leaves)) + 2)
            age = (np.arange(48) + 0.5)[:, None, None] / 48 * (6 / hazard[:, [c]])  # (moments, classes, steps)
            live = lambda ages, c=c: np.where(ages >= 0, np.exp(np.log1p(-hazard[:, [c]]) * np.maximum(ages, 0)), 0)  # noqa: E731
            spared = 1.0
            for way in (1, -1):
                passed = np.cumprod(1 - live(age + way * steps / rate[:, [c]]) * caught[:, [c]], axis=2)
                reach = leaves * (1 - leaves) ** steps
                spared = spared * (leaves + (reach * passed).sum(axis=2) + (1 - leaves - reach.sum()) * passed[:, :, -1])
            weight = live(age)[:, :, 0]
            chance[:, c] = (weight * (1 - spared)).sum(axis=0) / weight.sum(axis=0)
        return chance

    def depart(self) -> None:
        """Let owners quit, dealers empty purses and robbed owners recover."""
        r = self.p.renting
        leave = np.array([0, 0, r.quit_per_day + r.theft_per_day, 0, self.p.trading.recovery_per_day])
        self.x *= (1 - leave[self.channel])[:, None]

    def waiting(self) -> float:
        """Return the cases that wait."""
        return float(self.x[:, :, 1:].sum() + self.docket.sum())

    def grow_older(self) -> None:
        """Age open cases, which lapse in the end, and unsealed accounts, by a day."""
        x, lapsed = self.x, self.x[:, :, -1].copy()
        x[:, :, 2:] = x[:, :, 1:-1].copy()
        x[:, :, 1] = 0
        x[:, :, 0] += lapsed
        self.docket[:, 1:] = self.docket[:, :-1].copy()
        self.docket[:, 0] = 0
        for u in range(4):
            rows = np.flatnonzero((self.channel == UNSEALED) & (self.use == u))
            x[:, rows[-1]] += x[:, rows[-2]]
            x[:, rows[1:-1]] = x[:, rows[:-2]].copy()
            x[:, rows[0]] = 0
