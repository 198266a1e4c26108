"""Draw committed figures again from committed tables, with the code that the commands draw them with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure
from screenshot import dashboard

from sim import analysis, patterns, plots
from sim.discovery.discovery import Discovery, check_rule
from sim.experiment_file import load_experiment
from sim.exploring.carrying import Explored, lay_out
from sim.exploring.file import load_exploration
from sim.exploring.interactions import Interactions
from sim.exploring.sensitivity import Sensitivity
from sim.optimising.command import Optimised
from sim.optimising.file import load_optimisation
from sim.optimising.judged import RIVAL, Policy
from sim.plan import planned
from sim.plots.gallery import Gallery, rendered
from sim.plots.moving import film, gif
from sim.plots.scorecard import scorecard
from sim.robustness import plan as over_members
from sim.robustness import shipped
from sim.scenario import load_scenario
from sim.store import read_table

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "results" / "reference"
EXPERIMENTS = ROOT / "scenarios" / "experiments"

Drawn = Mapping[str, Callable[[], bytes]]
"""What makes each figure of a group, by its path in `results/reference`."""


def read(path: Path) -> pd.DataFrame:
    """Read a table to the last bit."""
    return read_table(path) if path.suffix == ".parquet" else pd.read_csv(path)


class Committed:
    """The committed tables of a comparison, as `sim.plots.gallery` wants finished runs."""

    comparable = True

    def __init__(self, folder: Path, plan) -> None:
        self._folder = folder
        self.plan = plan

    @property
    def table(self) -> pd.DataFrame:
        return read(self._folder / "comparison.csv")

    @property
    def displacement(self) -> pd.DataFrame:
        return read(self._folder / "displacement.csv")

    @property
    def levels_table(self) -> pd.DataFrame:
        return read(self._folder / "dose_response.csv")

    @property
    def robustness(self) -> pd.DataFrame:
        return read(self._folder / "robustness.csv")

    @property
    def member_effects(self) -> pd.DataFrame:
        return read(self._folder / "member_effects.csv")

    @property
    def summary(self) -> pd.DataFrame:
        """Means as the comparison has them: those of the baseline stand beside those of each policy."""
        table = self.table
        first = table[table["scenario"] == table["scenario"].iloc[0]]
        base = first.assign(scenario=first["baseline"], mean=first["baseline_mean"])
        return pd.concat([base, table], ignore_index=True)[["scenario", "outcome", "mean", "replications"]]


def pngs(folder: str, figures: Mapping[str, Callable[[], Figure]]) -> Drawn:
    """Return what makes the PNG files of figures in a folder."""
    return {f"{folder}/figures/{name}.png": partial(png, draw) for name, draw in figures.items()}


def png(draw: Callable[[], Figure]) -> bytes:
    return rendered(draw(), "png")


def policy_comparison(reference: Path) -> Drawn:
    folder = reference / "policy_comparison"
    done = Committed(folder, planned(load_experiment(EXPERIMENTS / "policy_comparison.toml")))
    show = Gallery(done)
    days, differences = (partial(read, folder / f"{name}.parquet") for name in ("days", "differences"))
    figures = {
        "forest": show.forest,
        "who_is_hurt": show.who_is_hurt,
        "harm_against_cost": show.harm_against_cost,
        "supply_by_channel": lambda: plots.supply_by_channel(days(), show.study, done.displacement),
        "difference_over_time": lambda: plots.difference_over_time(differences(), show.study),
    }
    return pngs("policy_comparison", figures)


def supply_squeeze(reference: Path) -> Drawn:
    done = Committed(reference / "policy_comparison", planned(load_experiment(EXPERIMENTS / "policy_comparison.toml")))
    show, name = Gallery(done), "supply_squeeze"
    days = partial(read, reference / f"{name}_days.parquet")
    return {
        f"{name}_flow.png": partial(png, partial(show.day_flow, name)),
        f"{name}.gif": lambda: gif(film(days(), done.table, show.study, name)),
    }


def over_uncertainty(reference: Path) -> Drawn:
    name, members = "policy_comparison_over_uncertainty", 20
    asked = over_members(planned(load_experiment(EXPERIMENTS / "policy_comparison.toml")), shipped(members), None)
    return pngs(name, {"robustness": Gallery(Committed(reference / name, asked)).robustness})


def policy_strength(reference: Path) -> Drawn:
    name = "policy_strength"
    done = Committed(reference / name, planned(load_experiment(EXPERIMENTS / f"{name}.toml")))
    return pngs(name, {"dose_response": Gallery(done).dose_response})


def paired_variance(reference: Path) -> Drawn:
    name = "paired_variance"
    done = Committed(reference / name, planned(load_experiment(EXPERIMENTS / f"{name}.toml")))
    return pngs(name, {"shared_luck": Gallery(done).shared_luck})


def explored(name: str) -> Explored:
    """Return an experiment with a design as it was asked for, without its runs."""
    return Explored(lay_out(load_exploration(EXPERIMENTS / f"{name}.toml")), None, ())


def shares(name: str, reference: Path) -> Drawn:
    folder = reference / name
    bundle, shapley, pairs = (read(folder / f"{table}.csv") for table in ("bundle", "shapley", "interactions"))
    return pngs(name, Interactions(explored(name), bundle, shapley, pd.DataFrame(), pairs, ()).figures())


def screening(reference: Path) -> Drawn:
    name = "screening_morris"
    indices, luck, ranking = (read(reference / name / f"{table}.csv") for table in ("sensitivity", "luck", "ranking"))
    figures = Sensitivity(explored(name), indices, luck, ranking).figures()
    return pngs(name, {file: draw for file, draw in figures.items() if file.endswith("expected_harm_yuan")})


def discovery(reference: Path) -> Drawn:
    name = "combined_discovery"
    done = explored(name)
    worlds, boxes, peeling = (read(reference / name / f"{table}.csv") for table in ("worlds", "boxes", "peeling"))
    return pngs(name, Discovery(done, check_rule(done.layout.asked), worlds, boxes, peeling).figures())


def mixes(reference: Path) -> Drawn:
    name = "cheapest_mix"
    asked = load_optimisation(EXPERIMENTS / f"{name}.toml")
    trials, winners, duels, regret = (read(reference / name / f"{table}.csv") for table in ("trials", "winners", "equal_cost", "regret"))
    winners = winners.fillna({"roles": ""})
    policies = [Policy(scenario, RIVAL) for scenario in (asked.baseline, *asked.rivals)]
    return pngs(name, Optimised(asked, policies, {}, trials, winners, duels, regret).figures())


def validation(reference: Path) -> Drawn:
    folder = reference / "validation"
    base = load_scenario(ROOT / "scenarios" / "baseline.toml", patterns.SHORTER)

    def draw() -> Figure:
        table = read(folder / "scorecard.csv")
        curves = read(folder / "curves.csv").fillna({"label": ""})
        note = f"n = 8 replications on common seeds; {base.population.users:,} users."
        return scorecard(curves, patterns.tallies(table), note)

    return {"validation/scorecard.png": partial(png, draw)}


def growth(reference: Path) -> Drawn:
    def draw() -> Figure:
        table = read(reference / "benchmarks_growth.csv")
        note = f"Standing regime, one process; medians of {table['stretches'].iloc[0]} stretches in turn, least and largest."
        return plots.growth(table, note)

    return {"benchmarks_growth.png": partial(png, draw)}


GROUPS: Mapping[str, Callable[[Path], Drawn]] = {
    "policy_comparison": policy_comparison,
    "supply_squeeze": supply_squeeze,
    "policy_comparison_over_uncertainty": over_uncertainty,
    "policy_strength": policy_strength,
    "paired_variance": paired_variance,
    "package_shares": partial(shares, "package_shares"),
    "supply_levers_factorial": partial(shares, "supply_levers_factorial"),
    "screening_morris": screening,
    "combined_discovery": discovery,
    "cheapest_mix": mixes,
    "validation": validation,
    "dashboard": lambda _: {"dashboard.png": dashboard},
    "benchmarks_growth": growth,
}
"""What draws the figures of each group, from the tables in a directory such as `results/reference`."""


def days_kept(done) -> dict[str, pd.DataFrame]:
    """Return the tables of days that figures of a finished comparison are drawn from, from a little before the policies start."""
    study = done.plot.study
    first = min(study.start(name) for name in done.plan.scenarios) - 70
    means = analysis.mean_daily(done.days_of(plots.SUPPLY), plots.SUPPLY)
    changes = analysis.daily_differences(done.days_of(plots.OVER_TIME), done.baseline, plots.OVER_TIME)
    columns = ["scenario", "outcome", "day", "baseline_mean", "difference", "difference_low", "difference_high", "replications"]
    return {"days": means[means["day"] >= first], "differences": changes.loc[changes["day"] >= first, columns]}


def film_kept(done, policy: str) -> pd.DataFrame:
    """Return the table of days that the moving picture of a policy is drawn from."""
    days = done.days_of(plots.FILM)
    means = analysis.mean_daily(days[days["scenario"].isin([done.baseline, policy])], plots.FILM)
    return means[means["day"] >= done.plot.study.start(policy) - 70]
