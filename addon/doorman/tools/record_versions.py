"""Which versions of its records a call was looked at with: whether what a person has
approved is still what would be done."""

from ..policy import stored
from ..policy.plain_text import plain
from ..policy.value_place import is_id
from . import operations


def versions_of_call(env, request):
    """Which versions there are of all records that a request names, those included that
    its commands name.

    :return: ``{"model,id": version}``
    """
    named, linked, kwargs = {}, {}, request["kwargs"]
    if request["ids"]:
        named[request["model"]] = set(request["ids"])
    rows = kwargs.get("vals_list") or kwargs.get("vals_each") or [kwargs.get("vals")]
    rows = [*(rows if isinstance(rows, list) else ()), kwargs.get("values")]
    for row in rows:
        _add_named(env[request["model"]], row, named, linked)
    operation = operations.of(request)
    if operation and operation.works_on:
        for name, ids in operation.works_on(env, kwargs):
            named.setdefault(name, set()).update(ids)
    if operation and operation.points_at:
        for name, ident in operation.points_at(env, kwargs):
            linked.setdefault(name, set()).add(ident)
    found = {
        f"{name},{ident}": version
        for name, ids in named.items()
        for ident, version in versions(env[name].browse(sorted(ids))).items()
    }
    # Of what it only points at, the name is what was shown.
    for name, ids in linked.items():
        for record in env[name].sudo().browse(sorted(ids)).exists():
            found.setdefault(f"{name},{record.id}", _known_as(record))
    return found


def _known_as(record):
    address = record.email or "" if record._name == "res.partner" else ""
    return f"{plain(record.display_name)} {plain(address)}"


def _add_named(model, vals, named, linked, depth=0):
    """Add the records that the commands of some values change, by model; and those that
    the values point at."""
    for name, commands in vals.items() if isinstance(vals, dict) else ():
        field = model._fields.get(name)
        if field is None or field.type not in ("many2one", "one2many", "many2many"):
            continue
        comodel = model.env[field.comodel_name]
        if field.type == "many2one":
            if is_id(commands):
                linked.setdefault(comodel._name, set()).add(commands)
            continue
        for command in commands if isinstance(commands, list) else ():
            if not isinstance(command, list):
                continue
            code, ident, arg = (*command, 0, 0, 0)[:3]
            ids = arg if code == 6 and isinstance(arg, list) else [ident]
            # To tag a record is not to change the tag.
            if code in (1, 2) or (field.type == "one2many" and code in (3, 4, 6)):
                known = named.setdefault(comodel._name, set())
                known.update(filter(is_id, ids))
            elif code in (4, 6):
                linked.setdefault(comodel._name, set()).update(filter(is_id, ids))
            if code in (0, 1) and depth < 4:
                _add_named(comodel, arg, named, linked, depth + 1)


def versions(records):
    """Which version of each record's row there is now: whatever writes the row, the
    ORM or not, makes another one.

    :return: ``{id as text: version}``, without records that are gone
    """
    if records._abstract or not records._auto or not records.ids:
        return {}
    records.env.cr.flush()
    rows = stored.versions(records.env.cr, records._table, records.ids)
    found = {str(ident): version for ident, version in rows.items()}
    # The part of it that is kept in a parent's table (_inherits).
    for parent, name in records._inherits.items():
        owners = records.sudo().exists()
        theirs = versions(records.env[parent].browse(owners.mapped(name).ids))
        for owner in owners:
            found[str(owner.id)] += " " + theirs.get(str(owner[name].id), "")
    return found
