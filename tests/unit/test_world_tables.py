"""Tables, registry, claims, calendar: what is put in is found again."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.world.accounts import BOUGHT, LIVE, REGISTERED, RENTED, STOLEN, SWEPT, Accounts, Claims, in_batches
from sim.world.columns import Columns
from sim.world.dealers import Dealers
from sim.world.registry import Registry, among, distinct, winners
from sim.world.world import Calendar

IDS = st.lists(st.one_of(st.integers(0, 40), st.integers(0, 2_000_000_000)), max_size=40)


@given(batches=st.lists(IDS, max_size=8), asked=IDS)
@settings(max_examples=80, derandomize=True)
def test_registry_is_a_dictionary(batches, asked):
    """Rows are handed out once, in ascending order of id within a call; unknown ids have none."""
    registry, expected = Registry(4), {}
    for batch in batches:
        for fresh in sorted(set(batch) - expected.keys()):
            expected[fresh] = len(expected)
        assert registry.claim(np.array(batch, dtype=np.int64)).tolist() == [expected[key] for key in batch]
        assert registry.size == len(expected)
        assert registry.ids[: registry.size].tolist() == list(expected)
    assert registry.find(np.array(asked, dtype=np.int64)).tolist() == [expected.get(key, -1) for key in asked]


@given(values=st.lists(st.integers(0, 60), max_size=80), wanted=st.sets(st.integers(0, 60), min_size=1))
@settings(max_examples=60, derandomize=True)
def test_sets_of_ids(values, wanted):
    of, chosen = np.array(values, dtype=np.int64) << 33, np.array(sorted(wanted), dtype=np.int64) << 33
    assert distinct(of).tolist() == sorted(set(of.tolist()))
    assert among(of, chosen).tolist() == [at for at, value in enumerate(values) if value in wanted]


@given(users=st.lists(st.integers(0, 9), max_size=40), seed=st.integers(0, 9))
@settings(max_examples=60, derandomize=True)
def test_who_has_the_lowest_key_wins(users, seed):
    keys = np.random.RandomState(seed).permutation(len(users)).astype(np.uint64)
    wins = winners(np.array(users, dtype=np.int64), keys)
    lowest = {user: min(key for other, key in zip(users, keys.tolist(), strict=True) if other == user) for user in users}
    assert wins.tolist() == [key == lowest[user] for user, key in zip(users, keys.tolist(), strict=True)]


def test_registry_keeps_everything_while_it_grows():
    registry, ids = Registry(4), np.random.RandomState(0).permutation(60_000).astype(np.int64) * 31
    for part in np.split(ids, 40):
        registry.claim(part)
    assert np.array_equal(registry.ids[registry.find(ids)], ids)
    assert (registry.find(ids + 1) == -1).all()


@given(values=st.lists(st.integers(0, 99), max_size=50), data=st.data())
@settings(max_examples=60, derandomize=True)
def test_keeping_rows_is_taking_them_from_a_list(values, data):
    """Rows kept stay in their order, and the room behind them is blank again."""
    table = Columns({"number": (np.int64, -7), "pair": (np.dtype((np.float64, (2,))), 0.5)}, 16)
    table.ensure(len(values))
    table.size = len(values)
    table.number[: table.size] = values
    table.pair[: table.size] = np.array(values, dtype=float)[:, None]
    kept = sorted(data.draw(st.sets(st.integers(0, len(values) - 1)))) if values else []
    table.keep(np.array(kept, dtype=np.int64))
    assert table.size == len(kept)
    assert table.number[: table.size].tolist() == [values[row] for row in kept]
    assert table.pair[: table.size, 1].tolist() == [values[row] for row in kept]
    assert (table.number[table.size :] == -7).all()
    assert (table.pair[table.size :] == 0.5).all()


def test_growing_keeps_contents_and_blanks_the_rest():
    table = Columns({"number": (np.int64, 3)}, 16)
    table.size = 16
    table.number[:] = np.arange(16)
    table.ensure(100)
    assert table.room >= 100
    assert table.number[:16].tolist() == list(range(16))
    assert (table.number[16:] == 3).all()


def test_accounts_keep_whole_rows():
    """All columns of a row move together, and a row used again starts blank."""
    accounts = Accounts(16)
    n = 40
    rows = accounts.append(
        key=np.arange(n).astype(np.uint64),
        channel=(np.arange(n) % 5).astype(np.int8),
        owner=np.arange(n) * 100,
        quality=np.arange(n) / 2.0,
        acquired=np.arange(n).astype(np.int32),
    )
    accounts.fate[rows[::3]] = SWEPT
    accounts.case_day[rows] = 9
    live = accounts.live()
    assert live.tolist() == [row for row in range(n) if row % 3]
    accounts.keep(live)
    kept = accounts.key[: accounts.size].astype(np.int64)
    assert kept.tolist() == live.tolist()
    assert np.array_equal(accounts.owner[: accounts.size], kept * 100)
    assert np.array_equal(accounts.quality[: accounts.size], kept / 2.0)
    assert np.array_equal(accounts.channel[: accounts.size], kept % 5)
    again = accounts.append(key=np.array([5], dtype=np.uint64))
    assert accounts.case_day[again] == -1
    assert accounts.owner[again] == -1
    assert accounts.fate[again] == LIVE


@given(wanted=st.lists(st.tuples(st.integers(-1, 6), st.integers(0, 2**64 - 1)), max_size=25, unique_by=lambda claim: claim[1]))
@settings(max_examples=120, derandomize=True)
def test_a_user_wanted_twice_goes_to_the_lowest_key(wanted):
    """One claim a user, that with the lowest key; accounts without an owner are all kept; the order stays."""
    owner = np.array([user for user, _ in wanted], dtype=np.int64)
    key = np.array([number for _, number in wanted], dtype=np.uint64)
    claims = Claims.of(key, RENTED, np.arange(len(wanted)), owner)
    kept = claims.one_per_owner()
    winners = {}
    for user, number in wanted:
        if user >= 0:
            winners[user] = min(number, winners.get(user, number))
    expected = [(user, number) for user, number in wanted if user < 0 or winners[user] == number]
    assert list(zip(kept.owner.tolist(), kept.key.tolist(), strict=True)) == expected
    assert [wanted[k] for k in kept.dealer.tolist()] == expected


@given(days=st.lists(st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=12), min_size=1, max_size=4))
@settings(max_examples=120, derandomize=True)
def test_batches_are_counted_on_from_day_to_day(days):
    """An account begins a batch or joins the last of its cell, over days, each day in the order of acquisition."""
    counts, batches, expected = dict.fromkeys(range(4), 0), np.zeros(4, dtype=np.int64), []
    for day in days:
        cell, begins = np.array([c for c, _ in day], dtype=np.int64), np.array([b for _, b in day], dtype=np.bool_)
        seen = in_batches(cell, begins, batches)
        for one, starts in day:
            counts[one] += starts
            expected.append((one, counts[one]))
        assert [(number >> 32, number & 0xFFFFFFFF) for number in seen.tolist()] == expected[-len(day) :] if day else seen.size == 0
    assert batches.tolist() == list(counts.values())


def test_claims_of_different_channels_compete_for_a_user():
    """Who rents, buys and steals want the same user on one day: one of them gets the account, in any order of joining."""
    parts = [
        Claims.of(np.array([key, key + 100], dtype=np.uint64), channel, np.array([0, 1]), np.array([8, channel]))
        for key, channel in ((30, RENTED), (10, BOUGHT), (20, STOLEN))
    ]
    parts.append(Claims.of(np.array([1, 2], dtype=np.uint64), REGISTERED, np.array([0, 1])))
    for order in ((0, 1, 2, 3), (3, 2, 1, 0), (1, 3, 0, 2)):
        kept = Claims.joined([parts[k] for k in order]).one_per_owner()
        assert kept.channel[kept.owner == 8].tolist() == [BOUGHT]
        assert np.sort(kept.owner).tolist() == [-1, -1, RENTED, BOUGHT, STOLEN, 8]


def test_rows_of_dealers_who_left_are_used_again_blank():
    dealers = Dealers(16)
    rows = dealers.open_rows(3)
    dealers.active[rows] = True
    dealers.exits[rows] = 4.0
    dealers.pool[rows] = 7
    dealers.home[rows] = 3
    dealers.active[1] = False
    again = dealers.open_rows(2)
    assert again.tolist() == [1, 3]
    assert not dealers.exits[again].any()
    assert not dealers.pool[again].any()
    assert (dealers.home[again] == -1).all()
    assert (dealers.exits[[0, 2]] == 4.0).all()


def test_dealers_rows_sum_what_is_theirs():
    dealers = Dealers(16)
    dealers.open_rows(3)
    assert dealers.per_dealer(np.array([2, 2, 0]), np.array([1.5, 2.0, 4.0])).tolist() == [4.0, 0.0, 3.5]
    table = dealers.per_channel(np.array([2, 2, 0], dtype=np.int32), np.array([1, 1, 4], dtype=np.int8))
    assert table.shape == (3, 5)
    assert (table[2, 1], table[0, 4], table.sum()) == (2, 1, 3)
    assert dealers.padded(np.ones((2, 5))).tolist() == [[1.0] * 5, [1.0] * 5, [0.0] * 5]


@given(notes=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 99)), max_size=20))
@settings(max_examples=50, derandomize=True)
def test_calendar_gives_back_what_was_noted_once(notes):
    calendar = Calendar()
    half = len(notes) // 2
    for part in (notes[:half], notes[half:]):
        days, values = (np.array([note[k] for note in part], dtype=np.int64) for k in (0, 1))
        calendar.put_each(days, values, values * 2)
    for day in range(6):
        values, doubles = calendar.take(day, 2)
        assert values.tolist() == [value for when, value in notes if when == day]
        assert doubles.tolist() == [2 * value for value in values.tolist()]
        assert calendar.take(day, 2)[0].size == 0
