"""HTML and SVG elements in which text cannot become markup: all that is not `Markup` is escaped.

`Markup(...)` takes a text as it is: for files of this package, never for data.
"""

import re
from collections.abc import Iterable  # noqa: TC003 -- part of an alias
from typing import Union

from markupsafe import Markup, escape

__all__ = ["Attribute", "Child", "Markup", "join", "point", "tag"]

_VOID = frozenset({"br", "input", "link", "meta"})
# Characters that HTML cannot contain, not even as a character reference.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")

Child = Union[str, int, "Iterable[Child]", None]
Attribute = str | float | bool | None


def tag(name: str, /, *children: Child, **attributes: Attribute) -> Markup:
    """An element. Text in it, and in its attributes, is escaped.

    Args:
        name: Name of the element.
        children: Text, numbers, other elements, or lists of them; None is left out.
        attributes: A final underscore is removed (`class_`), others become hyphens (`aria_label`). True gives an
            attribute without a value; False and None leave it out; floats are rounded to hundredths.
    """
    written = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in _VOID:
        return Markup(f"<{name}{written}>")  # noqa: S704 -- attributes are escaped
    return Markup(f"<{name}{written}>{join(children)}</{name}>")  # noqa: S704 -- as above, and children too


def join(children: Child) -> Markup:
    """Elements and text, concatenated."""
    if children is None:
        return Markup()
    if isinstance(children, Markup):
        return children
    if isinstance(children, str | int):
        return _escaped(children)
    return Markup().join(join(child) for child in children)


def point(value: float) -> str:
    """A coordinate, rounded to hundredths, without trailing zeros."""
    written = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if written == "-0" else written


def _attribute(key: str, value: Attribute) -> str:
    name = key.rstrip("_").replace("_", "-")
    if value is None or value is False:
        return ""
    if value is True:
        return f" {name}"
    written = point(value) if isinstance(value, float) else _escaped(value)
    return f' {name}="{written}"'


def _escaped(value: str | int) -> Markup:
    """A text as HTML shows it, quotes included; what HTML cannot hold becomes U+FFFD."""
    return escape(_FORBIDDEN.sub("\ufffd", str(value)))
