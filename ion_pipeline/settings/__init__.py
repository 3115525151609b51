"""Settings, read from `ION_*` environment variables and from a `.env` file in the working directory.

Nothing here opens a connection or creates a file; only files of secrets are read. A wrong or missing setting gives one
sentence that says how to correct it (`SettingsError`, exit code 2).
"""

from ion_pipeline.settings.load import load_settings, unknown_settings
from ion_pipeline.settings.model import DataSettings, Environment, Settings

__all__ = ["DataSettings", "Environment", "Settings", "load_settings", "unknown_settings"]
