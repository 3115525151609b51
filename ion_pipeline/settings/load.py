"""Settings from the environment and `.env`, and what is wrong with them in one sentence."""

import os
from typing import Any, get_args

from dotenv import dotenv_values
from pydantic import ValidationError

from ion_pipeline import rules
from ion_pipeline.errors import SettingsError
from ion_pipeline.settings.model import DataSettings, Environment, Settings


def load_settings(*, tenant: bool = True, **overrides: Any) -> Settings:
    """Read the settings from the environment.

    Args:
        tenant: Whether the tenant's address and credentials must be complete.
        **overrides: Values that take precedence over the environment, by field name; None is ignored.

    Raises:
        SettingsError: A setting is missing or wrong. The message names the variable and the remedy, never a value.
    """
    kind = Settings if tenant else DataSettings
    try:
        return kind(**{name: value for name, value in overrides.items() if value is not None})
    except ValidationError as error:
        problems = error.errors(include_input=False)
        raise SettingsError("; ".join(map(_explain, problems)) + ".") from None


def unknown_settings() -> list[str]:
    """A sentence for each `ION_*` name in the environment or in `.env` that is not a setting, and probably mistyped."""
    known = {f"ION_{name.upper()}" for name in Settings.model_fields}
    return list(rules.unknown((*os.environ, *dotenv_values(".env")), known))


def _explain(problem: Any) -> str:
    message = str(problem["msg"]).removeprefix("Value error, ")
    if not problem["loc"]:
        return message
    name = str(problem["loc"][0])
    if name == "environment":
        message = f"must be one of {', '.join(get_args(Environment))}"
    elif problem["type"] == "string_pattern_mismatch":
        message = f"has the wrong form (the default is {Settings.model_fields[name].default})"
    return f"ION_{name.upper()}: {message[0].lower()}{message[1:]}"
