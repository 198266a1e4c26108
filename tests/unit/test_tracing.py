"""Where two runs with the same luck part."""

from __future__ import annotations

import numpy as np
import pytest

from sim.cli import main
from sim.luck import Luck, words
from sim.model import AccountMarket
from sim.scenario import scenario_from
from sim.tracing import Noted, Parting, Trace, merged, trace

RUN = {"days": 30, "burn_in_days": 10, "settle_days": 0}


def scenario(name="one", **policies):
    return scenario_from({"name": name, "run": RUN, "population": {"users": 3_000_000}, "policies": policies}, name)


def test_noting_changes_no_draw():
    noted, plain, keys = Noted(4), Luck(4), words(np.arange(20_000))
    assert np.array_equal(noted.uniforms("a", 3, keys), plain.uniforms("a", 3, keys))
    assert np.array_equal(noted.each(("a", "b"), 3, keys), plain.each(("a", "b"), 3, keys))
    assert np.array_equal(noted.normals("c", 3, keys[:5]), plain.normals("c", 3, keys[:5]))
    assert noted.count("d", 3, 2.5) == plain.count("d", 3, 2.5)
    assert noted.each(("a", "b"), 3, keys[:0]).shape == (2, 0)
    drawn, means = noted.taken()
    assert {name: keys.size for name, keys in drawn.items()} == {"a": 40_000, "b": 20_000, "c": 5}
    assert means == {"d": 2.5}
    assert noted.taken() == ({}, {})
    watched, plainly = AccountMarket(scenario(), 4, luck=Noted(4)), AccountMarket(scenario(), 4)
    watched.run()
    plainly.run()
    for name, days in plainly.daily.items():
        assert np.array_equal(watched.daily[name], days, equal_nan=True), name


def test_runs_that_are_alike_never_part():
    found = trace(scenario(), scenario("two", registration_audit={"strength": 0.3}), 2)
    assert found.event is None
    assert found.counts == {}
    assert all(parting.first_day == -1 and parting.shared == 1.0 for parting in found.partings.values())
    assert found.sentences == ["The runs make the same draws on all 30 days."]


@pytest.mark.parametrize(
    ("policy", "event", "latest", "counts"),
    [
        ({"registration_audit": {"strength": 0.9}}, "assist served", "own scan", ["sign-ups blocked"]),
        ({"ad_takedown": {"strength": 1.0}}, "use", "theft succeeds", ["honest adverts"]),
        ({"login_check": {"strength": 1.0}}, "login check", "report", ["travellers"]),
        ({"purge": {"strength": 1.0, "days": [12]}}, "purge", "report", ["purge innocents", "innocents swept"]),
        ({"account_audit": {"strength": 0.1}}, "sweep", "review", ["innocents flagged", "innocents swept"]),
        ({"friend_confirmation": {"strength": 1.0}}, "friend loss", "friend fraud", []),
    ],
)
def test_the_first_event_follows_from_the_lever(policy, event, latest, counts):
    """Stricter sign-up leaves fewer who look for a helper; takedown, fewer accounts to use; a check or purge draws where nothing did;
    an audit sends others to be swept with their batch. A count over the population has another mean, but it is drawn for nobody.
    """
    found = trace(scenario(), scenario("two", **policy), 2)
    assert found.first_day >= 10
    assert found.event is not None
    assert found.event.process == event
    assert found.before == latest
    assert found.event.shared < 1.0
    assert sum(found.alone) > 0
    assert f"On day {found.first_day} the first to part is '{event}'" in found.sentences[1]
    assert [name for name, day in found.counts.items() if day <= found.first_day] == counts
    assert not set(found.counts) & set(found.partings)
    named = ", ".join(f"'{name}' from day {found.first_day}" for name in counts)
    said = [f"Counts of the whole population, which part nobody, have other means: {named}."] if counts else []
    assert [line for line in found.sentences if line.startswith("Counts of")] == said


def test_counts_alone_part_nobody():
    """Where all draws for somebody are those of both, the counts that differ are named, and on whatever day."""
    found = Trace(30, partings={"use": Parting("use")}, counts={"innocents flagged": 10, "travellers": 12})
    assert found.event is None
    assert found.sentences == [
        "The runs make the same draws on all 30 days.",
        "Counts of the whole population, which part nobody, have other means: 'innocents flagged' from day 10, 'travellers' from day 12.",
    ]


def test_orders_are_merged():
    assert merged("abcd", "abxcyd") == tuple("abxcyd")
    assert merged("ab", "xab") == tuple("xab")
    assert merged("", "xy") == ("x", "y")
    assert merged("ab", "") == ("a", "b")


def test_days_bound_the_trace():
    found = trace(scenario(), scenario("two", purge={"strength": 1.0, "days": [12]}), 2, days=12)
    assert found.event is None
    assert found.sentences == ["The runs make the same draws on all 12 days: the first policy that only one of them has starts on day 12."]


def test_the_command(tmp_path, capsys):
    base = tmp_path / "one.toml"
    base.write_text('name = "one"\n[run]\ndays = 30\nburn_in_days = 10\nsettle_days = 0\n[population]\nusers = 3000000\n')
    other = tmp_path / "two.toml"
    other.write_text('extends = "one.toml"\nname = "two"\n[policies.a]\nlever = "registration_audit"\nstrength = 0.9\n')
    assert main(["trace", str(base), str(other), "--seed", "2"]) == 0
    assert "first to part is 'assist served'" in capsys.readouterr().out
    assert main(["trace", str(base), str(other), "--seed", "2", "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")
    assert main(["trace", str(base), str(other), "--days", "5"]) == 0
    assert capsys.readouterr().out == (
        "The runs make the same draws on all 5 days: the first policy that only one of them has starts on day 10.\n"
    )
    assert main(["trace", str(base), str(other), "--days", "12"]) == 0
    assert "sign-up audit" in capsys.readouterr().out
    assert main(["trace", str(base), str(base)]) == 2
