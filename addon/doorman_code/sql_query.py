"""One SELECT of a system administrator's, decided on by what PostgreSQL makes of it.

one statement? (a cursor takes no more) ── what does it read? (a view of it, undone:
PostgreSQL names its relations, columns and functions) ── run, over texts without the
credentials in them (sql_links.py), in a transaction that is read-only, on a connection
of its own, for seconds, some rows

Nothing here reads the text of the query.
"""

import json
import math
from contextlib import closing, contextmanager

import psycopg2

from odoo.sql_db import db_connect

from odoo.addons.doorman.policy import closed_fields, closed_models, shared
from odoo.addons.doorman.policy.redact_links import withhold_links_in
from odoo.addons.doorman.policy.refusal import Refusal
from odoo.addons.doorman.policy.shared import MAX_CODE, MAX_REPLY, MAX_SQL_ROWS
from odoo.addons.doorman.tools import row_counts
from odoo.addons.doorman.tools.operations import operation
from odoo.addons.doorman.tools.words import code_summary

from . import sql_links, sql_rules
from .words import _lt

TIMEOUT_MS = 10_000

FUNCTIONS = """
    CREATE OR REPLACE FUNCTION doorman_sql_one(query text) RETURNS void
    LANGUAGE plpgsql AS $$
    DECLARE
        answer refcursor;
    BEGIN
        -- Read, not planned: to plan is to compute what a function makes of constants,
        -- and nobody has looked at the functions yet.
        OPEN answer FOR EXECUTE 'EXPLAIN ' || query;
        CLOSE answer;
    END $$;
    CREATE OR REPLACE FUNCTION doorman_sql_view(query text) RETURNS void
    LANGUAGE plpgsql AS $$
    BEGIN
        EXECUTE 'CREATE TEMP VIEW doorman_question AS ' || query;
    END $$;
    CREATE OR REPLACE FUNCTION doorman_sql_rows(
        query text, most integer, letters integer
    ) RETURNS SETOF text LANGUAGE plpgsql AS $$
    DECLARE
        answer refcursor;
        line record;
        body text;
        told integer := 0;
        size bigint := 0;
    BEGIN
        OPEN answer FOR EXECUTE query;
        LOOP
            FETCH answer INTO line;
            EXIT WHEN NOT FOUND;
            body := row_to_json(line)::text;
            told := told + 1;
            size := size + length(body);
            IF told > most OR size > letters THEN
                -- There is more; what it is has no room.
                RETURN NEXT NULL;
                EXIT;
            END IF;
            RETURN NEXT body;
        END LOOP;
    END $$;
"""
READ_ONLY = "SET TRANSACTION READ ONLY"
BOUNDS = """
    SELECT set_config('statement_timeout', %s, true),
           set_config('lock_timeout', '2000', true),
           set_config('search_path', quote_ident(current_schema()), true)
"""
# The query as PostgreSQL has understood it, and every view that it goes through.
PARTS = r"""
    WITH RECURSIVE tree (rule, relation, node) AS (
        SELECT r.oid, r.ev_class, r.ev_action::text
          FROM pg_rewrite r
         WHERE r.ev_class = 'pg_temp.doorman_question'::regclass
        UNION
        SELECT r.oid, r.ev_class, r.ev_action::text
          FROM tree
         CROSS JOIN LATERAL regexp_matches(tree.node, ':relid (\d+)', 'g') found
          JOIN pg_class c ON c.oid = found[1]::oid AND c.relkind = 'v'
          JOIN pg_namespace n ON n.oid = c.relnamespace
           AND n.nspname NOT IN ('pg_catalog', 'information_schema')
          JOIN pg_rewrite r ON r.ev_class = c.oid
    )
    SELECT 'relation', n.nspname, c.relname, c.relkind::text, NULL
      FROM tree CROSS JOIN LATERAL regexp_matches(node, ':relid (\d+)', 'g') found
      JOIN pg_class c ON c.oid = found[1]::oid
      JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.oid != 'pg_temp.doorman_question'::regclass
    UNION
    SELECT 'function', n.nspname, p.proname, p.provolatile::text,
           (SELECT e.extname FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
             WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
               AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e')
      FROM tree CROSS JOIN LATERAL
           regexp_matches(node, ':\w*(?:func|fn)o?id (\d+)', 'g') found
      JOIN pg_proc p ON p.oid = found[1]::oid
      JOIN pg_namespace n ON n.oid = p.pronamespace
    UNION
    SELECT 'column', c.relname, a.attname, NULL, NULL
      FROM tree
      JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = tree.rule
       AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0
      JOIN pg_class c ON c.oid = d.refobjid
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid
    UNION
    SELECT 'row', NULL, NULL, NULL, NULL FROM tree WHERE node ~ ':varattno 0 '
"""
COLUMNS = """
    SELECT attname FROM pg_attribute
     WHERE attrelid = 'pg_temp.doorman_question'::regclass AND attnum > 0
     ORDER BY attnum
"""


