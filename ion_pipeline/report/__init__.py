"""The report: one self-contained HTML page from the published file. `write_report` makes it."""

from ion_pipeline.report.writing import Written, write_report

__all__ = ["Written", "write_report"]
