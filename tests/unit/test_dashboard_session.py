"""What runs behind a page: the pair of markets, the buttons, numbers, pictures and replications, without a browser."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from beside import Thread

from sim.companion import Companion
from sim.dashboard import market as markets
from sim.dashboard import pictures, replicating
from sim.dashboard.choice import Choice
from sim.dashboard.desk import Desk
from sim.dashboard.market import Open, PairedMarket, Until, attend
from sim.dashboard.numbers import NUMBERS, of_a_pair, of_many
from sim.dashboard.offer import Offer
from sim.dashboard.pictures import CHARTED, CHARTS, Asked, Chart, Painter, Pictures
from sim.dashboard.replicating import Known, Replicated, Replications, Wanted
from sim.dashboard.session import Session
from sim.faults import ScenarioError
from sim.model import AccountMarket
from sim.outcomes import OUTCOMES, window_means

DAYS, DAY = 30, 12
MOVED = {"registration_audit": 0.9, "ad_takedown": 0.8}


@pytest.fixture(scope="module")
def offer(tmp_path_factory: pytest.TempPathFactory) -> Offer:
    folder = tmp_path_factory.mktemp("scenarios")
    (folder / "small.toml").write_text(
        f"[run]\ndays = {DAYS}\nburn_in_days = {DAY}\nsettle_days = 4\nseed = 3\n[population]\nusers = 200_000\n"
    )
    return Offer.of([folder / "small.toml"], Path("nowhere"), folder, 1)


@pytest.fixture
def session(offer: Offer) -> Iterator[Session]:
    made = Session(offer, offer.choice, lambda: Thread(attend))
    yield made
    made.close()


def until(session: Session, holds: Callable[[], bool]) -> None:
    """Wait for what a session is about to do."""
    for _ in range(600):
        if holds():
            return
        session.wait(session.version, 0.1)
    pytest.fail(f"day {session.day}, {session.problems}, {session.failure}")


def pair_of(offer: Offer, **fields: object) -> tuple[Open, object]:
    pair = offer.open("small").pair(Choice("small", **fields))
    return Open(1, pair.baseline, pair.policy, pair.day), pair


def done(paired: PairedMarket, asked: Open, day: int = DAYS) -> tuple[np.ndarray, np.ndarray]:
    """Make days of a pair; returns both arms' rows as they were told."""
    told = [paired.take(asked)]
    paired.take(Until(day))
    while paired.busy:
        told.append(paired.work())
    told = [days for days in told if days is not None]
    assert [days.first for days in told] == np.cumsum([0, *(days.policy.shape[1] for days in told)])[:-1].tolist()
    return tuple(np.hstack([getattr(days, arm) for days in told]) for arm in ("baseline", "policy"))


def whole(scenario) -> np.ndarray:
    model = AccountMarket(scenario)
    model.run()
    return np.array([model.daily[name] for name in OUTCOMES])


def test_both_arms_are_whole_runs_to_the_bit(offer):
    paired = PairedMarket()
    for fields in ({"strengths": MOVED}, {"strengths": {"purge": 0.9}}, {"strengths": MOVED, "day": 20}, {"strengths": MOVED, "day": 5}):
        asked, pair = pair_of(offer, **fields)
        baseline, policy = done(paired, asked)
        assert baseline.tobytes() == whole(pair.baseline).tobytes()
        assert policy.tobytes() == whole(pair.policy).tobytes()
        before = min(pair.day, DAYS)
        assert (baseline[:, :before] == policy[:, :before]).all()
        assert (baseline[:, before:] != policy[:, before:]).any()


def test_a_policy_that_changes_nothing_changes_nothing_at_all(offer):
    baseline, policy = done(PairedMarket(), pair_of(offer)[0])
    assert baseline.tobytes() == policy.tobytes()
    assert baseline.shape == (len(OUTCOMES), DAYS)


def test_another_policy_makes_no_day_of_the_baseline_again(offer, monkeypatch):
    stepped = []
    step = AccountMarket.step
    monkeypatch.setattr(AccountMarket, "step", lambda self: stepped.append(bool(self.scenario.policies)) or step(self))
    paired = PairedMarket()
    done(paired, pair_of(offer, strengths=MOVED)[0])
    assert (stepped.count(False), stepped.count(True)) == (DAYS, DAYS - DAY)
    stepped.clear()
    done(paired, pair_of(offer, strengths={"login_check": 0.5})[0])
    assert (stepped.count(False), stepped.count(True)) == (0, DAYS - DAY)
    stepped.clear()
    done(paired, pair_of(offer, strengths=MOVED, day=3)[0])  # earlier than what is kept
    assert (stepped.count(False), stepped.count(True)) == (DAYS, DAYS - 3)
    stepped.clear()
    done(paired, pair_of(offer, seed=8)[0], 5)
    assert stepped == [False] * 5