@operation(
    "run_sql",
    tool="run_sql",
    needs_model=False,
    reads=True,
    scope="mcp:sql",
    code="query",
    summary=code_summary,
    rows=row_counts.counted,
)
def run_sql(call):
    """:param call: its arguments are query, and limit: how many rows
    :return: ``{columns, rows, more}``
    """
    guard, kwargs = call.guard, call.kwargs
    for name in kwargs:
        if name not in ("query", "limit"):
            raise Refusal(
                "unknown_argument", _lt("Unknown argument %(argument)r.", argument=name)
            )
    check_administrator(guard, "allow_sql", "SQL")
    query, limit = kwargs.get("query"), kwargs.get("limit", MAX_SQL_ROWS)
    if not isinstance(query, str) or not query.strip() or "\0" in query:
        raise Refusal("invalid_query", _lt("The query must be the text of one SELECT."))
    if len(query) > MAX_CODE:
        raise Refusal(
            "invalid_query",
            _lt("A query can have at most %(most)s characters.", most=MAX_CODE),
        )
    if type(limit) is not int or not 1 <= limit <= MAX_SQL_ROWS:
        raise Refusal(
            "malformed_arguments",
            _lt("limit must be a number from 1 to %(most)s.", most=MAX_SQL_ROWS),
        )
    columns, read = _understood(guard, query)
    if call.describer:
        return {}  # it is run once a person has agreed
    return _rows(guard, query, call.at_most(limit), columns, read)


def check_administrator(guard, switch, what):
    """Whether this is for an Odoo administrator, where the settings allow it: what
    comes goes past the model rule, and past companies."""
    env = guard.env
    if not env["doorman.settings"]._get().sudo()[switch]:
        raise Refusal(
            "tool_switched_off",
            _lt(shared.SAY_TOOL_OFF, what),
            _lt(shared.SAY_OFF_HINT),
        )
    if not env.user.has_group("base.group_system"):
        raise Refusal(
            "administrators_only",
            _lt("%(what)s is only for users who administer this Odoo.", what=what),
            _lt("Use other tools."),
        )
    if guard.allowed is not None or guard.asks_to_read or guard.narrow:
        raise Refusal(
            "limited_connection",
            _lt(
                "%(what)s is not for a connection that is limited to some "
                "models or companies, or needs approval to read some.",
                what=what,
            ),
            _lt("Use search_records and aggregate_records."),
        )


def _cursor(guard):
    # Not Odoo's own way to one: what its transaction holds open must not be in reach,
    # and that of a test is not read-only.
    return closing(db_connect(guard.env.cr.dbname).cursor())


