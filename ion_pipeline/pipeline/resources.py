"""DuckDB's resources from the settings."""

from ion_pipeline.settings import Settings
from ion_pipeline.warehouse import Resources


def resources_of(settings: Settings) -> Resources:
    """Limits of memory and threads, and how long to wait for another process to close the file."""
    return Resources(settings.duckdb_memory_limit, settings.duckdb_threads, settings.lock_wait_seconds)
