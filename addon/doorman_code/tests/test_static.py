from pathlib import Path

from odoo.tests import BaseCase, tagged

from odoo.addons.doorman.tests import test_static

ROOT = Path(__file__).resolve().parent.parent
NAME = ROOT.name
# What Git keeps and what a person wrote: the rest of a folder is Python's own.
TEXTS = (".py", ".xml", ".csv", ".md", ".rst", ".html", ".js", ".scss", ".pot", ".po")


@tagged("post_install", "-at_install")
class TestStatic(test_static.SourceChecks, BaseCase):
    root = ROOT
    sudo = {"sql_query.py:check_administrator": 1}
    looked_at = {("sandbox/__main__.py", "exec"): {"main"}}

    def test_the_base_addon_does_not_know_this_one(self):
        """Whoever leaves this addon out has no trace of it. A migration may know it:
        once, all of this was in the base addon."""
        base, read = test_static.ROOT, 0
        for path in base.rglob("*"):
            if path.suffix in TEXTS and "migrations" not in path.parts:
                read += 1
                self.assertNotIn(NAME, path.read_text(encoding="utf-8"), path)
        self.assertGreater(read, 200)
