"""Values of the code, as they leave its process: as JSON holds them."""

from datetime import date, datetime

MAX_DEEP, MAX_DEPTH = 32, 12


class Known:
    """What the code's own kinds of value derive from: it says how it is told."""

    def _told(self):
        raise NotImplementedError


def sent(value, depth=0):
    """A value of the code's as a client would have sent it.

    :raise ValueError: if it is nested too deeply
    :raise TypeError: if it is none for Odoo
    """
    if depth > MAX_DEEP:
        raise ValueError("A value is nested too deeply.")
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, date):
        return value.strftime("%Y-%m-%d")
    if isinstance(value, list | tuple | set | range):
        return [sent(item, depth + 1) for item in value]
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {key: sent(item, depth + 1) for key, item in value.items()}
    raise TypeError(
        f"{str(plain(value))[:200]} is not a value for Odoo. Of records, name .id or "
        ".ids."
    )


def plain(value, depth=0):
    """What the code has put into ``result``, whatever it is."""
    if depth > MAX_DEPTH:
        return "..."
    if isinstance(value, Known):
        return value._told()
    if isinstance(value, dict):
        return {str(key): plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item, depth + 1) for item in value]
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int | float):
        # What is not a number of JSON, or more than its readers can hold.
        if abs(value) < 2**53:
            return value
        big = isinstance(value, int) and value.bit_length() > 1_000
        return "(a very large number)" if big else str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    return f"({type(value).__name__})"
