"""The places that reference designators name, parsed character by character."""

import re

_DIGITS = "0123456789"


def places_of(designator: str) -> list[str]:
    """The places that a designator names: in capitals, trimmed, with lists and ranges of one prefix expanded."""
    found = []
    for name in re.split("[,;]", designator.upper()):
        first, _, last = (end.strip() for end in name.partition("-"))
        prefix = first.rstrip(_DIGITS)
        low, high = first[len(prefix) :], last[len(prefix) :]
        if prefix and low and high.isdecimal() and last.startswith(prefix) and 0 <= int(high) - int(low) < 1000:
            found += [f"{prefix}{number:0{len(low)}}" for number in range(int(low), int(high) + 1)]
        elif name.strip():
            found.append(name.strip())
    return found


def key_of(designator: str | None) -> str | None:
    """The normalised form, equal for every spelling of the same places; None if there are none."""
    return ",".join(sorted(set(places_of(designator or "")))) or None
