"""Who is lured: thinning against direct evaluation, what users know, how law and prices shift acceptance."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from sim.agents.user import acceptance, advert_survival, interest_in_renting, interest_in_selling, legal_shift
from sim.processes import awareness, renting, trading
from sim.world.accounts import BOUGHT, RENTED, STOLEN
from sim.world.dealers import IDLE
from sim.world.users import RENTING

LIMIT = 3.3
DAYS = 250
USERS = 400_000


def lured(tools, channel, **parameters):
    """Return a world with one dealer who does nothing but lure, and all users with their segments."""
    made, luck = tools.world(users=USERS, parameters=parameters)
    made.dealers.shares[0] = np.eye(IDLE + 1)[channel]
    made.dealers.weights[0] = [0.4, 0.1, 0.2, 0.3]
    made.dealers.capacity[0] = 150.0
    made.informed[:] = [0.2, 0.5, 0.1, 0.4]
    users = np.arange(USERS)
    return made, luck, users, made.population.segment(users)


def rents_out(made, levers, users, segments, day):
    """Return the probability that each user rents out the account when asked."""
    return acceptance(made, users, segments, interest_in_renting(made, levers, users, segments), day)


def sells(made, levers, users, segments, day):
    """Return the probability that each user sells the account when asked."""
    return acceptance(made, users, segments, interest_in_selling(made, levers, users, segments), day)


def against_poisson(counts, mean):
    """Assert that daily counts have the mean and the dispersion of a Poisson law."""
    assert abs(counts.mean() - mean) / np.sqrt(mean / counts.size) < LIMIT
    dispersion = ((counts - counts.mean()) ** 2).sum() / counts.mean()
    assert abs(dispersion - (counts.size - 1)) / np.sqrt(2 * (counts.size - 1)) < LIMIT


@pytest.mark.parametrize("cap", [0.04, 0.08])
def test_thinned_adverts_are_adverts_evaluated_one_by_one(tools, cap):
    """Accepted adverts are Poisson; their mean by segment is exposures x survival x mean acceptance, whatever the cap."""
    made, luck, users, segments = lured(
        tools, RENTED, renting={"thinning_cap": cap, "acceptance_logit": -7.0}, awareness={"risk_half_life_days": 1e9}
    )
    made.users.communities.risk[::2] = 0.8
    levers = tools.levers(ad_takedown=0.3)
    chance = rents_out(made, levers, users, segments, 5)
    assert chance.max() < 1
    exposures = made.dealers.capacity[0] * made.parameters.renting.exposures_per_effort * made.dealers.weights[0]
    survives = advert_survival(made.parameters, levers)
    direct = np.array([exposures[s] * survives[s] * np.minimum(chance[segments == s], cap).mean() for s in range(4)])
    counts = np.zeros((DAYS, 4))
    for day in range(DAYS):
        adverts = renting.advertise(made, levers, luck, day)
        counts[day] = np.bincount(made.population.segment(adverts.claims.owner), minlength=4)
    assert np.allclose(adverts.shown[0], exposures)
    against_poisson(counts.sum(axis=1), direct.sum())
    for s in range(4):
        assert abs(counts[:, s].sum() - DAYS * direct[s]) / np.sqrt(DAYS * direct[s]) < LIMIT


def test_the_standing_cap_cuts_next_to_nothing(tools):
    """Under the ledger's acceptance hardly anybody accepts with more than the cap."""
    made, _, users, segments = lured(tools, RENTED)
    chance = rents_out(made, tools.levers(), users, segments, 5)
    assert np.minimum(chance, made.parameters.renting.thinning_cap).sum() > 0.98 * chance.sum()


