"""The report and the recall page: self-contained HTML from the published file."""

from ion_pipeline.report.recalling import WrittenRecall, write_recall
from ion_pipeline.report.writing import Written, write_report

__all__ = ["Written", "WrittenRecall", "write_recall", "write_report"]
