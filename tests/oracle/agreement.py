"""Do engine and twin agree in distribution? Runs of both, and the statistics that say so.

    python tests/oracle/agreement.py --seeds 30 --out results/reference/twin.csv
    python tests/oracle/agreement.py --seeds 30 --laboratory owners --out results/reference/twin_owners.csv

Margins, stated before any comparison. Means are equivalent when the 90 % Welch interval of the difference lies within 5 % of the
mean or half a standard deviation of a run, whichever is larger: 5 % is less than what a parameter's range does to any outcome, and half
a standard deviation less than what luck does to one run. Effects of policies are paired and known more sharply: the twin vouches for
levels.
Differences, ratios of spreads (Brown and Forsythe's test of the runs' means) and laws of lifetimes (Kolmogorov and Smirnov's distance,
its law found by permuting whole runs, as lifetimes of one run depend on each other) are tested at 1 % for all outcomes together (Holm).
Beside the outcomes there are ratios of them, such as exits an account-day, in which the ups and downs of the market cancel.
The engine is cheap, so it has more seeds than the twin; the seeds of the two have nothing in common.

Left out: nothing. Losses to fraud are heavy-tailed, so their logarithm is compared. What has no luck in it (the informed share, costs
without events) must be equal to rounding.
"""

from __future__ import annotations

import argparse
import csv
import pickle
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parent)]

from laboratory import DAYS, WINDOW, scenario
from twin import Twin

from sim.levers import CHANNELS
from sim.model import AccountMarket
from sim.outcomes import MARKET_SERIES, OUTCOMES

RELATIVE_MARGIN = 0.05
SPREAD_MARGIN = 0.5
FAMILY_ALPHA = 0.01
TOST_ALPHA = 0.05
EARLY = (0, 30)
ENGINE_RUNS_PER_TWIN_RUN = 4
STOCKS = tuple(f"stock_{channel}" for channel in CHANNELS)
DETECTED = tuple(f"detected_{channel}" for channel in CHANNELS)
HELPERS = ("helpers_by_stall", "helpers_by_task_platform")
RATIOS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    **{f"exits_per_day_{c}": ((f"exits_{c}",), (f"stock_{c}",)) for c in CHANNELS},
    **{f"detections_per_day_{c}": ((f"detected_{c}",), (f"stock_{c}",)) for c in CHANNELS},
    **{f"quality_{c}": ((f"supply_{c}",), (f"stock_{c}",)) for c in CHANNELS},
    "helpers_per_request": (HELPERS, ("assists_wanted",)),
    "unsealed_per_attempt": (("inflow_unsealed",), ("unseal_attempts",)),
    "rentals_per_approach": (("rented_by_advert",), ("owners_approached",)),
    "referrals_per_renter_day": (("rented_by_referral",), ("stock_rented",)),
    "returns_per_sanction": (("rented_by_return",), ("owners_banned",)),
    "repeats_per_sanction": (("owners_repeat",), ("owners_banned",)),
    "losses_per_sanction": (("owners_lost",), ("owners_banned",)),
    "harm_per_sanction": (("harm_owner_yuan",), ("owners_banned",)),
    "appeals_per_sanction": (("appeals_owner",), ("owners_banned",)),
    "reports_per_account_day": (("reports",), STOCKS),
    "swept_per_detection": (("swept",), DETECTED),
    "purged_per_account_day": (("purged",), STOCKS),
    "challenges_per_day": (("challenged",), ("stock_rented", "stock_stolen")),
    "self_reports_per_renter_day": (("self_reports",), ("stock_rented",)),
    "helpers_sanctioned_per_detection": (("helpers_sanctioned",), DETECTED),
    "helper_cases_per_detection": (("sanctions_legal_helper",), DETECTED),
    "owner_cases_per_sanction": (("sanctions_legal_owner",), ("owners_banned",)),
    "arrests_per_dealer_day": (("arrests_dealer",), ("dealers_active",)),
    "fraud_share": (("supply_fraud",), ("supply_account_days",)),
    "harm_per_account_day": (("expected_harm_yuan",), ("supply_account_days",)),
}
HEAVY_TAILED = ("harm_fraud_yuan", "harm_friend_fraud_yuan", "harm_total_yuan")


