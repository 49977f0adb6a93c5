"""Text that looks like what it is: for people who decide by what they read."""

import re

from odoo.tools import html2plaintext

from .invisible import map_hidden

MAX_VALUE = 500
# How much is shown before the first letter in which two texts differ.
AROUND = 60
# What stands between two cells of a table.
BETWEEN_CELLS = re.compile(r"(</t[dh]\s*>)\s*(?=<t[dh]\b)", re.IGNORECASE)


# The same invisible letters, over and over: they carry no message.
FILLER = re.compile(r"([\u034f\u200b\u200c\u00ad\ufeff\u00a0 ]{1,8}?)\1{15,}")
WORD = re.compile(r"[^\W_]+")


def _mark(letter):
    """What stands for a letter that shows nothing."""
    return f"\\u{ord(letter):04x}" if letter < "\U00010000" else f"\\U{ord(letter):08x}"


def plain(value, limit=MAX_VALUE):
    """One line of text that looks like what it is: each letter that hides is spelt out.

    :param int limit: in characters; what is longer says how long it is. None: all of it
    """
    text = map_hidden(str(value), lambda c: " " if c in "\n\r\t" else _mark(c))
    text = " ".join(text.split())
    if limit is None or len(text) <= limit:
        return text
    return f"{text[:limit]}… ({len(text)})"


def shortened(text, limit):
    """:param int limit: in characters; what is longer says how long it is"""
    if len(text) <= limit:
        return text
    return f"{text[:limit]}... ({len(text)} characters in all)"


def from_html(value):
    """The text of HTML: the cells of a table apart, the addresses of links below it."""
    return html2plaintext(BETWEEN_CELLS.sub(r" | \1", str(value or "")))


def of_email(value):
    """The text of an email's HTML, without the preview that Odoo's layout puts first
    for the inbox (mail.notification_preview): the opening words again, and filler. A
    preview that says something else stays: no hidden text gets past the approver."""
    text = from_html(value)
    found = FILLER.search(text)
    if not found:
        return text
    before, rest = text[: found.start()], text[found.end() :]
    rest = rest.lstrip().removeprefix(found[1].strip()).lstrip()
    said, words = (" ".join(WORD.findall(part)) for part in (rest, before))
    return rest if words in said else f"{before.rstrip()}\n\n{rest}"


def where_they_differ(old, new, limit=MAX_VALUE):
    """Two long texts, each from shortly before they differ on.

    :param int limit: in characters, of each
    """
    old, new = (plain(text, None) for text in (old, new))
    pairs = zip(old, new, strict=False)
    same = next(
        (i for i, (a, b) in enumerate(pairs) if a != b), min(len(old), len(new))
    )
    start = max(same - AROUND, 0)
    if not start or max(len(old), len(new)) <= limit:
        return plain(old, limit), plain(new, limit)
    return tuple(f"… {_part(text, start, limit)}" for text in (old, new))


def _part(text, start, limit):
    more = "…" if len(text) > start + limit else ""
    return f"{text[start : start + limit]}{more} ({len(text)})"


def visible(text):
    """Text of several lines, in which every letter that hides is spelt out."""
    return map_hidden(text, lambda c: c if c == "\n" else _mark(c))


def is_plain(text):
    """Whether a text shows all that is in it: nothing that turns it round, or hides."""
    return map_hidden(text, lambda c: c if c == "\n" else "") == text


def plain_file_name(text):
    """A name without what shows nothing, and without what leads into a folder."""
    return map_hidden(text.replace("/", "_").replace("\\", "_"), lambda _c: "_")
