from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..common import WriteCase

GATEWAY = "odoo.addons.doorman.gateway.errors"
ACLS = "odoo.addons.base.models.ir_model"


@tagged("post_install", "-at_install")
class TestWrite(WriteCase):
    """What is written, with whose rights, and what it leaves behind."""

    def test_create(self):
        before = self.rows()
        value = self.create({"name": "One", "email": "a@b.example"}, {"name": "Two"})[
            "value"
        ]
        one, two = self.env["res.partner"].browse(value["ids"])
        self.assertEqual((one.name, one.email, two.name), ("One", "a@b.example", "Two"))
        self.assertEqual(one.create_uid, self.people["user"])
        self.assertEqual(value["names"], ["One", "Two"])
        self.assertRegex(value["url"], r"^https?://.+/odoo/res\.partner/$")
        [row] = self.new_rows(before)
        self.assertEqual(
            (row["outcome"], row["orm_method"], row["record_ids"]),
            ("ok", "create", f"{one.id},{two.id}"),
        )

    def test_write(self):
        before = self.rows()
        value = self.write(self.acme, {"name": "Acme Ltd", "color": 3})["value"]
        self.assertEqual((self.acme.name, self.acme.color), ("Acme Ltd", 3))
        self.assertEqual((value["ids"], value["names"]), (self.acme.ids, ["Acme Ltd"]))
        [row] = self.new_rows(before)
        self.assertEqual(row["record_ids"], str(self.acme.id))
        self.assertEqual(row["user_login"], "dm-user")

    def test_unlink(self):
        value = self.call("res.partner", "unlink", self.acme.ids)["value"]
        self.assertFalse(self.acme.exists())
        self.assertEqual(value["names"], ["Acme"])
        self.assertNotIn("url", value)
        [changed] = [c for c in value["changed"] if c["model"] == "res.partner"]
        self.assertEqual((changed["action"], changed["count"]), ("deleted", 1))

    def test_commands(self):
        tag = self.env["res.partner.category"].create({"name": "Gold"})
        value = self.create(
            {
                "name": "Parent",
                "category_id": [[4, tag.id, 0], [0, 0, {"name": "New tag"}]],
                "child_ids": [[0, 0, {"name": "Child", "email": "c@d.example"}]],
            }
        )["value"]
        parent = self.env["res.partner"].browse(value["ids"])
        self.assertEqual(parent.category_id.mapped("name"), ["Gold", "New tag"])
        self.assertEqual(parent.child_ids.name, "Child")
        self.write(
            parent,
            {
                "category_id": [[6, 0, []]],
                "child_ids": [[1, parent.child_ids.id, {"name": "Renamed"}]],
            },
        )
        self.assertFalse(parent.category_id)
        self.assertEqual(parent.child_ids.name, "Renamed")

    def test_missing_records(self):
        gone = self.env["res.partner"].create({"name": "x"})
        gone_id = gone.id
        gone.unlink()
        for method, kwargs in (("write", {"vals": {"name": "y"}}), ("unlink", {})):
            found = self.call("res.partner", method, [self.acme.id, gone_id], **kwargs)[
                "error"
            ]
            self.assertEqual(found["kind"], "not_found")
            self.assertIn(str(gone_id), found["message"])
        self.assertEqual(self.acme.exists().name, "Acme")

    def test_one_transaction(self):
        """The second record fails: the first is not there either."""
        with mute_logger(GATEWAY, "odoo.sql_db"):
            found = self.create({"name": "First"}, {"name": False, "type": "contact"})
        self.assertIn(found["error"]["kind"], ("business_rule", "invalid_input"))
        self.assertFalse(self.partners("First"))

    def test_a_name_that_fails_is_no_failed_write(self):
        Partner = type(self.env["res.partner"])
        with patch.object(Partner, "_compute_display_name", side_effect=UserError("x")):
            value = self.write(self.acme, {"ref": "R1"})["value"]
        self.assertEqual(value["ids"], self.acme.ids)
        self.assertNotIn("names", value)
        self.assertEqual(self.acme.ref, "R1")

    def test_what_follows_a_write_belongs_to_it(self):
        """A hook that fails before the commit: undone, and the row says so."""

        def hook():
            raise UserError("the hook says no")

        def write(records, vals):
            records.env.cr.precommit.add(hook)
            return original(records, vals)

        Partner = type(self.env["res.partner"])
        original, before = Partner.write, self.rows()
        with patch.object(Partner, "write", write):
            found = self.write(self.acme, {"name": "Changed"})
        self.assertEqual(found["error"]["message"], "the hook says no")
        self.assertEqual(self.acme.name, "Acme")
        self.assertFalse(self.env.cr.precommit)
        [row] = self.new_rows(before)
        self.assertEqual((row["outcome"], row["reason"]), ("error", "business_rule"))

    def test_code_that_commits_by_itself_is_refused(self):
        Partner = type(self.env["res.partner"])
        original = Partner.write
        for name in ("commit", "rollback"):

            def write(records, vals, name=name, original=original):
                original(records, vals)
                getattr(records.env.cr, name)()

            with self.subTest(name=name), patch.object(Partner, "write", write):
                found = self.write(self.acme, {"name": "Changed"})
                self.assertEqual(found["error"]["kind"], "not_allowed")
                self.assertEqual(self.acme.name, "Acme")
        self.assertNotIn("doorman_inside", vars(self.env.cr))

    def test_writes_wait_for_the_disk(self):
        seen = []

        def write(records, vals):
            records.env.cr.execute("SHOW synchronous_commit")
            seen.extend(records.env.cr.fetchone())
            return original(records, vals)

        original = type(self.env["res.partner"]).write
        with patch.object(type(self.env["res.partner"]), "write", write):
            self.write(self.acme, {"name": "x"})
        self.assertEqual(seen, ["on"])

    def test_what_follows_has_the_rights_of_the_user(self):
        """Also what Odoo leaves for the end: the transaction is the service's."""
        transaction = self.env.transaction
        before = transaction.default_env
        transaction.default_env = self.gateway.env
        self.addCleanup(setattr, transaction, "default_env", before)
        seen = []

        def write(records, vals):
            records.env.cr.precommit.add(
                lambda: seen.append(records.env.transaction.default_env.uid)
            )
            return original(records, vals)

        Partner = type(self.env["res.partner"])
        original = Partner.write
        with patch.object(Partner, "write", write):
            answer = self.write(self.acme, {"child_ids": [[0, 0, {"name": "C"}]]})
        self.assertIn("value", answer)
        self.assertEqual(set(seen), {self.people["user"].id})
        self.assertEqual(transaction.default_env, self.gateway.env)

    def test_sizes_stand_for_bytes_in_reads_only(self):
        seen = {}

        def write(records, vals):
            seen.update(records.env.context)
            return original(records, vals)

        original = type(self.env["res.partner"]).write
        with patch.object(type(self.env["res.partner"]), "write", write):
            self.write(self.acme, {"name": "x"})
        self.assertNotIn("bin_size", seen)

    # ---- rights ----

    def test_without_the_access_right(self):
        self.people["user"].group_ids = [
            Command.unlink(self.env.ref("base.group_partner_manager").id)
        ]
        country = self.env["res.country"].search([], limit=1)
        with mute_logger(ACLS):
            for found in (
                self.create({"name": "x"}, model="res.country"),
                self.write(country, {"name": "x"}),
                self.call("res.country", "unlink", country.ids),
            ):
                self.assertEqual(found["error"]["kind"], "forbidden")

    def test_record_rules(self):
        self.env["ir.rule"].create(
            {
                "name": "test",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "domain_force": f"[('id', '!=', {self.acme.id})]",
                "perm_read": False,
            }
        )
        for found in (
            self.write(self.acme, {"name": "x"}),
            self.call("res.partner", "unlink", self.acme.ids),
        ):
            self.assertEqual(found["error"]["kind"], "forbidden")
        self.assertEqual(self.acme.name, "Acme")

    def test_other_company(self):
        other = self.env["res.company"].create({"name": "Other"})
        theirs = self.env["res.partner"].create({"name": "T", "company_id": other.id})
        found = self.write(theirs, {"name": "x"})
        self.assertEqual(found["error"]["kind"], "forbidden")
        found = self.write(
            self.acme, {"name": "x"}, context={"allowed_company_ids": [other.id]}
        )
        self.assertEqual(found["error"]["kind"], "not_allowed")

    def test_read_only_scope_tools_and_approval(self):
        orm = self.env.ref("doorman.scope_orm")
        tools = {
            name: self.env["doorman.tool"].search([("name", "=", name)])
            or self.tool(name)
            for name in ("search_records", "update_records")
        }
        permission = self.env.ref("doorman.group_scope_orm")
        for name, change, kind in (
            ("read only", {"read_only": True}, "read_only"),
            ("no scope", {"scope_ids": [Command.unlink(orm.id)]}, "not_allowed"),
            (
                "another tool",
                {"allowed_tool_ids": [Command.set(tools["search_records"].ids)]},
                "not_allowed",
            ),
            (
                "approval",
                {"approval_tool_ids": [Command.set(tools["update_records"].ids)]},
                "not_allowed",
            ),
        ):
            with self.subTest(name=name), self.env.cr.savepoint() as savepoint:
                self.connection.write(change)
                found = self.write(self.acme, {"name": "x"})
                self.assertEqual(found["error"]["kind"], kind)
                savepoint.rollback()
        self.people["user"].group_ids = [Command.unlink(permission.id)]
        found = self.write(self.acme, {"name": "x"})
        self.assertEqual(found["error"]["kind"], "not_allowed")
        self.assertEqual(self.acme.name, "Acme")

    def test_context_is_a_closed_list(self):
        seen = {}

        def write(records, vals):
            seen.update(records.env.context)
            return original(records, vals)

        original = type(self.env["res.partner"]).write
        context = {
            "lang": "en_US",
            "default_user_id": 1,
            "tracking_disable": True,
            "no_reset_password": True,
            "install_mode": True,
            "doorman_inside": True,
            "su": True,
        }
        with patch.object(type(self.env["res.partner"]), "write", write):
            self.write(self.acme, {"name": "x"}, context=context)
        self.assertEqual(set(seen) - {"allowed_company_ids"}, {"lang"})

    def test_bounds(self):
        for found in (
            self.create(*[{"name": "x"}] * 101),
            self.call("res.partner", "create", vals_list=[]),
            self.call("res.partner", "create", vals_list={"name": "x"}),
            self.call("res.partner", "create", vals_list=["x"]),
            self.call("res.partner", "write", list(range(1, 102)), vals={"name": "x"}),
            self.call("res.partner", "write", [1, 1], vals={"name": "x"}),
            self.call("res.partner", "write", [], vals={"name": "x"}),
            self.call("res.partner", "write", None, vals={"name": "x"}),
            self.call("res.partner", "write", ["1"], vals={"name": "x"}),
            self.call("res.partner", "write", [True], vals={"name": "x"}),
            self.call("res.partner", "write", [1], vals={}),
            self.call("res.partner", "write", [1], vals=[["name", "x"]]),
            self.call("res.partner", "write", [1], values={"name": "x"}),
            self.call("res.partner", "unlink", [1], force=True),
        ):
            self.assertEqual(found["error"]["kind"], "invalid_input")
