"""Mutants of harm, control, sanctions, turnover, learning, policies, luck and the first day."""

from __future__ import annotations

from mutant import P, one

CONTROL = (
    # detection and review
    one("the sweep is skipped", "14", P + "detection.py", "fate[fallen] = SWEPT", "fallen = fallen[:0]"),
    one(
        "swept accounts sweep too",
        "14",
        P + "detection.py",
        "(fate == AUDITED) | (fate == REVIEWED)",
        "(fate == AUDITED) | (fate == REVIEWED) | (fate == SWEPT)",
    ),
    one(
        "a stronger audit has a higher threshold",
        "13",
        P + "detection.py",
        "p.threshold - levers.account_audit",
        "p.threshold + levers.account_audit",
    ),
    one("evasion does not fool the audit", "13", P + "detection.py", "- p.evasion_effect * evasion", "- 0 * evasion"),
    one("innocents are not counted", "1", "model.py", "innocents = examined.innocents_flagged + ", "innocents = "),
    one("every report is confirmed", "13", P + "detection.py", "< world.parameters.detection.confirm_share", "< 1.0"),
    one("a purge sees through evasion", "13_purge", P + "detection.py", "levers.purge * (1.0 - evasion)", "levers.purge"),
    one("review ignores its capacity", "2", "agents/enforcer.py", 'np.searchsorted(reached, capacity, side="right")', "span"),
    # sanctions
    one("no sanction is permanent", "16", P + "sanctions.py", "losing < permanent * p.owner_permanent_ratio", "losing < 0.0"),
    one("every seal can be unsealed", "16", P + "sanctions.py", "accounts.key[rows]) >= permanent", "accounts.key[rows]) >= 0.0"),
    one("strikes are not counted", "16", P + "sanctions.py", "np.minimum(strikes + rented, 255)", "strikes"),
    one(
        "a helper is sanctioned at the first assist",
        "15",
        P + "sanctions.py",
        "repeat = day - touched.previous_assist[rows] <= p.repeat_window_days",
        "repeat = rows >= 0",
    ),
    one("appeals upheld change nothing", "16", P + "sanctions.py", "touched.until[back] = day + 1", "pass"),
    one("communities keep counting banned renters", "2", P + "sanctions.py", "users.count_renters(owner[rented], -1)", "pass"),
    # departures, turnover
    one(
        "thieves are paid twice",
        "2_books",
        P + "departures.py",
        "accounts.dealer[robbed]) * p.harm",
        "accounts.dealer[robbed]) * 2 * p.harm",
    ),
    one(
        "quits and thefts do not compete with detection",
        "5",
        P + "departures.py",
        "((channel == RENTED) & (fate == LIVE)).nonzero()[0]",
        "(channel == RENTED).nonzero()[0]",
    ),
    one(
        "exits are counted twice",
        "2",
        P + "departures.py",
        "by_dealer=dealers.per_channel(accounts.dealer[gone], channel)",
        "by_dealer=2 * dealers.per_channel(accounts.dealer[gone], channel)",
    ),
    one(
        "lives are a day too short",
        "6",
        P + "departures.py",
        "age = day - accounts.acquired[gone] + 1",
        "age = day - accounts.acquired[gone]",
    ),
    one("owners who quit are not free again", "2", P + "departures.py", "users.touched.status[rows] = FREE", "pass"),
    one(
        "entrants ignore the reserve",
        "8_entry",
        P + "turnover.py",
        "(market.realised_profit - p.dealer.reserve_yuan) / p.dealer.reserve_yuan, 0.0)",
        "p.dealer.entry_limit, 0.0)",
    ),
    one("losses drive nobody out", "8_entry", P + "turnover.py", "p.dealer.exit_per_day * shortfall", "0 * shortfall"),
    one("accounts of closed dealers stay on sale", "2", P + "turnover.py", "accounts.fate[:n][theirs] = fate", "pass"),
    one("policing costs scan teams nothing", "2_books", P + "turnover.py", "fine[policed] = p.stall_fine_yuan", "pass"),
    # dealers learn, prices move
    one("the commission is the full worth of an account", "9_prices", P + "learning.py", "max(r.psi * value", "max(value"),
    one(
        "the price falls when demand is unmet",
        "9_prices",
        P + "learning.py",
        "(market.demand - market.supply) / larger",
        "(market.supply - market.demand) / larger",
    ),
    one(
        "evasion drifts ten times as fast",
        "10_memory",
        P + "learning.py",
        "-p.evasion_drift, p.evasion_drift)",
        "-10 * p.evasion_drift, 10 * p.evasion_drift)",
    ),
    one(
        "today is faded with the past",
        "10_memory",
        P + "learning.py",
        "        pooled += today.sum(axis=0)",
        "        pooled += keep * today.sum(axis=0)",
    ),
    one(
        "the market's hazard is not shrunk",
        "10",
        "world/market.py",
        "(self.exits + weight * self._first_hazards) / (self.at_risk + weight)",
        "self.exits / self.at_risk",
    ),
    one(
        "dealers believe their own record alone",
        "10",
        "agents/dealer.py",
        "p.prior_weight * market.hazards()) / (dealers.at_risk[rows] + p.prior_weight)",
        "1e-9) / (dealers.at_risk[rows] + 1e-9)",
    ),
    one("plans leave out the cost of evasion", "10", "agents/dealer.py", "- p.dealer.evasion_cost_yuan * ", "- 0 * "),
    one(
        "dealers do not tremble", "10", "agents/dealer.py", "(1 - p.dealer.tremble) * drawn + p.dealer.tremble / (IDLE + 1)", "1.0 * drawn"
    ),
    one("sellers' price is fixed", "9_prices", "world/market.py", "** (1.0 / p.supply_elasticity)", "** 0.0"),
    # policies, luck, start
    one("policies start a day early", "19", "policies.py", "elapsed = day - policy.first_day", "elapsed = day - policy.first_day + 1"),
    one("a ramp is a day ahead", "19", "policies.py", "(elapsed / policy.ramp_days)", "((elapsed + 1) / policy.ramp_days)"),
    one("the end day is a day late", "19", "policies.py", "day >= policy.end_day", "day > policy.end_day"),
    one(
        "all events of a dealer share their luck",
        "3",
        "luck.py",
        "keys * GOLDEN + words(ordinals) * _M2_U + ",
        "keys * GOLDEN + 0 * words(ordinals) + ",
    ),
    one(
        "luck goes by place, not by key",
        "20",
        "luck.py",
        "return mixed(keys * GOLDEN + stream)",
        "return mixed(words(np.arange(keys.size)).reshape(keys.shape) * GOLDEN + stream)",
    ),
    one("counts are rounded down", "8_sign_ups", "luck.py", "np.floor(expected + u)", "np.floor(expected)"),
    one(
        "the day's departures are not taken off the first stock",
        "3",
        "world/start.py",
        "* millions * (1.0 - hazards[number])",
        "* millions",
    ),
    one("accounts of day 0 are all new", "4", "world/start.py", "ages.append(np.floor(np.log(u)", "ages.append(np.floor(0 * np.log(u)"),
    # one lot for a life, and what happens once
    one(
        "every audit draws anew against the first day's chance",
        "4",
        P + "detection.py",
        "passing *= 1.0 - p.audit_rate",
        "passing[:] = 1.0 - p.audit_rate",
    ),
    one("careers do not wear on", "4_careers", P + "turnover.py", "dealers.staying[rows] *= ", "dealers.staying[rows] = "),
    one(
        "dealers of a row share a lot",
        "4_careers",
        P + "turnover.py",
        'luck.uniforms("dealer leaves", ONCE, key)',
        'luck.uniforms("dealer leaves", ONCE, rows.astype(np.uint64))',
    ),
    one("all reports of an account have one verdict", "19_once", P + "detection.py", ", accounts.case_day[live])  #", ", 0 * live)  #"),
    one("all appeals of an owner have one decision", "19_once", P + "sanctions.py", "astype(np.uint64), filed)", "astype(np.uint64), 0)"),
    one("an owner asked again is always the same rental", "19_once", P + "renting.py", "np.uint64), strikes)", "np.uint64), 0 * strikes)"),
    one("own requests of an owner share their luck", "19_once", P + "unsealing.py", "np.uint64), strikes)", "np.uint64), 0 * strikes)"),
    one(
        "own requests hang on the day",
        "19_once",
        P + "unsealing.py",
        'luck.children("own request", ONCE, ',
        'luck.children("own request", int(world.users.touched.until.max()), ',
    ),
)
