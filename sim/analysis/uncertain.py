"""Effects of policies over a set of parameter vectors; chance and parameters are told apart, never mixed in one interval.

A *world* is the ledger as it stands or one member of the set; in each world baseline and policies share their seeds. Effects are shares of
that world's own baseline, so that worlds with larger and smaller markets can be put side by side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from sim.analysis.intervals import FEW
from sim.analysis.pairs import finished
from sim.outcomes import OUTCOMES

Reals = NDArray[np.float64]
Flags = NDArray[np.bool_]

LEDGER_WORLD = "ledger"
"""What tables call the world that has the ledger's own values."""

SHARE = "share of baseline"
"""Unit of an effect that is relative to its world's baseline."""

EFFECT = (
    "unit", "central_effect", "mc_low", "mc_high", "parameter_low", "parameter_median", "parameter_high", "parameter_level",
    "sd_monte_carlo", "sd_parameters", "sign_share", "sign_share_low", "sign_share_high", "sign_clear_share", "sign_against_share",
    "members", "replications",
)  # fmt: skip
ROBUSTNESS: tuple[str, ...] = ("outcome", "policy", *EFFECT)
MEMBER_EFFECTS: tuple[str, ...] = ("outcome", "policy", "member", "unit", "baseline_mean", "effect", "mc_low", "mc_high", "replications")


@dataclass(frozen=True)
class Worlds:
    """Which runs belong together: `names[w][s]` is the scenario that in world w is the baseline (s = 0) or policy s.

    `labels` are those of the worlds, the ledger's first; `policies` are the policies' own names.
    """

    labels: tuple[str, ...]
    policies: tuple[str, ...]
    names: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, baseline: str, members: Mapping[str, tuple[str, int]]) -> Worlds:
        """Arrange scenarios by world; `members` gives for each copy of a scenario what it is a copy of, and the member's number."""
        numbers = list(dict.fromkeys(number for _, number in members.values()))
        originals = [name for name in dict.fromkeys(name for name, _ in members.values()) if name != baseline]
        copies = {(original, number): name for name, (original, number) in members.items()}
        own = (baseline, *originals)
        worlds = [own, *(tuple(copies.get((name, number), "") for name in own) for number in numbers)]
        width = max(2, len(str(max(numbers, default=0))))
        return cls((LEDGER_WORLD, *(f"m{number:0{width}d}" for number in numbers)), tuple(originals), tuple(worlds))


class Effects(NamedTuple):
    """Effects on one outcome: `by_run` has shape `(worlds, replications, policies)`, NaN where a run failed.

    `baselines` has shape `(worlds,)`; `relative` says that effects are shares of them, else they are in the outcome's unit.
    """

    by_run: Reals
    baselines: Reals
    relative: bool


class Parts(NamedTuple):
    """A one-way random-effects decomposition of effects `(worlds, replications, k)`; the ledger's world is row 0.

    `means`, `half` (of the 95 % Monte-Carlo interval), `counts` of replications, `still` (they do not differ) and `solid` (an interval of
    no width is no accident) are `(worlds, k)`; `sd_monte_carlo` of one replication and `sd_parameters` between members are `(k,)`.
    """

    means: Reals
    half: Reals
    counts: NDArray[np.int64]
    still: Flags
    solid: Flags
    sd_monte_carlo: Reals
    sd_parameters: Reals

    def sides(self) -> NDArray[np.int64]:
        """Return the side of 0 on which each Monte-Carlo interval lies: 1, -1, or 0 where it holds 0 or is unknown."""
        above, below = self.means - self.half > 0.0, self.means + self.half < 0.0
        return (above.astype(np.int64) - below.astype(np.int64)) * ((self.half > 0.0) | self.solid)


