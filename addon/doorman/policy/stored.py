"""What the database holds of some records, past Odoo's caches."""

from odoo.tools import SQL

# The version of a row: every write makes another one.
VERSION = SQL("xmin::text || '/' || ctid::text")


def columns(cr, table, names, ids):
    """:param names: of columns
    :return: ``[(id, value, ...)]``, of the rows that exist
    """
    wanted = SQL(", ").join(map(SQL.identifier, ("id", *names)))
    table = SQL.identifier(table)
    cr.execute(SQL("SELECT %s FROM %s WHERE id = ANY(%s)", wanted, table, list(ids)))
    return cr.fetchall()


def look(cr, links, wanted, versioned=()):
    """The rows of several many2many tables, and which records exist, of several models:
    all in one statement.

    :param links: ``{(table, column, other column): ids}``, of the first column
    :param wanted: ``{table: ids}``
    :param versioned: the tables of which the versions are told; a view has none
    :return: ``[(relation, id, id on the other side)]``, with the key of ``links``; and
        ``{(table, id): version or None}``
    """
    keys, parts = [], []

    def ask(key, table, column, told, ids):
        if ids:
            keys.append(key)
            parts.append(
                SQL(
                    "SELECT %s::int, %s, %s::text FROM %s WHERE %s = ANY(%s)",
                    *(len(parts), column, told, table, column, list(ids)),
                )
            )

    for relation, ids in links.items():
        table, column, other = map(SQL.identifier, relation)
        ask(relation, table, column, other, ids)
    for table, ids in wanted.items():
        told = VERSION if table in versioned else SQL("NULL")
        ask(table, SQL.identifier(table), SQL.identifier("id"), told, ids)
    found, there = [], {}
    if parts:
        cr.execute(SQL(" UNION ALL ").join(parts))
        for number, ident, told in cr.fetchall():
            key = keys[number]
            if isinstance(key, tuple):
                found.append((key, ident, int(told)))
            else:
                there[key, ident] = told
    return found, there


def pairs(cr, links):
    """As ``look``: the rows of many2many tables alone."""
    return look(cr, links, {})[0]


def versions(cr, table, ids):
    """:return: ``{id: version}``, of the rows that exist"""
    _pairs, found = look(cr, {}, {table: ids}, {table})
    return {ident: version for (_table, ident), version in found.items()}


def values(model, ident, names):
    """The columns and many2many links of one record.

    :param model: the empty recordset of its model
    :return: ``{name: value}``; None if the record is gone
    """
    cr, fields = model.env.cr, model._fields
    linked = [n for n in names if fields[n].type == "many2many"]
    plain = [n for n in names if n not in linked]
    rows = columns(cr, model._table, plain, [ident])
    if not rows:
        return None
    found = dict(zip(plain, rows[0][1:], strict=True))
    for name in linked:
        field = fields[name]
        relation = (field.relation, field.column1, field.column2)
        others = (other for _table, _one, other in pairs(cr, {relation: [ident]}))
        found[name] = tuple(sorted(others))
    return found
