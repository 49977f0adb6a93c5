"""The credentials in what texts say, taken out before a query sees them: a function
that takes a text apart would tear the token from what it is known by.

A relation whose texts a query reads is hidden by a view of the same name, which lasts
as long as the transaction and has the same columns, cleaned.
"""

import re

from odoo.tools import SQL

from odoo.addons.doorman.policy import redact_links
from odoo.addons.doorman.policy.refusal import Refusal

from .words import _lt

# Short texts, by the name of their column: the others hold no links.
NAMES = re.compile(r"url|uri|link|href|website|location|endpoint|webhook|path")
LONG = ("text", "xml")
JSON = ("json", "jsonb")
# What JSON writes for a control character ends in a letter, with which a word would
# begin that is none. So a mark stands after it meanwhile that JSON never has as it is.
ESCAPED = r"(\\\\|\\[bfnrt]|\\u[0-9a-f]{4})"
MARK = "\1"
SHORT = ("varchar", "bpchar", "name")
# Fields whose translations are kept as JSON as well, but are short.
SHORT_FIELDS = ("char", "selection")
CLEAN = """
    CREATE OR REPLACE FUNCTION doorman_sql_clean(text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $doorman$
        SELECT regexp_replace(
                   regexp_replace(
                       regexp_replace(
                           regexp_replace($1, %(keys)s, %(withheld)s, 'g'),
                           %(path)s, %(at_path)s, 'gi'),
                       %(person)s, %(at_host)s, 'g'),
                   %(link)s, %(withheld)s, 'gi')
    $doorman$
"""
COLUMNS = """
    SELECT c.relname, a.attname, t.typname
      FROM pg_class c
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      JOIN pg_type t ON t.oid = a.atttypid
     WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = ANY(%s)
     ORDER BY c.relname, a.attnum
"""
# Relations that the query names itself and that hide none: of the same name as one
# that hides them.
PAST = """
    SELECT c.relname
      FROM pg_rewrite r
     CROSS JOIN LATERAL regexp_matches(r.ev_action::text, ':relid (\\d+)', 'g') found
      JOIN pg_class c ON c.oid = found[1]::oid
       AND c.relnamespace = current_schema()::regnamespace
      JOIN pg_class v ON v.relname = c.relname
       AND v.relnamespace = pg_my_temp_schema()
     WHERE r.ev_class = 'pg_temp.doorman_question'::regclass
     LIMIT 1
"""


def patterns():
    """:return: the parameters of ``CLEAN``: the same patterns as ``redact_links``"""
    withheld = redact_links.WITHHELD
    found = {
        "keys": redact_links.KEYS,
        "path": redact_links.PATH,
        "person": redact_links.PERSON,
        "link": redact_links.LINK,
    }
    # The one escape that PostgreSQL spells in another way.
    found = {name: pattern.replace(r"\b", r"\y") for name, pattern in found.items()}
    return found | {
        "withheld": withheld,
        "at_path": rf"\1\2{withheld}",
        "at_host": rf"\1{withheld}@",
    }


def hide(cr, registry, read):
    """Hide the relations whose texts a query reads, until the transaction ends.

    :param cr: cursor of a transaction that may still write
    :param read: pairs of relation and column
    """
    names = {relation for relation, _column in read}
    fields = {
        (model._table, field.name): field.type
        for model in registry.values()
        if model._table in names
        for field in model._fields.values()
        if field.store
    }
    cr.execute(COLUMNS, [sorted(names)])
    relations = {}
    for relation, column, kind in cr.fetchall():
        told = fields.get((relation, column))
        relations.setdefault(relation, []).append((column, kind, told))
    cr.execute("SELECT current_schema()")
    home = cr.fetchone()[0]
    for relation, columns in relations.items():
        cleaned = {name for name, *how in columns if _may_tell(name, *how)}
        if any((relation, name) in read for name in cleaned):
            parts = [
                _clean(name, kind) if name in cleaned else SQL.identifier(name)
                for name, kind, _field in columns
            ]
            cr.execute(
                SQL(
                    "CREATE TEMP VIEW %s AS SELECT %s FROM %s",
                    SQL.identifier(relation),
                    SQL(", ").join(parts),
                    SQL.identifier(home, relation),
                )
            )


def check_hidden(cr):
    """:raise Refusal: if the query, which has a view by now, names one of the relations
    with its schema, and so reads it as it is"""
    cr.execute(PAST)
    found = cr.fetchone()
    if found:
        raise Refusal(
            "table_not_readable",
            _lt(
                "Queries cannot read %(table)s with its schema name.",
                table=found[0],
            ),
            _lt("Leave the schema out."),
        )


def _may_tell(name, kind, field):
    """Whether a link may be in a column.

    :param str kind: PostgreSQL's type
    :param field: Odoo's type; None where there is no field
    """
    if kind in SHORT or (kind in JSON and field in SHORT_FIELDS):
        return bool(NAMES.search(name))
    return kind in LONG or kind in JSON


def _clean(name, kind):
    text = SQL("%s::text", SQL.identifier(name))
    if kind in JSON:
        text = SQL("regexp_replace(%s, %s, %s, 'g')", text, ESCAPED, "\\1" + MARK)
    text = SQL("doorman_sql_clean(%s)", text)
    if kind in JSON:
        text = SQL("replace(%s, %s, '')", text, MARK)
    return SQL("%s::%s AS %s", text, SQL.identifier(kind), SQL.identifier(name))
