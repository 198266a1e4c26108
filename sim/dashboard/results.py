"""What the page shows of the runs: buttons with how far they are, numbers, charts, replications, and how to keep them."""

from __future__ import annotations

import base64

import solara
from mesa.visualization.utils import update_counter
from solara.alias import rv

from sim.dashboard.controls import Field, Select, notice, tag
from sim.dashboard.desk import Desk, Shown
from sim.dashboard.numbers import Number
from sim.dashboard.pictures import CHARTS, Chart
from sim.faults import ScenarioError
from sim.outcomes import OUTCOMES

PACES = {"as fast as it goes": 0.0, "60 days a second": 60.0, "10 days a second": 10.0, "2 days a second": 2.0}
MOST_PAIRS = 200
_LEGEND = (
    "Solid: your policy. Dashed: the standing regime, same luck. Upright line: the first day of the policy. Lines are means of seven days."
    " The second picture is the paired difference, your policy less the standing regime, with 95 % bands if there are several pairs."
)
_NOTHING = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"


@solara.component
def RunBar(desk: Desk) -> None:
    """Show the buttons of the run, and how far it is."""
    update_counter.get()
    session = desk.session
    pace, set_pace = solara.use_state(next(iter(PACES)))

    def at(words: str) -> None:
        set_pace(words)
        session.set_pace(PACES[words])

    idle = session.pair is None
    day = 0 if session.pair is None else session.pair.day
    with solara.Div(classes=["abm-bar"]):
        with solara.Div(classes=["abm-buttons"]):
            if session.playing:
                solara.Button("Pause", icon_name="mdi-pause", color="primary", on_click=session.pause)
            else:
                solara.Button("Play", icon_name="mdi-play", color="primary", on_click=lambda: desk.press(session.play), disabled=idle)
            solara.Button("Step", icon_name="mdi-skip-next", on_click=lambda: desk.press(session.step), disabled=idle or session.finished)
            solara.Button("Reset", icon_name="mdi-restart", on_click=lambda: desk.press(session.reset), disabled=idle)
            Select(label="Pace", values=list(PACES), value=pace, on_value=at)
        if idle:
            state = "nothing is run"
        elif session.finished:
            state = f"day {session.day} of {session.days}: done"
        elif session.day < day:
            state = f"day {session.day} of {session.days}: the days before the policy, the same in both runs"
        elif session.playing:
            state = f"day {session.day} of {session.days}: both runs are going"
        else:
            state = f"day {session.day} of {session.days}: paused" + (", ready for the policy" if session.day == day else "")
        tag("progress", max=str(max(session.days, 1)), value=str(session.day), aria_label="days done")
        tag("p", state, class_="abm-state", role="status")


@solara.component
def Faults(desk: Desk) -> None:
    """Show why nothing is run, or no further; apart from the bar, which is to stick to the top and keep the focus."""
    update_counter.get()
    with solara.Div():
        for problem in [*desk.session.problems, *filter(None, [desk.session.failure])]:
            notice(problem)


@solara.component
def Numbers(desk: Desk) -> None:
    """Show the table of numbers; a cell's title has the number to the last digit."""
    update_counter.get()
    head = tag("tr", *(tag("th", text, scope="col") for text in ("Outcome", "Standing regime", "Your policy", "Difference", "Change")))
    body = [_line(number) for number in desk.numbers]
    with solara.Div(classes=["abm-numbers"]):
        tag("table", tag("caption", desk.words), tag("thead", head), tag("tbody", *body))
    done = desk.replications.done
    for sentence in done.answer if done else []:
        tag("p", sentence)
    pair = desk.session.pair
    if pair is not None and pair.day > pair.policy.run.window[0]:
        tag("p", f"The policy starts on day {pair.day}, after the first of the days that are averaged: the means hold days without it.")


def _line(number: Number) -> rv.Html:
    exact = (number.baseline, number.policy, number.difference)
    cells = [
        tag("td", text, **({"title": repr(exact[k])} if k < len(exact) else {}), data_column=column)
        for k, (column, text) in enumerate(zip(("baseline", "policy", "difference", "change"), number.cells, strict=True))
    ]
    what = tag("th", number.title, " ", tag("small", number.unit), scope="row", title=OUTCOMES[number.outcome].meaning)
    return tag("tr", what, *cells, data_outcome=number.outcome)


