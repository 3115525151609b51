"""Prepares `DAGSTER_HOME`, the folder in which Dagster keeps its runs and events, before Dagster starts.

    python -m ion_pipeline.defs.home .dagster
    DAGSTER_HOME=$PWD/.dagster dagster dev -w workspace.yaml

If `DAGSTER_POSTGRES_URL` is set, that database keeps the runs and events, and the folder keeps only the output of runs.
This module does not import Dagster.
"""

import os
import sys
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from ion_pipeline.errors import IonPipelineError, SettingsError
from ion_pipeline.files.storage import replace_file
from ion_pipeline.rules import holds_password
from ion_pipeline.settings import load_settings

POSTGRES_URL = "DAGSTER_POSTGRES_URL"
# The name of the variable, not its value: each of Dagster's processes reads it from its own environment.
_IN_POSTGRES = f"""
storage:
  postgres:
    postgres_url:
      env: {POSTGRES_URL}
"""


def prepare_dagster_home(path: Path, *, postgres_url: str | None = None) -> Path:
    """Create the folder, and a `dagster.yaml` in it unless it has one: telemetry off, one operation per pool.

    Args:
        path: The folder.
        postgres_url: URL of the database for runs and events; without it they are kept in SQLite files in the folder.

    Returns:
        The absolute path of the folder, as `DAGSTER_HOME` must be absolute.

    Raises:
        SettingsError: The URL cannot be used, or the existing `dagster.yaml` does not use it.
    """
    home = path.absolute()
    config = home / "dagster.yaml"
    if postgres_url:
        _check(postgres_url)
    if not config.exists():
        home.mkdir(parents=True, exist_ok=True)
        text = files("ion_pipeline.defs").joinpath("dagster.yaml").read_text(encoding="utf-8")
        # Several processes may start at once, and none of them may read an incomplete file.
        replace_file(config, (text + (_IN_POSTGRES if postgres_url else "")).encode())
    elif postgres_url and "storage" not in (yaml.safe_load(config.read_text(encoding="utf-8")) or {}):
        raise SettingsError(
            f"{POSTGRES_URL} is set, but {config} keeps runs in files.",
            remedy="Delete the file, so that it is written again, or add the `storage` section of docs/deploying.md.",
        )
    return home


def _check(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme != "postgresql+psycopg2":
        # Dagster's storage needs psycopg2; for `postgresql://` SQLAlchemy 2.1 uses psycopg 3, and queries fail.
        raise SettingsError(
            f"{POSTGRES_URL} does not begin with postgresql+psycopg2://.",
            remedy="Write postgresql+psycopg2://user@host/database: Dagster's storage needs that driver.",
        )
    if holds_password(url):
        raise SettingsError(
            f"{POSTGRES_URL} contains a password, which process lists and error texts would show.",
            remedy="Remove the password from the URL and set PGPASSWORD or PGPASSFILE.",
        )


def main() -> None:
    """Prepare the folder that the command line names, with the settings of the environment."""
    try:
        os.umask(load_settings(tenant=False).file_umask)
        home = prepare_dagster_home(Path(sys.argv[1]), postgres_url=os.environ.get(POSTGRES_URL))
    except IonPipelineError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)
    sys.stdout.write(f"{home}\n")


if __name__ == "__main__":
    main()
