"""Abuse deployed accounts: harm to strangers, friends and owners, realised and expected; whom it approaches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.levers import Levers
from sim.luck import Keys, Luck
from sim.world.accounts import FALSE_ADS, FRAUD, RENTED, SPAM, STOLEN, VICE
from sim.world.world import World


@dataclass(frozen=True)
class AbuseFlows:
    """Harm of a day in yuan (`expected` given the state), victims, exposures, and each account's approaches `(accounts,)`."""

    fraud: float
    friend_fraud: float
    false_ads: float
    vice: float
    spam: float
    harassment: float
    expected: float
    victims: int
    vice_exposures: float
    spam_messages: float
    approaches: NDArray[np.float64]


def abuse(world: World, levers: Levers, luck: Luck, day: int) -> AbuseFlows:
    """Use every deployed account for a day, at the market's utilisation.

    Incidents of fraud come at a rate per effective account-day by channel, friend fraud per approach to the owner's friends, scaled by the
    owner's contacts; losses are log-normal. Approaches do not depend on success, so that protecting victims leaves the market as it is.
    """
    accounts, p = world.accounts, world.parameters.harm
    n = accounts.size
    used = accounts.quality[:n] * world.market.utilisation
    use, channel, key = accounts.use[:n], accounts.channel[:n], accounts.key[:n]
    mean_factor = float(np.exp(p.loss_sigma**2 / 2))

    frauds = (use == FRAUD).nonzero()[0]
    approaches = np.zeros(n)
    approaches[frauds] = p.stranger_approaches * world.market.utilisation
    rate = np.minimum(1.0, world.traits.fraud_rate[channel[frauds]] * used[frauds])
    hit = frauds[luck.uniforms("fraud", day, key[frauds]) < rate]
    losses = _losses(luck, "fraud loss", day, key[hit], p.fraud_loss_median_yuan, p.loss_sigma)
    expected = float(rate.sum()) * p.fraud_loss_median_yuan * mean_factor

    close = frauds[(channel[frauds] == RENTED) | (channel[frauds] == STOLEN)]
    to_friends = p.friend_approaches * accounts.contacts[close] * world.market.utilisation
    approaches[close] += to_friends
    success = p.friend_success * (1.0 - p.confirmation_effect * levers.friend_confirmation)
    friend_rate = np.minimum(1.0, to_friends * success)
    friend_hit = close[luck.uniforms("friend fraud", day, key[close]) < friend_rate]
    friend_losses = _losses(luck, "friend loss", day, key[friend_hit], p.friend_loss_median_yuan, p.loss_sigma)
    expected += float(friend_rate.sum()) * p.friend_loss_median_yuan * mean_factor
    harassment = float(to_friends.sum()) * p.harassment_yuan

    adverts = (use == FALSE_ADS).nonzero()[0]
    deceived_rate = np.minimum(1.0, p.false_ad_victims * used[adverts])
    deceived = int((luck.uniforms("false advert", day, key[adverts]) < deceived_rate).sum())
    exposures = float(used[use == VICE].sum()) * p.vice_exposures
    messages = float(used[use == SPAM].sum()) * p.spam_messages
    vice, spam = exposures * p.vice_yuan, messages * p.spam_yuan
    expected += float(deceived_rate.sum()) * p.false_ad_loss_yuan + vice + spam + harassment
    return AbuseFlows(
        fraud=float(losses.sum()),
        friend_fraud=float(friend_losses.sum()),
        false_ads=deceived * p.false_ad_loss_yuan,
        vice=vice,
        spam=spam,
        harassment=harassment,
        expected=expected,
        victims=hit.size + friend_hit.size + deceived,
        vice_exposures=exposures,
        spam_messages=messages,
        approaches=approaches,
    )


def _losses(luck: Luck, process: str, day: int, key: Keys, median: float, sigma: float) -> NDArray[np.float64]:
    """Return log-normal losses in yuan, one an incident."""
    return np.asarray(median * np.exp(sigma * luck.normals(process, day, key)))
