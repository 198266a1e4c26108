"""Controls of the page: the scenario and its run, when and whom the policy reaches, and the levers.

Of Mesa's SolaraViz the description of a slider (`Slider`) is used here and the counter that says that there is something new
(`update_counter`) in `results`. The slider itself is the browser's own: that of `UserInputs` is set by every redraw, so that one which was
under way while a key was pressed set it back. The rest shows one model, which it steps in the page's own process and makes anew at every
change; here are two with the same luck, stepped in another process, and they have neither a data collector nor a space.

What a part shows is among its arguments: Solara draws it anew when they differ.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import solara
from mesa.visualization.user_param import Slider
from solara.alias import rv

from sim.dashboard.choice import GROUPS, Choice, label
from sim.dashboard.desk import Desk
from sim.levers import LEVERS, SEGMENTS

Chosen = Callable[[], None]
"""What is called after a choice."""

_OPEN_GROUPS = 3


def tag(name: str, *children: Any, class_: str = "", **attributes: str) -> Any:
    """Return an element of HTML; `aria_label` and the like are written with a hyphen."""
    return rv.Html(
        tag=name, children=list(children), class_=class_, attributes={key.replace("_", "-"): value for key, value in attributes.items()}
    )


def notice(text: str, fault: bool = True) -> Any:
    """Return a message that readers of the screen hear at once."""
    return tag("p", text, class_="abm-fault" if fault else "abm-done", role="alert" if fault else "status")


def folded(summary: str, opens: bool = False) -> Any:
    """Return what is unfolded by a click on its summary; to be filled in a `with` block."""
    return tag("details", tag("summary", summary), **({"open": ""} if opens else {}))


@solara.component_vue("select.vue")
def Select(label: str, values: list[str], value: str, on_value: Callable[[str], None]) -> None:
    """Show a list to choose one of, as the browser has it: it needs no mouse, and is at home on a phone."""


@solara.component_vue("checks.vue")
def Checks(boxes: list[tuple[str, str]], value: list[str], on_value: Callable[[list[str]], None]) -> None:
    """Show boxes to tick, each by name and label; the value is the names of those that are ticked."""


@solara.component_vue("field.vue")
def Field(
    label: str,
    value: int | str,
    on_value: Callable[[Any], None],
    hint: str = "",
    whole: bool = True,
    least: int | None = None,
    most: int | None = None,
) -> None:
    """Show a field for a whole number, taken over with Enter or when it is left, or for a text, taken over as it is typed."""


@solara.component_vue("slider.vue")
def Range(
    name: str,
    label: str,
    value: float,
    least: float,
    most: float,
    step: float,
    on_wanted: Callable[[tuple[float, int]], None],
    wanted: tuple[float, int] = (0.0, 0),
) -> None:
    """Show a slider at a value; `wanted` is where the reader has moved it, and how many times, and is never given."""


@solara.component_vue("tab.vue")
def Tab() -> None:
    """Say which language the page is in, let a phone zoom it, and tell when the server no longer answers."""


@solara.component
def Lever(desk: Desk, name: str, strength: float, standing: float, kept: str, chosen: Chosen) -> None:
    """Show one lever: its slider, and what it does."""

    def moved(wanted: tuple[float, int]) -> None:
        desk.move(name, round(wanted[0], 4))
        chosen()

    if LEVERS[name].only_policy:
        words = f"{strength:.2f}" if strength else "none"
    else:
        words = f"{strength:.2f}, as standing" if strength == standing else f"{strength:.2f}, standing {standing:.2f}"
    with solara.Div(classes=["abm-lever", *(["abm-moved"] if strength != standing else [])]):
        slider = Slider(f"{label(name)}: {words}", value=strength, min=0.0, max=1.0, step=0.01)
        Range(name=name, label=slider.label, value=slider.value, least=slider.min, most=slider.max, step=slider.step, on_wanted=moved)
        tag("small", LEVERS[name].meaning)
        if kept:
            tag("small", f"As in the file until you move it: {kept}.", class_="abm-kept")


@solara.component
def LeverGroups(desk: Desk, choice: Choice, chosen: Chosen) -> None:
    """Show all levers in groups; a heading says how many of a group differ from the standing regime."""
    opened = desk.opened
    kept = opened.kept_as_in_file(choice)
    for number, (group, names) in enumerate(GROUPS.items()):
        strengths = [(name, opened.strength(choice, name), opened.standing(name)) for name in names]
        moved = sum(strength != standing for _, strength, standing in strengths)
        levers = "1 lever" if len(names) == 1 else f"{len(names)} levers"
        with folded(f"{group}: {levers}" + (f", {moved} moved" if moved else ""), number < _OPEN_GROUPS):
            for name, strength, standing in strengths:
                Lever(desk, name, strength, standing, kept.get(name, ""), chosen)


def _whole(name: str, value: int, choose: Callable[[int], None], hint: str) -> None:
    Field(label=name, value=value, on_value=choose, hint=hint)


@solara.component
def ScenarioAndRun(desk: Desk, choice: Choice, chosen: Chosen) -> None:
    """Show which scenario is open, and how it is run."""
    opened = desk.opened

    def choose(**fields: Any) -> None:
        desk.choose(replace(desk.choice, **fields))  # which may have changed since the page was drawn
        chosen()

    def open_(name: str) -> None:
        desk.choose(Choice(name))
        chosen()

    Select(label="Scenario", values=list(desk.session.offer.files), value=choice.scenario, on_value=open_)
    if opened.scenario.description or opened.scenario.title:
        tag("p", opened.scenario.description or opened.scenario.title)
    with folded("Users, days and luck"):
        run, users = opened.scenario.run, opened.scenario.population.users
        number_of_users = users if choice.users is None else choice.users
        days = run.days if choice.days is None else choice.days
        seed = run.seed if choice.seed is None else choice.seed
        _whole("Users", number_of_users, lambda number: choose(users=_or_file(number, users)), "ordinary users of the platform")
        _whole("Days", days, lambda number: choose(days=_or_file(number, run.days)), "days simulated; day 0 is the first")
        _whole("Seed", seed, lambda number: choose(seed=_or_file(number, run.seed)), "the luck, the same in both runs")
    if choice != Choice(choice.scenario):
        solara.Button("Everything as in the file", on_click=lambda: open_(choice.scenario), text=True, classes=["abm-small"])


@solara.component
def WhenAndWhom(desk: Desk, choice: Choice, chosen: Chosen) -> None:
    """Show when the policy starts, how long it ramps and whom the levers that can be aimed reach."""
    opened = desk.opened

    def choose(**fields: Any) -> None:
        desk.choose(replace(desk.choice, **fields))  # which may have changed since the page was drawn
        chosen()

    day = opened.day if choice.day is None else choice.day
    ramp = opened.ramp if choice.ramp is None else choice.ramp
    segments = opened.segments if choice.segments is None else choice.segments
    _whole("Policy day", day, lambda number: choose(day=_or_file(number, opened.day)), "first day on which moved levers act")
    _whole("Ramp, days", ramp, lambda number: choose(ramp=_or_file(number, opened.ramp)), "from the standing strength; 0 is at once")

    def aim(wanted: list[str]) -> None:
        choose(segments=_or_file(tuple(name for name in SEGMENTS if name in wanted), opened.segments))

    aimed = [label(name).lower() for name, lever in LEVERS.items() if lever.by_segment]
    with folded("Segments of users aimed at" + ("" if len(segments) == len(SEGMENTS) else f": {len(segments)} of {len(SEGMENTS)}")):
        Checks(boxes=[(name, label(name)) for name in SEGMENTS], value=list(segments), on_value=aim)
        tag("small", f"For {', '.join(aimed)}; the other levers act on all users.")


def _or_file(value: Any, in_file: Any) -> Any:
    """Return None for what the file says."""
    return None if value == in_file else value
