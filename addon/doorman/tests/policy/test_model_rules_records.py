"""A rule's domain: what hangs on the records that it leaves out, and what Odoo's code
does to them."""

import json

from odoo.tests import tagged

from ...tools import told_changes
from ..rules_common import RulesCase

NO = "not_allowed"


@tagged("post_install", "-at_install")
class TestModelRulesRecords(RulesCase):
    def setUp(self):
        super().setUp()
        self.mine = f"[('country_id', '=', {self.belgium.id})]"

    def hang_on(self, partner):
        """Something of each kind on a contact, that the user may see in Odoo."""
        user = self.people["user"]
        note = partner.message_post(
            body="Hello", partner_ids=user.partner_id.ids, message_type="comment"
        )
        activity = partner.activity_schedule(
            "mail.mail_activity_data_todo", summary="Call", user_id=user.id
        )
        file = self.env["ir.attachment"].create(
            {"name": "f", "raw": b"x", "res_model": "res.partner",
             "res_id": partner.id}
        )  # fmt: skip
        partner.message_subscribe(user.partner_id.ids)
        return [note, activity, file, partner.message_follower_ids[0]]

    def test_what_hangs_on_them(self):
        """A user sees their own activities and messages in Odoo, of any record."""
        here, away = self.hang_on(self.acme), self.hang_on(self.other)
        for record in (*here, *away):
            with self.subTest(model=record._name):
                mine = [["id", "in", record.ids]]
                self.assertEqual(self.count(mine, record._name), 1)
        self.rule_for("res.partner", domain=self.mine)
        for mine, other in zip(here, away, strict=True):
            model = mine._name
            with self.subTest(model=model):
                for record, found in ((mine, 1), (other, 0)):
                    self.assertEqual(
                        self.count([["id", "in", record.ids]], model), found
                    )
                self.assertEqual(len(self.reads(mine, "id")), 1)
                self.assertEqual(self.reads(other, "id"), NO)
                both = [["id", "in", (mine | other).ids]]
                answer = self.call(
                    model, "search_read", domain=both, fields=["display_name"]
                )
                self.assertEqual([row["id"] for row in answer["value"]], mine.ids)
        loose = self.env["ir.attachment"].with_user(self.people["user"])
        loose = loose.create({"name": "f", "raw": b"x", "res_model": "res.partner"})
        self.assertEqual(self.count([["id", "in", loose.ids]], "ir.attachment"), 1)

    def test_those_who_write_and_follow(self):
        """Neither name nor address of a contact that is not there."""
        self.acme.message_subscribe(self.other.ids)
        self.acme.message_post(
            body="Hello", author_id=self.other.id, message_type="comment"
        )
        kwargs = {"fields": ["message_follower_ids", "message_ids"], "names": 5}

        def told():
            return json.dumps(
                [
                    self.call("res.partner", "read_messages", self.acme.ids),
                    self.call("res.partner", "read", self.acme.ids, **kwargs),
                ],
                default=str,
            )

        self.assertIn("zeta@zeta.example", told())
        self.rule_for("res.partner", domain=self.mine)
        self.assertNotIn("zeta", told().lower())
        self.assertIn("Hello", told())

    def test_what_a_change_sets_off_elsewhere(self):
        """It is told that records outside of the domain have changed, and not how."""
        mine, other = self.acme.ids, self.other.ids
        write = type(self.env["res.partner"]).write

        def moves(partners, vals):
            found = write(partners, vals)
            if "function" in vals:
                write(partners.browse(mine + other), {"type": "invoice"})
            return found

        self.patch(type(self.env["res.partner"]), "write", moves)
        self.patch(told_changes, "STATUS", ("type",))

        def told():
            with self.env.cr.savepoint() as savepoint:
                answer = self.write(self.acme, {"function": "CEO"})["value"]
                savepoint.rollback()
            return [row["values"] for row in answer["changed"] if "values" in row]

        self.assertIn(str(other[0]), {i for rows in told() for i in rows})
        self.rule_for("res.partner", domain=self.mine)
        ids = {ident for rows in told() for ident in rows}
        self.assertEqual(ids, {str(mine[0])})

    def test_paths_to_what_hangs_on_them(self):
        """Odoo groups and exports along a path without its record rules."""
        self.hang_on(self.other)
        notification, path = "mail.notification", "mail_message_id.subject"
        group = {"groupby": [path], "aggregates": ["__count"]}
        columns = {"domain": [], "fields": ["mail_message_id"]}

        def kinds():
            return [
                self.kind(notification, "formatted_read_group", **group),
                self.kind(notification, "export_records", **columns),
                # These are the record's own.
                self.kind("res.partner", "search_read", domain=[],
                          fields=["activity_ids"]),
            ]  # fmt: skip

        self.assertEqual(kinds(), ["ok"] * 3)
        self.rule_for("res.partner", domain=self.mine)
        self.assertEqual(kinds(), [NO, NO, "ok"])
