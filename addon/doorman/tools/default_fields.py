"""The fields that are read when none are named: what an office worker would look at.

    what identifies a record ── where it stands ── money, people, dates ── the other
    columns of its lists in Odoo ── for a model without lists, names that tell much

The lists are those that Odoo shows to this user: nothing is in them that the user may
not see, and what never leaves Odoo is taken out before this is asked.
"""

# How many there are at most, the id among them.
MOST = 15
# With fewer columns than this, the list tells too little of a record.
FEW = 10
# Where a record stands; then what it is worth, who it is with, and when.
STATUS = ("state", "stage_id", "status", "kanban_state", "payment_state")
TELLING = (
    *("partner_id", "employee_id", "product_id", "product_uom_qty", "quantity"),
    *("qty", "amount_total", "amount", "amount_residual", "list_price", "price_unit"),
    *("price_subtotal", "total_amount", "expected_revenue", "date_order"),
    *("invoice_date", "invoice_date_due", "date", "date_start", "start", "stop"),
    *("date_deadline", "scheduled_date", "date_planned", "date_maturity"),
    *("project_id", "user_id", "user_ids", "email", "phone"),
)
# What else tells much, on most models that have it.
OFTEN = (
    *("name", *STATUS, *TELLING, "parent_id", "is_company", "city", "country_id"),
    *("vat", "ref", "default_code", "move_type", "type", "priority"),
)
# What nobody asks for by not asking.
HOUSEKEEPING = frozenset(
    {
        *("id", "display_name", "currency_id", "company_currency_id", "active"),
        *("create_uid", "create_date", "write_uid", "write_date", "sequence"),
        *("company_id", "color", "parent_path"),
    }
)
NOISE = ("message_", "activity_", "my_activity_", "website_message", "rating_")
NOISE += ("access_", "__")
# Long, or a question more for each record.
NO_COLUMN = frozenset(
    {"binary", "html", "one2many", "properties", "properties_definition", "json"}
)
SHORT = {"char": 30, "selection": 30, "many2one": 30, "monetary": 30}
SHORT |= {"date": 20, "datetime": 20, "float": 20, "integer": 20, "boolean": 10}


def default_fields(model, fields):
    """:param model: the empty recordset of a model, with the environment of its user
    :param dict fields: as ``fields_get`` gives them, without those that are withheld
    :return: names of some of them, at most 15; the id comes first
    """
    shown, hidden = model.env["ir.ui.view"]._doorman_columns(model._name)
    columns = [*shown, *hidden]
    names = ["id", *_identity(model, fields)]
    names += [name for name in STATUS if name in fields and _is_kept(fields[name])]
    names += [name for name in columns if name.endswith(("_state", "_status"))]
    names += [name for name in TELLING if _tells(name, fields, columns)]
    if not _has_companies(model.env):
        columns = [name for name in columns if name != "company_id"]
    names = _good(names + columns, fields)
    if len(names) < FEW:
        names = _good([*names, *_telling_most(fields)], fields)[:FEW]
    return names[:MOST]


def _identity(model, fields):
    """What a record is called. One without a name has what Odoo makes up for it."""
    if model._rec_name in fields:
        return [model._rec_name]
    return ["name"] if "name" in fields else ["display_name"]


def _is_kept(field):
    return bool(field.get("store"))


def _tells(name, fields, columns):
    """A column, or what is as good as one because the database keeps it."""
    return name in columns or (name in fields and _is_kept(fields[name]))


def _has_companies(env):
    return len(env.user._get_company_ids()) > 1


def _good(names, fields):
    """Those that exist, once each, without what nobody asks for."""
    identity = names[:2]
    return [
        name
        for name in dict.fromkeys(names)
        if name in fields
        and (name in identity or _is_wanted(name))
        and fields[name]["type"] not in NO_COLUMN
    ]


def _is_wanted(name):
    if name == "company_id":
        return True
    return name not in HOUSEKEEPING and not name.startswith(NOISE)


def _telling_most(fields):
    """The fields of a model without a list that tell most, judged by themselves."""
    scores = {name: _score(name, field) for name, field in fields.items()}
    names = [name for name, score in scores.items() if score]
    return sorted(names, key=lambda name: (-scores[name], name))


def _score(name, field):
    """0 leaves it out."""
    if name == "company_id" or not _is_wanted(name) or not _is_kept(field):
        # A field that is not kept costs a computation for each record.
        return 0
    if name in OFTEN:
        return 1000 - OFTEN.index(name)
    score = SHORT.get(field["type"], 0)
    if score and field.get("required"):
        score += 50
    if score and field.get("default_export_compatible"):
        score += 25
    return score
