"""Links to records in the HTML that leaves: ``Created from <a ...>Big deal</a>``.

What a record is called is told as far as the connection may use its model, and as its
rules let it be told. People are called by their names all the same: those who are
mentioned, like those who wrote.
"""

import re

from lxml import etree, html

from .in_force import NOT_SHOWN, called
from .plain_text import from_html

PEOPLE = frozenset({"res.partner", "res.users"})
MODEL, ID = "data-oe-model", "data-oe-id"
# /odoo/crm.lead/5, /odoo/action-7/crm.lead/5, /mail/view?model=crm.lead&res_id=5
ADDRESS = re.compile(
    r"/odoo/(?:[^?#]*/)?(?P<model>[a-z]\w*(?:\.\w+)+)/(?P<id>\d+)"
    r"|[?&#]model=(?P<other>[a-z]\w*(?:\.\w+)+)"
)
SIGNS = (MODEL, "/odoo/", "model=")


def told_in(guard, value):
    """:param guard: the rules of the connection
    :param value: an answer, as JSON has it
    :return: the same, with what links to records may tell
    """
    if _tells_all(guard):
        return value
    return _in(guard, value)


def _tells_all(guard):
    """Whether no link could lead to a record that is not told."""
    return guard.allowed is None and guard.rules is None


def text_of(guard, value):
    """HTML as plain text, in which nobody could tell a link from any other word.

    :return: it, with what links to records may tell
    """
    return from_html(told_in(guard, str(value or "")))


def rows_told(guard, model, rows):
    """Texts that Odoo makes of HTML, such as the beginning of a message: not shown
    where that has a link which is not told.

    :param rows: of a read, with ids; they are changed
    """
    if _tells_all(guard):
        return rows
    for name in rows[0] if rows else ():
        if not (made_of := made_of_html(model, name)):
            continue
        ids = [row["id"] for row in rows if row.get(name)]
        texts = {
            row.pop("id"): list(filter(None, row.values()))
            for row in model.browse(ids).read(made_of)
        }
        for row in rows:
            if any(told(guard, text) != text for text in texts.get(row["id"], ())):
                row[name] = NOT_SHOWN
    return rows


def made_of_html(model, name):
    """:return: the fields with HTML that a text of a record is worked out of"""
    field = model._fields.get(name)
    while field is not None and field.inherited:
        field = field.related_field
    if field is None or field.type not in ("char", "text") or not field.compute:
        return []
    paths = model.pool.field_depends[field]
    known = (model._fields.get(path) for path in paths)
    return [one.name for one in known if one is not None and one.type == "html"]


def _in(guard, value):
    if isinstance(value, str):
        return told(guard, value)
    if isinstance(value, dict):
        return {key: _in(guard, one) for key, one in value.items()}
    if isinstance(value, list):
        return [_in(guard, one) for one in value]
    return tuple(_in(guard, one) for one in value) if type(value) is tuple else value


def told(guard, text):
    """:param str text: HTML, or any other text
    :return: what is said about it
    """
    if "<a" not in text or not any(sign in text for sign in SIGNS):
        return text
    try:
        tree = html.fragment_fromstring(text, create_parent="div")
    except (etree.ParserError, ValueError):  # not HTML, although it has links
        return NOT_SHOWN
    links = [link for link in tree.iter("a") if not _is_told(guard, link)]
    if not links:
        return text
    for link in links:
        tail = link.tail
        link[:] = []
        link.text, link.tail = NOT_SHOWN, tail
    return html.tostring(tree, encoding="unicode")[len("<div>") : -len("</div>")]


def _record_of(link):
    """:return: model and id of the record that a link leads to; "" and 0 if none"""
    model, ident = link.get(MODEL), link.get(ID) or ""
    if model and ident.isdecimal():
        return model, int(ident)
    found = ADDRESS.search(link.get("href") or "")
    if not found:
        return model or "", 0
    return found["model"] or found["other"], int(found["id"] or 0)


def _is_told(guard, link):
    model, ident = _record_of(link)
    said = "".join(link.itertext())
    if model not in guard.env or not said.strip():
        return True
    if not guard.may_use(model):
        return model in PEOPLE
    return called(guard.env[model].browse(ident), said) == said
