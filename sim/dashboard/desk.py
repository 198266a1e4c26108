"""All that one page holds: its session, its replications and its pictures, and the thread that keeps them up to date."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from sim.dashboard.choice import Choice, Opened
from sim.dashboard.link import choice_of, query_of
from sim.dashboard.numbers import Number, of_a_pair, of_many
from sim.dashboard.offer import Offer
from sim.dashboard.pictures import CHARTS, Asked, Chart, Painter, Pictures
from sim.dashboard.replicating import Replicated, Replications, Wanted
from sim.dashboard.saving import text_of, write
from sim.dashboard.session import Session
from sim.faults import Fault, ScenarioError

_SECONDS_A_LOOK = 0.2


@dataclass(frozen=True)
class Shown:
    """The pictures of a chart as they are on the page: the days that they have, and of how many pairs of runs."""

    pictures: Pictures
    days: int
    pairs: int


class Desk:
    """What a page shows; made from the query of its link.

    `link_problems` is what the link asked for and cannot have, `shown` are pictures by title of the chart, `failures` why there are none,
    `words` says which days `numbers` are of. `follow` keeps these up to date.
    """

    def __init__(self, offer: Offer, painter: Painter, query: str) -> None:
        choice, self.link_problems = choice_of(query, offer)
        self.session = Session(offer, choice)
        self.replications = Replications()
        self.shown: dict[str, Shown] = {}
        self.failures: dict[str, str] = {}
        self.words = ""
        self.numbers: list[Number] = []
        self._painter = painter
        self._closed = threading.Event()
        self._count()

    @property
    def opened(self) -> Opened:
        """The scenario that is open."""
        return self.session.opened

    @property
    def choice(self) -> Choice:
        """What is chosen."""
        return self.session.choice

    @property
    def query(self) -> str:
        """The query of the link that restores the page."""
        return query_of(self.choice)

    @property
    def pairs(self) -> int:
        """How many pairs of runs numbers and pictures are of."""
        return _pairs(self.replications.done)

    def choose(self, choice: Choice) -> None:
        """Take up another choice; replications of the one before are of no interest."""
        self.link_problems = []
        if choice != self.choice or self.session.problems:
            self.replications.forget()
            self.session.choose(choice)

    def move(self, lever: str, strength: float) -> None:
        """Move a lever."""
        self.choose(self.opened.moved(self.choice, lever, strength))

    def press(self, button: Callable[[], None]) -> None:
        """Press a button of the run, whose days are shown again in place of replications that are done."""
        if not self.replications.under_way:
            self.replications.forget()
        button()

    def replicate(self, replications: int) -> None:
        """Ask for more pairs of runs."""
        if self.session.pair is not None:
            self.replications.start(Wanted(self.session.pair, replications, self.session.offer.workers))

    def text(self, name: str) -> str:
        """Return the text of the file of the policy under a name; raises `ScenarioError`."""
        if self.session.pair is None:
            raise ScenarioError([Fault("", "", "", "what is chosen cannot be run, so it is no scenario")])
        scenario = self.opened.scenario
        origin = f"Made with `abm dashboard` from the scenario {scenario.name} ({scenario.title})."
        return text_of(self.session.pair.policy, name, name.replace("_", " ").capitalize(), origin)

    def save(self, name: str) -> str:
        """Write the file of the policy; returns what to say of it. Raises `ScenarioError` when it is not written."""
        folder = self.session.offer.folder
        if folder is None:
            raise ScenarioError([Fault("", "", "", "files are written only for a page that this machine alone can open")])
        path = write(folder, name, self.text(name))
        return f"{path.name} is written. Run it with: abm run {path.name}; its replication 0 is the run on this page."

    def follow(self, tell: Callable[[], None]) -> None:
        """Keep numbers and pictures up to date until the page is closed; `tell` is called whenever something is new."""
        seen: tuple[int, int] | None = None
        tried: dict[str, tuple[int, int, int]] = {}
        while not self._closed.is_set():
            now = self.session.version, self.replications.version
            if now != seen:
                seen = now
                self._count()
                tell()
            state = *self.session.stamp, self.pairs
            old = [chart for chart in CHARTS if tried.get(chart.title) != state]
            if not old:
                self.session.wait(now[0], _SECONDS_A_LOOK)
                continue
            chart = min(old, key=lambda one: tried.get(one.title, ()))
            self._draw(chart)
            tried[chart.title] = state  # one that failed is told, and tried again with the next state, not over and over
            tell()

    def close(self) -> None:
        """End what the page started."""
        self._closed.set()
        self.replications.forget()
        self.session.close()

    def _count(self) -> None:
        """Bring the numbers up to date."""
        pair, done = self.session.pair, self.replications.done
        run = (self.opened.scenario if pair is None else pair.policy).run
        if done is None:
            self.words, self.numbers = of_a_pair(*self.session.daily(), run)
        else:
            first, last = run.window
            self.words = (
                f"Means of days {first} to {last - 1} over {done.replications} pairs of runs, with 95 % intervals of the difference."
            )
            self.numbers = of_many(done.table)

    def _draw(self, chart: Chart) -> None:
        """Have a chart drawn as things are now; where it cannot be, what was there before is not of now either."""
        pair, done = self.session.pair, self.replications.done
        if pair is None:
            self.shown.clear()
            self.failures.clear()
            return
        baseline, policy = ({name: daily[name] for name in chart.outcomes} for daily in self.session.daily())
        table = None if done is None else done.daily[done.daily["outcome"].isin(chart.outcomes)]
        days = pair.policy.run.days
        asked = Asked(chart.outcomes, days, pair.day, baseline, policy, table)
        try:
            pictures = self._painter.draw(asked)
        except RuntimeError as error:
            self.failures[chart.title] = str(error).strip().splitlines()[-1]
            self.shown.pop(chart.title, None)
            return
        self.failures.pop(chart.title, None)
        self.shown[chart.title] = Shown(pictures, len(policy[chart.outcomes[0]]) if done is None else days, _pairs(done))


def _pairs(done: Replicated | None) -> int:
    return 1 if done is None else done.replications
