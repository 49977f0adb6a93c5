from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools.translate import code_translations

from ..common import ApprovalCase, proof_of
from .test_undo import UndoCase


@tagged("post_install", "-at_install")
class TestUndoRefused(UndoCase, ApprovalCase):
    """Each row: what has come to be since, and how the undo ends. None of them does
    anything."""

    def setUp(self):
        super().setUp()
        self.gate()
        self.change = self.changed(self.write(self.acme, {"name": "B", "ref": "1"}))

    def check(self, code, change=None, fence=None, **kwargs):
        """An undo is refused, and leaves no trace but its audit row."""
        before = self.stored(self.acme, "name", "ref")
        answer = self.undo(change or self.change, fence=fence, **kwargs)
        self.assertIn("error", answer)
        self.assertEqual(answer["error"].get("code") or answer["error"]["kind"], code)
        self.assertEqual(self.stored(self.acme, "name", "ref"), before)
        return answer["error"]

    def tool_for(self, *names):
        tools = self.env["doorman.tool"]
        for name in names:
            found = tools.search([("name", "=", name)]) or self.tool(name)
            tools |= found
        self.connection.allowed_tool_ids = [Command.set(tools.ids)]

    def test_as_it_is_it_works(self):
        """The same case that the rows refuse."""
        self.assertEqual(self.kind_of(self.undo(self.change)), "ok")
        self.assertEqual(self.stored(self.acme, "name", "ref"), [("Acme", False)])

    # ---- the change ----

    def test_twice(self):
        self.assertEqual(self.kind_of(self.undo(self.change)), "ok")
        self.check("undone_already")

    def test_no_change_at_all(self):
        for ident in (self.change + 1000, 0, -1, 2**31, "1", True, None, [1], 1.0):
            with self.subTest(ident=ident):
                answer = self.undo(ident)
                self.assertEqual(answer["error"]["code"], "unknown_change", answer)

    def test_another_connections(self):
        other = self._connect("user")
        self.allow_writes(other)
        fence = self.fence(proof_of(other._issue_key()))
        mine = self.check("unknown_change", fence=fence)
        never = self.undo(self.change + 1000, fence=fence)["error"]
        self.assertEqual(mine, never, "it tells that the change exists")

    def test_a_record_changed_since(self):
        self.acme.name = "C"
        self.check("changed_since")
        self.acme.name = "B"
        self.assertEqual(self.kind_of(self.undo(self.change)), "ok")

    def test_another_field_changed_since(self):
        """Nobody asked for that one: it stays as it is."""
        self.acme.phone = "77"
        self.assertEqual(self.kind_of(self.undo(self.change)), "ok")
        self.assertEqual(self.stored(self.acme, "name", "phone"), [("Acme", "77")])

    def test_a_record_gone_since(self):
        partner = self.env["res.partner"].create({"name": "P"})
        change = self.changed(self.write(partner, {"name": "Q"}))
        partner.unlink()
        self.check("changed_since", change)

    def test_one_of_several_changed_since(self):
        both = self.acme | self.env["res.partner"].create({"name": "P"})
        change = self.changed(self.write(both, {"phone": "5"}))
        both[1].phone = "6"
        self.check("changed_since", change)
        self.assertEqual(self.stored(both, "phone"), [("5",), ("6",)])

    def made(self):
        answer = self.create({"name": "N"})
        record = self.env["res.partner"].browse(answer["value"]["ids"])
        return self.changed(answer), record

    def test_what_was_made_and_changed_since(self):
        change, record = self.made()
        record.phone = "1"
        self.env.flush_all()
        self.check("changed_since", change)
        self.assertTrue(record.exists())

    def test_what_hangs_on_what_was_made(self):
        change, record = self.made()
        self.env["ir.attachment"].create(
            {"name": "f", "raw": b"x", "res_model": record._name, "res_id": record.id}
        )
        self.check("changed_since", change)
        self.assertTrue(record.exists())

    def test_what_people_said_about_what_was_made(self):
        change, record = self.made()
        self.env.cr.execute(
            "UPDATE doorman_undo SET kept = kept || %s",
            ['{"made_at": "2000-01-01 00:00:00"}'],
        )
        note = self.env["mail.message"].create(
            {
                "model": record._name,
                "res_id": record.id,
                "message_type": "comment",
                "body": "Keep this one",
            }
        )
        self.check("changed_since", change)
        self.assertTrue(note.exists() and record.exists())

    def test_what_is_never_undone(self):
        self.gate()
        partner = self.env["res.partner"].create({"name": "P"})
        before = self.rows()
        for word, run in (
            ("delete", lambda: self.call("res.partner", "unlink", partner.ids)),
            ("call_method", lambda: self.method(self.acme, "action_archive")),
            (
                "delete",
                lambda: self.write(
                    self.acme,
                    {"child_ids": [[2, self.child().id, 0]]},
                ),
            ),
        ):
            answer = run()
            self.assertEqual(self.kind_of(answer), "ok", answer)
            self.assertNotIn("change_id", answer["value"])
            [row] = self.new_rows(before)
            before = self.rows()
            self.assertTrue(row["change_id"])
            refused = self.check("undo_impossible", row["change_id"])
            self.assertIn(word, refused["message"])
            before = self.rows()

    def test_why_it_is_never_undone_in_two_languages(self):
        """In English for the AI tool, whatever its user's language; people read it in
        theirs."""
        self.gate()
        self.env["res.lang"]._activate_lang("fr_FR")
        english = "It deleted records of %(model)s, which are not stored."
        french = {english: "%(model)s : effacé pour toujours."}
        known = {("doorman", "fr_FR"): french}
        self.patch(code_translations, "python_translations", known)
        self.people["user"].lang = "fr_FR"
        partner, before = self.env["res.partner"].create({"name": "P"}), self.rows()
        self.call("res.partner", "unlink", partner.ids)
        [row] = self.new_rows(before)
        before = self.rows()
        refused = self.check("undo_impossible", row["change_id"])
        self.assertIn("It deleted records of ", refused["message"])
        [row] = self.new_rows(before)
        shown = self.env["doorman.audit"].browse(row["id"])
        self.assertIn("effacé", shown.with_context(lang="fr_FR").message_shown)
        self.assertNotIn("effacé", shown.with_context(lang="en_US").message_shown)

    def test_an_old_value_that_no_connection_may_write(self):
        """Code in a text: a person put it there, an AI tool puts it nowhere."""
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE res_partner SET comment = '<p t-out=\"1\">x</p>' WHERE id = %s",
            [self.acme.id],
        )
        self.env.invalidate_all()
        change = self.changed(self.write(self.acme, {"comment": "y"}))
        self.check("wrong_value", change)
        self.assertIn("y", self.stored(self.acme, "comment")[0][0])

    def child(self):
        return self.env["res.partner"].create({"name": "K", "parent_id": self.acme.id})

    # ---- the connection and its policy, as they are now ----

    def test_revoked(self):
        fence = self.fence()
        self.connection.action_revoke()
        self.check("credential_invalid", fence=fence)

    def test_read_only(self):
        self.connection.read_only = True
        self.check("read_only_connection")

    def test_read_only_for_all(self):
        self.settings.with_user(self.people["admin"]).action_make_read_only()
        self.check("all_read_only")

    def test_switched_off(self):
        fence = self.fence()
        self.settings._switch(False)
        self.check("switched_off", fence=fence)

    def test_scope_taken(self):
        self.connection.scope_ids = [
            Command.unlink(self.env.ref("doorman.scope_orm").id)
        ]
        self.check("scope_missing")

    def test_tools_narrowed(self):
        self.tool_for("update_records")
        self.check("tool_not_allowed")
        self.tool_for("undo_change")
        self.check("tool_not_allowed")
        self.tool_for("undo_change", "update_records")
        self.assertEqual(self.kind_of(self.undo(self.change)), "ok")

    def test_deleting_takes_the_tool_for_it(self):
        change, record = self.made()
        self.tool_for("undo_change", "update_records", "create_records")
        self.check("tool_not_allowed", change)
        self.assertTrue(record.exists())
        self.tool_for("undo_change", "delete_records")
        self.assertEqual(self.kind_of(self.undo(change)), "ok")

    def test_models_narrowed(self):
        self.allow_models("res.partner.category")
        self.check("model_not_allowed")
        self.allow_models("res.partner")
        self.assertEqual(self.kind_of(self.undo(self.change)), "ok")

    def rule_for(self, **vals):
        model = self.env["ir.model"]._get("res.partner")
        vals = {"connection_id": self.connection.id, "model_id": model.id} | vals
        return self.env["doorman.model.rule"].create(vals)

    def test_a_rule_for_the_model(self):
        rule = self.rule_for(perm_write=False, perm_create=True, perm_unlink=True)
        self.check("operation_not_allowed")
        rule.perm_write = True
        self.assertEqual(self.kind_of(self.undo(self.change)), "ok")

    def test_a_rule_that_lets_nothing_be_deleted(self):
        change, record = self.made()
        rule = self.rule_for(perm_write=True, perm_create=True, perm_unlink=False)
        self.check("operation_not_allowed", change)
        self.assertTrue(record.exists())
        rule.perm_unlink = True
        self.assertEqual(self.kind_of(self.undo(change)), "ok")

    def test_a_rule_that_hides_the_field(self):
        field = self.env["ir.model.fields"]._get("res.partner", "ref")
        rights = {"perm_write": True, "perm_create": True, "perm_unlink": True}
        rule = self.rule_for(hidden_field_ids=[Command.set(field.ids)], **rights)
        self.check("field_closed_by_rule")
        rule.unlink()
        self.assertEqual(self.kind_of(self.undo(self.change)), "ok")

    def test_a_rule_that_leaves_the_record_out(self):
        rights = {"perm_write": True, "perm_create": True, "perm_unlink": True}
        rule = self.rule_for(domain="[('ref', '=', 'none')]", **rights)
        answer = self.undo(self.change)
        self.assertIn("error", answer)
        self.assertEqual(self.stored(self.acme, "name"), [("B",)])
        rule.unlink()
        self.assertEqual(self.kind_of(self.undo(self.change)), "ok")

    def test_the_user_lost_the_right(self):
        manager = self.env.ref("base.group_partner_manager")
        self.people["user"].group_ids = [Command.unlink(manager.id)]
        answer = self.undo(self.change)
        self.assertEqual(self.kind_of(answer), "forbidden", answer)
        self.assertEqual(self.stored(self.acme, "name"), [("B",)])

    # ---- approval ----

    def test_an_undo_that_waits(self):
        self.tools["undo_change"] = self.env["doorman.tool"].search(
            [("name", "=", "undo_change")]
        ) or self.tool("undo_change")
        self.gate("undo_change")
        answer = self.undo(self.change)
        self.assertEqual(self.kind_of(answer), "pending_approval", answer)
        self.assertEqual(self.stored(self.acme, "name"), [("B",)])
        approval = self.env["doorman.approval"].browse(answer["pending"]["request_id"])
        self.assertIn("Acme", str(approval.changes_html))
        self.assertIn("update_records", approval.summary)
        self.by("approver", approval).action_approve()
        self.assertEqual(approval.state, "executed", approval.error_message)
        self.assertEqual(self.stored(self.acme, "name"), [("Acme",)])

    def test_deleting_what_was_made_waits_as_deleting_does(self):
        change, record = self.made()
        self.gate("delete_records")
        answer = self.undo(change)
        self.assertEqual(self.kind_of(answer), "pending_approval", answer)
        self.assertTrue(record.exists())
        approval = self.env["doorman.approval"].browse(answer["pending"]["request_id"])
        self.by("approver", approval).action_approve()
        self.assertEqual(approval.state, "executed", approval.error_message)
        self.assertFalse(record.exists())

    def test_changed_while_it_waited(self):
        self.gate("update_records")
        answer = self.undo(self.change)
        approval = self.env["doorman.approval"].browse(answer["pending"]["request_id"])
        self.acme.name = "C"
        self.by("approver", approval).action_approve()
        self.assertEqual(approval.state, "failed")
        self.assertEqual(approval.error_code, "changed_since")
        self.assertEqual(self.stored(self.acme, "name"), [("C",)])
