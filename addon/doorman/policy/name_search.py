"""Records by what a person says they are called.

    as Odoo finds them, word by word ── by the digits of a phone number
        └── nothing? ── the nearest names: of the model's own search, so that rights
                        and record rules hold, in bounded time

A near name is only ever offered. What changes something goes by ids, or by a name that
one record has (record_names.py).
"""

import re
from typing import NamedTuple

from odoo.fields import Domain
from odoo.tools import SQL

from . import looks_names, reach, spelling
from .refusal import Refusal
from .time_limit import within

MAX_WORDS = 8
# How many names are looked at, of those that have most in common with the one that was
# asked for; and how many letters of them.
LOOKED_AT, MAX_LETTERS = 600, 200
# Milliseconds for one look for near names.
NEAR_TIMEOUT = 900
# How many of them are compared letter by letter.
COMPARED = 40
# A phone number: so many of its last digits say whose it is, however it begins.
LAST_DIGITS = 8
PHONE_TEXT = re.compile(r"\+?[\d\s()./\u00a0\u2011\u2013-]{6,30}")
PHONE_FIELD = re.compile(r"(^|_)(phone|mobile|telephone)(_|$)")
BETWEEN_DIGITS = " +()./-\u00a0\u202f\u2011\u2013"
# What the database takes out of a name that has accents, once it has taken it apart.
ACCENTS = "[\u0300-\u036f]"


class Near(NamedTuple):
    """A record whose name is near."""

    # From 0 to 1.
    likeness: float
    id: int
    # Whether its name has all of the words, but for their order and accents.
    holds: bool


def tokens(text):
    """:return: the words of a text as they were typed, without what only parts them.
    The groups of a number say nothing alone"""
    if digits_of(text):
        return [text.strip()]
    words = (word.strip(",;:()[]\"'“”„«»") for word in text.split())
    return list(dict.fromkeys(filter(None, words)))[:MAX_WORDS]


# ---- as Odoo finds them ----


def by_words(guard, model, text):
    """What a person would type into Odoo's own search, a word at a time: in any order,
    with any blanks between them. Where that would look into what this connection may
    not, only by what it may.

    :return: a domain
    """
    words = tokens(text) or [text]
    try:
        named = (looks_names.named(guard, model, "ilike", word) for word in words)
        return Domain.AND(named)
    except Refusal:
        return Domain.FALSE


# ---- phone numbers ----


def digits_of(text):
    """:return: the last digits of what looks like a phone number; "" otherwise"""
    if not PHONE_TEXT.fullmatch(text.strip()):
        return ""
    found = "".join(letter for letter in text if letter.isdecimal())
    return found[-LAST_DIGITS:] if len(found) >= LAST_DIGITS - 2 else ""


def by_digits(guard, model, text, limit):
    """Records by a phone number, whatever stands between its digits and before them.

    :return: records, at most ``limit``
    """
    digits = digits_of(text)
    names = [n for n in model._fields if PHONE_FIELD.search(n)] if digits else ()
    names = _readable(guard, model, names)
    if not names:
        return model.browse()
    query = model._search(guard.owner_domain(model) or [], limit=limit)
    if query.is_empty():
        return model.browse()
    numbers = (model._field_to_sql(query.table, name, query) for name in names)
    query.add_where(
        SQL(
            "(%s)",
            SQL(" OR ").join(
                SQL("translate(%s, %s, '') LIKE %s", n, BETWEEN_DIGITS, f"%{digits}")
                for n in numbers
            ),
        )
    )
    return model.browse(query.get_result_ids())


# ---- the nearest names ----


def nearest(guard, model, text, limit=5):
    """The records whose names are nearest to one that none has.

    :param guard: the rules of the connection
    :param model: one that may be used and read without a person's approval
    :return: a list of Near, the nearest first; an empty one if it takes too long
    """
    found = []
    for ident, name in most_alike(guard, model, text):
        likeness = spelling.likeness(text, name)
        if likeness >= spelling.NEAR:
            found.append(Near(likeness, ident, spelling.holds(text, name)))
    return sorted(found, key=lambda near: (-near.likeness, near.id))[:limit]


