"""The sentences of README about the shipped comparison: words with the numbers of `comparison.csv`, which must bear them out."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import NamedTuple


class Change(NamedTuple):
    """A relative change of an outcome under a scenario, with its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        """Return the change in per cent with its interval, both without a sign."""
        ends = sorted((abs(self.low), abs(self.high)))
        return f"{abs(self.value):.0%} ({ends[0]:.0%} to {ends[1]:.0%})"


class Changes:
    """The changes of a comparison."""

    def __init__(self, path: Path) -> None:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        self._of = {
            (row["scenario"], row["outcome"]): Change(*(float(row[f"relative{end}"] or "nan") for end in ("", "_low", "_high")))
            for row in rows
        }
        self.replications = rows[0]["replications"]

    def up(self, scenario: str, outcome: str) -> Change:
        """Return a change that must be a rise; raises `ValueError` if its interval does not lie above 0."""
        change = self._of[scenario, outcome]
        if not change.low > 0:
            raise ValueError(f"README says that {outcome} rises under {scenario}, but the change is {change.low} to {change.high}")
        return change

    def down(self, scenario: str, outcome: str) -> Change:
        """Return a change that must be a fall; raises `ValueError` if its interval does not lie below 0."""
        change = self._of[scenario, outcome]
        if not change.high < 0:
            raise ValueError(f"README says that {outcome} falls under {scenario}, but the change is {change.low} to {change.high}")
        return change

    def none(self, scenario: str, outcome: str) -> None:
        """Raise `ValueError` if an outcome changes at all."""
        if self._of[scenario, outcome] != (0.0, 0.0, 0.0):
            raise ValueError(f"README says that {outcome} does not change under {scenario}: {self._of[scenario, outcome]}")


_SENTENCES = """\
* **Squeezing sign-up and unsealing moves the market to real people.** Registered accounts fall by {down supply_squeeze stock_registered}
  and unsealed ones by {down supply_squeeze stock_unsealed}, but rented ones *rise* by {up supply_squeeze stock_rented}; the commission
  paid to owners rises by {up supply_squeeze commission_yuan}, total supply falls by only {down supply_squeeze supply_account_days}, and
  expected harm rises by {up supply_squeeze expected_harm_yuan}, since a trusted account does more harm.
* **Making the lure fail works on harm.** Takedown of adverts, a campaign and surer law cut rented accounts by
  {down lure_squeeze stock_rented} and expected harm by {down lure_squeeze expected_harm_yuan}. Registering makes up for part (up
  {up lure_squeeze stock_registered}), and enforcing costs {up lure_squeeze enforcement_cost_yuan} more.
* **Both together cut supply by more than the sum**: by {down combined supply_account_days}, against SUM for the two added up. But
  the price rises by {up combined price_yuan}, so that renting pays in spite of it (rented accounts up {up combined stock_rented}), and harm
  falls less than under the lure squeeze alone, by {down combined expected_harm_yuan}.
* **A more sensitive detector hits innocents**: {up account_audit innocents_sanctioned} more of them are sanctioned, for
  {down account_audit supply_account_days} less supply.
* **Confirming by voice before paying a friend** cuts losses to friend fraud by {down friend_confirmation harm_friend_fraud_yuan}
  and leaves the market exactly as it was.
"""


def headlines(results: Path) -> str:
    """Return the sentences as a list in Markdown; says so if the comparison has not been made.

    Raises `ValueError` if a sentence is not borne out by the comparison.
    """
    path = results / "policy_comparison" / "comparison.csv"
    if not path.is_file():
        return "*Not yet computed: `results/reference/policy_comparison/comparison.csv` does not exist.*\n"
    changes = Changes(path)
    for outcome in ("stock_rented", "price_yuan", "supply_account_days"):
        changes.none("friend_confirmation", outcome)
    both = changes.down("combined", "supply_account_days")
    parts = [changes.down(name, "supply_account_days") for name in ("supply_squeeze", "lure_squeeze")]
    apart, most = sum(part.value for part in parts), sum(part.low for part in parts)
    if not both.high < most:
        raise ValueError(f"README says that both squeezes together cut more than the sum: {both} against {apart:.0%}, at most {most:.0%}")
    if not changes.down("lure_squeeze", "expected_harm_yuan").high < changes.down("combined", "expected_harm_yuan").low:
        raise ValueError("README says that harm falls less under both squeezes than under the lure squeeze alone")

    def number(field: re.Match[str]) -> str:
        direction, scenario, outcome = field.groups()
        return str(changes.up(scenario, outcome) if direction == "up" else changes.down(scenario, outcome))

    said = re.sub(r"\{(up|down) (\w+) (\w+)\}", number, _SENTENCES).replace("SUM", f"{abs(apart):.0%}")
    return f"{said}\nIntervals are 95 %, over {changes.replications} pairs of runs.\n"