def test_a_pace_makes_a_day_wait_for_its_turn(offer):
    paired = PairedMarket()
    paired.take(pair_of(offer)[0])
    paired.take(Until(DAYS, 0.001))
    assert paired.work().policy.shape[1] == 1
    assert paired.wait > 100.0
    paired.take(Until(DAYS))
    assert paired.wait == 0.0


def test_buttons(session):
    until(session, lambda: session.day == DAY)
    assert not session.playing
    session.step()
    until(session, lambda: session.day == DAY + 1)
    session.step()
    until(session, lambda: session.day == DAY + 2)
    session.play()
    assert session.playing
    until(session, lambda: session.finished)
    assert not session.playing
    session.step()
    assert session.day == DAYS
    session.reset()
    until(session, lambda: session.day == DAY)
    session.play()
    until(session, lambda: session.finished)
    session.play()  # once more from the day of the policy
    until(session, lambda: session.playing or session.day < DAYS)
    until(session, lambda: session.finished)


def test_pause_stops_and_play_goes_on(session):
    until(session, lambda: session.day == DAY)
    session.set_pace(1.0)
    session.play()
    until(session, lambda: session.day > DAY)
    session.pause()
    stopped = session.stamp
    assert stopped[1] < DAYS
    session.set_pace(0.0)
    session.wait(session.version, 0.3)
    assert session.stamp[1] <= stopped[1] + 1  # the day that was under way
    session.play()
    until(session, lambda: session.finished)
    assert session.stamp[0] == stopped[0]


def test_what_is_chosen_opens_another_pair_that_goes_on_playing(session, offer):
    until(session, lambda: session.day == DAY)
    session.choose(Choice("small", MOVED))
    until(session, lambda: session.day == DAY)
    session.play()
    session.choose(Choice("small", {**MOVED, "login_check": 0.4}))
    assert session.playing
    until(session, lambda: session.finished)
    baseline, policy = session.daily()
    pair = offer.open("small").pair(session.choice)
    assert np.array([policy[name] for name in OUTCOMES]).tobytes() == whole(pair.policy).tobytes()
    assert np.array([baseline[name] for name in OUTCOMES]).tobytes() == whole(pair.baseline).tobytes()


def test_what_cannot_be_run_is_said_and_nothing_runs(session):
    until(session, lambda: session.day == DAY)
    session.choose(Choice("small", MOVED, day=DAYS))
    assert "after the run" in session.problems[0]
    assert (session.pair, session.day, session.days, session.playing) == (None, 0, 0, False)
    for button in (session.play, session.pause, session.step, session.reset):
        button()
    assert session.day == 0
    session.choose(Choice("small", MOVED))
    assert not session.problems
    until(session, lambda: session.day == DAY)
    session.choose(Choice("nothing"))
    assert "must be one of small" in session.problems[0]


def test_a_day_that_raises_is_told_and_the_next_pair_runs(session, monkeypatch):
    until(session, lambda: session.day == DAY)

    def fail(self):
        raise ZeroDivisionError("no day")

    with monkeypatch.context() as patch:
        patch.setattr(AccountMarket, "step", fail)
        session.play()
        until(session, lambda: bool(session.failure))
    assert "ZeroDivisionError: no day" in session.failure
    assert not session.playing
    session.play()
    until(session, lambda: session.finished)
    assert not session.failure


def test_a_process_that_dies_is_told_and_play_starts_another(offer):
    begun: list[Thread] = []

    def begin() -> Thread:
        begun.append(Thread(attend))
        return begun[-1]

    session = Session(offer, offer.choice, begin)
    until(session, lambda: session.day == DAY)
    begun[0].die()
    until(session, lambda: bool(session.failure))
    assert "died" in session.failure
    assert begun[0].ended
    session.play()
    until(session, lambda: session.finished)
    assert len(begun) == 2
    session.close()
    assert begun[1].ended


