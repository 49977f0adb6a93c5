"""Whose records Odoo's record rules show a user: only their own, of some companies.

The rules themselves tell, once they are worked out for the user: "User: Own Documents
Only" of sales leaves ``user_id`` in (the user, nobody), and "All Documents" leaves
everything.

    and ── one of its parts says so
    or  ── all of its parts say so
"""

from odoo.fields import Domain
from odoo.orm.domains import DomainAnd, DomainCondition, DomainOr
from odoo.orm.utils import COLLECTION_TYPES

NONE = frozenset()
EQUAL = ("=", "in", "child_of")


def own_fields(env, name):
    """:param env: of the user
    :param str name: technical name of a model
    :return: the fields by which its records are the user's own, or nobody's; none if
        the user may see others' too
    """
    if env.su:
        return NONE
    return _limits(env[name], env["ir.rule"]._compute_domain(name, "read"))


def _limits(model, domain):
    """:return: as ``own_fields``, for what a domain leaves"""
    if isinstance(domain, DomainAnd):
        return NONE.union(*(_limits(model, part) for part in domain.children))
    if isinstance(domain, DomainOr):
        parts = [_limits(model, part) for part in domain.children]
        return NONE.union(*parts) if all(parts) else NONE
    if isinstance(domain, DomainCondition):
        return _of_condition(model, domain)
    return NONE


def _of_condition(model, condition):
    name, _dot, rest = condition.field_expr.partition(".")
    field = model._fields.get(name)
    if field is None or field.type not in ("many2one", "many2many", "one2many"):
        return NONE
    other, operator, value = field.comodel_name, condition.operator, condition.value
    if rest:
        inside = _of_condition(model.env[other], DomainCondition(rest, operator, value))
    elif operator in ("any", "any!") and isinstance(value, Domain):
        inside = _limits(model.env[other], value)
    else:
        inside = operator in EQUAL and _is_user(model.env, other, value)
    return frozenset({name}) if inside else NONE


def _is_user(env, comodel, value):
    """Whether ids are those of the user, or of the contact or company that they are;
    besides them there may be False: of nobody."""
    user = env.user
    mine = {
        "res.users": {user.id},
        "res.partner": {user.partner_id.id, user.commercial_partner_id.id},
    }.get(comodel, set())
    if not isinstance(value, (int, *COLLECTION_TYPES)):
        return False  # a query, which would have to be run
    values = {value} if isinstance(value, int) else value
    found = {one for one in values if one is not False}
    return bool(found) and found <= mine


def by_company(env, name):
    """Whether the rules leave the records of some companies alone.

    :param env: of the user
    :param str name: technical name of a model
    """
    if env.su:
        return False
    return _names_company(env[name], env["ir.rule"]._compute_domain(name, "read"))


def _names_company(model, domain):
    for condition in domain.iter_conditions():
        name, _dot, rest = condition.field_expr.partition(".")
        comodel = getattr(model._fields.get(name), "comodel_name", None)
        if comodel == "res.company":
            return True
        inside = condition.value
        if not rest and isinstance(inside, Domain) and comodel:
            if _names_company(model.env[comodel], inside):
                return True
    return False
