"""What can be chosen on the dashboard: scenarios made of it, links, files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sim.dashboard.choice import GROUPS, OWN, STANDING, Choice, Opened, faults_of
from sim.dashboard.link import choice_of, query_of
from sim.dashboard.offer import Offer
from sim.dashboard.saving import text_of, write
from sim.faults import ScenarioError
from sim.levers import LEVERS, SEGMENTS
from sim.scenario import load_scenario, scenario_from

SCENARIOS = Path(__file__).parents[2] / "scenarios"
SHIPPED = sorted(SCENARIOS.glob("*.toml"))
PLAIN = Opened(scenario_from({"name": "plain"}, "plain"))
MIXED = Opened(
    scenario_from(
        {
            "name": "mixed",
            "levers": {"login_check": 0.2},
            "policies": {
                "first": {"lever": "registration_audit", "strength": 0.9, "start_day": 200, "ramp_days": 10},
                "second": {"lever": "ad_takedown", "strength": 0.8, "start_day": 200, "ramp_days": 10, "segments": ["student"]},
                "passing": {"lever": "login_check", "strength": 0.7, "start_day": 200, "ramp_days": 10, "end_day": 300},
                "again": {"lever": "login_check", "strength": 0.6, "start_day": 300},
                "purge": {"strength": 0.5, "days": [200]},
                "wider": {"lever": "legal_certainty", "strength": 0.4, "start_day": 200, "ramp_days": 10},
            },
        },
        "mixed",
    )
)


@pytest.fixture
def offer() -> Offer:
    return Offer.of([], SCENARIOS, None, 1)


def test_every_lever_stands_in_one_group():
    assert sorted(name for names in GROUPS.values() for name in names) == sorted(LEVERS)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_nothing_chosen_is_the_file_to_the_letter(path):
    scenario = load_scenario(path)
    opened = Opened(scenario)
    pair = opened.pair(Choice(path.stem))
    assert pair.policy.identity() == scenario.identity()
    assert not opened.kept, "a shipped scenario has a policy that no slider shows"
    assert not pair.baseline.policies
    assert (pair.baseline.name, pair.policy.name) == (STANDING, OWN)
    assert pair.baseline.levers == scenario.levers
    assert pair.day == min([policy.first_day for policy in scenario.policies.values()], default=scenario.run.burn_in_days)


def test_a_lever_moved_is_a_policy_from_the_day_chosen():
    choice = PLAIN.moved(Choice("plain", day=100, ramp=20, segments=("student", "other")), "ad_takedown", 0.7)
    choice = PLAIN.moved(PLAIN.moved(choice, "purge", 0.4), "login_check", 0.2)
    policies = PLAIN.pair(choice).policy.policies
    assert policies.keys() == {"ad_takedown", "purge", "login_check"}
    takedown, purge, check = (policies[name] for name in ("ad_takedown", "purge", "login_check"))
    assert (takedown.strength, takedown.start_day, takedown.ramp_days, takedown.segments) == (0.7, 100, 20, ["student", "other"])
    assert (purge.strength, purge.days, purge.start_day) == (0.4, [100], None)
    assert (check.strength, check.start_day, check.segments) == (0.2, 100, None)
    assert PLAIN.pair(choice).day == 100


def test_a_lever_moved_back_is_not_moved_and_at_its_standing_strength_has_no_policy():
    choice = PLAIN.moved(Choice("plain"), "ad_takedown", 0.7)
    assert PLAIN.moved(choice, "ad_takedown", 0.1) == Choice("plain")
    squeeze = Opened(load_scenario(SCENARIOS / "supply_squeeze.toml"))
    choice = squeeze.moved(Choice("supply_squeeze"), "unsealing_strictness", 0.3)
    assert choice.strengths == {"unsealing_strictness": 0.3}
    assert squeeze.pair(choice).policy.policies.keys() == {"audit", "verification"}
    assert squeeze.moved(choice, "unsealing_strictness", 0.9) == Choice("supply_squeeze")


def test_what_sliders_cannot_show_stays_as_in_the_file_until_its_lever_is_moved():
    assert (MIXED.day, MIXED.ramp, MIXED.segments) == (200, 10, ("student",))
    assert MIXED.kept.keys() == {"login_check", "legal_certainty"}
    assert "until day 300" in MIXED.kept["login_check"]
    later = MIXED.pair(Choice("mixed", day=220, ramp=5)).policy.policies
    assert [(policy.first_day, policy.end_day) for policy in later.values()] == [
        (220, None), (220, None), (200, 300), (300, None), (220, None), (200, None),
    ]  # fmt: skip
    assert MIXED.pair(Choice("mixed", day=220)).day == 200
    moved = MIXED.moved(Choice("mixed"), "login_check", 0.9)
    assert MIXED.kept_as_in_file(moved).keys() == {"legal_certainty"}
    policies = MIXED.pair(moved).policy.policies
    assert [name for name, policy in policies.items() if policy.lever == "login_check"] == ["passing"]
    assert (policies["passing"].strength, policies["passing"].end_day) == (0.9, None)
    assert "login_check" not in {p.lever for p in MIXED.pair(MIXED.moved(moved, "login_check", 0.2)).policy.policies.values()}


def test_users_days_and_seed_are_those_of_both_arms():
    pair = PLAIN.pair(Choice("plain", users=5_000, days=300, seed=9))
    for scenario in (pair.baseline, pair.policy):
        assert (scenario.population.users, scenario.run.days, scenario.run.seed) == (5_000, 300, 9)
    assert pair.baseline.identity() == pair.policy.identity()


LATE = "The policy day 540 is after the run, whose last day is 539."
NOBODY = "Tick at least one segment of users: the policy is aimed at nobody."


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"users": 3}, ["Users must be 1,000 to 2,000,000,000, not 3."]),
        ({"days": 0}, ["Days must be 241 to 20,000, not 0."]),
        ({"days": 10}, ["Days must be 241 to 20,000, not 10: means are taken from day 240 on."]),
        ({"days": 240}, ["Days must be 241 to 20,000, not 240: means are taken from day 240 on."]),
        ({"days": 20_001}, ["Days must be 241 to 20,000, not 20,001."]),
        ({"seed": -1}, ["Seed must be 0 to 9,007,199,254,740,992, not -1."]),
        ({"ramp": -1}, ["Ramp must be 0 to 20,000, not -1."]),
        ({"day": -1}, ["Policy day must be 0 to 20,000, not -1."]),
        ({"day": 540}, [LATE]),
        ({"segments": ()}, [NOBODY]),
        ({"users": 3, "day": 540, "segments": ()}, ["Users must be 1,000 to 2,000,000,000, not 3.", LATE, NOBODY]),
    ],
    ids=str,
)
def test_what_cannot_be_run_is_said_once_and_as_the_page_calls_it(fields, said):
    choice = replace(Choice("plain", strengths=dict.fromkeys(LEVERS, 0.55)), **fields)
    with pytest.raises(ScenarioError) as error:
        PLAIN.pair(choice)
    assert faults_of(error.value) == said


@pytest.mark.parametrize("fields", [{"users": 1_000}, {"days": 241}, {"day": 539}, {"day": 0}, {"ramp": 20_000}, {"seed": 2**53}], ids=str)
def test_the_last_that_can_be_run_is_run(fields):
    PLAIN.pair(replace(Choice("plain", strengths=dict.fromkeys(LEVERS, 0.55)), **fields))


def test_a_policy_of_the_file_that_a_shorter_run_leaves_behind_is_said():
    with pytest.raises(ScenarioError) as error:
        MIXED.pair(Choice("mixed", days=300))
    assert faults_of(error.value) == ["The policy day 300 is after the run, whose last day is 299."]


CHOICES = {
    "nothing": Choice("baseline"),
    "all": Choice(
        "supply_squeeze",
        {"registration_audit": 0.123456, "awareness_campaign": 1.0},
        day=200, ramp=30, segments=("student", "other"), users=1_000_000, days=400, seed=7,
    ),
    "aimed_at_nobody": Choice("supply_squeeze", segments=()),
    "back_to_standing": Choice("supply_squeeze", {"unsealing_strictness": 0.3}),
}  # fmt: skip


@pytest.mark.parametrize("choice", CHOICES.values(), ids=CHOICES.keys())
def test_a_link_restores_a_choice(choice, offer):
    assert choice_of(query_of(choice), offer) == (choice, [])
    assert choice_of("?" + query_of(choice), offer) == (choice, [])


def test_a_link_says_only_what_differs_from_the_file(offer):
    assert query_of(CHOICES["nothing"]) == "scenario=baseline"
    assert choice_of("scenario=supply_squeeze&registration_audit=0.9", offer) == (Choice("supply_squeeze"), [])
    assert choice_of("", offer) == (Choice("baseline"), [])


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("registration_audti=0.5", 'did you mean "registration_audit"?'),
        ("registration_audit=1.5", "from 0 to 1"),
        ("registration_audit=much", "from 0 to 1"),
        ("registration_audit=nan", "from 0 to 1"),
        ("day=-1", "whole number from 0 to 20000"),
        ("day=1.5", "whole number"),
        ("users=999", "from 1000 to 2000000000"),
        ("seed=99999999999999999999", "whole number"),
        ("seed=%D9%A3", "whole number"),
        ("segments=student,studnet", "student"),
        ("segments=,", "each must be one of"),
        ("scenario=bsaeline", 'did you mean "baseline"?'),
        ("scenario=../../etc/passwd", "must be one of"),
        ("day=600&login_check=0.5", "as its file has it"),
        ("&".join("a=1" for _ in range(200)), "more than 100 values"),
        ("%00=%FF", "nothing that a link sets"),
    ],
)
def test_what_a_link_cannot_have_is_said_and_the_rest_is_taken_over(query, said, offer):
    choice, problems = choice_of(query + "&login_check=0.25" * (len(query) < 300 and "600" not in query), offer)
    assert said in "\n".join(problems)
    assert choice.scenario == "baseline"
    assert choice.strengths == ({"login_check": 0.25} if len(query) < 300 and "600" not in query else {})
    offer.open(choice.scenario).pair(choice)


@pytest.mark.parametrize("choice", CHOICES.values(), ids=CHOICES.keys())
def test_a_saved_scenario_runs_the_same_and_stands_alone(choice, offer, tmp_path):
    policy = offer.open(choice.scenario).pair(choice).policy
    path = write(tmp_path, "mine", text_of(policy, "mine", 'My "own"\n\x7f\u2603', "made\nby hand"))
    again = load_scenario(path)
    assert again.identity() == policy.identity()
    assert (again.name, again.title, again.run) == ("mine", 'My "own"\n\x7f\u2603', policy.run)
    assert "extends" not in path.read_text(encoding="utf-8")


def test_parameters_and_learning_are_saved_to_the_last_digit(tmp_path):
    opened = Opened(load_scenario(SCENARIOS / "crackdown_2019.toml", {"dealers.learning": "exp3", "dealers.adaptive": False}))
    policy = opened.pair(Choice("crackdown_2019")).policy
    again = load_scenario(write(tmp_path, "x", text_of(policy, "x", "X", "made")))
    assert (again.parameters, again.dealers, again.identity()) == (policy.parameters, policy.dealers, policy.identity())


def test_a_file_is_never_written_over(tmp_path):
    (tmp_path / "mine.toml").write_text("precious")
    with pytest.raises(ScenarioError, match="is there already"):
        write(tmp_path, "mine", "other")
    assert (tmp_path / "mine.toml").read_text() == "precious"
    with pytest.raises(ScenarioError, match="cannot be written"):
        write(tmp_path / "nowhere", "mine", "other")


@pytest.mark.parametrize("name", ["", "../up", "Mine", "a b", "x" * 65])
def test_a_name_that_no_scenario_has_is_refused(name):
    with pytest.raises(ScenarioError, match="must be 1 to 64"):
        text_of(PLAIN.pair(Choice("plain")).policy, name, "title", "made")


def test_offered_are_files_given_then_those_that_ship(tmp_path):
    mine = tmp_path / "baseline.toml"
    mine.write_text("[levers]\nlogin_check = 0.5\n")
    offer = Offer.of([mine], SCENARIOS, tmp_path, 2)
    assert offer.first == "baseline"
    assert offer.open("baseline").standing("login_check") == 0.5
    assert offer.files.keys() == {path.stem for path in SHIPPED}
    twice = Offer.of([mine, mine], tmp_path / "none", None, 1)
    assert list(twice.files) == ["baseline", "baseline_2"]
    with pytest.raises(ScenarioError, match="no such file"):
        Offer.of([tmp_path / "nothing.toml"], SCENARIOS, None, 1)


def test_a_broken_file_among_those_that_ship_is_told_when_it_is_opened(tmp_path):
    (tmp_path / "broken.toml").write_text("levers = ")
    (tmp_path / "experiment.toml").write_text('baseline = "baseline.toml"')
    (tmp_path / "whole.toml").write_text('title = "Whole"')
    offer = Offer.of([], tmp_path, None, 1)
    assert list(offer.files) == ["broken", "whole"]
    with pytest.raises(ScenarioError, match="not valid TOML"):
        offer.open("broken")


def test_without_files_the_standing_regime_is_offered(tmp_path):
    offer = Offer.of([], tmp_path, None, 1)
    assert offer.files == {"baseline": None}
    assert offer.open("baseline").scenario.identity() == load_scenario(SCENARIOS / "baseline.toml").identity()
    with pytest.raises(ScenarioError, match="must be one of baseline"):
        offer.open("other")


def test_segments_are_all_of_them_where_no_policy_aims():
    assert PLAIN.segments == SEGMENTS
    assert PLAIN.pair(PLAIN.moved(Choice("plain"), "ad_takedown", 0.5)).policy.policies["ad_takedown"].segments is None
