"""The report: one page of plain words and figures about a results directory, written from its tables by rules."""

from sim.report.writing import leave_report, write_report

__all__ = ["leave_report", "write_report"]
