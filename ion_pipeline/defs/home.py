"""`DAGSTER_HOME`: the folder in which Dagster keeps its runs and events, made ready before Dagster is started.

    python -m ion_pipeline.defs.home .dagster
    DAGSTER_HOME=$PWD/.dagster dagster dev -w workspace.yaml

With `DAGSTER_POSTGRES_URL` in the environment the runs and events are in that database, and the folder keeps the output
of runs only. Nothing of Dagster is imported here.
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
# The name of the variable and not what is in it: Dagster asks the environment of each of its processes.
_IN_POSTGRES = f"""
storage:
  postgres:
    postgres_url:
      env: {POSTGRES_URL}
"""


def prepare_dagster_home(path: Path, *, postgres_url: str | None = None) -> Path:
    """Create the folder, and `dagster.yaml` in it unless there is one: telemetry off, one operation per pool.

    Args:
        path: The folder.
        postgres_url: Of the database for runs and events; SQLite files in the folder if not given.

    Returns:
        The folder, absolute, as `DAGSTER_HOME` has to be.

    Raises:
        SettingsError: The URL cannot be used, or the `dagster.yaml` that is there does not use it.
    """
    home = path.absolute()
    config = home / "dagster.yaml"
    if postgres_url:
        _check(postgres_url)
    if not config.exists():
        home.mkdir(parents=True, exist_ok=True)
        text = files("ion_pipeline.defs").joinpath("dagster.yaml").read_text(encoding="utf-8")
        # Several processes may start at once, and none may read half a file.
        replace_file(config, (text + (_IN_POSTGRES if postgres_url else "")).encode())
    elif postgres_url and "storage" not in (yaml.safe_load(config.read_text(encoding="utf-8")) or {}):
        raise SettingsError(
            f"{POSTGRES_URL} is set, but {config} keeps runs in files.",
            remedy="Delete it, to have it made anew, or add to it the `storage` of docs/deploying.md.",
        )
    return home


def _check(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme != "postgresql+psycopg2":
        # Dagster's storage expects psycopg2; for `postgresql://` SQLAlchemy 2.1 takes psycopg 3, and queries fail.
        raise SettingsError(
            f"{POSTGRES_URL} does not begin with postgresql+psycopg2://.",
            remedy="Write postgresql+psycopg2://user@host/database: Dagster's storage needs that driver.",
        )
    if holds_password(url):
        raise SettingsError(
            f"{POSTGRES_URL} has a password in it, which process lists and error texts would show.",
            remedy="Leave it out and set PGPASSWORD or PGPASSFILE.",
        )


def main() -> None:
    """Prepare the folder named on the command line for what the environment says."""
    try:
        os.umask(load_settings(tenant=False).file_umask)
        home = prepare_dagster_home(Path(sys.argv[1]), postgres_url=os.environ.get(POSTGRES_URL))
    except IonPipelineError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)
    sys.stdout.write(f"{home}\n")


if __name__ == "__main__":
    main()
