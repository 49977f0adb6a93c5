"""What the guard says of a model or a field that a call may not touch."""

from . import closed_fields, menu_words, shared
from .refusal import Refusal, _lt
from .suggestions import near_hint


def unknown_model(guard, name):
    return Refusal(
        "unknown_model",
        _lt("There is no model %(model)s in this Odoo.", model=name[:80]),
        menu_words.near_models(guard, name)
        or _lt("Call list_models to see the available models."),
    )


def leads_to(model, field):
    """Of a step to a model that is closed to the connection."""
    return Refusal(
        "model_not_allowed",
        _lt(
            "%(model)s.%(field)s leads to %(other)s, which this connection cannot use.",
            model=model._name,
            field=field.name,
            other=field.comodel_name,
        ),
        _lt(shared.SAY_LEAVE_OUT),
    )


def leads_anywhere(model, field):
    """Of a step to records that hang on records of any model."""
    return Refusal(
        "model_not_allowed",
        _lt(
            "%(model)s.%(field)s may lead to models that this connection cannot use.",
            model=model._name,
            field=field.name,
        ),
        _lt(shared.SAY_LEAVE_OUT),
    )


def leads_to_asking(model, field, other):
    """Of a step to a model that waits for a person when it is read."""
    return Refusal(
        "model_needs_approval",
        _lt(
            "%(model)s.%(field)s leads to %(other)s, which cannot be read without "
            "approval.",
            model=model._name,
            field=field.name,
            other=other._name,
        ),
        _lt(
            "Leave that part out, or ask for %(other)s alone, which needs approval.",
            other=other._name,
        ),
    )


def unknown_field(model, name):
    return no_field(model._name, name, model)


def no_field(name, field, model=None):
    """:param str name: technical name of a model
    :param field: what it has no field of the name of
    :param model: the model, if its other fields may be told of; near names are
    """
    fields = () if model is None else model._fields
    known = [n for n in fields if not closed_fields.is_withheld(n)]
    return Refusal(
        "unknown_field",
        _lt(shared.SAY_NO_FIELD, model=name, field=str(field)[:80]),
        near_hint(field, known) or _lt(shared.SAY_NO_FIELD_HINT),
    )


def withheld(model, name):
    return Refusal(
        "field_withheld",
        _lt(
            "The field %(model)s.%(field)s is withheld from AI tools.",
            model=model._name,
            field=name,
        ),
        _lt("Use get_attachment to get a file, or its text.")
        if name in closed_fields.BYTES_FIELDS
        else _lt("Leave it out."),
    )


def check_has_records(model):
    """:raise Refusal: of a model that only others are made of"""
    if model._abstract:
        raise Refusal(
            "model_without_records",
            _lt("There are no records of %(model)s.", model=model._name),
        )


def unknown_records(field, comodel, ids):
    """Of a value with ids of records that do not exist.

    :param str field: as the caller named it
    :param str comodel: technical name of the model
    :param ids: of these records
    """
    return Refusal(
        "unknown_record",
        _lt(
            "%(field)s: there is no %(model)s with the id %(ids)s.",
            field=field,
            model=comodel,
            ids=", ".join(map(str, ids)),
        ),
        _lt("Use search_records to find ids."),
    )
