"""Environments of the opponents: each its own, since they pull scientific libraries down that ours needs newer, and each other's too."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from children import ROOT, clean_environment

PINS = Path(__file__).parent / "opponents"


def pins(name: str) -> Path:
    """Return the file of exact versions of an opponent."""
    return PINS / f"{name}.txt"


def prepared(name: str, say: Callable[[str], None]) -> Path:
    """Return the Python of an opponent's environment, making it where it is not there as pinned."""
    folder = ROOT / f".venv-{name}"
    python, stamp = folder / "bin" / "python", folder / "installed"
    wanted = hashlib.sha256(pins(name).read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        say(f"installing {name} in {folder.name} (a minute or two the first time)")
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", str(pins(name))]
        subprocess.run([str(python), *install], env=clean_environment(ours=False), check=True)
        stamp.write_text(wanted, encoding="utf-8")
    return python
