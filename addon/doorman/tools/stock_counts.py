"""Counts of stock (``stock.quant``, with the app Inventory).

What is counted belongs to the quant that is there. A second one of the same product in
the same place is stock besides: to apply its count adds to the stock instead of
correcting it. Odoo's own screens look for the one that is there (``inventory_mode`` of
stock/models/stock_quant.py), and take it with all rights; here it has to be named.
"""

from ..policy.refusal import Refusal, _lt, at

QUANT = "stock.quant"
# What two quants of the same stock have in common.
SAME = ("product_id", "location_id", "lot_id", "package_id", "owner_id")


def check_new(model, rows):
    """Refuse to make a quant of stock that has one.

    :param rows: ``[(place, values)]``, as Odoo would get them
    """
    if model._name != QUANT:
        return
    made = set()
    for place, vals in rows:
        stock = tuple((name, vals.get(name) or False) for name in SAME)
        if not (vals.get("product_id") and vals.get("location_id")):
            continue
        found = model.search([(name, "=", value) for name, value in stock], limit=1)
        if found or stock in made:
            with at(place):
                raise _is_there(found)
        made.add(stock)


def _is_there(found):
    hint = ""
    if found:
        hint = _lt(
            "Write inventory_quantity of stock.quant %(id)s with update_records, then "
            "press action_apply_inventory.",
            id=found.id,
        )
    return Refusal(
        "already_exists",
        _lt(
            "This stock has its stock.quant already: another one would add to it "
            "instead of correcting it."
        ),
        hint,
    )
