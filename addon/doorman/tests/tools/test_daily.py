import json
import re

from odoo.tests import BaseCase, tagged
from odoo.tools import mute_logger

from ...policy import closed_fields
from ...policy.refusal import in_language
from ...policy.suggestions import near, near_hint
from ...policy.view_conditions import is_true, names_in
from ..common import ApprovalCase, WriteCase


@tagged("post_install", "-at_install")
class TestChatter(WriteCase):
    """read_messages: what was said on a record, to whom it may be told."""

    def messages(self, record=None, **kwargs):
        record = record or self.acme
        return self.call(record._name, "read_messages", record.ids, **kwargs)["value"]

    def test_what_it_tells(self):
        author = self.people["user2"].partner_id
        self.acme.message_post(
            body="Hello", message_type="comment", subtype_xmlid="mail.mt_comment",
            author_id=author.id, attachments=[("a.txt", b"12345")],
        )  # fmt: skip
        self.acme.message_post(body="Inside", subtype_xmlid="mail.mt_note")
        page = self.messages()
        note, hello = page["messages"][:2]
        self.assertEqual(page["name"], "Acme")
        self.assertIn("Inside", note["body"])
        self.assertTrue(note["internal"])
        self.assertEqual(hello["author_id"], [author.id, author.display_name])
        self.assertFalse(hello["internal"])
        [told] = hello["attachments"]
        self.assertEqual((told["name"], told["size"]), ("a.txt", 5))
        self.assertNotIn("12345", json.dumps(page, default=str))

    def test_paging(self):
        for number in range(5):
            self.acme.message_post(body=f"Number {number}")
        first = self.messages(limit=2)
        self.assertTrue(first["has_more"])
        last = first["messages"][-1]["id"]
        second = self.messages(limit=50, before=last)
        self.assertFalse(second["has_more"])
        ids = [m["id"] for m in first["messages"] + second["messages"]]
        self.assertEqual(ids, sorted(set(ids), reverse=True))
        self.assertEqual(set(ids), set(self.acme.message_ids.ids))

    def test_what_is_not_told(self):
        self.acme.message_post(body="see /my/1?access_token=hidden-text&x=1")
        self.acme.message_notify(
            body="only for you", partner_ids=self.people["user2"].partner_id.ids
        )
        other = self.env["res.partner"].create({"name": "Other"})
        other.message_post(body="elsewhere")
        text = json.dumps(self.messages(), default=str)
        for hidden in ("hidden-text", "only for you", "elsewhere"):
            self.assertNotIn(hidden, text)

    def test_files_follow_their_own_record(self):
        group = self.env["res.partner.category"].create({"name": "t"})
        file = self.env["ir.attachment"].create(
            {"name": "of-a-tag", "raw": b"1", "res_model": group._name,
             "res_id": group.id}
        )  # fmt: skip
        self.acme.message_post(body="x", attachment_ids=file.ids)
        file.write({"res_model": group._name, "res_id": group.id})
        self.allow_models("res.partner")
        self.assertNotIn("of-a-tag", json.dumps(self.messages(), default=str))

    def test_changed_fields(self):
        field = self.env["ir.model.fields"]._get("res.partner", "vat")
        hidden = self.env["ir.model.fields"]._get("res.partner", "signup_token")
        message = self.acme.message_post(body="x")
        for one in (field, hidden or field):
            self.env["mail.tracking.value"].create(
                {"mail_message_id": message.id, "field_id": one.id,
                 "old_value_char": "old", "new_value_char": "new"}
            )  # fmt: skip
        tracking = self.messages()["messages"][0]["tracking"]
        self.assertEqual((tracking[0]["old"], tracking[0]["new"]), ("old", "new"))
        with self.subTest("a long text says how long it is"):
            message.sudo().tracking_value_ids.write({"new_value_char": "n" * 900})
            tracking = self.messages()["messages"][0]["tracking"]
            self.assertIn("(900 characters in all)", tracking[0]["new"])
        groups = "base.group_system"
        with self.subTest("a field that the user may not read"):
            self.patch(self.env["res.partner"]._fields["vat"], "groups", groups)
            self.assertFalse(self.messages()["messages"][0]["tracking"])

    @mute_logger("odoo.addons.base.models.ir_rule")
    def test_refused(self):
        ids = self.acme.ids
        self.env["ir.rule"].create(
            {"name": "t", "model_id": self.env["ir.model"]._get_id("res.partner"),
             "domain_force": f"[('id', '!=', {ids[0]})]"}
        )  # fmt: skip
        for model, ids_, kwargs, kind in (
            ("res.partner", ids, {}, "forbidden"),
            ("res.partner", [2**30], {}, "not_found"),
            ("res.partner", [1, 2], {}, "invalid_input"),
            ("res.partner", [], {}, "invalid_input"),
            ("res.partner", None, {}, "invalid_input"),
            ("res.partner", [1], {"limit": 51}, "invalid_input"),
            ("res.partner", [1], {"limit": True}, "invalid_input"),
            ("res.partner", [1], {"before": "1"}, "invalid_input"),
            ("res.partner", [1], {"domain": []}, "invalid_input"),
            ("res.country", [1], {}, "invalid_input"),
            ("mail.thread", [1], {}, "unknown_model"),
            ("doorman.connection", self.connection.ids, {}, "not_allowed"),
            ("doorman.approval", [1], {}, "not_allowed"),
            ("no.such", [1], {}, "unknown_model"),
        ):
            with self.subTest(model=model, ids=ids_, kwargs=kwargs):
                kind_ = self.kind(model, "read_messages", ids_, **kwargs)
                self.assertEqual(kind_, kind)
        self.allow_models("res.country")
        self.assertEqual(self.kind("res.partner", "read_messages", ids), "not_allowed")