def test_thinned_offers_are_offers_evaluated_one_by_one(tools):
    made, luck, users, segments = lured(tools, BOUGHT)
    levers = tools.levers(ad_takedown=0.5)
    survives = advert_survival(made.parameters, levers)
    chance = np.minimum(sells(made, levers, users, segments, 5), made.parameters.renting.thinning_cap)
    offers = made.dealers.capacity[0] * made.parameters.trading.exposures_per_effort
    counts = np.array([trading.buy(made, levers, luck, day).claims.key.size for day in range(DAYS)])
    against_poisson(counts, offers * (survives[segments] * chance).mean())
    assert trading.buy(made, levers, luck, 0).paid[0] == offers


def test_users_in_dealers_hands_are_not_lured(tools):
    made, luck, users, _ = lured(tools, RENTED, renting={"acceptance_logit": 5.0})
    rows = made.users.rows(users[: USERS // 2])
    made.users.touched.status[rows] = RENTING
    owners = np.concatenate([renting.advertise(made, tools.levers(), luck, day).claims.owner for day in range(5)])
    assert owners.size > 100
    assert (owners >= USERS // 2).all()


def test_informed_victims_fall_for_theft_less_often(tools):
    """Thefts succeed with 1, or with the informed factor for those who know the message."""
    made, luck, users, segments = lured(tools, STOLEN)
    made.dealers.capacity[0] = 6000.0
    knows = made.population.quantile(users) < made.informed[segments]
    claims, tries = trading.steal(made, luck, 3)
    share = 1 - knows.mean() * (1 - made.parameters.awareness.informed_factor)
    expected = tries[0] * share
    assert abs(claims.key.size - expected) < LIMIT * np.sqrt(expected * (1 - share)) + 1


@pytest.mark.parametrize("strength", [0.0, 0.1, 1.0])
def test_awareness_has_its_fixed_point(tools, strength):
    """A = (A + (1 - A) u .02 .4) 2^(-1/HL) at the start, and from anywhere in the long run."""
    made, _ = tools.world()
    levers = tools.levers(awareness_campaign=strength)
    p = made.parameters.awareness
    awareness.settle(made, levers)
    fixed = made.informed.copy()
    reach, keep = strength * p.reach_per_day * p.remember_share, 2 ** (-1 / p.half_life_days)
    assert np.allclose(fixed, (fixed + (1 - fixed) * reach) * keep, rtol=1e-12)
    assert (fixed > 0).all() == (strength > 0)
    awareness.spread(made, levers)
    assert np.allclose(made.informed, fixed, rtol=1e-12)
    made.informed[:] = [0.0, 1.0, 0.3, 0.9]
    for _ in range(4000):
        share = awareness.spread(made, levers)
    assert np.allclose(made.informed, fixed, atol=1e-12)
    assert share == pytest.approx(float(fixed.mean()), abs=1e-12)


def test_awareness_halves_in_its_half_life(tools):
    made, _ = tools.world()
    made.informed[:] = 0.6
    for _ in range(int(made.parameters.awareness.half_life_days)):
        awareness.spread(made, tools.levers(awareness_campaign=0.0))
    assert np.allclose(made.informed, 0.3)


def test_informed_share_is_the_share_of_users_who_know(tools):
    """A user knows while the awareness quantile is below the share of the segment; factors apply to those users."""
    made, _, users, segments = lured(tools, RENTED)
    informed = made.population.quantile(users) < made.informed[segments]
    for s in range(4):
        n = (segments == s).sum()
        share = made.informed[s]
        assert abs(informed[segments == s].mean() - share) < LIMIT * np.sqrt(share * (1 - share) / n)
    with_message = rents_out(made, tools.levers(), users, segments, 5)
    made.informed[:] = 0.0
    without = rents_out(made, tools.levers(), users, segments, 5)
    assert np.allclose(with_message[informed], without[informed] * made.parameters.awareness.informed_factor)
    assert np.array_equal(with_message[~informed], without[~informed])


@pytest.mark.parametrize(("shift", "limit"), [(-1e3, 0.0), (1e3, 1.0)])
def test_acceptance_has_its_limits(tools, shift, limit):
    """A logit far below means nobody, far above everybody who does not know the message."""
    made, _ = tools.world(parameters={"renting": {"acceptance_logit": shift}, "trading": {"selling_logit": shift}})
    users = np.arange(0, 2_000_000, 997)
    segments = made.population.segment(users)
    assert (rents_out(made, tools.levers(), users, segments, 1) == limit).all()
    assert (sells(made, tools.levers(), users, segments, 1) == limit).all()


def test_acceptance_answers_to_commission_law_amnesty_risk_and_neighbours(tools):
    """In odds: commission squared, certainty^-w with severity at a fifth, amnesty, risk and renters nearby as stated."""
    made, _ = tools.world()
    users = np.arange(0, 2_000_000, 997)
    segments = made.population.segment(users)

    def logit(**strengths):
        p = rents_out(made, tools.levers(**strengths), users, segments, 1)
        return np.log(p / (1 - p))

    p = made.parameters.renting
    base = logit()
    assert np.allclose(logit(legal_certainty=0.8) - base, -p.legal_weight * np.log(4))
    assert np.allclose(logit(legal_severity=0.8) - base, -p.legal_weight * p.severity_share * np.log(4))
    assert np.allclose(logit(legal_certainty=0.0), logit(legal_certainty=0.02))
    assert np.allclose(logit(owner_amnesty=0.5) - base, 0.5 * p.amnesty_hazard_logit)
    assert np.allclose(legal_shift(made.parameters, tools.levers(legal_certainty=0.2, legal_severity=0.2)), 0)
    made.market.commission *= 2
    assert np.allclose(logit() - base, p.commission_weight * np.log(2))
    made.market.commission /= 2
    made.users.remember(users[::2], 1, 0.5, 0.0)
    risk = np.where(np.arange(users.size) % 2, 0.0, 0.5)
    assert np.allclose(logit() - base, -made.parameters.awareness.risk_weight * risk)
    made.users.touched.risk[:] = 0.0
    made.users.communities.renters[:] = 3
    assert np.allclose(logit() - base, p.community_weight * np.log(4))


def test_takedown_removes_adverts_and_reports_help(tools):
    """(1 - .9u)(1 - .2 x reports of those approached) of adverts are seen."""
    made, _ = tools.world()
    p, d = made.parameters.renting, made.parameters.detection
    reported = p.advert_report_weight * (d.report_base + 0.4 * d.report_span)
    for u in (0.0, 0.5, 1.0):
        survives = advert_survival(made.parameters, tools.levers(ad_takedown=u, user_reporting=0.4))
        assert np.allclose(survives, (1 - p.takedown_effect * u) * (1 - reported))


def test_traits_have_their_distributions(tools):
    """Reservations and contacts are log-normal with the ledger's median and spread; shares, ages and factors of mean 1 as stated."""
    made, luck = tools.world()
    population, p = made.population, made.parameters.population
    users = np.arange(0, 2_000_000, 101)
    for values, median, sigma in [
        (population.reservation(users), p.reservation_median_yuan, p.reservation_sigma),
        (population.contacts(users), p.contacts_median, p.contacts_sigma),
    ]:
        assert stats.kstest(np.log(values / median) / sigma, "norm").pvalue > 1e-3
    age, real_name, payment = population.account(users)
    assert np.array_equal(age, population.account_age(users))
    for flag, share in [
        (real_name, p.real_name_share),
        (payment, p.payment_share),
        (age < 180, p.young_account_share),
    ]:
        assert abs(flag.mean() - share) < LIMIT * np.sqrt(share * (1 - share) / users.size)
    quality = made.traits.premium(age, real_name)
    assert abs(quality.mean() - 1) < LIMIT * quality.std() / np.sqrt(users.size)
    rows = tools.hold(made, luck, RENTED, 20_000)
    relative = made.accounts.contacts[rows]
    assert abs(relative.mean() - 1) < LIMIT * relative.std() / np.sqrt(relative.size)
