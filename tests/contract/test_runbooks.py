"""docs/runbooks.md has an entry for everything that can stop a run; tests/test_definitions.py covers the checks."""

import importlib
import pkgutil
import re
from pathlib import Path

import ion_pipeline
from ion_pipeline.client.errors import IonApiError
from ion_pipeline.defs.notify import failure_sensor
from ion_pipeline.errors import IonPipelineError
from ion_pipeline.settings import load_settings

REPOSITORY = Path(__file__).parents[2]
RUNBOOKS = (REPOSITORY / "docs" / "runbooks.md").read_text("utf-8")
# Base classes of which only subclasses are raised.
_BASES = {IonPipelineError, IonApiError}


def errors() -> set[str]:
    """Return the names of all errors that the package raises on purpose, except those of the sandbox."""
    found: set[type[IonPipelineError]] = set()
    for module in pkgutil.walk_packages(ion_pipeline.__path__, "ion_pipeline."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    waiting: list[type[IonPipelineError]] = [IonPipelineError]
    while waiting:
        error = waiting.pop()
        found.add(error)
        waiting += error.__subclasses__()
    return {
        error.__name__
        for error in found - _BASES
        if error.__module__.startswith("ion_pipeline.") and ".sandbox." not in error.__module__
    }


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


def test_every_notifier_has_an_entry() -> None:
    sensor = failure_sensor(lambda: load_settings(tenant=False), is_on=True)
    assert f"`{sensor.name}`" in RUNBOOKS
    assert "(freshness)" in RUNBOOKS
