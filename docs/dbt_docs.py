"""Writes dbt's own documentation as one page, docs/dbt/index.html: models, columns, tests, SQL, lineage, exposures.

    python docs/dbt_docs.py [folder]

Sizes and column types come from the warehouse of the settings (by default the demo's) if it exists; without it the page
lacks only these. Neither writing nor showing the page uses the network: dbt's page contains a tracker, which the
project's settings turn off, and the policy added here forbids the browser to load anything from outside the page.
"""

import shutil
import sys
import tempfile
from pathlib import Path

from ion_pipeline.errors import IonPipelineError
from ion_pipeline.pipeline import dbt
from ion_pipeline.settings import load_settings

FOLDER = Path(__file__).parent / "dbt"
# dbt's page uses AngularJS, which compiles its templates in the browser.
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; "
    "img-src data: blob:; font-src data:"
)
_CHARSET = '<meta charset="utf-8">'
# dbt's build leaves this placeholder in the page; as a link it leads nowhere.
_ICON = """<link rel="shortcut icon" href="${require('./assets/favicons/favicon.ico')}"/>"""


def write(folder: Path = FOLDER) -> Path:
    """Write the page.

    Returns:
        The path of the page.

    Raises:
        BuildError: dbt cannot generate it; the message quotes dbt.
        ValueError: dbt's page has changed, so that the policy cannot be inserted.
    """
    with tempfile.TemporaryDirectory() as work:
        settings, options = load_settings(tenant=False), []
        # What dbt remembers of the project saves most of the parsing.
        remembered = Path(dbt.environment(settings)["DBT_TARGET_PATH"], "partial_parse.msgpack")
        if remembered.is_file():
            shutil.copy(remembered, work)
        if not settings.warehouse_path.is_file():
            settings, options = load_settings(tenant=False, data_dir=Path(work) / "none"), ["--empty-catalog"]
        dbt.run(settings, ["docs", "generate", "--static", *options, "--target-path", work])
        page = Path(work, "static_index.html").read_text(encoding="utf-8")
    if page.count(_CHARSET) != 1:
        raise ValueError("dbt's page has changed and the policy cannot be inserted: adapt docs/dbt_docs.py.")
    policy = f'{_CHARSET}<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / "index.html"
    target.write_text(page.replace(_CHARSET, policy).replace(_ICON, ""), encoding="utf-8")
    return target


def main() -> None:
    """Write the page and print its path."""
    try:
        page = write(*map(Path, sys.argv[1:2]))
    except IonPipelineError as error:
        sys.exit(str(error))
    print(page)


if __name__ == "__main__":
    main()
