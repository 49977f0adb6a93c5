"""What the ORM has in memory: values that code may have read in this transaction."""

from collections.abc import Mapping


def values(env, field):
    """The values of a field in every language and company.

    :param env: of any user: all of a transaction share the memory
    :return: pairs of the id of a record, None of an unsaved one, and a value as the ORM
        keeps it
    """
    return _of_each(env.transaction.field_data.get(field) or {})


def _of_each(kept, ident=None):
    for key, value in kept.items():
        of = key if isinstance(key, int) and ident is None else ident
        if isinstance(value, Mapping):
            # The values by what they depend on, or a text by its languages.
            yield from _of_each(value, of)
        elif value is not None:
            yield of, value


def naming(env, model):
    """:return: the fields that hold what the records of a model are called"""
    fields = env[model]._fields
    return [fields[n] for n in {"display_name", env[model]._rec_name} & fields.keys()]
