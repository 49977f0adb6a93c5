"""What the database holds of some records, past Odoo's caches."""

from odoo.tools import SQL


def columns(cr, table, names, ids):
    """:param names: of columns
    :return: ``[(id, value, ...)]``, of the rows that exist
    """
    wanted = SQL(", ").join(map(SQL.identifier, ("id", *names)))
    table = SQL.identifier(table)
    cr.execute(SQL("SELECT %s FROM %s WHERE id = ANY(%s)", wanted, table, list(ids)))
    return cr.fetchall()


def pairs(cr, relation, ids):
    """:param relation: a many2many's table and its two columns
    :return: ``[(id, id on the other side)]``
    """
    table, column1, column2 = map(SQL.identifier, relation)
    cr.execute(
        SQL(
            "SELECT %s, %s FROM %s WHERE %s = ANY(%s)",
            *(column1, column2, table, column1),
            list(ids),
        )
    )
    return cr.fetchall()


def versions(cr, table, ids):
    """Which version of each row there is: whatever writes it makes another one.

    :return: ``{id: version}``, of the rows that exist
    """
    cr.execute(
        SQL(
            "SELECT id, xmin::text || '/' || ctid::text FROM %s WHERE id = ANY(%s)",
            SQL.identifier(table),
            list(ids),
        )
    )
    return dict(cr.fetchall())


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
        others = (other for _one, other in pairs(cr, relation, [ident]))
        found[name] = tuple(sorted(others))
    return found
