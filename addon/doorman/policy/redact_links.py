"""Links that open something to whoever has them: they leave no reply."""

import re

WITHHELD = "[withheld]"
# Starts at a word: anywhere else it would take ages on a long text.
LINK = re.compile(r"\b\w*token(?:=|%3d)[^\s\"'<>&]*", re.IGNORECASE)
# Pages of Odoo's own modules whose address holds the token as a part of its path; a
# UUID in an address is always one.
PATH = re.compile(
    r"(/(?:calendar/join_videocall|chat/\d+|rate)/)[\w-]{8,}"
    r"|(/)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b",
    re.IGNORECASE,
)


def withhold_links(text):
    """A text, less the tokens in its links."""
    if "/" in text:
        text = PATH.sub(lambda match: (match[1] or match[2]) + WITHHELD, text)
    return LINK.sub(WITHHELD, text) if "token" in text.lower() else text


def withhold_links_in(value):
    """The same for what a method answered: lists and objects of texts."""
    if isinstance(value, str):
        return withhold_links(value)
    if isinstance(value, list | tuple):
        return [withhold_links_in(item) for item in value]
    if isinstance(value, dict):
        return {key: withhold_links_in(item) for key, item in value.items()}
    return value
