"""The report: one self-contained HTML page of a run."""

from wstdes.report.page import write_report

__all__ = ["write_report"]
