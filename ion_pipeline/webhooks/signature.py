"""Checks that the sender of a body knows the secret. ION signs with an HMAC (vendor manual: webhooks).

The manual specifies neither the hash nor its encoding. So the hash is a setting, and hexadecimal and base64 are both
accepted, with or without the hash's name before them.
"""

import base64
import hmac
from typing import Literal, get_args

Algorithm = Literal["sha256", "sha1", "sha512"]
ALGORITHMS: tuple[Algorithm, ...] = get_args(Algorithm)


def is_signed(body: bytes, signature: str, secret: str, algorithm: Algorithm = "sha256") -> bool:
    """Whether a signature is that of a body. The comparison takes constant time.

    Args:
        body: The body as received.
        signature: The value of the header `x-ion-signature`.
        secret: The secret shared with ION.
        algorithm: The hash algorithm.
    """
    digest = hmac.new(secret.encode(), body, algorithm).digest()
    given = signature.strip().removeprefix(f"{algorithm}=").encode("utf-8", "replace")
    as_hex = hmac.compare_digest(given.lower(), digest.hex().encode())
    as_base64 = hmac.compare_digest(given, base64.b64encode(digest))
    return as_hex or as_base64
