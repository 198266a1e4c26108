"""Find helpers for assisted verifications at scan teams and task platforms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from sim.agents.user import helps
from sim.inversion import Wheel
from sim.levers import Levers
from sim.luck import Keys, Luck, words
from sim.world.entry import catchment_user
from sim.world.registry import winners
from sim.world.world import World

_PROBES = tuple(f"place {probe}" for probe in range(8))
_AT_ONCE = 4096
_TURN_BITS = 6


@dataclass(frozen=True)
class Assists:
    """Assists of a day: the helpers of each group of requests (-1: none found), and counts."""

    helpers: list[NDArray[np.int64]]
    by_stall: int
    by_task_platform: int
    wanted: int
    offered: float
    honest_refused: int
    honest_assists: float


def assist(
    world: World, levers: Levers, luck: Luck, day: int, work: NDArray[np.float64], groups: Sequence[tuple[Keys, NDArray[np.int64]]]
) -> Assists:
    """Serve groups of requests (keys and paying dealers, -1 for an owner) with the recruiters' work of the day.

    A request goes to a place by capacity; there up to three serious contacts are asked, each a member of the place's lasting catchment.
    What the recruiters cannot serve is left unserved by lot. Dealers pay for assists, recruiters for contacts, gifts and fees.
    """
    recruiters, p = world.recruiters, world.parameters.helping
    key, dealer = (np.concatenate(part) for part in zip(*groups, strict=True))
    slots = recruiters.size
    n = key.size
    found = max(world.market.per_candidate, 1e-3)
    turns = range(int(p.candidates_per_request))
    per_request = (1.0 - (1.0 - found) ** len(turns)) / found
    room = recruiters.capacity * work
    fill = min(1.0, float(room.sum()) / max(n * per_request, 1e-9))
    place = _places(luck, day, key, recruiters.wheel, work, luck.uniforms("assist served", day, key) < fill)
    helper = np.full(n, -1, dtype=np.int64)
    asked = np.zeros(slots)
    open_requests = (place >= 0).nonzero()[0]
    while turns and open_requests.size:
        width = _at_once(turns, open_requests)
        at, keys = place[open_requests], key[open_requests]
        user, agrees = _contacts(world, levers, luck, day, at, keys, turns[:width])
        taken = _taken(user, agrees, keys)
        asked += np.bincount(at, weights=np.minimum(taken + 1, width), minlength=slots)
        served = (taken < width).nonzero()[0]
        helper[open_requests[served]] = user[taken[served], served]
        _remember(world, helper[open_requests[served]], day)
        open_requests, turns = open_requests[taken == width], turns[width:]
    done = (helper >= 0).nonzero()[0]
    helped = np.bincount(place[done], minlength=slots).astype(np.float64)
    _settle_accounts(world, dealer, done, asked, helped, work)
    meant = asked > 0
    recruiters.acceptance[:slots][meant] += p.memory * (helped[meant] / asked[meant] - recruiters.acceptance[:slots][meant])
    if asked.sum() > 0:
        world.market.per_candidate += p.memory * (helped.sum() / asked.sum() - world.market.per_candidate)
    by_stall = int(helped[: recruiters.stalls].sum())
    refused, honest = _honest_helpers(world, levers, luck, day)
    return Assists(
        helpers=np.split(helper, np.cumsum([keys.size for keys, _ in groups])[:-1]),
        by_stall=by_stall,
        by_task_platform=done.size - by_stall,
        wanted=n,
        offered=float((room * recruiters.acceptance[:slots]).sum()),
        honest_refused=refused,
        honest_assists=honest,
    )


@lru_cache(maxsize=64)
def _draws(turns: range) -> tuple[str, ...]:
    """Return the names of the draws of some turns: who is asked in each, then who agrees in each."""
    return tuple(f"{what} {turn}" for what in ("member", "assist") for turn in turns)


def _contacts(
    world: World, levers: Levers, luck: Luck, day: int, at: NDArray[np.int64], keys: Keys, turns: range
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return whom each request would ask at its place in each turn, `(turns, requests)`, and who of them would help."""
    recruiters = world.recruiters
    draws = luck.each(_draws(turns), day, keys)
    member = (draws[: len(turns)] * recruiters.full_catchment[at]).astype(np.int64)
    user = catchment_user(world, luck, at, member)
    chance = helps(world, levers, user.reshape(-1), np.tile(recruiters.is_stall[at], len(turns)), day).reshape(user.shape)
    return user, draws[len(turns) :] < chance * (member < recruiters.catchment[at])


