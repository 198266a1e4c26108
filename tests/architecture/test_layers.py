"""The shape of the code: who imports whom, how long a file may get, what stays out."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = sorted((ROOT / "sim").rglob("*.py"))
LONG_BY_NATURE = {"parameters.py"}  # one field a parameter


def test_import_linter_holds():
    linter = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    done = subprocess.run([sys.executable, "-c", linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", ROOMS, ids=lambda path: str(path.relative_to(ROOT)))
def test_file_has_a_room_of_its_own(path):
    assert path.stem not in {"utils", "util", "helpers", "misc", "common"}
    text = path.read_text(encoding="utf-8")
    if path.name not in LONG_BY_NATURE:
        assert len(text.splitlines()) <= 320, "a file past 300 lines is asking for a second room"
    assert ast.get_docstring(ast.parse(text)), "a file begins by saying what it is for"


@pytest.mark.parametrize("path", ROOMS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_random_numbers_but_keyed_ones(path):
    """A sequential stream would make baseline and policy stop sharing luck."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        assert not {name.split(".")[0] for name in names} & {"random", "secrets"}
        assert not (isinstance(node, ast.Attribute) and node.attr in {"default_rng", "RandomState", "rvs"}), f"line {node.lineno}"


def test_only_policies_knows_what_a_policy_is_worth_on_a_day():
    readers = {
        path.relative_to(ROOT / "sim").as_posix()
        for path in ROOMS
        if any(
            isinstance(node, ast.Attribute) and node.attr == "ramp_days" for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        )
    }
    assert readers <= {"policies.py", "explain.py", "scenario.py"}


@pytest.mark.parametrize("module", ["sim", "sim.scenario", "sim.explain", "sim.experiment_file", "sim.policies"])
def test_light_rooms_import_nothing_heavy(module):
    """`abm --help` and `abm check` answer at once."""
    code = f"import sys, {module}; print(sorted({{'mesa', 'pandas', 'matplotlib', 'pyarrow'}} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_constraints_cover_every_dependency_and_name_no_host():
    lines = [line for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    pinned = {line.split("==")[0].lower().replace("_", "-") for line in lines}
    assert all(line.count("==") == 1 and "/" not in line for line in lines)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [*project["dependencies"], *(name for extra in project["optional-dependencies"].values() for name in extra)]
    assert {name.split(">=")[0].split("[")[0].lower().replace("_", "-") for name in asked} <= pinned
