"""Sanction what was detected: graded steps with strikes, sealed pools, repeat helpers, appeals, law."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sim.agents.enforcer import Session
from sim.levers import CHANNELS, SEGMENTS, Levers
from sim.luck import ONCE, Luck, join
from sim.world.accounts import AUDITED, FRAUD, RENTED, RESEALED, STOLEN, VICE
from sim.world.registry import distinct
from sim.world.users import BANNED, LOST
from sim.world.world import World

RESTRICTION, SHORT_BAN, LONG_BAN, PERMANENT = range(4)


@dataclass(frozen=True)
class SanctionFlows:
    """Sanctions of a day: detections by channel `(5,)`, owners by segment `(4,)`, and what owners lose."""

    detected: NDArray[np.int64]
    owners: NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(SEGMENTS), dtype=np.int64))
    owners_lost: int = 0
    owners_repeat: int = 0
    robbed: int = 0
    ban_days: float = 0.0
    owner_appeals: int = 0


@dataclass(frozen=True)
class HelperFlows:
    """Repeat helpers sanctioned in a day, and honest ones among them by mistake."""

    sanctioned: int
    honest: int


@dataclass(frozen=True)
class AppealFlows:
    """Reviews of reports and appeals of innocents and owners in a day."""

    innocents_sanctioned: int
    upheld: int


def ladder(grave: NDArray[np.bool_], heavier: NDArray[np.bool_], strikes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the step of the ladder (0 restriction to 3 permanent): first by gravity and severity, then one more for each strike."""
    return np.asarray(np.minimum(grave.astype(np.int64) + heavier + strikes, PERMANENT))


def sanction(world: World, levers: Levers, luck: Luck, day: int) -> SanctionFlows:
    """Sanction all accounts detected today: dealer-made ones are sealed, owners climb the ladder."""
    accounts = world.accounts
    fate = accounts.fate[: accounts.size]
    fallen = ((fate >= AUDITED) & (fate <= RESEALED)).nonzero()[0]
    channel = accounts.channel[fallen]
    owned = (channel == RENTED) | (channel == STOLEN)
    p = world.parameters.sanction
    permanent = p.permanent_base + p.permanent_span * levers.sanction_severity
    _seal(world, luck, fallen[~owned], permanent)
    detected = np.bincount(channel, minlength=len(CHANNELS))
    world.self_unsealing = fallen[:0]
    flows = _sanction_owners(world, levers, luck, day, fallen[owned], permanent, detected) if owned.any() else SanctionFlows(detected)
    fade = 0.5 ** (1.0 / world.parameters.awareness.news_half_life_days)
    world.market.news += (1.0 - fade) * (flows.owners / world.population.millions - world.market.news)
    return flows


def _seal(world: World, luck: Luck, rows: NDArray[np.int64], permanent: float) -> None:
    """Seal dealer-made accounts: some for good, the others go to the dealer's pool for unsealing, which has a cap."""
    accounts, dealers = world.accounts, world.dealers
    kept = luck.uniforms("sealed for good", ONCE, accounts.key[rows]) >= permanent
    more = dealers.per_dealer(accounts.dealer[rows[kept]]).astype(np.int64)
    cap = int(world.parameters.unsealing.pool_cap)
    dealers.pool[: dealers.size] = np.minimum(dealers.pool[: dealers.size] + more, cap)


def _sanction_owners(
    world: World, levers: Levers, luck: Luck, day: int, rows: NDArray[np.int64], permanent: float, detected: NDArray[np.int64]
) -> SanctionFlows:
    """Let owners of detected accounts climb the ladder, remember it, appeal, unseal, be asked again and face a case."""
    accounts, users, p = world.accounts, world.users, world.parameters.sanction
    owner, key, segment = accounts.owner[rows], accounts.key[rows], accounts.segment[rows].astype(np.int64)
    at = users.rows(owner)
    touched = users.touched
    strikes = touched.strikes[at].astype(np.int64)
    grave = (accounts.use[rows] == FRAUD) | (accounts.use[rows] == VICE)
    harder, losing, appealing, trying = luck.each(("heavier step", "lost for good", "owner appeals", "owner's case"), ONCE, key)
    heavier = harder < levers.sanction_severity
    step = ladder(grave, heavier, strikes)
    step[losing < permanent * p.owner_permanent_ratio] = PERMANENT
    rented = accounts.channel[rows] == RENTED
    step[~rented] = RESTRICTION  # a robbed owner is no offender
    days = np.array([p.restriction_days, p.short_ban_days, p.long_ban_days, 0.0])[step].astype(np.int64)
    lost = step == PERMANENT
    touched.status[at] = np.where(lost, LOST, BANNED)
    touched.until[at] = day + days
    touched.strikes[at] = np.minimum(strikes + rented, 255)
    awareness = world.parameters.awareness
    users.remember(owner[rented], day, awareness.own_ban_risk, awareness.community_ban_risk)
    users.count_renters(owner[rented], -1)
    appeals = (rented & (appealing < p.appeal_owner)).nonzero()[0]
    if appeals.size:
        world.docket.owners[day] = owner[appeals[np.argsort(appealing[appeals])]]  # heard in any order: ids stand by segment
    touched.asker[at] = np.where(rented, accounts.dealer[rows], -1)
    touched.asker_entered[at] = world.dealers.entered[accounts.dealer[rows]]
    again = (rented & ~lost).nonzero()[0]
    world.returning.put_each((day + days)[again], owner[again])
    world.self_unsealing = owner[(step == SHORT_BAN) | (step == LONG_BAN)]
    tried = (rented & (trying < p.legal_owner * levers.legal_certainty[segment])).nonzero()[0]
    if tried.size:
        world.legal_cases.put_each(_verdict_days(world, luck, day, key[tried]), owner[tried], segment[tried])
    return SanctionFlows(
        detected=detected,
        owners=np.bincount(segment, minlength=len(SEGMENTS)),
        owners_lost=int(lost.sum()),
        owners_repeat=int((rented & (strikes > 0)).sum()),
        robbed=int((~rented).sum()),
        ban_days=float(days.sum()),
        owner_appeals=appeals.size,
    )