def _taken(user: NDArray[np.int64], agrees: NDArray[np.bool_], keys: Keys) -> NDArray[np.int64]:
    """Return the turn in which each request finds its helper, the number of turns if in none, shape `(requests,)`.

    Nobody helps twice: the request that asks in the earlier turn has the helper, in the same turn that with the lowest key; others ask on.
    """
    turns, agrees = len(agrees), agrees.copy()
    while True:
        taken = np.where(agrees.any(axis=0), agrees.argmax(axis=0), turns)
        finds = (taken < turns).nonzero()[0]
        order = (words(taken[finds]) << np.uint64(64 - _TURN_BITS)) | (keys[finds] >> np.uint64(_TURN_BITS))
        lost = finds[~winners(user[taken[finds], finds], order)]
        if lost.size == 0:
            return taken
        agrees[taken[lost], lost] = False


def _places(luck: Luck, day: int, key: Keys, wheel: Wheel, work: NDArray[np.float64], served: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Send each served request to a place by capacity; where nobody works just then, to the next of eight; -1 if none does.

    Places keep their part of [0, 1) whoever works there, so that closing one moves only its own requests.
    """
    place = np.full(key.size, -1, dtype=np.int64)
    pending = served.nonzero()[0]
    cumulative, probes = wheel.cumulative, _PROBES
    while probes and pending.size:
        width = _at_once(probes, pending)
        u = luck.each(probes[:width], day, key[pending])
        slot = wheel(u.reshape(-1)).reshape(u.shape)
        before = np.where(slot > 0, cumulative[slot - 1], 0.0)
        within = (u * cumulative[-1] - before) / (cumulative[slot] - before)
        staffed = within < work[slot]
        found = staffed.any(axis=0)
        place[pending[found]] = slot[staffed.argmax(axis=0), np.arange(pending.size)][found]
        pending, probes = pending[~found], probes[width:]
    return place


def _at_once(turns: Sequence[object], requests: NDArray[np.int64]) -> int:
    """Return how many turns to take in one step: all where requests are few, else one, which leaves fewer for the next."""
    return len(turns) if len(turns) * requests.size <= _AT_ONCE else 1


def _remember(world: World, users: NDArray[np.int64], day: int) -> None:
    """Note the assist with each helper."""
    rows = world.users.rows(users)
    touched = world.users.touched
    touched.previous_assist[rows] = touched.last_assist[rows]
    touched.last_assist[rows] = day


def _settle_accounts(
    world: World,
    dealer: NDArray[np.int64],
    done: NDArray[np.int64],
    asked: NDArray[np.float64],
    helped: NDArray[np.float64],
    work: NDArray[np.float64],
) -> None:
    """Pay assists, contacts, gifts and fees, and the fixed cost of a day's work."""
    recruiters, market, dealers = world.recruiters, world.market, world.dealers
    price = market.helper_price
    payer = dealer[done]
    by_dealer = dealers.per_dealer(payer[payer >= 0]) * price
    market.transfer("dealers", "escrow", by_dealer)
    market.transfer("owners", "escrow", float((payer < 0).sum()) * price)
    market.transfer("escrow", "recruiters", helped * price)
    market.transfer("recruiters", "helpers", helped * recruiters.fee)
    market.transfer("recruiters", "suppliers", asked * recruiters.contact_cost + (work > 0) * recruiters.fixed_cost)


def _honest_helpers(world: World, levers: Levers, luck: Luck, day: int) -> tuple[int, float]:
    """Count honest helpers refused by the cap, and honest assists given.

    Refused are those whose account is too young, and of the others 1 - exp(-window x rate), who come too soon.
    """
    p, r = world.parameters.helping, world.parameters.registration
    signups = world.population.users * world.parameters.population.signups_per_user_day
    wanted = signups * min(1.0, r.verified_base + r.verified_span * levers.assisted_verification)
    tightness = levers.helper_cap / p.cap_reference
    young = world.population.younger_than(p.cap_age_days * min(1.0, tightness))
    refused = 1.0 - (1.0 - young) * float(np.exp(-p.cap_window_days * tightness * p.honest_assists_per_day))
    return luck.count("helpers refused", day, wanted * refused), wanted * (1.0 - refused)
