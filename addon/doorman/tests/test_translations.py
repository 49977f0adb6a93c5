"""The languages that an addon comes in: complete, and as their English is built.

Runs with Odoo's tests and, alone, by
``python3 addon/doorman/tests/test_translations.py``. That the templates are what Odoo
exports today is shown on a real Odoo by ``server/e2e/addon``.
"""

import unittest
from pathlib import Path

import polib

try:
    from .alone import BaseCase, tagged
    from .translation_checks import LANGUAGES, of_addon, of_language, problems
except ImportError:
    from alone import BaseCase, tagged
    from translation_checks import LANGUAGES, of_addon, of_language, problems


ROOT = Path(__file__).resolve().parent.parent


class LanguageChecks:
    """What holds for the languages of each of our addons."""

    # Else Odoo runs none of these: it leaves out what a class has inherited.
    allow_inherited_tests_method = True
    maxDiff = None
    root = ROOT

    def test_each_language_is_there(self):
        """All of them or, in a checkout that nobody has translated yet, none."""
        there = {path.stem for path in (self.root / "i18n").glob("*.po")}
        self.assertIn(there, (set(LANGUAGES), set()))

    def test_each_language_is_complete(self):
        found = of_addon(self.root)
        self.assertFalse(found, "\n".join(found[:50]))


@tagged("post_install", "-at_install")
class TestTranslations(LanguageChecks, BaseCase):
    # What is fine as a translation, and what is not, with the word that names it.
    FINE = (
        ("Say why.", "Grund angeben."),
        ("Really?", "Vraiment\u202f?"),
        ("It says “no”.", "Es sagt „nein“."),
        ("It says no.", "Il dit «\u00a0non\u00a0.\u00a0»"),
        ("Loading...", "Lädt …"),
        ("One\n    and two", "Eins und zwei"),
        ("Number", "Nr."),
        ("Requests/min", "Anfragen/Min."),
        ("You are sent to", "Destino:"),
        ("%s of %s", "%s von %s"),
        ("%(count)s of %(all)s", "von %(all)s sind es %(count)s"),
        ("100%% of %s", "100 %% von %s"),
        ('<b title="Open">All</b>', '<b title="Öffnen">Alle</b>'),
        (" and %s more", " und %s weitere"),
        ("Use ${env:KEY} here.", "Hier ${env:KEY} verwenden."),
    )
    WRONG = (
        ("Say why.", "", "not translated"),
        ("Say why.", " \n", "not translated"),
        ("%s records", "Datensätze", "placeholders"),
        ("%s records", "%d Datensätze", "placeholders"),
        ("%(count)s records", "%(anzahl)s Datensätze", "placeholders"),
        ("%(count)s records", "%(count) Datensätze", "placeholders"),
        ("%s of %s", "%s", "placeholders"),
        ("{name} is new", "{Name} ist neu", "placeholders"),
        ("100%% of it", "100 % davon", "placeholders"),
        ("%s is %d", "%d ist %s", "order"),
        ("<b>All</b>", "Alle", "tags"),
        ("<b>All</b>", "<i>Alle</i>", "tags"),
        ('<a href="/x">All</a>', '<a href="/y">Alle</a>', "tags"),
        ("All<br/>of it", "Alles davon", "tags"),
        (" and %s more", "und %s weitere", "blanks"),
        ("One: ", "Eins:", "blanks"),
        ("One\ntwo", "Eins zwei", "lines"),
        ("Say why.", "Warum", "ends"),
        ("Really?", "Wirklich.", "ends"),
        ("Why", "Warum ist das hier so.", "ends"),
        ("Name:", "Name", "ends"),
    )

    def test_what_is_fine(self):
        for source, text in self.FINE:
            with self.subTest(source=source, text=text):
                self.assertFalse(problems(source, text))

    def test_what_is_wrong_with_a_text(self):
        for source, text, word in self.WRONG:
            with self.subTest(source=source, text=text):
                found = problems(source, text)
                self.assertEqual(len(found), 1, found)
                self.assertIn(word, found[0])

    def _file(self, *rows):
        file = polib.POFile()
        for source, text, *how in rows:
            entry = polib.POEntry(msgid=source, msgstr=text)
            entry.obsolete = "obsolete" in how
            entry.flags = ["fuzzy"] if "fuzzy" in how else []
            file.append(entry)
        return file

    def test_what_is_wrong_with_a_file(self):
        template = self._file(("Record", ""), ("Odoo", ""), ("%s", ""))
        good = (("Record", "Datensatz"), ("Odoo", "Odoo"), ("%s", "%s"))
        rows = (
            (good, None),
            (good[:2], "missing: '%s'"),
            ((*good, ("Old", "Alt")), "not in the template: 'Old'"),
            ((*good, ("Old", "Alt", "obsolete")), "obsolete: 'Old'"),
            ((*good, ("Record", "Satz")), "there twice: 'Record'"),
            (
                (("Record", "Datensatz", "fuzzy"), *good[1:]),
                "fuzzy: 'Record'",
            ),
            ((("Record", ""), *good[1:]), "not translated: 'Record'"),
            ((("Record", "Record"), *good[1:]), "as in English: 'Record'"),
            ((("Record", "Datensatz."), *good[1:]), "ends otherwise: 'Record'"),
        )
        for translated, word in rows:
            with self.subTest(word=word):
                found = of_language(template, self._file(*translated), names={"Odoo"})
                self.assertEqual(len(found), 1 if word else 0, found)
                if word:
                    self.assertTrue(found[0].startswith(word), found)

    def test_a_list_of_what_is_the_same_has_nothing_else(self):
        template = self._file(("Record", ""), ("Status", ""))
        language = self._file(("Record", "Datensatz"), ("Status", "Status"))
        self.assertFalse(of_language(template, language, {"Status"}))
        for listed in ("Record", "Gone"):
            found = of_language(template, language, {"Status", listed})
            self.assertEqual(
                found, [f"listed as the same as in English, and is not: '{listed}'"]
            )


if __name__ == "__main__":
    unittest.main()
