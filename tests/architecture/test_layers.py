"""The layer rule: a package imports only those to its left. Read with `ast`, so nothing has to be importable."""

import ast
from pathlib import Path

import pytest

import ion_pipeline

PACKAGE = Path(ion_pipeline.__file__).parent
# Left to right. `sandbox` stands apart: it uses the base only, and only what starts it may import it.
BASE = ("ending", "endpoints", "errors", "heap", "logs", "plain", "rules", "schema", "settings")
LAYERS = ("client", "extract", "lake", "warehouse", "pipeline")
DRIVERS = ("defs", "definitions", "terminal", "commands", "cli")
ALLOWED: dict[str, set[str]] = {
    "ending": set(),
    "endpoints": set(),
    "errors": {"plain"},
    "heap": set(),
    "logs": {"plain"},
    "plain": set(),
    "schema": {"heap"},
    "rules": set(),
    "settings": {"endpoints", "errors", "rules"},
    **{layer: {"errors", "heap", "rules", "schema", *LAYERS[:position]} for position, layer in enumerate(LAYERS)},
    "sandbox": {"errors", "schema"},
    "terminal": {*BASE, *LAYERS},
    "report": {*BASE, *LAYERS},
    "webhooks": {"errors", "extract", "logs", "plain"},
    "defs": {*BASE, *LAYERS, "webhooks"},
    "definitions": {*BASE, *LAYERS, "defs"},
    "commands": {*BASE, *LAYERS, "report", "sandbox", "terminal", "webhooks"},
    "cli": {*BASE, *LAYERS, "sandbox", "terminal", "commands", "definitions", "defs"},
}
ALLOWED["pipeline"] |= {"ending", "endpoints", "logs", "settings", "sandbox"}
MAX_LINES = 350


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def layer_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return parts[0]


def imported_layers(path: Path) -> set[str]:
    layers: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute, so that a layer is readable in each of them"
            names = [f"{node.module}.{alias.name}" for alias in node.names] if node.module else []
        else:
            continue
        layers |= {name.split(".")[1] for name in names if name.startswith("ion_pipeline.")}
    return layers - {"__version__"}


def test_every_package_has_a_place() -> None:
    found = {layer_of(path) for path in modules()} - {"__init__"}
    assert found == set(ALLOWED)


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_left(path: Path) -> None:
    layer = layer_of(path)
    if layer == "__init__":
        assert not imported_layers(path)
        return
    beyond = imported_layers(path) - ALLOWED[layer] - {layer}
    assert not beyond, f"{path.relative_to(PACKAGE)} ({layer}) imports {sorted(beyond)}"


def test_dagster_is_imported_only_in_defs_and_its_drivers() -> None:
    drivers = {"defs", "definitions", "cli"}
    offenders = []
    for path in modules():
        names = {
            alias.name if isinstance(node, ast.Import) else node.module
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        }
        if any(name and name.startswith("dagster") for name in names) and layer_of(path) not in drivers:
            offenders.append(str(path.relative_to(PACKAGE)))
    assert offenders == []


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_is_one_idea(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_LINES


def test_the_client_cannot_write() -> None:
    """Least privilege: no GraphQL mutation exists anywhere in the package."""
    sources = [path for path in modules() if layer_of(path) in {"client", "extract"}]
    assert sources
    assert not [path for path in sources if "mutation" in path.read_text(encoding="utf-8")]
