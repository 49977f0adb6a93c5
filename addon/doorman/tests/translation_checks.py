"""What has to hold for a language of an addon: each i18n/*.po against the template that
Odoo has exported. No Odoo is needed for it.

Alone: ``translation_checks.py ADDON...`` prints what is wrong, and exits with 1 if
there is something.
"""

import re
import sys
from collections import Counter
from pathlib import Path

import polib

# What Doorman comes in, besides English.
LANGUAGES = ("de", "es", "fr", "it", "nl", "pt_BR")
# Texts that are the same in a language as in English, each of them looked at: a file a
# language, and one for names, which no language changes. One text a line, as in a .po
# file between its quotation marks.
SAME = Path("tests/same_as_english")
NAMES = "names"

HOLE = re.compile(r"%\(\w+\)[a-z]|%[a-z%]|\$?\{[\w.]*\}")
IN_ORDER = re.compile(r"%[a-z]")
TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
# The attributes of a tag that are translated with it.
READ = re.compile(r'\b(title|alt|placeholder|aria-label|data-tooltip)="[^"]*"')
# A new line. One that is indented is of the file that a view is written in.
LINE = re.compile(r"\n(?! )")
# A text without a word in it has nothing to translate.
WORD = re.compile(r"[a-z]{3}")
# What may stand behind the end of a sentence, and what ends one.
CLOSING = " \u00a0\u202f\"'”’“‘»«›)]*"
ENDS = {"…": ".", ".": ".", "?": "?", "!": "!", ":": ":"}
# A label that ends with a word cut short has a full stop of its own.
ABBREVIATED = re.compile(r"^(\S+ ){0,3}\S*\b\w{1,6}\.$")


def problems(source, text):
    """What is wrong with one translation, in any language.

    :param str source: in English
    :param str text: its translation
    :return: list of texts
    """
    if not text.strip():
        return ["not translated"]
    found = []
    if _count(HOLE, source) != _count(HOLE, text):
        found.append("other placeholders")
    elif _in_order(source) != _in_order(text):
        found.append("placeholders without a name in another order")
    if _count(TAG, READ.sub(r"\1", source)) != _count(TAG, READ.sub(r"\1", text)):
        found.append("other tags")
    if _edges(source) != _edges(text):
        found.append("other blanks at an end")
    if _count(LINE, source) != _count(LINE, text):
        found.append("another number of lines")
    if not _ends_alike(source, text):
        found.append("ends otherwise")
    return found


def _count(pattern, text):
    return Counter(pattern.findall(text))


def _in_order(text):
    return [hole for hole in IN_ORDER.findall(text) if hole != "%%"]


def _edges(text):
    return text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]


def _ends_alike(source, text):
    was, became = _end(source), _end(text)
    if not was and became == ".":
        return bool(ABBREVIATED.search(text.rstrip(CLOSING)))
    # What goes on behind the text may need a colon in another language's word order.
    return was == became or (not was and became == ":")


def _end(text):
    text = TAG.sub("", text).rstrip(CLOSING)
    return ENDS.get(text[-1:], "")


def of_language(template, language, same=frozenset(), names=frozenset()):
    """What is wrong with the file of a language.

    :param template: polib's POFile of what is to be translated
    :param language: polib's POFile of the translations
    :param set same: texts that are as in English in this language
    :param set names: texts that may be as in English in any
    :return: list of texts, each with the English text that it is about
    """
    wanted = {entry.msgid: entry for entry in template if not entry.obsolete}
    found, seen = [], set()
    for entry in language:
        told = []
        if entry.obsolete:
            told.append("obsolete")
        elif entry.msgid not in wanted:
            told.append("not in the template")
        if entry.msgid in seen and not entry.obsolete:
            told.append("there twice")
        if entry.fuzzy:
            told.append("fuzzy")
        told += problems(entry.msgid, entry.msgstr)
        if entry.msgstr == entry.msgid and has_words(entry.msgid):
            if entry.msgid not in same | names:
                told.append("as in English")
        found += [f"{one}: {entry.msgid!r}: {entry.msgstr!r}" for one in told]
        if not entry.obsolete:
            seen.add(entry.msgid)
    found += [f"missing: {source!r}" for source in wanted if source not in seen]
    texts = {entry.msgid: entry.msgstr for entry in language if not entry.obsolete}
    found += [
        f"listed as the same as in English, and is not: {source!r}"
        for source in sorted(same)
        if texts.get(source) != source
    ]
    return found


def has_words(source):
    """Whether there is anything in a text to be translated."""
    return bool(WORD.search(HOLE.sub("", TAG.sub("", source))))


def reviewed(addon, name):
    """:param Path addon: its folder
    :param str name: a language, or NAMES
    :return: set of the texts that are listed as the same
    """
    path = addon / SAME / f"{name}.txt"
    if not path.exists():
        return set()
    lines = path.read_text(encoding="utf-8").splitlines()
    return {polib.unescape(line) for line in lines if line and line[:1] != "#"}


def of_addon(addon):
    """What is wrong with the languages of an addon.

    :param Path addon: its folder
    :return: list of texts, each with the name of the file
    """
    folder = addon / "i18n"
    template = polib.pofile(str(folder / f"{addon.name}.pot"))
    names, found = reviewed(addon, NAMES), []
    for name in LANGUAGES:
        path = folder / f"{name}.po"
        if path.exists():
            language = polib.pofile(str(path))
            if language.metadata.get("Language") != name:
                found.append(f"{name}: the header names another language")
            told = of_language(template, language, reviewed(addon, name), names)
            found += [f"{name}: {one}" for one in told]
    return found


if __name__ == "__main__":
    told = [one for path in sys.argv[1:] for one in of_addon(Path(path).resolve())]
    print("\n".join(told) or "Nothing to complain about.")  # noqa: T201
    sys.exit(bool(told))
