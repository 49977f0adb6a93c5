"""Changes of a part of a text: ``{"append": ...}``, ``{"replace": ..., "with": ...}``.

Who changes the end of a long text has not to send the whole, and nothing of its HTML is
lost.
"""

from lxml import html as lxml_html
from markupsafe import escape

from . import closed_fields
from .field_values import TEXTS
from .refusal import Refusal, _lt
from .value_place import unpacked

APPEND, REPLACE = {"append"}, {"replace", "with"}


def is_edit(field, value):
    """Whether a value changes a part of a text."""
    value = unpacked(value) if field.type in TEXTS else None
    return isinstance(value, dict) and set(value) in (APPEND, REPLACE)


def edited(place, value, html_of):
    """:param value: one for which ``is_edit`` holds
    :param html_of: ``html_of(place, text)``: the HTML of a text that was sent
    :return: the whole text
    :raise Refusal: if there is not one record that has it, the user may not read it, or
        what is to be replaced is not there exactly once
    """
    value, old = unpacked(value), _old(place)
    if not all(isinstance(text, str) for text in value.values()):
        raise place.wrong(_lt("text to append, or text to replace and its replacement"))
    in_html = place.field.type == "html"
    if set(value) == APPEND:
        added = html_of(place, value["append"]) if in_html else value["append"]
        return old + added
    wanted, instead = value["replace"], value["with"]
    if not in_html:
        _check_once(place, old.count(wanted) if wanted else 0)
        return old.replace(wanted, instead)
    return _replaced(place, old, wanted, instead)


def _old(place):
    """The text as it is, in the user's language."""
    records, field = place.records, place.field
    if len(records) != 1:
        raise place.wrong(_lt("the whole text: there is no text yet to append to"))
    if closed_fields.is_withheld(field.name):
        raise place.wrong(_lt("the whole text: it cannot be read"))
    records.check_access("read")
    records._check_field_access(field, "read")
    return str(records[field.name] or "")


def _replaced(place, old, wanted, instead):
    """HTML with a text of it replaced, in a single piece of its text: nothing else of
    it changes."""
    root = lxml_html.fragment_fromstring(old or " ", create_parent="div")
    spots = [
        (node, kind)
        for node in root.iter()
        for kind in ("text", "tail")
        if (kind == "text" or node is not root)
        and isinstance(node.tag, str)
        and wanted
        and wanted in (getattr(node, kind) or "")
    ]
    count = sum(getattr(node, kind).count(wanted) for node, kind in spots)
    _check_once(place, count)
    node, kind = spots[0]
    setattr(node, kind, getattr(node, kind).replace(wanted, instead))
    inner = "".join(
        lxml_html.tostring(child, encoding="unicode") for child in root.iterchildren()
    )
    return str(escape(root.text or "")) + inner


def _check_once(place, count):
    if count != 1:
        raise Refusal(
            "text_not_there_once",
            _lt(
                "%(field)s: the text to replace appears %(count)s times, not once.",
                field=place.name,
                count=count,
            ),
            _lt(
                "Copy a few words of it exactly, without formatting, that "
                "appear only once."
            ),
        )
