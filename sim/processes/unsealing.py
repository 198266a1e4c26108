"""Unseal sanctioned accounts: dealers' pools, and owners on their own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.inversion import repeated, rounded
from sim.levers import Levers
from sim.luck import ONCE, Keys, Luck
from sim.world.accounts import UNSEALED, Claims
from sim.world.users import BANNED
from sim.world.world import World

BATCH, SCRIPTED, FALSE_DATA, FAKE_FRIEND, THIRD_PARTY = range(5)


@dataclass(frozen=True)
class Requests:
    """Unsealing attempts of dealers on a day: `key`, `dealer`; shapes `(n,)`."""

    key: Keys
    dealer: NDArray[np.int64]

    def wanted(self) -> tuple[Keys, NDArray[np.int64]]:
        """Return keys and paying dealers of all requests: each needs a helper."""
        return self.key, self.dealer


@dataclass(frozen=True)
class SelfRequests:
    """Banned owners who try to unseal: `user`, `key`, and who buys the scan; shapes `(n,)`."""

    user: NDArray[np.int64]
    key: Keys
    buys: NDArray[np.bool_]

    def wanted(self) -> tuple[Keys, NDArray[np.int64]]:
        """Return keys of those who buy a helper's scan; no dealer pays (-1)."""
        return self.key[self.buys], np.full(int(self.buys.sum()), -1, dtype=np.int64)


_NOBODY = SelfRequests(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.bool_))


@dataclass(frozen=True)
class UnsealingFlows:
    """What came of a day's legitimate requests, and the ban days that owners saved."""

    examined: float
    refused: int
    days_saved: float


def request(world: World, luck: Luck, day: int) -> Requests:
    """Attempt unsealings in proportion to effort, at most five a month for each sealed account; part of the pool is given up."""
    p, dealers = world.parameters.unsealing, world.dealers
    rows = dealers.rows()
    keys = dealers.key[rows]
    dealers.pool[rows] -= rounded(dealers.pool[rows] * p.pool_decay_per_day, luck.daily("pool given up", day, keys))
    expected = dealers.capacity[rows] * dealers.shares[rows, UNSEALED] * p.attempts_per_effort
    bounded = np.minimum(expected, dealers.pool[rows] * p.attempts_per_month / 30.0)
    counts = np.minimum(rounded(bounded, luck.daily("unsealings", day, keys)), dealers.pool[rows])
    dealer, ordinal = repeated(rows, counts)
    return Requests(luck.children("unsealing", day, dealers.key[dealer], ordinal), dealer)


def request_own(world: World, luck: Luck) -> SelfRequests:
    """Let yesterday's banned owners try: some give up, some ask a friend, some buy the scan."""
    p = world.parameters.unsealing
    users = np.sort(world.self_unsealing)
    if users.size == 0:
        return _NOBODY
    world.self_unsealing = np.zeros(0, dtype=np.int64)
    strikes = world.users.touched.strikes[world.users.registry.find(users)]
    keys = luck.children("own request", ONCE, users.astype(np.uint64), strikes)
    tries = luck.uniforms("own unsealing", ONCE, keys) < p.self_attempt_share
    users, keys = users[tries], keys[tries]
    return SelfRequests(users, keys, luck.uniforms("own scan", ONCE, keys) < p.self_bought_share)


def complete(world: World, levers: Levers, luck: Luck, day: int, requests: Requests, helper: NDArray[np.int64]) -> Claims:
    """Decide requests that found a helper: each is of one of five abuses, caught with its catch rate x strictness.

    Batches and scripts end in a permanent seal, false data and fake friends in refusal, third-party platforms in an unsealing that is
    reversed days later. What is not caught succeeds with .75.
    """
    p, dealers = world.parameters.unsealing, world.dealers
    tried = helper >= 0
    key, dealer = requests.key[tried], requests.dealer[tried]
    world.market.transfer("dealers", "suppliers", dealers.per_dealer(dealer) * p.attempt_cost_yuan)
    shares = np.cumsum([p.prevalence_batch, p.prevalence_scripted, p.prevalence_false_data, p.prevalence_fake_friend])
    kind, catching, ending = luck.each(("abuse", "abuse caught", "unsealed"), day, key)
    abuse = np.searchsorted(shares, kind, side="right")
    catch = np.array([p.catch_batch, p.catch_scripted, p.catch_false_data, p.catch_fake_friend, p.catch_third_party])
    caught = catching < catch[abuse] * levers.unsealing_strictness
    sealed = caught & (abuse <= SCRIPTED)
    refused = caught & ((abuse == FALSE_DATA) | (abuse == FAKE_FRIEND))
    late = caught & (abuse == THIRD_PARTY)
    success = ~sealed & ~refused & (ending < p.success_share)
    gone = dealers.per_dealer(dealer[sealed | success]).astype(np.int64)
    dealers.pool[: dealers.size] = np.maximum(0, dealers.pool[: dealers.size] - gone)
    reseal = np.where(late, day + int(p.reseal_days), -1)
    return Claims.of(key[success], UNSEALED, dealer[success], helper=helper[tried][success], reseal_day=reseal[success])


def complete_own(world: World, levers: Levers, luck: Luck, day: int, own: SelfRequests, helper: NDArray[np.int64]) -> UnsealingFlows:
    """Decide owners' own requests and those of other legitimate users; strictness refuses some of both.

    `helper` has an entry for each owner who buys the scan, in order.
    """
    p = world.parameters.unsealing
    refuse = p.legitimate_refused_share * levers.unsealing_strictness
    refused, saved = _judge_own(world, luck, day, own, helper, refuse) if own.user.size else (0, 0.0)
    legitimate = world.population.users * world.parameters.population.unseal_requests_per_user_day
    others = luck.count("unseals refused", day, legitimate * refuse)
    return UnsealingFlows(examined=legitimate + own.user.size, refused=refused + others, days_saved=saved)


def _judge_own(world: World, luck: Luck, day: int, own: SelfRequests, helper: NDArray[np.int64], refuse: float) -> tuple[int, float]:
    """Refuse or grant the owners' own requests; returns how many were refused, and the ban days that the others save."""
    helped = ~own.buys
    helped[own.buys] = helper >= 0
    judged = luck.uniforms("own unsealing judged", ONCE, own.key) < refuse
    free = own.user[helped & ~judged]
    rows = world.users.registry.find(free)
    touched = world.users.touched
    early = touched.status[rows] == BANNED
    banned = rows[early]
    saved = float((touched.until[banned] - day).sum())
    touched.until[banned] = day
    world.returning.put(day, free[early])
    return int((helped & judged).sum()), saved
