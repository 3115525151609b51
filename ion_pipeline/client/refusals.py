"""Classifies the errors under `errors` in an answer, and decides which of their texts are shown. Pure functions.

GraphQL has no standard error codes: servers send `extensions.code` or a text, so both are matched as one line. A text
about the query (its fields, its size, the token, a permission) is kept, because the reader needs it to act. A text
about a failure while rows were processed may quote those rows: only its beginning is kept, up to the first character
that could introduce a value.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Meaning = Literal["auth", "permission", "throttled", "invalid", "transient", "out of time", "too much", "unknown"]

_LONGEST_MESSAGE = 300
_MOST_MESSAGES = 5
# Only the beginning of a longer text is searched for secrets: the rest is clipped in any case.
_LONGEST_SEARCHED = 20_000
_MOST_NUMBERS = 20
_MOST_DIGITS = 9

# In this order: the first pattern that matches decides.
_PATTERNS: tuple[tuple[Meaning, str], ...] = (
    # Vendor manual: error codes, 401.
    (
        "auth",
        r"please provide proper credentials|unable to parse authentication token"
        r"|unable to find appropriate rsa key|unable to validate authentication token|token is expired"
        r"|^unauthenticated\b",
    ),
    ("permission", r"does not have permission|^forbidden\b"),
    ("throttled", r"throttl|rate.?limit|too many requests"),
    # graphql-core's texts for a query that does not match the schema.
    (
        "invalid",
        r"^cannot query |cannot query field|unknown (argument|type|directive|fragment|operation)"
        r"|undefined variable|expected (type|value of type|non-nullable type)|syntax error|is not defined by"
        r"|must (not )?have a selection|is required, but it was not provided|required type .* was not provided"
        r"|does not exist in .* enum"
        r"|used in position expecting|introspection",
    ),
    # A database that is briefly unavailable; "connection" alone is also GraphQL's word for ION's lists.
    (
        "transient",
        r"internal (server )?error|too many connections|connection (limit|slots?|reset|closed|refused|lost"
        r"|timed out|already closed|to (the )?server|was)|(lost|closed|terminated|broken).{0,24} connection"
        r"|could not connect|closed the connection|operationalerror|interfaceerror|deadlock|serialization failure"
        r"|temporar(y|ily)|service unavailable",
    ),
    ("out of time", r"tim(e|ed)[ -]?out|deadline exceeded|took too long|canceling statement"),
    (
        "too much",
        r"\bfirst\b|page.?size|complexit|too (complex|deep|expensive|large|big|costly)|\bcosts?\b|\bdepth\b"
        r"|\blimits?\b|\b(too many|max(imum)?)\b.{0,40}\b(rows|records|nodes|items|results|entries|objects)\b|exceed",
    ),
    (
        "invalid",
        r"graphql (validation|parse) failed|bad user input|got invalid value|has (an )?invalid value|invalid value",
    ),
)
_MEANINGS = tuple((meaning, re.compile(pattern, re.IGNORECASE)) for meaning, pattern in _PATTERNS)
# These words are about the page of one connection, not about the cost of the whole query.
_OF_ROWS = re.compile(r"\bfirst\b|page.?size|\b(rows|records|nodes|items|results|entries|objects)\b", re.IGNORECASE)
_OF_QUERY = re.compile(r"complexit|complex\b|\bcosts?\b|costly|\bdepth\b|deep\b|expensive", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\w.])\d[\d,_]*(?![\w.]*\w)")
# Characters that may introduce a value: quotes, brackets, a colon, an equals sign, a digit.
_VALUE = re.compile(r"[\"'`\u00ab\u00b4\u00bb\u2018-\u201f()\[\]{}<>:=\d]")
_SHOWN_WHOLE = frozenset({"auth", "permission", "throttled", "invalid", "too much"})


@dataclass(frozen=True, slots=True)
class Refusal:
    """One of the errors of an answer.

    Attributes:
        meaning: Its class.
        text: ION's text, without secrets and values, clipped.
        of_rows: Whether it is about a limit on the rows of one list.
        numbers: Whole numbers in its text if `of_rows`: one of them may be the limit.
    """

    meaning: Meaning
    text: str
    of_rows: bool = False
    numbers: tuple[int, ...] = ()


def refusals(body: Any, redact: Callable[[str], str] = str) -> tuple[Refusal, ...]:
    """The errors under `errors` in a parsed body; empty if there are none.

    Args:
        body: The parsed body.
        redact: Removes secrets from a text. It is applied before the text is clipped: a secret that is cut in two
            would not be recognised.
    """
    errors = body.get("errors") if isinstance(body, dict) else None
    if not errors:
        return ()
    if not isinstance(errors, list):
        errors = [errors]
    return tuple(_refusal(error, redact) for error in errors[:_MOST_MESSAGES])


def meaning_of(refused: Sequence[Refusal]) -> Meaning:
    """The meaning of several errors together: the one that decides how the request is handled."""
    meanings = [refusal.meaning for refusal in refused]
    for meaning in ("auth", "throttled", "too much", "out of time"):
        if meaning in meanings:
            return meaning
    # Any other meaning decides only if all errors have it.
    return meanings[0] if len(set(meanings)) == 1 else "invalid" if "invalid" in meanings else "unknown"


def joined(refused: Sequence[Refusal]) -> str:
    """ION's texts, to put inside a sentence that has its own full stop."""
    return "; ".join(text for refusal in refused if (text := refusal.text.rstrip(". ")))


def clipped(text: str, redact: Callable[[str], str]) -> str:
    """A server's text without secrets, shortened so that it can be shown."""
    return redact(text[:_LONGEST_SEARCHED])[:_LONGEST_MESSAGE]


def _refusal(error: Any, redact: Callable[[str], str]) -> Refusal:
    said = error.get("message") if isinstance(error, dict) else error
    # Nothing of an error without a message is shown: it may contain anything.
    text = said if isinstance(said, str) else "an error without a message"
    words = f"{_code(error)} {text}".strip()
    unknown: Meaning = "unknown"
    meaning = next((meaning for meaning, pattern in _MEANINGS if pattern.search(words)), unknown)
    if meaning not in _SHOWN_WHOLE:
        text = _head(text)
    of_rows = meaning == "too much" and bool(_OF_ROWS.search(words)) and not _OF_QUERY.search(words)
    return Refusal(meaning, clipped(text, redact), of_rows, tuple(_numbers(words)) if of_rows else ())


def _code(error: Any) -> str:
    """`extensions.code` as words, empty if there is none: `RATE_LIMITED` means the same as "Rate limited"."""
    extensions = error.get("extensions") if isinstance(error, dict) else None
    code = extensions.get("code") if isinstance(extensions, dict) else None
    return code.replace("_", " ") if isinstance(code, str) else ""


def _numbers(words: str) -> Iterator[int]:
    for found in _NUMBER.findall(words)[:_MOST_NUMBERS]:
        digits = found.replace(",", "").replace("_", "")
        if len(digits) <= _MOST_DIGITS:
            yield int(digits)


def _head(text: str) -> str:
    found = _VALUE.search(text)
    return text if found is None else f"{text[: found.start()].rstrip()} …"
