"""The fields that take a value from a connection, no matter which value.

A few are stored nowhere, and the model's own create and write take their values and
put them elsewhere: how often a meeting or a task is repeated. Whether they did shows
afterwards (check_kept); of others Odoo would drop the value without a word.
"""

from . import closed_fields, closed_models, inherited_models, shared, stock_fields
from .refusal import Refusal, _lt
from .suggestions import near_hint

# Types whose values can be compared as they were sent.
TAKEN = ("boolean", "integer", "char", "selection", "date", "datetime")


# Stored nowhere, not even afterwards: how far a change of a record reaches. Odoo's own
# write takes it out of the values first.
REACH = frozenset({("calendar.event", "recurrence_update")})


def check(guard, model, name, is_line=False):
    """:param bool is_line: whether the record is part of another one's values
    :return: the field, if a connection may give it a value
    """
    known = model._fields.get(name) if isinstance(name, str) else None
    if known is not None and (
        known.type == "binary" or name in closed_fields.BYTES_FIELDS
    ):
        raise _is_file(guard, model, name)
    return _check(guard, model, name, is_line)


def check_file(guard, model, name):
    """:return: the binary field, if a connection may put a file into it"""
    field = guard.field(model, name)
    if field.type != "binary":
        raise Refusal(
            "not_a_file_field",
            _lt(
                "%(model)s.%(field)s does not accept files.",
                model=model._name,
                field=name,
            ),
            near_hint(name, [n for n, f in model._fields.items() if f.type == "binary"])
            or _lt("Leave field out to attach the file to the record."),
        )
    _check(guard, model, name)
    if field.readonly or name in model.env["ir.ui.view"]._doorman_shown(model._name):
        raise closed(model, name, _lt("is read-only"))
    return field


def _is_file(guard, model, name):
    """A file that was sent as a value: what takes it, if anything does."""
    hint = _lt(shared.SAY_FILE_FIELD_HINT, name)
    if model._transient:
        hint = _lt("Leave it out: a person has to choose a file in Odoo.")
    elif inherited_models.is_file(guard.env, model._name):
        hint = _lt("Send it with request_upload, which attaches it to a record.")
    what = _lt(shared.SAY_FILE_FIELD, f"{model._name}.{name}")
    return Refusal("file_as_value", what, hint, model=model._name, field=name)


def _check(guard, model, name, is_line=True):
    field = guard.field(model, name)
    if name in closed_fields.MAGIC_FIELDS:
        raise closed(model, name, _lt("is filled by Odoo itself"))
    if closed_fields.is_code(name, field.type):
        raise closed(model, name, _lt("holds code"))
    if getattr(field, "render_engine", None):
        raise closed(model, name, _lt("is rendered as a template"))
    only = closed_models.WRITE_FIELDS.get(model._name)
    if only is not None and name not in only:
        raise closed(model, name, _lt("cannot be written by AI tools"))
    stock_fields.check(model, name)
    if field.type == "properties_definition":
        raise closed(model, name, _lt("is shared by all records of a kind"))
    if (
        field.type == "many2one_reference"
        and model._name not in closed_models.FOLLOWERS
    ):
        raise closed(model, name, _lt("can be of any model"))
    _elsewhere(guard, model, field)
    if is_worked_out(field) and (is_line or not _is_taken(model, field)):
        raise _takes_no_value(model, field)
    return field


def _takes_no_value(model, field):
    return Refusal(
        "computed_field",
        _lt(
            "%(model)s.%(field)s %(why)s: it takes no value.",
            model=model._name,
            field=field.name,
            why=_from_what(model, field),
        ),
        _lt("Leave it out."),
    )


def _is_taken(model, field):
    """Whether the model's own code may take a value that the field does not keep."""
    if model._transient or field.type not in TAKEN:
        return False
    if (model._name, field.name) in REACH:
        return True
    writable = field.compute and not field.readonly and not field.related
    return bool(writable and not field.store and not field.inverse)


def check_kept(records, vals):
    """Refuse a change of which a value has got lost.

    :param records: that the values were given to; Odoo's code may have deleted some
    :param dict vals: as Odoo got them
    """
    names = [
        name
        for name in vals
        if (records._name, name) not in REACH
        and _is_taken(records, records._fields[name])
    ]
    if not names:
        return
    records.env.flush_all()
    records = records.exists()
    records.invalidate_recordset(names)
    for record in records:
        for name in names:
            field = record._fields[name]
            given = field.convert_to_cache(vals[name], record)
            if (field.convert_to_cache(record[name], record) or False) != (
                given or False
            ):
                raise _takes_no_value(record, field)


def _from_what(model, field):
    """Why nobody can give it a value: Odoo would drop it without a word."""
    if not field.compute:
        return _lt("is not stored in Odoo")
    if field.related:
        return _lt("is the value of %(path)s", path=field.related)
    paths = model.pool.field_depends.get(field, ())
    names = dict.fromkeys(path.partition(".")[0] for path in paths)
    names = [n for n in names if not closed_fields.is_withheld(n)][:8]
    if not names:
        return _lt("is computed by Odoo")
    return _lt("is computed by Odoo from %(fields)s", fields=", ".join(names))


def _elsewhere(guard, model, field):
    """A related field is written on the record that it leads to."""
    path = field.related.split(".") if field.related else []
    owner = model
    for step in path[:-1]:
        owner = guard.env[owner._fields[step].comodel_name]
    if not path or owner._name == model._name:
        return
    # Fields of a parent model (_inherits) count as the model's own, but for the
    # floor: the parent is part of the record.
    if not guard.may_write(owner._name) or not (
        field.inherited or guard.may_use(owner._name)
    ):
        raise Refusal(
            "field_of_other_model",
            _lt(
                "%(model)s.%(field)s belongs to %(other)s, which this connection "
                "cannot change.",
                model=model._name,
                field=field.name,
                other=owner._name,
            ),
            _lt("Leave it out."),
        )
    _check(guard, owner, path[-1])


def closed(model, name, why):
    return Refusal(
        "field_closed",
        _lt("%(model)s.%(field)s %(why)s.", model=model._name, field=name, why=why),
        _lt("Leave it out."),
    )


def is_worked_out(field):
    """Whether Odoo makes a value itself and drops one that is sent, or keeps it until
    it makes the next."""
    if field.inverse:
        return False
    return not field.store or bool(field.compute and field.readonly)
