"""Dates and times as people and programs write them, in the form that Odoo reads."""

from contextlib import suppress
from datetime import UTC, date, datetime, time

import pytz

from .refusal import _lt

DATE_FORM = _lt("a date such as 2026-12-31")
TIME_FORM = _lt(
    "a date and time such as 2026-12-31 14:30:00 (UTC) or 2026-12-31T14:30+01:00"
)
# A shorter text is not a whole date: for 2026-12 we would have to guess.
SHORTEST = len("20261231")


def date_text(value):
    """A date in ISO 8601. Of a time it is the date as written, whatever its zone.

    :return: ``YYYY-MM-DD``, or None if the value is not a date
    """
    if not isinstance(value, str):
        return None
    found = _read(value)
    if found is None:
        return None
    return (found.date() if isinstance(found, datetime) else found).isoformat()


def time_text(value, zone):
    """A time in ISO 8601. Without a zone it is UTC, as what is read from Odoo; a date
    alone is its midnight in the user's time zone.

    :param zone: of the user (pytz)
    :return: ``YYYY-MM-DD HH:MM:SS`` in UTC, or None if the value is not a time
    """
    if not isinstance(value, str):
        return None
    found = _read(value)
    if found is None:
        return None
    try:
        if not isinstance(found, datetime):
            found = (zone or pytz.utc).localize(datetime.combine(found, time.min))
        if found.tzinfo:
            found = found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return found.replace(microsecond=0, tzinfo=None).isoformat(" ")


def is_date_alone(value):
    """Whether a text is a date without a time."""
    found = _read(value) if isinstance(value, str) else None
    return found is not None and not isinstance(found, datetime)


def _read(text):
    text = text.strip().upper()
    if len(text) < SHORTEST:
        return None
    with suppress(ValueError):
        return date.fromisoformat(text)
    # "14:30 +01:00": people put a blank before the zone.
    head, blank, zone = text.rpartition(" ")
    if blank and zone[:1] in ("+", "-", "Z", "U"):
        text = head + zone.replace("UTC", "Z")
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
