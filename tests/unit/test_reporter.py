"""How far runs are, over several stages."""

from __future__ import annotations

from sim.experiment import Progress
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
