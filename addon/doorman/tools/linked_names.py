"""What the rows of a read hold besides plain values: names of linked records, files."""

from odoo.exceptions import AccessError, MissingError

from ..policy.in_force import name_of

MAX_NAMES = 5
# A size is short; whatever is longer is what it should be the size of.
MAX_SIZE = 24


def without_bytes(model, rows):
    """Sizes instead of contents: files never travel in a reply, also where a module's
    own field does not know that it was asked for its size."""
    files = [n for n in (rows[0] if rows else ()) if _type(model, n) == "binary"]
    for row in rows:
        for name in files:
            value = row[name]
            if isinstance(value, bytes):
                value = value.decode(errors="replace")
            if value and len(str(value)) > MAX_SIZE:
                value = f"{len(str(value)) * 3 // 4} bytes"
            row[name] = value
    return rows


def names_of(guard, model, rows, each):
    """The names of the first records of every one2many and many2many, as far as this
    connection may use their model and its user may read them.

    :param int each: how many of each list
    :return: ``{field: {id as text: name}}``
    """
    found = {}
    for name in rows[0] if rows else ():
        if _type(model, name) not in ("one2many", "many2many"):
            continue
        comodel = model._fields[name].comodel_name
        if not guard.may_use(comodel) or comodel in guard.asks_to_read:
            continue
        ids = [i for row in rows for i in (row[name] or [])[:each]]
        records = guard.env[comodel].browse(dict.fromkeys(ids))
        try:
            records = records.exists()._filtered_access("read")
            found[name] = {str(r.id): name_of(r)[:100] for r in records}
        except (AccessError, MissingError):
            continue
    return found


def _type(model, name):
    field = model._fields.get(name)
    return field and field.type