@tagged("post_install", "-at_install")
class TestEverywhere(WriteCase):
    """search_everywhere: what it looks at."""

    def search(self, query, **kwargs):
        request = self.request(None, "search_everywhere", query=query, **kwargs)
        return self.gateway.call(self.fence(), request)

    def found(self, query, **kwargs):
        value = self.search(query, **kwargs)["value"]
        return {f["model"]: [r["name"] for r in f["records"]] for f in value["found"]}

    def test_found(self):
        self.env["res.partner"].create({"name": "Zyxw Ltd"})
        self.assertEqual(self.found("zyxw"), {"res.partner": ["Zyxw Ltd"]})
        self.assertEqual(self.found("zyxw", models=["res.country"]), {})
        many = [{"name": f"Qqqq {n}"} for n in range(8)]
        self.env["res.partner"].create(many)
        value = self.search("qqqq", limit=3)["value"]
        self.assertEqual(len(value["found"][0]["records"]), 3)
        self.assertTrue(value["found"][0]["has_more"])

    def test_record_rules_hold(self):
        secret = self.env["res.partner"].create({"name": "Zyxw Ltd"})
        self.env["ir.rule"].create(
            {"name": "t", "model_id": self.env["ir.model"]._get_id("res.partner"),
             "domain_force": f"[('id', '!=', {secret.id})]"}
        )  # fmt: skip
        self.assertEqual(self.found("zyxw"), {})
        self.assertEqual(self.found("zyxw", models=["res.partner"]), {})

    def test_models_that_are_not_searched(self):
        self.env["res.partner"].create({"name": "Zyxw Ltd"})
        self.allow_models("res.country")
        self.assertEqual(self.found("zyxw"), {})
        error = self.search("zyxw", models=["res.partner"])["error"]
        self.assertEqual(error["kind"], "not_allowed")

    def test_a_limited_connection_does_not_search_through_relations(self):
        names = ["name", "parent_id.email", "user_id"]
        self.patch(type(self.env["res.partner"]), "_rec_names_search", names)
        self.patch(type(self.env["res.country"]), "_rec_names_search",
                   ["name", "currency_id.full_name"])  # fmt: skip
        euro = self.env.ref("base.EUR")
        euro.full_name = "Zyxwmoney"
        self.assertTrue(self.found("zyxwmoney", models=["res.country"]))
        self.allow_models("res.country")
        self.assertEqual(self.found("zyxwmoney", models=["res.country"]), {})

    def test_withheld_fields_are_not_searched(self):
        self.env["res.partner"].create({"name": "Plain", "ref": "zyxw"})
        names = ["name", "ref"]
        self.patch(type(self.env["res.partner"]), "_rec_names_search", names)
        self.assertEqual(self.found("zyxw"), {"res.partner": ["Plain"]})
        self.patch(closed_fields, "CREDENTIAL_FIELD", re.compile("^ref$"))
        self.assertEqual(self.found("zyxw"), {})
        self.assertEqual(self.found("plain"), {"res.partner": ["Plain"]})

    def test_refused(self):
        for query, kwargs, kind in (
            ("", {}, "invalid_input"),
            ("x", {}, "invalid_input"),
            (7, {}, "invalid_input"),
            ("x" * 101, {}, "invalid_input"),
            ("xyz", {"limit": 21}, "invalid_input"),
            ("xyz", {"domain": []}, "invalid_input"),
            ("xyz", {"models": "res.partner"}, "invalid_input"),
            ("xyz", {"models": [7]}, "invalid_input"),
            ("xyz", {"models": ["res.users.apikeys"]}, "not_allowed"),
            ("xyz", {"models": ["doorman.audit"]}, "not_allowed"),
            ("xyz", {"models": ["ir.rule"]}, "not_allowed"),
            ("xyz", {"models": ["ir.cron"]}, "forbidden"),
            ("xyz", {"models": ["mail.thread"]}, "invalid_input"),
            ("xyz", {"models": ["no.such"]}, "unknown_model"),
        ):
            with self.subTest(query=str(query)[:10], kwargs=kwargs):
                self.assertEqual(self.search(query, **kwargs)["error"]["kind"], kind)

    def test_one_model_that_fails_does_not_fail_the_others(self):
        def fail(model, operator, value):
            model.env.cr.execute("SELECT no_such_column")

        self.env["res.partner"].create({"name": "Zyxw Ltd"})
        self.patch(type(self.env["res.country"]), "_search_display_name", fail)
        with mute_logger("odoo.sql_db"):
            value = self.search("zyxw", models=["res.country", "res.partner"])["value"]
        self.assertEqual(value["not_searched"], ["res.country"])
        self.assertEqual([f["model"] for f in value["found"]], ["res.partner"])


