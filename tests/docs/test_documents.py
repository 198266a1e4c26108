"""The documents say what the code says: tables, schedule, evidence, commands and paths."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from sim import tables
from sim.calibration import TARGETS
from sim.levers import LEVERS
from sim.outcomes import OUTCOMES
from sim.parameters import LEDGER
from sim.patterns import CRITERIA
from sim.reference import of_results
from sim.report.ground import LIMITS

ROOT = Path(__file__).parents[2]
DOCUMENTS = [path for name in ("README.md", "MODEL.md", "CHANGELOG.md", "CONTRIBUTING.md") if (path := ROOT / name).exists()]
MODEL = (ROOT / "MODEL.md").read_text(encoding="utf-8")
ROW = re.compile(r"[A-H]\d+b?")
PLANNED = set(re.findall(r"\((\w+)\)", (ROOT / "pyproject.toml").read_text(encoding="utf-8")))
"""Rooms that the layers keep a place for, in brackets there."""
EXAMPLES = {"utils.py", "NAME.toml", "my_scenario.toml", "starter.toml", "audit_and_demand.toml"}
"""Files that documents speak of as what is not there, or not yet."""


def section(heading: str) -> str:
    """Return MODEL.md's text under a heading of the second level."""
    found = re.search(rf"^## (?:\d+ )?{re.escape(heading)}\n(.*?)(?=^## |\Z)", MODEL, re.MULTILINE | re.DOTALL)
    assert found, f"MODEL.md has no section {heading!r}"
    return found[1]


