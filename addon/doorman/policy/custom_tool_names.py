"""Names of own tools."""

import re

from .shared import CUSTOM_TOOL_NAME

NAME = re.compile(rf"^{CUSTOM_TOOL_NAME}$")
# Letters of a name that look alike in some font.
ALIKE = str.maketrans({"0": "o", "1": "l", "i": "l", "5": "s", "8": "b", "_": None})


def skeleton(name):
    """What is left of a name of ours, where it is read in a hurry."""
    return name.translate(ALIKE)
