import json

from odoo.fields import Command
from odoo.tests import tagged

from ..common import ApprovalCase
from ..tools.test_files import FileMixin

KEY = {"idempotency_key": "k-1"}


@tagged("post_install", "-at_install")
class TestKeptAnswers(FileMixin, ApprovalCase):
    """What was answered under yesterday's policy is not told past today's."""

    def narrowings(self):
        """:return: ways to tell a connection less, by name"""
        partner = self.env["ir.model"]._get("res.partner")
        phone = self.env["ir.model.fields"]._get("res.partner", "phone")
        category = self.env["ir.model"]._get("res.partner.category")
        rule = {"model_id": partner.id, "perm_write": True, "perm_create": True}
        hide = rule | {"hidden_field_ids": [Command.set(phone.ids)]}
        some = rule | {"domain": "[('id', '=', 0)]"}
        tools = self.tools["update_records"] | self.tools["create_records"]
        return {
            "a field is hidden": {"model_rule_ids": [Command.create(hide)]},
            "only some records": {"model_rule_ids": [Command.create(some)]},
            "only some models": {
                "allowed_model_ids": [Command.set((partner | category).ids)]
            },
            "no such model": {"allowed_model_ids": [Command.set(category.ids)]},
            "only some tools": {"allowed_tool_ids": [Command.set(tools.ids)]},
            "read only": {"read_only": True},
        }

    def after_each(self, check):
        """Narrow the policy in each way, and look at what is told then."""
        for name, vals in self.narrowings().items():
            with self.subTest(name), self.env.cr.savepoint() as savepoint:
                self.connection.write(vals)
                check()
                savepoint.rollback()
                self.env.invalidate_all()
                self.env.registry.clear_cache()

    def changes_nothing(self):
        """What is no change of the policy."""
        self.connection.name = "Another name"
        self.gate("delete_records")
        self.rule(more_than=1000)
        self.connection.rate_limit_minute = 500
        self.connection._transition("idle", ("connected", "awaiting"))
        self.connection._transition("connected", ("idle",))

    def assert_not_told(self, answer):
        self.assertNotIn("value", answer)
        self.assertNotIn("032123456", json.dumps(answer, default=str))

    def test_a_replay(self):
        first = self.write(self.acme, {"phone": "032123456"}, more=KEY)["value"]
        self.assertIn("032123456", json.dumps(first))

        def again():
            return self.write(self.acme, {"phone": "032123456"}, more=KEY)

        self.after_each(lambda: self.assert_not_told(again()))
        self.changes_nothing()
        self.assertEqual(again()["value"], first | {"replayed": True})

    def test_what_a_replay_says(self):
        self.write(self.acme, {"phone": "032123456"}, more=KEY)
        category = self.env["ir.model"]._get("res.partner.category")
        partner = self.env["ir.model"]._get("res.partner")
        self.connection.allowed_model_ids = [Command.set((partner | category).ids)]
        self.acme.phone = False
        error = self.write(self.acme, {"phone": "032123456"}, more=KEY)["error"]
        self.assertEqual(error["code"], "answer_not_told")
        self.assertIn("This was done.", error["message"])
        # And it is not done again.
        self.assertFalse(self.acme.phone)

    def test_a_replay_of_what_a_person_approved(self):
        self.gate("update_records")
        vals = {"phone": "032123456"}
        waiting = self.waiting(
            "res.partner", "write", self.acme.ids, vals=vals, more=KEY
        )
        self.by("approver", waiting).action_approve()
        again = self.ask("res.partner", "write", self.acme.ids, vals=vals, more=KEY)
        self.assertTrue(again["value"]["replayed"])

        def check():
            self.assert_not_told(
                self.ask("res.partner", "write", self.acme.ids, vals=vals, more=KEY)
            )

        self.after_each(check)

    def test_the_state_of_a_request(self):
        self.gate("update_records")
        waiting = self.waiting(
            "res.partner", "write", self.acme.ids, vals={"phone": "032123456"}
        )
        self.by("approver", waiting).action_approve()
        self.assertEqual(waiting.state, "executed")

        def check():
            told = self.status(waiting)
            self.assertEqual(told["state"], "executed")
            self.assertIsNone(told["value"])
            self.assertEqual(told["error"]["code"], "answer_not_told")

        self.after_each(check)
        self.changes_nothing()
        told = self.status(waiting)
        self.assertIsNone(told["error"])
        self.assertIn("032123456", json.dumps(told["value"]))

    def test_another_connection_is_none_of_its_business(self):
        first = self.write(self.acme, {"phone": "032123456"}, more=KEY)["value"]
        other = self.connection.copy(
            {"name": "Other", "user_id": self.people["user"].id}
        )
        other.read_only = True
        again = self.write(self.acme, {"phone": "032123456"}, more=KEY)["value"]
        self.assertEqual(again, first | {"replayed": True})

    def test_a_file_that_waits_for_its_link(self):
        answer = self.get(attachment=self.file(raw=b"secret").id)

        def check():
            ticket = answer["value"]["ticket"]
            opened = self.gateway.file_link(self.fence(), ticket, "0" * 64)
            self.assertEqual(opened["error"]["code"], "file_gone")
            self.assertIn("changed", opened["error"]["message"])

        self.after_each(check)
        self.changes_nothing()
        self.assertEqual(self.taken(self.link(answer)), b"secret")

    def test_a_link_that_is_open(self):
        token = self.link(self.get(attachment=self.file(raw=b"secret").id))
        self.after_each(lambda: self.assertEqual(self.taken(token), "not_found"))
        self.assertEqual(self.taken(token), b"secret")
