"""Tables of committed results, as the documents show them: which file, which columns, under which headings."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sim.levers import CHANNELS


@dataclass(frozen=True)
class Shown:
    """A CSV file of `results/reference` and its columns by heading.

    A heading stands for one column, shown as code where it begins with a backtick; or for three, a value and the ends of its interval.
    `only` keeps the rows that have one of some values in a column.
    """

    file: str
    columns: Mapping[str, str | tuple[str, str, str]]
    only: Mapping[str, Sequence[str]] = field(default_factory=dict)


_TWIN = (
    *(f"stock_{channel}" for channel in CHANNELS),
    *(f"inflow_{channel}" for channel in CHANNELS),
    *(f"detected_{channel}" for channel in CHANNELS),
    *(
        "supply_account_days",
        "price_yuan",
        "commission_yuan",
        "helper_price_yuan",
        "dealers_active",
        "dealer_evasion",
        "expected_harm_yuan",
    ),
    *("rented_by_referral", "helpers_by_stall", "helpers_by_task_platform", "innocents_sanctioned", "owners_banned", "review_backlog"),
)

SHOWN = {
    "lever_effects": Shown(
        "lever_effects.csv",
        {
            "lever": "`lever",
            "mechanism": "mechanism",
            "outcome": "`outcome",
            "unit": "unit",
            "baseline": "baseline_mean",
            "effect": ("effect", "low", "high"),
            "levels that hold": "levels",
            "side effect on": "`side_effect_outcome",
            "side effect": ("side_effect", "side_low", "side_high"),
        },
    ),
    "calibration": Shown(
        "calibration.csv",
        {
            "target": "target",
            "kind": "kind",
            "source": "source",
            "range": "range",
            "simulated": ("simulated", "low", "high"),
            "inside": "inside",
        },
    ),
    "twin": Shown(
        "twin.csv",
        {
            "outcome": "`outcome",
            "engine": "engine_mean",
            "twin": "twin_mean",
            "standard deviation of a run": "run_sd",
            "margin": "margin",
            "difference, 90 %": ("difference", "low", "high"),
            "verdict": "verdict",
            "twin's over engine's deviation": "sd_ratio",
        },
        {"days": ("30-129",), "outcome": _TWIN},
    ),
    "mutants": Shown(
        "mutants.csv", {"what is broken": "mutant", "in `sim/`": "`file", "caught by case": "caught_by", "by what": "first_row"}
    ),
    "learning": Shown(
        "learning.csv",
        {
            "policy": "`policy",
            "outcome": "`outcome",
            "logit": ("logit", "logit_low", "logit_high"),
            "exp3": ("exp3", "exp3_low", "exp3_high"),
            "replicator": ("replicator", "replicator_low", "replicator_high"),
            "sign": "verdict",
        },
        {"outcome": ("stock_rented", "supply_account_days", "expected_harm_yuan", "commission_yuan")},
    ),
    "waves": Shown(
        "calibration/waves.csv",
        {
            "wave": "wave",
            "new vectors": "points",
            "failed": "failed",
            "inside all hard ranges": "inside",
            "share of the box left": "share_left",
            "standard error": "standard_error",
            "emulators' part of variance": "emulator_part",
            "last because": "last_because",
        },
    ),
    "ranges": Shown(
        "calibration/ranges.csv",
        {
            "parameter": "`parameter",
            "ledger's value": "ledger",
            "from": "low",
            "to": "high",
            "left, from": "region_low",
            "left, to": "region_high",
            "part of the range": "part_of_range",
            "narrowed": "narrowed",
        },
    ),
    "recovery_fresh": Shown(
        "calibration/recovery_fresh.csv",
        {
            "of": "of",
            "worlds": "worlds",
            "held the truth": "coverage",
            "standard error": "standard_error",
            "width over that of the prior": "part_of_prior_width",
            "identified": "identified",
        },
    ),
    "paired_variance": Shown(
        "paired_variance/comparison.csv",
        {
            "a lever stronger by .1": "`scenario",
            "outcome": "`outcome",
            "effect, share of the baseline": ("relative", "relative_low", "relative_high"),
            "times fewer runs": ("variance_ratio", "variance_ratio_low", "variance_ratio_high"),
        },
        {"outcome": ("expected_harm_yuan", "harm_total_yuan", "supply_account_days", "stock_rented", "price_yuan")},
    ),
    "benchmarks": Shown(
        "benchmarks.csv",
        {
            "what": "what",
            "ours": "ours",
            "unit": "ours_unit",
            "against": "peer",
            "its": "peer_value",
            "ratio, least and largest": ("ratio", "ratio_low", "ratio_high"),
            "asked for": "aim",
            "at least": "at_least",
            "verdict": "verdict",
            "our events/s": "events_per_s",
            "its events/s": "peer_events_per_s",
        },
        {"verdict": ("reached", "at least", "missed")},
    ),
}
"""The tables by the name that a document's marker gives."""


def of_results(name: str, results: Path) -> str:
    """Return a table of `SHOWN` as Markdown; says so if there is no such file. Raises `ValueError` for a file without its columns."""
    shown = SHOWN[name]
    path = results / shown.file
    if not path.is_file():
        return f"*Not yet computed: `results/reference/{shown.file}` does not exist.*\n"
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        found = list(reader.fieldnames or [])
        rows = list(reader)
    needed = [part.lstrip("`") for column in shown.columns.values() for part in ((column,) if isinstance(column, str) else column)]
    if missing := [column for column in needed if column not in found]:
        raise ValueError(f"{path.name} has no column {', '.join(missing)}; it has {', '.join(found)}")
    kept = [row for row in rows if all(row[column] in values for column, values in shown.only.items())]
    return markdown(tuple(shown.columns), ([_cell(row, column) for column in shown.columns.values()] for row in kept))


