"""Texts as people write them: all kinds of Unicode, rich text, and one text of a megabyte."""

import json
from typing import Any

# ruff: noqa: RUF001  confusable characters are the point of these texts

#: Texts that a careless layer would change. None contains NUL, because databases do not accept NUL in text.
AWKWARD: tuple[str, ...] = (
    "Grüße aus Zürich – Prüfmaß ½″ ± 0,05 µm",
    "日本語の注記:トルク確認済み",
    "🚀 launch vehicle 👩🏽‍🔧 hand-fit 🇨🇭",
    "עברית ואנגלית mixed, \u200fright-to-left",
    "العربية: تم الفحص",
    "combining: e\u0301 a\u0308 o\u0328 versus é ä ǫ",
    "zero\u200bwidth\u200djoined\ufeffmark",
    "tab\there, newline\nthere, return\r\nboth",
    "quotes \"double\" 'single' `back` and \\backslash\\ /slash/",
    "separators\u2028line\u2029paragraph\u0085next",
    "controls \x01\x1b[31mred\x1b[0m\x7f",
    "math 𝛔 ≤ 3·MR̄⁄1.128, astral 𝒳 \U0010ffff",
    "' OR 1=1; DROP TABLE parts; --",
    "{{ not_a_template }} ${NOR_THIS} %s %d",
    "NULL",
    "   leading and trailing   ",
    '=1+1,"csv";\ttsv',
    "ﬁ ligature, ŉ, ß vs SS, İstanbul, ΌΣΟΣ",
)

_LONG_LINE = 'Long text line {:06d}: torque sequence re-verified — Prüfprotokoll ✓ "quoted" \\ tab\t end.\n'
MEGABYTE = 1_000_000


def long_text(size: int = MEGABYTE) -> str:
    """A text of at least `size` characters (and more bytes) in which all lines differ."""
    lines: list[str] = []
    length = 0
    while length < size:
        line = _LONG_LINE.format(len(lines))
        lines.append(line)
        length += len(line)
    return "".join(lines)


def slate(*paragraphs: str) -> list[dict[str, Any]]:
    """Rich text with one node per paragraph (ion-api: SlateContent = rich-text JSON)."""
    return [{"type": "paragraph", "children": [{"text": paragraph}]} for paragraph in paragraphs]


def json_text(value: Any) -> str:
    """A value as JSON text, ION's JSONString."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