def without_code(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(text: str) -> set[str]:
    """Return the anchors of headings as code hosts make them."""
    headings = re.findall(r"^#+ (.+)$", without_code(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_generated_tables_are_current(path):
    text = path.read_text(encoding="utf-8")
    assert tables.refreshed(text, ROOT / "results" / "reference") == text, "run `make tables`"


def test_model_shows_every_table():
    shown = re.findall(r"<!-- table: (\w+) -->", MODEL)
    of_the_model = ["sizes", "levers", "lever_effects", "calibration"]
    of_its_limit = ["mean_field", "mean_field_steps"]
    of_its_credit = ["known_answers", "mutants", "twin", *of_its_limit, "scorecard", "waves", "ranges", "recovery_fresh", "learning"]
    assert shown == [*of_the_model, *of_its_credit, "assumptions", "parameters"]
    assert all(f"| `{name}`" in section("Levers") for name in LEVERS)
    assert all(f"| `{name}` |" in section("Parameters") for rows in LEDGER.values() for name in rows)


def test_tables_of_results_come_from_the_files(tmp_path):
    assert "lever_effects.csv` does not exist" in of_results("lever_effects", tmp_path)
    (tmp_path / "calibration.csv").write_text(
        "target,kind,source,range,simulated,low,high,inside\n"
        "rented life | days,hard,E12,4 to 8,6.123456,6.0,6.25,True\nother,hard,B1,1 to 2,0.5,0.4,0.6,False\nsoft one,soft,B7,,n/a,,,\n"
    )
    lines = of_results("calibration", tmp_path).splitlines()
    assert lines[0] == "| target | kind | source | range | simulated | inside |"
    assert lines[2:] == [
        r"| rented life \| days | hard | E12 | 4 to 8 | 6.123 (6 to 6.25) | yes |",
        "| other | hard | B1 | 1 to 2 | 0.5 (0.4 to 0.6) | **no** |",
        "| soft one | soft | B7 |  | n/a |  |",
    ]
    header = "lever,mechanism,outcome,effect,low,high,unit,side_effect_outcome,side_effect,side_low,side_high,levels,baseline_mean\n"
    (tmp_path / "lever_effects.csv").write_text(header + "purge,a pulse,swept,-1234567.8,-2e6,-1,accounts/day,,,,,3 of 4,20.5\n")
    assert of_results("lever_effects", tmp_path).splitlines()[2] == (
        "| `purge` | a pulse | `swept` | accounts/day | 20.5 | -1,234,568 (-2,000,000 to -1) | 3 of 4 |  |  |"
    )


def test_results_with_other_columns_are_refused(tmp_path):
    (tmp_path / "calibration.csv").write_text("target,simulated\n")
    with pytest.raises(ValueError, match="no column kind, source, range, low, high, inside"):
        of_results("calibration", tmp_path)


@pytest.mark.parametrize("text", ["<!-- table: levers -->\n", "<!-- table: leevers -->\n<!-- end -->"])
def test_a_marker_without_table_or_end_is_refused(text, tmp_path):
    with pytest.raises(ValueError, match=r"not closed|no table 'leevers'"):
        tables.refreshed(text, tmp_path)


def test_command_writes_once_and_checks(tmp_path, capsys):
    document = tmp_path / "page.md"
    document.write_text("before\n<!-- table: sizes -->\nold\n<!-- end -->\nafter\n")
    assert tables.main(["--check", str(document)]) == 1
    assert "old" in document.read_text()
    assert tables.main([str(document)]) == 0
    assert document.read_text() == f"before\n<!-- table: sizes -->\n{tables.sizes()}<!-- end -->\nafter\n"
    assert tables.main(["--check", str(document)]) == 0
    assert capsys.readouterr().out.splitlines() == [f"out of date: {document}", f"written: {document}"]


def test_model_has_the_seven_elements_of_odd_in_order():
    headings = re.findall(r"^## \d (.+)$", MODEL, re.MULTILINE)
    assert headings == [
        "Purpose and patterns",
        "Entities, state variables and scales",
        "Process overview and scheduling",
        "Design concepts",
        "Initialization",
        "Input data",
        "Submodels",
    ]


def test_every_submodel_has_its_rationale_and_its_evidence_is_shown():
    shown = set(re.findall(rf"^\| ({ROW.pattern}) \|", section("Evidence"), re.MULTILINE))
    parts = re.split(r"^### (7\.\d+ .*)$", section("Submodels"), flags=re.MULTILINE)[1:]
    assert len(parts) == 2 * 12
    for heading, text in zip(parts[::2], parts[1::2], strict=True):
        rationale = re.match(r"\n\n\*Rationale\.\* (.{200,})\n", text)
        assert rationale, heading
        cited = rows_of("evidence " + " ".join(re.findall(rf"\b{ROW.pattern}(?:-{ROW.pattern})?\b", rationale[1])))
        assert cited or heading.startswith("7.4"), heading
        assert cited <= shown, (heading, cited - shown)


def test_the_report_says_the_same_limits():
    found = dict(re.findall(r"^- \*\*(.+?)\.\*\* (.+)$", section("What the model cannot show"), re.MULTILINE))
    assert found == LIMITS


def test_schedule_names_every_process_and_nothing_else():
    named = set(re.findall(r"sim/processes/(\w+)\.py", section("Process overview and scheduling")))
    assert named == {path.stem for path in (ROOT / "sim" / "processes").glob("*.py")} - {"__init__"}


def test_schedule_is_in_the_order_of_step():
    """The first mention of each process in the schedule follows its first call in `step`."""
    step = (ROOT / "sim" / "model.py").read_text(encoding="utf-8").partition("def step(")[2].partition("\n    def ")[0]
    written = re.findall(r"sim/processes/(\w+)\.py", section("Process overview and scheduling"))
    called = [name for name in re.findall(r"\b(\w+)\.\w+\(", step) if name in set(written)]
    assert list(dict.fromkeys(written)) == list(dict.fromkeys(called))


def test_every_row_of_evidence_in_the_ledger_is_shown():
    rows = set(re.findall(rf"^\| ({ROW.pattern}) \|", section("Evidence"), re.MULTILINE))
    cited = {(f"{group}.{name}", row) for group, names in LEDGER.items() for name, e in names.items() for row in rows_of(e.source)}
    cited |= {(target.name, row) for target in TARGETS for row in rows_of(target.source)}
    assert cited
    assert not {(where, row) for where, row in cited if row not in rows}


def rows_of(source: str) -> set[str]:
    """Return the rows of evidence that a source of the ledger cites; `B4-B6` means all three."""
    if "evidence" not in source:
        return set()
    found = set(ROW.findall(source))
    for letter, first, last in re.findall(r"([A-H])(\d+)-\1(\d+)", source):
        found |= {f"{letter}{number}" for number in range(int(first), int(last) + 1)}
    return found


def test_every_source_of_evidence_has_its_reference():
    keys = set(re.findall(r"\[([^\W\d][\w-]*)\]", section("Evidence")))
    references = section("References")
    assert keys
    assert not {key for key in keys if f"[{key}]" not in references}


def test_every_source_of_a_pattern_has_its_row_or_reference():
    rows = set(re.findall(rf"^\| ({ROW.pattern}) \|", section("Evidence"), re.MULTILINE))
    for criterion in CRITERIA:
        for part in criterion.source.split(", "):
            assert part in rows or part in section("References"), f"{criterion.name}: {part}"


def test_every_source_in_the_ledger_says_what_it_is():
    kinds = ("evidence", "assumption", "fit", "numerical", "unit")
    odd = [f"{group}.{name}: {e.source}" for group, rows in LEDGER.items() for name, e in rows.items() if not e.source.startswith(kinds)]
    assert not odd


def test_code_names_in_model_exist():
    """`group.name` is a parameter, `name_like_this` an outcome, lever or parameter where it looks like one."""
    text = re.sub(r"<!-- table: .*?<!-- end -->", "", MODEL, flags=re.DOTALL)
    groups = "|".join(LEDGER)
    for group, name in re.findall(rf"`({groups})\.([\w*]+)`", text):
        pattern = re.compile(name.replace("*", r"\w+"))
        assert any(pattern.fullmatch(known) for known in LEDGER[group]), f"no parameter {group}.{name}"
    for name in re.findall(r"`(\w+)`", section("Purpose and patterns")):
        known = {*OUTCOMES, *(path.stem for path in (ROOT / "scenarios").glob("*.toml")), "group"}
        assert name in known or "." in name, name
    for heading, group in re.findall(r"^### 7\.\d+ .*\(`(\w+)`\)()$", text, re.MULTILINE):
        assert heading in LEDGER, group


def test_submodels_name_only_parameters_that_exist():
    """In a submodel, `name` is a parameter of its group or of another one."""
    names = {name for rows in LEDGER.values() for name in rows}
    spoken = {"s", "word", "type", *LEVERS, *OUTCOMES, *LEDGER}
    for name in re.findall(r"`([a-z]+(?:_[a-z0-9<>]+)+)`", section("Submodels")):
        pattern = re.compile(re.sub(r"<\w+>", r"\\w+", name))
        assert name in spoken or any(pattern.fullmatch(known) for known in names), name


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_and_paths_exist(path):
    text = path.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", without_code(text)):
        if target.startswith(("http://", "https://")):
            continue
        file, _, anchor = target.partition("#")
        linked = path.parent / file if file else path
        assert linked.exists(), target
        if anchor and linked.suffix == ".md":
            assert anchor in anchors(linked.read_text(encoding="utf-8")), target
    for name in re.findall(r"`((?:sim|scenarios|tests|results)/[\w./*-]+|[\w-]+\.(?:toml|md|txt|py))`", text):
        bare = name.rstrip("/")
        if bare.startswith("results/") or bare in EXAMPLES or bare.removesuffix(".py") in PLANNED:
            continue
        homes = [ROOT, ROOT / "sim", ROOT / "sim" / "world"]
        assert any(any(home.glob(bare)) for home in homes), f"{path.name} names {name}"


@pytest.mark.skipif(not (ROOT / "README.md").exists(), reason="there is no README.md yet")
def test_commands_in_readme_exist():
    import typer.main

    from sim.cli import app

    known = set(typer.main.get_command(app).commands)
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    blocks = re.findall(r"^```sh\n(.*?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    for line in "\n".join(blocks).replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        for at, word in enumerate(words):
            if (Path(word).name == "abm" and "clone" not in words and "cd" not in words) or words[at - 1 : at + 1] == ["-m", "sim"]:
                following = words[at + 1] if at + 1 < len(words) else "--help"
                assert following in known or following.startswith("-"), line
        if words[:1] == ["make"]:
            named = [word for word in words[1:] if not word.startswith("-") and "=" not in word]
            assert set(named) <= targets, line
        for word in words:
            if word.startswith("scenarios/"):
                assert (ROOT / word).exists(), line


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_no_document_names_a_machine(path):
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"(?<![\w.])/(?:home|root|tmp|work|opt|usr|Users)/", text)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_no_place_is_left_to_be_filled_in(path):
    assert re.findall(r"\b[A-Z]{3,}_TEXT\b|Not yet computed", path.read_text(encoding="utf-8")) == []
