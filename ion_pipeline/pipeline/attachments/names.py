"""Makes the name of a file on disk from the name that ION gives, which may be any text. Pure functions."""

import unicodedata

from ion_pipeline.plain import is_invisible

# What separates folders or streams on some system, or what a shell or Windows gives a meaning.
_NOT_IN_NAMES = frozenset('/\\:*?"<>|')
# File systems allow 255 bytes; other programs append to a name.
_MOST_BYTES, _MOST_BYTES_OF_SUFFIX = 180, 20


def safe_name(number: int, name: str | None) -> str:
    """The name on disk of the file with this id: two files never have the same one, whatever ION calls them.

    Args:
        number: ION's id of the file.
        name: ION's name of it; it is never used as a path.

    Example:
        >>> safe_name(53, "../../etc/passwd"), safe_name(7, None)
        ('53-_.._etc_passwd', '7-file')
    """
    text = unicodedata.normalize("NFC", name or "")
    plain = "".join("_" if _is_unsafe(character) else character for character in text).strip(". ")
    return f"{number}-{_shortened(plain) or 'file'}"


def _is_unsafe(character: str) -> bool:
    return character in _NOT_IN_NAMES or is_invisible(character)


def _shortened(name: str) -> str:
    """The name in few enough bytes; the suffix is kept."""
    if len(name.encode()) <= _MOST_BYTES:
        return name
    stem, dot, suffix = name.rpartition(".")
    if not stem or len(suffix.encode()) > _MOST_BYTES_OF_SUFFIX:
        stem, dot, suffix = name, "", ""
    room = _MOST_BYTES - len(f"{dot}{suffix}".encode())
    return stem.encode()[:room].decode(errors="ignore").rstrip(". ") + dot + suffix
