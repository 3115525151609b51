"""Files that the pipeline makes are its user's alone, unless ION_UMASK says otherwise."""

import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from ion_pipeline import cli, definitions
from ion_pipeline.defs import home
from ion_pipeline.errors import SettingsError
from ion_pipeline.files.storage import replace_file
from ion_pipeline.publish.publish import publish
from ion_pipeline.settings import load_settings
from ion_pipeline.warehouse import Resources
from ion_pipeline.webhooks import Event, Inbox
from tests.unit.warehouse.support import House


@pytest.fixture(autouse=True)
def open_to_all(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As a machine may be set up: everybody may read new files."""
    for name in [name for name in os.environ if name.startswith("ION_")]:
        monkeypatch.delenv(name)
    before = os.umask(0o022)
    yield
    os.umask(before)


def command(monkeypatch: pytest.MonkeyPatch, data_dir: Path) -> None:
    """A command of the CLI, which decides how this process makes files."""
    monkeypatch.setattr(sys, "argv", ["ion-pipeline", "--data-dir", str(data_dir), "status"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert not ended.value.code


def make_everything(data_dir: Path) -> None:
    house = House(data_dir)
    house.write({"things": [{"id": 1, "name": "one"}]})
    house.load()
    with duckdb.connect(str(house.database)) as connection:
        connection.execute("create schema if not exists quality")
        connection.execute("create or replace table quality.t as select 1 as x")
    publish(house.database, data_dir / "published", resources=Resources("256MB", 1, 0.0))
    Inbox(data_dir / "webhooks.sqlite").store(Event("e1", "parts"))
    replace_file(data_dir / "report.html", b"x")
    home.prepare_dagster_home(data_dir / ".dagster")


def modes(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): stat.S_IMODE(path.lstat().st_mode) for path in folder.rglob("*")}


def test_every_file_is_the_users_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data_dir = tmp_path / "data"
    command(monkeypatch, data_dir)
    make_everything(data_dir)
    found = {path: mode for path, mode in modes(tmp_path).items() if not (tmp_path / path).is_symlink()}
    assert len(found) > 15
    assert {path: oct(mode) for path, mode in found.items() if mode & 0o077} == {}


def test_the_group_can_be_let_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ION_UMASK", "027")
    command(monkeypatch, tmp_path)
    make_everything(tmp_path)
    found = {path: mode for path, mode in modes(tmp_path).items() if not (tmp_path / path).is_symlink()}
    assert {path: oct(mode) for path, mode in found.items() if mode & 0o007} == {}
    published = {path: mode for path, mode in found.items() if path.startswith("published")}
    assert published
    assert {path: oct(mode) for path, mode in published.items() if not mode & 0o040} == {}


def test_a_data_directory_from_before_still_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_everything(tmp_path)
    before = modes(tmp_path)
    assert any(mode & 0o004 for mode in before.values())
    command(monkeypatch, tmp_path)
    make_everything(tmp_path)
    after = modes(tmp_path)
    fresh = {path for path in after.keys() - before.keys() if not (tmp_path / path).is_symlink()}
    assert fresh
    assert {path: oct(after[path]) for path in fresh if after[path] & 0o077} == {}


@pytest.mark.parametrize(("setting", "mask"), [(None, 0o077), ("027", 0o027), ("0027", 0o027), ("", 0o077)])
def test_dagsters_processes_make_files_alike(
    setting: str | None, mask: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    if setting is not None:
        monkeypatch.setenv("ION_UMASK", setting)
    monkeypatch.setattr(definitions, "build_definitions", dg.Definitions)
    definitions.defs()
    assert os.umask(0o022) == mask
    monkeypatch.setattr(sys, "argv", ["home", str(tmp_path / ".dagster")])
    home.main()
    assert os.umask(0o022) == mask


@pytest.mark.parametrize("wrong", ["777", "700", "7", "-27", "abc", "0o027", "028"])
def test_a_wrong_umask_is_refused_where_it_is_set(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ION_UMASK", wrong)
    with pytest.raises(SettingsError, match="ION_UMASK"):
        load_settings(tenant=False)