@tagged("post_install", "-at_install")
class TestEverywhereGated(ApprovalCase):
    def test_models_that_wait_are_left_out(self):
        self.env["res.partner"].create({"name": "Zyxw Ltd"})
        model = self.env["ir.model"]._get_id("res.partner")
        self.rule(model_id=model, reads=True, risk=False)
        request = self.request(None, "search_everywhere", query="zyxw")
        self.assertEqual(self.gateway.call(self.fence(), request)["value"]["found"], [])
        found = self.call("res.company", "read", [self.company.id], names=3,
                          fields=["child_ids", "user_ids"])  # fmt: skip
        self.assertIn("user_ids", found["value"]["names"])
        self.rule(model_id=self.env["ir.model"]._get_id("res.users"), reads=True)
        found = self.call("res.company", "read", [self.company.id], names=3,
                          fields=["child_ids", "user_ids"])  # fmt: skip
        self.assertNotIn("user_ids", found["value"]["names"])
        request["kwargs"]["models"] = ["res.partner"]
        answer = self.gateway.call(self.fence(), request)
        self.assertEqual(answer["error"]["kind"], "not_allowed")


@tagged("post_install", "-at_install")
class TestButtons(WriteCase):
    """get_actions: what the form of a record offers."""

    ARCH = """<form>
        <header>
            <button name="create_company" type="object" string="Make"
                invisible="not name"/>
            <button name="action_archive" type="object" string="Put away"
                confirm="Sure?" invisible="not active"/>
            <button name="action_unarchive" type="object" string="Back"
                invisible="active"/>
            <button name="unlink" type="object" string="Danger"/>
            <button name="message_post" type="object" string="Say" groups=""/>
            <button name="mail_action_blacklist_remove" type="object"
                groups="base.group_system" string="For the boss"/>
            <button name="copy" type="object" string="Odd"
                invisible="context.get('x')"/>
        </header>
        <group invisible="is_company"><button name="create_company" type="object"/>
        </group>
        <field name="name"/><field name="active"/><field name="is_company"/>
        <field name="child_ids"><list><field name="name"/>
            <button name="open_commercial_entity" type="object"/></list></field>
    </form>"""

    def setUp(self):
        super().setUp()
        self.env["ir.ui.view"].create(
            {"name": "t", "model": "res.partner", "type": "form", "arch": self.ARCH,
             "priority": 0}
        )  # fmt: skip

    def actions(self, record=None):
        record = record or self.acme
        value = self.call(record._name, "get_actions", record.ids)["value"]
        return value, {a["method"]: a for a in value["actions"]}

    def test_what_is_offered(self):
        value, actions = self.actions()
        self.assertEqual(value["name"], "Acme")
        self.assertTrue(actions["create_company"]["callable"])
        self.assertEqual(actions["create_company"]["label"], "Make")
        self.assertEqual(actions["action_archive"]["confirm"], "Sure?")
        self.assertIn("action_unarchive", value["hidden"])
        for name in ("unlink", "message_post"):
            self.assertFalse(actions[name]["callable"])
            self.assertTrue(actions[name]["why_not"])
        self.assertTrue(actions["copy"]["may_be_hidden"])
        for name in ("mail_action_blacklist_remove", "open_commercial_entity"):
            self.assertNotIn(name, actions)
        self.acme.active = False
        value, actions = self.actions()
        self.assertIn("action_archive", value["hidden"])
        self.assertIn("action_unarchive", actions)

    def test_buttons_of_lists_that_no_form_has(self):
        arch = """<list><header>
            <button name="create_company" type="object" string="All"/>
            <button name="address_get" type="object" string="Addresses"/>
            <button name="unlink" type="object" string="Danger"/></header>
            <field name="name"/><field name="active"/>
            <button name="action_unarchive" type="object" string="Back"/>
            <button name="open_commercial_entity" type="object" string="Open"
                invisible="not active"/></list>"""
        self.env["ir.ui.view"].create(
            {"name": "t", "model": "res.partner", "type": "list", "arch": arch,
             "priority": 99}
        )  # fmt: skip
        menu = {m["method"]: m["label"] for m in self.actions()[0]["menu"]}
        self.assertEqual(menu["address_get"], "Addresses")
        self.assertEqual(menu["open_commercial_entity"], "Open")
        # What the form has, hides now, or nobody may call.
        for name in ("create_company", "action_unarchive", "unlink"):
            self.assertNotIn(name, menu)
        self.acme.active = False
        menu = {m["method"] for m in self.actions()[0].get("menu", ())}
        self.assertNotIn("open_commercial_entity", menu)

    def test_nothing_is_run_or_written(self):
        before = self.rows()
        self.actions()
        [row] = self.new_rows(before)
        self.assertEqual(row["orm_method"], "get_actions")
        self.assertTrue(self.acme.active)

    def test_a_field_that_the_user_may_not_read_is_not_told(self):
        self.patch(
            self.env["res.partner"]._fields["active"], "groups", "base.group_system"
        )
        _value, actions = self.actions()
        for name in ("action_archive", "action_unarchive"):
            self.assertNotEqual(actions.get(name, {}).get("may_be_hidden"), False)

    def test_refused(self):
        for model, ids, kwargs, kind in (
            ("res.partner", [2**30], {}, "not_found"),
            ("res.partner", [1, 2], {}, "invalid_input"),
            ("res.partner", self.acme.ids, {"view_id": 1}, "invalid_input"),
            ("doorman.settings", [1], {}, "not_allowed"),
            ("ir.rule", [1], {}, "not_allowed"),
            ("base", [1], {}, "unknown_model"),
        ):
            with self.subTest(model=model, kwargs=kwargs):
                self.assertEqual(self.kind(model, "get_actions", ids, **kwargs), kind)
        users = self.env.ref("base.user_admin").ids
        _value = self.call("res.users", "get_actions", users)
        for action in _value.get("value", {}).get("actions", []):
            self.assertFalse(action["callable"])


