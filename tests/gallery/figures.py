"""The one table of committed figures: which command makes each, what that takes, and what the figure says.

A figure that is not here fails a test, and so does a row without its figure. `rebuild.py` draws them again, or makes the runs again.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Job:
    """A command whose tables and figures are committed.

    `command` are the words after `abm`, `runs` how many runs of the model it makes; `keeps` are the files of its results directory that go
    to a directory of the job's name in `results/reference`, beside its figures. `ends` are the exit codes of a command that went well.
    """

    command: tuple[str, ...]
    runs: int
    keeps: tuple[str, ...] = ()
    ends: tuple[int, ...] = (0,)

    @property
    def written(self) -> str:
        """Return the command as one would type it."""
        return " ".join(self.command if self.command[0] == "python" else ("abm", *self.command))


def _experiment(command: str, name: str, runs: int, *keeps: str, options: tuple[str, ...] = ()) -> Job:
    return Job((command, f"scenarios/experiments/{name}.toml", *options), runs, keeps)


JOBS: dict[str, Job] = {
    "policy_comparison": _experiment("compare", "policy_comparison", 72, "comparison.csv", "displacement.csv"),
    "supply_squeeze": Job(("watch", "results/policy_comparison", "--policy", "supply_squeeze"), 0),
    "policy_strength": _experiment("compare", "policy_strength", 70, "dose_response.csv", "thresholds.csv"),
    "supply_levers_factorial": _experiment(
        "interactions", "supply_levers_factorial", 64, "bundle.csv", "shapley.csv", "interactions.csv", "points.csv"
    ),
    "package_shares": _experiment("interactions", "package_shares", 256, "bundle.csv", "shapley.csv", "interactions.csv"),
    "screening_morris": _experiment("sensitivity", "screening_morris", 288, "sensitivity.csv", "luck.csv", "ranking.csv"),
    "paired_variance": _experiment("compare", "paired_variance", 300, "comparison.csv"),
    "policy_comparison_over_uncertainty": _experiment(
        "compare",
        "policy_comparison",
        378,
        *("robustness.csv", "member_effects.csv", "ranking.csv", "ranking_pairs.csv"),
        options=("--over-uncertainty", "20"),
    ),
    "combined_discovery": _experiment("discover", "combined_discovery", 516, "worlds.csv", "boxes.csv", "peeling.csv"),
    "cheapest_mix": _experiment("optimise", "cheapest_mix", 1254, "trials.csv", "front.csv", "winners.csv", "equal_cost.csv", "regret.csv"),
    "validation": Job(("validate",), 216, ("scorecard.csv", "scorecard.md", "scorecard.html", "scorecard.png", "curves.csv"), (0, 1)),
    "dashboard": Job(("python", "tests/gallery/rebuild.py", "--only", "dashboard"), 0),
    "benchmarks_growth": Job(("python", "tests/benchmarks/run.py", "--only", "growth"), 0),
}
"""What makes the figures, in an order in which what one needs is made before it; `dashboard` needs a browser, and makes its own two runs
when it is drawn; `benchmarks_growth` measures times, which no two machines agree on."""

FIGURES: dict[str, tuple[str, str]] = {
    "policy_comparison/figures/forest.png": ("policy_comparison", "What each of eight policies changes, with intervals."),
    "policy_comparison/figures/who_is_hurt.png": ("policy_comparison", "Owners by segment, innocents, helpers and victims by policy."),
    "policy_comparison/figures/harm_against_cost.png": ("policy_comparison", "What each policy buys, and how many innocents it hits."),
    "policy_comparison/figures/supply_by_channel.png": ("policy_comparison", "Supply moves from one channel to others within weeks."),
    "policy_comparison/figures/difference_over_time.png": ("policy_comparison", "Effects day by day: how fast, and whether they last."),
    "supply_squeeze_flow.png": ("supply_squeeze", "Under the squeeze most sanctions go with the cheap accounts, and far more is rented."),
    "supply_squeeze.gif": ("supply_squeeze", "Cheap accounts go within two months, rented ones take their place."),
    "policy_strength/figures/dose_response.png": ("policy_strength", "The harder sign-ups are audited, the more is rented."),
    "supply_levers_factorial/figures/waterfall_baseline.png": ("supply_levers_factorial", "Takedown of adverts carries the four levers."),
    "supply_levers_factorial/figures/heatmap_baseline.png": ("supply_levers_factorial", "Which of four levers do more together."),
    "package_shares/figures/waterfall_baseline.png": ("package_shares", "Takedown of adverts does the package's work."),
    "package_shares/figures/heatmap_baseline.png": ("package_shares", "Which levers of the package do more together than apart."),
    "screening_morris/figures/sensitivity_expected_harm_yuan.png": ("screening_morris", "How far six unknown numbers move harm."),
    "screening_morris/figures/tornado_expected_harm_yuan.png": ("screening_morris", "Which way six unknown numbers move harm."),
    "paired_variance/figures/shared_luck.png": ("paired_variance", "How many independent runs a pair on one seed is worth."),
    "policy_comparison_over_uncertainty/figures/robustness.png": (
        "policy_comparison_over_uncertainty",
        "Which effects hold in 20 parameter vectors.",
    ),
    "combined_discovery/figures/discovery_box_1.png": ("combined_discovery", "Both squeezes fail where demand hardly reacts to price."),
    "cheapest_mix/figures/front.png": ("cheapest_mix", "Harm against cost of 144 mixes, beside the shipped policies."),
    "cheapest_mix/figures/mixes.png": ("cheapest_mix", "How strong each lever is in the cheapest mixes."),
    "validation/scorecard.png": ("validation", "What the model gives for the nine patterns, and what was asked."),
    "dashboard.png": ("dashboard", "The page after a squeeze of sign-up and unsealing."),
    "benchmarks_growth.png": ("benchmarks_growth", "A day costs what happens in it, not what users there are."),
}
"""Each committed figure, by its path in `results/reference`: its job, and what it says."""
