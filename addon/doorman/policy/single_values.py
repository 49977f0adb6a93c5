"""Values of fields that hold no records: in which forms they may be sent."""

import re

from odoo.tools.mail import plaintext2html

from . import moments, text_edits
from .refusal import _lt
from .suggestions import near_hint
from .value_place import unpacked

NUMBER = re.compile(r"[+-]?\d{1,15}(\.\d{1,15})?")
# Times that Odoo takes the UTC day of where a switch is on, by model: the switch, and
# their names (calendar/models/calendar_event.py, _compute_dates).
WHOLE_DAYS = {"calendar.event": ("allday", ("start", "stop"))}
TRUTH = {"true": True, "1": True, "false": False, "0": False}
# A tag, an entity or a comment: text without any is not HTML.
MARKUP = re.compile(r"</?[a-zA-Z][^<>]*>|&(#\d+|#x[0-9a-fA-F]+|[a-zA-Z]+\d*);|<!--")


def number(place, value):
    """A number, also as text. One with a comma may be a thousand or a part of one."""
    if isinstance(value, str):
        text = value.strip()
        if not NUMBER.fullmatch(text):
            raise place.wrong(
                _lt("a number, not %(value)r", value=value[:40]),
                _lt("For example 1234.5."),
            )
        value = float(text) if "." in text else int(text)
    if place.field.type == "integer" and isinstance(value, float):
        return int(value) if value.is_integer() else value
    return value


def boolean(_place, value):
    if isinstance(value, str):
        return TRUTH.get(value.strip().lower(), value)
    return value


def date(place, value):
    return value and _moment(place, moments.date_text(value), moments.DATE_FORM, value)


def time(place, value):
    if value and _is_whole_day(place):
        day = moments.date_text(value)
        found = day and f"{day} 00:00:00"
    else:
        found = value and moments.time_text(value, place.guard.env.tz)
    return value and _moment(place, found, moments.TIME_FORM, value)


def _is_whole_day(place):
    """Whether a time stands for a day, the same everywhere: as written."""
    switch, names = WHOLE_DAYS.get(place.records._name, ("", ()))
    if place.field.name not in names:
        return False
    if switch in place.vals:
        return boolean(place, place.vals[switch]) is True
    return bool(place.records) and all(record[switch] for record in place.records)


def _moment(place, found, form, value):
    if found is None:
        raise place.wrong(
            _lt("%(form)s, not %(value)r", form=form, value=str(value)[:40])
        )
    return found


def choice(place, value):
    """A selection, also by its label in the user's language or in English."""
    env, field = place.guard.env, place.field
    options = [(key, str(label)) for key, label in field._description_selection(env)]
    known = [key for key, _label in options]
    if value is False or value in known:
        return value
    if type(value) is int and str(value) in known:
        return str(value)
    english = field._description_selection(env(context={**env.context, "lang": None}))
    text = str(value).strip().casefold()
    found = {
        key
        for key, label in (*options, *english)
        if text in (str(label).casefold(), str(key).casefold())
    }
    if len(found) == 1:
        return found.pop()
    names = [f"{key} ({label})" if key != label else key for key, label in options]
    raise place.wrong(
        _lt("one of its choices, not %(value)r", value=str(value)[:60]),
        near_hint(value, known)
        or near_hint(value, [label for _key, label in options])
        or near_hint(value, names, every=True),
    )


def text(place, value):
    """Code behind a field of text expects one, also where a number was sent."""
    if text_edits.is_edit(place.field, value):
        return text_edits.edited(place, value, html)
    if value is True:
        raise place.wrong(_lt("text, not true"))
    if isinstance(value, int | float) and value is not False:
        return str(value)
    return value


def html(place, value):
    """Markdown becomes the HTML that was sent along with it. Text without any markup is
    no HTML either: its lines stay lines, its "<" stays one."""
    if text_edits.is_edit(place.field, value):
        return text_edits.edited(place, value, html)
    value = text(place, value)
    if not isinstance(value, str) or not value:
        return value
    if value in place.guard.html:
        return place.guard.html[value]
    return value if MARKUP.search(value) else str(plaintext2html(value))


def json_value(_place, value):
    return unpacked(value)
