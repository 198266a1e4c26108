"""Rent accounts: adverts, friends' word, and owners who come back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.agents.user import acceptance, accepted, advert_survival, interest_in_renting
from sim.inversion import chosen, poisson, repeated
from sim.levers import AT_RISK, SEGMENTS, Levers
from sim.luck import ONCE, Keys, Luck
from sim.world.accounts import ADVERT, REFERRAL, RENTED, RETURN, Claims
from sim.world.registry import distinct
from sim.world.world import World


@dataclass(frozen=True)
class Adverts:
    """Adverts of a day: claims, exposures paid for by dealer and segment `(dealers, 4)`, and counts (`at_risk`: the lured segments)."""

    claims: Claims
    shown: NDArray[np.float64]
    approached: float
    at_risk: float
    removed: float
    honest_removed: int


def advertise(world: World, levers: Levers, luck: Luck, day: int) -> Adverts:
    """Show adverts and find who accepts.

    Exposures are counts; only candidates that could accept are drawn, by thinning under a fixed cap: of n exposures Poisson(cap x n) are
    candidates, and a candidate accepts with its own probability over the cap.
    """
    p, dealers = world.parameters.renting, world.dealers
    rows = dealers.rows()
    paid = dealers.capacity[rows] * dealers.shares[rows, RENTED] * p.exposures_per_effort
    shown = np.zeros((dealers.size, len(SEGMENTS)))
    shown[rows] = paid[:, None] * dealers.weights[rows]
    counts = poisson(luck.daily("adverts", day, dealers.key[rows]), paid * p.thinning_cap)
    dealer, ordinal = repeated(rows, counts)
    key = luck.children("advert", day, dealers.key[dealer], ordinal)
    where, who, u = luck.each(("advert segment", "advert user", "advert accepted"), day, key)
    segment = chosen(where, np.cumsum(dealers.weights, axis=1), dealer)
    user = world.population.pick(who, segment)
    survives = advert_survival(world.parameters, levers)
    interest = interest_in_renting(world, levers, user, segment)
    accepts = accepted(world, user, segment, interest, survives[segment], u, p.thinning_cap, day)
    seen = shown.sum(axis=0)
    honest = world.parameters.population.honest_adverts_per_million_day * world.population.millions
    taken = p.honest_takedown_share * float(np.dot(levers.ad_takedown, world.population.shares))
    return Adverts(
        claims=Claims.of(key[accepts], RENTED, dealer[accepts], user[accepts], lure=ADVERT),
        shown=shown,
        approached=float(np.dot(seen, survives)) * p.noticed_share,
        at_risk=float(np.dot(seen[:AT_RISK], survives[:AT_RISK])) * p.noticed_share,
        removed=float(np.dot(seen, p.takedown_effect * levers.ad_takedown)) / p.exposures_per_effort,
        honest_removed=luck.count("honest adverts", day, honest * taken),
    )


def refer(world: World, levers: Levers, luck: Luck, day: int) -> tuple[Claims, int, int]:
    """Let renters, and renters turned dealers, ask another member of their community.

    Returns claims, how many were asked, and how many of these are in the lured segments.

    A few who agree lend the account without pay.
    """
    p, accounts, dealers = world.parameters.renting, world.accounts, world.dealers
    live = (accounts.channel[: accounts.size] == RENTED).nonzero()[0]
    asks = live[luck.uniforms("referral", day, accounts.key[live]) < p.referral_per_day]
    homes = (dealers.active[: dealers.size] & (dealers.home[: dealers.size] >= 0)).nonzero()[0]
    homes = homes[luck.uniforms("home approach", day, dealers.key[homes]) < p.home_approach_per_day]
    if asks.size + homes.size == 0:
        return Claims.none(), 0, 0
    parent = np.concatenate([accounts.key[asks], dealers.key[homes]])
    dealer = np.concatenate([accounts.dealer[asks].astype(np.int64), homes])
    referrer = np.concatenate([accounts.owner[asks], np.full(homes.size, -1, dtype=np.int64)])
    community = np.concatenate([world.population.community(accounts.owner[asks]), dealers.home[homes]])
    key = luck.children("referral", day, parent, np.zeros(parent.size, dtype=np.int64))
    who, lending = luck.each(("referral user", "loan"), day, key)
    user = world.population.neighbour(who, community, referrer)
    accepts = _agrees(world, levers, luck, day, "referral accepted", key, user) & (user != referrer)
    unpaid = lending < p.loan_share
    claims = Claims.of(
        key[accepts], RENTED, dealer[accepts], user[accepts], lure=REFERRAL, unpaid=unpaid[accepts], referrer=referrer[accepts]
    )
    return claims, key.size, int((world.population.segment(user) < AT_RISK).sum())


def return_owners(world: World, levers: Levers, luck: Luck, day: int) -> Claims:
    """Let dealers ask owners again whose sanction ends today, in time or early; the dealer must still be in business."""
    p, dealers, touched = world.parameters.renting, world.dealers, world.users.touched
    owner = distinct(world.returning.take(day, 1)[0])
    if owner.size == 0:
        return Claims.none()
    rows = world.users.registry.find(owner)
    dealer = touched.asker[rows].astype(np.int64)
    same = (touched.until[rows] == day) & (dealer >= 0) & dealers.active[dealer] & (dealers.entered[dealer] == touched.asker_entered[rows])
    owner, dealer = owner[same], dealer[same]
    strikes = touched.strikes[rows[same]]
    key = luck.children("return", ONCE, owner.astype(np.uint64), strikes)  # not by the day, which an earlier detection moves
    accepts = (luck.uniforms("asked again", ONCE, key) < p.return_share) & _agrees(world, levers, luck, day, "return accepted", key, owner)
    return Claims.of(key[accepts], RENTED, dealer[accepts], owner[accepts], lure=RETURN)


def _agrees(world: World, levers: Levers, luck: Luck, day: int, process: str, key: Keys, user: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Decide for each user asked by somebody known, whose account is free."""
    if user.size == 0:
        return np.zeros(0, dtype=np.bool_)
    segment = world.population.segment(user)
    interest = interest_in_renting(world, levers, user, segment) + world.parameters.renting.referral_logit
    rows = world.users.registry.find(user)
    chance = acceptance(world, user, segment, interest, day, rows)
    return (luck.uniforms(process, ONCE, key) < chance) & world.users.free(user, day, rows)
