"""A comparison with one burn-in a seed, shared by all its policies, against one in which every run makes its own."""

from __future__ import annotations

from statistics import median

from children import Child, Setting
from ratios import Aim, Rates, Row, compared, missing

EXPERIMENT = "scenarios/experiments/policy_comparison.toml"


def measure(setting: Setting) -> list[Row]:
    """Time both in turn, and compare what they give to the bit."""
    repeats, users = setting.of((5, None), (2, 300_000))
    spent: dict[bool, list[float]] = {True: [], False: []}
    differing: list[str] = []
    with Child("jobs") as jobs:
        if not jobs.ask("can_share"):
            return [missing("burn_in", "comparison with a shared burn-in", "run_jobs has no option share_burn_in")]
        for _ in range(repeats):
            for share, seconds in spent.items():
                done = jobs.ask("comparison", share=share, experiment=EXPERIMENT, users=users, replications=1)
                seconds.append(done["seconds"])
            differing += jobs.ask("differing")
    setting.say(f"{done['burn_in_days']} of {done['days']} days are burn-in; differing outcomes: {len(differing)}")
    per_run = done["users"] * done["days"]
    rates = {share: Rates(per_run * done["runs"] / median(seconds), done["events"] / median(seconds)) for share, seconds in spent.items()}
    if differing:  # a speed of other results is of no interest
        return [missing("burn_in", "comparison with a shared burn-in", f"results differ: {', '.join(differing[:3])}")]
    what = f"{done['runs']} runs (baseline and {done['runs'] - 1} policies), {done['users']:,} users, burn-in shared"
    row = compared(
        "burn_in", what, "s", spent[True], "every run its own", spent[False], "peer/ours", Aim(1.25), rates[True], rates[False],
        "results alike to the bit; shared days are counted for each run",
    )  # fmt: skip
    return [row]
