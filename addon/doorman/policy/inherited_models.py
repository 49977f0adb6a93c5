"""Models that are only read because of what they inherit or point at, not by name.

A module may give a model that sends, renders or shares any name it likes. What it is
made of tells: the registry is asked.
"""

from . import closed_models


def may_write(env, name):
    """Whether any policy could let a connection change records of a model.

    :param str name: technical name of a model of ``env``
    """
    if not closed_models.may_write(name):
        return False
    model = env[name]
    return not (_inherits_closed(env, model) or (model._transient and _aims(model)))


def is_file(env, name):
    """Whether a record of this model is an attachment, by whatever name."""
    return name in closed_models.WRITE_FIELDS or any(
        is_file(env, parent) for parent in env[name]._inherits
    )


def _inherits_closed(env, model):
    cls = type(model)
    if any(
        name in env and issubclass(cls, env.registry[name])
        for name in closed_models.CLOSED_BASES
    ):
        return True
    # A copy of a model that is only read, under another name. Mixins are no such model.
    names = {getattr(base, "_name", None) for base in cls.__mro__} - {None, model._name}
    return any(
        name in env and not env[name]._abstract and not closed_models.may_write(name)
        for name in names
    )


def _aims(model):
    """Whether a wizard is told what to work on by the name of a model, or is for Odoo's
    machinery: it would take its user's rights where the rules do not let them go."""
    for name, field in model._fields.items():
        if field.type in ("reference", "many2one_reference"):
            return True
        if field.type in ("char", "selection") and name in ("model", "res_model"):
            return True
        if (
            field.type in ("many2one", "many2many")
            and not field.related
            and closed_models.is_machinery(field.comodel_name)
        ):
            return True
    return False
