"""Letters that show nothing, and where they belong. What is done with them, and why,
says server/access/invisible.go, which does the same."""

import re
from bisect import bisect_right

from .invisible_ranges import RANGES
from .shared import EMOJI_LETTERS, JOINED_LETTERS, JOINERS, JOINING_LETTERS

_EMOJI = f"[{''.join(EMOJI_LETTERS)}][\ufe0e\ufe0f]?"
_WORD = f"[{''.join(JOINING_LETTERS)}][\u200c\u200d]"
_JOINED = f"{_EMOJI}(?:\u200d{_EMOJI})*"
# What it finds has joiners only behind a letter that should show.
_BELONGS = re.compile("|".join((*JOINED_LETTERS, _WORD, _JOINED)))
_JOINER = re.compile(f"[{JOINERS}]")


def _bounds():
    """:return: the first of each range, and the first behind it, in one sorted list"""
    found = []
    for part in RANGES.split():
        first, _dash, last = part.partition("-")
        found += int(first, 16), int(last or first, 16) + 1
    return found


_BOUNDS = _bounds()


def is_invisible(letter):
    """Whether a letter shows nothing, or changes how those around it are shown."""
    return bisect_right(_BOUNDS, ord(letter)) % 2 == 1


def map_hidden(text, instead):
    """A text with something else for each invisible letter that is not where it
    belongs.

    :param instead: gets such a letter, and returns what to put there
    """
    hides = {letter for letter in set(text) if is_invisible(letter)}
    if not hides:
        return text
    table = {ord(letter): instead(letter) for letter in hides}
    parts, rest = [], 0
    for found in _BELONGS.finditer(text):
        if hides.isdisjoint(_JOINER.sub("", found[0])):
            parts += text[rest : found.start()].translate(table), found[0]
            rest = found.end()
    return "".join(parts) + text[rest:].translate(table)


def without_hidden(text):
    """The same without them; lines and tabs stay."""
    return map_hidden(text, lambda letter: letter if letter in "\n\t" else "")
