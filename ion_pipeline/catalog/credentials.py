"""Which fields are credentials, by their names: nothing else is known about the fields of a newer ION.

A name too many is a column that nobody reads; a name too few is a secret in a file. So a word of the name is enough,
whatever the field's type.
"""

import re

from ion_pipeline.catalog.naming import column_name

# Whole words: `tokenizedName` and `keyCharacteristic` are none of these.
_WORDS = re.compile(
    r"(?:^|_)(?:"
    r"secrets?|passwords?|passwd|pwd|passphrases?|passcodes?|tokens?|jwts?|credentials?|otp|totp|hmac|cookies?"
    r"|authorization|(?:api|private|secret|shared|access|signing|encryption|auth|client|session|master|ssh)_?keys?"
    r"|(?:down_?load|up_?load|fetch|(?:pre_?)?signed|sas)_?(?:ur[il]|link)s?"
    r")(?:_|\d*$)"
)
# In a row that is itself a credential (`ApiKey.key`), these hold it.
_CONTENTS = frozenset({"key", "value", "hash", "text", "data", "content", "body"})


def is_credential(owner: str, field: str) -> bool:
    """Whether a field holds a secret, a password, a token, key material or a signed link, by its name.

    Args:
        owner: Its GraphQL type.
        field: Its name.

    Example:
        >>> is_credential("ApiKey", "clientSecret"), is_credential("PartAttribute", "key")
        (True, False)
    """
    name = column_name(field)
    return bool(_WORDS.search(name)) or (name in _CONTENTS and bool(_WORDS.search(column_name(owner))))
