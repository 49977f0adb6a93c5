"""What a single value may be, judged by the type of its field."""

from lxml import etree, html
from markupsafe import Markup

from odoo.tools import html_sanitize

from . import limits
from .refusal import _lt

NUMBERS = ("integer", "float", "monetary")
TEXTS = ("char", "text", "html")
# Tags and attributes by which QWeb runs code. The texts around them do not matter.
DIRECTIVE_TAG, DIRECTIVE = "t", "t-"


def wanted(field, value):
    """:param value: not None and not False
    :return: what the field takes, if it does not take the value; None otherwise
    """
    if field.type == "json":
        return (
            None
            if is_flat(value)
            else _lt("an object that maps names to numbers or text")
        )
    if isinstance(value, dict | list):
        return _lt("a single value")
    if field.type in NUMBERS:
        return None if is_number(value, field.type == "integer") else _lt("a number")
    if field.type == "boolean":
        # Odoo would take the text "false" for true.
        return None if value is True or value in (0, 1) else _lt("true or false")
    if isinstance(value, float) and not is_number(value):
        return _lt("text")
    if isinstance(value, str) and "\0" in value:
        return _lt("text without NUL characters")
    if field.type == "html" and has_directives(str(value)):
        return _lt("HTML without directives (t-...): they are code")
    return None


def of_user(env, field, value):
    """What a column holds for a user: of a translated field, or one with a value for
    each company, it holds them all.

    :param value: as it is in the database
    """
    if isinstance(value, dict) and (field.translate or field.company_dependent):
        key = str(env.company.id) if field.company_dependent else env.lang or "en_US"
        return value.get(key, value.get("en_US"))
    return value


def is_number(value, whole=False):
    """Whether a value is a finite number that PostgreSQL and JSON both know."""
    # NaN and Infinity are not below it.
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and abs(value) < limits.MAX_NUMBER
        and (not whole or value == int(value))
    )


def is_flat(value):
    """Whether a value is an object of single values, or of lists of them."""
    return isinstance(value, dict) and all(
        all(_is_single(i) for i in item) if isinstance(item, list) else _is_single(item)
        for item in value.values()
    )


def _is_single(value):
    if isinstance(value, str):
        return "\0" not in value
    return value is None or isinstance(value, bool) or is_number(value)


def has_directives(text):
    """Whether a template engine would find code in a text, read as a browser reads it:
    ``<p class="a"t-out="x">`` has an attribute t-out."""
    lower = text.lower()
    if DIRECTIVE not in lower and "<t" not in lower:
        return False
    # As it is sent, and as Odoo keeps it.
    return _finds_directives(text) or _finds_directives(html_sanitize(text))


def _finds_directives(text):
    try:
        tree = html.fragment_fromstring(text or " ", create_parent="div")
    except (etree.LxmlError, ValueError, AssertionError):
        return True
    return any(
        isinstance(node.tag, str)
        and (
            node.tag.lower() == DIRECTIVE_TAG
            or any(name.lower().startswith(DIRECTIVE) for name in node.attrib)
        )
        for node in tree.iter()
    )


def safe(field, text):
    """A text for its field, as Odoo may get it."""
    if field.type == "html" and (
        not field.sanitize or getattr(field, "sanitize_overridable", False)
    ):
        # Odoo would keep a script for a user who may write one. An AI tool may not.
        return Markup(html_sanitize(text, silent=True))
    return text
