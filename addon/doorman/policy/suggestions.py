"""Names that may have been meant."""

from difflib import get_close_matches

from . import shared
from .refusal import _lt

MANY = 30


def near(name, known):
    """:return: up to three of the known names, the closest first"""
    lower = {str(k).casefold(): k for k in known}
    name = str(name)[:80].casefold()
    found = get_close_matches(name, lower, n=3, cutoff=0.6)
    if len(name) > 2:
        found += [k for k in sorted(lower, key=len) if name in k and k not in found]
    return [lower[k] for k in found[:3]]


def near_hint(name, known, every=False):
    """:param bool every: whether to list the names, where few are known and none near
    :return: a sentence, or ``""``
    """
    names = near(name, known)
    if names:
        return _lt(shared.SAY_DID_YOU_MEAN, ", ".join(map(str, names)))
    known = list(known)
    if every and known and len(known) <= MANY:
        return _lt("Available: %(choices)s.", choices=", ".join(map(str, known)))
    return ""
