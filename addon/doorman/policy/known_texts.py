"""Texts that come in English and without a mark for translation ── from the service, or
from a row of the audit that is older than its words ── told to people in their own
language."""

import re
from functools import cache

from odoo.tools.translate import LazyTranslate

from . import service_texts, shared
from .refusal import in_language

_known = LazyTranslate(__name__, default_lang="en_US")
HOLE = re.compile(r"%\((\w+)\)s|%[sd]")


def in_words(text, lang):
    """:param str text: in English
    :param str lang: of who reads it
    :return: it in that language, if it is one of the service's; else as it is
    """
    if not text or not lang or lang.startswith("en"):
        return text or ""
    for pattern, source in _patterns():
        if found := pattern.fullmatch(text):
            names = found.groupdict()
            words = (
                _known(source, **names) if names else _known(source, *found.groups())
            )
            return in_language(words, lang)
    return text


def title(text, lang):
    """:param str text: the title of a tool, in English
    :param str lang: of who reads it
    :return: it in that language, if it is one of the service's own tools
    """
    known = text in service_texts.TITLES
    return in_language(_known(text), lang or "en_US") if known else text


@cache
def _patterns():
    """The texts with what is filled in: those with the most words of their own first,
    as the most precise."""
    said = {
        text for name, text in vars(shared).items() if name.startswith("SAY_")
    } | set(service_texts.REFUSALS)
    return [
        (re.compile(_pattern(text), re.DOTALL), text)
        for text in sorted(said, key=lambda text: (-len(HOLE.sub("", text)), text))
    ]


def _pattern(text):
    """The regular expression of a text: a fact that it names twice is the same."""
    parts, seen, at = [], set(), 0
    for hole in HOLE.finditer(text):
        parts.append(re.escape(text[at : hole.start()]))
        name, at = hole[1], hole.end()
        group = f"(?P<{name}>.+?)" if name else "(.+?)"
        parts.append(f"(?P={name})" if name in seen else group)
        seen |= {name} if name else set()
    return "".join(parts) + re.escape(text[at:])
