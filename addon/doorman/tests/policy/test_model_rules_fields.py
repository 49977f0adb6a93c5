"""Hidden and masked fields: nothing tells them, and Odoo goes on working."""

import json

from odoo.fields import Command
from odoo.tests import tagged

from ...policy import masks
from ..rules_common import RulesCase
from ..tools.test_exports import ExportMixin

NO = "not_allowed"


@tagged("post_install", "-at_install")
class TestModelRulesFields(RulesCase):
    # ---- hidden fields ----

    def test_a_hidden_field_and_its_carriers(self):
        self.rule_for("res.partner", hidden=["email"])
        for model, name in (
            ("res.partner", "email"),
            ("res.partner", "email_normalized"),
            ("res.users", "email"),
            ("res.users", "email_normalized"),
            ("res.company", "email"),
        ):
            for method, kwargs in (
                ("search_count", {"domain": [[name, "ilike", "boss"]]}),
                ("search_read", {"domain": [], "fields": [name]}),
                ("search_read", {"domain": [], "fields": ["id"], "order": name}),
                ("formatted_read_group", {"groupby": [name]}),
                ("formatted_read_group", {"aggregates": [f"{name}:max"]}),
                ("export_records", {"domain": [], "fields": [name]}),
            ):
                with self.subTest(model=model, name=name, method=method):
                    answer = self.call(model, method, **kwargs)
                    self.assertEqual(self.kind_of(answer), NO)
                    self.assertIn("res.partner.email", answer["error"]["message"])
        for domain in (
            [["parent_id.email", "ilike", "zeta"]],
            [["parent_id", "any", [["email", "ilike", "zeta"]]]],
            [["user_ids.email", "ilike", "zeta"]],
        ):
            with self.subTest(domain=domain):
                self.assertEqual(self.count(domain), NO)
        for values in ({"email": "x@x.example"}, {"email": False}):
            self.assertEqual(self.kind_of(self.write(self.acme, values)), NO)
        told = self.call("res.partner", "fields_get")["value"]
        self.assertNotIn("email", told["fields"])
        self.assertNotIn("email_normalized", told["fields"])
        self.assertIn("hides res.partner.email", told["closed"]["email"])
        self.assertNotIn("email", told["default"])

    def test_a_hidden_link_is_hidden_from_both_sides(self):
        tag = self.env["res.partner.category"].create({"name": "Tag"})
        self.acme.category_id = [Command.set(tag.ids)]
        self.rule_for("res.partner", hidden=["category_id", "parent_id"])
        self.assertEqual(self.reads(self.acme, "category_id"), NO)
        self.assertEqual(self.reads(tag, "partner_ids"), NO)
        self.assertEqual(self.reads(self.acme, "child_ids"), NO)
        self.assertEqual(self.reads(tag, "name")[0]["name"], "Tag")
        for model, domain in (
            ("res.partner.category", [["partner_ids", "in", self.acme.ids]]),
            ("res.partner.category", [["partner_ids.name", "=", "Acme"]]),
            ("res.partner", [["category_id.name", "=", "Tag"]]),
            ("res.partner", [["child_ids", "!=", False]]),
            ("res.partner", [["id", "child_of", self.acme.ids]]),
        ):
            with self.subTest(domain=domain):
                self.assertEqual(self.count(domain, model), NO)

    def test_names_are_not_found_by_a_hidden_field(self):
        self.rule_for("res.partner", hidden=["email"])
        for text, found in (("boss@acme", 0), ("Acme", 1), ("R-ACME", 1)):
            for domain in (
                [["display_name", "ilike", text]],
                [["id", "any", [["display_name", "ilike", text]]]],
            ):
                with self.subTest(text=text, domain=domain):
                    mine = [["id", "in", self.acme.ids]]
                    self.assertEqual(self.count(domain + mine), found)
            with self.subTest(text=text):
                self.child.parent_id = self.acme
                mine = [["id", "in", self.child.ids]]
                domain = [["parent_id", "ilike", text]]
                self.assertEqual(self.count(domain + mine), found)
        answer = self.call(
            "", "search_everywhere", query="boss@acme", models=["res.partner"]
        )
        self.assertEqual(answer["value"]["found"], [])

    def test_the_models_own_order(self):
        """Nobody has to name another order because a rule closes what it sorts by."""
        self.rule_for("res.partner", hidden=["complete_name"])
        own = self.env["res.partner"]._order
        for order, found in (
            (None, "ok"),
            (own, "ok"),
            (f"{own}, id", "ok"),
            ("id", "ok"),
            ("complete_name", "not_allowed"),
            (f"ref, {own}", "not_allowed"),
            (f"{own}, ref", "not_allowed"),
        ):
            with self.subTest(order=order):
                answer = self.call(
                    "res.partner", "search_read", domain=[], fields=["id"], order=order
                )
                self.assertEqual(self.kind_of(answer), found)
        rows = self.call(
            "res.partner", "search_read", domain=[], fields=["id"], order=own
        )["value"]
        ids = [row["id"] for row in rows]
        self.assertEqual(ids, sorted(ids))

    def test_a_change_does_not_tell_a_hidden_field(self):
        self.rule_for("res.partner", hidden=["email", "phone"])
        for more in ({}, {"dry_run": True}):
            answer = self.call(
                "res.partner", "write", self.acme.ids, vals={"name": "New"}, more=more
            )
            self.assertIn("value", answer)
            self.assertNotIn("boss@acme", json.dumps(answer, default=str))
        answer = self.call(
            "res.partner", "unlink", self.acme.ids, more={"dry_run": True}
        )
        self.assertNotIn("boss@acme", json.dumps(answer, default=str))
        self.assertNotIn("290 34 90", json.dumps(answer, default=str))

    def test_buttons_do_not_tell_it(self):
        """Neither whether they show, nor the status that stands beside them."""
        arch = """<form><header>
            <button name="create_company" type="object" invisible="not ref"/>
            <field name="type" widget="statusbar"/></header></form>"""
        self.env["ir.ui.view"].create(
            {"name": "t", "model": "res.partner", "type": "form", "arch": arch,
             "priority": 0}
        )  # fmt: skip

        def told():
            found = []
            for ref, kind in (("R-ACME", "invoice"), (False, "delivery")):
                self.acme.write({"ref": ref, "type": kind})
                answer = self.call("res.partner", "get_actions", self.acme.ids)
                found.append(answer["value"])
            return found

        first, second = told()
        self.assertEqual(second["hidden"], ["create_company"])
        self.assertEqual(first["status"]["value"], "invoice")
        self.rule_for("res.partner", hidden=["ref", "type"])
        first, second = told()
        self.assertEqual(first, second)
        self.assertIsNone(first["status"])
        self.assertTrue(first["actions"][0]["may_be_hidden"])
        answer = self.write(self.acme, {"comment": "x"})
        self.assertNotIn("create_company", json.dumps(answer, default=str))

    def test_groups_do_not_tell_names(self):
        """However they are asked for: by the record itself, or along a path."""
        self.child.parent_id = self.other
        ways = (
            "id",
            "parent_id",
            "parent_id.commercial_partner_id",
            "commercial_partner_id",
            "user_id.partner_id",
        )

        def told(way):
            answer = self.call(
                "res.partner",
                "formatted_read_group",
                domain=[["id", "in", [self.other.id, self.child.id]]],
                groupby=[way],
                aggregates=["__count"],
            )
            return json.dumps(answer)

        named = [way for way in ways if "Zeta" in told(way)]
        self.assertLessEqual({"id", "parent_id"}, {*named})
        rule = self.rule_for("res.partner", hidden=["name"])
        self.assertEqual([way for way in ways if "Zeta" in told(way)], [])
        rule.hidden_field_ids = False
        rule.masked_field_ids = self.fields("res.partner", "name")
        for way in named:
            self.assertNotIn("Zeta", told(way))
            self.assertIn("Z***", told(way))

    def test_messages_do_not_tell_it(self):
        self.acme.message_post(body="hi", author_id=self.acme.id)
        field = self.env["ir.model.fields"]._get("res.partner", "email")
        message = self.acme.message_ids[0]
        self.env["mail.tracking.value"].create(
            {
                "mail_message_id": message.id,
                "field_id": field.id,
                "old_value_char": "boss@acme.example",
                "new_value_char": "new@acme.example",
            }
        )
        answer = self.call("res.partner", "read_messages", self.acme.ids)
        self.assertIn("acme.example", json.dumps(answer, default=str))
        rule = self.rule_for("res.partner", hidden=["email"])
        answer = self.call("res.partner", "read_messages", self.acme.ids)
        self.assertIn("value", answer)
        self.assertNotIn("acme.example", json.dumps(answer, default=str))
        rule.hidden_field_ids = [Command.clear()]
        rule.masked_field_ids = self.fields("res.partner", "email")
        answer = self.call("res.partner", "read_messages", self.acme.ids)
        self.assertNotIn("boss@acme", json.dumps(answer, default=str))
        self.assertIn("b***@a***.example", json.dumps(answer, default=str))

    def test_a_hidden_name(self):
        self.rule_for("res.partner", hidden=["name"])
        for answer in (
            self.call("res.partner", "read", self.child.ids,
                      fields=["display_name", "parent_id"], names=5),
            self.call("res.partner", "search_read", fields=["display_name"],
                      domain=[["id", "in", (self.acme | self.child).ids]]),
            self.call("res.partner", "formatted_read_group", groupby=["parent_id"],
                      domain=[["id", "in", self.child.ids]]),
            self.call("res.partner", "read_messages", self.acme.ids),
            self.call("res.partner", "write", self.acme.ids, vals={"ref": "x"}),
            self.call("res.partner", "write", self.acme.ids, vals={"ref": "y"},
                      more={"dry_run": True}),
            self.call("res.users", "search_read", fields=["display_name", "partner_id"],
                      domain=[]),
        ):  # fmt: skip
            text = json.dumps(answer, default=str)
            with self.subTest(text=text[:300]):
                self.assertNotIn("error", answer)
                for name in ("Acme", "Zeta", "Ann"):
                    self.assertNotIn(name, text)
        [row] = self.reads(self.child, "display_name")
        self.assertEqual(row["display_name"], f"res.partner {self.child.id}")
        self.assertEqual(self.count([["name", "=", "Acme"]]), NO)
        self.assertEqual(self.count([["complete_name", "=", "Acme"]]), NO)

    def test_nothing_is_sorted_by_a_hidden_name(self):
        """Not by Odoo's own order either, which is by name."""
        names = {"name": "Aaa"}, {"name": "Zzz"}
        for first, last in (names, names[::-1]):
            some = self.env["res.partner"].create([first, last])
            self.child.copy({"parent_id": some[0].id})
            self.child.copy({"parent_id": some[1].id})
            domain = [["id", "in", some.ids]]
            children = [["parent_id", "in", some.ids]]
            rule = self.rule_for("res.partner", hidden=["name"])
            rows = self.call(
                "res.partner", "search_read", domain=domain, fields=["ref"]
            )["value"]
            self.assertEqual([row["id"] for row in rows], some.ids)
            groups = {"domain": children, "groupby": ["parent_id"]}
            answer = self.call("res.partner", "formatted_read_group", **groups)
            self.assertEqual(len(answer["value"]), 2)
            for method, kwargs in (
                ("search_read", {"domain": domain, "fields": ["ref"]}),
                ("formatted_read_group", groups),
            ):
                for order in ("complete_name", "parent_id", "complete_name ASC, id"):
                    with self.subTest(method=method, order=order):
                        kind = self.kind("res.partner", method, order=order, **kwargs)
                        self.assertEqual(kind, NO)
            rule.unlink()

    def test_odoo_goes_on_working(self):
        """Its own code reads what is hidden, and writes it."""
        self.rule_for("res.partner", hidden=["email", "name", "country_id"])
        answer = self.create({"ref": "made", "is_company": True})
        # A contact wants a name, which may not be given.
        self.assertNotEqual(self.kind_of(answer), "internal")
        before = self.acme.email_normalized
        self.assertEqual(self.kind_of(self.write(self.acme, {"ref": "r"})), "ok")
        self.assertEqual(self.acme.email_normalized, before)
        answer = self.call("res.partner", "message_post", self.acme.ids, body="x")
        self.assertEqual(self.kind_of(answer), "ok")
        self.assertEqual(self.acme.message_ids[0].email_from,
                         self.people["user"].email_formatted)  # fmt: skip

    # ---- masked fields ----

    def test_a_masked_field(self):
        self.rule_for("res.partner", masked=["email", "phone", "comment"])
        [row] = self.reads(self.acme, "email", "phone", "comment", "email_normalized")
        self.assertEqual(row["email"], "b***@a***.example")
        self.assertEqual(row["email_normalized"], "b***@a***.example")
        self.assertEqual(row["phone"], "*** 90")
        self.assertNotIn("Secret", row["comment"])
        for domain in (
            [["email", "ilike", "boss"]],
            [["email", "!=", False]],
            [["phone", "=like", "+%"]],
            [["comment", "ilike", "Secret"]],
            [["email_normalized", "=", "boss@acme.example"]],
        ):
            with self.subTest(domain=domain):
                self.assertEqual(self.count(domain), NO)
        self.assertEqual(self.count([["display_name", "ilike", "boss@acme"]]), 0)
        for kwargs in ({"groupby": ["email"]}, {"aggregates": ["email:max"]}):
            kind = self.kind("res.partner", "formatted_read_group", **kwargs)
            self.assertEqual(kind, NO)
        values = {"email": row["email"]}
        self.assertEqual(self.kind_of(self.write(self.acme, values)), NO)
        told = self.call("res.partner", "fields_get")["value"]["fields"]["email"]
        self.assertFalse(told["searchable"] or told["sortable"] or told["groupable"])

    def test_masked_names(self):
        self.rule_for("res.partner", masked=["name"])
        [row] = self.reads(self.child, "name", "display_name", "parent_id")
        self.assertEqual(row["name"], "A***")
        self.assertEqual(list(row["parent_id"]), [self.other.id, "Z***"])
        self.assertNotIn("Ann", json.dumps(row))

    def test_hidden_beats_masked(self):
        self.rule_for("res.partner", masked=["email"], hidden=["email"])
        self.assertEqual(self.reads(self.acme, "email"), NO)

    def test_masks(self):
        for kind, value, told in (
            ("email", "ann@example.com", "a***@e***.com"),
            ("email", '"Ann Bee" <ann@example.com>', "A*** B*** <a***@e***.com>"),
            ("email", "nobody", "***"),
            ("phone", "+32 2 290 34 90", "*** 90"),
            ("phone", "112", "***"),
            ("account", "BE71 0961 2345 6769", "*** 6769"),
            ("account", "1234", "***"),
            ("name", "Ann Bee", "A*** B***"),
            ("name", "?!", "***"),
            ("text", "Secret", "*** (6 characters)"),
            ("email", False, False),
            ("email", "", ""),
            ("nonsense", "x", "*** (1 characters)"),
        ):
            with self.subTest(kind=kind, value=value):
                self.assertEqual(masks.mask(kind, value), told)


