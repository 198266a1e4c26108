"""Every mutant of the engine is noticed by a known answer: a case that cannot fail would let one through."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from check import MUTANTS, ROOT, PatchError, patched
from mutant import Mutant

HERE = Path(__file__).parent
SHARES = 3


def checked(*arguments, seconds):
    """Run the script; returns its lines, the verdict first in each."""
    done = subprocess.run(
        [sys.executable, str(HERE / "check.py"), *arguments], capture_output=True, text=True, timeout=seconds, check=False, cwd=ROOT
    )
    assert not done.stderr, done.stderr[-2000:]
    return done.returncode, done.stdout.splitlines()


@pytest.mark.slow
def test_patches_apply_to_the_engine_as_it_is(tmp_path):
    """Each old text is found exactly once; what a patch makes is Python."""
    for number, mutant in enumerate(MUTANTS):
        home = patched(mutant, tmp_path / str(number))
        for file in mutant.files.split(", "):
            source = (home / "sim" / file).read_text(encoding="utf-8")
            assert source != (ROOT / "sim" / file).read_text(encoding="utf-8")
            compile(source, file, "exec")


def test_a_patch_that_does_not_apply_is_an_error(tmp_path):
    for number, old in enumerate(("no such text", "import")):
        with pytest.raises(PatchError, match="not once"):
            patched(Mutant("broken", "1", (("model.py", old, ""),)), tmp_path / str(number))


def test_mutants_are_spread_over_the_engine():
    """Every process is broken at least once, and so are agents, world, policies and luck."""
    broken = {file for mutant in MUTANTS for file in mutant.files.split(", ")}
    processes = {f"processes/{path.name}" for path in (ROOT / "sim" / "processes").glob("[a-z]*.py")}
    assert processes <= broken
    assert {
        "agents/user.py",
        "agents/dealer.py",
        "agents/recruiter.py",
        "agents/enforcer.py",
        "policies.py",
        "luck.py",
        "inversion.py",
    } <= broken
    assert {"world/start.py", "world/users.py", "world/market.py", "model.py"} <= broken
    assert len(MUTANTS) >= 25
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)


@pytest.mark.slow
@pytest.mark.parametrize("share", range(SHARES))
def test_every_mutant_is_caught_by_the_case_recorded_for_it(share):
    """That the sound engine passes the same cases is tested beside them."""
    code, lines = checked("--trust", "--share", str(share), str(SHARES), seconds=900)
    missed = [line for line in lines[:-1] if not line.startswith("caught ")]
    assert missed == []
    assert len(lines) - 1 == len(MUTANTS[share::SHARES])
    assert code == 0


@pytest.mark.slow
def test_a_mutant_that_breaks_nothing_is_missed():
    """The script does not call everything caught: an innocent change of the engine passes all the cases it is tried against."""
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); import check\n"
        "from mutant import one\n"
        "same = one('nothing', '16', 'luck.py', 'def mix_word(word: int)', 'def mix_word(word: int, /)')\n"
        "print([found for _, found, _ in check.check([same], ['6', '5'])])"
    )
    done = subprocess.run([sys.executable, "-c", program, str(HERE)], capture_output=True, text=True, timeout=300, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[{}]"


@pytest.mark.nightly
def test_every_mutant_against_every_quick_case():
    """Prints which cases notice each mutant: twenty minutes or so of computing."""
    code, lines = checked("--against", "quick", seconds=4 * 3600)
    print("\n".join(lines))  # noqa: T201  # what the night found
    assert code == 0
