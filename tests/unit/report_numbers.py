"""Hold the sentences of a report against the tables that they cite: numbers, directions, ends of intervals, counts of cases."""

from __future__ import annotations

import re
from collections import defaultdict

import numpy as np

from sim.analysis.words import number, percent
from sim.levers import LEVERS
from sim.names import name_of
from sim.outcomes import OUTCOMES

NUMBER = re.compile(r"(?<![\w.^])[+-]?\d+(?:,\d{3})*(?:\.\d+)?(?: (?:million|billion))?")
KEYS = {
    "comparison": ("outcome", "scenario"),
    "best": ("outcome", "scenario"),
    "displacement": ("scenario",),
    "recovery": ("scenario",),
    "thresholds": ("outcome", "side"),
    "robustness": ("outcome", "policy"),
    "ranking": ("outcome",),
}
"""Columns that say which row of a table a line cites."""

_N = r"[+-]?[\d,]+(?:\.\d+)?(?: (?:million|billion))?"
_NAMES = {name_of(outcome): outcome for outcome in OUTCOMES}
_ANY = "|".join(re.escape(name) for name in sorted(_NAMES, key=len, reverse=True))
_CLAUSE = re.compile(rf"(?<!\w)(?P<name>{_ANY}) (?P<how>(?:probably )?(?:rise|fall)s?|do(?:es)? not move (?:at all|beyond chance))\b", re.I)
_SPAN = re.compile(rf"\((?:chance )?({_N})(?: times)? to ({_N})")
_CASES = re.compile(r"([\d,]+) cases to ([\d,]+) in (\d+) runs? of (\d+) days")
_HOW_TO_READ = ("Effects are at", "Holds,", "Points", "Depends", "Strengths", "In the model, given its assumptions. Beyond")


def forms(value, relative=False):
    """Return every way in which the report may write a number of a table; as a multiple only one that is `relative`."""
    if isinstance(value, str | bool) or not np.isfinite(value):
        return set()
    found = {text for v in (value, abs(value)) for text in (number(v), percent(v), percent(v, signed=False))}
    return found | ({number(1.0 + value)} if relative else set())


