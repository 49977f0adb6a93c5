from pathlib import Path

from odoo.tests import tagged

from odoo.addons.doorman.tests import test_collected


@tagged("post_install", "-at_install")
class TestCollected(test_collected.TestCollected):
    allow_inherited_tests_method = True
    addon = "odoo.addons.doorman_code"
    here = Path(__file__).parent
