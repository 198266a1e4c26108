"""How long the command takes to say anything, against importing the library that reads its arguments."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from statistics import median

from children import ROOT, Setting, clean_environment
from ratios import Aim, Row, compared

ABM = "import sys; from sim.__main__ import main; sys.exit(main())"
"""What the installed command `abm` runs; written out, so that this checkout is timed whatever is installed."""

COMMANDS: dict[str, tuple[str, ...]] = {
    "python -c 'import typer'": ("-c", "import typer"),
    "python -c pass": ("-c", "pass"),
    "abm --help": ("-c", ABM, "--help"),
    "abm check scenarios/baseline.toml": ("-c", ABM, "check", "scenarios/baseline.toml"),
}
PEER = "python -c 'import typer'"


def seconds(arguments: Sequence[str]) -> float:
    """Time one start of Python from outside."""
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], cwd=ROOT, env=clean_environment(ours=True), capture_output=True, check=True)
    return time.perf_counter() - start


def dearest_imports(count: int) -> list[str]:
    """Return the modules that `abm --help` imports at the highest cost of their own."""
    arguments = [sys.executable, "-X", "importtime", *COMMANDS["abm --help"]]
    done = subprocess.run(arguments, cwd=ROOT, env=clean_environment(ours=True), capture_output=True, text=True, check=True)
    lines = [line.removeprefix("import time:").split("|") for line in done.stderr.splitlines() if line.startswith("import time:")]
    own = [(int(parts[0]), parts[2].strip()) for parts in lines if parts[0].strip().isdigit()]
    return [f"{name} {microseconds / 1000:.1f} ms" for microseconds, name in sorted(own, reverse=True)[:count]]


def measure(setting: Setting) -> list[Row]:
    """Start all in turn."""
    spent: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for arguments in COMMANDS.values():
        seconds(arguments)  # compiles what was never imported
    for _ in range(setting.of(25, 5)):
        for name, arguments in COMMANDS.items():
            spent[name].append(seconds(arguments))
    setting.say(f"python alone {median(spent['python -c pass']):.3f} s; dearest of abm --help: {', '.join(dearest_imports(5))}")
    aims = {"abm --help": Aim(3, side="below")}  # a check has to read and judge a file
    ours = [name for name in COMMANDS if name.startswith("abm")]
    return [compared("start_up", name, "s", spent[name], PEER, spent[PEER], "ours/peer", aims.get(name)) for name in ours]
