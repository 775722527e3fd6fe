"""Characters that look like others, or like nothing: what a person cannot see in a cell."""

import unicodedata


def odd_characters(text: str) -> str:
    """Return, for a message, the names of the characters in a text that are not plain ASCII.

    A code with a Cyrillic letter, a full-width digit or an invisible mark looks right and is not.
    Returns the empty text where there is none.
    """
    odd = {c: unicodedata.name(c, f"control {ord(c):#x}") for c in text if not " " <= c <= "~"}
    if not odd:
        return ""
    return f"; it contains {', '.join(sorted(odd.values()))}"
