"""`DAGSTER_HOME`: the folder in which Dagster keeps its runs and events, made ready before Dagster is started.

    python -m ion_pipeline.defs.home .dagster
    DAGSTER_HOME=$PWD/.dagster dagster dev -w workspace.yaml

Nothing of Dagster is imported here.
"""

import sys
from importlib.resources import files
from pathlib import Path


def prepare_dagster_home(path: Path) -> Path:
    """Create the folder, and `dagster.yaml` in it unless there is one: telemetry off, one operation per pool.

    Returns:
        The folder, absolute, as `DAGSTER_HOME` has to be.
    """
    home = path.absolute()
    home.mkdir(parents=True, exist_ok=True)
    config = home / "dagster.yaml"
    if not config.exists():
        config.write_text(files("ion_pipeline.defs").joinpath("dagster.yaml").read_text(encoding="utf-8"))
    return home


if __name__ == "__main__":
    sys.stdout.write(f"{prepare_dagster_home(Path(sys.argv[1]))}\n")