@tagged("post_install", "-at_install")
class TestExpressions(BaseCase):
    def test_conditions(self):
        values = {"state": "draft", "n": 3, "ids": [], "flag": False}
        for text, expected in (
            ("state == 'draft'", True),
            ("state in ('sent', 'sale')", False),
            ("state not in ['sent'] and not flag", True),
            ("n > 2 and n <= 3", True),
            ("not ids", True),
            ("1 < n < 3", False),
            ("flag or true", True),
            ("n if flag else state == 'draft'", True),
            ("n == -3", False),
            ("state is None", False),
            ("unknown", None),
            ("unknown and flag", False),
            ("unknown or not flag", True),
            ("unknown or flag", None),
            ("context.get('x')", None),
            ("state.upper()", None),
            ("n > state", None),
            ("__import__('os')", None),
            ("[x for x in ids]", None),
            ("n ** n ** n ** n", None),
            ("(lambda: 1)()", None),
            ("f'{n}'", None),
            ("", None),
            ("(" * 300, None),
        ):
            with self.subTest(text=text[:40]):
                self.assertIs(is_true(text, values), expected)
        self.assertEqual(names_in("a and b.c(d)"), {"a", "b", "d"})

    def test_near(self):
        known = ["res.partner", "res.partner.bank", "sale.order", "crm.lead"]
        for name, expected in (
            ("res.parnter", "res.partner"),
            ("Sale.Order", "sale.order"),
            ("order", "sale.order"),
            ("zzz", None),
        ):
            found = near(name, known)
            self.assertEqual(found[0] if found else None, expected)
        hint = in_language(near_hint("zzz", ["a", "b"], every=True))
        self.assertEqual(hint, "Available: a, b.")
