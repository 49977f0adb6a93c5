"""The form of a model, as its user sees it, and the buttons on it."""

from lxml import etree

from odoo.exceptions import UserError

from .method_checks import METHOD_NAME


def form_of(model):
    """The form of a model, as its user sees it; an empty one where there is none."""
    try:
        arch = model.get_view(view_type="form")["arch"]
    except UserError:
        arch = "<form/>"
    return etree.fromstring(arch)


def buttons_of(form):
    """The buttons of a form that call a method of its own record, not those in the
    lists of other records."""
    return [
        node
        for node in form.iter("button")
        if node.get("type") == "object"
        and METHOD_NAME.fullmatch(node.get("name") or "")
        and not any(True for _field in node.iterancestors("field"))
    ]


def label_of(node):
    """What stands on a button."""
    text = node.get("string") or " ".join("".join(node.itertext()).split())
    return (text or node.get("title") or "")[:100]
