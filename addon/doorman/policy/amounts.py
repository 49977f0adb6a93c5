"""Amounts, as they are read: with their currency."""

from .linked_values import record_id
from .refusal import _lt
from .single_values import number
from .value_place import other_place, unpacked


def amount(place, value):
    """An amount, also with its currency, which must be the one of the record."""
    value = unpacked(value)
    if not isinstance(value, dict):
        return number(place, value)
    if set(value) - {"amount", "currency"} or "amount" not in value:
        raise place.wrong(_lt("a number, or {amount, currency}"))
    if value.get("currency"):
        _check_currency(place, value["currency"])
    return value["amount"] and number(place, value["amount"])


def _check_currency(place, named):
    name = place.field.get_currency_field(place.records)
    currency = place.records._fields.get(name)
    if currency is None:
        raise place.wrong(_lt("a number: it has no currency of its own"))
    if isinstance(named, dict):
        named = named.get("name") or named.get("id")
    elif isinstance(named, list):
        named = named[0] if named else None
    currencies = place.guard.env["res.currency"].with_context(active_test=False)
    for own in _currencies(place, name, currencies):
        if not own:
            raise place.wrong(
                _lt("a number: its currency is not known"),
                _lt("Also send %(name)s, or send the amount alone.", name=name),
            )
        if named not in (own.name, own.id):
            raise place.wrong(
                _lt(
                    "an amount in %(currency)s, the currency of the record, not in "
                    "%(given)s",
                    currency=own.name,
                    given=str(named)[:20],
                ),
                _lt("Convert it to %(currency)s.", currency=own.name),
            )


def _currencies(place, name, currencies):
    """The currencies that an amount will be in, one for each record."""
    if place.vals.get(name):
        ident = record_id(other_place(place, name), place.vals[name])
        return [currencies.browse(ident)]
    if place.records:
        return [record[name] for record in place.records]
    # As Odoo would fill it in, by what else is known so far.
    known = {}
    for key, value in place.vals.items():
        field = place.records._fields.get(key)
        if field is not None and field.type == "many2one" and value:
            known[key] = record_id(other_place(place, key), value)
    model = place.records.browse()
    defaults = model.default_get([name, "company_id"])
    return [model.new(defaults | known)[name]]