def most_alike(guard, model, text):
    """The records whose names have most in common with a text, near or not.

    :return: rows of id and name, a few
    """
    names = names_of(guard, model)
    words = spelling.words_of(text[:MAX_LETTERS])[:MAX_WORDS]
    # A single letter is near to everything.
    if not names or not any(len(word) > 1 for word in words):
        return []
    rows = within(
        guard.env.cr, NEAR_TIMEOUT, lambda: _likely(guard, model, names, words)
    )
    return _most_alike(" ".join(words), rows or ())


def names_of(guard, model):
    """The fields that say what a record is called, as far as this connection may read
    them: no numbers and references, of which a near one is another one."""
    paths = [model._rec_name, *reach.name_paths(model)]
    names = [
        path
        for path in dict.fromkeys(paths)
        if path and (path == model._rec_name or path.endswith("name"))
    ]
    return _readable(guard, model, names)


def _readable(guard, model, names):
    """Those of some fields that hold text in the database, and may be read."""
    good = []
    for name in names:
        field = model._fields.get(name)
        if (
            field is not None
            and field.type in ("char", "text")
            and (field.store or field.inherited)
            and model._has_field_access(field, "read")
            and looks_names.may_search(guard, model, name)
        ):
            good.append(name)
    return good


def _likely(guard, model, names, words):
    """The names that have most in common with some words, letter by letter.

    :return: rows of id and name
    """
    query = model._search(guard.owner_domain(model) or [])
    if query.is_empty():
        return ()
    if "complete_name" in names:
        names = [name for name in names if name != "name"]  # a part of it
    texts = [model._field_to_sql(query.table, name, query) for name in names]
    named = texts[0]
    if len(texts) > 1:
        named = SQL("concat_ws(' ', %s)", SQL(", ").join(texts))
    parts = dict.fromkeys(part for word in words for part in spelling.pieces(word))
    # One look at each name; the rest is for those that have a part. The bytes of plain
    # ASCII, as most names are, are compared in half the time that a regular expression
    # takes.
    query.add_where(
        SQL(
            '(lower(%(named)s COLLATE "C") LIKE ANY (%(parts)s)'
            " OR octet_length(%(named)s) <> char_length(%(named)s)"
            ' AND %(named)s COLLATE "C" ~* %(pattern)s)',
            named=SQL("(%s)", named),
            parts=[f"%{part}%" for part in parts],
            pattern=spelling.pattern(parts),
        )
    )
    # OFFSET 0 keeps PostgreSQL from working out the same anew for each condition.
    folded = SQL(
        "SELECT id, name, %s AS folded FROM (%s OFFSET 0) AS named OFFSET 0",
        _folded(model.pool),
        query.select(
            SQL("%s AS id", SQL.identifier(query.table, "id")),
            SQL("left(%s, %s) AS name", named, MAX_LETTERS),
        ),
    )
    likely = SQL(
        "SELECT id, name, folded FROM (%s) AS folded "
        "ORDER BY %s DESC, abs(length(name) - %s), id LIMIT %s",
        folded,
        SQL(" + ").join(
            SQL("CASE WHEN strpos(folded, %s) > 0 THEN %s ELSE 0 END", part, len(part))
            for part in parts
        ),
        len(" ".join(words)),
        LOOKED_AT,
    )
    if model.pool.has_trigram:
        likely = SQL(
            "SELECT id, name FROM (%s) AS likely "
            "ORDER BY word_similarity(%s, folded) DESC, length(name), id LIMIT %s",
            likely,
            " ".join(words),
            COMPARED,
        )
    return [row[:2] for row in model.env.execute_query(likely)]


def _folded(registry):
    """A name as ``spelling.fold`` has it, nearly, in the database. Most names have no
    accents: only the others are taken apart."""
    apart = SQL("normalize(lower(name), NFKD)")
    apart = SQL("regexp_replace(%s, %s, '', 'g')", apart, ACCENTS)
    if registry.has_unaccent:
        apart = registry.unaccent(SQL("lower(name)"))
    return SQL(
        "CASE WHEN octet_length(name) = char_length(name) "
        'THEN lower(name COLLATE "C") ELSE %s END',
        apart,
    )


def _most_alike(text, rows):
    """The rows worth to be compared letter by letter."""
    if len(rows) <= COMPARED:
        return rows
    wanted = spelling.grams(text)

    def in_common(row):
        return -len(wanted & spelling.grams(row[1] or "")), len(row[1] or ""), row[0]

    return sorted(rows, key=in_common)[:COMPARED]