@dataclass(frozen=True)
class Sample:
    """One run: outcomes of shape `(days,)`, and the days under control of every account that left within the window, by channel."""

    daily: dict[str, NDArray[np.float64]]
    lifetimes: dict[str, list[int]]


@dataclass
class Row:
    """The comparison of one outcome."""

    outcome: str
    days: str
    engine_mean: float
    twin_mean: float
    run_sd: float
    margin: float
    difference: float
    low: float
    high: float
    equivalent: bool
    p_difference: float
    sd_ratio: float
    p_spread: float
    verdict: str = ""


def run_engine(seed: int, owners: bool = False) -> Sample:
    """Run the engine; lifetimes are seen from outside, by the keys of accounts that are there in the evening and gone the next."""
    model = AccountMarket(scenario(owners=owners), seed)
    lifetimes: dict[str, list[int]] = {channel: [] for channel in CHANNELS}
    before: dict[int, tuple[int, int]] = {}
    for day in range(DAYS):
        model.step()
        table = model.world.accounts
        n = table.size
        now = {int(k): (int(c), int(a)) for k, c, a in zip(table.key[:n], table.channel[:n], table.acquired[:n], strict=True)}
        if WINDOW[0] <= day < WINDOW[1]:
            seen = dict.fromkeys(CHANNELS, 0)
            for key in before.keys() - now.keys():
                number, acquired = before[key]
                lifetimes[CHANNELS[number]].append(day - acquired + 1)
                seen[CHANNELS[number]] += 1
            for channel in CHANNELS:  # those never seen in an evening left on the day on which they came
                lifetimes[channel].extend([1] * (int(model.daily[f"exits_{channel}"][day]) - seen[channel]))
        before = now
    return Sample(model.daily, lifetimes)


def run_twin(seed: int, owners: bool = False) -> Sample:
    """Run the twin."""
    model = Twin(scenario(owners=owners), seed)
    rows = model.run()
    lifetimes: dict[str, list[int]] = {channel: [] for channel in CHANNELS}
    for channel, day, age in model.lifetimes:
        if WINDOW[0] <= day < WINDOW[1]:
            lifetimes[channel].append(age)
    return Sample({name: np.array([row[name] for row in rows], dtype=np.float64) for name in OUTCOMES}, lifetimes)


def collect(run: Callable[[int, bool], Sample], seeds: Sequence[int], owners: bool = False, keep: Path | None = None) -> list[Sample]:
    """Run every seed in a laboratory; with `keep` a run is read from that folder if it is there, and written to it if not."""
    samples = []
    for seed in seeds:
        file = keep / f"{run.__name__}{'_owners' * owners}_{seed}.pickle" if keep is not None else None
        if file is not None and file.exists():
            samples.append(pickle.loads(file.read_bytes()))
            continue
        samples.append(run(seed, owners))
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(pickle.dumps(samples[-1]))
    return samples


def holm(p_values: Sequence[float]) -> NDArray[np.float64]:
    """Return p values adjusted for their number (Holm 1979); those that are NaN stay so."""
    p = np.asarray(p_values, dtype=np.float64)
    adjusted = np.full(len(p), np.nan)
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known])]
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(p[order] * np.arange(len(order), 0, -1)))
    return adjusted


