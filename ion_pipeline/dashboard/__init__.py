"""A dashboard for Apache Superset, as an archive that Superset imports."""

from ion_pipeline.dashboard.writing import WrittenDashboard, write_dashboard

__all__ = ["WrittenDashboard", "write_dashboard"]
