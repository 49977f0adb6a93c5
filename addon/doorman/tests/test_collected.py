from importlib.util import find_spec
from pathlib import Path

from odoo.tests import BaseCase, tagged
from odoo.tests.loader import _get_tests_modules

HERE = Path(__file__).parent


@tagged("post_install", "-at_install")
class TestCollected(BaseCase):
    def test_odoo_runs_every_file(self):
        found = _get_tests_modules(find_spec("odoo.addons.doorman"))
        self.assertEqual(
            sorted(Path(module.__file__) for module in found),
            sorted(HERE.rglob("test_*.py")),
        )

    def test_no_test_is_in_a_file_that_is_not_run(self):
        for path in HERE.rglob("*.py"):
            if not path.name.startswith("test_"):
                self.assertNotIn(
                    "    def test_", path.read_text(encoding="utf-8"), path
                )
