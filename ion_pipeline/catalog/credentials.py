"""Which fields are credentials, by name: the name is all that is known about a field of a newer ION.

A false positive costs a column; a false negative puts a secret into a file. So one matching word in the name is enough,
whatever the field's type.
"""

import re

from ion_pipeline.catalog.naming import column_name

# Whole words only: `tokenizedName` and `keyCharacteristic` do not match.
_WORDS = re.compile(
    r"(?:^|_)(?:"
    r"secrets?|passwords?|passwd|pwd|passphrases?|passcodes?|tokens?|jwts?|credentials?|otp|totp|hmac|cookies?"
    r"|authorization|(?:api|private|secret|shared|access|signing|encryption|auth|client|session|master|ssh)_?keys?"
    r"|(?:down_?load|up_?load|fetch|(?:pre_?)?signed|sas)_?(?:ur[il]|link)s?"
    r")(?:_|\d*$)"
)
# In a type that is itself a credential (`ApiKey.key`), fields of these names hold the secret.
_CONTENTS = frozenset({"key", "value", "hash", "text", "data", "content", "body"})


def is_credential(owner: str, field: str) -> bool:
    """Whether a field's name says that it holds a secret, a password, a token, key material or a signed link.

    Args:
        owner: The GraphQL type that has the field.
        field: The field's name.

    Example:
        >>> is_credential("ApiKey", "clientSecret"), is_credential("PartAttribute", "key")
        (True, False)
    """
    name = column_name(field)
    return bool(_WORDS.search(name)) or (name in _CONTENTS and bool(_WORDS.search(column_name(owner))))
