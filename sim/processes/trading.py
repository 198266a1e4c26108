"""Buy accounts from selling users, and steal accounts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.agents.user import accepted, advert_survival, informed_factor, interest_in_selling, selling_ease
from sim.inversion import poisson, repeated, rounded, weighted
from sim.levers import Levers
from sim.luck import Luck
from sim.world.accounts import BOUGHT, STOLEN, Claims
from sim.world.world import World


@dataclass(frozen=True)
class Offers:
    """Offers to buy of a day: claims, offers paid for by dealer row, adverts with offers that takedown removed."""

    claims: Claims
    paid: NDArray[np.float64]
    removed: float


def buy(world: World, levers: Levers, luck: Luck, day: int) -> Offers:
    """Offer to buy and find who sells, by thinning as for adverts; offers meet the same takedown.

    Notes how easily users sell relative to the standing regime: the fewer would, the higher the price asked at a volume.
    """
    p, dealers = world.parameters.trading, world.dealers
    cap = world.parameters.renting.thinning_cap
    rows = dealers.rows()
    offers = dealers.capacity[rows] * dealers.shares[rows, BOUGHT] * p.exposures_per_effort
    counts = poisson(luck.daily("offers", day, dealers.key[rows]), offers * cap)
    dealer, ordinal = repeated(rows, counts)
    key = luck.children("offer", day, dealers.key[dealer], ordinal)
    where, who, u = luck.each(("offer segment", "offer user", "offer accepted"), day, key)
    segment = weighted(where, np.cumsum(world.population.shares))
    user = world.population.pick(who, segment)
    survives = advert_survival(world.parameters, levers)
    world.market.selling_ease = selling_ease(world, levers) / world.market.standing_ease
    interest = interest_in_selling(world, levers, user, segment)
    accepts = accepted(world, user, segment, interest, survives[segment], u, cap, day)
    tries = np.zeros(dealers.size)
    tries[rows] = offers
    taken = world.parameters.renting.takedown_effect * float(np.dot(levers.ad_takedown, world.population.shares))
    claims = Claims.of(key[accepts], BOUGHT, dealer[accepts], user[accepts])
    return Offers(claims, tries, float(offers.sum()) * taken / p.exposures_per_effort)


def steal(world: World, luck: Luck, day: int) -> tuple[Claims, NDArray[np.float64]]:
    """Steal accounts in proportion to effort; a victim who knows the message falls for it less often.

    Returns claims and thefts tried by dealer row.
    """
    p, dealers = world.parameters.trading, world.dealers
    rows = dealers.rows()
    expected = dealers.capacity[rows] * dealers.shares[rows, STOLEN] * p.thefts_per_effort
    counts = rounded(expected, luck.daily("thefts", day, dealers.key[rows]))
    tries = np.zeros(dealers.size)
    tries[rows] = expected
    if not counts.any():
        return Claims.none(), tries
    dealer, ordinal = repeated(rows, counts)
    key = luck.children("theft", day, dealers.key[dealer], ordinal)
    where, who, u = luck.each(("theft segment", "theft user", "theft succeeds"), day, key)
    segment = weighted(where, np.cumsum(world.population.shares))
    user = world.population.pick(who, segment)
    falls = u < informed_factor(world, user, segment)
    falls[falls] = world.users.free(user[falls], day)
    return Claims.of(key[falls], STOLEN, dealer[falls], user[falls]), tries
