"""The ledger of parameters, read into typed groups."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True)
class Entry:
    """One row of the ledger; `source` says where the value comes from, `assumption` included."""

    value: float
    unit: str
    low: float
    high: float
    source: str
    note: str

    @property
    def kind(self) -> str:
        """What the value rests on, one of `KINDS`: by the first word of the source, and whether it goes on to assume."""
        first = self.source.replace(";", " ").replace(":", " ").split(maxsplit=1)[0]
        if first == "evidence" and "assumption" in self.source:
            return "evidence and assumption"
        return {"unit": "numerical"}.get(first, first)


KINDS = ("evidence", "evidence and assumption", "fit", "numerical", "assumption")
"""What values of the ledger rest on: sources; sources for the order of magnitude only; a fit to the baseline or to a long run of it;
the arithmetic of the model; nothing."""


@dataclass(frozen=True)
class Population:
    """Ordinary users: traits as functions of the id."""

    community_size: float
    reservation_median_yuan: float
    reservation_sigma: float
    contacts_median: float
    contacts_reference: float
    contacts_sigma: float
    young_account_share: float
    young_account_days: float
    oldest_account_days: float
    real_name_share: float
    payment_share: float
    signups_per_user_day: float
    unseal_requests_per_user_day: float
    logins_new_device_per_user_day: float
    honest_adverts_per_million_day: float
    remote_payments_per_user_day: float


@dataclass(frozen=True)
class Awareness:
    """What users know and fear."""

    reach_per_day: float
    remember_share: float
    half_life_days: float
    informed_factor: float
    own_ban_risk: float
    community_ban_risk: float
    risk_half_life_days: float
    risk_weight: float
    news_risk: float
    news_half_life_days: float


@dataclass(frozen=True)
class Registration:
    """Registering new accounts."""

    sim_cost_yuan: float
    audit_strength: float
    attempts_per_effort: float
    verified_base: float
    verified_span: float
    blocked_share: float
    blocked_reference: float
    blocked_power: float


@dataclass(frozen=True)
class Helping:
    """Recruiters of helpers: scan teams and task platforms."""

    stall_slots_per_million: float
    platform_slots_per_million: float
    stall_catchment_users: float
    platform_members: float
    stall_contacts_per_day: float
    contact_cost_yuan: float
    gift_yuan: float
    stall_acceptance: float
    gift_multiplier: float
    impersonation_multiplier: float
    confirmable_share: float
    confirmation_effect: float
    task_fee_yuan: float
    task_fee_usual_yuan: float
    task_logit: float
    task_fee_weight: float
    task_offer_cost_yuan: float
    task_offers_per_member_day: float
    stall_fixed_yuan: float
    platform_fixed_yuan: float
    work_scale_yuan: float
    candidates_per_request: float
    memory: float
    price_speed: float
    price_floor_yuan: float
    price_ceiling_yuan: float
    entry_per_day: float
    exit_per_day: float
    reserve_yuan: float
    profit_memory_days: float
    cap_window_days: float
    cap_reference: float
    cap_age_days: float
    honest_assists_per_day: float
    repeat_window_days: float
    sanction_rate: float
    honest_link_share: float
    stall_closure_per_day: float
    stall_closed_days: float
    stall_fine_yuan: float
    platform_closure_per_day: float
    platform_rebuild_per_day: float


@dataclass(frozen=True)
class Unsealing:
    """Unsealing sanctioned accounts."""

    attempts_per_effort: float
    attempt_cost_yuan: float
    success_share: float
    attempts_per_month: float
    pool_cap: float
    pool_decay_per_day: float
    watch_days: float
    watch_sensitivity: float
    prevalence_batch: float
    prevalence_scripted: float
    prevalence_false_data: float
    prevalence_fake_friend: float
    catch_batch: float
    catch_scripted: float
    catch_false_data: float
    catch_fake_friend: float
    catch_third_party: float
    reseal_days: float
    legitimate_refused_share: float
    self_attempt_share: float
    self_bought_share: float


@dataclass(frozen=True)
class Renting:
    """Renting accounts from their owners."""

    exposures_per_effort: float
    exploration: float
    acceptance_logit: float
    student_logit: float
    stay_at_home_parent_logit: float
    freelancer_logit: float
    other_logit: float
    commission_weight: float
    community_weight: float
    thinning_cap: float
    referral_per_day: float
    referral_logit: float
    loan_share: float
    return_share: float
    quit_per_day: float
    theft_per_day: float
    psi: float
    commission_speed: float
    commission_floor_yuan: float
    commission_ceiling_yuan: float
    identity_resale_yuan: float
    legal_weight: float
    severity_share: float
    amnesty_hazard_logit: float
    dealer_after_referrals: float
    dealer_share: float
    dealer_capacity: float
    noticed_share: float
    home_approach_per_day: float
    takedown_effect: float
    honest_takedown_share: float
    law_floor: float
    law_reference: float
    advert_report_weight: float


@dataclass(frozen=True)
class Trading:
    """Buying and stealing accounts."""

    exposures_per_effort: float
    selling_logit: float
    asked_yuan: float
    supply_elasticity: float
    reference_per_million_day: float
    volume_floor: float
    volume_half_life_days: float
    theft_cost_yuan: float
    thefts_per_effort: float
    recovery_per_day: float


@dataclass(frozen=True)
class Account:
    """Quality, cover and use of accounts."""

    quality_registered: float
    quality_unsealed: float
    quality_rented: float
    quality_bought: float
    quality_stolen: float
    age_premium: float
    real_name_premium: float
    batch_registered: float
    batch_unsealed: float
    batch_rented: float
    batch_bought: float
    batch_stolen: float
    demand_fraud: float
    demand_vice: float
    demand_spam: float
    demand_false_ads: float
    trusted_fit: float
    fresh_fit: float


@dataclass(frozen=True)
class Market:
    """Price of account-days."""

    demand_per_million: float
    reference_price_yuan: float
    demand_elasticity: float
    price_speed: float
    price_floor_yuan: float
    price_ceiling_yuan: float


@dataclass(frozen=True)
class Dealer:
    """Dealers: choice, beliefs, evasion, entry and exit."""

    capacity_mean: float
    capacity_sigma: float
    capacity_cap: float
    growth_per_day: float
    choice_weight: float
    exp3_rate: float
    exp3_share: float
    replicator_rate: float
    replicator_mutation: float
    tremble: float
    outside_yuan: float
    review_days: float
    memory: float
    prior_weight: float
    prior_effort: float
    evasion_cost_yuan: float
    evasion_drift: float
    evasion_target: float
    evasion_shield: float
    evasion_jump: float
    shock_multiple: float
    reserve_yuan: float
    entry_per_12_million_day: float
    entry_limit: float
    exit_per_day: float
    retire_per_day: float
    bankrupt_yuan: float
    start_cash_yuan: float
    profit_memory_days: float


@dataclass(frozen=True)
class Detection:
    """Audit, reports, review, sweep."""

    audit_rate: float
    threshold: float
    cover_registered: float
    cover_unsealed: float
    cover_rented: float
    cover_bought: float
    cover_stolen: float
    use_fraud: float
    use_vice: float
    use_spam: float
    use_false_ads: float
    evasion_effect: float
    login_rate: float
    traveller_share: float
    sweep_rate: float
    innocents_per_swept: float
    purge_innocents: float
    report_base: float
    report_span: float
    nuisance_base: float
    nuisance_span: float
    mistaken_per_million_day: float
    confirm_share: float
    confirm_innocent_share: float
    cases_per_million_day: float
    case_life_days: float
    amnesty_examined: float
    amnesty_rate: float
    amnesty_base: float


@dataclass(frozen=True)
class Sanction:
    """Graded sanctions, appeals, law."""

    restriction_days: float
    short_ban_days: float
    long_ban_days: float
    permanent_base: float
    permanent_span: float
    owner_permanent_ratio: float
    appeal_innocent: float
    appeal_owner: float
    upheld_innocent: float
    upheld_owner: float
    legal_owner: float
    legal_helper: float
    legal_dealer: float
    case_days_low: float
    case_days_high: float
    legal_cost_yuan: float


@dataclass(frozen=True)
class Harm:
    """What accounts do to people."""

    fraud_registered: float
    fraud_unsealed: float
    fraud_rented: float
    fraud_bought: float
    fraud_stolen: float
    fraud_loss_median_yuan: float
    friend_loss_median_yuan: float
    loss_sigma: float
    stranger_approaches: float
    friend_approaches: float
    friend_success: float
    confirmation_effect: float
    false_ad_victims: float
    false_ad_loss_yuan: float
    vice_exposures: float
    vice_yuan: float
    spam_messages: float
    spam_yuan: float
    leak_share: float
    leak_yuan: float
    theft_loss_yuan: float
    harassment_yuan: float
    ban_day_yuan: float
    account_loss_yuan: float


@dataclass(frozen=True)
class Friction:
    """Seconds that confirmations take."""

    scan_seconds: float
    friend_seconds: float


@dataclass(frozen=True)
class Start:
    """State near the stationary point of the standing regime, from which a run starts."""

    dealers_per_million: float
    stock_registered_per_million: float
    stock_unsealed_per_million: float
    stock_rented_per_million: float
    stock_bought_per_million: float
    stock_stolen_per_million: float
    pool_per_million: float
    price_yuan: float
    commission_yuan: float
    helper_price_yuan: float
    utilisation_share: float
    evasion: float
    dealer_profit_yuan: float
    hazard_registered: float
    hazard_unsealed: float
    hazard_rented: float
    hazard_bought: float
    hazard_stolen: float
    conversion_registered: float
    conversion_unsealed: float
    conversion_rented: float
    conversion_bought: float
    conversion_stolen: float
    assisted_registered: float
    assisted_unsealed: float
    size_log_mean: float
    size_log_sigma: float
    growth_log_mean: float
    growth_log_slope: float
    stalls_share: float
    platforms_share: float
    case_share: float
    assists_per_stall_day: float
    assists_per_platform_day: float
    per_candidate: float
    acceptance_stall: float
    acceptance_platform: float
    purchases_per_million: float


@dataclass(frozen=True)
class Cost:
    """Unit costs of levers: `fixed` at strength 1, `event` for each event named in the lever table."""

    registration_audit_fixed: float
    registration_audit_event: float
    assisted_verification_fixed: float
    assisted_verification_event: float
    helper_cap_fixed: float
    helper_cap_event: float
    helper_sanctions_fixed: float
    helper_sanctions_event: float
    scan_confirmation_fixed: float
    scan_confirmation_event: float
    stall_policing_fixed: float
    stall_policing_event: float
    task_platform_takedown_fixed: float
    task_platform_takedown_event: float
    unsealing_strictness_fixed: float
    unsealing_strictness_event: float
    account_audit_fixed: float
    account_audit_event: float
    login_check_fixed: float
    login_check_event: float
    cluster_sweep_fixed: float
    cluster_sweep_event: float
    sanction_severity_fixed: float
    sanction_severity_event: float
    user_reporting_fixed: float
    user_reporting_event: float
    review_capacity_fixed: float
    review_capacity_event: float
    ad_takedown_fixed: float
    ad_takedown_event: float
    awareness_campaign_fixed: float
    awareness_campaign_event: float
    friend_confirmation_fixed: float
    friend_confirmation_event: float
    legal_certainty_fixed: float
    legal_certainty_event: float
    legal_severity_fixed: float
    legal_severity_event: float
    owner_amnesty_fixed: float
    owner_amnesty_event: float
    purge_fixed: float
    purge_event: float


@dataclass(frozen=True, eq=False)
class Parameters:
    """Every parameter of a run, by group; equal only to itself, as `Levers`."""

    population: Population
    awareness: Awareness
    registration: Registration
    helping: Helping
    unsealing: Unsealing
    renting: Renting
    trading: Trading
    account: Account
    market: Market
    dealer: Dealer
    detection: Detection
    sanction: Sanction
    harm: Harm
    friction: Friction
    start: Start
    cost: Cost


_GROUPS: dict[str, type[Any]] = {
    "population": Population,
    "awareness": Awareness,
    "registration": Registration,
    "helping": Helping,
    "unsealing": Unsealing,
    "renting": Renting,
    "trading": Trading,
    "account": Account,
    "market": Market,
    "dealer": Dealer,
    "detection": Detection,
    "sanction": Sanction,
    "harm": Harm,
    "friction": Friction,
    "start": Start,
    "cost": Cost,
}


def _read() -> dict[str, dict[str, Entry]]:
    text = files("sim").joinpath("parameters.toml").read_text(encoding="utf-8")
    ledger = {group: {name: Entry(**row) for name, row in rows.items()} for group, rows in tomllib.loads(text).items()}
    for group, kind in _GROUPS.items():
        named = {field.name for field in fields(kind)}
        if named != ledger[group].keys():
            raise ValueError(f"ledger group {group} and its type differ in {sorted(named ^ ledger[group].keys())}")
    if ledger.keys() != _GROUPS.keys():
        raise ValueError(f"ledger and typed groups differ in {sorted(ledger.keys() ^ _GROUPS.keys())}")
    return ledger


LEDGER: dict[str, dict[str, Entry]] = _read()
"""Every parameter by group and name."""


@lru_cache(maxsize=64)
def _resolve(overrides: tuple[tuple[str, str, float], ...]) -> Parameters:
    values = {group: {name: entry.value for name, entry in rows.items()} for group, rows in LEDGER.items()}
    for group, name, value in overrides:
        if name not in values[group]:
            raise KeyError(f"no parameter {group}.{name}")
        values[group][name] = value
    return Parameters(**{group: kind(**values[group]) for group, kind in _GROUPS.items()})


def resolve(overrides: Mapping[str, Mapping[str, float]]) -> Parameters:
    """Return the ledger's values with some replaced; raises `KeyError` for a name that the ledger lacks.

    Ranges are checked where a scenario file is read.
    """
    return _resolve(tuple(sorted((g, n, float(v)) for g, rows in overrides.items() for n, v in rows.items())))
