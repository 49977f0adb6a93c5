"""A record by what it is called, as far as its user and its connection may read it."""

import re

from odoo.fields import Domain

from . import looks, looks_names, name_search, shared
from .in_force import name_of
from .refusal import Refusal, _lt

MAX_NEAR = 5
# How many names one request may have looked up.
MAX_NAMES = 200
# How many records are looked at.
FEW = 200


def find(guard, model, field, text):
    """The one record that a relation's value names. Nothing is ever created.

    :param field: the relation, whose other model is searched
    :param str text: the name: exactly, whatever its case; or else a part of the name of
        one alone, if no archived one has this name
    :return: its id
    :raise Refusal: if none or several are called so; it names the near ones
    """
    comodel = guard._look_through(model, field)
    place = f"{model._name}.{field.name}"
    company = _company_of(model) if field.check_company else model.env["res.company"]
    # The same for many rows: a hundred contacts of one country.
    key = comodel._name, text.strip(), company.id
    if key not in guard.looked_up:
        if len(guard.looked_up) >= MAX_NAMES:
            raise Refusal(
                "too_many_names",
                _lt(
                    "%(field)s: there are more than %(most)s different names.",
                    field=place,
                    most=MAX_NAMES,
                ),
                _lt("Send ids, or fewer records."),
            )
        guard.looked_up[key] = find_in(guard, comodel, text, place, company)
    return guard.looked_up[key]


def _company_of(model):
    """The company that the records of a value are of: a form offers no other one's
    for a field that has to match."""
    if len(model) == 1 and "company_id" in model._fields:
        return model.sudo().company_id or model.env.company
    return model.env.company


def find_in(guard, comodel, text, place, company=None):
    """The same in a model that may be used.

    :param str place: what the value is for, as the error names it
    :param company: that it has to be of, or of none; None for any
    """
    if comodel._name in guard.asks_to_read:
        raise Refusal(
            "model_needs_approval",
            _lt(
                "%(field)s: %(model)s cannot be read without approval.",
                field=place,
                model=comodel._name,
            ),
            _lt("Use the id."),
        )
    found = matching(guard, comodel, text)
    if len(found) > 1 and company:
        found = _of_company(guard, found, company) or found
    if len(found) == 1:
        return found.id
    text = text.strip()[:80]
    if found:
        raise Refusal(
            "ambiguous_name",
            _lt(
                "%(field)s: more than one %(model)s is called %(name)r.",
                field=place,
                model=comodel._name,
                name=text,
            ),
            _lt("Use the id: %(choices)s.", choices=_told_apart(guard, found)),
        )
    raise Refusal(
        "unknown_record_name",
        _lt(
            "%(field)s: no %(model)s is called %(name)r.",
            field=place,
            model=comodel._name,
            name=text,
        ),
        archived(guard, comodel, text)
        or near_records(guard, comodel, text)
        or _lt(
            "Find the record in %(model)s first, with search_records.",
            model=comodel._name,
        ),
    )


def matching(guard, comodel, text):
    """:return: the records that a name may stand for, at most a few"""
    text = text.strip()
    comodel = comodel.with_context(active_test=True)
    if not text or "\0" in text or not _has_names(comodel):
        return comodel.browse()
    exact = _called(guard, comodel, "=", text)
    if len(exact) == 1:
        return exact
    # "=" looks at references and addresses, too: the name comes first.
    for some in (exact, found := _called(guard, comodel, "ilike", text)):
        named = some.filtered(
            lambda record: name_of(record).casefold() == text.casefold()
        )
        if len(named) == 1:
            return named
    if (
        not exact
        and len(found) == 1
        and (
            not _begins_a_word(found, text)  # "Ann" is not what Joanna is called
            or archived_called(guard, comodel, "=", text, limit=1)
        )
    ):
        found = comodel.browse()
    return exact or found or told_as(guard, comodel, text)


def told_as(guard, comodel, text):
    """The records that replies call so, where Odoo's own search does not know the whole
    of the name: a variant by its attributes (``Shelf (Oak)``), a pricelist by its
    currency.

    :return: at most a few
    """
    if text.strip().isdecimal():
        return comodel.browse()  # an id as text, nearly always
    alike = name_search.most_alike(guard, comodel, text)
    return comodel.browse(ident for ident, _name in alike).filtered(
        lambda record: name_of(record).casefold() == text.strip().casefold()
    )


def _begins_a_word(record, text):
    name = name_of(record).casefold()
    return re.search(rf"(?<!\w){re.escape(text.casefold())}", name) is not None


def is_known(guard, comodel, text):
    """Whether any record has exactly this name, as Odoo's own search compares it."""
    return bool(_called(guard, comodel, "=", text, limit=1))


def archived(guard, comodel, text):
    """:return: a sentence that names the archived records of exactly this name with
    their ids, or ''"""
    found = archived_called(guard, comodel, "=", text, MAX_NEAR)
    if not found:
        return ""
    return _lt(
        "Archived: %(choices)s. Use the id, or restore it first.",
        choices=listed(found),
    )


def archived_called(guard, comodel, operator, text, limit):
    """:return: the archived records that a name stands for, at most a few"""
    name = comodel._active_name
    told = name and looks.is_told(guard, comodel._name, name)
    if not told or not _has_names(comodel):
        return comodel.browse()
    hidden = comodel.with_context(active_test=False)
    return _called(guard, hidden, operator, text, limit, Domain(name, "=", False))


def near_records(guard, comodel, text):
    """:return: a sentence that names records of a similar name with their ids, or ''"""
    comodel = comodel.with_context(active_test=True)
    found = name_search.nearest(guard, comodel, text, MAX_NEAR)
    records = comodel.browse([near.id for near in found])
    return _lt(shared.SAY_DID_YOU_MEAN, listed(records)) if records else ""


def _of_company(guard, records, company):
    """Those that a form of a company offers, if their own may be told."""
    name = _company_field(guard, records)
    if not name:
        return records.browse()
    return records.filtered(lambda record: not record[name] or company in record[name])


def _company_field(guard, records):
    """The field that says which company a record is of; "" if none may be told."""
    for name in ("company_id", "company_ids"):
        if name in records._fields and looks.is_told(guard, records._name, name):
            return name
    return ""


def _told_apart(guard, records):
    """:return: as ``listed``, with the company where two have the same name"""
    field = _company_field(guard, records)
    names = [name_of(record) for record in records]
    if len(set(names)) == len(names) or not field:
        return listed(records)
    return listed(records, lambda record: record[field]._filtered_access("read")[:1])


def listed(records, of=None):
    """:param of: gives what a record is of, to tell it apart
    :return: ids and names of a few records, and how many more there are
    """
    told = []
    for record in records[:MAX_NEAR]:
        told.append(f"{record.id} {name_of(record)[:60]}")
        if owner := of and of(record):
            told[-1] += f" ({name_of(owner)[:60]})"
    if more := len(records) - len(told):
        told.append(f"... +{more}")
    return "; ".join(told)


def _called(guard, comodel, operator, text, limit=FEW, also=Domain.TRUE):
    domain = looks_names.named(guard, comodel, operator, text) & also
    domain &= Domain(guard.owner_domain(comodel) or [])
    return comodel.search(domain, limit=limit)


def _has_names(comodel):
    # Without a name field, Odoo's search by name finds everything.
    return bool(comodel._rec_names_search or comodel._rec_name)
