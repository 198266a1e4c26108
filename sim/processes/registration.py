"""Register new accounts: sign-up audit, then an assisted verification for some."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.inversion import repeated, rounded
from sim.levers import Levers
from sim.luck import Keys, Luck
from sim.world.accounts import REGISTERED, Claims
from sim.world.world import World


@dataclass(frozen=True)
class SignUps:
    """Attempts of a day: `key`, `dealer`, whether the audit lets it pass, whether it needs a helper; shapes `(n,)`."""

    key: Keys
    dealer: NDArray[np.int64]
    passes: NDArray[np.bool_]
    needs: NDArray[np.bool_]

    @property
    def asked(self) -> NDArray[np.bool_]:
        """Attempts for which a helper is sought: those that passed and need one."""
        return self.passes & self.needs

    def wanted(self) -> tuple[Keys, NDArray[np.int64]]:
        """Return keys and paying dealers of the attempts for which a helper is sought."""
        return self.key[self.asked], self.dealer[self.asked]


@dataclass(frozen=True)
class InnocentSignUps:
    """Side effects on legitimate sign-ups of a day."""

    examined: float
    blocked: int
    delayed: int


def sign_up(world: World, levers: Levers, luck: Luck, day: int) -> SignUps:
    """Attempt sign-ups in proportion to effort; each pays for a number and passes the audit with exp(-2u(1 - e/2))."""
    p, dealers = world.parameters.registration, world.dealers
    rows = dealers.rows()
    expected = dealers.capacity[rows] * dealers.shares[rows, REGISTERED] * p.attempts_per_effort
    counts = rounded(expected, luck.daily("sign-ups", day, dealers.key[rows]))
    dealer, ordinal = repeated(rows, counts)
    key = luck.children("sign-up", day, dealers.key[dealer], ordinal)
    shield = 1.0 - world.parameters.dealer.evasion_shield * dealers.evasion[dealer]
    audit, verification = luck.each(("sign-up audit", "sign-up helper"), day, key)
    passes = audit < np.exp(-p.audit_strength * levers.registration_audit * shield)
    needs = verification < p.verified_base + p.verified_span * levers.assisted_verification
    cost = np.zeros(dealers.size)
    cost[rows] = counts * p.sim_cost_yuan
    world.market.transfer("dealers", "suppliers", cost)
    return SignUps(key, dealer, passes, needs)


def complete(attempts: SignUps, found: NDArray[np.int64]) -> Claims:
    """Turn attempts that passed, with a helper where one was needed, into claims.

    `found` has the helper of each attempt for which one was sought, in order, -1 where none was found.
    """
    helper = np.full(attempts.key.size, -1, dtype=np.int64)
    helper[attempts.asked] = found
    done = attempts.passes & (~attempts.needs | (helper >= 0))
    return Claims.of(attempts.key[done], REGISTERED, attempts.dealer[done], helper=helper[done])


def innocents(world: World, levers: Levers, luck: Luck, day: int) -> InnocentSignUps:
    """Count legitimate sign-ups blocked, .026 (u/.3)^1.5 of them, and delayed by the search for a helper."""
    p = world.parameters.registration
    signups = world.population.users * world.parameters.population.signups_per_user_day
    blocked = min(1.0, p.blocked_share * (levers.registration_audit / p.blocked_reference) ** p.blocked_power)
    needs = min(1.0, p.verified_base + p.verified_span * levers.assisted_verification)
    return InnocentSignUps(
        examined=signups,
        blocked=luck.count("sign-ups blocked", day, signups * blocked),
        delayed=luck.count("sign-ups delayed", day, signups * needs),
    )