def test_a_page_never_waits_for_a_long_day(offer):
    """Whatever is asked while the other side is at work is told to it later, and of that only what counts."""
    asked: list[object] = []

    def slow(line):
        while True:
            asked.append(line.recv())
            released.wait(timeout=30)

    released = threading.Event()
    session = Session(offer, offer.choice, lambda: Thread(slow))
    until(session, lambda: len(asked) == 1)
    for k in range(400):
        session.choose(Choice("small", {"login_check": (k + 1) / 1000}))
    released.set()
    until(session, lambda: any(isinstance(one, Open) and one.policy.policies["login_check"].strength == 0.4 for one in asked[1:]))
    assert len(asked) < 400, "what was asked before is told all the same"
    session.close()


@pytest.mark.slow
def test_the_market_runs_in_a_process_that_ends_with_the_session(offer):
    begun: list[Companion] = []

    def begin() -> Companion:
        begun.append(Companion(attend))
        return begun[-1]

    session = Session(offer, offer.choice, begin)
    until(session, lambda: session.day == DAY)
    session.close()
    assert not begun[0]._process.is_alive()


def test_numbers_are_the_means_that_a_run_has(offer):
    asked, pair = pair_of(offer, strengths=MOVED)
    arms = [dict(zip(OUTCOMES, rows, strict=True)) for rows in done(PairedMarket(), asked)]
    words, numbers = of_a_pair(*arms, pair.policy.run)
    assert words == f"Means of days {DAY + 4} to {DAYS - 1}."
    models = [AccountMarket(scenario) for scenario in (pair.baseline, pair.policy)]
    for model in models:
        model.run()
    means = [window_means(model.daily, *pair.policy.run.window) for model in models]
    assert [(n.baseline, n.policy) for n in numbers] == [(means[0][name], means[1][name]) for name in NUMBERS]
    assert all(n.difference == n.policy - n.baseline for n in numbers)
    assert all(n.cells[0] and n.unit and n.title for n in numbers)


def test_numbers_say_which_days_they_are_of(offer):
    run = offer.open("small").scenario.run
    days = {name: np.arange(float(DAYS)) for name in OUTCOMES}

    def words(count):
        return of_a_pair(*({name: column[:count] for name, column in days.items()} for _ in range(2)), run)

    assert words(0)[0] == "No day is done yet."
    assert words(0)[1][0].cells == ("", "", "", "")
    assert words(5)[0].startswith("Values of day 4;")
    assert words(5)[1][0].baseline == 4.0
    assert words(20)[0] == "Means of days 16 to 19; the window ends with day 29."
    assert words(20)[1][0].baseline == 17.5
    assert words(20)[1][0].cells == ("17.5", "17.5", "0", "0 %")


def test_replications_start_with_the_pair_of_the_page(offer):
    asked, pair = pair_of(offer, strengths=MOVED)
    arms = [dict(zip(OUTCOMES, rows, strict=True)) for rows in done(PairedMarket(), asked)]
    told: list[Known] = []
    made = replicating.replicate(Wanted(pair, 3, 1), told.append)
    assert isinstance(made, Replicated)
    assert told[-1] == Known(6, 6)
    assert set(made.daily["outcome"]) == set(CHARTED)
    assert (made.daily["replications"] == 3).all()
    assert made.answer[0].startswith("Your policy: ")
    numbers = of_many(made.table)
    assert [number.outcome for number in numbers] == list(NUMBERS)
    assert all(number.low <= number.difference <= number.high for number in numbers)
    assert "(" in numbers[2].cells[2]
    alone = replicating.replicate(Wanted(pair, 1, 1), told.append)
    first = {number.outcome: number for number in of_a_pair(*arms, pair.policy.run)[1]}
    assert all((first[n.outcome].baseline, first[n.outcome].policy) == (n.baseline, n.policy) for n in of_many(alone.table))


def test_replications_of_what_changes_nothing_say_exactly_zero(offer):
    made = replicating.replicate(Wanted(pair_of(offer)[1], 2, 1), lambda known: None)
    assert all(number.cells[2:] == ("0", "0 %") for number in of_many(made.table))
    assert (made.daily[["difference", "difference_low", "difference_high"]] == 0.0).all().all()


def settled(replications: Replications, holds: Callable[[], bool]) -> None:
    for _ in range(3000):
        if holds():
            return
        time.sleep(0.01)
    pytest.fail(f"{replications.known} {replications.failure}")