def compare_means(name: str, days: str, engine: NDArray[np.float64], twin: NDArray[np.float64]) -> Row:
    """Compare one number a run, shapes `(n,)` and `(m,)`."""
    difference = float(twin.mean() - engine.mean())
    sd = float(np.sqrt((engine.var(ddof=1) + twin.var(ddof=1)) / 2))
    margin = max(RELATIVE_MARGIN * abs(float(engine.mean())), SPREAD_MARGIN * sd)
    scale = max(abs(float(engine.mean())), 1e-12)
    if sd <= 1e-9 * scale:
        equal = abs(difference) <= 1e-9 * scale
        p = 1.0 if equal else 0.0
        return Row(
            name, days, float(engine.mean()), float(twin.mean()), sd, margin, difference, difference, difference, equal, p, 1.0, np.nan
        )
    parts = engine.var(ddof=1) / len(engine), twin.var(ddof=1) / len(twin)
    error = float(np.sqrt(sum(parts)))
    freedom = sum(parts) ** 2 / (parts[0] ** 2 / (len(engine) - 1) + parts[1] ** 2 / (len(twin) - 1))
    half = float(stats.t.isf(TOST_ALPHA, freedom)) * error
    p = 2 * float(stats.t.sf(abs(difference) / error, freedom))
    e_sd, t_sd = engine.std(ddof=1), twin.std(ddof=1)
    ratio = float(t_sd / e_sd) if e_sd > 0 else float("inf")
    spread = float(stats.levene(engine, twin, center="median").pvalue)
    low, high = difference - half, difference + half
    equivalent = bool(-margin < low and high < margin)
    return Row(name, days, float(engine.mean()), float(twin.mean()), sd, margin, difference, low, high, equivalent, p, ratio, spread)


def _means(samples: list[Sample], name: str, first: int, last: int) -> NDArray[np.float64]:
    """Average an outcome over days [first, last) of every run."""
    return np.array([np.mean(sample.daily[name][first:last]) for sample in samples])


def _ratios(samples: list[Sample], name: str) -> NDArray[np.float64]:
    """Return a ratio of sums over the window of every run in which the denominator is above 0."""
    above, below = RATIOS[name]
    sums = [[sum(float(np.sum(s.daily[part][slice(*WINDOW)])) for part in parts) for parts in (above, below)] for s in samples]
    return np.array([top / bottom for top, bottom in sums if bottom > 0])


def compare(engine: list[Sample], twin: list[Sample], names: Sequence[str] | None = None) -> list[Row]:
    """Compare outcomes over the window and market series over the first days, ratios, mean lives, and set verdicts.

    `names` are outcomes or ratios; when it is not given it is all of them, and mean lives and the first days are added. The verdict is
    `equivalent`, `different` (Holm) or `undecided` for means, with `, spread differs` added where it does.
    """
    rows, window = [], f"{WINDOW[0]}-{WINDOW[1] - 1}"
    for name in [*OUTCOMES, *RATIOS] if names is None else names:
        if name in RATIOS:
            rows.append(compare_means(name, window, _ratios(engine, name), _ratios(twin, name)))
            continue
        a, b = _means(engine, name, *WINDOW), _means(twin, name, *WINDOW)
        if name in HEAVY_TAILED:
            a, b = np.log1p(a), np.log1p(b)
        rows.append(compare_means(f"log_{name}" if name in HEAVY_TAILED else name, window, a, b))
        if name in MARKET_SERIES and names is None:
            early = _means(engine, name, *EARLY), _means(twin, name, *EARLY)
            rows.append(compare_means(name, f"{EARLY[0]}-{EARLY[1] - 1}", *early))
    for channel in CHANNELS if names is None else ():
        lives = [np.array([np.mean(s.lifetimes[channel]) for s in group if s.lifetimes[channel]]) for group in (engine, twin)]
        rows.append(compare_means(f"lifetime_days_{channel}", window, *lives))
    apart, spread = holm([row.p_difference for row in rows]), holm([row.p_spread for row in rows])
    for row, p_apart, p_spread in zip(rows, apart, spread, strict=True):
        row.verdict = "different" if p_apart < FAMILY_ALPHA and not row.equivalent else "equivalent" if row.equivalent else "undecided"
        if p_spread < FAMILY_ALPHA:
            row.verdict += ", spread differs"
    return rows


