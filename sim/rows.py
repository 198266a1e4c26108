"""Turn what the processes of a day report into one row of outcomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from sim.agents.enforcer import Session
from sim.levers import CHANNELS, SEGMENTS, USES, Levers
from sim.processes.abuse import AbuseFlows
from sim.processes.acquiring import AcquisitionFlows
from sim.processes.clearing import MarketFlows
from sim.processes.departures import ExitFlows
from sim.processes.detection import ExaminationFlows, ReportFlows
from sim.processes.registration import InnocentSignUps
from sim.processes.renting import Adverts
from sim.processes.sanctions import AppealFlows, HelperFlows, SanctionFlows
from sim.processes.turnover import DealerFlows, RecruiterFlows
from sim.processes.unsealing import UnsealingFlows
from sim.processes.verification import Assists
from sim.world.world import World


@dataclass(frozen=True)
class Day:
    """All flows of a day."""

    informed: float
    assists: Assists
    own: UnsealingFlows
    sign_ups: InnocentSignUps
    attempts: int
    offers_removed: float
    adverts: Adverts
    asked_friends: int
    asked_at_risk: int
    unseal_attempts: int
    acquired: AcquisitionFlows
    market: MarketFlows
    harm: AbuseFlows
    reports: ReportFlows
    examined: ExaminationFlows
    session: Session
    swept: int
    sanctioned: SanctionFlows
    helpers: HelperFlows
    appeals: AppealFlows
    innocents: int
    appeals_innocent: int
    owners_tried: NDArray[np.int64]
    helpers_tried: int
    theft: float
    expected_theft: float
    dealers: DealerFlows
    recruiters: RecruiterFlows
    exits: ExitFlows


def outcome_row(world: World, levers: Levers, costs: Mapping[str, float], day: Day, today: int) -> dict[str, float]:
    """Return the outcomes of a day by name; `costs` are those of each lever."""
    row = {**_market(world, day, today), **_people(world, levers, day), **_harm(world, levers, day)}
    row["review_backlog"] = float(world.docket.waiting(today) + (world.accounts.case_day[: world.accounts.size] >= 0).sum())
    row.update({f"cost_{name}_yuan": cost for name, cost in costs.items()})
    row["enforcement_cost_yuan"] = sum(costs.values())
    return row


def _by(prefix: str, names: tuple[str, ...], values: NDArray[np.float64] | NDArray[np.int64]) -> dict[str, float]:
    return dict(zip(_named(prefix, names), map(float, values.tolist()), strict=True))


@cache
def _named(prefix: str, names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{prefix}_{name}" for name in names)


def _market(world: World, day: Day, today: int) -> dict[str, float]:
    """Return stocks, flows, prices and who is in business."""
    market, acquired, dealers = day.market, day.acquired, world.dealers
    lures = acquired.by_lure
    rows = dealers.rows()
    at_work = world.recruiters.open[: world.recruiters.size] & (world.recruiters.closed_until[: world.recruiters.size] <= today)
    return {
        **_by("stock", CHANNELS, market.stock),
        **_by("inflow", CHANNELS, acquired.by_channel),
        **_by("detected", CHANNELS, day.sanctioned.detected),
        **_by("supply", CHANNELS, market.supply),
        **_by("exits", CHANNELS, day.exits.by_dealer.sum(axis=0)),
        **_by("exit_age", CHANNELS, day.exits.ages),
        "exits_rented_long": float(day.exits.long_rentals),
        "rented_by_advert": float(lures[0]),
        "rented_by_referral": float(lures[1]),
        "rented_by_return": float(lures[2]),
        **_by("rented", SEGMENTS, acquired.rented_by_segment),
        "owners_approached": day.adverts.approached + day.asked_friends,
        "at_risk_approached": day.adverts.at_risk + day.asked_at_risk,
        "supply_account_days": float(market.supply.sum()),
        "demand_account_days": market.demand,
        "utilisation_share": market.utilisation,
        **_by("supply", USES, market.by_use),
        "price_yuan": market.price,
        "commission_yuan": market.commission,
        "purchase_price_yuan": market.purchase_price,
        "dealers_active": float(rows.size),
        "dealer_profit_yuan": world.market.realised_profit,
        "dealer_evasion": market.evasion,
        "unseal_attempts": float(day.unseal_attempts),
        "dealer_pool": float(dealers.pool[rows].sum()),
        "dealer_top_share": market.top_share,
        "helpers_by_stall": float(day.assists.by_stall),
        "helpers_by_task_platform": float(day.assists.by_task_platform),
        "helper_price_yuan": market.helper_price,
        "assists_wanted": float(day.assists.wanted),
        "stalls_open": float((at_work & world.recruiters.is_stall).sum()),
        "task_platforms_open": float((at_work & ~world.recruiters.is_stall).sum()),
        "stalls_closed": float(day.recruiters.stalls_closed),
        "task_platforms_closed": float(day.recruiters.platforms_closed),
        "arrests_dealer": float(day.dealers.arrests),
    }


def _people(world: World, levers: Levers, day: Day) -> dict[str, float]:
    """Return what happens to owners, helpers and innocents, and the review queue."""
    sanctioned = day.sanctioned
    friction, payments = world.parameters.friction, world.parameters.population.remote_payments_per_user_day
    seconds = friction.scan_seconds * levers.scan_confirmation * day.assists.honest_assists
    seconds += friction.friend_seconds * levers.friend_confirmation * payments * world.population.users
    return {
        "owners_banned": float(sanctioned.owners.sum()),
        **_by("owners_banned", SEGMENTS, sanctioned.owners),
        "owners_lost": float(sanctioned.owners_lost),
        "owners_repeat": float(sanctioned.owners_repeat),
        "helpers_sanctioned": float(day.helpers.sanctioned),
        "helpers_sanctioned_honest": float(day.helpers.honest),
        "helpers_refused": float(day.assists.honest_refused),
        "innocents_sanctioned": float(day.innocents),
        "signups_blocked": float(day.sign_ups.blocked),
        "signups_delayed": float(day.sign_ups.delayed),
        "unseals_refused": float(day.own.refused),
        "travellers_challenged": float(day.examined.travellers),
        "friction_hours": seconds / 3600.0,
        "honest_adverts_removed": float(day.adverts.honest_removed),
        "reports": float(day.reports.reports),
        "reports_mistaken": float(day.reports.mistaken),
        "complaints": float(day.reports.reports + day.reports.mistaken + sanctioned.owner_appeals + day.appeals_innocent),
        "appeals_owner": float(sanctioned.owner_appeals),
        "appeals_innocent": float(day.appeals_innocent),
        "appeals_upheld": float(day.appeals.upheld),
        "review_days": day.session.mean_wait,
        "swept": float(day.swept),
        "challenged": float(day.examined.challenged),
        "purged": float(day.examined.purged),
        "self_reports": float(day.examined.self_reports),
        "sanctions_legal_owner": float(day.owners_tried.sum()),
        "sanctions_legal_helper": float(day.helpers_tried),
        "informed_share": day.informed,
    }


def _harm(world: World, levers: Levers, day: Day) -> dict[str, float]:
    """Return realised harm by category and harm expected given the state."""
    p, harm = world.parameters, day.harm
    severity = 0.2 + 0.8 * levers.legal_severity
    law = float(np.dot(day.owners_tried, severity)) * p.sanction.legal_cost_yuan
    bans = (day.sanctioned.ban_days - day.own.days_saved) * p.harm.ban_day_yuan
    bans += day.sanctioned.owners_lost * p.harm.account_loss_yuan
    owner = day.theft + bans + harm.harassment + law
    leaks = float(day.acquired.rented_by_segment.sum()) * p.harm.leak_share * p.harm.leak_yuan
    total = harm.fraud + harm.friend_fraud + harm.false_ads + harm.vice + harm.spam + day.acquired.harm_privacy + owner
    return {
        "harm_fraud_yuan": harm.fraud,
        "harm_friend_fraud_yuan": harm.friend_fraud,
        "harm_false_ads_yuan": harm.false_ads,
        "harm_vice_yuan": harm.vice,
        "harm_spam_yuan": harm.spam,
        "harm_privacy_yuan": day.acquired.harm_privacy,
        "harm_owner_yuan": owner,
        "harm_total_yuan": total,
        "expected_harm_yuan": harm.expected + day.expected_theft + leaks + bans + law,
        "victims": float(harm.victims),
        "vice_exposures": harm.vice_exposures,
        "spam_messages": harm.spam_messages,
    }


def events(levers: Levers, day: Day) -> dict[str, float]:
    """Return today's count of the event that each lever pays for, as named in the lever table; what is examined counts by how closely."""
    cases = float(day.owners_tried.sum() + day.helpers_tried + day.dealers.arrests)
    return {
        "registration_audit": levers.registration_audit * (day.sign_ups.examined + day.attempts),
        "assisted_verification": day.sign_ups.delayed,
        "helper_cap": day.assists.honest_refused,
        "helper_sanctions": day.helpers.sanctioned + day.helpers.honest,
        "scan_confirmation": levers.scan_confirmation * day.assists.honest_assists,
        "stall_policing": day.recruiters.stalls_closed,
        "task_platform_takedown": day.recruiters.platforms_closed,
        "unsealing_strictness": levers.unsealing_strictness * (day.own.examined + day.unseal_attempts),
        "account_audit": day.examined.innocents_flagged,
        "login_check": day.examined.challenged + day.examined.travellers,
        "cluster_sweep": day.swept,
        "sanction_severity": float(day.sanctioned.detected.sum()),
        "user_reporting": day.reports.reports + day.reports.mistaken,
        "review_capacity": day.session.handled,
        "ad_takedown": day.adverts.removed + day.offers_removed + day.adverts.honest_removed,
        "legal_certainty": cases,
        "owner_amnesty": day.examined.self_reports,
        "purge": day.examined.purged + day.examined.purge_innocents,
    }
