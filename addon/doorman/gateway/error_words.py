"""What an error of Python's or the database's means, for who made the call. None of its
own words leave: they name what nobody has sent, and tell nothing to do."""

import re

import psycopg2

UNCLEAR = "Odoo could not make sense of a value or an argument of this call."
UNCLEAR_HINT = "describe_model tells what the fields of a model take."

# What the text of an error says -> what is told.
MEANINGS = [
    (re.compile(pattern), words)
    for pattern, words in (
        (
            r"time data|isoformat|must be in \d+\.\.|out of range for month"
            r"|unconverted data|into a date|date value out of range",
            "A date or time in this call is not valid. Send 2026-12-31, or "
            "2026-12-31 14:30:00 (UTC).",
        ),
        (
            r"invalid literal|could not convert string|must be real number"
            r"|float\(\) argument|int\(\) argument|cannot convert float",
            "A number in this call is not valid. Send it without unit and thousands "
            "separators, such as 1234.5.",
        ),
        (
            r"^Wrong value for (?P<field>[\w.]+):",
            "{field} takes one of its choices.",
        ),
        (
            r"^Invalid field '?(?P<field>\w+)'? (?:on|in) "
            r"(?:model )?'?(?P<model>[\w.]+)",
            "{model} has no field {field}.",
        ),
        (
            r"^Cannot convert (?P<field>[\w.]+)\S* to SQL",
            "{field} is worked out by Odoo and not kept: nothing can be searched, "
            "sorted or grouped by it.",
        ),
    )
]


def meaning(exc):
    """:return: what to tell a caller about an error that was not written for people"""
    if isinstance(exc, psycopg2.Error):
        return "A value has the wrong type for its field, or is too large for it."
    text = str(exc.args[0] if exc.args else exc).strip()
    for pattern, words in MEANINGS:
        if found := pattern.search(text):
            return words.format(**found.groupdict())
    return UNCLEAR
