from unittest.mock import patch

from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.base.models.ir_mail_server import IrMail_Server

from ...tools import preview
from ..common import WriteCase

GATEWAY = "odoo.addons.doorman.gateway.errors"


@tagged("post_install", "-at_install")
class TestWriteOnce(WriteCase):
    """Dry runs leave nothing; a key stands for one request, done once."""

    def test_dry_run(self):
        before, dry = self.rows(), {"dry_run": True}
        found = self.create({"name": "Never", "color": 4}, more=dry)["value"]
        [change] = found["changes"]
        self.assertEqual((change["id"], change["name"]), (0, "Never"))
        self.assertEqual(change["after"]["color"], 4)
        self.assertNotIn("before", change)
        found = self.write(self.acme, {"name": "Never", "color": 0}, more=dry)["value"]
        [change] = found["changes"]
        self.assertEqual(change["before"]["name"], "Acme")
        self.assertEqual(change["after"]["name"], "Never")
        self.assertNotIn("color", change["after"], "it is 0 before as well")
        self.assertIn("complete_name", change["after"], "what follows is shown too")
        found = self.call("res.partner", "unlink", self.acme.ids, more=dry)["value"]
        self.assertEqual(found["changes"][0]["before"]["name"], "Acme")
        self.assertEqual(self.acme.exists().name, "Acme")
        self.assertFalse(self.partners("Never"))
        rows = self.new_rows(before)
        self.assertEqual([(r["outcome"], r["reason"]) for r in rows],
                         [("ok", "dry_run")] * 3)  # fmt: skip

    def test_dry_run_shows_no_credentials_and_bounds_fields(self):
        self.acme.signup_type = "signup"
        found = self.call(
            "res.partner", "unlink", self.acme.ids, more={"dry_run": True}
        )["value"]
        [change] = found["changes"]
        self.assertLessEqual(len(change["before"]), preview.MAX_FIELDS)
        self.assertFalse([n for n in change["before"] if "token" in n])

    def test_dry_run_of_what_cannot_be_tried(self):
        dry = {"dry_run": True}
        for found in (
            self.method(self.acme, "action_archive", more=dry),
            self.call("res.partner", "message_post", self.acme.ids, body="x", more=dry),
        ):
            self.assertEqual(found["error"]["kind"], "invalid_input")
        self.assertTrue(self.acme.active)

    def test_dry_run_of_a_failing_change_says_why(self):
        with mute_logger(GATEWAY, "odoo.sql_db"):
            found = self.write(
                self.acme, {"parent_id": self.acme.id}, more={"dry_run": True}
            )
        self.assertEqual(found["error"]["kind"], "business_rule")

    def test_dry_run_sends_nothing(self):
        """Neither at once, nor queued, nor once the rest is committed."""
        self.acme.message_subscribe(self.people["user2"].partner_id.ids)
        sent, hooks = [], []
        cr = self.env.cr
        waiting = list(cr.precommit._funcs), list(cr.postcommit._funcs)

        def write(records, vals):
            result = original(records, vals)
            records.message_post(
                body="x", subtype_xmlid="mail.mt_comment", message_type="comment"
            )
            mail = self.env["mail.mail"].create({"email_to": "a@b.example"})
            sent.append(self.env["ir.mail_server"]._disable_send())
            mail.send()
            records.env.cr.postcommit.add(lambda: hooks.append("post"))
            return result

        Partner = type(self.env["res.partner"])
        original = Partner.write
        counts = [self.env[m].search_count([]) for m in ("mail.mail", "mail.message")]
        with (
            patch.object(Partner, "write", write),
            patch.object(IrMail_Server, "_disable_send", lambda *_s: False),
            patch.object(
                IrMail_Server, "_connect__", side_effect=AssertionError("connects")
            ),
        ):
            found = self.write(self.acme, {"name": "x"}, more={"dry_run": True})
        self.assertIn("value", found, found)
        self.assertEqual(sent, [True])
        left = list(cr.precommit._funcs), list(cr.postcommit._funcs)
        self.assertEqual(left, waiting)
        self.assertEqual(
            counts,
            [self.env[m].search_count([]) for m in ("mail.mail", "mail.message")],
        )

    # ---- idempotency ----

    def test_the_same_key_once(self):
        key = {"idempotency_key": "k-1"}
        first = self.create({"name": "Once", "color": 1}, more=key)["value"]
        before = self.rows()
        again = self.create({"color": 1.0, "name": "Once"}, more=key)["value"]
        self.assertEqual(again, first | {"replayed": True})
        self.assertEqual(len(self.partners("Once")), 1)
        [row] = self.new_rows(before)
        self.assertEqual((row["outcome"], row["reason"]), ("ok", "replayed"))
        self.assertEqual(row["record_ids"], str(first["ids"][0]))

    def test_the_same_key_for_something_else(self):
        key = {"idempotency_key": "k-1"}
        self.create({"name": "Once"}, more=key)
        for found in (
            self.create({"name": "Twice"}, more=key),
            self.write(self.acme, {"name": "Once"}, more=key),
            self.create({"name": "Once"}, more=key, context={"lang": "en_US"}),
        ):
            self.assertEqual(found["error"]["kind"], "conflict")
        self.assertFalse(self.partners("Twice"))

    def test_a_failed_write_leaves_no_key(self):
        key = {"idempotency_key": "k-1"}
        found = self.write(self.acme, {"parent_id": self.acme.id}, more=key)
        self.assertEqual(found["error"]["kind"], "business_rule")
        found = self.write(self.acme, {"name": "Other"}, more=key)
        self.assertIn("value", found)

    def test_a_dry_run_takes_no_key(self):
        key = {"idempotency_key": "k-1"}
        self.create({"name": "Once"}, more=key | {"dry_run": True})
        self.create({"name": "Once"}, more=key)
        self.assertEqual(len(self.partners("Once")), 1)

    def test_keys_end_and_belong_to_one_connection(self):
        key = {"idempotency_key": "é" * 64}
        self.create({"name": "Once"}, more=key)
        self.env.cr.execute(
            "UPDATE doorman_idempotency SET created = created - interval '25 hours'"
        )
        self.create({"name": "Once"}, more=key)
        self.assertEqual(len(self.partners("Once")), 2)
        self.env.cr.execute("UPDATE doorman_idempotency SET connection_id = -1")
        self.create({"name": "Once"}, more=key)
        self.assertEqual(len(self.partners("Once")), 3)
        self.env.cr.execute(
            "UPDATE doorman_idempotency SET created = created - interval '25 hours' "
            "WHERE connection_id = -1"
        )
        self.run_job("purge_audit")
        self.env.cr.execute("SELECT count(*) FROM doorman_idempotency")
        self.assertEqual(self.env.cr.fetchone()[0], 1)

    def test_bad_keys(self):
        for key in ("", "x" * 65, 7, ["a"], {"a": 1}, True, False):
            with self.subTest(key=key):
                found = self.create({"name": "K"}, more={"idempotency_key": key})
                self.assertEqual(found["error"]["kind"], "invalid_input")

    def test_an_old_answer_is_not_given_once_the_model_is_closed(self):
        key = {"idempotency_key": "k-1"}
        self.create({"name": "Once"}, more=key)
        self.allow_models("res.country")
        found = self.create({"name": "Once"}, more=key)
        self.assertEqual(found["error"]["kind"], "not_allowed")

    def test_the_table_is_out_of_reach(self):
        with self.assertRaises(ValueError):
            self.env["doorman.idempotency"].search([("key", "=", "x")])