class Tables:
    """The tables that sentences are made of, by the names that lines cite."""

    def __init__(self, plan, tables):
        self.plan, self.tables = plan, tables
        first, last = plan.scenarios[plan.baseline].run.window
        self.days = last - first

    @classmethod
    def of(cls, material):
        done, robust = material.done, material.robust
        own = {**({} if robust is None else robust.tables), **done.tables}
        swept = {"thresholds": material.sweeps[0].thresholds} if material.sweeps else {}
        return cls(done.plan, own | swept)

    def rows(self, cited):
        """Return the rows of a table that a line cites."""
        name, *key = cited.split("/")
        table = self.tables[name]
        for column, wanted in zip(KEYS[name], key, strict=False):
            table = table[table[column].astype(str) == wanted]
        assert len(table), f"{cited} is no row"
        return table

    def allowed(self, cited):
        """Return the numbers that a line may hold which cites this."""
        name, *key = cited.split("/")
        if name == "levers":
            lever = LEVERS[key[0]]
            return set(NUMBER.findall(f"{lever.meaning} {lever.equation} {lever.side_effect}"))
        if name == "manifest":
            scenario = self.plan.scenarios[key[0]]
            policies = scenario.policies.values()
            values = [v for p in policies for v in (p.strength, p.first_day, *(p.days or ()), scenario.levers.get(p.lever, 0.0))]
            return {f"{value:g}" for value in values}
        table = self.rows(cited)
        found = {text for column in table for value in table[column].tolist() for text in forms(value, column.startswith("relative"))}
        if name == "comparison":
            found |= {text for row in table.to_dict("records") for text in self.cases(row)}
        if name == "displacement":  # what other channels lose too is a negative part that comes back
            found |= {text for column in table for value in table[column] if not isinstance(value, str) for text in forms(-value)}
        if name in {"robustness", "ranking"}:  # members are counted, and pairs of policies
            members = sorted(set(table["members"].astype(int)))
            shares = table[[column for column in table if column.endswith("_share")]].to_numpy(dtype=float).ravel()
            found |= {str(round(share * n)) for share in shares[np.isfinite(shares)] for n in members}
            found |= {str(p * (p - 1) // 2) for p in table["policies"]} if name == "ranking" else set()
        return found

    def cases(self, row):
        """Return the numbers of a count of cases as a sentence has them: before, after, runs, days; nothing where these are no cases."""
        kept = OUTCOMES.get(row["outcome"])
        counts = [row[mean] * row["replications"] * self.days for mean in ("baseline_mean", "mean")]
        if kept is None or kept.kind != "flow" or any(abs(count - round(count)) > 1e-6 for count in counts):
            return ()
        return (*(f"{round(count):,}" for count in counts), f"{row['replications']}", f"{self.days}")


def is_about_reading(text):
    """Say whether a line says how to read what follows."""
    return text.startswith(_HOW_TO_READ)


def hold(text, cited, tables, fixed=()):
    """Assert that a line says what the rows say that it cites; return how many numbers and clauses were held against them."""
    allowed = set(fixed).union(*(tables.allowed(row) for row in cited))
    found = NUMBER.findall(text)
    assert set(found) <= allowed, (text, set(found) - allowed)
    rows = defaultdict(list)
    for row in cited:
        name, *key = row.split("/")
        if name in {"comparison", "robustness", "thresholds"} and key:
            rows[key[0]].append((name, tables.rows(row).to_dict("records")[0]))
        if name == "displacement":
            _displaced(text, tables.rows(row).to_dict("records"))
    clauses = list(_CLAUSE.finditer(text))
    ends = [*(clause.start() for clause in clauses[1:]), len(text)]
    for clause, end in zip(clauses, ends, strict=False):
        outcome = _NAMES[clause["name"][0].lower() + clause["name"][1:]] if clause["name"] not in _NAMES else _NAMES[clause["name"]]
        assert rows[outcome], (text, outcome)
        table, row = rows[outcome].pop(0)
        _agrees(table, row, clause["how"], text[clause.end() : end])
        told = _CASES.findall(text[clause.end() : end])
        assert all(counts == tables.cases(row) for counts in told), (told, row)
    return len(found), len(clauses)


def _agrees(table, row, how, rest):
    """Assert that the direction, the change and the ends of a clause are those of its row."""
    effect, low, high = {
        "comparison": ("difference", "difference_low", "difference_high"),
        "robustness": ("central_effect", "mc_low", "mc_high"),
        "thresholds": ("full_difference", None, None),
    }[table]
    if how.endswith("at all"):
        assert row[effect] == 0.0
        return
    assert how.endswith("chance") or np.sign(row[effect]) == (1.0 if "rise" in how else -1.0), (how, rest, row)
    if low is None:
        return
    if how.endswith("chance"):
        assert row[low] <= 0.0 <= row[high]
    spans = {(write(row[low]), write(row[high])) for write in (number, percent)}
    if table == "comparison":
        least, most = row["relative_low"], row["relative_high"]
        spans |= {(percent(least), percent(most)), (number(1.0 + least), number(1.0 + most))}
        changes = {f"by {percent(abs(row['relative']), signed=False)} %", f"by {number(abs(row['difference']))} "}
        changes |= {f"to {number(1.0 + row['relative'])} times", f"from {number(row['baseline_mean'])} to 0 "}
        assert how.endswith("chance") or rest.lstrip().startswith(tuple(changes)), (rest, changes)
        for before, after in re.findall(rf", from ({_N}) to ({_N}) ", rest):
            assert (before, after) == (number(row["baseline_mean"]), number(row["mean"]))
    if told := _SPAN.search(rest):
        assert told.groups() in spans, (told[0], spans)


def _displaced(text, records):
    """Assert that brackets about what is displaced hold the ends of one of its intervals, the lower one first."""
    spans = set()
    for row in records:
        part, other = ("displacement_low", "displacement_high"), ("target_low", "target_high")
        spans |= {(write(row[part[0]]), write(row[part[1]])) for write in (percent, _unsigned)}
        spans |= {(write(-row[part[1]]), write(-row[part[0]])) for write in (percent, _unsigned)}
        spans.add((number(row[other[0]]), number(row[other[1]])))
    of_displacement = re.split(r"; (?:commission|rented accounts|registered|unsealed)", text)[0]
    assert {told.groups() for told in _SPAN.finditer(of_displacement)} <= spans, (text, spans)


def _unsigned(value):
    return percent(value, signed=False)
