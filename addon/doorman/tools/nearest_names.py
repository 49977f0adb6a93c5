"""A search that found nothing because nothing has the name that it asked for: which
names are near."""

from odoo.fields import Domain

from ..policy import looks_names, name_search, record_names
from ..policy.in_force import name_of
from ..policy.refusal import Refusal

# How many names of a domain are looked at, and how many near ones are told of each.
MAX_NAMES, EACH = 3, 5
EQUAL, LIKE = ("=", "in", "=ilike", "=like"), ("ilike", "like")


def nearest_names(guard, model, domain):
    """What may have been meant by the names in a domain.

    :param guard: the rules of the connection
    :param model: the one that was searched
    :param list domain: as it was sent, and checked
    :return: a list of ``{field, asked, model, records: [{id, name, archived?}]}``;
        where only archived records of the model have the name, these
    """
    if "!" in domain:
        return []  # what was asked not to be found
    found = []
    for field, target, operator, text in _asked(guard, model, domain):
        if len(found) == MAX_NAMES:
            break
        rows = _archived(guard, model, domain, target, operator, text)
        if not rows:
            records = _meant(guard, target, operator, text)
            rows = [{"id": r.id, "name": name_of(r)} for r in records]
        if rows:
            facts = {"field": field, "asked": text[:80], "model": target._name}
            found.append(facts | {"records": rows})
    return found


def _asked(guard, model, domain):
    """The names that a domain asks for: of the records themselves, and of those that
    they are linked with.

    :return: field, model of the name, operator and name, of each
    """
    for condition in Domain(domain).iter_conditions():
        operator, values = condition.operator, condition.value
        values = [values] if isinstance(values, str) else values
        if operator not in (*EQUAL, *LIKE) or not isinstance(
            values, list | tuple | set
        ):
            continue
        target = _named_model(guard, model, condition.field_expr)
        if target is None:
            continue
        for value in list(values)[:MAX_NAMES]:
            text = value.strip("% ") if isinstance(value, str) else ""
            if len(text) > 1 and not text.isdecimal():
                yield condition.field_expr, target, operator, text


def _named_model(guard, model, path):
    """The model whose records are called by what a condition compares; None if that is
    no name, or of a model whose records a person decides on."""
    try:
        owner, field = guard.path(model, path)
        if field.relational:
            owner = guard._look_through(owner, field)
        elif field.name not in ("display_name", *name_search.names_of(guard, owner)):
            return None
    except Refusal:
        return None
    if owner._name in guard.asks_to_read or not owner.has_access("read"):
        return None
    return owner


def _archived(guard, model, domain, target, operator, text):
    """The archived records of a model that have a name. Of another model's, whether
    they are archived makes no difference to what is found."""
    hides = target == model and model.env.context.get("active_test", True)
    names = {c.field_expr for c in Domain(domain).iter_conditions()} if hides else ()
    if not hides or model._active_name in names:
        return []
    operator = "ilike" if operator in LIKE else "=ilike"
    try:
        found = record_names.archived_called(guard, model, operator, text, EACH)
    except Refusal:
        return []  # its names may not be searched
    return [{"id": r.id, "name": name_of(r), "archived": True} for r in found]


def _meant(guard, target, operator, text):
    """The records that may have been meant by a name. None if one has that very name:
    then it is not the name that finds nothing.

    What has the name has its words. Where nothing has these, as with most slips, the
    name itself need not be searched for: each search reads the whole table.
    """
    operator = "ilike" if operator in LIKE else "=ilike"
    try:
        whole = looks_names.named(guard, target, operator, text)
    except Refusal:
        return target.browse()  # its names may not be searched
    owners = Domain(guard.owner_domain(target) or [])
    words = name_search.by_words(guard, target, text)
    records = target.search(words & owners, limit=EACH)
    if not records:
        near = name_search.nearest(guard, target, text, EACH)
        return target.browse([one.id for one in near])
    return records.browse() if target.search(whole & owners, limit=1) else records