def effects(runs: pd.DataFrame, worlds: Worlds, outcome: str) -> Effects:
    """Return effects by world, replication and policy.

    The effect in a world is r, the mean difference over the baseline's mean b. A replication with difference d_k and baseline b_k counts as
    r + (d_k - r b_k) / b: these values average to r, and their variance over n is that of the ratio of means (the delta method; Cochran
    1977, section 2.9). Where some run of a baseline is not above 0, effects are plain differences in the outcome's unit.
    Raises `ValueError` if a replication appears twice, has several seeds in one world, since then nothing is paired, or one seed in several
    worlds, since then their luck is not apart.
    """
    done = finished(runs)
    if "seed" in done.columns:
        of = {name: number for number, names in enumerate(worlds.names) for name in names}
        seeds = done.assign(world=done["scenario"].map(of))[["world", "replication", "seed"]].drop_duplicates()
        if seeds.duplicated(["world", "replication"]).any():
            raise ValueError("a replication has several seeds: its runs are not paired")
        if seeds["seed"].duplicated().any():
            raise ValueError("a seed is used in several worlds: their luck is not apart")
    if done.duplicated(["scenario", "replication"]).any():
        raise ValueError("a scenario has a replication twice")
    table = done.set_index(["scenario", "replication"])[outcome].unstack()  # noqa: PD010  # every row stands alone
    stacked = np.array([table.reindex(list(names)).to_numpy(dtype=np.float64) for names in worlds.names])
    before, after = stacked[:, 0, :, None], stacked[:, 1:, :].transpose(0, 2, 1)
    difference = after - before
    baselines = _mean(stacked[:, 0, :], axis=1)
    positive = np.isnan(before) | (before > 0.0)
    if not (positive.all() and np.isfinite(baselines).any()):
        return Effects(difference, baselines, relative=False)
    base = np.where(np.isnan(difference), np.nan, before)
    mean = _mean(base, axis=1)[:, None, :]
    ratio = _mean(difference, axis=1)[:, None, :] / mean
    return Effects(ratio + (difference - ratio * base) / mean, baselines, relative=True)


def decomposed(values: Reals, family: int = 1) -> Parts:
    """Tell chance from parameters in effects `(worlds, replications, k)`.

    Within a world replications differ by chance alone: their pooled variance (the error mean square) is that of Monte Carlo. The variance
    of the members' means less what chance adds to it is that of parameters, floored at 0 (one-way random effects, the estimator of the
    analysis of variance; Searle, Casella & McCulloch 1992, chapter 3). A world's interval takes its own variance from `FEW`
    replications on, below that the pooled one, which has many more degrees of freedom. So many intervals as `family` hold all at once with
    95 % (Bonferroni).
    """
    counts = np.isfinite(values).sum(axis=1)
    means = _mean(values, axis=1)
    squares = np.nansum((values - means[:, None, :]) ** 2, axis=1)
    size = np.nanmax(np.abs(np.where(np.isfinite(values), values, 0.0)), axis=(0, 1), initial=0.0)
    squares = np.where(squares <= counts * (64.0 * np.finfo(np.float64).eps * size) ** 2, 0.0, squares)
    free = np.maximum(counts - 1, 0).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        pooled = np.where(free > 0, squares.sum(axis=0) / free, np.nan)
        own = np.where(counts >= FEW, squares / (counts - 1.0), pooled)
        degrees = np.where(counts >= FEW, counts - 1, free)
        critical = np.where(degrees > 0, stats.t.isf(0.025 / family, np.maximum(degrees, 1)), np.nan)
        between = _variance(means[1:]) - _mean(np.where(counts[1:] > 0, pooled / counts[1:], np.nan), axis=0)
        half = np.where(counts > 0, critical * np.sqrt(own / counts), np.nan)
    return Parts(means, half, counts, squares == 0.0, degrees >= FEW - 1, np.sqrt(pooled), np.sqrt(np.maximum(between, 0.0)))