@solara.component
def Charts(desk: Desk) -> None:
    """Show all charts, and how to read them."""
    tag("p", _LEGEND, class_="abm-legend")
    with solara.Div(classes=["abm-charts"]):
        for chart in CHARTS:
            Charted(desk, chart)


@solara.component
def Charted(desk: Desk, chart: Chart) -> None:
    """Show one chart: levels and difference, as pictures with their words."""
    update_counter.get()
    shown, failure = desk.shown.get(chart.title), desk.failures.get(chart.title)
    to_come = "not drawn" if failure else "nothing is run" if desk.session.pair is None else "to come"
    pictures, of = ((b"", b""), to_come) if shown is None else ((shown.pictures.levels, shown.pictures.difference), _of(shown))
    words = f"{chart.title} in both runs", f"{chart.title}: your policy less the standing regime"
    both = [tag("img", src=_source(png), alt=f"{what}, {of}") for png, what in zip(pictures, words, strict=True)]
    told = [notice(f"Not drawn: {failure}. With the next change it is tried again.")] if failure else []
    tag("figure", tag("figcaption", chart.title), *told, tag("div", *both, class_="abm-pictures"), class_="abm-chart")


def _of(shown: Shown) -> str:
    """Say of which runs and days pictures are."""
    if not shown.days:
        return "before the first day"
    return f"days 0 to {shown.days - 1} of {f'{shown.pairs} pairs of runs' if shown.pairs > 1 else 'one pair of runs'}"


def _source(png: bytes) -> str:
    """Return a picture as an address; that of a transparent point where there is none."""
    return f"data:image/png;base64,{base64.b64encode(png).decode()}" if png else _NOTHING


@solara.component
def ReplicationsPanel(desk: Desk) -> None:
    """Show the button for more pairs of runs, and how far they are."""
    update_counter.get()
    wanted, want = solara.use_state(20)
    replications = desk.replications
    with solara.Card("How sure?", classes=["abm-card"]):
        tag("p", "One pair of runs is one draw of luck. More pairs, on further seeds, give the numbers and charts 95 % intervals.")
        Field(label="Pairs of runs", value=wanted, on_value=want, hint=f"2 to {MOST_PAIRS}", least=2, most=MOST_PAIRS)
        known = replications.known
        if replications.under_way and known is not None:
            tag("progress", max=str(known.total), value=str(known.done), aria_label="runs done")
            tag("p", f"{known.done} of {known.total} runs done", role="status")
            solara.Button("Cancel", on_click=replications.forget)
        else:
            solara.Button(f"Run {wanted} pairs", on_click=lambda: desk.replicate(wanted), disabled=desk.session.pair is None)
        if replications.failure:
            notice(replications.failure)


@solara.component_vue("link.vue")
def Link(query: str) -> None:
    """Show the link that restores the page, with a button that copies it, and keep the address of the page the same."""


@solara.component
def KeepPanel(desk: Desk, query: str) -> None:
    """Show how to keep what is chosen: the link with a query, a file to download, a file where the command was started."""
    name, set_name = solara.use_state("my_policy")
    told, tell = solara.use_state(("", True))
    try:
        text, problem = desk.text(name), ""
    except ScenarioError as error:
        text, problem = "", "; ".join(fault.problem for fault in error.faults)

    def save() -> None:
        try:
            tell((desk.save(name), True))
        except ScenarioError as error:
            tell(("; ".join(str(fault) for fault in error.faults), False))

    with solara.Card("Keep it", classes=["abm-card"]):
        Link(query=query)
        Field(label="Name of the scenario", value=name, on_value=set_name, whole=False)
        if problem:
            notice(problem)
        else:
            file = f"{name}.toml"
            address = f"data:application/toml;base64,{base64.b64encode(text.encode()).decode()}"
            with solara.Div(classes=["abm-buttons"]):
                tag("a", f"Download {file}", href=address, download=file, class_="abm-download")
                if desk.session.offer.folder is not None:
                    solara.Button(f"Write {file} where abm was started", on_click=save)
        if told[0]:
            notice(told[0], fault=not told[1])
