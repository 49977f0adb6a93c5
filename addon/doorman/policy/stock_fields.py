"""What may be written of stock on hand (``stock.quant``, with the app Inventory).

Odoo's screens only take counts (``_get_inventory_fields_create`` and ``..._write`` of
stock/models/stock_quant.py): what a count corrects, a stock move books. Over RPC Odoo
takes any field, and stock appears out of nothing.
"""

from .refusal import Refusal, _lt

QUANT = "stock.quant"
# It counts and applies at once, but on Odoo's own screen only: elsewhere its value gets
# lost without a word. And what Odoo works out.
NOT_HERE = (
    "inventory_quantity_auto_apply",
    "inventory_diff_quantity",
    "is_outdated",
)


def check(records, name):
    """:param records: that get a value; an empty recordset for one to be made
    :raise Refusal: if a person could not give a field of stock a value
    """
    if records._name != QUANT or name.startswith("x_"):
        return
    if records:
        names = set(records._get_inventory_fields_write())
        names -= set(records._get_forbidden_fields_write())
    else:
        names = set(records._get_inventory_fields_create())
    if name in names.difference(NOT_HERE):
        return
    raise Refusal(
        "field_closed",
        _lt("%(model)s.%(field)s cannot be written.", model=QUANT, field=name),
        _lt(
            "Stock on hand changes by transfers and counts: write inventory_quantity "
            "with update_records, then press action_apply_inventory."
        ),
    )
