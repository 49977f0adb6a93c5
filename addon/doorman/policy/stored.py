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


def there(cr, wanted, versioned=()):
    """Which records exist, of several models in one statement.

    :param wanted: ``{table: ids}``
    :param versioned: the tables of which the versions are told; a view has none
    :return: ``{(table, id): version or None}``
    """
    tables = [table for table, ids in wanted.items() if ids]
    parts = [
        SQL(
            "SELECT %s::int, id, %s FROM %s WHERE id = ANY(%s)",
            number,
            VERSION if table in versioned else SQL("NULL"),
            SQL.identifier(table),
            list(wanted[table]),
        )
        for number, table in enumerate(tables)
    ]
    if not parts:
        return {}
    cr.execute(SQL(" UNION ALL ").join(parts))
    return {(tables[number], ident): told for number, ident, told in cr.fetchall()}


def pairs(cr, wanted):
    """The rows of several many2many tables, in one statement.

    :param wanted: ``{(table, column, other column): ids}``, of the first column
    :return: ``[(relation, id, id on the other side)]``, with the key of ``wanted``
    """
    relations = [relation for relation, ids in wanted.items() if ids]
    parts = []
    for number, relation in enumerate(relations):
        table, column, other = map(SQL.identifier, relation)
        parts.append(
            SQL(
                "SELECT %s::int, %s, %s FROM %s WHERE %s = ANY(%s)",
                *(number, column, other, table, column, list(wanted[relation])),
            )
        )
    if not parts:
        return []
    cr.execute(SQL(" UNION ALL ").join(parts))
    return [(relations[number], one, other) for number, one, other in cr.fetchall()]


def versions(cr, table, ids):
    """:return: ``{id: version}``, of the rows that exist"""
    found = there(cr, {table: ids}, {table})
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
