"""Tests that start a browser are run one after the other, by one process, where others are run side by side."""

from __future__ import annotations

import pytest

BROWSERS = ("tests/dashboard/", "::test_dashboard_is_timed_in_a_browser", "::test_figures_are_what_their_tables_draw[dashboard]")
"""Parts of the names of those tests."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Spread tests one by one, those with a browser together; pytest-xdist's own groups do nothing with pytest 9."""
    if config.getvalue("dist") not in {"load", "loadgroup"}:
        return None
    from xdist.scheduler import LoadScopeScheduling

    class OneBrowser(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "browser" if any(part in nodeid for part in BROWSERS) else nodeid

    return OneBrowser(config, log)
