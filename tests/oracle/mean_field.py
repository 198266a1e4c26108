"""The mean-field limit: difference equations of the rules of MODEL.md for infinitely many users.

    python tests/oracle/mean_field.py --out results/reference/mean_field.csv

State, per million users: dealers in classes by size at entry, each class one representative dealer (size, evasion, plan, memories, pool,
profit); accounts by class and kind; recruiters by kind; prices. Every count is its expectation, every yes-or-no a share. Of `sim` only the
scenario, the ledger and the schedule of policies are used. `LEFT_OUT` says what has no equation; with `--out` the script compares the
equations with runs of growing size and writes the table of gaps.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from limit.accounts import BOUGHT, REGISTERED, RENTED, STOLEN, UNSEALED, VICE, Found
from limit.state import Reals, State

from sim.levers import CHANNELS, Levers
from sim.policies import levers_in_force
from sim.scenario import Scenario

LEFT_OUT = (
    "scatter of small numbers: within a class of dealers, among pitches, among platforms",
    "users who are not free, and risk remembered by others than helpers and owners who come back",
    "more than one strike; renters who turn dealer; bankruptcy; the owner amnesty",
)


class MeanField(State):
    """The expected market of a scenario, per million users; raises `ValueError` for an amnesty, which has no equation."""

    def __init__(self, scenario: Scenario, classes: int = 15) -> None:
        super().__init__(scenario, classes)
        self.rows: dict[str, list[float]] = {}

    def run(self) -> dict[str, Reals]:
        """Move through the days that are left; returns daily series, counts per million users, prices and shares as they are."""
        while self.day < self.scenario.run.days:
            for name, value in self.step().items():
                self.rows.setdefault(name, []).append(float(value))
        return {name: np.array(values) for name, values in self.rows.items()}

    def step(self) -> dict[str, float]:
        """Move by a day, in the order of MODEL.md; returns its outcomes."""
        p, levers, accounts = self.p, levers_in_force(self.scenario, self.day), self.accounts
        if np.any(levers.owner_amnesty):
            raise ValueError("the owner amnesty has no equation")
        frozen = not self.scenario.dealers.adaptive and self.day >= self.scenario.run.burn_in_days
        r, u, d, a = p.renting, p.unsealing, p.dealer, p.awareness
        prices = {"price": self.price, "commission": self.commission, "purchase_price": self.asked, "helper_price": self.helper_price}
        # awareness, plans
        reach = levers.awareness_campaign * a.reach_per_day * a.remember_share
        self.informed = (self.informed + (1 - self.informed) * reach) * 0.5 ** (1 / a.half_life_days)
        informed = float(self.audience @ self.informed)
        if not frozen:
            shares, weights = self.plan()
            self.plans.append(shares)
            self.adverts.append(weights)
        tries = self.size[:, None] * np.mean(self.plans, axis=0)[:, :5] * self.per_effort
        # sign-ups and unsealings ask for helpers
        shield = 1 - d.evasion_shield * self.evasion
        passes = np.exp(-p.registration.audit_strength * levers.registration_audit * shield)
        needs = min(1.0, p.registration.verified_base + p.registration.verified_span * levers.assisted_verification)
        self.pool *= 1 - u.pool_decay_per_day
        tries[:, UNSEALED] = np.minimum(tries[:, UNSEALED], self.pool * u.attempts_per_month / 30)
        asks = np.stack([tries[:, REGISTERED] * passes * needs, tries[:, UNSEALED]], axis=1)
        wanted = asks.sum() + self.sanctioned[0][1:].sum() * u.self_attempt_share * u.self_bought_share
        at_work = self.recruiters.at_work() * self.recruiters.slots
        helped, offered = self.recruiters.help(levers, wanted, self.helper_price, informed)
        served = helped.sum() / max(wanted, 1e-12)
        assisted = asks * served
        # accounts are taken over
        wins = np.zeros_like(tries)
        wins[:, REGISTERED] = tries[:, REGISTERED] * passes * (1 - needs + needs * served)
        strict = levers.unsealing_strictness
        sealed = strict * (u.prevalence_batch * u.catch_batch + u.prevalence_scripted * u.catch_scripted)
        refused = strict * (u.prevalence_false_data * u.catch_false_data + u.prevalence_fake_friend * u.catch_fake_friend)
        third = 1 - u.prevalence_batch - u.prevalence_scripted - u.prevalence_false_data - u.prevalence_fake_friend
        success = (1 - sealed - refused) * u.success_share
        late = third * u.catch_third_party * strict * u.success_share / success
        wins[:, UNSEALED] = assisted[:, 1] * success
        self.pool -= assisted[:, 1] * (sealed + success)
        shown = tries[:, [RENTED]] * np.mean(self.adverts, axis=0)
        recruits, friends, back = self._rent(levers, shown)
        wins[:, RENTED] = recruits.sum(axis=1)
        self.ease = self.selling_ease(levers)
        sells = self.accept(p.trading.selling_logit + self.segment + self.law(levers))
        wins[:, BOUGHT] = tries[:, BOUGHT] * float(self.audience @ (self.adverts_surviving(levers) * sells))
        wins[:, STOLEN] = tries[:, STOLEN] * (1 - informed * (1 - a.informed_factor))
        inflow = wins.copy()
        rented = accounts.held()[:, RENTED]
        whose = rented / max(rented.sum(), 1e-12)  # friends and owners who come back go to those who hold renters
        inflow[:, RENTED] += whose * (friends.sum() + back.sum())
        self.linked += np.array([assisted[:, 0].sum(), wins[:, UNSEALED].sum()])
        accounts.x[:, :, 0] += inflow[:, accounts.channel] * accounts.new
        # clearing
        held, before = accounts.held(), accounts.x.sum(axis=2)
        supply = held * accounts.quality
        total, hiding = supply.sum(), float(supply.sum(axis=1) @ self.evasion)
        demand = p.market.demand_per_million * (self.price / p.market.reference_price_yuan) ** -p.market.demand_elasticity
        self.util = min(1.0, demand / total) if total > 0 else 1.0
        unpaid = self.unpaid / max(self.renters.sum(), 1e-12)
        income = supply.sum(axis=1) * (self.price * self.util - d.evasion_cost_yuan * self.evasion**2)
        income -= held[:, RENTED] * (1 - unpaid) * self.commission - inflow[:, RENTED] * r.identity_resale_yuan
        income -= tries[:, REGISTERED] * p.registration.sim_cost_yuan + assisted.sum(axis=1) * self.helper_price
        income -= assisted[:, 1] * u.attempt_cost_yuan + inflow[:, BOUGHT] * self.asked + inflow[:, STOLEN] * p.trading.theft_cost_yuan
        # detection and sanctions
        found = accounts.examine(levers, self.util, self.evasion, late, inflow, self.n)
        detected = found.detected @ accounts.of
        permanent = p.sanction.permanent_base + p.sanction.permanent_span * levers.sanction_severity
        self.pool += detected[:, [REGISTERED, UNSEALED, BOUGHT]].sum(axis=1) * (1 - permanent)
        self.pool = np.minimum(self.pool, u.pool_cap * self.n)
        self._sanction_owners(levers, found, permanent)
        stock = np.maximum(held.sum(axis=0), 1e-12)
        linked = float(self.linked @ (detected.sum(axis=0) / stock)[:2])
        barred = self.recruiters.trace(levers, linked, helped, 1 / self.market_hazard()[:2].mean())
        # departures and turnover
        income += accounts.held()[:, RENTED] * r.theft_per_day * p.population.payment_share * p.harm.theft_loss_yuan
        accounts.depart()
        taught = (before - accounts.x.sum(axis=2)) @ accounts.of  # accounts of dealers who close teach nobody
        closed = self._turn_over_dealers(levers)
        self.closing = float(closed @ whose)
        self.recruiters.turn_over(levers)
        exits = (before - accounts.x.sum(axis=2)) @ accounts.of
        left = exits.sum(axis=0) / stock
        self.linked *= 1 - left[:2]
        self.renters, self.repeat, self.unpaid = (x * (1 - left[RENTED]) for x in (self.renters, self.repeat, self.unpaid))
        self.pairs *= (1 - left[RENTED]) ** 2
        # learning
        stay = 1 - closed[:, None]
        seen = {"at_risk": held, "exits": taught, "tries": tries, "wins": wins, "recruits": recruits, "shown": shown}
        for name, today in seen.items():
            self.own[name] = self.own[name] * d.memory + today * stay
            self.pooled[name] = self.pooled[name] * d.memory + (today * stay).sum(axis=0)
        self.pooled["assisted"] = self.pooled["assisted"] * d.memory + assisted.sum(axis=0)
        self._adapt(income * stay[:, 0], held, taught, frozen)
        self._reprice(demand, total, inflow[:, BOUGHT].sum(), wanted, offered)
        waiting = accounts.waiting()
        accounts.grow_older()
        self.day += 1
        by_channel = {"stock": held, "inflow": inflow, "supply": supply, "exits": exits, "detected": detected}
        return {
            **{f"{name}_{c}": v for name, of in by_channel.items() for c, v in zip(CHANNELS, of.sum(axis=0), strict=True)},
            **{f"{name}_yuan": value for name, value in prices.items()},
            "rented_by_advert": recruits.sum(),
            "rented_by_referral": friends.sum(),
            "rented_by_return": back.sum(),
            "supply_account_days": total,
            "demand_account_days": demand,
            "utilisation_share": self.util,
            "dealers_active": self.n.sum(),
            "dealer_profit_yuan": self.realised,
            "dealer_evasion": hiding / max(total, 1e-12),
            "dealer_pool": self.pool.sum(),
            "unseal_attempts": assisted[:, 1].sum(),
            "helpers_by_stall": helped[0].sum(),
            "helpers_by_task_platform": helped[1].sum(),
            "assists_wanted": wanted,
            "stalls_open": at_work[0],
            "task_platforms_open": at_work[1],
            "helpers_sanctioned": barred,
            "owners_banned": detected[:, [RENTED, STOLEN]].sum(),
            "reports": found.reports,
            "review_backlog": waiting,
            "swept": found.swept,
            "informed_share": informed,
        }

    def _rent(self, levers: Levers, shown: Reals) -> tuple[Reals, Reals, Reals]:
        """Return those who rent out: by class and segment from adverts, by segment from friends and among owners whose sanction ends."""
        p, r, a, s = self.p, self.p.renting, self.p.awareness, self.p.sanction
        lure = r.acceptance_logit + self.segment + self.law(levers)
        lure = lure + r.commission_weight * np.log(self.commission / p.population.reservation_median_yuan)
        recruits = shown * self.adverts_surviving(levers) * self.accept(lure)
        renters = max(self.renters.sum(), 1e-12)
        near = self.pairs / renters  # other renters in a renter's community
        word = r.referral_logit + r.community_weight * (np.log(2) + near * np.log(1.5))
        asked = r.referral_per_day * self.renters * (1 - (1 + near) / p.population.community_size)
        friends, back = asked * self.accept(lure + word), np.zeros(4)
        for step, days in enumerate((s.restriction_days, s.short_ban_days, s.long_ban_days)):
            risk = (a.own_ban_risk + a.community_ban_risk) * 0.5 ** (days / a.risk_half_life_days)
            word = r.referral_logit + r.community_weight * np.log1p(near) - a.risk_weight * risk
            asked = self.sanctioned[int(days) - 1][step] * (1 - self.closing) ** days * r.return_share * self.renters / renters
            back += asked * self.accept(lure + word, met=lure)
        self.renters = self.renters + recruits.sum(axis=0) + friends + back
        self.repeat, self.unpaid = self.repeat + back.sum(), self.unpaid + r.loan_share * friends.sum()
        self.pairs += 2 * (1 + near) * friends.sum()
        return recruits, friends, back

    def _sanction_owners(self, levers: Levers, found: Found, permanent: float) -> None:
        """Let owners climb the ladder; some appeal."""
        s, heavy = self.p.sanction, levers.sanction_severity
        rented = found.detected.sum(axis=0) * (self.accounts.channel == RENTED)
        grave = rented[self.accounts.use <= VICE].sum() / max(rented.sum(), 1e-12)
        again = self.repeat / max(self.renters.sum(), 1e-12)
        steps = np.array([1.0])
        for chance in (grave, heavy, again):
            steps = np.convolve(steps, [1 - chance, chance])
        self.sanctioned.appendleft(rented.sum() * steps[:3] * (1 - permanent * s.owner_permanent_ratio))
        self.accounts.docket[2, 0] += s.appeal_owner * rented.sum()

    def _turn_over_dealers(self, levers: Levers) -> Reals:
        """Let dealers come and go; returns the share of each class that left."""
        d, s = self.p.dealer, self.p.sanction
        low, high = int(s.case_days_low), int(s.case_days_high)
        arrested = sum(self.openings[i] for i in range(low - 1, high - 1)) / (high - low) * (1 - d.retire_per_day) ** ((low + high) / 2)
        self.openings.appendleft(s.legal_dealer * float(self.audience @ levers.legal_certainty))
        short = np.clip(1 - self.profit / np.maximum(self.n, 1e-300) / d.reserve_yuan, 0, 2)
        closed = 1 - (1 - arrested) * (1 - d.exit_per_day * short) * (1 - d.retire_per_day)
        come = d.entry_per_12_million_day / 12 * min(max(self.realised / d.reserve_yuan - 1, 0), d.entry_limit) * self.enter_share
        mean = float(self.n @ self.evasion) / self.n.sum() if self.n.sum() > 0 else self.p.start.evasion
        for name in ("n", "size", "first", "pool", "profit"):
            setattr(self, name, getattr(self, name) * (1 - closed))
        self.own = {name: value * (1 - closed[:, None]) for name, value in self.own.items()}
        self.accounts.x *= (1 - closed)[:, None, None]
        for plan in self.plans:  # who comes is idle until the first review
            np.multiply(plan, (self.size / np.maximum(self.size + come * self.enter_size, 1e-300))[:, None], out=plan)
        self.evasion = (self.n * self.evasion + come * mean) / np.maximum(self.n + come, 1e-300)
        self.n, self.profit = self.n + come, self.profit + come * d.reserve_yuan
        self.size, self.first = self.size + come * self.enter_size, self.first + come * self.enter_size
        return closed

    def _adapt(self, income: Reals, held: Reals, exits: Reals, frozen: bool) -> None:
        """Move dealers' profit, size and evasion."""
        d, n, total = self.p.dealer, np.maximum(self.n, 1e-300), np.maximum(held.sum(axis=1), 1e-300)
        self.profit = self.profit + (income - self.profit) / d.profit_memory_days
        self.realised = float(self.profit.sum() / n.sum()) if self.n.sum() > 1e-12 else (1 + d.entry_limit) * d.reserve_yuan
        size, first = np.maximum(self.size, 1e-300), np.maximum(self.first, 1e-300)
        aim = np.clip(self.profit / size / (d.reserve_yuan / d.capacity_mean) - 1, -1, 1) - np.log(size / first)
        self.size = np.clip(self.size * np.exp(d.growth_per_day * aim), self.n, d.capacity_cap * self.n)
        if frozen:
            return
        hazard = np.minimum(1, (self.hazard() * held).sum(axis=1) / total)
        drift = np.clip(np.clip(d.evasion_target * hazard, 0, 1) - self.evasion, -d.evasion_drift, d.evasion_drift)
        shock = np.maximum(0, exits.sum(axis=1) / total - d.shock_multiple * hazard) * total / (total + d.prior_weight * n)
        self.evasion = self.evasion + drift
        self.evasion += d.evasion_jump * shock * (1 - self.evasion)

    def _reprice(self, demand: float, supply: float, bought: float, wanted: float, offered: float) -> None:
        """Move prices towards balance."""
        m, h, r, t = self.p.market, self.p.helping, self.p.renting, self.p.trading
        self.price *= np.exp(m.price_speed * (demand - supply) / max(demand, supply))
        self.price = min(max(self.price, m.price_floor_yuan), m.price_ceiling_yuan)
        wage = max(r.psi * self.price * self.util * self.accounts.quality[RENTED], r.commission_floor_yuan)
        self.commission *= (wage / self.commission) ** r.commission_speed
        self.commission = min(max(self.commission, r.commission_floor_yuan), r.commission_ceiling_yuan)
        if max(wanted, offered) > 0:
            self.helper_price *= np.exp(h.price_speed * (wanted - offered) / max(wanted, offered))
        self.helper_price = min(max(self.helper_price, h.price_floor_yuan), h.price_ceiling_yuan)
        self.purchases += (1 - 0.5 ** (1 / t.volume_half_life_days)) * (bought - self.purchases)
        self.asked = self.asked_price()


def main() -> None:
    """Compare the equations with runs and write the table of gaps."""
    from limit.gaps import effects, table, write

    parser = argparse.ArgumentParser(description="Gaps between runs and the mean field.")
    parser.add_argument("--out", type=Path, required=True, help="table to write")
    parser.add_argument("--seed", type=int, default=1, help="first seed")
    given = parser.parse_args()

    def solve(scenario: Scenario) -> dict[str, Reals]:
        return MeanField(scenario).run()

    write(given.out, *table(solve, given.seed), effects(solve))


if __name__ == "__main__":
    main()