def _verdict_days(world: World, luck: Luck, day: int, key: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return the days on which cases opened today end, uniform over their shortest and longest duration."""
    p = world.parameters.sanction
    return day + (p.case_days_low + (p.case_days_high - p.case_days_low) * luck.uniforms("case days", ONCE, key)).astype(np.int64)


def trace_helpers(world: World, levers: Levers, luck: Luck, day: int, honest_assists: float) -> HelperFlows:
    """Trace the helpers of accounts detected today; repeat helpers (two assists in 90 days) are sanctioned with .5u and may face a case."""
    accounts, users, p = world.accounts, world.users, world.parameters.helping
    n = accounts.size
    fate = accounts.fate[:n]
    linked = distinct(accounts.helper[:n][(fate >= AUDITED) & (fate <= RESEALED) & (accounts.helper[:n] >= 0)])
    rows = users.registry.find(linked)
    touched = users.touched
    repeat = day - touched.previous_assist[rows] <= p.repeat_window_days
    linked, rows = linked[repeat], rows[repeat]
    keys = linked.astype(np.uint64)
    sanctioning, trying = luck.each(("helper sanction", "helper's case"), day, keys)
    hit = sanctioning < p.sanction_rate * levers.helper_sanctions
    steps = np.array(
        [world.parameters.sanction.restriction_days, world.parameters.sanction.short_ban_days, world.parameters.sanction.long_ban_days]
    )
    at = rows[hit]
    touched.helper_until[at] = day + steps[np.minimum(touched.helper_strikes[at], LONG_BAN)].astype(np.int64)
    touched.helper_strikes[at] = np.minimum(touched.helper_strikes[at] + 1, LONG_BAN)
    users.remember(linked[hit], day, world.parameters.awareness.own_ban_risk, 0.0)
    certainty = levers.legal_certainty[world.population.segment(linked)]
    tried = (trying < world.parameters.sanction.legal_helper * certainty).nonzero()[0]
    if tried.size:
        world.helper_cases.put_each(_verdict_days(world, luck, day, join(keys[tried], day)), linked[tried])
    honest = luck.count("honest helpers hit", day, honest_assists * p.honest_link_share * p.sanction_rate * levers.helper_sanctions)
    return HelperFlows(sanctioned=int(hit.sum()), honest=honest)


def decide_cases(world: World, luck: Luck, day: int, session: Session) -> AppealFlows:
    """Decide what reviewers took up besides reported accounts: mistaken reports, appeals of innocents and of owners."""
    p, d = world.parameters.sanction, world.parameters.detection
    owners, filed = world.docket.remove(session.first, session.mistaken, session.innocents, session.owners)
    upheld = _hear(world, luck, day, owners, filed) if owners.size else 0
    mistaken, innocents = int(session.mistaken.sum()), int(session.innocents.sum())
    wrongly = min(mistaken, luck.count("innocents confirmed", day, mistaken * d.confirm_innocent_share))
    cleared = int(np.floor(innocents * p.upheld_innocent + luck.uniform("innocents cleared", day)))
    return AppealFlows(innocents_sanctioned=wrongly, upheld=cleared + upheld)


def _hear(world: World, luck: Luck, day: int, owners: NDArray[np.int64], filed: NDArray[np.int64]) -> int:
    """Decide appeals of owners, `filed` on those days; who is upheld is free from tomorrow. Returns how many are upheld."""
    case = join(owners.astype(np.uint64), filed)  # not the day of review, which the length of the queue moves
    upheld = owners[luck.uniforms("owner's appeal", ONCE, case) < world.parameters.sanction.upheld_owner]
    if upheld.size:
        rows = world.users.rows(upheld)
        touched = world.users.touched
        barred = ((touched.status[rows] == BANNED) & (touched.until[rows] > day)) | (touched.status[rows] == LOST)
        back = rows[barred]
        touched.status[back] = BANNED
        touched.until[back] = day + 1
        world.returning.put(day + 1, upheld[barred])
    return int(upheld.size)


def appeal(world: World, luck: Luck, day: int, innocents: int) -> int:
    """Let innocents sanctioned today, robbed owners among them, appeal, half of them; returns how many do."""
    appeals = min(innocents, int(np.floor(innocents * world.parameters.sanction.appeal_innocent + luck.uniform("innocent appeals", day))))
    world.docket.innocents[day] += appeals
    return appeals


def verdicts(world: World, day: int) -> tuple[NDArray[np.int64], int]:
    """End the cases that are due: owners sanctioned by law by segment `(4,)`, and helpers. Owners remember it."""
    owner, segment = world.legal_cases.take(day, 2)
    (helper,) = world.helper_cases.take(day, 1)
    for people in (owner, helper):
        if people.size:
            world.users.remember(distinct(people), day, world.parameters.awareness.own_ban_risk, 0.0)
    return np.bincount(segment, minlength=len(SEGMENTS)), helper.size
