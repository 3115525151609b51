"""What is expected at a place of an answer, or an error that names the place. Pure functions.

A GraphQL server keeps its own schema, as a rule: null where a list has to be, a count as text, an object left out occur
all the same, from a gateway in between or from a server that is half up. Every reader of an answer takes its parts
by name and says what they have to be; the error is the same for all. A value is never quoted, only its kind: it may
be a row's.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from ion_pipeline.client.errors import UnexpectedAnswerError

REMEDY = "Nothing of the answer was kept. Try again; if it stays, report the place to ION's support."
_NONE = type(None)
_KINDS: dict[type, str] = {
    str: "text",
    bool: "a boolean",
    int: "a whole number",
    float: "a number",
    list: "a list",
    dict: "an object",
    _NONE: "null",
}


def kind_of(value: Any) -> str:
    """What a JSON value is, in words that do not show it."""
    # What is none of these is a number that is kept as it was sent.
    return _KINDS.get(type(value), "a number")


@dataclass(frozen=True, slots=True)
class Part:
    """A value of an answer, and where it stands.

    Attributes:
        value: The value, as parsed from JSON.
        operation: What was asked, as error messages name it ("parts, page 3").
        path: The place ("parts.pageInfo"); empty for the answer itself.
    """

    value: Any
    operation: str
    path: str = ""

    def part(self, name: str, *, shown: str | None = None) -> "Part":
        """A field of an object.

        Args:
            name: The field.
            shown: What messages call it: its name, where a query gave it an alias.

        Raises:
            UnexpectedAnswerError: This is no object, or it has no such field.
        """
        path = _joined(self.path, shown or name)
        fields = self.object()
        if name not in fields:
            raise _missing(self.operation, path)
        return Part(fields[name], self.operation, path)

    def object(self) -> dict[str, Any]:
        """The value, an object. Raises UnexpectedAnswerError."""
        found: dict[str, Any] = self._of({dict}, "an object")
        return found

    def elements(self) -> "Parts":
        """The elements of a list. Raises UnexpectedAnswerError."""
        found: list[Any] = self._of({list}, "a list")
        path = self.path
        return Parts(found, self.operation, lambda index: f"{path}[{index}]")

    def count(self) -> int:
        """The value, a whole number that is not negative. Raises UnexpectedAnswerError."""
        found: int = self._of({int}, "a whole number")
        if found < 0:
            raise UnexpectedAnswerError(
                f"{self.operation}: {self.path} in ION's answer is a negative number.", remedy=REMEDY
            )
        return found

    def identifier(self) -> str:
        """The value, an id: a text or a whole number, both of which GraphQL's `ID` may be sent as.

        Raises:
            UnexpectedAnswerError: It is neither.
        """
        return str(self._of({str, int}, "text or a whole number"))

    def flag(self) -> bool:
        """The value, true or false. Raises UnexpectedAnswerError."""
        found: bool = self._of({bool}, "a boolean")
        return found

    def text_or_null(self) -> str | None:
        """The value, a text or null. Raises UnexpectedAnswerError."""
        found: str | None = self._of({str, _NONE}, "text or null")
        return found

    def _of(self, kinds: set[type], wanted: str) -> Any:
        if type(self.value) not in kinds:
            raise _unlike(self.operation, self.path or "what is there", self.value, wanted)
        return self.value


@dataclass(frozen=True, slots=True)
class Parts:
    """The same part of each element of a list: looked at one by one only where one of them is wrong.

    Attributes:
        values: Element by element.
        operation: What was asked.
        path: The place of the element at an index.
    """

    values: list[Any]
    operation: str
    path: Callable[[int], str]

    def each(self, name: str) -> "Parts":
        """A field of each. Raises UnexpectedAnswerError: one is no object, or lacks it."""
        rows, path = self.objects(), self.path
        try:
            values = [row[name] for row in rows]
        except KeyError:
            index = next(index for index, row in enumerate(rows) if name not in row)
            raise _missing(self.operation, _joined(path(index), name)) from None
        return Parts(values, self.operation, lambda index: _joined(path(index), name))

    def objects(self) -> list[dict[str, Any]]:
        """The values, objects all. Raises UnexpectedAnswerError."""
        return self._all({dict}, "an object")

    def whole_numbers(self) -> list[int]:
        """The values, whole numbers all. Raises UnexpectedAnswerError."""
        return self._all({int}, "a whole number")

    def texts(self) -> list[str]:
        """The values, texts all. Raises UnexpectedAnswerError."""
        return self._all({str}, "text")

    def scalars(self) -> list[Any]:
        """The values, none of them a list or an object. Raises UnexpectedAnswerError."""
        return self._all({str, int, float, bool, _NONE}, "a single value")

    def lists(self) -> "Iterable[Parts]":
        """The elements of each, one after another; null is an empty list. Raises UnexpectedAnswerError."""
        for index, value in enumerate(self._all({list, _NONE}, "a list")):
            yield Part(value or [], self.operation, self.path(index)).elements()

    def _all(self, kinds: set[type], wanted: str) -> list[Any]:
        if not set(map(type, self.values)) <= kinds:
            index = next(index for index, value in enumerate(self.values) if type(value) not in kinds)
            raise _unlike(self.operation, self.path(index), self.values[index], wanted)
        return self.values


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _missing(operation: str, path: str) -> UnexpectedAnswerError:
    return UnexpectedAnswerError(f"{operation}: {path} is missing in ION's answer.", remedy=REMEDY)


def _unlike(operation: str, path: str, value: Any, wanted: str) -> UnexpectedAnswerError:
    return UnexpectedAnswerError(
        f"{operation}: {path} in ION's answer is {kind_of(value)} instead of {wanted}.", remedy=REMEDY
    )
