"""Signed links: whoever holds one can read the file, so it is a credential and must not reach the lake.

A URL in a value keeps its scheme, host and path; if its query looks signed, query and fragment go. All else in the
value stays as it is.
"""

import re

import pyarrow as pa
import pyarrow.compute as pc

_NAMES = (
    r"x-(?:amz|goog|ms)-[\w-]+|awsaccesskeyid|googleaccessid|key-pair-id|policy|expires|sig|jwt"
    r"|[\w.-]*(?:signature|token|secret|password|api_?key)"
)
_SIGNED = re.compile(rf"(?:^\?|[&;]|\\u0026)(?:{_NAMES})(?:=|\\u003d)", re.IGNORECASE)
# In JSON text a slash may be written `\/`, and other characters as `\uXXXX`.
_START = r"[a-z][a-z0-9+.-]*:(?:\\?/){2}(?:[^\s\"<>?#\\]|\\/)*"
_IN_TEXT = r"(?:[^\s\"<>\\]|\\(?!\"))*"
# A newline or quote inside a JSON string is an escape and ends the link.
_IN_JSON = r"(?:[^\s\"<>\\]|\\(?![\"nrtbf]))*"
_URL_IN_TEXT = re.compile(rf"({_START})(\?{_IN_TEXT})", re.IGNORECASE)
_URL_IN_JSON = re.compile(rf"({_START})(\?{_IN_JSON})", re.IGNORECASE)
# For pyarrow's engine, which scans a whole column at once.
_CANDIDATE = r"(?i):(?:\\?/){2}[^\s\"<>?#]*\?"


def without_signatures(values: pa.Array, *, is_json: bool) -> pa.Array:
    """Take the signed queries out of a column of strings.

    Args:
        values: Strings; nulls stay nulls.
        is_json: The strings are JSON text, which stays valid.

    Returns:
        The same array where nothing looks signed, which costs one vectorised scan.
    """
    if not pc.any(pc.match_substring_regex(values, _CANDIDATE)).as_py():
        return values
    return pa.array([value and strip_signatures(value, is_json=is_json) for value in values.to_pylist()], values.type)


def strip_signatures(text: str, *, is_json: bool) -> str:
    """Take the signed queries out of one string."""
    return (_URL_IN_JSON if is_json else _URL_IN_TEXT).sub(_stripped, text)


def _stripped(match: re.Match[str]) -> str:
    query = match.group(2).replace("&amp;", "&")
    return match.group(1) if _SIGNED.search(query) else match.group(0)