@tagged("post_install", "-at_install")
class TestModelRulesExports(ExportMixin, RulesCase):
    """The same in files."""

    def told(self, *fields):
        mine = [["id", "in", (self.acme | self.child).ids]]
        return self.table(self.export(*fields, domain=mine))[1:]

    def test_masked(self):
        self.rule_for("res.partner", masked=["email"])
        told = str(self.told("name", "email", "parent_id/email"))
        self.assertIn("b***@a***.example", told)
        self.assertIn("z***@z***.example", told)
        self.assertNotIn("boss@acme", told)
        self.assertNotIn("zeta@zeta", told)

    def test_hidden_names(self):
        self.rule_for("res.partner", hidden=["name"])
        told = str(self.told("ref", "parent_id", "display_name"))
        self.assertIn("R-ACME", told)
        for name in ("Acme", "Zeta", "Ann"):
            self.assertNotIn(name, told)

    def test_only_some(self):
        self.rule_for("res.partner", domain="[('email', '!=', False)]")
        told = str(self.told("name"))
        self.assertIn("Acme", told)
        self.assertNotIn("Ann", told)
        mine = [["id", "in", self.child.ids]]
        for field in ("parent_id", "parent_id/name"):
            answer = self.export("name", field, domain=mine)
            self.assertEqual(self.kind_of(answer), NO)
