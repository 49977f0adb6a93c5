from importlib.util import module_from_spec, spec_from_file_location
from unittest.mock import patch

from odoo.modules.module import Manifest
from odoo.tests import TransactionCase, tagged

from odoo.addons.doorman.tests.test_static import ROOT

SCRIPT = ROOT / "migrations" / "19.0.0.2.0" / "post-install_code_addon.py"
# Those of that version.
FUNCTIONS = """
    SELECT count(*) FROM pg_proc
     WHERE proname IN ('doorman_sql_one', 'doorman_sql_view', 'doorman_sql_rows')
"""


@tagged("post_install", "-at_install")
class TestMigration(TransactionCase):
    """From 0.1.0, in which the base addon had all of this."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        spec = spec_from_file_location("doorman_migration", SCRIPT)
        cls.script = module_from_spec(spec)
        spec.loader.exec_module(cls.script)

    def setUp(self):
        super().setUp()
        self.addon = self.env["ir.module.module"]._get("doorman_code")
        self.addon.state = "uninstalled"

    def migrate(self, **switches):
        off = {"allow_sql": False, "allow_shell": False}
        self.env["doorman.settings"]._get().write(off | switches)
        self.env.flush_all()
        self.script.migrate(self.env.cr, "19.0.0.1.0")
        state = self.addon.exists().state
        self.env.cr.execute(FUNCTIONS)
        return state, self.env.cr.fetchone()[0]

    def test_installed_where_a_switch_was_on(self):
        for switch in ("allow_sql", "allow_shell"):
            with self.subTest(switch):
                self.addon.state = "uninstalled"
                found = self.migrate(**{switch: True})
                self.assertEqual(found, ("to install", 3))

    def test_not_installed_where_none_was(self):
        self.assertEqual(self.migrate(), ("uninstalled", 0))

    def test_one_that_is_there_stays(self):
        self.addon.state = "installed"
        self.assertEqual(self.migrate(allow_sql=True), ("installed", 3))
        self.assertEqual(self.migrate(), ("installed", 3))

    def test_it_is_not_on_the_addons_path(self):
        with patch.object(Manifest, "for_addon", return_value=None):
            with self.assertLogs(self.script._logger, "WARNING") as said:
                found = self.migrate(allow_shell=True)
            self.assertEqual(found, ("uninstalled", 3))
            [line] = said.output
            self.assertIn("-i doorman_code", line)
            self.addon.unlink()
            with self.assertLogs(self.script._logger, "WARNING"):
                self.migrate(allow_shell=True)
            with self.assertNoLogs(self.script._logger, "WARNING"):
                self.migrate()
