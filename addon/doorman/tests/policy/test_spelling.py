import random
import re

from odoo.tests import BaseCase, tagged

from ...policy import name_search, spelling
from ..disturb import DISTURB


@tagged("post_install", "-at_install")
class TestSpelling(BaseCase):
    """How alike names are, without Odoo."""

    def test_fold(self):
        for text, folded in (
            ("Müller", "muller"),
            ("STRASSE", "strasse"),
            ("Straße", "strasse"),
            ("Éléonore", "eleonore"),
            ("Ørsted", "orsted"),
            ("Łódź", "lodz"),
            ("Œuvre", "oeuvre"),
            ("Ὀδυσσεύς", "οδυσσευσ"),
            ("", ""),
        ):
            with self.subTest(text=text):
                self.assertEqual(spelling.fold(text), folded)

    def test_words(self):
        words = spelling.words_of("  Azure   Interior, (Brandon)  O'Neil_2 ")
        self.assertEqual(words, ["azure", "interior", "brandon", "o", "neil", "2"])
        self.assertEqual(spelling.words_of("--- ?!"), [])

    def test_a_piece_is_left_of_what_is_mistyped(self):
        """Every mistake of one letter in a word, at every place."""
        chance = random.Random(18)
        for word in ("john", "azure", "office", "lumber", "cabinet", "interior"):
            for how in DISTURB:
                for at in range(len(word)):
                    typed = how(word, at, chance)
                    with self.subTest(word=word, typed=typed):
                        if len(typed) >= spelling.ONE_WRONG:
                            self.assertTrue(self.left(typed, word))

    def test_a_piece_is_left_of_two_mistakes(self):
        chance = random.Random(19)
        for word in ("quotation", "interiors", "corporation"):
            for how in DISTURB:
                for other in DISTURB:
                    for at in range(0, len(word), 4):
                        typed = how(other(word, at + 2, chance), at, chance)
                        with self.subTest(word=word, typed=typed):
                            self.assertTrue(self.left(typed, word))

    @staticmethod
    def left(typed, word):
        return any(piece in word for piece in spelling.pieces(typed))

    def test_a_pattern_finds_accents_and_means_nothing_else(self):
        for typed, name in (
            ("nandu", "Ñandú"),
            ("muller", "MÜLLER"),
            ("eleonore", "Éléonore"),
            ("иванов", "Иванов"),
            ("athina", "Athina"),
        ):
            with self.subTest(typed=typed):
                pattern = spelling.pattern([typed])
                self.assertTrue(re.search(pattern, name, re.IGNORECASE))
        for text in (
            ".*",
            "a.*|b",
            "[x]{9}",
            "(((",
            "\\d\\d",
            "%_%",
            "$1;--'",
            "a]b^c-d",
        ):
            for word in spelling.words_of(text):
                self.assertTrue(re.fullmatch(r"[^\W_]+", word))
                for piece in spelling.pieces(word):
                    self.assertTrue(re.fullmatch(r"[^\W_]+", piece))
        for letters in spelling.ACCENTED.values():
            self.assertTrue(re.fullmatch(r"\[[^\W_]+\]", letters), letters)

    def test_numbers_stay_whole(self):
        for word in ("s00021", "2026", "a1", "ann"):
            self.assertEqual(spelling.pieces(word), [word])

    def test_near(self):
        for asked, name in (
            ("Azure Interor", "Azure Interior"),
            ("interior azure", "Azure Interior, Brandon Freeman"),
            ("azureinterior", "Azure Interior"),
            ("Jhon", "John Smith"),
            ("Mueller", "Müller"),
            ("Strauss", "Johann Strauß"),
            ("Deko Adict", "Deco Addict"),
            ("ofifce chiar", "Office Chair"),
        ):
            with self.subTest(asked=asked):
                self.assertGreaterEqual(spelling.likeness(asked, name), spelling.NEAR)

    def test_not_near(self):
        """Another name, and a number that differs, are not near."""
        for asked, name in (
            ("Azure Interior", "Wood Corner"),
            ("S00012", "S00021"),
            ("INV 2026 0007", "INV/2026/0008"),
            ("Ann", "Joanna"),
            ("Anna", "Berta"),
            ("xyz", "Azure Interior"),
            ("", "Azure"),
            ("Azure", ""),
            ("!!!", "Azure"),
        ):
            with self.subTest(asked=asked, name=name):
                self.assertLess(spelling.likeness(asked, name), 0.9)
                if asked != "Ann":
                    self.assertLess(spelling.likeness(asked, name), spelling.NEAR)

    def test_distance(self):
        for one, other, most, distance in (
            ("azure", "azure", 2, 0),
            ("azrue", "azure", 2, 1),
            ("azre", "azure", 2, 1),
            ("azzure", "azure", 2, 1),
            ("axure", "azure", 2, 1),
            ("abcd", "wxyz", 2, 3),
            ("a", "abcdef", 2, 3),
        ):
            with self.subTest(one=one, other=other):
                self.assertEqual(spelling.distance(one, other, most), distance)
                self.assertEqual(spelling.distance(other, one, most), distance)

    def test_phone_numbers(self):
        for text, digits in (
            ("+32 470 12 34 56", "70123456"),
            ("0470/12.34.56", "70123456"),
            ("(0470) 12-34-56", "70123456"),
            ("470123456", "70123456"),
            ("555 1234", ""),
            ("S00021", ""),
            ("2026-11-28 10:00", ""),
            ("1,234,567.00", ""),
            ("12", ""),
        ):
            with self.subTest(text=text):
                want = digits or ("5551234" if text == "555 1234" else "")
                self.assertEqual(name_search.digits_of(text), want)
