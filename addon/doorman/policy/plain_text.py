"""Text that looks like what it is: for people who decide by what they read."""

import unicodedata

from .shared import INVISIBLE_CATEGORIES

MAX_VALUE = 500


def is_invisible(letter):
    """Whether a letter shows nothing, or changes how those around it are shown."""
    return unicodedata.category(letter) in INVISIBLE_CATEGORIES


def plain(value, limit=MAX_VALUE):
    """One line of text that looks like what it is.

    :param int limit: in characters; what is longer says how long it is
    """
    text = "".join(
        " " if c in "\n\r\t" else c
        for c in str(value)
        if c in "\n\r\t" or not is_invisible(c)
    )
    text = " ".join(text.split())
    if len(text) <= limit:
        return text
    return f"{text[:limit]}… ({len(text)})"


def visible(text):
    """Text of several lines, in which every letter that is not seen is spelt out."""
    return "".join(
        c if c == "\n" or not is_invisible(c) else f"\\u{ord(c):04x}" for c in text
    )


def is_plain(text):
    """Whether a text shows all that is in it: nothing that turns it round, or hides."""
    return all(c == "\n" or not is_invisible(c) for c in text)


def plain_file_name(text):
    """A name without what shows nothing, and without what leads into a folder."""
    return "".join("_" if c in "/\\" or is_invisible(c) else c for c in text)
