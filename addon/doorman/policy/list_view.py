"""What Odoo's own lists and searches show, read from their views."""

from lxml import etree

from .form_view import ALWAYS

# Handles, and what shows as a picture, a pop-up or a plan.
NO_VALUE = ("handle", "popover", "activity", "image")


def columns(arch):
    """The columns of a list.

    :param str arch: of the view, as its user gets it
    :return: two lists of names of fields: those that show, and those that a person can
        have shown
    """
    shown, hidden = [], []
    for node in etree.fromstring(arch):
        name, widget = node.get("name"), node.get("widget") or ""
        if node.tag != "field" or not name or _is_hidden(node):
            continue
        if any(part in widget for part in NO_VALUE):
            continue
        (hidden if node.get("optional") == "hide" else shown).append(name)
    return shown, hidden


def _is_hidden(node):
    return any(
        (node.get(attribute) or "").strip() in ALWAYS
        for attribute in ("column_invisible", "invisible")
    )


def filters(arch):
    """The filters of a search, those that are alternatives of each other together.

    :param str arch: of the view, as its user gets it
    :return: a tuple of tuples of (name, domain)
    """
    groups, group = [], []
    for node in etree.fromstring(arch).iter():
        if node.tag == "filter" and node.get("name") and node.get("domain"):
            group.append((node.get("name"), node.get("domain")))
        elif node.tag in ("separator", "group", "searchpanel", "field") and group:
            groups.append(tuple(group))
            group = []
    return (*groups, tuple(group)) if group else tuple(groups)
