"""What a module may be. Which package imports which is stated in pyproject.toml and checked by `lint-imports`."""

import ast
from pathlib import Path

import ion_pipeline

PACKAGE = Path(ion_pipeline.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
MAX_LINES = 350


def test_a_module_is_one_idea() -> None:
    lines = {str(path.relative_to(PACKAGE)): len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    assert len(lines) > 200
    assert {name: count for name, count in lines.items() if count > MAX_LINES} == {}


def test_imports_are_absolute() -> None:
    """So that each import names the layer that it reaches."""
    relative = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert relative == []


def test_the_client_cannot_write() -> None:
    """Least privilege: no GraphQL mutation exists anywhere in what asks ION."""
    asking = [path for path in MODULES if path.relative_to(PACKAGE).parts[0] in {"catalog", "client", "extract"}]
    assert len(asking) > 30
    assert not [path for path in asking if "mutation" in path.read_text(encoding="utf-8")]