def compare_lifetimes(engine: list[Sample], twin: list[Sample], draws: int = 999, seed: int = 5) -> dict[str, tuple[float, float]]:
    """Return for each channel the largest distance of the two laws of lifetimes, and its p value among permutations of whole runs."""
    rng = np.random.default_rng(seed)
    longest = max(max(sample.lifetimes[c], default=0) for sample in engine + twin for c in CHANNELS)
    result = {}
    for channel in CHANNELS:
        counts = np.array([np.bincount(sample.lifetimes[channel], minlength=longest + 1) for sample in engine + twin], dtype=np.float64)

        def distance(first: NDArray[np.intp], counts: NDArray[np.float64] = counts) -> float:
            inside = np.zeros(len(counts), dtype=bool)
            inside[first] = True
            laws = [np.cumsum(counts[part].sum(axis=0)) for part in (inside, ~inside)]
            return float(np.abs(laws[0] / max(laws[0][-1], 1.0) - laws[1] / max(laws[1][-1], 1.0)).max())

        observed = distance(np.arange(len(engine)))
        shuffled = [distance(rng.permutation(len(counts))[: len(engine)]) for _ in range(draws)]
        result[channel] = observed, (1 + sum(x >= observed for x in shuffled)) / (draws + 1)
    return result


def write(rows: list[Row], lives: dict[str, tuple[float, float]], out: Path) -> None:
    """Write the table of outcomes, then a row a channel for the distance of lifetimes."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(asdict(rows[0])))
        writer.writeheader()
        for row in rows:
            writer.writerow({k: f"{v:.6g}" if isinstance(v, float) else v for k, v in asdict(row).items()})
        adjusted = holm([p for _, p in lives.values()])
        for (channel, (distance, p)), p_family in zip(lives.items(), adjusted, strict=True):
            verdict = "different" if p_family < FAMILY_ALPHA else "not told apart"
            line: dict[str, Any] = {"outcome": f"law_of_lifetimes_{channel}", "days": f"{WINDOW[0]}-{WINDOW[1] - 1}"}
            writer.writerow(line | {"difference": f"{distance:.6g}", "p_difference": f"{p:.6g}", "verdict": verdict})


def main() -> int:
    """Run both, write the table, print what is not equivalent."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=30, help="runs of the twin; the engine has four times as many")
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--laboratory", choices=("market", "owners"), default="market")
    parser.add_argument("--keep", type=Path, default=None, help="folder that keeps finished runs")
    parser.add_argument("--out", type=Path, default=Path("results/reference/twin.csv"))
    asked = parser.parse_args()
    owners = asked.laboratory == "owners"
    runs = ENGINE_RUNS_PER_TWIN_RUN * asked.seeds
    engine = collect(run_engine, range(asked.first_seed, asked.first_seed + runs), owners, asked.keep)
    twin = collect(run_twin, range(asked.first_seed + 100_000, asked.first_seed + 100_000 + asked.seeds), owners, asked.keep)
    rows, lives = compare(engine, twin), compare_lifetimes(engine, twin)
    write(rows, lives, asked.out)
    say = sys.stdout.write
    for row in rows:
        if row.verdict != "equivalent":
            z = f"p {row.p_difference:.1e} sd ratio {row.sd_ratio:.2f}"
            say(f"{row.outcome:34s} {row.days:7s} {row.engine_mean:11.5g} {row.twin_mean:11.5g} sd {row.run_sd:9.3g} {z}  {row.verdict}\n")
    for channel, (distance, p) in lives.items():
        say(f"lifetimes {channel:12s} distance {distance:.4f}  p {p:.3f}\n")
    say(f"{sum(row.equivalent for row in rows)} of {len(rows)} equivalent; {len(engine)} runs of the engine, {len(twin)} of the twin\n")
    return int(any("differ" in row.verdict for row in rows))


if __name__ == "__main__":
    sys.exit(main())
