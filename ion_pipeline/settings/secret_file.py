"""A secret that is set as a variable, or in a file that another variable names."""

from pathlib import Path

from pydantic import SecretStr

from ion_pipeline.errors import SettingsError


def secret_of(value: SecretStr | None, name: str, file: Path | None) -> SecretStr | None:
    """The secret of a variable, or of a file if one is named; None if there is neither.

    Args:
        value: The variable's value.
        name: The variable that names the file, for messages.
        file: The file.

    Raises:
        SettingsError: The file cannot be read or is empty.
    """
    if file is None:
        return value
    try:
        secret = file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsError(
            f"{name}: {file} cannot be read ({error.strerror}).",
            remedy="Point it at a readable file that contains only the secret.",
        ) from None
    if not secret:
        raise SettingsError(f"{name}: {file} is empty.", remedy="Write the secret into the file.")
    return SecretStr(secret)
