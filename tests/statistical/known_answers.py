"""The twenty cases with known answers, as a table: closed form, simulated, standard errors between them, verdict.

Run as a script, writes the table: `python tests/statistical/known_answers.py --out results/reference/known_answers.csv`.
Closed forms are computed from the ledger's parameters. A comparison fails beyond 3.3 standard errors, by chance with probability 9.7e-4;
equality is tested within a margin stated in the case (two one-sided tests at 5 %); what has no chance in it must be exact.
"""

from __future__ import annotations

import argparse
import csv
import inspect
import math
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import cases_conservation
import cases_enforcement
import cases_market
import cases_once
import cases_plans
import cases_referral
import cases_stocks
import cases_whole
from known_rows import FALSE_ALARM, Row

Part = Callable[..., list[Row]]


@dataclass(frozen=True)
class Case:
    """A case: `parts` give its rows; `long` ones stand in for the first part in the nightly run; `slow` if it takes more than seconds."""

    number: int
    name: str
    parts: tuple[Part, ...]
    slow: bool = False
    long: Part | None = None

    @property
    def closed_form(self) -> str:
        """The derivations of its parts, a line each."""
        return " ".join(dict.fromkeys((inspect.getdoc(part) or "").split("\n", 1)[0] for part in self.parts))


def _parts(room: ModuleType, *names: str) -> tuple[Part, ...]:
    return tuple(getattr(room, f"case_{name}") for name in names)


CASES = (
    Case(1, "no dealers, no entry", (cases_stocks.case_1,), slow=True),
    Case(2, "conservation", _parts(cases_conservation, "2", "2_books", "2_dense", "2_pool")),
    Case(3, "stock of constant inflow and hazard", (cases_stocks.case_3,)),
    Case(4, "geometric lifetime", (cases_stocks.case_4, cases_once.case_4_careers)),
    Case(5, "competing exits", (cases_stocks.case_5,)),
    Case(6, "certain detection", (cases_stocks.case_6,)),
    Case(7, "no lure", (cases_stocks.case_7,)),
    Case(8, "zero-profit price", _parts(cases_market, "8", "8_sign_ups", "8_entry"), slow=True),
    Case(9, "pass-through", _parts(cases_market, "9", "9_prices"), slow=True),
    Case(10, "limits of the logit", _parts(cases_plans, "10", "10_memory")),
    Case(11, "awareness", (cases_referral.case_11,)),
    Case(12, "referral", _parts(cases_referral, "12", "12_adverts", "12_asks", "12_returns"), slow=True),
    Case(13, "detector counts", _parts(cases_enforcement, "13", "13_unsealing", "13_purge", "13_queue")),
    Case(14, "sweep of a batch", (cases_enforcement.case_14,)),
    Case(15, "one assist ever", (cases_enforcement.case_15,)),
    Case(16, "sanction ladder", (cases_enforcement.case_16,)),
    Case(17, "dose-response", (cases_whole.case_17,), slow=True, long=cases_whole.case_17_all),
    Case(18, "scale", (cases_whole.case_18,), slow=True, long=cases_whole.case_18_all),
    Case(19, "shared luck", (*_parts(cases_whole, "19", "19_workers"), cases_once.case_19_once), slow=True),
    Case(20, "metamorphic", _parts(cases_whole, "20", "20_shift"), slow=True),
)


def rows_of(case: Case, seed: int | None = None, *, long: bool = False) -> list[Row]:
    """Return the rows of a case under its own fixed seeds, or under those that follow from `seed`."""
    parts = (case.long, *case.parts[1:]) if long and case.long else case.parts
    return [row for part in parts for row in (part() if seed is None else part(seed))]


def chance_of_false_alarm(rows: Iterable[Row]) -> float:
    """Return the probability that chance alone fails one or more of the z and fit rows, taken as independent."""
    return 1 - (1 - FALSE_ALARM) ** sum(row.kind in {"z", "fit"} for row in rows)


HEAD = ("case", "name", "derivation", "what", "kind", "closed_form", "simulated", "standard_error", "z", "margin", "verdict")


def _cells(case: Case, row: Row) -> list[str]:
    numbers = [row.closed_form, row.simulated, row.standard_error, row.z, row.margin]
    texts = ["" if math.isnan(number) else f"{number:.6g}" for number in numbers]
    return [str(case.number), case.name, case.closed_form, row.what, row.kind, *texts, "pass" if row.passed else "FAIL"]


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201  # a script's answer


def main(arguments: list[str]) -> int:
    """Print the table and write it; returns the number of cases that failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--out", type=Path, help="file for the table, CSV")
    parser.add_argument("--seed", type=int, help="seeds follow from this one, instead of each case's own")
    parser.add_argument("--long", action="store_true", help="more levers and outcomes, as the nightly run")
    parser.add_argument("--cases", type=int, nargs="*", default=[case.number for case in CASES], help="numbers of the cases to run")
    asked = parser.parse_args(arguments)
    table, failed, seen = [], [], []
    for case in (case for case in CASES if case.number in asked.cases):
        begun = time.process_time()
        rows = rows_of(case, asked.seed, long=asked.long)
        seen += rows
        passed = sum(row.passed for row in rows)
        widest = max((abs(row.z) for row in rows if row.kind in {"z", "fit"}), default=math.nan)
        failed += [case.number] if passed < len(rows) else []
        _say(
            f"{case.number:>2} {case.name:<36} {'pass' if passed == len(rows) else 'FAIL'}  {passed:>2} of {len(rows):<2} rows"
            f"  largest |z| {widest:5.2f}  {time.process_time() - begun:5.1f} s CPU"
        )
        for row in rows:
            table.append(_cells(case, row))
            if asked.out is None or not row.passed:
                _say("      " + "  ".join(table[-1][3:]))
    _say(
        f"{len(asked.cases) - len(failed)} of {len(asked.cases)} cases pass; chance alone fails one with {chance_of_false_alarm(seen):.3f}"
    )
    if asked.out is not None:
        with asked.out.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows([HEAD, *table])
    return len(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
