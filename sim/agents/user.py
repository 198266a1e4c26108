"""Decisions of ordinary users: functions of traits and of what happened to them, evaluated only for those asked."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from sim.levers import Levers
from sim.parameters import Parameters
from sim.world.users import BANNED, FREE, RENTING
from sim.world.world import World

Reals = NDArray[np.float64]
Ints = NDArray[np.int64]

_HELD = 64
"""Levers for which is kept what follows from them alone: more than differ in a run, but for long ramps."""


def informed(world: World, users: Ints, segments: Ints) -> NDArray[np.bool_]:
    """Say who knows the campaign's message: those whose awareness quantile is below the informed share of the segment."""
    return world.population.quantile(users) < world.informed[segments]


def informed_factor(world: World, users: Ints, segments: Ints) -> Reals:
    """Return the factor on acceptance of what users know; source: stated willingness, evidence C5."""
    return np.where(informed(world, users, segments), world.parameters.awareness.informed_factor, 1.0)


@lru_cache(maxsize=_HELD)
def legal_shift(parameters: Parameters, levers: Levers) -> Reals:
    """Return the logit that law adds to acceptance by segment: -w ln(max(u, .02)/.2), severity at a fifth of it."""
    p = parameters.renting
    certainty = np.log(np.maximum(levers.legal_certainty, p.law_floor) / p.law_reference)
    severity = np.log(np.maximum(levers.legal_severity, p.law_floor) / p.law_reference)
    return _shared(-p.legal_weight * (certainty + p.severity_share * severity))


@lru_cache(maxsize=_HELD)
def advert_survival(parameters: Parameters, levers: Levers) -> Reals:
    """Return the share of adverts that survive takedown by segment: (1 - .9u)(1 - .2 x reports of those approached)."""
    p, d = parameters.renting, parameters.detection
    reporting = d.report_base + d.report_span * levers.user_reporting
    return _shared((1.0 - p.takedown_effect * levers.ad_takedown) * (1.0 - p.advert_report_weight * reporting))


def _shared(values: Reals) -> Reals:
    """Return an array that nobody can write to, as all who ask get the same one."""
    values.setflags(write=False)
    return values


def selling_ease(world: World, levers: Levers) -> float:
    """Return how easily users sell, on average over segments: adverts seen x knowledge x law; a supply shift without unit."""
    p = world.parameters
    weights = world.population.shares * np.exp(world.traits.segment_logit)
    knowledge = 1.0 - world.informed * (1.0 - p.awareness.informed_factor)
    ease = advert_survival(p, levers) * knowledge * np.exp(legal_shift(p, levers))
    return float(np.dot(weights, ease) / weights.sum())


def _lure_logit(world: World, levers: Levers, segments: Ints) -> Reals:
    """Return what renting out and selling have in common: segment, law, news."""
    a = world.parameters.awareness
    fixed = world.traits.segment_logit + legal_shift(world.parameters, levers) - a.risk_weight * a.news_risk * world.market.news
    return np.asarray(fixed[segments])


def interest_in_renting(world: World, levers: Levers, users: Ints, segments: Ints) -> Reals:
    """Return the logit with which users rent out their account when asked, before risk and knowledge.

    b0 + b_seg + 2 ln(w/r) + law + amnesty + .8 ln(1 + renters nearby)
    """
    p = world.parameters.renting
    logit = p.acceptance_logit + _lure_logit(world, levers, segments)
    logit += p.commission_weight * np.log(world.market.commission / world.population.reservation(users))
    logit += p.amnesty_hazard_logit * levers.owner_amnesty[segments]
    logit += p.community_weight * np.log1p(world.users.renters_nearby(users))
    return logit


