from odoo.tests import TransactionCase, tagged

from odoo.addons.doorman.tests.gateway.test_rpc_surface import public_methods


@tagged("post_install", "-at_install")
class TestRpcSurface(TransactionCase):
    def test_nothing_is_reached_by_rpc(self):
        self.assertEqual(public_methods(self.env, "doorman_code"), {})
        # Its classes are found at all: this is one of theirs.
        gateway = type(self.env["doorman.gateway"])
        modules = {cls.__module__ for cls in gateway._model_classes__}
        self.assertIn("odoo.addons.doorman_code.gateway_python", modules)