def known_answers(results: Path) -> str:
    """Return the cases with a known answer, one a row, from `known_answers.csv`: how many checks, and the largest deviation."""
    path = results / "known_answers.csv"
    if not path.is_file():
        return f"*Not yet computed: `results/reference/{path.name}` does not exist.*\n"
    cases: dict[str, list[dict[str, str]]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            cases.setdefault(row["case"], []).append(row)
    lines = []
    for case, rows in cases.items():
        scores = [abs(float(row["z"])) for row in rows if row["kind"] == "z"]
        counts = {kind: sum(row["kind"] == kind for row in rows) for kind in dict.fromkeys(row["kind"] for row in rows)}
        checks = ", ".join(f"{count} {kind}" for kind, count in counts.items())
        failed = sum(row["verdict"] != "pass" for row in rows)
        verdict = f"**{failed} fail**" if failed else "pass"
        lines.append((case, rows[0]["derivation"], checks, f"{max(scores):.2f}" if scores else "", verdict))
    return markdown(("case", "closed form", "checks", "largest deviation in standard errors", "verdict"), lines)


def _rows_of_limit(results: Path) -> list[dict[str, str]]:
    path = results / "mean_field.csv"
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def mean_field(results: Path) -> str:
    """Return how runs of the shipped regime near the mean field as users grow: gap, rate of the noise, floor and bias by outcome."""
    rows = [row for row in _rows_of_limit(results) if row["world"] == "shipped"]
    if not rows:
        return "*Not yet computed: `results/reference/mean_field.csv` does not exist.*\n"
    gaps: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        if row["row"] == "gap":
            gaps.setdefault(row["outcome"], []).append(row)
    lines, sizes = [], (0.0, 0.0)
    for fit in (row for row in rows if row["row"] == "fit"):
        _, small, *_, large = sorted(
            gaps[fit["outcome"]], key=lambda row: float(row["users"])
        )  # below the second a market is a few dealers
        sizes = float(small["users"]) / 1e6, float(large["users"]) / 1e6
        value = {
            key: 100.0 * float(row[key]) for row, keys in ((large, ("bias", "bias_se")), (fit, ("floor", "floor_high"))) for key in keys
        }
        lines.append(
            (
                f"`{fit['outcome']}`",
                f"{100.0 * float(small['gap']):.1f} → {100.0 * float(large['gap']):.1f} %",
                f"{float(fit['noise_rate']):.2f} ({float(fit['noise_rate_se']):.2f})",
                f"{value['floor']:.1f} % ({value['floor_high']:.1f})",
                f"{value['bias']:+.2g} % ({value['bias_se']:.1g})",
            )
        )
    gap, bias = f"gap at {sizes[0]:g} → {sizes[1]:g} million users", f"bias at {sizes[1]:g} million (standard error)"
    headings = ("outcome", gap, "noise falls as N^-x, x (standard error)", "fitted floor (upper end)", bias)
    return markdown(headings, lines)


def mean_field_steps(results: Path) -> str:
    """Return the biases that are left in laboratories between the simplest and the shipped regime, at their largest number of users."""
    worlds: dict[str, list[dict[str, str]]] = {}
    for row in _rows_of_limit(results):
        if row["row"] == "gap" and row["world"] != "shipped":
            worlds.setdefault(row["world"], []).append(row)
    lines = []
    for world, rows in worlds.items():
        most = max(float(row["users"]) for row in rows)
        last = [row for row in rows if float(row["users"]) == most]
        mean = sum(abs(float(row["bias"])) for row in last) / len(last)
        clear = sorted(last, key=lambda row: -abs(float(row["bias"])) + 2.0 * float(row["bias_se"]))[:2]
        where = ", ".join(f"`{row['outcome']}` {100 * float(row['bias']):+.1f} % ({100 * float(row['bias_se']):.1f})" for row in clear)
        (evasion,) = (row for row in last if row["outcome"] == "dealer_evasion")
        name = "the laboratory itself" if world == "laboratory" else world.replace("_", " ")
        lines.append(
            (name, f"{100.0 * mean:.1f} %", where, f"{100 * float(evasion['bias']):+.2f} % ({100 * float(evasion['bias_se']):.2f})")
        )
    return markdown(("laboratory", "mean of the biases", "clearest biases (standard error)", "`dealer_evasion`"), lines)


def page(name: str, results: Path) -> str:
    """Return a page of results that is Markdown already; says so if there is none."""
    path = results / name
    return path.read_text(encoding="utf-8") if path.is_file() else f"*Not yet computed: `results/reference/{name}` does not exist.*\n"


def markdown(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def _cell(row: Mapping[str, str], column: str | tuple[str, str, str]) -> str:
    if isinstance(column, str):
        text = _text(row[column.lstrip("`")])
        return f"`{text}`" if column.startswith("`") and text else text
    value, low, high = (_text(row[part]) for part in column)
    return f"{value} ({low} to {high})" if low and high else value


def _text(value: str) -> str:
    """Return a number of a CSV file to four significant digits, yes or no for a truth; what is no number, as it is."""
    if value in ("True", "False"):
        return "yes" if value == "True" else "**no**"
    try:
        number = float(value)
    except ValueError:
        return value
    if number != number:  # noqa: PLR0124  # not a number
        return ""
    return f"{number:,.4g}" if abs(number) < 10_000 else f"{number:,.0f}"
