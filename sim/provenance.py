"""Where results come from: run ids, the source of the model, versions, machine and commit."""

from __future__ import annotations

import ast
import hashlib
import json
import platform
import subprocess
from collections.abc import Callable
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parent
_LIBRARIES = ("mesa", "numpy", "scipy", "pandas", "pyarrow", "pydantic", "matplotlib", "SALib", "optuna", "ema_workbench")


@lru_cache(maxsize=1)
def model_source() -> str:
    """Hash the source of the model: every file of the package that `sim.model` imports, directly or not, and the ledger."""
    files = sorted([*_imported_from("sim.model"), _ROOT / "parameters.toml"])
    digest = hashlib.sha256()
    for path in files:
        digest.update(f"{path.relative_to(_ROOT).as_posix()}\n{path.read_text(encoding='utf-8')}\n".encode())
    return digest.hexdigest()


def _imported_from(module: str) -> set[Path]:
    found: dict[str, Path] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        stem = _ROOT.joinpath(*name.split(".")[1:])
        path = next((p for p in (stem.with_suffix(".py"), stem / "__init__.py") if p.is_file()), None)
        if name in found or name == "sim" or name.partition(".")[0] != "sim" or path is None:
            continue
        found[name] = path
        waiting.append(name.rpartition(".")[0])
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                waiting += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            elif isinstance(node, ast.Import):
                waiting += [alias.name for alias in node.names]
    return set(found.values())


def run_id(identity: str, seed: int) -> str:
    """Return the id of a run: a hash of the resolved scenario, the seed and the source of the model."""
    return run_ids(identity)(seed)


def run_ids(identity: str) -> Callable[[int], str]:
    """Return what gives the id of a run of one resolved scenario by its seed; the scenario is hashed once."""
    begun, source = hashlib.sha256(f"[{json.dumps(identity)}, ".encode()), json.dumps(model_source())

    def of(seed: int) -> str:
        whole = begun.copy()
        whole.update(f"{seed}, {source}]".encode())
        return whole.hexdigest()[:16]

    return of


def provenance() -> dict[str, Any]:
    """Return what the manifest says of versions, machine and commit."""
    from sim import __version__

    commit, dirty = _commit()
    return {
        "abm_version": __version__,
        "model_source": model_source(),
        "git_commit": commit,
        "git_dirty": dirty,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "libraries": {name: version_of(name) for name in _LIBRARIES},
    }


def version_of(library: str) -> str | None:
    """Return the version of a library that is installed; None when it is not."""
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return None


def _commit() -> tuple[str | None, bool | None]:
    """Return the commit of the checkout that the package is run from, and whether it was changed since; None for none."""

    def git(*arguments: str) -> str | None:
        try:
            done = subprocess.run(  # noqa: S603  # the arguments are those below
                ["git", "-C", str(_ROOT), *arguments],  # noqa: S607  # whichever git the user has
                capture_output=True,
                check=False,
                text=True,
                timeout=20,
            )
        except (OSError, subprocess.SubprocessError):
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    top = git("rev-parse", "--show-toplevel")
    if top is None or Path(top) != _ROOT.resolve().parent:
        return None, None
    changes = git("status", "--porcelain")
    return git("rev-parse", "--verify", "HEAD"), None if changes is None else bool(changes)
