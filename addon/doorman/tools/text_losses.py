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
        env._("colors, sizes or alignment"): COLOURS,
        env._("underlining"): UNDERLINED,
        env._("images"): PICTURE,
        env._("videos"): VIDEO,
        env._("check lists"): CHECK_LIST,
        env._("colored boxes, buttons or icons"): BOX,
    }


def of_changes(env, changes, person=False):
    """What changes that were asked for take from texts.

    :param bool person: whether a person reads it, who decides; an AI tool is told how
        to keep it
    :return: a list of sentences, in the language of ``env``
    """
    found = [text for change in changes for text in of_change(env, change, person)]
    return found[:MAX_TOLD]


def of_change(env, change, person=False):
    """The same of one change of the ledger."""
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
        lost = [_lost_end(env, field, old, new)]
        if field.type == "html":
            lost.append(_lost_marks(env, old, new))
        where = f"{change.model} {change.id}, {name}"
        if person:
            label = field._description_string(env) or name
            where = f"{plain(model.browse(change.id).display_name)}, {label}"
        for what, way in filter(None, lost):
            found.append(f"{where}: {what}" if person else f"{where}: {what} {way}")
    return found


def _lost_end(env, field, old, new):
    """:return: what is lost, and how to keep it; None for nothing"""
    if field.type == "html":
        old, new = from_html(old), from_html(new)
    old, new = (plain(text, None) for text in (old, new))
    if len(old) <= READ_AT_ONCE or len(new) >= len(old) or old[-TAIL:] in new:
        return None
    return (
        env._(
            "the text has %(old)s characters; the new one has %(new)s, and lacks "
            "its end.",
            old=len(old),
            new=len(new),
        ),
        env._(
            "Long texts are read in parts (text_offset); use append or replace to "
            "change a part."
        ),
    )


def _lost_marks(env, old, new):
    """:return: as ``_lost_end``"""
    lost = [
        words
        for words, mark in _marks(env).items()
        if mark.search(old) and not mark.search(new)
    ]
    if not lost:
        return None
    return (
        env._("the text loses its %s.", ", ".join(lost)),
        env._("append or replace would keep them."),
    )
