"""The order of a day, and the model that holds everybody."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

import mesa

from sim.levers import LEVERS, SEGMENTS
from sim.parameters import resolve
from twin import enforcement, recruiters, sources
from twin.abuse import abuse
from twin.accounts import premium
from twin.book import Book
from twin.dealers import Dealer, Experience
from twin.market import Market
from twin.recruiters import Recruiter
from twin.start import begin
from twin.users import Community, User, segment_logits


class Twin(mesa.Model):
    """The account black market, written plainly."""

    def __init__(self, scenario: Any, seed: int) -> None:
        super().__init__(seed=seed)
        self.scenario = scenario
        self.rules = resolve(scenario.parameters)
        self.day = 0
        self.millions = scenario.population.users / 1e6
        self.accounts: list[Any] = []
        self.docket: list[list[Any]] = []
        self.cases: dict[int, list[Any]] = defaultdict(list)
        self.claims: list[Any] = []
        self.requests: list[Any] = []
        self.banned_today: list[Any] = []
        self.banned_yesterday: list[Any] = []
        self.new_dealers_from_renters: list[Any] = []
        self.rows: list[dict[str, float]] = []
        self.lifetimes: list[tuple[str, int, int]] = []
        self.purchases_today = 0
        self.audience = [scenario.population.segments[name].share for name in SEGMENTS]
        self.news = [0.0] * len(SEGMENTS)
        self.levers = self.levers_of(0)
        self.awareness = self.fixed_point(self.levers)
        self.standing_awareness = self.fixed_point({"awareness_campaign": [LEVERS["awareness_campaign"].standing] * len(SEGMENTS)})
        self._people()
        self.book = Book(self)
        self.market = Market(self)
        segment_logits(self)
        self.set_surviving()
        begin(self)

    def _people(self) -> None:
        """Make users and the places where helpers are found."""
        users, size = self.scenario.population.users, int(self.rules.population.community_size)
        communities = math.ceil(users / size)
        ends, total = [], 0.0
        for share in self.audience:
            total += share
            ends.append(round(total * communities))
        self.users: list[User] = []
        self.segment_users: list[list[User]] = [[] for _ in SEGMENTS]
        for number in range(communities):
            community = Community()
            segment = next(g for g, end in enumerate(ends) if number < end)
            for _ in range(min(size, users - len(self.users))):
                user = User(self, community, segment)
                community.members.append(user)
                self.users.append(user)
                self.segment_users[segment].append(user)
        self.mean_premium = sum(premium(self, user) for user in self.users) / users
        helping = self.rules.helping
        places = {"stall": helping.stall_slots_per_million, "platform": helping.platform_slots_per_million}
        numbers = {kind: max(2, round(rate * self.millions)) for kind, rate in places.items()}
        self.recruiters = [Recruiter(self, kind, number) for kind, number in numbers.items() for _ in range(number)]

    # Draws

    def whole(self, expected: float) -> int:
        """Round to a whole number with the mean kept."""
        low = math.floor(expected)
        return low + (self.random.random() < expected - low)

    def poisson(self, mean: float) -> int:
        """Draw a Poisson count."""
        return int(self.rng.poisson(mean))

    def survivors(self, views: int, g: int) -> int:
        """Return how many advert views of a segment survive takedown and reports; counts those taken down."""
        shown = int(self.rng.binomial(views, self.surviving[g]))
        self.book.views_removed += views * self.rules.renting.takedown_effect * self.levers["ad_takedown"][g]
        return shown

    # Levers

    def levers_of(self, day: int) -> dict[str, Any]:
        """Return the strength of every lever on a day, by segment where the lever has segments."""
        strengths: dict[str, Any] = {}
        for name, lever in LEVERS.items():
            standing = self.scenario.levers.get(name, 0.0)
            by_segment = [standing] * len(SEGMENTS)
            for policy in self.scenario.policies.values():
                if policy.lever != name:
                    continue
                if policy.days is not None:
                    if day in policy.days:
                        by_segment = [policy.strength] * len(SEGMENTS)
                elif day >= policy.start_day and (policy.end_day is None or day < policy.end_day):
                    part = min(1.0, (day - policy.start_day) / policy.ramp_days) if policy.ramp_days else 1.0
                    for g, segment in enumerate(SEGMENTS):
                        if policy.segments is None or segment in policy.segments:
                            by_segment[g] = standing + (policy.strength - standing) * part
            strengths[name] = by_segment if lever.by_segment else by_segment[0]
        return strengths

    def fixed_point(self, levers: dict[str, Any]) -> list[float]:
        """Return the informed shares that campaigns of this strength keep up."""
        rules = self.rules.awareness
        f = 0.5 ** (1 / rules.half_life_days)
        reached = [u * rules.reach_per_day * rules.remember_share for u in levers["awareness_campaign"]]
        return [r * f / (1 - f + r * f) for r in reached]

    def spread_awareness(self) -> None:
        """Campaigns inform, time makes people forget."""
        rules = self.rules.awareness
        f = 0.5 ** (1 / rules.half_life_days)
        for g, u in enumerate(self.levers["awareness_campaign"]):
            a = self.awareness[g]
            self.awareness[g] = (a + (1 - a) * u * rules.reach_per_day * rules.remember_share) * f

    def set_surviving(self) -> None:
        """Note the share of advert views that survive takedown and reports."""
        rules, detection = self.rules.renting, self.rules.detection
        reported = detection.report_base + detection.report_span * self.levers["user_reporting"]
        self.surviving = [(1 - rules.takedown_effect * u) * (1 - rules.advert_report_weight * reported) for u in self.levers["ad_takedown"]]

    # People who come and go

    @property
    def dealers(self) -> list[Any]:
        """Dealers in business."""
        return list(self.agents_by_type[Dealer]) if Dealer in self.agents_by_type else []

    def open_case(self, kind: str, person: Any) -> int:
        """Open a legal case; returns the day on which it ends."""
        rules = self.rules.sanction
        end = self.day + int(self.random.uniform(rules.case_days_low, rules.case_days_high))
        if kind != "dealer":
            self.cases[end].append((kind, person))
        return end

    def sanction_innocents(self, number: int) -> None:
        """Sanction innocent users, who are counted only."""
        self.book.count["innocents_sanctioned"] += number

    # A day

    def step(self) -> None:
        """Live one day, in the order of MODEL.md."""
        self.book = Book(self)
        self.levers = self.levers_of(self.day)
        self.spread_awareness()
        segment_logits(self)
        self.set_surviving()
        self.market.note_ease()
        self.everybody(Dealer, "step")
        self.everybody(Recruiter, "step")
        self.everybody(Dealer, "register")
        self.everybody(Dealer, "unseal")
        with_friend = sources.own_requests(self)
        answers = recruiters.serve_requests(self)
        self.requests = []
        sources.decide(self, answers, with_friend)
        sources.innocent_requests(self)
        self.everybody(Dealer, "advertise")
        self.everybody(Dealer, "approach_home")
        self.everybody(Dealer, "steal")
        removed = self.rules.renting.honest_takedown_share * sum(
            a * u for a, u in zip(self.audience, self.levers["ad_takedown"], strict=True)
        )
        self.book.count["honest_adverts_removed"] += self.poisson(
            self.rules.population.honest_adverts_per_million_day * self.millions * removed
        )
        self.agents_by_type[User].do("step")
        sources.take_over(self)
        self.purchases_today = self.book.count["inflow_bought"]
        self.market.clear()
        self.book.at_clearing()
        abuse(self)
        enforcement.examine(self)
        others = enforcement.review(self)
        enforcement.sweep(self)
        enforcement.sanction(self, others)
        self.departures()
        self.dealer_turnover()
        recruiters.turnover(self)
        pooled = self.release()
        self.everybody(Dealer, "learn")
        self.market.learn(pooled, self.purchases_today, self.dealers)
        self.rows.append(self.book.finished())
        self.banned_yesterday, self.banned_today = self.banned_today, []
        self.day += 1

    def everybody(self, kind: type, what: str) -> None:
        """Let all agents of a kind do something."""
        if kind in self.agents_by_type:
            self.agents_by_type[kind].do(what)

    def departures(self) -> None:
        """Owners quit, dealers empty purses, robbed owners recover."""
        renting, harm = self.rules.renting, self.rules.harm
        for account in self.accounts:
            if not account.live:
                continue
            if account.channel == "rented":
                if account.owner.payment:
                    self.book.expected_harm += renting.theft_per_day * harm.theft_loss_yuan
                u = self.random.random()
                if u < renting.quit_per_day:
                    account.fate = "quit"
                elif u < renting.quit_per_day + renting.theft_per_day:
                    account.fate = "emptied"
                    if account.owner.payment:
                        account.dealer.pays(-harm.theft_loss_yuan)
                        self.book.count["harm_owner_yuan"] += harm.theft_loss_yuan
            elif account.channel == "stolen" and self.random.random() < self.rules.trading.recovery_per_day:
                account.fate = "recovered"

    def dealer_turnover(self) -> None:
        """Arrests, new cases, exits and entries of dealers."""
        rules, law, draw = self.rules.dealer, self.rules.sanction, self.random.random
        certainty = sum(a * u for a, u in zip(self.audience, self.levers["legal_certainty"], strict=True))
        for dealer in self.dealers:
            arrested = dealer.arrest_day == self.day
            if dealer.arrest_day is None and draw() < law.legal_dealer * certainty:
                dealer.arrest_day = self.open_case("dealer", dealer)
            short = min(2.0, max(0.0, (rules.reserve_yuan - dealer.profit) / rules.reserve_yuan))
            leaves = draw() < rules.exit_per_day * short or draw() < rules.retire_per_day or dealer.cash < -rules.bankrupt_yuan
            if arrested:
                self.book.count["arrests_dealer"] += 1
            if arrested or leaves:
                dealer.in_business = False
        staying = [d for d in self.dealers if d.in_business]
        evasion = sum(d.evasion for d in staying) / len(staying) if staying else self.rules.start.evasion
        incentive = min(rules.entry_limit, max(0.0, (self.market.profit - rules.reserve_yuan) / rules.reserve_yuan))
        mean = rules.entry_per_12_million_day * self.millions / 12 * incentive
        for _ in range(self.poisson(mean)):
            log = math.log(rules.capacity_mean) - rules.capacity_sigma**2 / 2 + rules.capacity_sigma * self.random.gauss(0, 1)
            Dealer(self, min(math.exp(log), rules.capacity_cap), evasion)
        for renter in self.new_dealers_from_renters:
            Dealer(self, self.rules.renting.dealer_capacity, evasion, home=renter.community)
        self.new_dealers_from_renters = []

    def release(self) -> Experience:
        """Take accounts that left off the table; returns what the market learns from the day."""
        kept = []
        for account in self.accounts:
            if account.live and account.dealer.in_business:
                kept.append(account)
                continue
            channel, age = account.channel, self.day - account.acquired + 1
            self.book.count[f"exits_{channel}"] += 1
            self.book.count[f"exit_age_{channel}"] += age
            if channel == "rented" and age > 21:
                self.book.count["exits_rented_long"] += 1
            self.lifetimes.append((channel, self.day, age))
            account.dealer.today.exits[channel] += 1
            sources.gives_back(account)
        self.accounts = kept
        pooled = Experience()
        for dealer in self.dealers:
            if dealer.in_business:
                pooled.learn(dealer.today, 1.0)
            else:
                dealer.remove()
        return pooled

    def run(self) -> list[dict[str, float]]:
        """Run to the last day; returns the rows."""
        for _ in range(self.scenario.run.days):
            self.step()
        return self.rows
