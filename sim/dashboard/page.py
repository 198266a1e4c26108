"""The page: made for each browser tab, of what the command offers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import solara
from mesa.visualization.utils import force_update

from sim.dashboard.controls import LeverGroups, ScenarioAndRun, Tab, WhenAndWhom, notice, tag
from sim.dashboard.desk import Desk
from sim.dashboard.offer import Offer
from sim.dashboard.pictures import Painter
from sim.dashboard.results import Charts, Faults, KeepPanel, Numbers, ReplicationsPanel, RunBar

_STYLE = Path(__file__).with_name("page.css")
_LIMITS = (
    "All entities are synthetic. Differences hold in the model, given its assumptions: it compares and explains, it does not forecast, and"
    " it shows no real platform, person or place (MODEL.md: What the model cannot show)."
)


class _Served:
    """What all pages of the server share, while it runs: Solara makes pages by itself and gives them nothing."""

    now: tuple[Offer, Painter] | None = None


@contextmanager
def serving(offer: Offer) -> Iterator[None]:
    """Let pages be made of an offer, with a process that draws for all of them."""
    painter = Painter()
    _Served.now = offer, painter
    try:
        yield
    finally:
        _Served.now = None
        painter.close()


@solara.component
def Page() -> None:
    """Show the page."""
    assert _Served.now is not None, "the page is made by `serving` only"
    offer, painter = _Served.now
    router = solara.use_router()
    desk: Desk = solara.use_memo(lambda: Desk(offer, painter, router.search or ""), [])
    _, count = solara.use_state(0)

    def follow() -> Callable[[], None]:
        threading.Thread(target=desk.follow, args=(force_update,), daemon=True).start()
        return desk.close

    solara.use_effect(follow, [])

    def chosen() -> None:
        count(lambda choices: choices + 1)
        force_update()

    solara.Title("abm dashboard")
    solara.Style(_STYLE)
    Tab()
    with solara.Div(classes=["abm"]):
        tag("header", tag("h1", "The account black market: levers by hand"), tag("p", _LIMITS))
        with solara.Div():  # there in any case: what follows would be made anew, and lose the focus, when the notices go
            for problem in desk.link_problems:
                notice(f"The link: {problem}")
        RunBar(desk)
        Faults(desk)
        with solara.Div(classes=["abm-columns"]):
            with solara.Div(classes=["abm-levers"]):
                ScenarioAndRun(desk, desk.choice, chosen)
                WhenAndWhom(desk, desk.choice, chosen)
                LeverGroups(desk, desk.choice, chosen)
            with solara.Div(classes=["abm-results"]):
                Numbers(desk)
                Charts(desk)
                ReplicationsPanel(desk)
                KeepPanel(desk, desk.query)
