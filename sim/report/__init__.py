"""The report: one page of plain words and figures about a results directory, written from its tables by rules."""

from sim.report.writing import report, write_report

__all__ = ["report", "write_report"]
