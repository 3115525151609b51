"""Signed links: whoever holds one can read the file, so it is a credential and must not reach the lake.

A URL in a value keeps its scheme, host and path; if its query looks signed, the query goes. All else in the value stays
as it is. In doubt it is the secret that goes: file names with spaces and queries in fragments are followed too.
"""

import re

import pyarrow as pa
import pyarrow.compute as pc

# In JSON text a slash may be written `\/`, and other characters as `\uXXXX`.
_START = r"(?:https?|ftps?|wss?):(?:\\?/){2}"
# A link ends with its line, at a quote or bracket, or where the next one begins; not at a space.
_PLAIN = r"[^\r\n\t\"<>\\]"
_IN_TEXT = re.compile(rf"{_START}(?:(?!{_START})(?:{_PLAIN}|\\(?!\")))*", re.IGNORECASE)
# A newline or quote inside a JSON string is an escape.
_IN_JSON = re.compile(rf"{_START}(?:(?!{_START})(?:{_PLAIN}|\\(?![\"nrtbf])))*", re.IGNORECASE)
_NAMES = (
    r"x-(?:amz|goog|ms)-[\w-]+|awsaccesskeyid|googleaccessid|key-pair-id|policy|expires|sig|jwt"
    r"|[\w.-]*(?:signature|token|secret|password|api_?key)"
)
_SIGNED = re.compile(rf"(?:[?&;]|\\u0026)(?:amp;)?(?:{_NAMES})(?:=|\\u003d)\S*", re.IGNORECASE)
# For pyarrow's engine, which scans a whole column at once.
_CANDIDATE = r"(?i):(?:\\?/){2}.*[?&;]"


def without_signatures(values: pa.Array, *, is_json: bool) -> pa.Array:
    """Take the signed queries out of a column of strings.

    Args:
        values: Strings; nulls stay nulls.
        is_json: The strings are JSON text, which stays valid.

    Returns:
        The same array where nothing looks signed, which costs one vectorised scan.
    """
    if not (_has_scheme(values) and pc.any(pc.match_substring_regex(values, _CANDIDATE)).as_py()):
        return values
    return pa.array([value and strip_signatures(value, is_json=is_json) for value in values.to_pylist()], values.type)


def _has_scheme(values: pa.Array) -> bool:
    """Whether a colon and a slash follow each other anywhere: one search through the bytes of the whole column."""
    text = values.buffers()[2]
    found = text is not None and (b":/" in (content := text.to_pybytes()) or b":\\" in content)
    return bool(found)


def strip_signatures(text: str, *, is_json: bool) -> str:
    """Take the signed queries out of one string."""
    return (_IN_JSON if is_json else _IN_TEXT).sub(_stripped, text)


def _stripped(match: re.Match[str]) -> str:
    link = match.group()
    signed = list(_SIGNED.finditer(link))
    if not signed:
        return link
    query = link.find("?", 0, signed[0].start())
    start = query if query >= 0 else signed[0].start()
    return link[:start] + link[signed[-1].end() :]
