"""Measuring processes: each has one environment and one kind of market, does what it is told, and sleeps while another measures."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

ROOT = Path(__file__).parents[2]
PROBES = Path(__file__).parent / "probes"

T = TypeVar("T")


class ProbeError(RuntimeError):
    """A measuring process failed; the message is its traceback."""


def clean_environment(ours: bool) -> dict[str, str]:
    """Return the environment of a child: this checkout on the path for our own, nothing of ours for an opponent's."""
    kept = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"}}
    return kept | ({"PYTHONPATH": str(ROOT)} if ours else {})


class Child:
    """A measuring process that runs a file of `probes/`; to be used in a `with` block."""

    def __init__(self, probe: str, python: Path | None = None) -> None:
        self._errors = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115  # closed in __exit__
        reading, writing = os.pipe()  # answers have a pipe of their own: opponents print what they like
        self._answers = os.fdopen(reading, encoding="utf-8")
        self._process = subprocess.Popen(
            [str(python or sys.executable), str(PROBES / f"{probe}.py"), str(writing)],
            stdin=subprocess.PIPE,
            stdout=self._errors,
            stderr=self._errors,
            text=True,
            encoding="utf-8",
            cwd=ROOT,
            env=clean_environment(ours=python is None),
            pass_fds=(writing,),
        )
        os.close(writing)

    def ask(self, command: str, **arguments: Any) -> Any:
        """Let the child do one thing and return what it measured; raises `ProbeError`."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps([command, arguments]) + "\n")
            self._process.stdin.flush()
            line = self._answers.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            self._errors.seek(0)
            raise ProbeError(f"the process died in `{command}`\n{self._errors.read()[-2000:]}")
        answer = json.loads(line)
        if "error" in answer:
            raise ProbeError(answer["error"])
        return answer["result"]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End the process by closing what it reads from."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._answers.close()
        self._errors.close()


@dataclass(frozen=True)
class Setting:
    """What a section needs to know.

    Whether it is a quick try, where to say things, the Python of an opponent's environment, the folder for figures, and the commit of an
    older version to hold this one against, if any.
    """

    quick: bool
    say: Callable[[str], None]
    python_of: Callable[[str], Path]
    figures: Path
    before: str = ""

    def of(self, full: T, quick: T) -> T:
        """Return the value for this size of setting."""
        return quick if self.quick else full


def daily_draws(counted: int, warm_up: int, **market: Any) -> Mapping[str, float]:
    """Count the draws of a stretch of days in a process of its own, untimed, since counting costs time.

    The same scenario and seed draw the same luck, so that the count holds for the timed process. Returns draws, calls and events a day.
    """
    with Child("markets") as child:
        child.ask("count_draws")
        child.ask("build", name="counted", **market)
        if warm_up:
            child.ask("step", name="counted", days=warm_up)
        done = child.ask("step", name="counted", days=counted)
    return {key: done[key] / counted for key in ("draws", "calls", "events")}
