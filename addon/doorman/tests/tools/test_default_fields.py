from odoo.fields import Command
from odoo.tests import tagged

from ...policy import closed_fields
from ...policy.list_view import columns, filters
from ...tools import default_fields
from ..common import DoormanCase

LIST = """<list>
    <header><button name="copy" type="object"/></header>
    <field name="name"/><field name="is_company" optional="hide"/>
    <field name="color" widget="handle"/><field name="ref" column_invisible="1"/>
    <field name="function" column_invisible="not context.get('x')"/>
    <field name="comment"/><field name="image_128"/><field name="child_ids"/>
    <field name="category_id" widget="many2many_tags"/><field name="website"/>
    <field name="activity_ids" widget="list_activity"/><field name="create_date"/>
    <field name="barcode" groups="base.group_system"/><field name="active"/>
    <field name="company_id"/><field name="write_uid"/><field name="tz"/>
</list>"""


@tagged("post_install", "-at_install")
class TestDefaultFields(DoormanCase):
    """The fields that are read when none are named."""

    def default(self, model="res.partner"):
        answer = self.call(model, "fields_get")
        self.assertIn("value", answer, answer)
        return answer["value"]["default"]

    def list_view(self, arch=LIST, **vals):
        vals = {
            "name": "t",
            "model": "res.partner",
            "type": "list",
            "priority": 0,
        } | vals
        return self.env["ir.ui.view"].create(vals | {"arch": arch})

    def menu(self, view=None, groups=None):
        action = self.env["ir.actions.act_window"].create(
            {"name": "t", "res_model": "res.partner", "view_id": view and view.id}
        )
        self.env["ir.ui.menu"].create(
            {
                "name": "t",
                "action": f"ir.actions.act_window,{action.id}",
                "group_ids": [Command.set(self.env.ref(groups).ids)] if groups else [],
            }
        )
        return action

    def test_columns(self):
        shown, hidden = columns(LIST)
        self.assertEqual(hidden, ["is_company"])
        for name in ("color", "ref", "activity_ids"):
            self.assertNotIn(name, shown)
        for name in ("name", "function", "category_id", "company_id"):
            self.assertIn(name, shown)

    def test_filters(self):
        arch = """<search><field name="name"/>
            <filter name="a" domain="[1]"/><filter name="b" domain="[2]"/><separator/>
            <filter name="c" domain="[3]"/><filter name="d" date="date"/>
            <group><filter name="e" context="{}"/></group>
            <filter name="f" domain="[4]"/></search>"""
        groups = ((("a", "[1]"), ("b", "[2]")), (("c", "[3]"),), (("f", "[4]"),))
        self.assertEqual(filters(arch), groups)

    def test_what_the_list_shows(self):
        self.list_view()
        names = self.default()
        self.assertEqual(names[:2], ["id", "name"])
        self.assertLessEqual(len(names), 15)
        self.assertEqual(len(names), len(set(names)))
        for name in ("name", "category_id", "website", "tz", "is_company"):
            self.assertIn(name, names)
        # Those that show come before those that a person may have shown.
        self.assertLess(names.index("website"), names.index("is_company"))

    def test_what_is_never_among_them(self):
        self.list_view()
        names = self.default()
        for name in (
            *("color", "ref", "comment", "image_128", "child_ids", "activity_ids"),
            *("create_date", "write_uid", "active", "display_name", "barcode"),
        ):
            with self.subTest(name=name):
                self.assertNotIn(name, names)

    def test_the_lists_of_menus(self):
        plain = '<list><field name="name"/></list>'
        self.list_view(plain)
        other = '<list><field name="name"/><field name="barcode"/></list>'
        view = self.list_view(other, priority=99)
        self.assertNotIn("barcode", self.default())
        action = self.menu(view)
        self.assertIn("barcode", self.default())
        with self.subTest("it follows actions"):
            action.view_id = False
            self.assertNotIn("barcode", self.default())
            action.view_id = view
            self.assertIn("barcode", self.default())
        with self.subTest("it follows views"):
            view.arch = other.replace("barcode", "tz")
            self.assertNotIn("barcode", self.default())
            self.assertIn("tz", self.default())

    def test_deny_lists_of_menus_of_other_groups(self):
        self.list_view('<list><field name="name"/></list>')
        view = self.list_view('<list><field name="barcode"/></list>', priority=99)
        self.menu(view, "base.group_system")
        self.assertNotIn("barcode", self.default())
        self.people["user"].group_ids = [
            Command.link(self.env.ref("base.group_system").id)
        ]
        self.assertIn("barcode", self.default())

    def test_deny_fields_of_other_groups(self):
        self.list_view('<list><field name="name"/><field name="website"/></list>')
        self.assertIn("website", self.default())
        field = self.env["res.partner"]._fields["website"]
        self.patch(field, "groups", "base.group_system")
        self.env.registry.clear_cache("templates")
        names = self.default()
        self.assertNotIn("website", names)
        # They can be read as they are.
        answer = self.call("res.partner", "search_read", fields=names, limit=1)
        self.assertEqual(self.kind_of(answer), "ok")

    def test_deny_withheld_fields(self):
        self.list_view('<list><field name="name"/><field name="website"/></list>')
        pattern = closed_fields.re.compile("^website$|^email$")
        self.patch(closed_fields, "CREDENTIAL_FIELD", pattern)
        for name in ("website", "email"):
            self.assertNotIn(name, self.default())

    def test_deny_models(self):
        self.allow_models("res.country")
        for model in ("res.partner", "doorman.connection", "ir.rule"):
            self.assertEqual(self.kind(model, "fields_get"), "not_allowed")

    def test_companies(self):
        self.list_view()
        user = self.people["user"]
        self.assertNotIn("company_id", self.default())
        other = self.env["res.company"].create({"name": "Other"})
        user.company_ids = [Command.link(other.id)]
        self.assertTrue(user.has_group("base.group_multi_company"))
        self.assertIn("company_id", self.default())

    def test_every_model(self):
        """Each has some, at most 15, which can be read; the id and a name first."""
        user = self.people["user"]
        user.group_ids = [Command.link(self.env.ref("base.group_system").id)]
        rows = self.call("", "models")["value"]
        self.assertGreater(len(rows), 50)
        for row in rows:
            with self.subTest(model=row["model"]):
                model = self.env[row["model"]]
                names = self.default(model._name)
                self.assertLessEqual(len(names), 15)
                self.assertEqual(names[0], "id")
                self.assertGreaterEqual(len(names), 2)
                for name in names[2:]:
                    self.assertNotIn(name, default_fields.HOUSEKEEPING - {"company_id"})
                    kind = model._fields[name].type
                    self.assertNotIn(kind, default_fields.NO_COLUMN)
                answer = self.call(model._name, "search_read", fields=names, limit=1)
                self.assertEqual(self.kind_of(answer), "ok", answer)

    def test_worked_out_once(self):
        """A second time costs no query for views or menus."""
        self.default()
        model = self.env["res.partner"].with_user(self.people["user"])
        fields = model.fields_get()
        default_fields.default_fields(model, fields)
        with self.assertQueryCount(0):
            default_fields.default_fields(model, fields)
