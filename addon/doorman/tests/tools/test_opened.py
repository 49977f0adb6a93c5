import json
from unittest.mock import patch

from odoo.fields import Command
from odoo.tests import tagged

from ...policy.form_view import FormView, read_form
from ...policy.refusal import Refusal
from ..common import ApprovalCase, WriteCase, proof_of

WIZARD = "mail.blacklist.remove"
EMAIL = "blocked@example.com"


class OpenedMixin:
    """A contact with a button that opens a wizard of Odoo's own: it takes an address
    from the block list, and knows which only from the context that it is opened with.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for name in (WIZARD, "mail.blacklist"):
            cls.env["ir.model.access"].create(
                {
                    "name": f"test {name}",
                    "model_id": cls.env["ir.model"]._get_id(name),
                    "group_id": cls.env.ref("base.group_user").id,
                    **dict.fromkeys(
                        ("perm_read", "perm_write", "perm_create", "perm_unlink"), True
                    ),
                }
            )
        cls.blocked = cls.env["mail.blacklist"].create({"email": EMAIL})

    def opens(self, records=None, **action):
        """What a method tells that returns this action."""
        action = {"type": "ir.actions.act_window", "target": "new"} | action

        def create_company(records):
            return action

        Partner = type(self.env["res.partner"])
        with patch.object(Partner, "create_company", create_company):
            return self.method(records or self.acme, "create_company")

    def wizard(self, **action):
        context = {"default_email": EMAIL, "marker": "hidden-text"}
        action = {"res_model": WIZARD, "name": "Unblock", "context": context} | action
        return self.opens(**action)["value"]["wizard"]

    def press(self, handle, method="action_unblacklist_apply", fence=None, **kwargs):
        kwargs = {"method": method, "wizard": handle} | kwargs
        model = kwargs.pop("model", WIZARD)
        ids = kwargs.pop("ids", None)
        request = self.request(model, "call_method", ids) | {"kwargs": kwargs}
        return self.gateway.call(fence or self.fence(), request)


@tagged("post_install", "-at_install")
class TestOpened(OpenedMixin, WriteCase):
    """A wizard that a button has opened, and going on with it."""

    def test_what_it_tells(self):
        value = self.opens(
            res_model=WIZARD, name="Unblock", context={"default_email": EMAIL}
        )["value"]
        wizard = value["wizard"]
        self.assertEqual(wizard["model"], WIZARD)
        self.assertEqual(wizard["values"], {"email": EMAIL, "reason": None})
        # The address is the wizard's own: no field to fill in.
        self.assertEqual([f["name"] for f in wizard["fields"]], ["reason"])
        self.assertEqual(
            wizard["methods"],
            [
                {
                    "method": "action_unblacklist_apply",
                    "label": "Remove address from blacklist",
                }
            ],
        )
        self.assertIn("Nothing is done until", value["result"])
        self.assertEqual(value["changed"], [])
        self.assertNotIn("hidden-text", json.dumps(value))

    def test_it_is_done_with_the_context_it_was_opened_with(self):
        wizard = self.wizard()
        self.assertTrue(self.blocked.active)
        value = self.press(wizard["handle"], values={"reason": "asked"})["value"]
        self.blocked.invalidate_recordset()
        self.assertFalse(self.blocked.active)
        self.assertEqual(value["changed"][0]["model"], "mail.blacklist")

    def test_a_context_as_text_is_worked_out(self):
        text = f"{{'default_email': '{EMAIL}', 'x': active_ids, 'y': uid}}"
        handle = self.wizard(context=text)["handle"]
        opened = self.env["doorman.wizard"]._of(handle)
        self.assertEqual(opened.context["default_email"], EMAIL)
        self.assertEqual(opened.context["x"], self.acme.ids)
        self.assertEqual(opened.context["y"], self.people["user"].id)
        self.assertEqual(opened.context["active_model"], "res.partner")
        self.assertEqual(opened.context["active_ids"], self.acme.ids)
        self.assertEqual((opened.origin, opened.origin_ids),
                         ("res.partner", self.acme.ids))  # fmt: skip

    def test_what_is_not_of_the_wizards_own_context(self):
        handle = self.wizard(
            context={"lang": "fr_FR", "allowed_company_ids": [99], "uid": 1, "tz": "x"}
        )["handle"]
        kept = self.env["doorman.wizard"]._of(handle).context
        self.assertFalse({"lang", "allowed_company_ids", "uid", "tz"} & kept.keys())

    def test_who_may_not_go_on_with_it(self):
        handle = self.wizard()["handle"]
        self.allow_writes(self.connection2)
        other = self.fence(proof=proof_of(self.connection2._issue_key()))
        for name, run, kind in (
            (
                "another connection",
                lambda: self.press(handle, fence=other),
                "not_found",
            ),
            ("no such handle", lambda: self.press("0" * 12), "not_found"),
            ("a number", lambda: self.press(7), "not_found"),
            ("a pattern", lambda: self.press("%"), "not_found"),
            ("a list", lambda: self.press([handle]), "not_found"),
            ("an object", lambda: self.press({"handle": handle}), "not_found"),
            (
                "another model",
                lambda: self.press(handle, model="res.partner"),
                "invalid_input",
            ),
            (
                "records of its own",
                lambda: self.press(handle, ids=[1]),
                "invalid_input",
            ),
            (
                "a context",
                lambda: self.press(handle, context={"default_email": "x"}),
                "invalid_input",
            ),
            (
                "a method that is not one of its buttons",
                lambda: self.press(handle, "unlink"),
                "invalid_input",
            ),
            (
                "a private method",
                lambda: self.press(handle, "_compute_display_name"),
                "invalid_input",
            ),
        ):
            with self.subTest(name):
                self.assertEqual(self.kind_of(run()), kind)
        self.assertTrue(self.blocked.active)

    def test_what_a_person_could_not_fill_in(self):
        handle = self.wizard()["handle"]
        for values, kind in (
            ({"email": "other@example.com"}, "invalid_input"),
            ({"no_such_field": 1}, "unknown_field"),
            ({"create_uid": 1}, "unknown_field"),
            ({"id": 1}, "unknown_field"),
            ({"reason": {"a": 1}}, "invalid_input"),
            (["reason"], "invalid_input"),
        ):
            with self.subTest(values=values):
                answer = self.press(handle, values=values)
                self.assertEqual(self.kind_of(answer), kind)
        self.assertTrue(self.blocked.active)

    def test_values_without_a_wizard(self):
        request = self.request("res.partner", "call_method", self.acme.ids)
        request["kwargs"] = {"method": "action_archive", "values": {"name": "x"}}
        answer = self.gateway.call(self.fence(), request)
        self.assertEqual(self.kind_of(answer), "invalid_input")
        self.assertTrue(self.acme.active)

    def test_it_lasts_an_hour(self):
        handle = self.wizard()["handle"]
        wizards = self.env["doorman.wizard"]
        self.assertEqual(wizards._purge(), 0)
        self.env.cr.execute(
            "UPDATE doorman_wizard SET expires = expires - interval '61 minutes'"
        )
        self.assertEqual(self.kind_of(self.press(handle)), "not_found")
        self.assertGreater(wizards._purge(), 0)
        self.assertIsNone(wizards._of(handle))

    def test_rules_that_hold_when_it_is_pressed(self):
        handle = self.wizard()["handle"]
        with self.subTest("read only"):
            self.connection.read_only = True
            self.assertEqual(self.kind_of(self.press(handle)), "read_only")
            self.connection.read_only = False
        with self.subTest("limited to other models"):
            self.allow_models("res.partner")
            self.assertEqual(self.kind_of(self.press(handle)), "not_allowed")
            self.assertNotIn("wizard", self.opens(res_model=WIZARD)["value"])
            self.allow_models("res.partner", WIZARD)
            self.assertEqual(self.kind_of(self.press(handle)), "ok")
        with self.subTest("the user lost the right"):
            self.connection.allowed_model_ids = [Command.clear()]
            domain = [("name", "=", f"test {WIZARD}")]
            self.env["ir.model.access"].search(domain).active = False
            self.assertEqual(self.kind_of(self.press(handle)), "forbidden")

    def test_what_is_not_opened(self):
        with self.subTest("a wizard that no connection changes"):
            value = self.opens(res_model="base.language.export")["value"]
            self.assertNotIn("wizard", value)
            self.assertIn("A person has to continue", value["result"])
        with self.subTest("a model on the floor"):
            value = self.opens(res_model="base.module.upgrade")["value"]
            self.assertNotIn("wizard", value)
        with self.subTest("a context that is not data"):
            value = self.opens(res_model=WIZARD, context={"x": object()})["value"]
            self.assertNotIn("wizard", value)
        with self.subTest("a context that only a browser can work out"):
            answer = self.opens(res_model=WIZARD, context="{'x': parent.id}")
            self.assertEqual(self.kind_of(answer), "business_rule")

    def test_a_wizard_that_fails_is_no_failed_call(self):
        def fail(model, names):
            model.env.cr.execute("SELECT no_such_column")

        with patch.object(type(self.env[WIZARD]), "default_get", fail):
            value = self.opens(res_model=WIZARD)["value"]
        self.assertNotIn("wizard", value)
        self.assertIn("Odoo's own code fails.", value["result"])
        self.assertEqual(value["ids"], self.acme.ids)

    def test_records_that_open(self):
        for action, expected in (
            ({"res_id": self.acme.id}, {"result_ids": self.acme.ids}),
            (
                {"domain": [("id", "in", self.acme.ids)]},
                {"result_ids": self.acme.ids},
            ),
            (
                {"domain": "[('id', '=', active_id)]"},
                {"result_ids": self.acme.ids},
            ),
            (
                {"view_mode": "form", "context": {"default_name": "New"}},
                {"result_values": {"name": "New"}},
            ),
        ):
            with self.subTest(action=action):
                action = {"res_model": "res.partner"} | action
                value = self.opens(**action)["value"]
                self.assertEqual(value, value | expected)


@tagged("post_install", "-at_install")
class TestOpenedWaits(OpenedMixin, ApprovalCase):
    """A wizard whose button a person has to approve."""

    def setUp(self):
        super().setUp()
        self.gate()
        self.connection.approval_tool_ids = [Command.clear()]

    def test_it_waits_with_its_context(self):
        self.rule(model_id=self.env["ir.model"]._get_id("mail.blacklist"))
        handle = self.wizard()["handle"]
        answer = self.press(handle, values={"reason": "asked"})
        self.assertIn("pending", answer)
        self.assertTrue(self.blocked.active)
        approval = self.env["doorman.approval"].browse(answer["pending"]["request_id"])
        self.env.cr.execute(
            "SELECT expires FROM doorman_wizard WHERE handle = %s", [handle]
        )
        self.assertEqual(self.env.cr.fetchone()[0], approval.expires_at)
        self.assertIn("Remove address from blacklist", approval.summary)
        told = json.dumps(approval.preview)
        self.assertIn("asked", told)
        self.assertIn("Reason", told)
        self.by("approver", approval).action_approve()
        self.assertEqual(approval.state, "executed", approval.result)
        self.blocked.invalidate_recordset()
        self.assertFalse(self.blocked.active)

    def test_what_it_works_on_must_not_change_meanwhile(self):
        self.rule(model_id=self.env["ir.model"]._get_id("mail.blacklist"))
        answer = self.press(self.wizard()["handle"])
        approval = self.env["doorman.approval"].browse(answer["pending"]["request_id"])
        self.assertIn(f"res.partner,{self.acme.id}", approval.versions)

    def test_nor_what_stands_in_the_wizard(self):
        """Odoo has made its record already, and to write that needs no approval."""
        self.rule(model_id=self.env["ir.model"]._get_id("mail.blacklist"))
        made = self.env[WIZARD].with_user(self.people["user"])
        made = made.create({"email": EMAIL, "reason": "shown"})
        handle = self.wizard(res_id=made.id)["handle"]
        answer = self.press(handle)
        approval = self.env["doorman.approval"].browse(answer["pending"]["request_id"])
        self.assertIn("value", self.write(made, {"reason": "another"}))
        self.assertEqual(made.reason, "another")
        self.by("approver", approval).action_approve()
        self.assertEqual((approval.state, approval.revision), ("pending", 2))
        self.assertTrue(self.blocked.active)
        self.by("approver", approval).action_approve()
        self.assertEqual(approval.state, "executed")


class TestForms(WriteCase):
    """What a form tells of its buttons and fields."""

    def test_a_field_that_stands_in_it_twice(self):
        """Hidden for what depends on it, and where people fill it in."""
        view = read_form(
            """
            <form>
              <field name="currency" invisible="1"/>
              <field name="lines" context="{'default_a': 1}">
                <list>
                  <field name="a" column_invisible="1"/>
                  <field name="b"/>
                  <field name="a" readonly="b"/>
                </list>
              </field>
              <field name="currency" invisible="not many" required="1"/>
              <field name="note" invisible="1"/>
            </form>
            """
        )
        currency, lines = view.by_name["currency"], view.by_name["lines"]
        self.assertEqual(currency.hidden, ("not many",))
        self.assertEqual([p.hidden for p in currency.also], [("True",)])
        self.assertEqual(view.by_name["note"].hidden, ("True",))
        self.assertEqual(lines.context, "{'default_a': 1}")
        self.assertEqual([c.name for c in lines.columns], ["b", "a"])
        self.assertEqual(lines.columns[1].readonly, "b")
        # What only looks at where a field stands sees all of it.
        self.assertEqual([f.name for f in view.fields].count("currency"), 2)

    def test_a_field_that_the_widget_of_another_fills_in(self):
        """A range of days: its end stands in the form for that alone, or not at all."""
        view = read_form(
            """
            <form>
              <field name="start" widget="daterange" invisible="not many" required="1"
                     readonly="done" options="{'end_date_field': 'end', 'x': true}"/>
              <field name="end" invisible="1"/>
              <field name="until" widget="daterange"
                     options='{"start_date_field": "since"}'/>
              <field name="other" invisible="1"/>
            </form>
            """
        )
        end = view.by_name["end"]
        self.assertEqual((end.hidden, end.readonly), (("not many",), "done"))
        self.assertEqual(end.required, "")
        self.assertEqual(view.by_name["since"].hidden, ())
        self.assertEqual(view.by_name["other"].hidden, ("True",))
        self.assertEqual(view.by_name["start"].required, "1")

    def test_a_form(self):
        view = read_form(
            """
            <form>
              <header>
                <button name="one" type="object" string="One" context="{'a': b}"
                        invisible="state != 'draft'" confirm="Sure?"/>
                <button name="7" type="action" string="Seven"/>
                <button special="cancel" string="No"/>
                <button special="save" string="Save"/>
                <field name="state" widget="statusbar"/>
              </header>
              <group invisible="x"><a name="two" type="object">Two words</a></group>
              <button name="three" type="object" args="[1]">
                <field name="count" string="Counted"/>
              </button>
              <p invisible="y">Are you <b>sure</b>?</p>
              <field name="line_ids">
                <list><field name="qty"/><button name="deep" type="object"/></list>
              </field>
            </form>
            """
        )
        found = [(b.kind, b.name, b.label, b.hidden) for b in view.buttons]
        self.assertEqual(
            found,
            [
                ("object", "one", "One", ("state != 'draft'",)),
                ("action", "7", "Seven", ()),
                ("save", "save", "Save", ()),
                ("object", "two", "Two words", ("x",)),
                ("object", "three", "Counted", ()),
            ],
        )
        self.assertEqual(view.buttons[0].context, "{'a': b}")
        self.assertEqual(view.buttons[0].confirm, "Sure?")
        self.assertEqual(view.buttons[4].args, (1,))
        self.assertEqual([f.name for f in view.fields], ["state", "count", "line_ids"])
        self.assertEqual([c.name for c in view.by_name["line_ids"].columns], ["qty"])
        self.assertIn("Are you", view.texts[0].text)
        self.assertEqual(view.texts[0].hidden, ("y",))

    def test_a_form_that_the_user_may_not_see(self):
        views = self.env["ir.ui.view"].with_user(self.people["portal"])
        self.assertEqual(views._doorman_form("ir.cron"), FormView())

    def test_refusals_are_refusals(self):
        with self.assertRaises(Refusal):
            self.env["doorman.wizard"]._find(1, None)
