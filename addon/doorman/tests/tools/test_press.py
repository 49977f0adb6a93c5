from contextlib import contextmanager
from unittest.mock import patch

from odoo.fields import Command
from odoo.tests import tagged

from ..common import WriteCase

CODE = "records.write({'ref': 'ran ' + str(env.context.get('active_ids'))})"


@tagged("post_install", "-at_install")
class TestPress(WriteCase):
    """Buttons of a form of our own, and what they carry."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        model_id = cls.env["ir.model"]._get_id("res.partner")
        server = {"model_id": model_id, "name": "Mark"}
        actions = cls.env["ir.actions.server"]
        cls.marks, cls.hidden, cls.elsewhere, cls.in_menu = actions.create(
            [{**server, "state": "code", "code": CODE} for _n in range(4)]
        )
        cls.in_menu.binding_model_id = model_id
        cls.above_lists = actions.create(
            {
                **server,
                "state": "code",
                "code": CODE,
                "binding_model_id": model_id,
                "binding_view_types": "list,kanban",
            }
        )
        cls.hook = actions.create(
            {**server, "state": "webhook", "webhook_url": "https://example.com/x"}
        )
        cls.wizard = cls.env["ir.actions.act_window"].create(
            {
                "name": "Unblock",
                "res_model": "mail.blacklist.remove",
                "target": "new",
                "context": "{'default_email': 'x@example.com', 'seen': active_id}",
            }
        )
        for name in ("action_one", "action_lost"):
            Partner = type(cls.env["res.partner"])
            patcher = patch.object(Partner, name, lambda records: None, create=True)
            patcher.start()
            cls.addClassCleanup(patcher.stop)
        cls.env["ir.ui.view"].create(
            {
                "name": "press",
                "model": "res.partner",
                "type": "form",
                "priority": 0,
                "arch": f"""
                <form>
                  <header>
                    <button name="create_company" type="object" string="Plain"
                            context="{{'carried': ref, 'who': uid}}"/>
                    <button name="action_one" type="object" string="First"
                            context="{{'way': 1}}" invisible="ref == 'second'"/>
                    <button name="action_one" type="object" string="Second"
                            context="{{'way': 2}}" invisible="ref == 'first'"/>
                    <button name="action_lost" type="object" string="Lost"
                            context="{{'x': parent.id}}"/>
                    <button name="{cls.marks.id}" type="action" string="Run"/>
                    <button name="{cls.hidden.id}" type="action" string="Hidden"
                            groups="base.group_system"/>
                    <button name="{cls.hook.id}" type="action" string="Hook"/>
                    <button name="{cls.wizard.id}" type="action" string="Unblock"/>
                    <field name="color" widget="statusbar"/>
                    <field name="lang" widget="statusbar"
                           options="{{'clickable': '1'}}"/>
                  </header>
                  <field name="name"/><field name="ref"/>
                </form>
                """,
            }
        )

    @contextmanager
    def seeing(self, name):
        """The contexts in which a method is run."""
        seen = []

        def run(records):
            seen.append((records.ids, records.env.context))

        run.__name__ = name  # another name would be an alias
        Partner = type(self.env["res.partner"])
        with patch.object(Partner, name, run, create=True):
            yield seen

    def press(self, name, records=None, **kwargs):
        records = records or self.acme
        request = self.request("res.partner", "call_method", records.ids)
        request["kwargs"] = {"method": name} | kwargs
        return self.gateway.call(self.fence(), request)

    def actions(self):
        answer = self.call("res.partner", "get_actions", self.acme.ids)["value"]
        return {a["label"]: a for a in answer["actions"]}, answer

    # ---- what a button carries ----

    def test_what_it_carries_is_applied(self):
        self.acme.ref = "r-1"
        with self.seeing("create_company") as seen:
            self.press("create_company")
        [(ids, context)] = seen
        self.assertEqual(ids, self.acme.ids)
        self.assertEqual(context["carried"], "r-1")
        self.assertEqual(context["who"], self.people["user"].id)
        # As Odoo's web client does, always; and nothing that it does not.
        self.assertEqual(context["allowed_company_ids"], self.company.ids)
        self.assertNotIn("active_ids", context)

    def test_a_method_without_a_button(self):
        with self.seeing("action_free") as seen:
            self.assertEqual(self.kind_of(self.press("action_free")), "ok")
        self.assertNotIn("carried", seen[0][1])

    def test_one_of_two_buttons(self):
        with self.seeing("action_one") as seen:
            for ref, way in (("first", 1), ("second", 2)):
                self.acme.ref = ref
                self.press("action_one")
                self.assertEqual(seen[-1][1]["way"], way)
            self.acme.ref = "both"
            answer = self.press("action_one")
            self.assertEqual(self.kind_of(answer), "invalid_input")
            self.assertIn("First, Second", answer["error"]["hint"])
            self.press("action_one", button="Second")
            self.assertEqual(seen[-1][1]["way"], 2)
            answer = self.press("action_one", button="Third")
            self.assertEqual(self.kind_of(answer), "invalid_input")
            self.assertEqual(len(seen), 3)

    def test_several_records(self):
        other = self.env["res.partner"].create({"name": "Other", "ref": "first"})
        self.acme.ref = "first"
        both = self.acme + other
        with self.seeing("action_one") as seen:
            self.press("action_one", both)
            self.assertEqual(seen[-1][0], both.ids)
            other.ref = "second"
            answer = self.press("action_one", both)
        self.assertEqual(self.kind_of(answer), "invalid_input")
        self.assertEqual(len(seen), 1)
        with self.seeing("create_company") as seen:
            answer = self.press("create_company", both)
        self.assertIn("one record at a time", answer["error"]["hint"])
        self.assertFalse(seen)

    def test_what_only_a_browser_knows(self):
        with self.seeing("action_lost") as seen:
            answer = self.press("action_lost")
            actions, _answer = self.actions()
        self.assertEqual(self.kind_of(answer), "business_rule")
        self.assertFalse(seen)
        self.assertFalse(actions["Lost"]["callable"])
        self.assertIn("Only Odoo's own screen knows", actions["Lost"]["why_not"])

    # ---- actions ----

    def test_actions(self):
        for action, kind in (
            (self.marks, "ok"),
            (self.in_menu, "ok"),
            (self.hidden, "invalid_input"),
            (self.elsewhere, "invalid_input"),
            (self.hook, "not_allowed"),
        ):
            with self.subTest(action=action.id, name=action.name):
                self.acme.ref = False
                self.assertEqual(self.kind_of(self.press(str(action.id))), kind)
                ran = f"ran {self.acme.ids}" if kind == "ok" else False
                self.assertEqual(self.acme.ref, ran)
        for name in ("0", "999999999", "base.no_such", "base.main_company", "a.b"):
            with self.subTest(name=name):
                self.assertEqual(self.kind_of(self.press(name)), "invalid_input")

    def test_an_action_on_the_floor(self):
        action = self.env["ir.actions.act_window"].create(
            {
                "name": "Rules",
                "res_model": "ir.rule",
                "binding_model_id": self.env["ir.model"]._get_id("res.partner"),
            }
        )
        self.assertEqual(self.kind_of(self.press(str(action.id))), "invalid_input")
        self.be_system()
        answer = self.press(str(action.id))
        self.assertEqual(self.kind_of(answer), "not_allowed")
        self.assertIn("A person", answer["error"]["hint"])

    def be_system(self):
        group = self.env.ref("base.group_system")
        self.people["user"].group_ids = [Command.link(group.id)]

    def test_an_action_waits_as_a_method_does(self):
        self.connection.read_only = True
        self.assertEqual(self.kind_of(self.press(str(self.marks.id))), "read_only")
        self.assertFalse(self.acme.ref)

    def test_an_action_that_opens_a_wizard(self):
        value = self.press(str(self.wizard.id))["value"]
        self.assertNotIn("wizard", value)
        self.assertIn("cannot be continued here", value["result"])
        self.be_system()
        value = self.press(str(self.wizard.id))["value"]
        self.assertEqual(value["wizard"]["values"]["email"], "x@example.com")
        opened = self.env["doorman.wizard"]._of(value["wizard"]["handle"])
        self.assertEqual(opened.context["seen"], self.acme.id)

    def test_what_is_offered(self):
        actions, answer = self.actions()
        self.assertTrue(actions["Run"]["callable"])
        self.assertEqual(actions["Run"]["method"], str(self.marks.id))
        self.assertFalse(actions["Hook"]["callable"])
        self.assertNotIn("Hidden", actions)
        self.assertEqual(actions["First"]["button"], "First")
        self.assertNotIn("button", actions["Run"])
        menu = [entry["method"] for entry in answer["menu"]]
        self.assertIn(str(self.in_menu.id), menu)
        self.assertIn(str(self.above_lists.id), menu)
        self.assertNotIn(str(self.elsewhere.id), menu)

    def test_what_it_offers_next(self):
        value = self.create({"name": "New"})["value"]
        labels = [action["label"] for action in value["actions"]]
        self.assertIn("Run", labels)
        self.assertNotIn("Hook", labels)

    # ---- where a record stands ----

    def test_a_field_that_buttons_move(self):
        before, other = self.acme.color, self.acme.color + 1
        for name, run in (
            ("write", lambda: self.write(self.acme, {"color": other})),
            ("create", lambda: self.create({"name": "x", "color": other})),
            (
                "a line",
                lambda: self.write(
                    self.acme, {"child_ids": [[0, 0, {"name": "x", "color": other}]]}
                ),
            ),
        ):
            with self.subTest(name):
                answer = run()
                self.assertEqual(self.kind_of(answer), "not_allowed")
                self.assertIn("create_company (Plain)", answer["error"]["hint"])
        self.assertEqual(self.acme.color, before)
        self.assertFalse(self.partners("x"))
        with self.subTest("as it is"):
            answer = self.write(self.acme, {"color": before, "ref": "r-2"})
            self.assertEqual(self.kind_of(answer), "ok")
        with self.subTest("what a person may click"):
            answer = self.write(self.acme, {"lang": "en_US"})
            self.assertEqual(self.kind_of(answer), "ok")
