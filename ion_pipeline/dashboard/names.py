"""Identifiers of what is in the archive. They follow from names, so that a later archive means the same things."""

from typing import Any
from uuid import NAMESPACE_DNS, uuid5

Document = dict[str, Any]
#: Version of Superset's format.
VERSION = "1.0.0"
_IDS = uuid5(NAMESPACE_DNS, "dashboard.ion-pipeline")


def identifier_of(*names: str) -> str:
    """The UUID of a thing, by its kind and names."""
    return str(uuid5(_IDS, "/".join(names)))


def word(name: str) -> str:
    """A name as a part of a key or a path."""
    return "".join(letter if letter.isalnum() else "-" for letter in name.lower())
