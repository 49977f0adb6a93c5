import json
from unittest.mock import patch

from odoo.tests import tagged

from ...tools import wizards
from ..common import WriteCase


@tagged("post_install", "-at_install")
class TestOpened(WriteCase):
    """What call_method tells of a wizard that a method has opened."""

    def opens(self, **action):
        """What a method tells that returns this action."""
        action = {"type": "ir.actions.act_window", "target": "new"} | action

        def create_company(records):
            return action

        Partner = type(self.env["res.partner"])
        with patch.object(Partner, "create_company", create_company):
            return self.method(self.acme, "create_company")["value"]

    def wizard(self, name="base.language.export", **action):
        """As if the model could be written: those of base are machinery."""
        with (
            patch.object(wizards, "refusal_of", lambda *_args: ""),
            patch(
                "odoo.addons.doorman.policy.guard.Guard.may_write", lambda *_args: True
            ),
            patch(
                "odoo.addons.doorman.policy.guard.Guard.may_use", lambda *_args: True
            ),
            patch.object(type(self.env[name]), "has_access", lambda *_args: True),
        ):
            return self.opens(res_model=name, **action)

    def test_what_it_tells(self):
        value = self.wizard(name="res.partner", res_id=self.acme.id)
        self.assertNotIn("wizard", value)
        value = self.wizard(context={"default_format": "po", "default_data": "x"})
        wizard = value["wizard"]
        self.assertEqual(wizard["model"], "base.language.export")
        self.assertEqual(wizard["values"]["format"], "po")
        names = {field["name"]: field for field in wizard["fields"]}
        self.assertIn(["po", "PO File"], names["format"]["choices"])
        self.assertNotIn("data", names)
        self.assertNotIn("data", wizard["values"])
        self.assertIn("act_getfile", [m["method"] for m in wizard["methods"]])
        self.assertLess(len(json.dumps(wizard)), 8_000)

    def test_what_it_does_not_tell(self):
        with self.subTest("a wizard that no connection changes"):
            value = self.opens(res_model="base.language.export")
            self.assertNotIn("wizard", value)
            self.assertIn("A person has to go on", value["result"])
        with self.subTest("a model on the floor"):
            self.assertNotIn("wizard", self.opens(res_model="base.module.upgrade"))
        with self.subTest("values for a connection that is limited"):
            self.allow_models("res.partner")
            value = self.wizard(context={"default_format": "po"})
            self.assertNotIn("format", value["wizard"]["values"])

    def test_a_wizard_that_fails_is_no_failed_call(self):
        def fail(model, names):
            model.env.cr.execute("SELECT no_such_column")

        with patch.object(type(self.env["base.language.export"]), "default_get", fail):
            value = self.wizard()
        self.assertEqual(value["wizard"]["values"], {})
        self.assertEqual(value["ids"], self.acme.ids)
