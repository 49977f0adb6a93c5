"""Records that hang on a record of another model, such as files and messages: they are
as open as what they hang on."""

from odoo.fields import Domain
from odoo.tools import SQL

from . import closed_models
from .refusal import Refusal, _lt


def domain_of(guard, model):
    """What limits attachments, messages and the like to models that may be used.

    :param guard: the rules of the connection
    :param model: any
    :return: a domain; None where the model's records stand for themselves
    """
    field = closed_models.owner_field(model.pool, model._name)
    if not field:
        return None
    if guard.allowed is not None:
        names = sorted(filter(guard.may_use, guard.allowed))
        if model._name in closed_models.FOLLOWERS:
            return [(field, "in", names)]
        # What inherits a file is something by itself.
        return ["|", (field, "=", False), (field, "in", names)]
    if guard.rules is not None:
        # What hangs on nothing is as before.
        closed = [name for name in guard.env.registry if not guard.may_use(name)]
        return ["|", (field, "=", False), (field, "not in", sorted(closed))]
    return ["!", (field, "=like", "doorman.%")]


def of_records_there(env, model, some, domain):
    """What limits attachments, messages and the like to those that hang on records
    which are there for the connection.

    :param env: of the connection's user
    :param str model: technical name of any model
    :param some: the models of which only some records are there
    :param domain: a function of an environment and a model that gives these
    :return: Domain; None where the model's records stand for themselves
    """
    field = closed_models.owner_field(env.registry, model)
    some = [name for name in some if name in env and name != model]
    if not field or not some or "res_id" not in env[model]._fields:
        return None

    def of_owner(name):
        owner = env[name].sudo().with_context(active_test=False)
        return owner, domain(env, name)

    def to_sql(records, alias, query):
        owned = records._field_to_sql(alias, field, query)
        ident = records._field_to_sql(alias, "res_id", query)
        parts = []
        for name in some:
            owner, there = of_owner(name)
            parts.append(
                SQL(
                    "(%s IS DISTINCT FROM %s OR coalesce(%s, 0) = 0 OR %s IN %s)",
                    *(owned, name, ident, ident, owner._search(there).subselect()),
                )
            )
        return SQL("(%s)", SQL(" AND ").join(parts))

    def predicate(record):
        if record[field] not in some or not record.res_id:
            return True
        owner, there = of_owner(record[field])
        return bool(owner.browse(record.res_id).exists().filtered_domain(there))

    return Domain.custom(to_sql=to_sql, predicate=predicate)


def not_of_fields(env, model, rules):
    """What limits files to those that no closed field holds: Odoo keeps a field's bytes
    as a file, which is read, searched and fetched by itself.

    :param env: of the connection's user
    :param str model: technical name of any model
    :param Rules rules: which say what is closed
    :return: Domain; None where the model's records are no files
    """
    if not rules.holds_closed(model):
        return None
    field = closed_models.owner_field(env.registry, model)
    return Domain.AND(
        Domain(field, "!=", name) | Domain("res_field", "not in", sorted(names))
        for name, names in rules.files.items()
    )


def check_seen(guard, records):
    """:raise Refusal: if some records are not among those of their model that there are
    for the connection"""
    rules = guard.rules
    name = records._name
    if rules is None or not (rules.is_partly(name) or rules.holds_closed(name)):
        return
    known = records.exists()
    seen = known.with_context(active_test=False).search([("id", "in", known.ids)])
    if known - seen:
        raise Refusal(
            "records_not_allowed",
            _lt(
                "The rules of this connection do not let it use some of these records "
                "of %(model)s.",
                model=name,
            ),
            _lt("Use search_records to find those that it can use."),
        )


def check(guard, records, write, seen):
    """Follow records to what they hang on, and that to what it hangs on: a file of a
    message is as open as what the message is of.

    :param records: with all rights, since everybody may know what they belong to
    :param bool write: whether they are changed
    :param set seen: models and ids, because a file may hang on itself
    :raise Refusal: if some of it may not be used
    """
    field = closed_models.owner_field(records.pool, records._name)
    if not field:
        return
    for owner, hanging in records.grouped(field).items():
        if not owner:
            continue
        if not guard.may_use(owner) or (write and not guard.may_write(owner)):
            raise Refusal(
                "model_not_allowed",
                _lt(
                    "Some of these belong to %(model)s, which this connection cannot "
                    "change.",
                    model=owner,
                )
                if write
                else _lt(
                    "Some of these belong to %(model)s, which this connection cannot "
                    "use.",
                    model=owner,
                ),
            )
        if "res_id" in records._fields and guard.rules is not None:
            ids = {i for i in hanging.mapped("res_id") if i}
            check_seen(guard, guard.env[owner].browse(ids))
        if owner not in closed_models.FOLLOWERS or "res_id" not in records._fields:
            continue
        ids = {i for i in hanging.mapped("res_id") if i and (owner, i) not in seen}
        seen.update((owner, i) for i in ids)
        check(guard, records.env[owner].browse(ids).exists(), write, seen)
