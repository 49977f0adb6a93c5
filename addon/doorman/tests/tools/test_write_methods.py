import json
from unittest.mock import patch

from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from ..common import WriteCase


@tagged("post_install", "-at_install")
class TestWriteMethods(WriteCase):
    """Messages and public methods: what they do, and what they tell."""

    def test_messages(self):
        for kind, subtype in (("note", "Note"), ("comment", "Discussions")):
            value = self.call(
                "res.partner",
                "message_post",
                self.acme.ids,
                body="<b>Hello</b>\nworld",
                kind=kind,
            )["value"]
            message = self.env["mail.message"].browse(value["message_id"])
            self.assertEqual(message.author_id, self.people["user"].partner_id)
            self.assertEqual(message.subtype_id.name, subtype)
            self.assertIn("&lt;b&gt;Hello&lt;/b&gt;<br>world", message.body)
            self.assertEqual((message.model, message.res_id),
                             ("res.partner", self.acme.id))  # fmt: skip

    def test_messages_that_are_refused(self):
        ids = self.acme.ids
        for model, ids_, kwargs, kind in (
            ("res.partner", ids, {"body": ""}, "invalid_input"),
            ("res.partner", ids, {"body": 7}, "invalid_input"),
            ("res.partner", ids, {"body": "x", "kind": "email"}, "invalid_input"),
            ("res.partner", ids, {"body": "x" * 20_001}, "invalid_input"),
            ("res.partner", ids, {"body": "x", "author_id": 1}, "invalid_input"),
            ("res.partner", ids, {"body": "x", "email_from": "a@b"}, "invalid_input"),
            ("res.partner", ids, {"body": "x", "partner_ids": "1"}, "invalid_input"),
            ("res.partner", [ids[0], 1], {"body": "x"}, "invalid_input"),
            ("res.country", [1], {"body": "x"}, "invalid_input"),
            ("res.users", [2], {"body": "x"}, "not_allowed"),
            ("doorman.connection", [1], {"body": "x"}, "not_allowed"),
            ("res.partner", [2**30], {"body": "x"}, "not_found"),
        ):
            with self.subTest(model=model, kwargs=str(kwargs)[:60]):
                found = self.call(model, "message_post", ids_, **kwargs)
                self.assertEqual(found["error"]["kind"], kind)

    def test_whom_a_message_may_notify(self):
        self.allow_models("res.partner.category", "res.country")
        found = self.call(
            "res.partner", "message_post", self.acme.ids, body="x", partner_ids=[1]
        )
        self.assertEqual(found["error"]["kind"], "not_allowed")

    # ---- methods ----

    def test_business_methods(self):
        before = self.rows()
        value = self.method(self.acme, "action_archive")["value"]
        self.assertFalse(self.acme.active)
        self.assertEqual(value["ids"], self.acme.ids)
        [row] = self.new_rows(before)
        self.assertEqual((row["orm_method"], row["record_ids"]),
                         ("action_archive", str(self.acme.id)))  # fmt: skip
        self.method(self.acme, "action_unarchive")
        self.assertTrue(self.acme.active)
        child = self.env["res.partner"].create(
            {"name": "C", "company_name": "Newly", "parent_id": False}
        )
        value = self.method(child, "create_company")["value"]
        self.assertEqual(child.parent_id.name, "Newly")
        # That it has returned true says nothing: what has changed does.
        self.assertNotIn("result", value)
        self.assertIn("res.partner", [c["model"] for c in value["changed"]])

    def test_odoos_words_are_kept(self):
        def create_company(records):
            raise ValidationError("Not like this")

        Partner = type(self.env["res.partner"])
        with patch.object(Partner, "create_company", create_company):
            found = self.method(self.acme, "create_company")
        self.assertEqual(found["error"]["kind"], "business_rule")
        self.assertEqual(found["error"]["message"], "Not like this")

    def test_results_tell_no_more_than_they_should(self):
        user = self.people["user"]
        action = {
            "type": "ir.actions.act_window",
            "name": "Make invoice",
            "res_model": "res.partner",
            "res_id": self.acme.id,
            "target": "new",
            "context": {"secret": "hidden-text"},
        }
        for result, expected, hidden in (
            (None, {"changed": []}, "result"),
            (True, {"changed": []}, "result"),
            (False, {"changed": []}, "result"),
            ({}, {"changed": []}, "result"),
            (7, {"result": "7"}, ""),
            (user, {"result_ids": user.ids, "result_model": "res.users"}, ""),
            (self.connection, {"result": "1 records of doorman.connection"}, ""),
            (self.env["res.users.apikeys"], {}, "result_ids"),
            (action, {"result_ids": self.acme.ids}, "hidden-text"),
            ({"password": "hidden-text"}, {}, "hidden-text"),
            ({"a": b"hidden-text"}, {}, "hidden-text"),
            (b"hidden-text", {}, "hidden-text"),
            ("see /my/orders/1?access_token=hidden-text&x", {}, "hidden-text"),
            ("x" * 100_000, {}, "x" * 10_000),
            (object(), {}, "object at"),
        ):

            def create_company(records, result=result):
                return result

            with (
                self.subTest(result=str(result)[:60]),
                patch.object(
                    type(self.env["res.partner"]), "create_company", create_company
                ),
            ):
                value = self.method(self.acme, "create_company")["value"]
                self.assertEqual(value, value | expected)
                self.assertNotIn(hidden or "nothing-hidden", json.dumps(value))

    def test_results_of_a_limited_connection(self):
        def create_company(records):
            return {"customers": "hidden-text"}

        self.allow_models("res.partner")
        with patch.object(
            type(self.env["res.partner"]), "create_company", create_company
        ):
            value = self.method(self.acme, "create_company")["value"]
        self.assertNotIn("hidden-text", json.dumps(value))

    def test_methods_want_records_that_can_be_read(self):
        found = self.method(self.env["res.partner"], "create_company")
        self.assertEqual(found["error"]["kind"], "invalid_input")
        found = self.method(self.env["res.partner"].browse(2**30), "create_company")
        self.assertEqual(found["error"]["kind"], "not_found")

    def test_accounts_stay_as_they_are_whatever_code_does(self):
        """Code behind a call that has more rights than its user."""
        user = self.people["user"].sudo()
        partner = user.partner_id
        group = self.env.ref("base.group_system")
        vals = {"name": "x", "login": "x"}
        for number, change in enumerate(
            (
                lambda: self.env["res.users"].sudo().create(vals),
                lambda: user.write({"password": "x"}),
                lambda: user.write({"login": "x"}),
                lambda: user.write({"email": "x@evil.example"}),
                lambda: user.write({"group_ids": [Command.link(group.id)]}),
                lambda: user.write({"active": False}),
                lambda: user.unlink(),
                lambda: group.sudo().write({"user_ids": [Command.link(user.id)]}),
                lambda: self.env["res.groups"].sudo().create({"name": "x"}),
                lambda: partner.write({"email": "x@evil.example"}),
            )
        ):

            def create_company(records, change=change):
                change()

            with (
                self.subTest(number=number),
                patch.object(
                    type(self.env["res.partner"]), "create_company", create_company
                ),
            ):
                found = self.method(self.acme, "create_company")
                self.assertEqual(found["error"]["kind"], "forbidden")
        # Outside of a call everything is as it was.
        user.write({"email": "new@example.com"})
        with self.assertRaises(AccessError):
            user.with_user(self.people["user"]).write({"login": "x"})
