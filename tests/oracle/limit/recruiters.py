"""Recruiters in expectation: one representative pitch, one representative platform, and their members."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from sim.levers import Levers
from sim.parameters import Parameters

Reals = NDArray[np.float64]
_HISTORY = 400


class Recruiters:
    """Pitches and platforms `(2,)`, per million users; members by kind and by what they know `(2, 2)`: uninformed, informed."""

    def __init__(self, p: Parameters, informed: float) -> None:
        h, s = p.helping, p.start
        self.p = p
        self.slots = np.array([h.stall_slots_per_million, h.platform_slots_per_million])
        self.members = np.array([h.stall_catchment_users, h.platform_members])
        base = h.stall_acceptance * h.gift_multiplier * h.impersonation_multiplier
        self.contacts = np.array([1 / base, 1.0])  # behind a serious contact
        self.room = self.slots * np.array([h.stall_contacts_per_day * base, h.platform_members * h.task_offers_per_member_day])
        self.contact_cost = np.array([h.contact_cost_yuan / base, h.task_offer_cost_yuan])
        self.fee, self.fixed = np.array([h.gift_yuan, h.task_fee_yuan]), np.array([h.stall_fixed_yuan, h.platform_fixed_yuan])
        self.open = np.array([s.stalls_share, s.platforms_share])
        self.acceptance, self.per_candidate = np.array([s.acceptance_stall, s.acceptance_platform]), s.per_candidate
        self.profit, self.earned = np.zeros(2), np.zeros(2)
        self.closed = deque([0.0] * int(h.stall_closed_days), maxlen=int(h.stall_closed_days))  # share of pitches policed each day
        self.downed = deque([0.0] * _HISTORY, maxlen=_HISTORY)  # share of platforms taken down each day, latest first
        self.fear = np.zeros((2, 2))  # risk remembered
        know = np.array([1 - informed, informed * p.awareness.informed_factor])
        a_day = np.array([s.assists_per_stall_day, s.assists_per_platform_day]) / self.members
        self.past = deque([a_day[:, None] * know / know.sum() for _ in range(_HISTORY)], maxlen=_HISTORY)  # assists a member, latest first

    def at_work(self) -> Reals:
        """Return the share of places where somebody works."""
        return self.open - np.array([sum(self.closed), 0.0])

    def help(self, levers: Levers, wanted: float, price: float, informed: float) -> tuple[Reals, float]:
        """Return assists by kind and knowledge, and assists offered, of a day with so many requests at a price."""
        h, a, pop = self.p.helping, self.p.awareness, self.p.population
        margin = (price - self.fee) * self.acceptance - self.contact_cost
        room = self.room * self.at_work() * expit(margin / (self.contacts * h.work_scale_yuan))
        tries, found = int(h.candidates_per_request), max(self.per_candidate, 1e-3)
        fill = min(1.0, room.sum() / max(wanted * (1 - (1 - found) ** tries) / found, 1e-9))
        placed = fill * (1 - (1 - room.sum() / self.room.sum()) ** 8)
        # members who may help: old enough account, enrolled, window over
        tight = levers.helper_cap / h.cap_reference
        self.window = max(1, int(np.ceil(h.cap_window_days * tight)))
        young = pop.young_account_share * min(h.cap_age_days * min(1, tight) / pop.young_account_days, 1)
        lost = float(np.array(self.downed) @ np.clip(1 - np.arange(_HISTORY) * h.platform_rebuild_per_day, 0, 1))
        self.know = np.array([1 - informed, informed])
        busy = sum((self.past[i] for i in range(self.window - 1)), np.zeros((2, 2)))
        able = np.maximum(np.array([1, 1 - lost])[:, None] * self.know * (1 - young) - busy, 1e-12)
        # acceptance of a serious contact, of those who remember a sanction and of the others
        dialog = 1 - h.confirmable_share * h.confirmation_effect * levers.scan_confirmation
        weighed = h.task_logit + h.task_fee_weight * np.log(h.task_fee_yuan / h.task_fee_usual_yuan)
        bold, wary = (np.array([dialog * np.exp(-x), expit(weighed - a.risk_weight * x)])[:, None] for x in (0.0, a.own_ban_risk))
        afraid = np.minimum(self.fear / max(a.own_ban_risk, 1e-12), 1)
        knows = np.array([[1, a.informed_factor / h.impersonation_multiplier], [1, a.informed_factor]])
        chance = knows * (bold * (1 - afraid) + wary * afraid)
        self.crowd = (self.slots * self.open * self.members)[:, None]
        seeking = wanted * placed * room / max(room.sum(), 1e-12)
        asked, helped = np.zeros(2), np.zeros((2, 2))
        for _ in range(tries):  # who helps is out for the rest of the day
            asked += seeking
            agree = (able * self.crowd - helped) * -np.expm1(-seeking[:, None] / self.crowd * chance)
            helped += agree
            seeking = seeking - agree.sum(axis=1)
        got = helped.sum(axis=1)
        if asked.sum() > 0:
            self.acceptance = self.acceptance + h.memory * (got / asked - self.acceptance)
            self.per_candidate += h.memory * (got.sum() / asked.sum() - self.per_candidate)
        self.past.appendleft(helped / self.crowd)
        self.rate = self.past[0] / able
        self.earned = (got * (price - self.fee) - asked * self.contact_cost) / (self.slots * self.open)
        self.earned -= self.at_work() / self.open * self.fixed
        return helped, float(room @ self.acceptance)

    def trace(self, levers: Levers, linked: float, helped: Reals, age: float) -> float:
        """Bar repeat helpers among those linked to accounts detected at an age; they remember it. Returns how many."""
        h, a = self.p.helping, self.p.awareness
        free = max(0.0, h.repeat_window_days - age - self.window)  # days in which assists came at an even rate
        repeat = 1 - np.exp(-self.rate * free)
        hit = linked * helped / max(helped.sum(), 1e-12) * repeat * h.sanction_rate * levers.helper_sanctions
        self.fear = self.fear * 0.5 ** (1 / a.risk_half_life_days) + a.own_ban_risk * hit / np.maximum(self.crowd * self.know, 1e-9)
        return float(hit.sum())

    def turn_over(self, levers: Levers) -> None:
        """Police pitches, take platforms down, let recruiters come and go by profit."""
        h = self.p.helping
        policed = self.at_work()[0] * h.stall_closure_per_day * levers.stall_policing
        self.earned[0] -= policed * h.stall_fine_yuan / self.open[0]
        self.closed.append(policed)
        down = h.platform_closure_per_day * levers.task_platform_takedown
        self.downed.appendleft(down)
        self.profit = self.profit + (self.earned - self.profit) / h.profit_memory_days
        come = (1 - self.open) * h.entry_per_day * np.maximum(0, self.profit / h.reserve_yuan)
        stay = self.open * (1 - h.exit_per_day * np.maximum(0, -self.profit / h.reserve_yuan))
        self.open, old = stay + come, stay / (stay + come)
        self.profit = self.profit * old
        for day in self.past:
            np.multiply(day, (old * np.array([1, 1 - down]))[:, None], out=day)
        self.fear = self.fear * np.array([1, 1 - down])[:, None]
