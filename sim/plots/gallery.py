"""Which figures a run, a comparison or a sweep has, and from which of its tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from io import BytesIO
from typing import Protocol, cast, overload

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sim import analysis
from sim.faults import one_of, show
from sim.plan import Plan
from sim.plots.flow import day_flow
from sim.plots.forest import forest
from sim.plots.luck import FEWEST_PAIRS, shared_luck
from sim.plots.moving import FILM, GIF, STEPS, film, gif, mp4
from sim.plots.over_time import OVER_TIME, SUPPLY, difference_over_time, supply_by_channel
from sim.plots.people import who_is_hurt
from sim.plots.robust import robust
from sim.plots.style import Study
from sim.plots.sweeps import dose_response, interaction_map
from sim.plots.text import calm
from sim.plots.tradeoff import harm_against_cost
from sim.plots.varied import Varied

_DOTS_PER_INCH = 150
_MOST_PANELS = 12


class Finished(Protocol):
    """Finished runs, as `sim.comparison` has them."""

    @property
    def plan(self) -> Plan:
        """What was asked for."""

    @property
    def summary(self) -> pd.DataFrame:
        """Means over replications by scenario and outcome."""

    def days_of(self, outcomes: Sequence[str]) -> pd.DataFrame:
        """Return one row a run and day, with some of the outcomes."""


class Compared(Finished, Protocol):
    """Finished runs that are compared with a baseline."""

    @property
    def comparable(self) -> bool:
        """Say whether there is a pair of runs."""

    @property
    def table(self) -> pd.DataFrame:
        """The comparison."""

    @property
    def displacement(self) -> pd.DataFrame:
        """The displacement table."""

    @property
    def levels_table(self) -> pd.DataFrame:
        """The comparison with the levels of a sweep."""


class OverMembers(Finished, Protocol):
    """Finished runs in members of the set of parameter vectors."""

    @property
    def robustness(self) -> pd.DataFrame:
        """Effects with what chance and what parameters make of them."""

    @property
    def member_effects(self) -> pd.DataFrame:
        """Effects by member."""


class Gallery:
    """The figures of a run, a comparison or a sweep, one method each.

    Each returns a new matplotlib `Figure`, which a notebook shows; those of one panel draw on the `ax` given, if any, and return it.
    """

    def __init__(self, done: Finished | Compared | OverMembers) -> None:
        self._done = done
        self._plan = done.plan

    @cached_property
    def study(self) -> Study:
        """What captions say of the runs."""
        plan = self._plan
        first = next(iter(plan.scenarios.values()))
        return Study(
            baseline=plan.baseline or first.name,
            titles=plan.titles,
            users=first.population.users,
            seeds=[plan.seed + k for k in range(plan.replications)],
            window_days=first.run.window,
            policy_days={
                name: min(policy.first_day for policy in scenario.policies.values())
                for name, scenario in plan.scenarios.items()
                if scenario.policies
            },
            burn_in_days=first.run.burn_in_days,
        )

    @property
    def _compared(self) -> Compared:
        if self._plan.baseline is None:
            raise TypeError("this figure compares scenarios; these are runs of one")
        return cast("Compared", self._done)

    def _check(self, policy: str) -> None:
        names = [name for name in self._plan.scenarios if name != self._plan.baseline and name not in self._plan.members]
        if policy not in names or self._plan.baseline is None:
            raise ValueError(
                f"no policy {show(policy)} here; " + (f"it must be {one_of(names)}" if names else "these are runs of one scenario")
            )

    @property
    def _varied(self) -> list[Varied]:
        return [Varied.of(vary.key, self._plan.scenarios.values()) for vary in self._plan.axes]

    def forest(self) -> Figure:
        """Draw paired differences of every policy from the baseline, a panel an outcome."""
        return forest(self._compared.table, self.study, self._plan.outcomes)

    def supply_by_channel(self) -> Figure:
        """Draw effective supply by channel over days, stacked."""
        means = analysis.mean_daily(self._done.days_of(SUPPLY), SUPPLY)
        if self._plan.baseline is None:
            return supply_by_channel(means, self.study)
        return supply_by_channel(means, self.study, self._compared.displacement)

    def difference_over_time(self) -> Figure:
        """Draw paired differences day by day, with bands."""
        table = analysis.daily_differences(self._done.days_of(OVER_TIME), self.study.baseline, OVER_TIME)
        return difference_over_time(table, self.study)

    def day_flow(self, policy: str | None = None) -> Figure:
        """Draw a mean day of the market as a flow: of the one scenario, or of the baseline and a policy beside it."""
        first = self.study.baseline
        if policy is not None:
            self._check(policy)
        return day_flow(self._done.summary, self.study, [first] if policy is None else [first, policy])

    def film(self, policy: str, kind: str = GIF, steps: int = STEPS) -> bytes:
        """Return the days around a policy as a moving picture beside the baseline: the bytes of a `gif`, or of an `mp4` by `ffmpeg`."""
        self._check(policy)
        days = self._done.days_of(FILM)
        means = analysis.mean_daily(days[days["scenario"].isin([self.study.baseline, policy])], FILM)
        shown = film(means, self._compared.table, self.study, policy, steps)
        return gif(shown) if kind == GIF else mp4(shown)

    def who_is_hurt(self) -> Figure:
        """Draw owners by segment, innocents, helpers and victims under each policy."""
        return who_is_hurt(self._compared.table, self.study)

    def shared_luck(self) -> Figure:
        """Draw how many independent runs tell as much as one pair on the same seeds."""
        return shared_luck(self._compared.table, self.study, self._plan.outcomes)

    @overload
    def harm_against_cost(self, ax: None = None) -> Figure: ...
    @overload
    def harm_against_cost(self, ax: Axes) -> Axes: ...
    def harm_against_cost(self, ax: Axes | None = None) -> Figure | Axes:
        """Draw expected harm against enforcement cost, innocents as bubbles."""
        return harm_against_cost(self._compared.table, self.study, ax)

    def dose_response(self) -> Figure:
        """Draw outcomes over the levels of the one key varied."""
        if len(self._plan.axes) != 1:
            raise TypeError("this figure is of a sweep of one key")
        return dose_response(self._compared.levels_table, self.study, self._varied[0], self._plan.outcomes)

    @overload
    def interaction_map(self, outcome: str, ax: None = None) -> Figure: ...
    @overload
    def interaction_map(self, outcome: str, ax: Axes) -> Axes: ...
    def interaction_map(self, outcome: str, ax: Axes | None = None) -> Figure | Axes:
        """Draw one outcome over the levels of the two keys varied."""
        if len(self._plan.axes) != 2:
            raise TypeError("this figure is of a sweep of two keys")
        x, y = self._varied
        own = self._plan.levels[self.study.baseline]
        table: pd.DataFrame = self._compared.levels_table
        return interaction_map(table, self.study, outcome, x, y, (own[0], own[1]), ax=ax)

    def all(self) -> Mapping[str, Callable[[], Figure]]:
        """Return the figures that apply, by the name of their files."""
        if self._plan.baseline is None:
            return {"supply_by_channel": self.supply_by_channel} if self._plan.daily and len(self._done.days_of(())) else {}
        if self._plan.members:
            return {"robustness": self.robustness} if cast("OverMembers", self._done).robustness["central_effect"].notna().any() else {}
        if not self._compared.comparable:
            return {}
        if len(self._plan.axes) == 1:
            return {"dose_response": self.dose_response}
        if len(self._plan.axes) == 2:
            return {f"interaction_{outcome}": self._map_of(outcome) for outcome in self._plan.outcomes}
        figures: dict[str, Callable[[], Figure]] = {
            "forest": self.forest,
            "who_is_hurt": self.who_is_hurt,
            "harm_against_cost": self.harm_against_cost,
        }
        if self._plan.daily and len(self._plan.scenarios) <= _MOST_PANELS + 1:
            figures |= {"supply_by_channel": self.supply_by_channel, "difference_over_time": self.difference_over_time}
        if self._compared.table["replications"].max() >= FEWEST_PAIRS:
            figures["shared_luck"] = self.shared_luck
        return figures

    def robustness(self) -> Figure:
        """Draw each effect with its interval over chance and, apart from it, its spread over parameters."""
        if not self._plan.members:
            raise TypeError("this figure is of runs in members of the set of parameter vectors")
        done = cast("OverMembers", self._done)
        return robust(done.robustness, done.member_effects, self.study, self._plan.outcomes)

    def _map_of(self, outcome: str) -> Callable[[], Figure]:
        return lambda: self.interaction_map(outcome)


def rendered(figure: Figure, kind: str, dots_per_inch: int = _DOTS_PER_INCH) -> bytes:
    """Return a figure as the bytes of a `png` or `svg` file; the same figure gives the same bytes.

    The first file settles where things stand: a later one of the same figure is not laid out again, which takes half of the time.
    """
    file = BytesIO()
    with calm(), mpl.rc_context({"svg.hashsalt": "abm", "svg.fonttype": "none"}):
        figure.savefig(file, format=kind, dpi=dots_per_inch, metadata={"Date": None} if kind == "svg" else None)
    figure.set_layout_engine("none")
    return file.getvalue()
