"""What a module may be. Which package imports which is stated in pyproject.toml and checked by `lint-imports`."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import ion_pipeline

PACKAGE = Path(ion_pipeline.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
TESTS = Path(__file__).parents[1]
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


def test_a_command_starts_without_what_only_others_need() -> None:
    """A second of each start, also of `--help` and completion: commands import libraries when they run."""
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, ion_pipeline.cli; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert "ion_pipeline.commands.abom" in loaded
    assert {"dagster", "duckdb", "graphql", "httpx", "jinja2", "pyarrow", "uvicorn"} & {*loaded} == set()


def imported(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every module that may be imported, with the line; `from package import name` may name a module too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = f"tests.{node.module}" if node.level else f"{node.module}"
            yield node.lineno, module
            yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)


def is_of_a_test_module(name: str) -> bool:
    parts = name.split(".")
    return parts[0] == "tests" and any(part.startswith("test_") for part in parts)


def test_no_module_of_tests_imports_from_a_test_module() -> None:
    """What tests share has a module of its own, so that each test module can be moved, split or left out."""
    paths = sorted(TESTS.rglob("*.py"))
    assert len(paths) > 200
    found = [
        f"{path.relative_to(TESTS)}:{line}: {name}"
        for path in paths
        for line, name in imported(ast.parse(path.read_text(encoding="utf-8")))
        if is_of_a_test_module(name)
    ]
    assert found == []
