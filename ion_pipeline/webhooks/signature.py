"""Whether a body comes from who knows the secret. ION signs with an HMAC (vendor manual: webhooks).

Which hash it is the manual does not say, nor how it is written: the hash is a setting, and hexadecimal and base64, with
or without the hash's name before them, are all taken.
"""

import base64
import hmac
from typing import Literal, get_args

Algorithm = Literal["sha256", "sha1", "sha512"]
ALGORITHMS: tuple[Algorithm, ...] = get_args(Algorithm)


def is_signed(body: bytes, signature: str, secret: str, algorithm: Algorithm = "sha256") -> bool:
    """Compare a signature with the body's own, in a time that does not depend on where they differ.

    Args:
        body: As it came.
        signature: The header `x-ion-signature`.
        secret: Shared with ION.
        algorithm: The hash.
    """
    digest = hmac.new(secret.encode(), body, algorithm).digest()
    given = signature.strip().removeprefix(f"{algorithm}=").encode("utf-8", "replace")
    as_hex = hmac.compare_digest(given.lower(), digest.hex().encode())
    as_base64 = hmac.compare_digest(given, base64.b64encode(digest))
    return as_hex or as_base64
