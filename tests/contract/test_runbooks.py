"""docs/runbooks.md has an entry for everything that can stop a run; tests/test_definitions.py covers the checks."""

import ast
import re
from pathlib import Path

import pytest

from ion_pipeline.client.errors import IonApiError
from ion_pipeline.errors import IonPipelineError
from ion_pipeline.settings import load_settings

REPOSITORY = Path(__file__).parents[2]
RUNBOOKS = (REPOSITORY / "docs" / "runbooks.md").read_text("utf-8")
# Base classes of which only subclasses are raised.
_BASES = {IonPipelineError.__name__, IonApiError.__name__}


def errors() -> set[str]:
    """Return the names of all errors that the package raises on purpose, except those of the sandbox."""
    package = REPOSITORY / "ion_pipeline"
    bases = {
        node.name: {base.id for base in node.bases if isinstance(base, ast.Name)}
        for path in package.rglob("*.py")
        if path.relative_to(package).parts[0] != "sandbox"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ClassDef)
    }
    found = set(_BASES)
    while more := {name for name, above in bases.items() if above & found} - found:
        found |= more
    return found - _BASES


def test_every_error_has_an_entry_and_every_entry_an_error() -> None:
    assert len(errors()) > 25
    named = set(re.findall(r"`(\w+Error)`", RUNBOOKS))
    assert named == errors()


def test_every_error_response_of_the_receiver_has_an_entry() -> None:
    source = (REPOSITORY / "ion_pipeline" / "webhooks" / "app.py").read_text("utf-8")
    answers = set(re.findall(r"HTTPException\((\d{3})", source))
    assert {"401", "429"} <= answers
    webhooks = RUNBOOKS.partition("## Webhooks")[2]
    rows = " ".join(line.split("|")[1] for line in webhooks.splitlines() if line.startswith("|"))
    assert {status for status in answers if status not in rows} == set()


@pytest.mark.slow
def test_every_notifier_has_an_entry() -> None:
    from ion_pipeline.defs.notify import failure_sensor

    sensor = failure_sensor(lambda: load_settings(tenant=False), is_on=True)
    assert f"`{sensor.name}`" in RUNBOOKS
    assert "(freshness)" in RUNBOOKS
