from pathlib import Path

from odoo.tests import BaseCase, tagged

from odoo.addons.doorman.tests import test_translations


@tagged("post_install", "-at_install")
class TestTranslations(test_translations.LanguageChecks, BaseCase):
    root = Path(__file__).resolve().parent.parent
