"""Reads the coded index of a report, as its description says and `report.js` does."""

from ion_pipeline.report.search_index import DIGITS


def numbers_of(text: str) -> list[int]:
    """Each number ends at the first of the lower 32 digits; digits count from the lowest."""
    found, digits = [], []
    for character in text:
        value = DIGITS.index(character)
        digits.append(value % 32)
        if value < 32:
            gap = sum(digit * 32**place for place, digit in enumerate(digits))
            found.append(gap + 1 + (found[-1] if found else -1))
            digits = []
    assert not digits
    return found


def names_of(written: list[str]) -> list[str]:
    """The shared beginning counts characters as JavaScript does: in units of UTF-16."""
    found = [b""]
    for text in written:
        shared = DIGITS.index(text[0])
        found.append(found[-1][: 2 * shared] + text[1:].encode("utf-16-le"))
    return [name.decode("utf-16-le") for name in found[1:]]