def interest_in_selling(world: World, levers: Levers, users: Ints, segments: Ints) -> Reals:
    """Return the logit with which users sell their account at the asked price, by the same terms as renting it out.

    The user's reservation price is in proportion to the reservation commission.
    """
    p = world.parameters
    logit = p.trading.selling_logit + _lure_logit(world, levers, segments)
    logit += p.renting.commission_weight * np.log(p.population.reservation_median_yuan / world.population.reservation(users))
    return logit


def acceptance(world: World, users: Ints, segments: Ints, interest: Reals, day: int, rows: Ints | None = None) -> Reals:
    """Return the probability that users with an interest accept: informed factor x logistic(interest - 2(risk - .1)).

    Never above logistic(interest), as perceived risk, which is that above the base of .1, is never negative. `rows` are the users' rows
    among the touched, if they are known already.
    """
    a = world.parameters.awareness
    logit = interest - a.risk_weight * world.users.perceived_risk(users, day, rows)
    return np.asarray(expit(logit) * informed_factor(world, users, segments))


def accepted(world: World, users: Ints, segments: Ints, interest: Reals, survives: Reals, u: Reals, cap: float, day: int) -> Ints:
    """Return the positions of candidates who accept, drawn by thinning under `cap` with uniforms `u`, and whose account is free.

    `survives` is the share of adverts that each candidate's segment gets to see. Risk and knowledge, which only lower acceptance, are
    looked up for those alone who would accept without them.
    """
    likely = (u * cap < survives * np.minimum(expit(interest), cap)).nonzero()[0]
    if likely.size == 0:
        return likely
    asked = users[likely]
    rows = world.users.registry.find(asked)
    chance = np.minimum(acceptance(world, asked, segments[likely], interest[likely], day, rows), cap)
    agrees = (u[likely] * cap < survives[likely] * chance) & world.users.free(asked, day, rows)
    return np.asarray(likely[agrees])


def helps(world: World, levers: Levers, users: Ints, stall: NDArray[np.bool_], day: int) -> Reals:
    """Return the probability that each user asked gives an assist, by kind of recruiter.

    A passer-by (`stall`) does not know what the scan confirms: gift and impersonation raise acceptance until the official denial is known,
    and a dialog that says what is confirmed stops part of it. A member of a task platform weighs the fee against the risk.
    Per serious contact, that is relative to `gift x impersonation x base` for passers-by.
    """
    p = world.parameters.helping
    segments = world.population.segment(users)
    rows = world.users.registry.find(users)
    knows = informed(world, users, segments)
    factor = world.parameters.awareness.informed_factor
    risk = world.users.perceived_risk(users, day, rows)
    dialog = 1.0 - p.confirmable_share * p.confirmation_effect * levers.scan_confirmation
    passer_by = dialog * np.exp(-risk) * np.where(knows, factor / p.impersonation_multiplier, 1.0)
    weight = world.parameters.awareness.risk_weight
    fee = p.task_fee_weight * math.log(p.task_fee_yuan / p.task_fee_usual_yuan)
    member = expit(p.task_logit + fee - weight * risk) * np.where(knows, factor, 1.0)
    return np.where(stall, passer_by, member) * may_help(world, levers, users, rows, day)


def may_help(world: World, levers: Levers, users: Ints, rows: Ints, day: int) -> NDArray[np.bool_]:
    """Say whom the platform lets help: old enough account in good standing, window over, at most once a day.

    `rows` are the users' rows among the touched, -1 for others.
    """
    p = world.parameters.helping
    tightness = levers.helper_cap / p.cap_reference
    allowed = world.population.account_age(users) >= p.cap_age_days * min(1.0, tightness)
    known = (rows >= 0).nonzero()[0]
    if known.size:
        at, touched = rows[known], world.users.touched
        status = touched.status[at]
        in_order = (status == FREE) | (status == RENTING) | ((status == BANNED) & (touched.until[at] <= day))
        window = max(1.0, p.cap_window_days * tightness)
        allowed[known] &= in_order & (day - touched.last_assist[at] >= window) & (touched.helper_until[at] <= day)
    return allowed
