"""What a form or a list shows, as plain data: its buttons, fields and texts, each with
the conditions under which it is hidden.

An architecture comes from Odoo as its user sees it: what their groups do not show is
not in it.
"""

import json
import re
from dataclasses import dataclass, field, replace

from lxml import etree

ALWAYS, NEVER = ("1", "True", "true"), ("0", "False", "false", "")
# What a widget for two dates writes besides its own field.
OTHER_DATE = re.compile(r"['\"](?:start|end)_date_field['\"]\s*:\s*['\"](\w+)['\"]")
CLICKABLE = re.compile(r"clickable['\"]\s*:\s*['\"]?(1|[Tt]rue)")
# A method of the record, an action of Odoo's, and the button that only saves.
OBJECT, ACTION, SAVE = "object", "action", "save"
KINDS = ("list", "form", "kanban")
MAX_LABEL, MAX_CONFIRM, MAX_TEXT = 100, 500, 600


@dataclass(frozen=True)
class Button:
    """A button, or a link that does what one does."""

    kind: str
    # Of the method, or the id of the action, as text.
    name: str
    label: str
    # What it tells its method besides: an expression.
    context: str
    # What a person is asked before it is pressed.
    confirm: str
    # Hidden where one of these expressions holds: its own, and those of what it is in.
    hidden: tuple
    # Positional arguments of the method.
    args: tuple = ()
    # Whether it only shows what belongs to the record, beside its title.
    is_link: bool = False
    # What callers call it: ``name``, or the XML id of its action.
    method: str = ""
    # Whether it stands above a list, and is pressed for the records ticked in it.
    above_list: bool = False


@dataclass(frozen=True)
class FormField:
    """A field in a form, or a column of a list in it."""

    name: str
    widget: str
    hidden: tuple
    # Expressions; "" leaves it to the field itself.
    readonly: str
    required: str
    # Sent when the form is saved although it is read-only.
    force_save: bool
    # Whether a click on it changes it, in a status bar.
    clickable: bool
    # Of the records in it, where the form shows them.
    columns: tuple = ()
    # What it tells the records in it: an expression.
    context: str = ""
    # Where else the same field stands: Odoo's forms have some twice, hidden for what
    # depends on them, and once more for people (account.payment.register).
    also: tuple = ()

    @property
    def places(self):
        return (self, *self.also)


@dataclass(frozen=True)
class Text:
    """A text that stands in a form for people."""

    text: str
    hidden: tuple


@dataclass(frozen=True)
class FormView:
    """A form, or a list: what stands in it, in its order."""

    buttons: tuple = ()
    fields: tuple = ()
    texts: tuple = ()
    by_name: dict = field(default_factory=dict, compare=False)


def is_status_bar(widget):
    """Whether a widget shows where a record stands, by its name."""
    return "statusbar" in widget


def read_form(arch):
    """:param str arch: the architecture of a form or list
    :return: FormView
    """
    root = etree.fromstring(arch)
    fields = _fields(root)
    return FormView(
        buttons=tuple(_buttons(root)),
        fields=tuple(fields),
        texts=tuple(_texts(root)),
        by_name=_by_name(fields),
    )


def _by_name(fields):
    """Each field once: the place where a person may see it, with the others."""
    found = {}
    for one in reversed(fields):
        found.setdefault(one.name, []).insert(0, one)
    for name, places in found.items():
        seen = next((one for one in places if "True" not in one.hidden), places[0])
        others = tuple(one for one in places if one is not seen)
        columns = next((one.columns for one in (seen, *others) if one.columns), ())
        found[name] = replace(seen, columns=columns, also=others)
    return found


def _is_inside(node, root):
    """Whether a node belongs to the records of a field in the view, not to its own."""
    while (node := node.getparent()) is not None and node is not root:
        if node.tag == "field":
            return True
    return False


def _hidden(node, root, attribute="invisible"):
    """The conditions that hide a node; a constant that never does is left out."""
    found = []
    while node is not None:
        text = (node.get(attribute) or "").strip()
        if text not in NEVER:
            found.append("True" if text in ALWAYS else text)
        if node is root:
            break
        node, attribute = node.getparent(), "invisible"
    return tuple(found)


def _buttons(root):
    for node in root.iter("button", "a"):
        kind, name = node.get("type") or "", (node.get("name") or "").strip()
        if node.get("special") == "save":
            kind, name = SAVE, SAVE
        if kind not in (OBJECT, ACTION, SAVE) or not name or _is_inside(node, root):
            continue
        yield Button(
            kind,
            name,
            _label(node),
            (node.get("context") or "").strip(),
            (node.get("confirm") or "")[:MAX_CONFIRM],
            _hidden(node, root),
            _args(node),
            "oe_stat_button" in (node.get("class") or ""),
            name,
            root.tag == "list" and node.getparent().tag == "header",
        )


def _args(node):
    try:
        found = json.loads((node.get("args") or "[]").replace("'", '"'))
    except ValueError:
        return ()
    return tuple(found) if isinstance(found, list) else ()


def _label(node):
    """What stands on a button."""
    text = node.get("string") or " ".join("".join(node.itertext()).split())
    inside = (field.get("string") for field in node.iter("field"))
    text = text or node.get("title") or next(filter(None, inside), "")
    return text[:MAX_LABEL]


def _fields(root, attribute="invisible"):
    found = []
    for node in root.iter("field"):
        if not node.get("name") or _is_inside(node, root):
            continue
        one = _field(node, root, attribute)
        found.append(one)
        for name in OTHER_DATE.findall(node.get("options") or ""):
            found.append(replace(one, name=name, required="", columns=(), context=""))
    return found


def _field(node, root, attribute):
    return FormField(
        node.get("name"),
        node.get("widget") or "",
        _hidden(node, root, attribute),
        (node.get("readonly") or "").strip(),
        (node.get("required") or "").strip(),
        (node.get("force_save") or "") in ALWAYS,
        bool(CLICKABLE.search(node.get("options") or "")),
        _columns(node),
        (node.get("context") or "").strip(),
    )


def _columns(node):
    """The columns of the first view that a field brings for its records."""
    for child in node:
        if child.tag in KINDS:
            found = _by_name(_fields(child, "column_invisible"))
            return tuple(reversed(found.values()))
    return ()


def _texts(root):
    """What is written in a form, but for its labels and buttons."""
    for node in root.iter("p", "div", "span", "h1", "h2", "h3", "li", "strong", "b"):
        own = [node.text, *(child.tail for child in node)]
        text = " ".join(" ".join(part for part in own if part).split())
        if len(text) > 1 and not _is_inside(node, root) and not _is_button(node, root):
            yield Text(text[:MAX_TEXT], _hidden(node, root))


def _is_button(node, root):
    while node is not None and node is not root:
        if node.tag in ("button", "a", "label"):
            return True
        node = node.getparent()
    return False
