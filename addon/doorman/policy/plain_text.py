"""Text that looks like what it is: for people who decide by what they read."""

import unicodedata

MAX_VALUE = 500
# Controls, marks of direction, joiners, private and unpaired letters, line separators:
# they are not seen, and change what is.
INVISIBLE = ("Cc", "Cf", "Co", "Cs", "Zl", "Zp")


def plain(value, limit=MAX_VALUE):
    """One line of text that looks like what it is.

    :param int limit: in characters; what is longer says how long it is
    """
    text = "".join(
        " " if c in "\n\r\t" else c
        for c in str(value)
        if c in "\n\r\t" or unicodedata.category(c) not in INVISIBLE
    )
    text = " ".join(text.split())
    if len(text) <= limit:
        return text
    return f"{text[:limit]}… ({len(text)})"


def visible(text):
    """Text of several lines, in which every letter that is not seen is spelt out."""
    return "".join(
        c
        if c == "\n" or unicodedata.category(c) not in INVISIBLE
        else f"\\u{ord(c):04x}"
        for c in text
    )


def is_plain(text):
    """Whether a text shows all that is in it: nothing that turns it round, or hides."""
    return all(c == "\n" or unicodedata.category(c) not in INVISIBLE for c in text)
