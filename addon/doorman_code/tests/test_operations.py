from odoo.tests import tagged

from odoo.addons.doorman.tests.common import DoormanCase
from odoo.addons.doorman.tests.tools.test_operations import RegistryChecks


@tagged("post_install", "-at_install")
class TestRegistry(RegistryChecks, DoormanCase):
    module = "doorman_code"
