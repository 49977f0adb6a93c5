"""What ``run_sql`` reads, as plain data: by allow lists where PostgreSQL has more to
offer than anybody can list, by deny lists where it is Odoo's own.
"""

import re

from odoo.addons.doorman.policy import closed_models

from .words import _lt

# Of PostgreSQL's own catalogs: what tells the structure. The rest tells what others
# ask (pg_stat_activity), samples of every column (pg_stats), passwords, settings.
CATALOG = frozenset(
    {
        "pg_catalog.pg_attribute",
        "pg_catalog.pg_class",
        "pg_catalog.pg_constraint",
        "pg_catalog.pg_index",
        "pg_catalog.pg_namespace",
        "pg_catalog.pg_tables",
        "pg_catalog.pg_type",
        "information_schema.columns",
        "information_schema.key_column_usage",
        "information_schema.table_constraints",
        "information_schema.tables",
    }
)
# Tables and views. A foreign table reaches out, a materialized view forgets what it is
# made of, a sequence is not a table.
KINDS = frozenset({"r", "p", "v"})

# Functions of PostgreSQL that are not volatile compute something of what they are
# given. But for these: they run SQL that is given as text, read files, settings, other
# sessions or locks, or make a gigabyte out of a letter.
DENIED_FUNCTION = re.compile(
    r"^(pg_|lo_|txid_|inet_|binary_upgrade|dblink|ts_stat|ts_rewrite|set_config"
    r"|current_setting|has_|row_security|repeat$|[lr]pad$|format$|array_fill$|to_reg|current_query)"
    r"|_to_xml|xmlschema|(^|_)xact(_|$)"
)
FUNCTIONS = frozenset(
    {
        "random",
        "clock_timestamp",
        "timeofday",
        "gen_random_uuid",
        "pg_typeof",
        "pg_column_size",
        "pg_size_pretty",
        "pg_relation_size",
        "pg_table_size",
        "pg_indexes_size",
        "pg_total_relation_size",
        "pg_get_constraintdef",
        "pg_get_indexdef",
    }
)
EXTENSIONS = frozenset({"unaccent", "pg_trgm", "fuzzystrmatch"})


def why_no_relation(schema, name, kind, home, closed):
    """Why a relation is not read, or None.

    :param str kind: as ``pg_class.relkind`` has it
    :param str home: the schema of Odoo's tables
    :param closed: the tables of models that no policy opens
    """
    if schema in ("pg_catalog", "information_schema"):
        return (
            None
            if f"{schema}.{name}" in CATALOG
            else _lt("it is a catalog of PostgreSQL")
        )
    if schema != home or kind not in KINDS:
        return _lt("it is not a table of Odoo")
    if name in closed or closed_models.on_floor(name.replace("_", ".")):
        return _lt("it is closed to AI tools")
    return None


def allows_function(schema, name, volatility, extension):
    """Whether a function may be called.

    :param str volatility: as ``pg_proc.provolatile`` has it
    :param extension: that it belongs to, or None
    """
    if schema != "pg_catalog":
        return extension in EXTENSIONS and volatility != "v"
    if name in FUNCTIONS:
        return True
    return volatility != "v" and not DENIED_FUNCTION.search(name)
