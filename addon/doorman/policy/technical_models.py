"""What Odoo writes for its own ends: no person would call it a part of a change."""

# Columns that every write sets, and copies that serve searching alone.
TECHNICAL_COLUMNS = frozenset(
    {"write_uid", "write_date", "create_uid", "create_date", "parent_path"}
)
TECHNICAL_MODELS = frozenset(
    {
        "bus.bus",
        "ir.cron.trigger",
        "ir.model.data",
        "mail.compose.message",
        "mail.followers",
        "mail.message",
        "mail.notification",
        "mail.tracking.value",
        "product.value",
        "project.task.stage.personal",
    }
)


def is_technical(env, model, ident, kind):
    """Whether a change of a record is Odoo's own affair.

    :param str model: technical name
    :param str kind: created, updated or deleted
    """
    if model in TECHNICAL_MODELS or env[model]._transient:
        return True
    if model == "ir.attachment" and kind != "deleted":
        # Where Odoo keeps the bytes of a field: the field's own change is told.
        return bool(env[model].sudo().browse(ident).exists().res_field)
    return False