@contextmanager
def _told():
    """What PostgreSQL says of a query, in its first line: the rest may hold values."""
    try:
        yield
    except psycopg2.errors.QueryCanceled as exc:
        raise Refusal(
            "took_too_long",
            _lt("The query took too long and was stopped."),
            _lt("Ask for less: fewer rows, or filter by an indexed column."),
        ) from exc
    except psycopg2.Error as exc:
        code, said = exc.pgcode or "", exc.diag.message_primary or ""
        if code.startswith(("42", "0A", "22", "21")):
            raise Refusal(
                "invalid_query", _lt("PostgreSQL: %(error)s", error=said[:300])
            ) from exc
        raise Refusal(
            "not_one_select",
            _lt("PostgreSQL does not accept this as one read-only statement."),
            _lt("Send one SELECT."),
        ) from exc


ONE = "SELECT doorman_sql_one(%s)"
VIEW = "SELECT doorman_sql_view(%s)"
ROWS = "SELECT doorman_sql_rows(%s, %s, %s)"


def _understood(guard, query):
    """What the query reads, if all of it may be read.

    :return: the names of its columns, and the pairs of relation and column it reads
    """
    with _cursor(guard) as cr:
        cr.execute(READ_ONLY)
        cr.execute(BOUNDS, [str(TIMEOUT_MS)])
        with _told():
            cr.execute(ONE, [query], log_exceptions=False)
    with _cursor(guard) as cr:
        cr.execute(BOUNDS, [str(TIMEOUT_MS)])
        cr.execute("SELECT current_schema()")
        home = cr.fetchone()[0]
        with _told():
            cr.execute(VIEW, [query], log_exceptions=False)
        cr.execute(PARTS)
        parts = cr.fetchall()
        cr.execute(COLUMNS)
        columns = [name for (name,) in cr.fetchall()]
    registry = guard.env.registry
    closed = {
        registry[name]._table for name in registry if closed_models.on_floor(name)
    }
    for part in sorted(parts, key=str):
        _check(part, home, closed)
    read = {(owner, name) for kind, owner, name, *_ in parts if kind == "column"}
    return columns, read


def _check(part, home, closed):
    kind, owner, name, how, extension = part
    if kind == "relation":
        why = sql_rules.why_no_relation(owner, name, how, home, closed)
        if why:
            raise Refusal(
                "table_not_readable",
                _lt("Queries cannot read %(table)s: %(why)s.", table=name, why=why),
            )
    elif kind == "function":
        if not sql_rules.allows_function(owner, name, how, extension):
            raise Refusal(
                "function_not_allowed",
                _lt("Queries cannot call the function %(function)s.", function=name),
            )
    elif kind == "column":
        if closed_fields.is_withheld(name):
            raise Refusal(
                "field_withheld",
                _lt(
                    "The column %(table)s.%(column)s is withheld from AI tools.",
                    table=owner,
                    column=name,
                ),
                _lt("List the columns without it: * stands for all of them."),
            )
    else:
        raise Refusal(
            "field_withheld",
            _lt("A whole row as one value could contain withheld columns."),
            _lt("List the columns."),
        )


def _row(text):
    """The values of a row. Numbers that not every reader of JSON can hold are texts."""

    def integer(digits):
        return int(digits) if len(digits) < 16 else digits

    def number(digits):
        return float(digits) if math.isfinite(float(digits)) else digits

    return list(json.loads(text, parse_int=integer, parse_float=number).values())


def _rows(guard, query, limit, columns, read):
    with _cursor(guard) as cr:
        cr.execute(BOUNDS, [str(TIMEOUT_MS)])
        # Whatever is made here goes with the transaction.
        sql_links.hide(cr, guard.env.registry, read)
        with _told():
            cr.execute(VIEW, [query], log_exceptions=False)
        sql_links.check_hidden(cr)
        cr.execute(READ_ONLY)
        with _told():
            cr.execute(ROWS, [query, limit, MAX_REPLY], log_exceptions=False)
        found = [row for (row,) in cr.fetchall()]
    more = bool(found) and found[-1] is None
    rows = [_row(text) for text in found if text is not None]
    return withhold_links_in({"columns": columns, "rows": rows, "more": more})