def over_parameters(parts: Parts) -> Reals:
    """Return the members' effects `(members, k)` as chance would leave them out: drawn in until they spread by `sd_parameters`.

    A mean x_i with noise v_i goes to m + (x_i - m) sqrt(s^2 / (s^2 + v_i)), s^2 being the variance of parameters and m the mean of all
    (constrained empirical Bayes; Louis 1984, Ghosh 1992): plain means spread too far, and best guesses one by one too little.
    """
    x, counts = parts.means[1:], parts.counts[1:]
    middle, variance = _mean(x, axis=0), parts.sd_parameters**2
    chance = np.where(counts > 0, parts.sd_monte_carlo**2 / np.maximum(counts, 1), np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(chance > 0.0, variance / (variance + chance), 1.0)
    return np.asarray(middle + (x - middle) * np.sqrt(share), dtype=np.float64)


def share_interval(successes: int, of: int) -> tuple[float, float, float]:
    """Return a share with its 95 % interval (Clopper & Pearson 1934), which is exact for few members too."""
    if of == 0:
        return (np.nan, np.nan, np.nan)
    ends = stats.binomtest(successes, of).proportion_ci(0.95, method="exact")
    return successes / of, float(ends.low), float(ends.high)


def parameter_level(members: int) -> float:
    """Return the chance that one more member falls into the interval over parameters: .95, or less with fewer than 39 members.

    The interval runs between order statistics at .025 (n + 1) and .975 (n + 1), which with n < 39 are the least and the largest member,
    between which the next one falls with probability (n - 1) / (n + 1), whatever the law: exactly for effects known without
    chance, about so for those drawn in.
    """
    return min(0.95, (members - 1) / (members + 1))


def robustness(runs: pd.DataFrame, worlds: Worlds, outcomes: Sequence[str]) -> pd.DataFrame:
    """Return one row an outcome and policy (`ROBUSTNESS`).

    `mc_*`: 95 % interval of the effect in the ledger's world over replications. `parameter_*`: median and ends over members of
    `over_parameters`, with `parameter_level` the level kept. `sd_monte_carlo` is that of one replication, `sd_parameters` between members.
    `sign_share` of members have an effect on the side of the central one, with its interval; `sign_clear_share` have a Monte-Carlo interval
    wholly there, `sign_against_share` wholly on the other side; in the rest chance hides the sign. A central effect of exactly 0 is kept
    by members in which it is exactly 0.
    """
    rows = []
    for outcome in outcomes:
        found = effects(runs, worlds, outcome)
        parts = decomposed(found.by_run)
        rows += [(outcome, policy, *row_of(parts, k, unit_of(found, outcome))) for k, policy in enumerate(worlds.policies)]
    return pd.DataFrame(rows, columns=list(ROBUSTNESS))


def member_effects(runs: pd.DataFrame, worlds: Worlds, outcomes: Sequence[str]) -> pd.DataFrame:
    """Return one row an outcome, policy and world (`MEMBER_EFFECTS`): the effect with its Monte-Carlo interval."""
    rows = []
    for outcome in outcomes:
        found = effects(runs, worlds, outcome)
        parts, unit = decomposed(found.by_run), unit_of(found, outcome)
        for k, policy in enumerate(worlds.policies):
            for w, label in enumerate(worlds.labels):
                x, half = float(parts.means[w, k]), float(parts.half[w, k])
                about = (outcome, policy, label, unit, float(found.baselines[w]))
                rows.append((*about, x, x - half, x + half, int(parts.counts[w, k])))
    return pd.DataFrame(rows, columns=list(MEMBER_EFFECTS))


def row_of(parts: Parts, k: int, unit: str) -> tuple[object, ...]:
    """Return the columns `EFFECT` of effect k."""
    central, half = float(parts.means[0, k]), float(parts.half[0, k])
    present = np.isfinite(parts.means[1:, k])
    n, counts = int(present.sum()), parts.counts[:, k]
    members, still, sides = (side[1:, k][present] for side in (parts.means, parts.still, parts.sides()))
    ends, level = (np.nan, np.nan, np.nan), np.nan
    if n > 1 and np.isfinite(parts.sd_parameters[k]):
        found = np.quantile(over_parameters(parts)[present, k], (0.025, 0.5, 0.975), method="weibull")
        ends = (float(found[0]), float(found[1]), float(found[2]))
        level = parameter_level(n) if parts.sd_parameters[k] > 0.0 else np.nan
    shares: tuple[float, ...] = (np.nan,) * 5
    if np.isfinite(central):
        sign = np.sign(central)
        same = np.sign(members) == sign
        clear, against = (sides == sign, sides == -sign) if sign else (same & still, sides != 0)
        shares = (*share_interval(int(same.sum()), n), share(clear), share(against))
    return (
        *(unit, central, central - half, central + half, *ends, level, float(parts.sd_monte_carlo[k]), float(parts.sd_parameters[k])),
        *(*shares, n, int(counts[counts > 0].min()) if n else 0),
    )


def unit_of(found: Effects, outcome: str) -> str:
    """Return the unit of effects."""
    return SHARE if found.relative else OUTCOMES[outcome].unit if outcome in OUTCOMES else "days"


def share(flags: ArrayLike) -> float:
    """Return the share of members of which something holds, NaN without members."""
    held = np.asarray(flags)
    return float(held.mean()) if held.size else float("nan")


def _mean(values: Reals, axis: int) -> Reals:
    """Return means of the values that are not missing, NaN where all are."""
    counts = np.isfinite(values).sum(axis=axis)
    return np.asarray(np.where(counts > 0, np.nansum(values, axis=axis) / np.maximum(counts, 1), np.nan), dtype=np.float64)


def _variance(means: Reals) -> Reals:
    """Return the variance of each column of the values that are not missing, NaN where fewer than two are."""
    n = np.isfinite(means).sum(axis=0)
    squares = np.nansum((means - _mean(means, axis=0)) ** 2, axis=0)
    return np.asarray(np.where(n > 1, squares / np.maximum(n - 1, 1), np.nan), dtype=np.float64)
