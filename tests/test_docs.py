"""The documentation is true: generated references are current, every SQL block runs, every link leads somewhere."""

import re
import runpy
from pathlib import Path

import pytest

from ion_pipeline.cli import app
from ion_pipeline.pipeline import dbt
from tests.integration.conftest import once, parsed, shared_folder

__all__ = ["once", "parsed", "shared_folder"]

REPOSITORY = Path(__file__).parent.parent
PAGES = [REPOSITORY / "README.md", REPOSITORY / "CONTRIBUTING.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
FROM_MODELS = ("dictionary.md", "diagrams.md", "metrics.md")
GENERATE = runpy.run_path(str(REPOSITORY / "docs" / "generate.py"))


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.slow] if name.endswith(FROM_MODELS) else [])
        for name in GENERATE["GENERATED"]
    ],
)
def test_generated_reference_is_current(
    name: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if request.node.get_closest_marker("slow"):
        request.getfixturevalue("parsed")(tmp_path)
        manifest = tmp_path / "dbt" / "target" / "manifest.json"
        monkeypatch.setattr(dbt, "prepared_manifest", lambda _: manifest)
    assert (REPOSITORY / name).read_text("utf-8") == GENERATE["GENERATED"][name](), f"{name}: run make docs"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text("utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_command_is_named_in_the_operators_or_readme_pages() -> None:
    text = "".join(page.read_text("utf-8") for page in PAGES)
    commands = [command.name or command.callback.__name__ for command in app.registered_commands if command.callback]
    assert commands
    assert [
        command for command in commands if f"`{command}`" not in text and f"ion-pipeline {command}" not in text
    ] == []


def test_version_and_changelog_agree() -> None:
    changelog = (REPOSITORY / "CHANGELOG.md").read_text("utf-8")
    version = re.search(r'^version = "(.+)"$', (REPOSITORY / "pyproject.toml").read_text("utf-8"), re.MULTILINE)
    package = re.search(r'__version__ = "(.+)"', (REPOSITORY / "ion_pipeline" / "__init__.py").read_text("utf-8"))
    assert version
    assert package
    assert version[1] == package[1]
    assert "## Unreleased" in changelog or f"## {version[1]}" in changelog