def test_replications_are_followed_given_up_and_forgotten(offer, monkeypatch):
    pair = pair_of(offer, strengths=MOVED)[1]
    begun: list[Thread] = []

    def begin() -> Thread:
        begun.append(Thread(replicating.attend))
        return begun[-1]

    replications = Replications(begin)
    replications.start(Wanted(pair, 2, 1))
    assert replications.under_way
    settled(replications, lambda: replications.done is not None)
    assert (replications.under_way, replications.known, replications.done.replications) == (False, None, 2)
    assert begun[0].ended
    replications.forget()
    assert replications.done is None

    given_up = threading.Event()
    monkeypatch.setattr(replicating, "replicate", lambda wanted, tell: tell(Known(1, 4)) or given_up.wait(60))
    replications.start(Wanted(pair, 2, 1))
    settled(replications, lambda: replications.known == Known(1, 4))
    replications.forget()
    assert (replications.under_way, replications.known, replications.failure) == (False, None, "")
    assert begun[1].ended
    given_up.set()


def test_runs_that_fail_or_are_lost_are_told(offer, monkeypatch):
    pair = pair_of(offer, strengths=MOVED)[1]
    made = AccountMarket.step

    def fail(self):
        if self.day == DAYS - 1:
            raise ZeroDivisionError("last day")
        made(self)

    with monkeypatch.context() as patch:
        patch.setattr(AccountMarket, "step", fail)
        told = replicating.replicate(Wanted(pair, 2, 1), lambda known: None)
    assert told == "4 runs failed, the first with seed 3: ZeroDivisionError: last day"
    monkeypatch.setattr(replicating, "replicate", lambda wanted, tell: "no luck")
    replications = Replications(lambda: Thread(replicating.attend))
    replications.start(Wanted(pair, 2, 1))
    settled(replications, lambda: not replications.under_way)
    assert replications.failure == "no luck"
    lost: list[Thread] = []

    def begin() -> Thread:
        lost.append(Thread(lambda line: line.poll(None)))
        return lost[-1]

    replications = Replications(begin)
    replications.start(Wanted(pair, 2, 1))
    lost[0].die()
    settled(replications, lambda: not replications.under_way)
    assert "died" in replications.failure


def of_days(count: int, outcomes: tuple[str, ...]) -> Asked:
    rows = {name: np.arange(float(count)) for name in outcomes}
    return Asked(outcomes, DAYS, DAY, rows, rows)


@pytest.mark.parametrize("count", [0, 5, DAYS])
@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.title)
def test_every_chart_is_drawn_from_the_first_day_on(chart, count):
    drawn = pictures.draw(of_days(count, chart.outcomes))
    assert drawn.levels[:8] == drawn.difference[:8] == b"\x89PNG\r\n\x1a\n"


def test_a_picture_that_fails_is_told_and_the_next_is_drawn():
    begun: list[Thread] = []

    def begin() -> Thread:
        begun.append(Thread(pictures.attend))
        return begun[-1]

    painter = Painter(begin)
    with pytest.raises(RuntimeError, match="no_such_outcome"):
        painter.draw(Asked(("no_such_outcome",), DAYS, DAY, {}, {"victims": np.zeros(2)}))
    assert isinstance(painter.draw(of_days(5, ("price_yuan",))), Pictures)
    begun[0].die()
    assert isinstance(painter.draw(of_days(5, ("price_yuan",))), Pictures)
    assert begun[0].ended
    assert len(begun) == 2
    painter.close()
    assert begun[1].ended
    with pytest.raises(RuntimeError):
        painter.draw(of_days(5, ("price_yuan",)))
    assert len(begun) == 2, "a painter that is closed starts a process that nobody ends"


def test_what_draws_is_imported_before_a_picture_is_asked_for(monkeypatch):
    seen: list[str] = []
    monkeypatch.setattr(pictures, "import_module", lambda name: seen.append(name) or 1 / 0)
    beside = Thread(pictures.attend)
    beside.line.send(of_days(5, ("price_yuan",)))
    assert isinstance(beside.line.recv(), Pictures)  # what goes wrong before is told by drawing
    assert seen == ["sim.plots.gallery"]
    beside.end()


def test_a_picture_that_kills_who_draws_it_is_tried_twice_and_told():
    begun: list[Thread] = []

    def begin() -> Thread:
        begun.append(Thread(lambda line: line.recv()))  # and ends without an answer
        return begun[-1]

    painter = Painter(begin)
    with pytest.raises(RuntimeError, match="killed, or out of memory"):
        painter.draw(of_days(5, ("price_yuan",)))
    assert [one.ended for one in begun] == [True, True]


