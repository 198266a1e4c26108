"""Watched runs: what no table of outcomes has, read from the state of a run day by day."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from math import comb

import numpy as np
from numpy.typing import NDArray

from sim.levers import CHANNELS, SEGMENTS
from sim.model import AccountMarket
from sim.patterns.experiments import Strike, Watch
from sim.patterns.keeping import Watched, watch_id
from sim.policies import levers_in_force
from sim.processes.abuse import AbuseFlows, abuse
from sim.scenario import Scenario
from sim.starting import interrupts_held
from sim.workers import Crash, Workers, at_most, in_processes
from sim.world.accounts import FALSE_ADS, PURGED, REGISTERED, RENTED, UNSEALED
from sim.world.world import World

Reals = NDArray[np.float64]
Seen = dict[str, Reals]

CLUSTER_DAYS = 60
"""Recruits of one community within that many days count as pairs: 'two months' (evidence C14)."""

YOUNG_DAYS, OLD_DAYS = 180.0, 730.0
"""Ages at which account shops set their prices: half a year, two years (evidence B4)."""

_DEALERS_EVERY, _HARM_EVERY = 30, 3


def watch(scenario: Scenario, seed: int, strike: Strike | None) -> Seen:
    """Run a scenario, or deal it a strike, and return what was seen, as arrays by name."""
    return census(scenario, seed) if strike is None else struck(scenario, seed, strike)


class WatchError(RuntimeError):
    """A watched run that raised, or whose worker process died: which, and why."""


def _attempt(_key: object, scenario: Scenario, seed: int, strike: Strike | None) -> Seen | str:
    """Watch a run; return what it raised as a line of text."""
    try:
        return watch(scenario, seed, strike)
    except Exception as error:  # noqa: BLE001  # whatever a run raises is reported with its name and seed
        return f"{type(error).__name__}: {error}"


def watch_all(
    watches: Mapping[str, Watch],
    scenarios: Mapping[str, Scenario],
    seeds: range,
    workers: Workers = 1,
    tell: Callable[[int, int], None] | None = None,
    kept: Watched | None = None,
) -> dict[str, list[Seen]]:
    """Make every watched run under every seed that is not `kept` from before; returns them by name, in the order of seeds.

    Each is kept as soon as it is finished. `tell` hears how many of how many are done. Raises `WatchError` when a run raises or a worker
    process dies.
    """
    asked = {(name, k): (scenarios[one.scenario], seed, one.strike) for k, seed in enumerate(seeds) for name, one in watches.items()}
    found: dict[tuple[str, int], Seen] = {}

    def keep(key: tuple[str, int], seen: Seen | str | Crash) -> None:
        if isinstance(seen, str | Crash):
            raise WatchError(f"watched run {key[0]}, seed {seeds[key[1]]} failed: {seen}")
        if kept:
            with interrupts_held():
                kept.write(watch_id(*asked[key]), seen)
        note(key, seen)

    def note(key: tuple[str, int], seen: Seen) -> None:
        found[key] = seen
        if tell:
            tell(len(found), len(asked))

    calls = []
    for key, arguments in asked.items():
        if kept and (before := kept.read(watch_id(*arguments))) is not None:
            note(key, before)
        else:
            calls.append((key, arguments))
    if workers == 1:
        for key, arguments in calls:
            keep(key, _attempt(key, *arguments))
    elif calls:
        in_processes(_attempt, deque(calls), at_most(workers, len(calls)), keep)
    return {name: [found[name, k] for k in range(len(seeds))] for name in watches}


def struck(scenario: Scenario, seed: int, strike: Strike) -> Seen:
    """Run a scenario to the end of burn-in, deal the strike, and return price, supply and expected harm of all days so far.

    Accounts that are struck fall like those of a purge, dealers are arrested with all they hold; who is hit is drawn by keyed luck.
    """
    model = AccountMarket(scenario, seed)
    until = scenario.run.burn_in_days
    while model.day < until:
        model.step()
    count = _deal(model, strike)
    while model.day < min(until + strike.days, scenario.run.days):
        model.step()
    daily = model.daily
    model.close()
    return {"struck": np.array([count], dtype=np.float64)} | {
        name: daily[name] for name in ("price_yuan", "supply_account_days", "expected_harm_yuan")
    }


def _deal(model: AccountMarket, strike: Strike) -> int:
    """Mark the accounts and dealers struck; returns the number of accounts that fall by themselves."""
    world, day = model.world, model.day
    accounts, dealers = world.accounts, world.dealers
    rows = dealers.rows()
    arrested = rows[model.luck.uniforms("arrested at one blow", day, dealers.key[rows]) < strike.dealers_share]
    dealers.arrest_day[arrested] = day
    if not strike.channel:
        return 0
    channel = accounts.channel[: accounts.size]
    count = round(strike.accounts_share * int((channel == RENTED).sum()))
    theirs = np.flatnonzero(channel == CHANNELS.index(strike.channel))
    order = np.argsort(model.luck.uniforms("falls at one blow", day, accounts.key[theirs]))
    fallen = theirs[order[:count]]
    accounts.fate[fallen] = PURGED
    return int(fallen.size)


def census(scenario: Scenario, seed: int) -> Seen:
    """Run a scenario and count, over its window, recruits by community and knowledge, dealers' holdings, harm and worth of accounts.

    Returns arrays of one number each, but `holdings_<k>`. Recruits of the first 30 days after burn-in are told apart.
    """
    model = AccountMarket(scenario, seed)
    first, last = scenario.run.window
    recruits, told, early = _Recruits(model.world), _Knowledge(), _Knowledge()
    traits, harm = _Traits(), _Harm()
    sizes: list[Reals] = []
    renters: list[float] = []
    start = scenario.run.burn_in_days
    while model.day < last:
        model.step()
        day, world = model.day - 1, model.world
        new = _new_rentals(world, day)
        if start <= day < start + 30:
            early.add(world, new)
        if day < first:
            continue
        told.add(world, new)
        recruits.add(day - first, new)
        if (day - first) % _HARM_EVERY == 0:
            harm.add(model, day)
            traits.add(world)
        if (day - first) % _DEALERS_EVERY == 0:
            rows = world.dealers.rows()
            accounts = world.accounts
            held = world.dealers.per_dealer(accounts.dealer[: accounts.size])[rows]
            sizes.append(np.sort(held)[::-1])
            renters.append(float((world.dealers.home[rows] >= 0).mean()) if rows.size else 0.0)
    return {
        **recruits.found(),
        "informed_ratio": told.ratio(),
        "informed_share": np.array([model.daily["informed_share"][first:last].mean()]),
        "informed_ratio_early": early.ratio(),
        "renters_turned_dealers": np.array([np.mean(renters)]),
        **{f"holdings_{k}": held for k, held in enumerate(sizes)},
        **harm.found(),
        **traits.found(),
    }


def _new_rentals(world: World, day: int) -> NDArray[np.int64]:
    """Return the owners whose rental began that day and lasted it."""
    accounts = world.accounts
    n = accounts.size
    return np.asarray(accounts.owner[:n][(accounts.acquired[:n] == day) & (accounts.channel[:n] == RENTED)])


class _Recruits:
    """Pairs of recruits in one community within two months, against those that chance would make within segments."""

    def __init__(self, world: World) -> None:
        self._population = world.population
        self._periods: dict[int, list[NDArray[np.int64]]] = {}

    def add(self, day: int, owners: NDArray[np.int64]) -> None:
        self._periods.setdefault(day // CLUSTER_DAYS, []).append(owners)

    def found(self) -> Seen:
        size, bounds = self._population.community_size, self._population.bounds
        pairs = chance = 0.0
        largest = 0
        for parts in self._periods.values():
            owners = np.unique(np.concatenate(parts))
            _, counts = np.unique(self._population.community(owners), return_counts=True)
            pairs += pairs_in(counts)
            largest = max(largest, int(counts.max(initial=0)))
            recruited = np.bincount(self._population.segment(owners), minlength=len(SEGMENTS))
            # users of a segment who are drawn blindly share a community with this chance
            same = (size - 1) / (np.diff(bounds) - 1)
            chance += float(sum(comb(int(n), 2) * p for n, p in zip(recruited, same, strict=True)))
        return {"pairs": np.array([pairs]), "pairs_by_chance": np.array([chance]), "largest_cluster": np.array([float(largest)])}


def pairs_in(counts: NDArray[np.int64]) -> float:
    """Return the pairs that can be made within groups of given sizes."""
    return float((counts * (counts - 1) / 2).sum())


class _Knowledge:
    """Recruits with and without knowledge, each weighted by the users of the other kind (Mantel & Haenszel)."""

    def __init__(self) -> None:
        self._informed = self._others = 0.0

    def add(self, world: World, owners: NDArray[np.int64]) -> None:
        share = world.informed[world.population.segment(owners)]
        knows = world.population.quantile(owners) < share
        self._informed += float((1.0 - share)[knows].sum())
        self._others += float(share[~knows].sum())

    def ratio(self) -> Reals:
        return np.array([self._informed / self._others if self._others > 0 else np.nan])


class _Harm:
    """Harm to victims and cases of fraud of a day with and without the accounts of a channel: the difference is theirs."""

    _channels = (REGISTERED, UNSEALED, RENTED)

    def __init__(self) -> None:
        self._days = np.zeros(3)
        self._yuan = np.zeros(3)
        self._cases = np.zeros(3)

    def add(self, model: AccountMarket, day: int) -> None:
        accounts = model.world.accounts
        n = accounts.size
        channel, use = accounts.channel[:n], accounts.use[:n]
        nobody = np.zeros(n, dtype=np.bool_)
        every, frauds = _without(model, day, nobody), _without(model, day, use == FALSE_ADS)
        for k, one in enumerate(self._channels):
            theirs = channel == one
            self._days[k] += int(theirs.sum())
            self._yuan[k] += every.expected - _without(model, day, theirs).expected
            self._cases[k] += frauds.victims - _without(model, day, theirs | (use == FALSE_ADS)).victims

    def found(self) -> Seen:
        days = np.maximum(self._days, 1.0)
        return {
            f"{what}_{CHANNELS[one]}": np.array([values[k] / days[k]])
            for what, values in (("harm_yuan", self._yuan), ("cases", self._cases))
            for k, one in enumerate(self._channels)
        }


def _without(model: AccountMarket, day: int, gone: NDArray[np.bool_]) -> AbuseFlows:
    """Return the abuse of a day as if some accounts lay idle; the world is left as it was."""
    accounts = model.world.accounts
    n = accounts.size
    quality, contacts = accounts.quality[:n].copy(), accounts.contacts[:n].copy()
    accounts.quality[:n][gone] = 0.0
    accounts.contacts[:n][gone] = 0.0
    try:
        return abuse(model.world, levers_in_force(model.scenario, day), model.luck, day)
    finally:
        accounts.quality[:n], accounts.contacts[:n] = quality, contacts


class _Traits:
    """Mean quality of accounts that belong to users, which is what a day with them is worth, by age, name and payment."""

    def __init__(self) -> None:
        self._sums: dict[str, float] = {}
        self._counts: dict[str, int] = {}

    def add(self, world: World) -> None:
        accounts, population = world.accounts, world.population
        n = accounts.size
        owned = np.flatnonzero((accounts.channel[:n] >= RENTED) & (accounts.owner[:n] >= 0))
        owner, channel = accounts.owner[owned], accounts.channel[owned]
        # relative to the channel's own mean, so that the mix of channels does not matter
        worth = accounts.quality[owned] / world.traits.quality[channel]
        age, named, pays = population.account(owner)
        young, old = age < YOUNG_DAYS, age >= OLD_DAYS
        groups = {
            "young_named": young & named, "young_unnamed": young & ~named, "old_named": old & named, "old_unnamed": old & ~named,
            "young": young, "old": old, "paying": pays, "not_paying": ~pays,
        }  # fmt: skip
        for name, group in groups.items():
            self._sums[name] = self._sums.get(name, 0.0) + float(worth[group].sum())
            self._counts[name] = self._counts.get(name, 0) + int(group.sum())

    def found(self) -> Seen:
        return {f"worth_{name}": np.array([total / max(self._counts[name], 1)]) for name, total in self._sums.items()}
