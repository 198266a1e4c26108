"""How long accounts stay in dealers' hands, and which way they leave."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from sim.levers import CHANNELS
from sim.processes import departures, detection
from sim.world.accounts import AUDITED, EMPTIED, LIVE, QUIT, RECOVERED, RENTED, STOLEN

LEAST_P = 1e-3
FLAT = {"detection": {"use_fraud": 0.0, "use_vice": 0.0, "use_spam": 0.0, "use_false_ads": 0.0}, "unsealing": {"watch_sensitivity": 0.0}}


def geometric_p(ages, hazard):
    """Return the p-value of ages against the geometric distribution with a daily hazard."""
    longest = max(2, int(np.log(10 / (ages.size * hazard)) / np.log1p(-hazard)))
    seen = np.bincount(np.minimum(ages, longest), minlength=longest + 1)[1:]
    share = hazard * (1 - hazard) ** np.arange(longest)
    share[-1] = 1 - share[:-1].sum()
    return stats.chisquare(seen, share * ages.size).pvalue


def lives(made, luck, a_day):
    """Let accounts live until all are gone; returns ages at exit and fates."""
    ages, fates = [], []
    for day in range(2000):
        if made.accounts.size == 0:
            break
        a_day(day)
        n = made.accounts.size
        fate = made.accounts.fate[:n]
        ages.append((day - made.accounts.acquired[:n] + 1)[fate != LIVE])
        fates.append(fate[fate != LIVE].copy())
        flows = departures.release(made, day)
        assert flows.ages.sum() == ages[-1].sum()
        assert flows.by_dealer.sum() == ages[-1].size
    return np.concatenate(ages), np.concatenate(fates)


@pytest.mark.parametrize("number", range(len(CHANNELS)), ids=CHANNELS)
def test_life_under_the_audit_is_geometric(tools, number):
    """With a constant hazard alpha Phi(d' - .6e - c) lifetimes are geometric, for every channel."""
    made, luck = tools.world(evasion=0.4, parameters=FLAT)
    tools.hold(made, luck, number, 4000)
    p = made.parameters.detection
    hazard = p.audit_rate * stats.norm.cdf(made.traits.cover[number] - p.evasion_effect * 0.4 - p.threshold)
    ages, fates = lives(made, luck, lambda day: detection.examine(made, tools.levers(), luck, day))
    assert (fates == AUDITED).all()
    assert geometric_p(ages, hazard) > LEAST_P


def test_robbed_owners_recover_at_a_constant_hazard(tools):
    made, luck = tools.world()
    tools.hold(made, luck, STOLEN, 4000)
    ages, fates = lives(made, luck, lambda day: departures.depart(made, luck, day))
    assert (fates == RECOVERED).all()
    assert geometric_p(ages, made.parameters.trading.recovery_per_day) > LEAST_P


def test_ways_out_of_a_rental_compete(tools):
    """Audit first, then quitting or theft: a life is geometric in the joint hazard, and ways out are multinomial at every age."""
    made, luck = tools.world(parameters=FLAT)
    tools.hold(made, luck, RENTED, 12_000)
    p, d = made.parameters.renting, made.parameters.detection
    audit = d.audit_rate * stats.norm.cdf(made.traits.cover[RENTED] - d.threshold)

    def a_day(day):
        detection.examine(made, tools.levers(), luck, day)
        departures.depart(made, luck, day)

    ages, fates = lives(made, luck, a_day)
    ways = np.array([audit, (1 - audit) * p.quit_per_day, (1 - audit) * p.theft_per_day])
    assert geometric_p(ages, ways.sum()) > LEAST_P
    young = ages <= np.median(ages)
    for part in (young, ~young):
        seen = [(fates[part] == fate).sum() for fate in (AUDITED, QUIT, EMPTIED)]
        assert stats.chisquare(seen, ways / ways.sum() * sum(seen)).pvalue > LEAST_P


def test_theft_takes_what_is_in_the_purse(tools):
    """Dealers take the stated sum from each emptied account with payment; the expectation is over all rentals of the day."""
    made, luck = tools.world()
    rows = tools.hold(made, luck, RENTED, 5000)
    before = made.market.balances["owners"]
    taken, expected = departures.depart(made, luck, 3)
    p = made.parameters
    robbed = (made.accounts.fate[rows] == EMPTIED) & made.accounts.payment[rows]
    assert taken == robbed.sum() * p.harm.theft_loss_yuan == before - made.market.balances["owners"]
    assert expected == pytest.approx(made.accounts.payment[rows].sum() * p.renting.theft_per_day * p.harm.theft_loss_yuan)
    assert abs(robbed.sum() - expected / p.harm.theft_loss_yuan) < 3.3 * np.sqrt(expected / p.harm.theft_loss_yuan)