@pytest.fixture
def desk(offer, monkeypatch) -> Iterator[Desk]:
    monkeypatch.setattr(Session.__init__, "__defaults__", (lambda: Thread(attend),))
    painter = Painter(lambda: Thread(pictures.attend))
    made = Desk(offer, painter, "scenario=small&login_check=0.5&nonsense=1")
    yield made
    made.close()
    painter.close()


@pytest.fixture
def follow(desk) -> Callable[[Callable[[], bool]], None]:
    """Keep a desk up to date, and return what waits for something on it."""
    told = threading.Semaphore(0)
    threading.Thread(target=desk.follow, args=(told.release,), daemon=True).start()

    def wait(holds: Callable[[], bool]) -> None:
        while not holds():
            assert told.acquire(timeout=60), f"{desk.shown.keys()} {desk.failures}"

    return wait


def shows(desk: Desk, charts: tuple[Chart, ...], days: int) -> bool:
    """Say whether a desk has pictures of these charts, and of no others, all of so many days."""
    return {title: shown.days for title, shown in desk.shown.copy().items()} == {chart.title: days for chart in charts}


def test_a_desk_keeps_numbers_and_pictures_up_to_date(desk, follow):
    assert desk.link_problems == ['"nonsense" is nothing that a link sets']
    desk.session.play()
    follow(lambda: shows(desk, CHARTS, DAYS))
    assert desk.words.startswith("Means of days 16 to 29")
    assert desk.pairs == 1
    desk.move("login_check", 0.25)
    assert desk.query == "scenario=small&login_check=0.25"
    assert desk.link_problems == []


def test_a_chart_that_fails_is_told_until_it_is_drawn_and_keeps_no_other_waiting(desk, monkeypatch, request):
    drawn, tried = pictures.draw, []

    def fail(asked: Asked) -> Pictures:
        if asked.outcomes != CHARTS[0].outcomes:
            return drawn(asked)
        tried.append(len(asked.policy[asked.outcomes[0]]))
        raise MemoryError("no room")

    until(desk.session, lambda: desk.session.day == DAY)
    with monkeypatch.context() as patch:
        patch.setattr(pictures, "draw", fail)
        follow = request.getfixturevalue("follow")
        follow(lambda: shows(desk, CHARTS[1:], DAY))
        desk.session.step()
        follow(lambda: shows(desk, CHARTS[1:], DAY + 1))
        assert desk.failures == {CHARTS[0].title: "MemoryError: no room"}
        assert tried == [DAY, DAY + 1], "what fails is tried over and over"
    desk.session.step()
    follow(lambda: shows(desk, CHARTS, DAY + 2))
    assert not desk.failures


def test_a_step_draws_every_chart_though_who_draws_them_was_killed(desk, follow):
    follow(lambda: shows(desk, CHARTS, DAY))
    desk._painter._beside.die()
    desk.session.step()
    follow(lambda: shows(desk, CHARTS, DAY + 1))
    assert not desk.failures


def test_what_cannot_be_run_leaves_no_pictures_of_what_was(desk, follow):
    follow(lambda: shows(desk, CHARTS, DAY))
    desk.choose(Choice("small", MOVED, day=DAYS))
    follow(lambda: not desk.shown)
    assert desk.words == "No day is done yet."
    desk.choose(Choice("small", MOVED))
    follow(lambda: shows(desk, CHARTS, DAY))


def test_buttons_of_the_run_show_its_days_again(desk):
    desk.replications.done = object()
    pressed = []
    desk.press(lambda: pressed.append(True))
    assert (desk.replications.done, pressed) == (None, [True])


def test_a_desk_saves_what_it_runs_once(desk, offer):
    assert desk.save("kept") == "kept.toml is written. Run it with: abm run kept.toml; its replication 0 is the run on this page."
    assert (offer.folder / "kept.toml").is_file()
    with pytest.raises(ScenarioError, match="is there already"):
        desk.save("kept")
    desk.choose(Choice("small", MOVED, day=DAYS))
    with pytest.raises(ScenarioError, match="cannot be run"):
        desk.save("other")


def test_the_market_is_asked_by_what_it_knows():
    with pytest.raises(TypeError, match="not asked by str"):
        PairedMarket().take("go")
    assert markets.PairedMarket().number == -1
