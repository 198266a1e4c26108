"""Scores of the patterns: made of outcomes of which every answer is known, and each made to come out the other way."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from sim.analysis.intervals import Interval
from sim.faults import ScenarioError
from sim.levers import SEGMENTS
from sim.luck import Luck
from sim.model import AccountMarket
from sim.patterns import CRITERIA, FAIL, NOT_TESTABLE, PASS, PATTERNS, curves, judged, markdown, page, plan, summary, tallies
from sim.patterns.experiments import LAW_BURN_IN, LAW_DAYS, NEEDS, QUARTER, WATCHES, Strike, scenario_of, watches
from sim.patterns.people import largest_fall
from sim.patterns.scoring import COLUMNS, Criterion, Evidence, Measured, change_of, mean_of, ratio_of, rises, scorecard, verdict_on
from sim.patterns.watching import CLUSTER_DAYS, _Knowledge, _Recruits, _without, census, pairs_in, struck, watch_all
from sim.plots.gallery import rendered
from sim.plots.scorecard import scorecard as draw_scorecard
from sim.policies import levers_in_force
from sim.processes.abuse import abuse
from sim.scenario import scenario_from
from sim.scorecard_text import print_scorecard
from sim.world.accounts import RENTED
from sim.world.users import Population

RUNS, FIRST, DAYS = 4, 90, 390
BASE = scenario_from({"name": "base", "run": {"days": DAYS, "burn_in_days": FIRST, "settle_days": 60}}, "base")
SHARES = {"student": 0.07, "stay_at_home_parent": 0.03, "freelancer": 0.16, "other": 0.74}

WORLD: dict[str, float] = {
    "supply_account_days": 1000.0, "supply_rented": 200.0, "supply_registered": 300.0, "supply_unsealed": 440.0, "supply_bought": 350.0,
    "stock_rented": 30.0, "stock_registered": 300.0, "stock_unsealed": 200.0, "stock_bought": 100.0, "utilisation_share": 1.0,
    "exits_rented": 5.0, "exits_registered": 60.0, "exits_unsealed": 30.0, "exits_bought": 10.0,
    "exit_age_rented": 30.0, "exit_age_registered": 300.0, "exit_age_unsealed": 200.0, "exit_age_bought": 100.0,
    "inflow_rented": 5.0, "inflow_unsealed": 90.0, "inflow_bought": 10.0, "price_yuan": 10.0, "commission_yuan": 60.0,
    "expected_harm_yuan": 5000.0, "owners_banned": 10.0, "owners_repeat": 1.0, "owners_banned_student": 4.0,
    "owners_banned_freelancer": 3.0, "helpers_sanctioned": 5.0, "arrests_dealer": 0.01, "sanctions_legal_owner": 0.005,
    "sanctions_legal_helper": 0.185, "at_risk_approached": 800.0, "rented_student": 6.0, "rented_stay_at_home_parent": 1.0,
    "rented_freelancer": 7.0, "dealer_top_share": 0.4, "informed_share": 0.1,
}  # fmt: skip
"""A world a day, in which the criteria hold, before what each scenario changes in it."""


def _law(name: str, day: int) -> float:
    """A step in law that is felt in the second quarter, peaks in the third, dips and stays."""
    quarter = (day - LAW_BURN_IN) // QUARTER
    return 0.2 * (1.0, 1.0, 3.0, 9.0, 6.0, 8.0, 8.0)[max(min(quarter, 5), -1) + 1] if name == "sanctions_legal_helper" else WORLD[name]


def _purged(depth: float, back_after: float) -> Callable[[str, int], float]:
    def value(name: str, day: int) -> float:
        left = depth * max(0.0, 1.0 - (day - FIRST - 7) / back_after) if day > FIRST + 7 else depth
        return WORLD[name] * (1.0 - left * (day >= FIRST) * (name == "supply_account_days"))

    return value


CHANGES: dict[str, dict[str, float]] = {
    **{f"sign_up_{at}": {"supply_rented": 200.0 + 30.0 * k, "commission_yuan": 60.0 + 3.0 * k} for k, at in enumerate((45, 60, 75, 90), 1)},
    **{f"squeeze_{at}": {"price_yuan": 10.0 + k, "supply_rented": 400.0, "commission_yuan": 80.0} for k, at in enumerate((50, 70, 90), 1)},
    "entry_low_squeeze": {"price_yuan": 15.0},
    "entry_high_squeeze": {"price_yuan": 11.0},
    "bypass": {"price_yuan": 8.0},
    "without_sign_up": {"supply_account_days": 900.0},
    "without_unsealing": {"supply_account_days": 900.0},
    "without_owners": {"supply_account_days": 850.0},
    "without_all": {"supply_account_days": 300.0},
}


def made(
    changes: dict[str, dict[str, float]] | None = None,
    law: Callable[[str, int], float] = _law,
    purge: Callable[[str, int], float] | None = None,
    only: tuple[str, ...] = PATTERNS,
) -> pd.DataFrame:
    """Return days of every scenario that patterns need; replications differ by a few thousandths, as paired runs do."""
    altered = {**CHANGES, **(changes or {})}
    scenarios = sorted({"baseline", *(name for pattern in only for name in NEEDS[pattern][0])})
    parts = []
    for name in scenarios:
        days = np.arange(LAW_DAYS if name == "law" else DAYS)
        values = {**WORLD, **altered.get(name, {})}
        columns = {key: np.full(days.size, value) for key, value in values.items()}
        if name == "law":
            columns = {key: np.array([law(key, int(day)) for day in days]) for key in WORLD}
        if name == "purge":
            shape = purge or _purged(0.4, 30.0)
            columns = {key: np.array([shape(key, int(day)) for day in days]) for key in WORLD}
        for k in range(RUNS):
            wobble = 1.0 + 0.002 * np.array([np.sin(7.0 * k + len(key) + (3.0 if name != "baseline" else 0.0)) for key in columns])
            noisy = {key: column * one for (key, column), one in zip(columns.items(), wobble, strict=True)}
            parts.append(pd.DataFrame({"scenario": name, "replication": k, "day": days, **noisy}))
    return pd.concat(parts, ignore_index=True)


COUNTED = {
    "informed_ratio": 0.25, "informed_ratio_early": 0.22, "informed_share": 0.4,
    "pairs": 50.0, "pairs_by_chance": 5.0, "largest_cluster": 4.0,
    "renters_turned_dealers": 0.03, "harm_yuan_registered": 10.0, "harm_yuan_unsealed": 50.0, "harm_yuan_rented": 400.0,
    "cases_registered": 1e-5, "cases_unsealed": 0.01, "cases_rented": 0.05, "worth_young_named": 1.5, "worth_young_unnamed": 1.0,
    "worth_old_named": 2.4, "worth_old_unnamed": 2.0, "worth_paying": 1.3, "worth_not_paying": 1.0,
}  # fmt: skip


def watched(counted: dict[str, float] | None = None, prices: tuple[float, float, float] = (14.0, 12.0, 10.5), left: float = 0.5) -> dict:
    """Return what watched runs saw: counts, prices after arrests by entry, and the part of supply that arrests leave for good."""
    counts = {**COUNTED, **(counted or {})}
    days = np.arange(FIRST + QUARTER + 7)
    seen: dict[str, list[dict[str, np.ndarray]]] = {name: [] for name in WATCHES}
    for k in range(RUNS):
        wobble = 1.0 + 0.002 * np.sin(5.0 * k)
        census_ = {name: np.array([value * wobble]) for name, value in counts.items()}
        census_["holdings_0"] = np.array([300.0 + k, 40.0, 20.0, 10.0, 10.0, 5.0, 5.0, 5.0, 3.0, 1.0])
        for name in ("census", "campaign"):
            seen[name].append(census_)
        for name, price in zip(("arrests_entry_low", "arrests", "arrests_entry_high"), prices, strict=True):
            seen[name].append({"price_yuan": np.where(days >= FIRST, price, 10.0) * wobble})
        seen["purge_and_arrests"].append({"supply_account_days": np.where(days >= FIRST, 1000.0 * left, 1000.0) * wobble})
        for name, averted in (("fewer_rented", 400.0), ("fewer_registered", 20.0)):
            harm = np.where((days >= FIRST) & (days < FIRST + 28), 5000.0 - averted * (1 + k / 100), 5000.0)[: FIRST + 28]
            base = 1.0 + 0.002 * np.sin(7.0 * k + len("expected_harm_yuan"))
            seen[name].append({"expected_harm_yuan": harm * base, "struck": np.array([10.0])})
    return seen


def evidence(days: pd.DataFrame, seen: dict) -> Evidence:
    return Evidence(days, BASE.run.window, FIRST, 12_000_000, SHARES, seen)


@pytest.fixture(scope="module")
def days() -> pd.DataFrame:
    return made()


def verdicts(days: pd.DataFrame, seen: dict | None = None, only: tuple[str, ...] = PATTERNS) -> dict[str, str]:
    table = judged(evidence(days, watched() if seen is None else seen), only)
    return dict(zip(table["criterion"], table["verdict"], strict=True))


def judged_alone(name: str, **different: object) -> dict[str, str]:
    """Judge the pattern of a criterion by outcomes made for it alone."""
    return verdicts(made(only=(name[:2],), **different), only=(name[:2],))  # type: ignore[arg-type]


TESTABLE = [one.name for one in CRITERIA if one.measure is not None]


def test_every_criterion_holds_in_a_world_made_to_fit(days):
    table = judged(evidence(days, watched()))
    assert list(table.columns) == list(COLUMNS)
    assert list(table["criterion"]) == [one.name for one in CRITERIA]
    found = dict(zip(table["criterion"], table["verdict"], strict=True))
    assert [name for name in TESTABLE if found[name] != PASS] == []
    assert {name for name, verdict in found.items() if verdict == NOT_TESTABLE} == {one.name for one in CRITERIA} - set(TESTABLE)
    assert table.loc[table["verdict"] == NOT_TESTABLE, "why"].str.len().min() > 20
    assert set(table["pattern"]) == set(PATTERNS)


IN_OUTCOMES: list[tuple[str, dict[str, dict[str, float]]]] = [
    ("P1a", {"sign_up_75": {"supply_rented": 255.0}}),  # lower than the step before: the last level alone would pass
    ("P1b", {"sign_up_90": {"commission_yuan": 62.0}}),
    ("P1c", {"squeeze_90": {"supply_rented": 205.0, "price_yuan": 13.0, "commission_yuan": 80.0}}),
    ("P1d", {"squeeze_90": {"commission_yuan": 62.0, "price_yuan": 13.0, "supply_rented": 400.0}}),
    ("P2a", {"baseline": {"supply_unsealed": 240.0, "supply_bought": 120.0}}),
    ("P2e", {"squeeze_70": {"price_yuan": 10.9, "supply_rented": 400.0}}),
    ("P3a", {"entry_high_squeeze": {"price_yuan": 15.0}}),
    ("P3c", {"bypass": {"price_yuan": 9.5}}),
    ("P5a", {"without_owners": {"supply_account_days": 600.0}}),
    ("P5b", {"without_all": {"supply_account_days": 640.0}}),
    ("P6h", {"baseline": {"owners_banned_student": 1.0, "owners_banned_freelancer": 1.3}}),
    ("P6i", {"baseline": {"owners_repeat": 4.0}}),
    ("P7c", {"baseline": {"at_risk_approached": 3000.0}}),
    ("P7d", {"baseline": {"inflow_bought": 90.0}}),
    ("P7e", {"baseline": {"at_risk_approached": 130.0}}),
    ("P8d", {"baseline": {"dealer_top_share": 0.11}}),
    ("P9c", {"baseline": {"exit_age_unsealed": 20.0}}),
    ("P9d", {"baseline": {"exit_age_registered": 6000.0}}),
]  # fmt: skip


@pytest.mark.parametrize(("fails", "changes"), IN_OUTCOMES, ids=[name for name, _ in IN_OUTCOMES])
def test_a_criterion_fails_where_outcomes_say_otherwise(fails, changes):
    assert judged_alone(fails, changes=changes)[fails] == FAIL


IN_WATCHED: list[tuple[str, dict[str, float]]] = [
    ("P2b", {"worth_old_named": 2.1}),
    ("P2c", {"worth_young_named": 1.2}),
    ("P2d", {"worth_paying": 1.02}),
    ("P7a", {"informed_ratio": 0.9}),
    ("P7b", {"informed_ratio_early": 0.9}),
    ("P8a", {"pairs": 5.1}),
    ("P8e", {"renters_turned_dealers": 0.0}),
    ("P9a", {"harm_yuan_rented": 40.0}),
]


@pytest.mark.parametrize(("name", "counted"), IN_WATCHED)
def test_a_criterion_fails_where_a_watched_run_says_otherwise(days, name, counted):
    assert verdicts(days, watched(counted), (name[:2],))[name] == FAIL


def test_prices_after_arrests_must_fall_with_entry(days):
    assert verdicts(days, watched(prices=(12.0, 12.0, 12.0)), ("P3",))["P3b"] == FAIL
    assert verdicts(days, watched(prices=(14.0, 14.5, 10.5)), ("P3",))["P3b"] == FAIL, "the middle one is out of order"


def test_a_purge_must_be_deep_enough_and_over_in_time(days):
    shallow, lasting = (judged_alone("P4", purge=_purged(*shape)) for shape in ((0.1, 30.0), (0.4, 200.0)))
    assert (shallow["P4a"], shallow["P4b"]) == (FAIL, PASS)
    assert (lasting["P4a"], lasting["P4b"]) == (PASS, FAIL)
    assert verdicts(days, only=("P4",))["P4c"] == PASS
    quick = watched()
    for one in quick["purge_and_arrests"]:
        one["supply_account_days"][FIRST + 30 :] *= 2.0
    assert verdicts(days, quick, ("P4",))["P4c"] == FAIL


def test_law_must_jump_late_dip_and_stay():
    def flat(name: str, day: int) -> float:
        late = day >= LAW_BURN_IN + QUARTER
        return WORLD[name] * (5.0 if late and name == "sanctions_legal_helper" else 1.0)

    def at_once(name: str, day: int) -> float:
        return WORLD[name] * (5.0 if day >= LAW_BURN_IN and name == "sanctions_legal_helper" else 1.0)

    def gone(name: str, day: int) -> float:
        return _law(name, day) if day < LAW_BURN_IN + 4 * QUARTER else WORLD[name]

    assert judged_alone("P6", law=lambda name, _: WORLD[name])["P6c"] == FAIL
    steady = judged_alone("P6", law=flat)
    assert (steady["P6d"], steady["P6e"], steady["P6f"]) == (PASS, FAIL, PASS)
    assert judged_alone("P6", law=at_once)["P6d"] == FAIL
    assert judged_alone("P6", law=gone)["P6f"] == FAIL


def test_dealers_must_be_few_among_the_sanctioned():
    def hunted(name: str, day: int) -> float:
        return 3.0 if name == "arrests_dealer" else _law(name, day)

    def none_of_the_owners(name: str, day: int) -> float:
        return 0.2 if name == "sanctions_legal_owner" else _law(name, day)

    found = judged_alone("P6", law=hunted)
    assert (found["P6a"], found["P6b"]) == (FAIL, FAIL)
    assert judged_alone("P6", law=none_of_the_owners)["P6g"] == FAIL


def test_holdings_alike_have_no_heavy_tail(days):
    seen = watched()
    for one in seen["census"]:
        one["holdings_0"] = np.array([12.0, 11.0, 10.0, 10.0, 9.0])
    found = verdicts(days, seen, ("P8",))
    assert (found["P8b"], found["P8c"]) == (FAIL, FAIL)


def test_rented_accounts_must_avert_more(days):
    seen = watched()
    seen["fewer_rented"], seen["fewer_registered"] = seen["fewer_registered"], seen["fewer_rented"]
    assert verdicts(days, seen, ("P9",))["P9b"] == FAIL


def test_noise_makes_no_dip():
    """Quarters that differ by chance alone: some fall is always the largest, and it must be clear of 0 in few worlds only."""
    rng = np.random.default_rng(5)
    falls = [largest_fall(rng.poisson(50.0, (6, 6)).astype(float)) for _ in range(400)]
    assert np.mean([fall.value for fall in falls]) < -0.05
    assert np.mean([fall.high < 0.0 for fall in falls]) < 0.05, "a two-sided 5 % for all three together leaves 2.5 %"
    true = rng.poisson(np.array([10.0, 50.0, 900.0, 600.0, 800.0, 800.0]), (6, 6)).astype(float)
    assert largest_fall(true).value == pytest.approx(-1 / 3, abs=0.1)
    assert largest_fall(true).high < -0.1
    assert np.isnan(largest_fall(np.zeros((3, 6)))).all(), "nobody was sanctioned"


@pytest.mark.parametrize(
    ("interval", "verdict", "said"),
    [
        (Interval(2.0, 1.5, 2.5), PASS, ""),
        (Interval(2.0, 0.5, 3.5), FAIL, "its interval is not"),
        (Interval(5.0, 4.5, 5.5), FAIL, "Change this."),
        (Interval(2.0, np.nan, np.nan), FAIL, "unbounded"),
    ],
)
def test_the_whole_interval_must_be_inside(interval, verdict, said):
    asked = Criterion("P1a", "", "", "", low=1.0, high=3.0, change="Change this.")
    found, why = verdict_on(asked, Measured(interval, 4))
    assert found == verdict
    assert said in why


def test_every_step_must_be_clear():
    asked, inside = Criterion("P1a", "", "", "", low=0.0), Interval(1.0, 0.5, 1.5)
    up = rises([np.array([1.0, 1.1, 0.9]), np.array([2.0, 2.1, 1.9]), np.array([3.0, 3.2, 2.9])])
    assert up.shape == (3, 2)
    assert verdict_on(asked, Measured(inside, 3, up))[0] == PASS
    level = up * np.array([[1.0, 0.0], [1.0, -0.1], [1.0, 0.1]])
    assert verdict_on(asked, Measured(inside, 3, level)) == (FAIL, "1 of 2 steps is not clearly in the order asked for.")


def test_estimates_and_intervals():
    found = mean_of(np.array([1.0, 2.0, 3.0, np.nan]))
    assert found.replications == 3
    nothing = mean_of(np.array([np.nan, np.nan]))
    assert verdict_on(Criterion("P1a", "", "", "", high=1.0), nothing)[0] == FAIL
    assert found.interval == pytest.approx((2.0, 2.0 - 4.30265 / np.sqrt(3), 2.0 + 4.30265 / np.sqrt(3)), rel=1e-4)
    before, after = np.array([10.0, 12.0, 11.0]), np.array([20.0, 24.0, 22.0])
    assert ratio_of(after, before).interval == pytest.approx((2.0, 2.0, 2.0))
    assert change_of(after, before).interval == pytest.approx((1.0, 1.0, 1.0))


def test_missing_days_are_no_evidence(days):
    with pytest.raises(ValueError, match="'purge' lacks runs or days"):
        evidence(days[~((days["scenario"] == "purge") & (days["day"] == 100) & (days["replication"] == 1))], {}).days(
            "purge", "supply_account_days"
        )
    with pytest.raises(ValueError, match="'nowhere' lacks runs"):
        evidence(days, {}).days("nowhere", "price_yuan")


def test_the_plan_has_what_the_patterns_need():
    asked = plan(BASE, 2)
    assert set(asked.scenarios) == {"baseline", *(name for needed, _ in NEEDS.values() for name in needed)}
    assert all(scenario_of(BASE, one.scenario).run == BASE.run for one in WATCHES.values())
    assert scenario_of(BASE, "campaign").policies["awareness_campaign"].strength == 0.9
    assert {name for _, needed in NEEDS.values() for name in needed} == set(WATCHES)
    assert set(plan(BASE, 2, ["P4"]).scenarios) == {"baseline", "purge"}
    assert set(watches(["P8"])) == {"census"}
    for name, scenario in asked.scenarios.items():
        changed = {group: set(values) for group, values in scenario.parameters.items()}
        allowed = {"dealer": {"entry_per_12_million_day"}} if name.startswith("entry") else {}
        assert changed == ({"registration": {"sim_cost_yuan"}} if name == "bypass" else allowed), "no number is tuned to pass"


def test_what_cannot_be_tested_is_refused():
    with pytest.raises(ScenarioError, match="182 days to average over"):
        plan(BASE.changed({"run.days": 300}), 2)
    with pytest.raises(ScenarioError, match="at least 2"):
        plan(BASE, 1)
    with pytest.raises(ScenarioError, match="P10"):
        plan(BASE, 2, ["P10"])


def test_the_page_says_all_and_is_safe(days):
    table = judged(evidence(days, watched(IN_WATCHED[0][1])))
    table.loc[0, "detail"] = "<script>"
    text = page(table, '<?xml version="1.0"?><svg></svg>')
    assert "<script>" not in text
    assert "<?xml" not in text
    assert "http" not in text
    for one in CRITERIA:
        assert f">{one.name}<" in text
        assert f"| {one.name} |" in markdown(table)
    assert summary(table).startswith(f"{len(TESTABLE) - 1} of {len(TESTABLE)} criteria hold, 1 fail, ")
    assert "P2" not in summary(table).split(":")[1]


def test_curves_have_every_pattern(days):
    found = curves(evidence(days, watched()))
    assert set(found["pattern"]) == set(PATTERNS)
    assert np.isfinite(found[["x", "y", "low", "high"]].to_numpy()).all()
    p5 = found[found["pattern"] == "P5"].set_index("label")["y"]
    assert p5["their sum"] == pytest.approx(0.35, abs=0.02)
    assert p5["all three"] == pytest.approx(0.7, abs=0.02)
    assert set(curves(evidence(days, watched()), ["P4"])["pattern"]) == {"P4"}


def test_figure_and_screen_show_every_pattern(days, capsys):
    seen = evidence(days, watched({"worth_paying": 1.0}))
    table = judged(seen)
    assert tallies(table)["P2"] == "4 pass, 1 fail, 1 not testable"
    figure = draw_scorecard(curves(seen), tallies(table), "n = 4.")
    titles = [ax.get_title(loc="left").split()[0] for ax in figure.axes if ax.get_title(loc="left")]
    assert titles == list(PATTERNS)
    assert rendered(figure, "svg").startswith(b"<?xml")
    print_scorecard(table)
    printed = capsys.readouterr().out
    assert all(f" {one.name} " in f" {printed} ".replace("\n", " ") for one in CRITERIA)
    assert "Payment matters to theft only." in printed
    assert summary(table) in printed


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


def test_a_scorecard_without_runs_still_says_why():
    only = [one for one in CRITERIA if one.measure is None]
    table = scorecard(only, evidence(pd.DataFrame(columns=["scenario", "replication", "day"]), {}))
    assert set(table["verdict"]) == {NOT_TESTABLE}
