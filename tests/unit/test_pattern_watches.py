"""Watched runs of the patterns: what is counted in a run, blows that are dealt, and runs that are kept."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from pattern_worlds import BASE

from sim.conduct import carry_out
from sim.levers import SEGMENTS
from sim.luck import Luck
from sim.model import AccountMarket
from sim.patterns import gathered, judged, plan, watching
from sim.patterns.experiments import Strike, watches
from sim.patterns.keeping import Watched, watch_id
from sim.patterns.watching import CLUSTER_DAYS, WatchError, _Knowledge, _Recruits, _without, census, pairs_in, struck, watch_all
from sim.policies import levers_in_force
from sim.processes.abuse import abuse
from sim.store import StoreError
from sim.world.accounts import RENTED
from sim.world.users import Population

SMALL = BASE.changed({"population.users": 1_000_000, "run.days": 40, "run.burn_in_days": 10, "run.settle_days": 2})


def test_a_strike_hits_as_many_as_it_says_and_nothing_before_it():
    plain = AccountMarket(SMALL, 3)
    plain.run()
    nothing = struck(SMALL, 3, Strike(days=30))
    assert all(np.array_equal(nothing[name], plain.daily[name]) for name in ("price_yuan", "expected_harm_yuan"))
    model = AccountMarket(SMALL, 3)
    while model.day < 10:
        model.step()
    accounts = model.world.accounts
    rented = int((accounts.channel[: accounts.size] == RENTED).sum())
    one = struck(SMALL, 3, Strike("registered", 0.5, days=5))
    assert one["struck"][0] == round(0.5 * rented) > 0
    assert one["price_yuan"].size == 15
    assert np.array_equal(one["supply_account_days"][:11], plain.daily["supply_account_days"][:11])
    gone = plain.daily["supply_account_days"][11] - one["supply_account_days"][11]
    assert 0.3 * one["struck"][0] <= gone <= 1.2 * one["struck"][0], "an effective account-day each, less those that would have fallen"
    arrested = struck(SMALL, 3, Strike(dealers_share=1.0, days=5))
    assert arrested["supply_account_days"][11] < 0.2 * plain.daily["supply_account_days"][11]


def test_looking_changes_nothing_and_channels_add_up():
    model = AccountMarket(SMALL, 3)
    while model.day < 5:
        model.step()
    accounts = model.world.accounts
    n = accounts.size
    channel = accounts.channel[:n].copy()
    before = (accounts.quality[:n].copy(), accounts.contacts[:n].copy())
    every = _without(model, 4, np.zeros(n, dtype=bool))
    parts = [every.expected - _without(model, 4, channel == k).expected for k in range(5)]
    assert sum(parts) == pytest.approx(every.expected, rel=1e-9)
    assert np.array_equal(before[0], accounts.quality[:n])
    assert np.array_equal(before[1], accounts.contacts[:n])
    assert every.expected == abuse(model.world, levers_in_force(SMALL, 4), model.luck, 4).expected
    model.run()
    plain = AccountMarket(SMALL, 3)
    plain.run()
    assert np.array_equal(plain.daily["expected_harm_yuan"], model.daily["expected_harm_yuan"])


def test_watched_runs_come_in_the_order_of_seeds():
    heard = []
    seen = watch_all(watches(["P8"]), {"baseline": SMALL}, range(3, 5), tell=lambda *state: heard.append(state))
    assert heard == [(1, 2), (2, 2)]
    assert [one["pairs_by_chance"][0] for one in seen["census"]] == [census(SMALL, seed)["pairs_by_chance"][0] for seed in (3, 4)]


@pytest.mark.parametrize("workers", [1, 2])
def test_watched_runs_of_a_results_directory_are_made_once(tmp_path, monkeypatch, workers):
    calls = []

    def noted(scenario, seed, strike):
        calls.append(seed)
        return {"seed": np.array([float(seed), np.pi, np.nan]), "nothing": np.zeros(0)}

    monkeypatch.setattr(watching, "watch", noted)
    census_, strike = watches(["P8"]), {"arrests": watches(["P3"])["arrests"]}
    asked, base = {**census_, **strike}, {"baseline": SMALL}
    first = watch_all(asked, base, range(3, 5), kept=Watched(tmp_path))
    assert calls == [3, 3, 4, 4]
    heard = []
    again = watch_all(asked, base, range(3, 5), workers, lambda *state: heard.append(state), Watched(tmp_path))
    assert calls == [3, 3, 4, 4], "nothing is made anew, nor a process started"
    assert heard == [(k, 4) for k in range(1, 5)]
    for name in asked:
        for before, now in zip(first[name], again[name], strict=True):
            assert list(before) == list(now)
            assert all(np.array_equal(before[key], now[key], equal_nan=True) for key in before)
    watch_all(asked, base, range(3, 6), kept=Watched(tmp_path))
    assert calls == [3, 3, 4, 4, 5, 5]
    watch_all(asked, {"baseline": SMALL.changed({"run.days": 41})}, range(3, 4), kept=Watched(tmp_path))
    assert calls[6:] == [3, 3], "another scenario is another run"


def test_the_id_of_a_watched_run_is_that_of_all_it_depends_on():
    blow = Strike("rented", 0.5)
    ids = [watch_id(SMALL, 1, None), watch_id(SMALL, 2, None), watch_id(SMALL, 1, blow), watch_id(SMALL, 1, replace(blow, days=3))]
    ids += [watch_id(SMALL.changed({"levers.account_audit": 0.5}), 1, None)]
    assert len(set(ids)) == 5
    assert watch_id(SMALL, 1, Strike("rented", 0.5)) == ids[2]


def test_a_damaged_watched_run_is_named(tmp_path):
    kept = Watched(tmp_path)
    kept.write("a", {"x": np.ones(2)})
    path = tmp_path / "watched" / "a.parquet"
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(StoreError, match=r"a\.parquet is damaged .*remove that file"):
        kept.read("a")
    assert kept.read("b") is None


@pytest.mark.slow
def test_a_second_validation_makes_no_run(tmp_path, monkeypatch):
    base = BASE.changed({"population.users": 200_000})
    asked = plan(base, 2, ["P8"])
    seen = gathered(carry_out(asked, tmp_path / "out"), ["P8"])

    def never(*_):
        raise AssertionError("a run was made")

    monkeypatch.setattr(watching, "watch", never)
    monkeypatch.setattr("sim.jobs.simulate", never)
    again = gathered(carry_out(asked, tmp_path / "out"), ["P8"])
    pd.testing.assert_frame_equal(judged(seen, ["P8"]), judged(again, ["P8"]))
    with pytest.raises(WatchError, match="a run was made"):
        gathered(carry_out(asked, tmp_path / "out"), ["P7"])


def test_pairs_by_chance_are_those_of_blind_draws():
    rng = np.random.default_rng(11)
    parameters = AccountMarket(SMALL, 3).world.parameters
    people = Population(20_000, [0.25, 0.25, 0.25, 0.25], parameters, Luck(1))
    pairs, chance = [], []
    for _ in range(200):
        owners = np.concatenate([rng.choice(5000, 60, replace=False), 15_000 + rng.choice(5000, 20, replace=False)])
        counted = _Recruits(SimpleNamespace(population=people))
        counted.add(0, owners)
        counted.add(CLUSTER_DAYS - 1, owners[:1])  # who comes twice in two months is no pair with himself
        found = counted.found()
        pairs.append(found["pairs"][0])
        chance.append(found["pairs_by_chance"][0])
    assert np.ptp(chance) == 0.0
    assert abs(np.mean(pairs) - chance[0]) < 3.3 * np.std(pairs) / np.sqrt(len(pairs))
    assert pairs_in(np.array([4, 1, 3])) == 9.0
    assert len(SEGMENTS) == 4


def test_knowledge_is_weighed_within_segments():
    """Segments that differ both in knowledge and in willingness: the crude ratio would be 2.33, within segments it is a half."""
    told = _Knowledge()
    share = np.array([0.5, 0.1, 0.1, 0.1])
    world = SimpleNamespace(
        informed=share,
        population=SimpleNamespace(segment=lambda ids: ids // 1000, quantile=lambda ids: (ids % 1000) / 1000.0),
    )
    eager = np.concatenate([np.arange(0, 500, 5), np.arange(500, 1000, 5).repeat(2)])  # 100 who know, 200 who do not
    few = np.concatenate([np.full(1, 1010), np.full(18, 1500)])
    told.add(world, np.concatenate([eager, few]))
    assert told.ratio()[0] == pytest.approx(0.5)
