"""Secrets, taken out of what is kept or answered."""

import re

from . import closed_fields

# What an AI tool puts where it does not belong: its own key, a proof.
SECRET = re.compile(r"dm[a-z]_[\w-]{16,}|[0-9a-fA-F]{32,}", re.ASCII)


def clean(value):
    """Text that PostgreSQL takes, without anything that looks like a secret."""
    text = str(value).replace("\0", "").encode("utf-8", "replace").decode()
    return SECRET.sub("[withheld]", text)


def withhold(value):
    """The same JSON value, without the values of keys that name a credential."""
    if isinstance(value, dict):
        return {
            key: "[withheld]" if closed_fields.is_withheld(str(key)) else withhold(item)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        # The condition of a domain says what it looks for.
        if len(value) == 3 and isinstance(value[0], str):
            if closed_fields.is_withheld(value[0].split(".")[-1]):
                return [value[0], value[1], "[withheld]"]
        return [withhold(item) for item in value]
    return value
