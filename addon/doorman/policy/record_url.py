"""Where a person opens a record."""


def url_of(env, model, ident=None):
    """The address of a record, or of the first part of those of a model's records."""
    base = env["ir.config_parameter"].sudo().get_param("web.base.url") or ""
    part = model if "." in model else f"m-{model}"
    return f"{base.rstrip('/')}/odoo/{part}/{ident or ''}"
