"""The levers of platform, consumer protection and law: what each is called, moves and costs."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

SEGMENTS = ("student", "stay_at_home_parent", "freelancer", "other")
"""Segments of users, in the order of every array that has one entry a segment."""

AT_RISK = 3
"""The first three segments are those at whom lures are aimed."""

CHANNELS = ("registered", "unsealed", "rented", "bought", "stolen")
"""Supply channels, in the order of every array that has one entry a channel."""

LEARNING = ("logit", "exp3", "replicator")
"""Rules by which dealers may learn where to put their effort."""

USES = ("fraud", "vice", "spam", "false_ads")
"""Uses of a controlled account, in the order of every array that has one entry a use."""


@dataclass(frozen=True)
class Lever:
    """One row of the lever table.

    `standing` is the strength in force without a policy (0 to 1); `by_segment` says whether a policy on it
    may name segments; `only_policy` marks a pulse that has no standing strength; `event` names what the
    cost per event in the ledger (group `cost`) is counted by; `moves` is the outcome its mechanism names and
    `direction` the sign in which a stronger lever moves it.
    """

    name: str
    meaning: str
    equation: str
    standing: float
    side_effect: str
    side_outcome: str
    event: str
    moves: str
    direction: int
    by_segment: bool = False
    only_policy: bool = False


# fmt: off
_ROWS = (
    Lever("registration_audit", "audit of sign-ups: batches, devices, numbers", "a malicious sign-up passes with exp(-2u(1 - e/2))", 0.3,
          "legitimate sign-ups blocked, .026 (u/.3)^1.5 of them", "signups_blocked", "sign-up x strength", "inflow_registered", -1),
    Lever("assisted_verification", "share of sign-ups that need an existing user's scan", "share .3 + .7u needs a helper", 0.3,
          "legitimate sign-ups delayed", "signups_delayed", "legitimate sign-up delayed", "inflow_registered", -1),
    Lever("helper_cap", "who may help, and how often", "account of at least six months; one assist in 30 u/.3 days", 0.3,
          "honest helpers refused", "helpers_refused", "honest helper refused", "helpers_by_task_platform", -1),
    Lever("helper_sanctions", "sanctions on repeat helpers of a confirmed malicious account",
          "two assists in 90 days and a link: sanctioned with .5u (restriction, short, long)", 0.1,
          "honest repeat helpers hit", "helpers_sanctioned_honest", "helper sanctioned", "helpers_sanctioned", 1),
    Lever("scan_confirmation", "a dialog that says what the scan confirms", "unaware half of stall acceptance x (1 - .8u)", 0.0,
          "seconds of friction", "friction_hours", "dialog shown", "helpers_by_stall", -1),
    Lever("stall_policing", "street policing of scan teams", "each open team closed with .03u a day, for 7 days, at a loss", 0.1,
          "none; officers' time is the cost", "enforcement_cost_yuan", "scan team closed", "helpers_by_stall", -1),
    Lever("task_platform_takedown", "takedown of online task platforms", "each platform closed with .02u a day, its member list lost", 0.1,
          "none; investigators' time is the cost", "enforcement_cost_yuan", "platform closed", "helpers_by_task_platform", -1),
    Lever("unsealing_strictness", "audit of unsealing requests against five abuses",
          "an abuse is caught with its catch rate x u: refusal, re-sealing or permanent seal", 0.3,
          "legitimate unsealing refused", "unseals_refused", "request x strength", "inflow_unsealed", -1),
    Lever("account_audit", "sensitivity of the live-account detector", "threshold c = c0 - u", 0.0,
          "innocents flagged, steeply", "innocents_sanctioned", "innocent flagged", "lifetime_days_rented", -1),
    Lever("login_check", "challenge on dual login and new devices", "rented and stolen accounts challenged with .15u(1 - e/2) a day", 0.0,
          "travellers challenged", "travellers_challenged", "challenge", "lifetime_days_rented", -1),
    Lever("cluster_sweep", "sweep of the batch of a fallen account", "each live batch-mate falls with .5u(1 - e/2)", 0.2,
          "innocents on the same device", "innocents_sanctioned", "account swept", "stock_registered", -1),
    Lever("sanction_severity", "how heavy a sanction is", "permanent with .2 + .6u (owners: a quarter); a step more with u", 0.3,
          "lured owners lose more", "harm_owner_yuan", "sanction", "inflow_unsealed", -1),
    Lever("user_reporting", "how easy reporting is", "those approached report with .1 + .4u; vice and spam .002 + .02u an account-day", 0.3,
          "mistaken and malicious reports", "reports_mistaken", "report", "reports", 1),
    Lever("review_capacity", "reviewers", "6u cases a day per million users, shared by reports and appeals", 0.3,
          "none; reviewers' pay is the cost", "enforcement_cost_yuan", "case handled", "review_backlog", -1),
    Lever("ad_takedown", "takedown of rental and buying adverts", "adverts that survive: 1 - .9u", 0.1,
          "honest job adverts removed", "honest_adverts_removed", "advert removed", "rented_by_advert", -1, by_segment=True),
    Lever("awareness_campaign", "'no rent, no loan, no sale, no trust' and official denial of fake promotions",
          "reach .4 x .02u a day of those not informed; informed users accept .21 times as often", 0.1,
          "none; media and attention are the cost", "enforcement_cost_yuan", "none", "rented_by_advert", -1, by_segment=True),
    Lever("friend_confirmation", "confirm by voice before paying a friend", "success of friend fraud x (1 - .95u)", 0.2,
          "seconds of friction", "friction_hours", "none", "harm_friend_fraud_yuan", -1),
    Lever("legal_certainty", "how surely law reaches owners, helpers and dealers",
          "cases: owners .005u a spell, repeat helpers .005u a link, dealers .001u a day; acceptance -.25 ln(max(u, .02)/.2)", 0.2,
          "owners and helpers punished", "sanctions_legal_owner", "case", "rented_by_advert", -1, by_segment=True),
    Lever("legal_severity", "how heavy a legal sanction is", "acceptance shift a fifth of that of certainty; cost of a case to owners", 0.2,
          "owners punished harder", "harm_owner_yuan", "none", "rented_by_advert", -1, by_segment=True),
    Lever("owner_amnesty", "lured owners who report themselves go unsanctioned",
          "self-report .05u(informed + .2) a day; the named dealer's accounts examined; acceptance +.3u", 0.0,
          "moral hazard: more accept", "rented_by_advert", "self-report", "self_reports", 1, by_segment=True),
    Lever("purge", "a pulse: every account under dealer control examined on listed days", "each live account falls with u(1 - e)", 0.0,
          "innocents flagged that day", "innocents_sanctioned", "account purged", "purged", 1, only_policy=True),
)

# fmt: on

LEVERS: dict[str, Lever] = {row.name: row for row in _ROWS}
"""The 21 levers by name, in the order in which tables show them."""

Strengths = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Levers:
    """Strengths in force on one day, each in [0, 1]; equal only to itself, so that what follows from levers alone is worked out once.

    Levers that can be aimed at segments are arrays of shape `(4,)` in the order of `SEGMENTS`; the others are numbers.
    """

    registration_audit: float
    assisted_verification: float
    helper_cap: float
    helper_sanctions: float
    scan_confirmation: float
    stall_policing: float
    task_platform_takedown: float
    unsealing_strictness: float
    account_audit: float
    login_check: float
    cluster_sweep: float
    sanction_severity: float
    user_reporting: float
    review_capacity: float
    ad_takedown: Strengths
    awareness_campaign: Strengths
    friend_confirmation: float
    legal_certainty: Strengths
    legal_severity: Strengths
    owner_amnesty: Strengths
    purge: float

    @classmethod
    def of(cls, strengths: dict[str, float | Strengths]) -> Levers:
        """Build from one strength a lever; a number given for a lever by segment counts for all four.

        Raises `KeyError` if a lever is missing.
        """
        values: dict[str, float | Strengths] = {}
        for field in fields(cls):
            given = strengths[field.name]
            values[field.name] = (
                np.broadcast_to(np.asarray(given, dtype=np.float64), (len(SEGMENTS),)).copy()
                if LEVERS[field.name].by_segment
                else float(given)
            )
        return cls(**values)  # type: ignore[arg-type]  # float or array by the lever's kind, as just built
