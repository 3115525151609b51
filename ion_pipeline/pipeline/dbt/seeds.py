"""An organisation's own seeds: files of a folder of its own stand in for the shipped ones of the same name.

dbt reads one project. With seeds of one's own it is a folder of links in the data directory: everything is the shipped
project's, but for the seed files that the organisation has. Nothing is copied, so what is edited counts at once.
"""

import csv
import os
from pathlib import Path

from ion_pipeline.errors import SettingsError


def linked_project(shipped: Path, own: Path, work: Path) -> Path:
    """The project with an organisation's seeds in it.

    Args:
        shipped: The project as it is shipped.
        own: Folder of the organisation's seed files; those that are not in it stay as shipped.
        work: Where dbt's own files are; the folder of links is made there, or brought up to date.

    Raises:
        SettingsError: The folder is not there, or holds a file that is no seed or has other columns.
    """
    _check(shipped / "seeds", own)
    project = work / "project"
    _link(project, {path.name: path for path in shipped.iterdir() if path.name not in {"seeds", "target", "logs"}})
    _link(
        project / "seeds",
        {path.name: own / path.name if (own / path.name).is_file() else path for path in (shipped / "seeds").iterdir()},
    )
    return project


def _check(shipped: Path, own: Path) -> None:
    remedy = "See docs/seeds.md for what each seed holds."
    if not own.is_dir():
        raise SettingsError(f"ION_SEEDS_DIR is {own}, and that is no folder.", remedy=remedy)
    names = sorted(path.name for path in shipped.glob("*.csv"))
    for path in sorted(own.glob("*.csv")):
        if path.name not in names:
            raise SettingsError(f"{path} is no seed: there are {', '.join(names)}.", remedy=remedy)
        if (columns := _columns(path)) != (expected := _columns(shipped / path.name)):
            raise SettingsError(
                f"{path} has the columns {', '.join(columns)} instead of {', '.join(expected)}.", remedy=remedy
            )


def _columns(path: Path) -> list[str]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return next(csv.reader(file), [])


def _link(folder: Path, targets: dict[str, Path]) -> None:
    """Have these links in a folder, and no others; an exchanged link is never missing in between."""
    folder.mkdir(parents=True, exist_ok=True)
    for link in folder.iterdir():
        if link.is_symlink() and link.name not in targets and not link.name.startswith("."):
            link.unlink()
    for name, target in targets.items():
        link, absolute = folder / name, target.absolute()
        if link.is_symlink() and link.readlink() == absolute:
            continue
        fresh = folder / f".{name}.{os.getpid()}"
        fresh.symlink_to(absolute)
        fresh.replace(link)
