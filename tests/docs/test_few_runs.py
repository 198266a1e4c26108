"""The numbers that README says of shared luck, outside its table, are those of the committed tables."""

from __future__ import annotations

import csv
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TABLES = ROOT / "results" / "reference" / "paired_variance"
README = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
OWNERS_MOVE = "registration_audit_plus_tenth", "account_audit_plus_tenth"


def rows_of(name: str) -> list[dict[str, str]]:
    with (TABLES / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


COMPARED = {(row["scenario"], row["outcome"]): row for row in rows_of("comparison.csv")}
POLICIES = sorted({scenario for scenario, _ in COMPARED})


def number(key: tuple[str, str], column: str) -> float:
    return float(COMPARED[key][column])


def numbers(pattern: str) -> list[str]:
    """Return the numbers of the one place in README that a pattern fits."""
    (found,) = re.findall(pattern, README)
    return list(found)


def test_what_a_control_variate_leaves():
    rows = rows_of("control_variates.csv")
    first, last = numbers(
        r"leaves (\.\d+) to (\d\.\d+) of its variance, lever by lever and outcome by outcome, and every 95 % interval includes 1 "
    )
    left = [float(row["left"]) for row in rows]
    assert [first, last] == [f"{min(left):.2f}"[1:], f"{max(left):.2f}"]
    assert all(float(row["left_low"]) < 1.0 < float(row["left_high"]) for row in rows)
    days, end = numbers(r"what its baseline did before the policy, in all (\d+) days or in the last (\d+),")
    assert {(row["first_day"], row["last_day"]) for row in rows} == {
        ("0", str(int(days) - 1)),
        (str(int(days) - int(end)), str(int(days) - 1)),
    }
    shown = re.findall(r"\| `(\w+_plus_tenth)` \| `(\w+)` \|", README)
    assert {(row["scenario"], row["outcome"]) for row in rows} == set(shown)
    assert {int(row["pairs"]) for row in rows} == {int(row["replications"]) for row in COMPARED.values()}


def test_how_many_more_pairs_realised_harm_takes():
    widths = {
        outcome: [number((policy, outcome), "difference_high") - number((policy, outcome), "difference_low") for policy in POLICIES]
        for outcome in ("harm_total_yuan", "expected_harm_yuan")
    }
    times = sorted((real / expected) ** 2 for real, expected in zip(*widths.values(), strict=True))
    assert numbers(r"its paired difference takes (\d+) to (\d+) times as many pairs for the same interval") == [
        f"{times[0]:.0f}", f"{times[-1]:.0f}",
    ]  # fmt: skip


def test_the_ratios_of_the_two_levers_that_recruit_more():
    more = [number((policy, "inflow_rented"), "relative") for policy in OWNERS_MOVE]
    assert numbers(r"recruit (\d+) % and (\d+) % more of them") == [f"{100 * x:.0f}" for x in more]
    assert numbers(r"a ratio of \(2 \+ x\)/x, here (\d\.\d) and (\d\.\d),") == [f"{(2 + x) / x:.1f}" for x in more]
    measured = [number((policy, "stock_rented"), "variance_ratio") for policy in OWNERS_MOVE]
    *shared, first, second = numbers(r"would have the ratios (\d\.\d) and (\d\.\d); rented accounts have (\d\.\d) and (\d\.\d)\.")
    assert [first, second] == [f"{ratio:.1f}" for ratio in measured]
    counts = [
        [int(count.replace(",", "")) for count in found]
        for found in re.findall(r"([\d,]+) of both, (\d+) and ([\d,]+) of one alone", README)
    ]
    assert shared == [f"{(2 * both + one + other) / (one + other):.1f}" for both, one, other in counts]


def test_the_two_levers_are_those_below_ten():
    below = {policy for policy in POLICIES if number((policy, "expected_harm_yuan"), "variance_ratio") < 10.0}
    assert below == set(OWNERS_MOVE)
    assert "Two of the four levers stay below ten for expected harm." in README
