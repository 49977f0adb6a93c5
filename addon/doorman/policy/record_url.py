"""Where a person opens a record."""


def url_of(env, model, ident=None):
    """The address of a record, or of the first part of those of a model's records."""
    base = env["ir.config_parameter"].sudo().get_param("web.base.url") or ""
    part = model if "." in model else f"m-{model}"
    return f"{base.rstrip('/')}/odoo/{part}/{ident or ''}"


def whole_url_of(record):
    """The address of a record, with a host even where Odoo's own address has none."""
    url = url_of(record.env, record._name, record.id)
    return url if "://" in url else f"http://localhost:8069{url}"
