"""Makes control characters in text from elsewhere visible, so that they have no effect where the text is shown.

A serial number, a part's name or an error message of ION may contain any character. Printed unchanged, an escape
sequence recolours or rewrites a terminal, a line feed forges a log line, and a bidirectional override makes one serial
number look like another.
"""

import csv
import io
import unicodedata
from collections.abc import Iterable

# Controls (ESC, C0, C1), formats (bidirectional overrides, zero-width marks), lone surrogates, line and paragraph ends.
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_SHORT = {"\t": r"\t", "\n": r"\n", "\r": r"\r"}
# A spreadsheet treats a cell that begins with one of these as a formula; the last four are full-width forms.
_FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
# The largest code points that two and four hexadecimal digits can express.
_BYTE, _PLANE = 0xFF, 0xFFFF


def visible(text: str, *, keep: str = "") -> str:
    r"""Replace invisible characters with Python's escape sequences, such as `\x1b`, `\n` and `\u202e`.

    Args:
        text: Any text.
        keep: Characters to keep, such as the line feeds of a message of several lines.

    Returns:
        The text without control and format characters; the same object if it contains none.
    """
    if text.isprintable():
        return text
    return "".join(_escaped(character) if is_invisible(character, keep) else character for character in text)


def visible_json(text: str) -> str:
    """The same JSON document with all invisible characters except line feeds escaped."""
    if text.isprintable():
        return text
    return "".join(_json(character) if is_invisible(character, "\n") else character for character in text)


def cell(value: object) -> object:
    """A value for a CSV file that people open in a spreadsheet: no text in it is run as a formula.

    Args:
        value: Any value; only text can be a formula, so numbers, including negative ones, are unchanged.

    Returns:
        The value; a text that would be run as a formula gets an apostrophe before it.
    """
    if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA):
        return f"'{value}"
    return value


def csv_line(cells: Iterable[object]) -> str:
    """A line of a CSV file, without its end; lists are joined with a semicolon."""
    # The writer quotes only characters of its own line terminator, and a carriage return in a cell needs quotes too.
    line = io.StringIO()
    texts = (";".join(map(str, each)) if isinstance(each, list) else each for each in cells)
    csv.writer(line, lineterminator="\r\n").writerow([cell(each) for each in texts])
    return line.getvalue().removesuffix("\r\n")


def is_invisible(character: str, keep: str = "") -> bool:
    """Whether a character has an effect or no shape of its own where it is shown, and is not one of those to keep."""
    return character not in keep and unicodedata.category(character) in _INVISIBLE


def _escaped(character: str) -> str:
    code = ord(character)
    if character in _SHORT:
        return _SHORT[character]
    return f"\\x{code:02x}" if code <= _BYTE else f"\\u{code:04x}" if code <= _PLANE else f"\\U{code:08x}"


def _json(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
