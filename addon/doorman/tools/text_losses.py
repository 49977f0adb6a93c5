"""What is lost when a text is written over: its end, if it was only read in part, and
what its HTML showed that Markdown has no form for."""

import re

from ..policy import closed_fields, field_values
from ..policy.ledger import WRITTEN
from ..policy.plain_text import from_html, plain

# A read gives so many letters of a text among others (Go: maxText).
READ_AT_ONCE = 2_000
# By so many letters at its end a text is known again.
TAIL = 60
MAX_TOLD = 10
# What is looked for in HTML.
COLOURS = re.compile(r"<font\b|\sstyle\s*=", re.IGNORECASE)
UNDERLINED = re.compile(r"<u\b", re.IGNORECASE)
PICTURE = re.compile(r"<img\b", re.IGNORECASE)
VIDEO = re.compile(r"<(?:iframe|video)\b|\bmedia_iframe", re.IGNORECASE)
CHECK_LIST = re.compile(r"\bo_checklist\b")
BOX = re.compile(
    r'class\s*=\s*"[^"]*\b(?:alert|btn|bg-|text-(?:bg|primary|success|warning|danger)|fa)\b'
)


def _marks(env):
    return {
        env._("colours, sizes or alignment"): COLOURS,
        env._("underlining"): UNDERLINED,
        env._("pictures"): PICTURE,
        env._("videos"): VIDEO,
        env._("check lists"): CHECK_LIST,
        env._("coloured boxes, buttons or icons"): BOX,
    }


def of_changes(env, changes):
    """What changes that were asked for take from texts: a list of sentences."""
    return [text for change in changes for text in of_change(env, change)][:MAX_TOLD]


def of_change(env, change):
    """What a change that was asked for takes from the texts of a record.

    :param change: of the ledger
    :return: a list of sentences, in the language of ``env``
    """
    if change.kind != WRITTEN:
        return []
    model, found = env[change.model], []
    for name in change.asked_fields:
        field = model._fields[name]
        if field.type not in field_values.TEXTS or name not in change.values:
            continue
        if closed_fields.is_withheld(name) or not model._has_field_access(
            field, "read"
        ):
            continue
        old, new = (
            str(field_values.of_user(env, field, value) or "")
            for value in change.values[name]
        )
        where = f"{change.model} {change.id}, {name}"
        found += _lost_end(env, where, field, old, new)
        if field.type == "html":
            found += _lost_marks(env, where, old, new)
    return found


def _lost_end(env, where, field, old, new):
    if field.type == "html":
        old, new = from_html(old), from_html(new)
    old, new = (plain(text, len(text)) for text in (old, new))
    if len(old) <= READ_AT_ONCE or len(new) >= len(old) or old[-TAIL:] in new:
        return []
    return [
        env._(
            "%(where)s: the text had %(old)s letters, and the new one has %(new)s "
            "without its end. A long text is read in parts (text_offset); append or "
            "replace changes a part of it.",
            where=where,
            old=len(old),
            new=len(new),
        )
    ]


def _lost_marks(env, where, old, new):
    lost = [
        words
        for words, mark in _marks(env).items()
        if mark.search(old) and not mark.search(new)
    ]
    if not lost:
        return []
    return [
        env._(
            "%(where)s: the text had %(lost)s, which the new one has not. append or "
            "replace keeps them.",
            where=where,
            lost=", ".join(lost),
        )
    ]
