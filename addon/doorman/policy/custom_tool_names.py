"""Names of own tools, and of the types of their parameters."""

import re

NAME = re.compile(r"^[a-z0-9_]{1,40}$")
# Letters of a name that look alike in some font.
ALIKE = str.maketrans({"0": "o", "1": "l", "i": "l", "5": "s", "8": "b", "_": None})
# The types of their parameters.
TYPES = (
    *("string", "integer", "number", "boolean", "date", "datetime"),
    *("record", "selection"),
)


def skeleton(name):
    """What is left of a name of ours, where it is read in a hurry."""
    return name.translate(ALIKE)
