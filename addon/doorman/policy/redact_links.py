"""Credentials in what texts say, most of them in links: they leave no reply.

Written in what Python's and PostgreSQL's regular expressions have in common (``\\b``
apart), since the addon for SQL has PostgreSQL take them out before a query sees them.
"""

import re

WITHHELD = "[withheld]"
# What ends a value; a backslash too, as a text may be within JSON.
VALUE = r"[^\s\"'<>&\\]"
# ``access_token=...``, by the names of the fields that are withheld. Some names stand
# for other things as well: they count where what follows is as long as a key. It starts
# at a word: anywhere else it would take ages on a long text.
LINK = (
    r"\b\w*(?:token|secret|passw(?:or)?d|signature|api_?key|access_?key|session_id)"
    rf"(?:=|%3d){VALUE}*"
    rf"|\b(?:\w*_)?(?:sig|pwd|otp|jwt)(?:=|%3d){VALUE}+"
    r"|\b(?:\w*_)?(?:key|hash|code|auth|hmac)(?:=|%3d)[\w%-]{16,}"
)
# Pages of Odoo's own modules whose address holds the token as a part of its path, and
# webhooks. A UUID in an address always is one, and so is a long number, but for those
# of versions of code.
PATH = (
    r"(/(?:calendar/(?:join_videocall|view)|chat/\d+|discuss/channel/\d+|invite|rate"
    r"|survey/(?:start|fill|print|\d+)|hr_attendance|documents?/(?:share|content)"
    r"|document/share/\d+|sign/document(?:/mail)?/\d+|web/hook|api/webhooks/\d+"
    r"|services/\w+/\w+)/)[\w-]{8,}"
    r"|(/)(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<!/commit/)[0-9a-f]{32,})"
    r"(?![\w-])"
)
# ``https://user:password@host``
PERSON = r"(://)[^\s/@:\"'<>\\]+:[^\s/@\"'<>\\]+@"
# Keys that say themselves what they are: of well-known services, and Doorman's own.
KEYS = (
    r"\b(?:dm[a-z]_[\w-]{16,}|sk-[\w-]{20,}|[rs]k_(?:live|test)_\w{16,}|gh[opsu]_\w{36}"
    r"|github_pat_\w{40,}|glpat-[\w-]{20,}|xox[abeprs]-[\w-]{10,}|AKIA[0-9A-Z]{16}"
    r"|AIza[\w-]{35}|ya29\.[\w-]{20,}|npm_\w{36}|SG\.[\w-]{16,}\.[\w-]{16,}"
    r"|eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]*)"
)
# No key is shorter.
SHORTEST = 20

_LINK, _PATH = re.compile(LINK, re.IGNORECASE), re.compile(PATH, re.IGNORECASE)
_PERSON, _KEYS = re.compile(PERSON), re.compile(KEYS)


def withhold_links(text):
    """A text, less the tokens in its links, and other keys that are known by sight."""
    if len(text) >= SHORTEST:
        text = _KEYS.sub(WITHHELD, text)
    if "/" in text:
        text = _PATH.sub(lambda match: (match[1] or match[2]) + WITHHELD, text)
        text = _PERSON.sub(rf"\1{WITHHELD}@", text)
    if "=" in text or "%3" in text:
        text = _LINK.sub(WITHHELD, text)
    return text


def withhold_links_in(value):
    """The same for what a method answered: lists and objects of texts."""
    if isinstance(value, str):
        return withhold_links(value)
    if isinstance(value, list | tuple):
        return [withhold_links_in(item) for item in value]
    if isinstance(value, dict):
        return {key: withhold_links_in(item) for key, item in value.items()}
    return value
