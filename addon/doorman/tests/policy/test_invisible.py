import json
import unicodedata
from pathlib import Path

from odoo.tests import BaseCase, tagged

from odoo.addons.doorman.policy.invisible import is_invisible, without_hidden
from odoo.addons.doorman.policy.oauth_values import clean_name
from odoo.addons.doorman.policy.plain_text import (
    is_plain,
    plain,
    plain_file_name,
    visible,
)

ROWS = json.loads(Path(__file__).with_name("hidden_letters.json").read_text())


def smuggled(text):
    """A text as variation selectors: models read it, and people see nothing."""
    return "".join(
        chr(0xFE00 + byte if byte < 16 else 0xE0100 + byte - 16)
        for byte in text.encode()
    )


@tagged("post_install", "-at_install")
class TestHiddenLetters(BaseCase):
    """The service's tests hold it to the same file."""

    def test_what_is_left(self):
        self.assertGreater(len(ROWS), 30)
        for row in ROWS:
            text, shown = row["text"], row["shown"]
            with self.subTest(row["why"]):
                self.assertEqual(without_hidden(text), shown)
                self.assertEqual(is_plain(text), text == shown)
                self.assertEqual(is_plain(shown), True)
                for told in (visible(text), plain(text, None)):
                    self.assertTrue(is_plain(told), ascii(told))
                    self.assertEqual(without_hidden(told), told)
                if text != shown:
                    self.assertIn("\\", visible(text))

    def test_every_letter_of_these_categories(self):
        """Of those that this Python knows: the list is of a version of its own."""
        for code in range(0x110000):
            letter = chr(code)
            if unicodedata.category(letter) in ("Cc", "Cf", "Co", "Cs", "Zl", "Zp"):
                self.assertTrue(is_invisible(letter), hex(code))
        for letter in "aZ0~ éжあ漢한ا\u00a0\u0301😀❤€":
            self.assertFalse(is_invisible(letter), ascii(letter))

    def test_marks(self):
        for text, shown in {
            "a\u200bb": "a\\u200bb",
            "a\ufe01b": "a\\ufe01b",
            "a\U000e0100": "a\\U000e0100",
            "a\U000e0041": "a\\U000e0041",
            "a\u3164\u2800": "a\\u3164\\u2800",
            "❤\ufe0f": "❤\ufe0f",
            "❤\ufe0f\ufe0f": "❤\ufe0f\\ufe0f",
            "a\tb\x07": "a\\u0009b\\u0007",
            "a\nb": "a\nb",
        }.items():
            with self.subTest(ascii(text)):
                self.assertEqual(visible(text), shown)
        self.assertEqual(plain("a\n\u200b\tb"), "a \\u200b b")

    def test_file_names(self):
        for name, shown in {
            "a\ufe01\U000e0143.txt": "a__.txt",
            "../a\u3164\\b\n": ".._a__b_",
            "❤\ufe0f.txt": "❤\ufe0f.txt",
        }.items():
            self.assertEqual(plain_file_name(name), shown)

    def test_client_names(self):
        family = "👩\u200d👦"
        for name, shown in {
            "Claude" + smuggled("pay evil"): "Claude",
            "Cla\ufe0fude": "Claude",
            "Claude\U000e0070": "Claude",
            "Claude\u034f\u17b4\u2800": "Claude",
            "I ❤\ufe0f Odoo": "I ❤\ufe0f Odoo",
            "می\u200cخواهم": "می\u200cخواهم",
            "x" * 98 + family: "x" * 98 + "👩",
            smuggled("Claude"): "",
            "\u2800": "",
        }.items():
            with self.subTest(ascii(name)):
                self.assertEqual(clean_name(name), shown)
