"""Removes signed links: such a link lets anyone read the file, so it is a credential and must not reach the lake.

A URL in a value keeps its scheme, host and path; its query is removed if it looks signed. The rest of the value stays
unchanged. In doubt the query is removed: links with spaces in file names, or with a query in the fragment, count too.
"""

import re

import pyarrow as pa
import pyarrow.compute as pc

# In JSON text a slash may be written `\/`, and other characters as `\uXXXX`.
_START = r"(?:https?|ftps?|wss?):(?:\\?/){2}"
# A link ends at the end of its line, at a quote or bracket, or where the next link begins; it does not end at a space.
_PLAIN = r"[^\r\n\t\"<>\\]"
_IN_TEXT = re.compile(rf"{_START}(?:(?!{_START})(?:{_PLAIN}|\\(?!\")))*", re.IGNORECASE)
# In a JSON string a newline or quote is an escape sequence.
_IN_JSON = re.compile(rf"{_START}(?:(?!{_START})(?:{_PLAIN}|\\(?![\"nrtbf])))*", re.IGNORECASE)
_NAMES = (
    r"x-(?:amz|goog|ms)-[\w-]+|awsaccesskeyid|googleaccessid|key-pair-id|policy|expires|sig|jwt"
    r"|[\w.-]*(?:signature|token|secret|password|api_?key)"
)
_SIGNED = re.compile(rf"(?:[?&;]|\\u0026)(?:amp;)?(?:{_NAMES})(?:=|\\u003d)\S*", re.IGNORECASE)
# For pyarrow's regular expressions, which scan a whole column at once.
_CANDIDATE = r"(?i):(?:\\?/){2}.*[?&;]"


def without_signatures(values: pa.Array, *, is_json: bool) -> pa.Array:
    """Remove the signed queries from a column of strings.

    Args:
        values: Strings; nulls stay null.
        is_json: Whether the strings are JSON text; it stays valid.

    Returns:
        The same array if nothing looks signed, which costs one vectorised scan.
    """
    if not (_has_scheme(values) and pc.any(pc.match_substring_regex(values, _CANDIDATE)).as_py()):
        return values
    return pa.array([value and strip_signatures(value, is_json=is_json) for value in values.to_pylist()], values.type)


def _has_scheme(values: pa.Array) -> bool:
    """Whether the column holds a colon followed by a slash: one search through its bytes."""
    text = values.buffers()[2]
    found = text is not None and (b":/" in (content := text.to_pybytes()) or b":\\" in content)
    return bool(found)


def strip_signatures(text: str, *, is_json: bool) -> str:
    """Remove the signed queries from one string."""
    return (_IN_JSON if is_json else _IN_TEXT).sub(_stripped, text)


def _stripped(match: re.Match[str]) -> str:
    link = match.group()
    signed = list(_SIGNED.finditer(link))
    if not signed:
        return link
    query = link.find("?", 0, signed[0].start())
    start = query if query >= 0 else signed[0].start()
    return link[:start] + link[signed[-1].end() :]
