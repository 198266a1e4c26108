"""Places where helpers are found: pitches of scan teams and task platforms, and the day's search for helpers."""

from __future__ import annotations

import math
from typing import Any

import mesa

from twin.users import logistic


class Recruiter(mesa.Agent):
    """A pitch or a platform, whether or not anybody works there."""

    def __init__(self, model: Any, kind: str, places: int) -> None:
        super().__init__(model)
        helping, start = model.rules.helping, model.rules.start
        self.kind = kind
        stall = kind == "stall"
        self.behind = 1.0  # contacts behind one serious contact
        if stall:
            self.behind = 1 / (helping.stall_acceptance * helping.gift_multiplier * helping.impersonation_multiplier)
        self.size = int(helping.stall_catchment_users if stall else helping.platform_members)
        contacts = helping.stall_contacts_per_day if stall else helping.task_offers_per_member_day * self.size
        slots = helping.stall_slots_per_million if stall else helping.platform_slots_per_million
        spread = slots * model.millions / places  # whole numbers of places are made up for
        self.full_contacts = contacts / self.behind * spread
        self.contact_cost = self.behind * helping.contact_cost_yuan if stall else helping.task_offer_cost_yuan
        self.fee = helping.gift_yuan if stall else helping.task_fee_yuan
        self.fixed_cost = (helping.stall_fixed_yuan if stall else helping.platform_fixed_yuan) * spread
        self.people = model.random.sample(model.users, self.size)
        self.enrolled = 1.0
        self.open = False
        self.closed_until = 0
        self.acceptance = start.acceptance_stall if stall else start.acceptance_platform
        self.profit = 0.0
        self.earned = 0.0
        self.work = 0.0
        self.asked = 0
        self.found = 0

    def step(self) -> None:
        """Decide how much of the day to work."""
        self.asked = self.found = 0
        self.earned = 0.0
        self.work = 0.0
        if self.open and self.closed_until <= self.model.day:
            margin = (self.model.market.helper_price - self.fee) * self.acceptance - self.contact_cost
            self.work = logistic(margin / (self.behind * self.model.rules.helping.work_scale_yuan))
            self.earned -= self.fixed_cost

    def find_helper(self) -> Any:
        """Ask people until one helps, at most the candidates of a request; returns the user or None."""
        for _ in range(int(self.model.rules.helping.candidates_per_request)):
            self.asked += 1
            self.earned -= self.contact_cost
            place = self.model.random.randrange(self.size)
            if place >= self.enrolled * self.size:
                continue
            user = self.people[place]
            if not user.may_help():
                continue
            agrees = user.agrees_to_scan() if self.kind == "stall" else user.agrees_to_task()
            if self.model.random.random() < agrees:
                self.found += 1
                self.earned += self.model.market.helper_price - self.fee
                user.previous_assist, user.last_assist = user.last_assist, self.model.day
                return user
        return None

    def learn_acceptance(self) -> None:
        """Take in how many of those asked helped."""
        if self.asked:
            self.acceptance += self.model.rules.helping.memory * (self.found / self.asked - self.acceptance)

    def learn_profit(self) -> None:
        """Take in what the day earned."""
        helping = self.model.rules.helping
        if self.open:
            self.profit += (self.earned - self.profit) / helping.profit_memory_days


def serve_requests(model: Any) -> list[tuple[str, Any, Any]]:
    """Find helpers for the day's requests; returns (kind, who asked, helper or None) of each."""
    helping, market = model.rules.helping, model.market
    requests = model.requests
    model.random.shuffle(requests)
    room = sum(place.work * place.full_contacts for place in model.recruiters)
    a = market.per_candidate
    needed = (1 - (1 - a) ** helping.candidates_per_request) / a if a > 0 else helping.candidates_per_request
    served = len(requests) if len(requests) * needed <= room else model.whole(room / needed)
    weights = [place.full_contacts for place in model.recruiters]
    answers = []
    for number, (kind, who) in enumerate(requests):
        helper = None
        if number < served:
            place = _place(model, weights)
            helper = place.find_helper() if place is not None else None
        if helper is not None:
            who.pays(market.helper_price)
        answers.append((kind, who, helper))
    model.book.wanted = len(requests)
    for place in model.recruiters:
        place.learn_acceptance()
    offered = sum(place.work * place.full_contacts * place.acceptance for place in model.recruiters)
    market.learn_helping(len(requests), offered, sum(p.asked for p in model.recruiters), sum(p.found for p in model.recruiters))
    return answers


def _place(model: Any, weights: list[float]) -> Recruiter | None:
    """Draw a place by its capacity; where nobody works at the moment, another, up to eight times."""
    for _ in range(8):
        place = model.random.choices(model.recruiters, weights)[0]
        if model.random.random() < place.work:
            return place
    return None


def turnover(model: Any) -> None:
    """Policing and takedown, then who gives up and who sets up."""
    helping, levers, draw = model.rules.helping, model.levers, model.random.random
    for place in model.recruiters:
        if place.kind == "platform" and place.enrolled < 1:
            place.enrolled = min(1.0, place.enrolled + helping.platform_rebuild_per_day)
        if place.open and place.kind == "stall" and place.closed_until <= model.day:
            if draw() < helping.stall_closure_per_day * levers["stall_policing"]:
                place.closed_until = model.day + 1 + int(helping.stall_closed_days)
                place.earned -= helping.stall_fine_yuan
                model.book.count["stalls_closed"] += 1
        elif place.open and place.kind == "platform" and draw() < helping.platform_closure_per_day * levers["task_platform_takedown"]:
            place.people = model.random.sample(model.users, place.size)
            place.enrolled = 0.0
            model.book.count["task_platforms_closed"] += 1
    for kind in ("stall", "platform"):
        places = [p for p in model.recruiters if p.kind == kind]
        for place in places:
            place.learn_profit()
        at_work = [p for p in places if p.open]
        mean = math.fsum(p.profit for p in at_work) / len(at_work) if at_work else helping.reserve_yuan
        for place in places:
            if place.open:
                if place.profit < 0 and draw() < helping.exit_per_day * -place.profit / helping.reserve_yuan:
                    place.open = False
            elif mean > 0 and draw() < helping.entry_per_day * mean / helping.reserve_yuan:
                place.open, place.closed_until, place.profit = True, 0, 0.0
