"""What an object store's refusal means and what to do about it, in one line.

The answers are those of S3, Google Cloud Storage and Azure Blob Storage, as `obstore` quotes them. The quotation itself
is not repeated: it may hold a signature.
"""

import re

from ion_pipeline.files.errors import ObjectStoreError

_CODE = re.compile(r"<Code>([\w.]+)</Code>")
_STATUS = re.compile(r"status code: (\d{3})")
_METHOD = re.compile(r"Error performing ([A-Z]+) ")
_WRITES = frozenset({"PUT", "POST", "DELETE"})
# No store of anybody: where a machine of a cloud asks for its own credentials.
_MACHINE = (
    "169.254.169.254",
    "latest/api/token",
    "169.254.170.2",
    "metadata.google.internal",
    "metadata/identity/oauth2",
)

_SILENCE = ("HTTP error", "error sending request", "timed out")

_NONE = (
    "there are no credentials for the store in the environment",
    "Set the variables of the store's client, such as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
)
_HTTP = (
    "the store's address uses http, which anybody on the network can read",
    "Use https, or set AWS_ALLOW_HTTP=true for a store on this machine or in a private network.",
)
_NO_BUCKET = "the bucket does not exist", "Create the bucket, or correct ION_LAKE_URI."
_REFUSED = "the store does not accept the credentials", "Correct the credentials in the environment."
_EXPIRED = "the credentials have expired", "Renew the credentials in the environment, then run again."
_CLOCK = "this machine's clock differs too much from the store's", "Set the clock."
_REGION = "the bucket is in another region", "Set AWS_REGION to the region of the bucket."
_BY_CODE = {
    "NoSuchBucket": _NO_BUCKET,
    "ContainerNotFound": _NO_BUCKET,
    "InvalidAccessKeyId": _REFUSED,
    "SignatureDoesNotMatch": _REFUSED,
    "InvalidToken": _REFUSED,
    "AuthenticationFailed": _REFUSED,
    "InvalidAuthenticationInfo": _REFUSED,
    "ExpiredToken": _EXPIRED,
    "ExpiredTokenException": _EXPIRED,
    "TokenRefreshRequired": _EXPIRED,
    "RequestExpired": _EXPIRED,
    "RequestTimeTooSkewed": _CLOCK,
    "PermanentRedirect": _REGION,
    "AuthorizationHeaderMalformed": _REGION,
    "IllegalLocationConstraintException": _REGION,
}
_AGAIN = "Run again; what was read so far is kept where that is possible. If it persists, ask the store's operator."


def store_error(error: Exception, location: str, *, waited: str = "") -> ObjectStoreError:
    """Describe an error of `obstore`.

    Args:
        error: The error.
        location: The URI of the lake.
        waited: For how long requests were repeated.
    """
    text = str(error)
    problem, remedy = _meaning(text, type(error).__name__, waited)
    return ObjectStoreError(f"{location}: {problem}.", remedy=remedy)


def ignores_conditions(location: str) -> ObjectStoreError:
    """The error of a store that writes whatever the condition of the write says; some copies of S3 do."""
    return ObjectStoreError(
        f"{location}: the store ignores the conditions of a write, so two writers could damage the lake.",
        remedy="Use a store or a version of it that supports If-None-Match and If-Match, or a lake on a disk.",
    )


def is_silence(error: Exception) -> bool:
    """Whether the store did not answer at all, or not to the end."""
    text = str(error)
    return not _first(_STATUS, text) and "BadScheme" not in text and any(sign in text for sign in _SILENCE)


def is_bucket_missing(error: Exception) -> bool:
    """Whether not only the object is missing."""
    return _first(_CODE, str(error)) in {"NoSuchBucket", "ContainerNotFound"}


def _meaning(text: str, kind: str, waited: str) -> tuple[str, str]:
    code, status = _first(_CODE, text), _first(_STATUS, text)
    if code in _BY_CODE:
        sentence, remedy = _BY_CODE[code]
        return f"{sentence} ({code})", remedy
    if "BadScheme" in text:
        return _HTTP
    if any(place in text for place in _MACHINE) or "MissingAccount" in text:
        return _NONE
    if kind == "UnauthenticatedError" or status == "401":
        return _REFUSED
    if kind == "PermissionDeniedError" or status == "403":
        right = "write" if _first(_METHOD, text) in _WRITES else "read"
        return (
            f"the credentials may not {right} there ({code or 'forbidden'})",
            "Give them the rights that docs/deploying.md lists: list, read, write and delete under the prefix.",
        )
    sentence, remedy = text.partition("\n")[0].rstrip("."), _AGAIN
    if status:
        sentence = f"the store answers {status} {code}".rstrip() + (f", also after {waited}" if waited else "")
    elif any(sign in text for sign in _SILENCE):
        sentence, remedy = "the store does not answer", f"Check the network and the store's address. {_AGAIN}"
    return sentence, remedy


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[1] if found else ""
