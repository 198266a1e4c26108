"""How far runs are, over several stages."""

from __future__ import annotations

import io
import sys
from dataclasses import replace

import pytest

from sim import reporter as room
from sim.jobs import Progress
from sim.reporter import Reporter


def test_each_stage_says_what_was_there_before_and_all_stages_count(capsys):
    reporter = Reporter()
    for stage in ("dealers learn by logit", "dealers learn by exp3"):
        reporter(Progress(1, stage=stage))
        reporter(Progress(4, skipped=4))
    assert capsys.readouterr().err.count("4 of 4 runs done, 4 of them before") == 2
    assert reporter.done == 8
    reporter(Progress(1, stage="tables and figures ..."))
    assert reporter.done == 8
    assert reporter.last is None


class Terminal(io.StringIO):
    """Standard error as a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_the_time_left_is_that_of_runs_and_not_of_what_went_before_them(monkeypatch, stream):
    """The first run ends after 100 seconds, of which it took 6: the rest went into starting and a burn-in that others share."""
    clock = [0.0]
    monkeypatch.setattr(room.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(sys, "stderr", stream())
    monkeypatch.setenv("COLUMNS", "120")
    reporter = Reporter()
    begun = Progress(36, skipped=17, at_once=2)
    reporter(begun)
    clock[0] = 100.0
    reporter(replace(begun, computed=1, seconds=6.0))
    reporter.close()
    assert "about 54 s left" in sys.stderr.getvalue()  # 18 runs, two at a time
