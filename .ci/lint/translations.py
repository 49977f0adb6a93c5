#!/usr/bin/env python3
"""Bring each language of an addon, i18n/*.po, to what its template asks for.

A translation stays while its English text does. A new text is added without one, an old
one goes. Texts stand in the template's order, so that a change shows as what it is.

Usage: translations.py ADDON...
"""

import sys
from pathlib import Path

import polib


def merge(template, language):
    """Make the file of a language anew.

    :param template: polib's POFile of what is to be translated
    :param language: polib's POFile of the translations there are
    :return: polib's POFile: the template's texts, with what is translated of them
    """
    known = {
        entry.msgid: entry.msgstr
        for entry in language
        if not entry.obsolete and not entry.fuzzy
    }
    merged = polib.POFile(wrapwidth=template.wrapwidth)
    merged.header = template.header
    merged.metadata = {**template.metadata, **language.metadata}
    for entry in template:
        merged.append(
            polib.POEntry(
                msgid=entry.msgid,
                msgstr=known.get(entry.msgid, ""),
                comment=entry.comment,
                occurrences=entry.occurrences,
            )
        )
    return merged


def main(addons):
    for addon in map(Path, addons):
        folder = addon / "i18n"
        template = polib.pofile(str(folder / f"{addon.name}.pot"))
        for path in sorted(folder.glob("*.po")):
            language = polib.pofile(str(path))
            merged = merge(template, language)
            merged.metadata["Language"] = path.stem
            merged.save(str(path))
            missing = len(merged.untranslated_entries())
            print(f"{path}: {len(merged)} texts, {missing} to translate")


if __name__ == "__main__":
    main(sys.argv[1:])
