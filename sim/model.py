"""The account black market as a Mesa model: `step` is the table of contents of a day."""

from __future__ import annotations

import pickle

import mesa
import numpy as np
from numpy.typing import NDArray

from sim.agents import dealer as dealing
from sim.agents import recruiter as recruiting
from sim.agents.dealer import Dealer
from sim.agents.enforcer import Enforcer, take_up
from sim.agents.recruiter import Recruiter
from sim.agents.user import selling_ease
from sim.levers import LEVERS, Levers
from sim.luck import Luck
from sim.outcomes import Column, Recorder
from sim.policies import levers_in_force
from sim.processes import (
    abuse,
    acquiring,
    awareness,
    clearing,
    departures,
    detection,
    learning,
    registration,
    renting,
    sanctions,
    trading,
    turnover,
    unsealing,
    verification,
)
from sim.rows import Day, events, outcome_row
from sim.scenario import Scenario
from sim.world.accounts import BOUGHT, Claims
from sim.world.start import first_assists, first_batches, first_cases, first_claims, first_dealers, first_experience, own_experience
from sim.world.world import World


class AccountMarket(mesa.Model):  # type: ignore[misc]  # Mesa is not typed
    """One run of the market under a scenario.

    Parameters
    ----------
    scenario
        What to simulate.
    seed
        Picks the run's luck; the same scenario and seed give the same bits. Default: the scenario's own seed.
    saved
        What `saved` of a model returned, to go on from there under that model's seed; no `seed` or `luck` can be given then. The scenario
        has to be that model's but for what acts from then on only: raises `ValueError` when users, days or parameters differ.
    luck
        In place of `Luck(seed)`, for who wants to see what is drawn.
    """

    def __init__(self, scenario: Scenario, seed: int | None = None, saved: bytes | None = None, luck: Luck | None = None) -> None:
        if saved is not None and (seed is not None or luck is not None):
            raise ValueError("a saved state has its own luck; give no seed and no luck beside it")
        self.scenario = scenario
        self.day = 0
        """Days done; also the number of the day that the next step simulates."""
        seed = scenario.run.seed if seed is None else seed
        if saved is None:
            self.luck = Luck(seed) if luck is None else luck
            self.world = World(scenario, self.luck)
            self._recorder = Recorder(scenario.run.days)
        else:
            before, self.day, self.luck, self.world, self._recorder, spent, dealers = pickle.loads(saved)  # noqa: S301  # made by `saved`
            if before != _fixed(scenario):
                raise ValueError("the state was saved of a scenario with other users, days or parameters")
        super().__init__(rng=self.luck.seed)
        self.enforcer = Enforcer(self, self.world.parameters)
        self._dealers: dict[int, Dealer] = {}
        self._recruiters = [Recruiter(self, self.world, row) for row in range(self.world.recruiters.size)]
        if saved is None:
            self._set_up(levers_in_force(scenario, 0))
        else:
            self.steps, self.running = self.day, self.day < scenario.run.days
            self.enforcer.spent = spent
            self._follow_dealers(dealers, dealers[:0])

    def saved(self) -> bytes:
        """Return the state at the start of the day, from which a model goes on to the bit as this one does.

        It is saved in one piece, because parts of the world hold each other. Agents are not in it but in whose place they come: they only
        look at rows, and are numbered anew.
        """
        dealers = np.array(list(self._dealers), dtype=np.int64)
        return pickle.dumps(
            (_fixed(self.scenario), self.day, self.luck, self.world, self._recorder, self.enforcer.spent, dealers), protocol=5
        )

    def close(self) -> None:
        """Let go of what Mesa keeps of a model that is done with: its count of agents, which would hold the model for good."""
        counts = getattr(mesa.Agent, "_ids", None)
        if isinstance(counts, dict):
            counts.pop(self, None)

    def _set_up(self, levers: Levers) -> None:
        """Fill the world of day 0: awareness at its fixed point, dealers with pools, stocks, beliefs and plans."""
        world, luck = self.world, self.luck
        standing = Levers.of({name: lever.standing for name, lever in LEVERS.items()})
        awareness.settle(world, standing)
        world.market.standing_ease = selling_ease(world, standing)
        awareness.settle(world, levers)
        world.market.selling_ease = selling_ease(world, levers) / world.market.standing_ease
        rows = first_dealers(world, luck)
        first_experience(world)
        first_assists(world, levers, luck)
        claims, ages = first_claims(world, luck, rows)
        held = acquiring.acquire(world, luck, 0, claims, acquired=-1 - ages)
        own_experience(world, luck, rows, held.by_dealer)
        first_batches(world, luck, held.by_dealer)
        first_cases(world, luck)
        self._plan(rows)
        self._follow_dealers(rows, rows[:0])

    @property
    def daily(self) -> dict[str, Column]:
        """Outcomes of the days done, each of shape `(days,)`."""
        return self._recorder.columns()

    def run(self) -> None:
        """Simulate the days that are left."""
        while self.day < self.scenario.run.days:
            self.step()

    def step(self) -> None:
        """Simulate one day; after the last one `running` is false. Raises `RuntimeError` past the last day of the scenario."""
        world, luck, day = self.world, self.luck, self.day
        if day >= self.scenario.run.days:
            raise RuntimeError(f"the scenario has {day} days, and all are done; set run.days for more")
        levers = self.enforcer.levers = levers_in_force(self.scenario, day)
        frozen = not self.scenario.dealers.adaptive and day >= self.scenario.run.burn_in_days

        informed = awareness.spread(world, levers)
        self._plan(self._unplanned(day) if frozen else dealing.due(world, day))
        work = recruiting.work(world, day)

        sign_ups = registration.sign_up(world, levers, luck, day)
        requests = unsealing.request(world, luck, day)
        own = unsealing.request_own(world, luck)
        assists = verification.assist(world, levers, luck, day, work, [sign_ups.wanted(), requests.wanted(), own.wanted()])
        for_sign_ups, for_requests, for_own = assists.helpers
        registered = registration.complete(sign_ups, for_sign_ups)
        unsealed = unsealing.complete(world, levers, luck, day, requests, for_requests)
        own_flows = unsealing.complete_own(world, levers, luck, day, own, for_own)
        innocent_sign_ups = registration.innocents(world, levers, luck, day)
        adverts = renting.advertise(world, levers, luck, day)
        referred, asked_friends, asked_at_risk = renting.refer(world, levers, luck, day)
        returned = renting.return_owners(world, levers, luck, day)
        offers = trading.buy(world, levers, luck, day)
        stolen, thefts = trading.steal(world, luck, day)
        claims = Claims.joined([registered, unsealed, adverts.claims, referred, returned, offers.claims, stolen])
        acquired = acquiring.acquire(world, luck, day, claims)

        market = clearing.clear(world)
        harm = abuse.abuse(world, levers, luck, day)
        reports = detection.report(world, levers, luck, day, harm.approaches)
        examined = detection.examine(world, levers, luck, day)
        session = take_up(world, luck, self._capacity(levers), day)
        detection.confirm(world, luck, session.accounts)
        swept, innocents_swept = detection.sweep(world, levers, luck, day)

        sanctioned = sanctions.sanction(world, levers, luck, day)
        helpers = sanctions.trace_helpers(world, levers, luck, day, assists.honest_assists)
        appeals = sanctions.decide_cases(world, luck, day, session)
        innocents = examined.innocents_flagged + examined.purge_innocents + appeals.innocents_sanctioned + innocents_swept
        appealing = sanctions.appeal(world, luck, day, innocents + sanctioned.robbed)
        owners_tried, helpers_tried = sanctions.verdicts(world, day)

        theft, expected_theft = departures.depart(world, luck, day)
        dealers = turnover.turn_over_dealers(world, levers, luck, day)
        recruiters = turnover.turn_over_recruiters(world, levers, luck, day)
        exits = departures.release(world, day)
        self._follow_dealers(dealers.came, dealers.left)

        padded = world.dealers.padded
        counts = map(world.dealers.per_dealer, (sign_ups.dealer, requests.dealer))
        experience = learning.Experience(
            holdings=padded(market.holdings),
            exits=padded(exits.by_dealer),
            wins=padded(acquired.wins),
            tries=np.stack([*counts, padded(adverts.shown).sum(axis=1), padded(offers.paid), padded(thefts)], axis=1),
            recruits=padded(acquired.advert_recruits),
            shown=padded(adverts.shown),
            assisted=np.array([(for_sign_ups >= 0).sum(), (for_requests >= 0).sum()]),
        )
        learning.remember(world, experience)
        learning.adapt(world, experience, frozen)
        learning.reprice(world, float(acquired.by_channel[BOUGHT]), assists.wanted, assists.offered)
        done = Day(
            informed=informed,
            assists=assists,
            own=own_flows,
            sign_ups=innocent_sign_ups,
            attempts=sign_ups.key.size,
            offers_removed=offers.removed,
            adverts=adverts,
            asked_friends=asked_friends,
            asked_at_risk=asked_at_risk,
            unseal_attempts=int((for_requests >= 0).sum()),
            acquired=acquired,
            market=market,
            harm=harm,
            reports=reports,
            examined=examined,
            session=session,
            swept=swept,
            sanctioned=sanctioned,
            helpers=helpers,
            appeals=appeals,
            innocents=innocents,
            appeals_innocent=appealing,
            owners_tried=owners_tried,
            helpers_tried=helpers_tried,
            theft=theft,
            expected_theft=expected_theft,
            dealers=dealers,
            recruiters=recruiters,
            exits=exits,
        )
        costs = self.enforcer.book(levers, events(levers, done), world.population.millions, world.population.shares)
        self._recorder.record(outcome_row(world, levers, costs, done, day))
        self.day += 1
        self.running = self.day < self.scenario.run.days
        if not self.running:
            self.close()

    def _plan(self, rows: NDArray[np.int64]) -> None:
        """Let dealers decide and note their plans."""
        if rows.size:
            plans = dealing.plan(self.world, rows)
            self.world.dealers.attraction[plans.rows] = plans.attraction
            self.world.dealers.shares[plans.rows] = plans.shares
            self.world.dealers.weights[plans.rows] = plans.weights

    def _unplanned(self, day: int) -> NDArray[np.int64]:
        """Return the dealers due today who have no plan yet: those who entered since plans are frozen."""
        rows = dealing.due(self.world, day)
        return np.asarray(rows[self.world.dealers.shares[rows].sum(axis=1) == 0])

    def _capacity(self, levers: Levers) -> int:
        """Return the cases that reviewers can handle today: 6u per million users, fractions by lot."""
        cases = self.world.parameters.detection.cases_per_million_day * levers.review_capacity * self.world.population.millions
        return int(np.floor(cases + self.luck.uniform("reviewers", self.day)))

    def _follow_dealers(self, came: NDArray[np.int64], left: NDArray[np.int64]) -> None:
        """Keep one Mesa agent for each dealer in business."""
        for row in left.tolist():
            self._dealers.pop(row).remove()
        for row in came.tolist():
            self._dealers[row] = Dealer(self, self.world, row)


def _fixed(scenario: Scenario) -> tuple[object, ...]:
    """Return what of a scenario the world has been made of."""
    return scenario.population, scenario.run.days, scenario.parameters, scenario.dealers.learning
