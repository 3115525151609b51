"""An organisation's own seeds: files in the folder of ION_SEEDS_DIR replace the shipped seeds of the same name.

dbt reads one project folder. With own seeds, it is a folder of symbolic links in the data directory: to the files of
the shipped project, and to the organisation's seed files. Because nothing is copied, an edit takes effect with the next
build.
"""

import csv
import os
from pathlib import Path

from ion_pipeline.errors import SettingsError


def linked_project(shipped: Path, own: Path, work: Path) -> Path:
    """Create or update the folder of links; return its path.

    Args:
        shipped: Folder of the shipped project.
        own: Folder of the organisation's seed files; for the other seeds, the shipped files are used.
        work: Folder of the files that dbt writes, which the folder of links is created in.

    Raises:
        SettingsError: The folder does not exist, or holds a file that is not a seed or has different columns.
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
    remedy = "See docs/seeds.md for the names and columns of the seeds."
    if not own.is_dir():
        raise SettingsError(f"ION_SEEDS_DIR is {own}, which is not a folder.", remedy=remedy)
    names = sorted(path.name for path in shipped.glob("*.csv"))
    for path in sorted(own.glob("*.csv")):
        if path.name not in names:
            raise SettingsError(f"{path} is not a seed. The seeds are {', '.join(names)}.", remedy=remedy)
        if (columns := _columns(path)) != (expected := _columns(shipped / path.name)):
            raise SettingsError(
                f"{path} has the columns {', '.join(columns)} instead of {', '.join(expected)}.", remedy=remedy
            )


def _columns(path: Path) -> list[str]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return next(csv.reader(file), [])


def _link(folder: Path, targets: dict[str, Path]) -> None:
    """Make a folder contain exactly these links. A link is replaced by a rename, so that it is never missing."""
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
