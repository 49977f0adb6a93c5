"""Names and words of own tools: what a person and an AI tool read is what it is."""

import re
import unicodedata

NAME = re.compile(r"^[a-z0-9_]{1,40}$")
# Letters of a name that look alike in some font.
ALIKE = str.maketrans({"0": "o", "1": "l", "i": "l", "5": "s", "8": "b", "_": None})
# Controls, marks of direction, joiners, private and unpaired ones, line separators.
HIDDEN = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})


def skeleton(name):
    """What is left of a name of ours, where it is read in a hurry."""
    return name.translate(ALIKE)


def is_plain(text):
    """Whether a text shows all that is in it: nothing that turns it round, or hides."""
    return all(
        letter == "\n" or unicodedata.category(letter) not in HIDDEN for letter in text
    )
