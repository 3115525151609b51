"""Text that came from elsewhere, shown as text: nothing in it moves a cursor, hides, or turns other text around.

A serial number, a part's name or an error message of ION may hold any character. Printed as they are, an escape
sequence recolours or rewrites a terminal, a line feed forges a log line, and a bidirectional override makes one serial
look like another.
"""

import unicodedata

# Controls (ESC, C0, C1), formats (bidirectional overrides, zero-width marks), lone surrogates, line and paragraph ends.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_SHORT = {"\t": r"\t", "\n": r"\n", "\r": r"\r"}
# A spreadsheet takes a cell that begins so for a formula; the last four are the wide forms of the first.
_FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
# Up to where two and four digits are enough.
_BYTE, _PLANE = 0xFF, 0xFFFF


def visible(text: str, *, keep: str = "") -> str:
    r"""Write what cannot be seen as Python writes it: `\x1b`, `\n`, `\u202e`. Other text stays as it is.

    Args:
        text: Any text.
        keep: Characters to leave, such as the line feeds of a message of several lines.

    Returns:
        A text without control and format characters; the same where it is one already.
    """
    if text.isprintable():
        return text
    return "".join(_escaped(character) if _is_unseen(character, keep) else character for character in text)


def visible_json(text: str) -> str:
    """A JSON document with the same values, in which nothing is unseen but its line feeds."""
    if text.isprintable():
        return text
    return "".join(_json(character) if _is_unseen(character, "\n") else character for character in text)


def cell(value: object) -> object:
    """A value for a CSV that people open in a spreadsheet: no text in it runs as a formula.

    Args:
        value: Of any type; only text can be a formula, so numbers, negative ones too, stay numbers.

    Returns:
        The value; of a text that would run, the text with an apostrophe before it.
    """
    if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA):
        return f"'{value}"
    return value


def _is_unseen(character: str, keep: str) -> bool:
    return character not in keep and unicodedata.category(character) in _UNSEEN


def _escaped(character: str) -> str:
    code = ord(character)
    if character in _SHORT:
        return _SHORT[character]
    return f"\\x{code:02x}" if code <= _BYTE else f"\\u{code:04x}" if code <= _PLANE else f"\\U{code:08x}"


def _json(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
